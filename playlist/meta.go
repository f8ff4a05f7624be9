package playlist

import (
	"bytes"
	"fmt"
	"math"
	"time"

	"github.com/grafov/m3u8"
)

// maxVariants bounds what Describe reads of a multivariant playlist, in
// variants and renditions each: the library keeps their product.
const maxVariants = 1024

// Info is what an HLS playlist says about itself.
type Info struct {
	Multivariant bool
	Variants     []Variant // of a multivariant playlist, in its order

	Segments int           // of a media playlist
	Duration time.Duration // of a media playlist: the sum of its segments'
	Live     bool          // a media playlist without EXT-X-ENDLIST: more may come
}

// Variant is one EXT-X-STREAM-INF or EXT-X-I-FRAME-STREAM-INF.
type Variant struct {
	URI              string // as written
	Bandwidth        int64  // peak, bits per second
	AverageBandwidth int64  // bits per second; 0 when not given
	Codecs           string
	Resolution       string  // as written: "1280x720"
	FrameRate        float64 // frames per second; 0 when not given
	Audio, Subtitles string  // GROUP-IDs
	IFrame           bool
}

// Describe reads an HLS playlist with an HLS library, for display: nothing
// that is served depends on it. The error is ErrTooLarge, or ErrSyntax where
// the library could not cope.
func Describe(src []byte) (info Info, err error) {
	if len(src) > MaxBytes {
		return Info{}, ErrTooLarge
	}
	defer func() {
		if cause := recover(); cause != nil { // the library panics on some malformed tags
			info, err = Info{}, fmt.Errorf("%w: %v", ErrSyntax, cause)
		}
	}()
	if Multivariant(src) {
		return describeMultivariant(src)
	}
	return describeMedia(src)
}

func describeMultivariant(src []byte) (Info, error) {
	variants := bytes.Count(src, []byte("STREAM-INF"))
	renditions := bytes.Count(src, []byte("#EXT-X-MEDIA"))
	if variants > maxVariants || renditions > maxVariants {
		return Info{}, ErrTooLarge
	}
	p := m3u8.NewMasterPlaylist()
	if err := p.DecodeFrom(bytes.NewReader(src), false); err != nil {
		return Info{}, fmt.Errorf("%w: %v", ErrSyntax, err)
	}
	info := Info{Multivariant: true}
	for _, v := range p.Variants {
		info.Variants = append(info.Variants, Variant{
			URI:              v.URI,
			Bandwidth:        int64(v.Bandwidth),
			AverageBandwidth: int64(v.AverageBandwidth),
			Codecs:           v.Codecs,
			Resolution:       v.Resolution,
			FrameRate:        v.FrameRate,
			Audio:            v.Audio,
			Subtitles:        v.Subtitles,
			IFrame:           v.Iframe,
		})
	}
	return info, nil
}

func describeMedia(src []byte) (Info, error) {
	segments := bytes.Count(src, []byte("#"+tagInf))
	if segments > maxSegments {
		return Info{}, ErrTooLarge
	}
	// A window of 0 keeps every segment of live playlists too, and the
	// capacity spares the library its growing, which is where it errs.
	p, err := m3u8.NewMediaPlaylist(0, uint(segments)+1)
	if err != nil {
		return Info{}, fmt.Errorf("%w: %v", ErrSyntax, err)
	}
	if err := p.DecodeFrom(bytes.NewReader(src), false); err != nil {
		return Info{}, fmt.Errorf("%w: %v", ErrSyntax, err)
	}
	info := Info{Segments: int(p.Count()), Live: !p.Closed}
	for _, s := range p.Segments {
		if s == nil {
			continue
		}
		if d := secondsDuration(s.Duration); d <= math.MaxInt64-info.Duration {
			info.Duration += d
		}
	}
	return info, nil
}
