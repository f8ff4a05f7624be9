package playlist

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestSegments(t *testing.T) {
	tests := []struct {
		src  string
		want []string // "line URI duration [gap]"
	}{
		{"", nil},
		{"#EXTM3U\n#EXT-X-ENDLIST\n", nil},
		{"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MAP:URI=\"i.mp4\"\n#EXTINF:4.0,title\n#EXT-X-BYTERANGE:1@0\na.ts?range=1,2\n#EXT-X-PART:URI=\"p\"\n#EXTINF:2.5\nb.ts\n",
			[]string{"6 a.ts?range=1,2 4s", "9 b.ts 2.5s"}},
		{"#EXT-X-DEFINE:NAME=\"d\",VALUE=\"v/\"\r\n#EXTINF:1,\r\n{$d}a.ts\r\n", []string{"3 v/a.ts 1s"}},
		{"#EXTINF:1,\na\nb\n", []string{"2 a 1s", "3 b 0s"}},
		{"#EXT-X-GAP\n#EXTINF:1,\na\n#EXTINF:1,\nb\n", []string{"3 a 1s gap", "5 b 1s"}},
		{"#EXTINF:0.333334,\na\n", []string{"2 a 333.334ms"}},
		{"#EXTINF:-1,radio\na\n#EXTINF:NaN\nb\n#EXTINF:1e300\nc\n#EXTINF:x\nd\n#EXTINF\ne\n#EXTINF: 5 ,\nf\n",
			[]string{"2 a 0s", "4 b 0s", "6 c 0s", "8 d 0s", "10 e 0s", "12 f 5s"}},
	}
	for _, tt := range tests {
		segments, err := Segments([]byte(tt.src))
		if err != nil {
			t.Errorf("Segments(%q): %v", tt.src, err)
		}
		var got []string
		for _, s := range segments {
			line := fmt.Sprintf("%d %s %v", s.Line, s.URI, s.Duration)
			if s.Gap {
				line += " gap"
			}
			got = append(got, line)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("Segments(%q) = %q, want %q", tt.src, got, tt.want)
		}
	}
}

func TestSegmentsRefuses(t *testing.T) {
	if _, err := Segments([]byte("#EXT-X-STREAM-INF:BANDWIDTH=1\na\n")); !errors.Is(err, ErrSyntax) {
		t.Errorf("a multivariant playlist: %v, want ErrSyntax", err)
	}
	full := strings.Repeat("a\n", maxSegments)
	if s, err := Segments([]byte(full)); err != nil || len(s) != maxSegments {
		t.Errorf("%d segments: %d, %v", maxSegments, len(s), err)
	}
	if _, err := Segments([]byte(full + "a\n")); !errors.Is(err, ErrTooLarge) {
		t.Errorf("%d segments: %v, want ErrTooLarge", maxSegments+1, err)
	}
}

func TestDescribe(t *testing.T) {
	tests := []struct {
		name, src string
		want      Info
	}{
		{"vod", "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\na\n#EXTINF:2.5,\nb\n#EXT-X-ENDLIST\n",
			Info{Segments: 2, Duration: 6500 * time.Millisecond}},
		{"live, more than eight", "#EXTM3U\n#EXT-X-TARGETDURATION:4\n" + strings.Repeat("#EXTINF:4,\na\n", 20),
			Info{Segments: 20, Duration: 80 * time.Second, Live: true}},
		{"durations that are none", "#EXTM3U\n#EXTINF:NaN,\na\n#EXTINF:1e300,\na\n#EXTINF:9e9,\na\n#EXTINF:9e9,\na\n#EXT-X-ENDLIST\n",
			Info{Segments: 4, Duration: 9e9 * time.Second}},
		{"empty", "#EXTM3U\n#EXT-X-ENDLIST\n", Info{}},
		{"multivariant", "\ufeff#EXTM3U\r\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",URI=\"a.m3u8\"\r\n" +
			"#EXT-X-STREAM-INF:BANDWIDTH=1280000,AVERAGE-BANDWIDTH=1000000,CODECS=\"avc1.4d401f,mp4a.40.2\",RESOLUTION=1280x720,FRAME-RATE=25.000,AUDIO=\"a\",SUBTITLES=\"s\"\r\nv.m3u8\r\n" +
			"#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=86000,URI=\"i.m3u8\"\r\n",
			Info{Multivariant: true, Variants: []Variant{
				{URI: "v.m3u8", Bandwidth: 1280000, AverageBandwidth: 1000000, Codecs: "avc1.4d401f,mp4a.40.2", Resolution: "1280x720", FrameRate: 25, Audio: "a", Subtitles: "s"},
				{URI: "i.m3u8", Bandwidth: 86000, IFrame: true},
			}}},
	}
	for _, tt := range tests {
		got, err := Describe([]byte(tt.src))
		variants := slices.Equal(got.Variants, tt.want.Variants)
		got.Variants, tt.want.Variants = nil, nil
		if err != nil || !variants || fmt.Sprint(got) != fmt.Sprint(tt.want) {
			t.Errorf("%s: Describe = %+v, %v, want %+v; variants as wanted: %v", tt.name, got, err, tt.want, variants)
		}
	}
}

// The library panics on the first of these, and multiplies variants by renditions.
func TestDescribeSurvives(t *testing.T) {
	for _, src := range []string{"#EXT-X-KEY:\ns", "#EXT-X-KEY:METHOD=NONE\n\n", "#EXT-X-MAP:\n\n#EXTINF:1,\na\n"} {
		if info, err := Describe([]byte(src)); err != nil && (!errors.Is(err, ErrSyntax) || fmt.Sprint(info) != fmt.Sprint(Info{})) {
			t.Errorf("Describe(%q) = %+v, %v", src, info, err)
		}
	}
	if _, err := Describe([]byte("#EXT-X-KEY:\ns")); !errors.Is(err, ErrSyntax) {
		t.Errorf("a panic of the library became %v, want ErrSyntax", err)
	}
	for _, src := range []string{
		strings.Repeat("#EXT-X-STREAM-INF:AUDIO=\"a\"\nv\n", maxVariants+1),
		strings.Repeat("#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\"\n", maxVariants+1),
		strings.Repeat("#EXTINF:1,\na\n", maxSegments+1),
	} {
		if _, err := Describe([]byte(src)); !errors.Is(err, ErrTooLarge) {
			t.Errorf("Describe(%.40q…) = %v, want ErrTooLarge", src, err)
		}
	}
}
