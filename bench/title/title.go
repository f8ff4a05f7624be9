// Package title makes the archives that the benchmarks play: any number of equal segments, a media playlist with range links and a
// multivariant playlist of 400 bytes, in the layout that zipreel pack writes. Segments are not kept in memory, so an archive of a
// million is as cheap as its directory.
package title

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"strings"
)

const (
	// Media is the media playlist's name.
	Media = "video/1080p/index.m3u8"
	// Multivariant is the multivariant playlist's name.
	Multivariant = "master.m3u8"
	// MultivariantBytes is its size.
	MultivariantBytes = 400

	maxLinks = 7200 // segments in the media playlist: four hours of two seconds
	nameLen  = 30
	localLen = 30 // APPNOTE 4.3.7, without the name
	zip64Max = 1<<32 - 1
)

// Title is an archive. Safe for concurrent use.
type Title struct {
	Segments     int
	SegmentBytes int64

	data  []byte // of every segment
	crc   uint32
	media []byte
	multi []byte
	at    int64  // where tail starts
	tail  []byte // playlists, directory, end records
}

// Name is the i-th segment's: 30 bytes, as packers write them.
func Name(i int) string { return fmt.Sprintf("video/1080p/segment_%07d.ts", i) }

// New makes an archive of up to ten million segments of segmentBytes each.
func New(segments int, segmentBytes int64) *Title {
	t := &Title{Segments: segments, SegmentBytes: segmentBytes, data: noise(segmentBytes)}
	t.crc = crc32.ChecksumIEEE(t.data)
	t.at = int64(segments) * t.stride()
	t.media, t.multi = t.mediaPlaylist(), multivariant()
	t.tail = t.end()
	return t
}

// noise is bytes that no one compresses, the same every time.
func noise(n int64) []byte {
	b := make([]byte, n)
	x := uint64(0x9e3779b97f4a7c15)
	for i := range b {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		b[i] = byte(x)
	}
	return b
}

func (t *Title) stride() int64 { return localLen + nameLen + t.SegmentBytes }

// Size is the archive's, in bytes.
func (t *Title) Size() int64 { return t.at + int64(len(t.tail)) }

// Segment is every segment's content. It is not to be changed.
func (t *Title) Segment() []byte { return t.data }

// Playlist is the multivariant playlist. It is not to be changed.
func (t *Title) Playlist() []byte { return t.multi }

// Range is where the i-th segment's data lies in the archive.
func (t *Title) Range(i int) (off, n int64) {
	return int64(i)*t.stride() + localLen + nameLen, t.SegmentBytes
}

// ReadAt implements io.ReaderAt.
func (t *Title) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, fmt.Errorf("read at %d", off)
	}
	for n < len(p) {
		piece := t.piece(off + int64(n))
		if len(piece) == 0 {
			return n, io.EOF
		}
		n += copy(p[n:], piece)
	}
	return n, nil
}

// piece is the bytes from off on that lie in memory side by side; none at the end.
func (t *Title) piece(off int64) []byte {
	if off >= t.at {
		return t.tail[min(off-t.at, int64(len(t.tail))):]
	}
	i, in := off/t.stride(), off%t.stride()
	if in >= localLen+nameLen {
		return t.data[in-localLen-nameLen:]
	}
	return local(nil, Name(int(i)), t.crc, t.SegmentBytes)[in:]
}

// Tail is the archive's bytes from off on, where off is in what follows the segments. It is not to be changed.
func (t *Title) Tail() (off int64, tail []byte) { return t.at, t.tail }

// WriteFile writes the archive to a file.
func (t *Title) WriteFile(name string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, io.NewSectionReader(t, 0, t.Size())); err != nil {
		f.Close()
		return fmt.Errorf("write %s: %w", name, err)
	}
	return f.Close()
}

func (t *Title) mediaPlaylist() []byte {
	var b strings.Builder
	b.WriteString("#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-PLAYLIST-TYPE:VOD\n")
	for i := range min(t.Segments, maxLinks) {
		off, n := t.Range(i)
		fmt.Fprintf(&b, "#EXTINF:2.000,\nsegment_%07d.ts?range=%d,%d\n", i, off, n)
	}
	b.WriteString("#EXT-X-ENDLIST\n")
	return []byte(b.String())
}

func multivariant() []byte {
	head := "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=4000000,RESOLUTION=1920x1080\n" + Media + "\n"
	return []byte(head + "#" + strings.Repeat("-", MultivariantBytes-len(head)-2) + "\n")
}

// end lays down playlists, directory and end records.
func (t *Title) end() []byte {
	mediaCRC, multiCRC := crc32.ChecksumIEEE(t.media), crc32.ChecksumIEEE(t.multi)
	b := local(nil, Media, mediaCRC, int64(len(t.media)))
	b = append(b, t.media...)
	multiAt := t.at + int64(len(b))
	b = local(b, Multivariant, multiCRC, int64(len(t.multi)))
	b = append(b, t.multi...)
	dirAt := t.at + int64(len(b))
	for i := range t.Segments {
		b = central(b, Name(i), t.crc, t.SegmentBytes, int64(i)*t.stride())
	}
	b = central(b, Media, mediaCRC, int64(len(t.media)), t.at)
	b = central(b, Multivariant, multiCRC, int64(len(t.multi)), multiAt)
	return endRecords(b, t.Segments+2, dirAt, t.at+int64(len(b))-dirAt)
}

var le = binary.LittleEndian

// local appends a local header (APPNOTE 4.3.7).
func local(b []byte, name string, crc uint32, size int64) []byte {
	b = append(b, "PK\x03\x04\x0a\x00\x00\x00\x00\x00\x00\x00\x21\x00"...)
	b = sizes(b, name, crc, size)
	b = le.AppendUint16(b, 0)
	return append(b, name...)
}

func sizes(b []byte, name string, crc uint32, size int64) []byte {
	b = le.AppendUint32(b, crc)
	b = le.AppendUint32(b, uint32(size))
	b = le.AppendUint32(b, uint32(size))
	return le.AppendUint16(b, uint16(len(name)))
}

// central appends a directory header (APPNOTE 4.3.12), with a ZIP64 extra field (4.5.3) for offsets beyond 4 GiB.
func central(b []byte, name string, crc uint32, size, off int64) []byte {
	b = append(b, "PK\x01\x02\x14\x03\x0a\x00\x00\x00\x00\x00\x00\x00\x21\x00"...)
	b = sizes(b, name, crc, size)
	extra := 0
	if off >= zip64Max {
		extra = 12
	}
	b = le.AppendUint16(b, uint16(extra))
	b = append(b, make([]byte, 6)...)                  // comment, disk, internal attributes
	b = le.AppendUint32(b, 0o100644<<16)               // a regular file
	b = le.AppendUint32(b, uint32(min(off, zip64Max))) // of the local header
	b = append(b, name...)
	if extra > 0 {
		b = append(b, 1, 0, 8, 0)
		b = le.AppendUint64(b, uint64(off))
	}
	return b
}

// endRecords appends the end record (APPNOTE 4.3.16), after ZIP64's (4.3.14, 4.3.15) where numbers are too large for it.
func endRecords(b []byte, entries int, dirAt, dirBytes int64) []byte {
	at := dirAt + dirBytes
	if entries >= 1<<16-1 || at >= zip64Max {
		b = append(b, "PK\x06\x06"...)
		b = le.AppendUint64(b, 44)
		b = append(b, 45, 3, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0)
		b = le.AppendUint64(b, uint64(entries))
		b = le.AppendUint64(b, uint64(entries))
		b = le.AppendUint64(b, uint64(dirBytes))
		b = le.AppendUint64(b, uint64(dirAt))
		b = append(b, "PK\x06\x07\x00\x00\x00\x00"...)
		b = le.AppendUint64(b, uint64(at))
		b = le.AppendUint32(b, 1)
	}
	b = append(b, "PK\x05\x06\x00\x00\x00\x00"...)
	b = le.AppendUint16(b, uint16(min(entries, 1<<16-1)))
	b = le.AppendUint16(b, uint16(min(entries, 1<<16-1)))
	b = le.AppendUint32(b, uint32(min(dirBytes, zip64Max)))
	b = le.AppendUint32(b, uint32(min(dirAt, zip64Max)))
	return le.AppendUint16(b, 0)
}
