package playlist

import (
	"fmt"
	"strings"
	"testing"
)

// benchPlaylist is a media playlist of n segments, each with a range link.
func benchPlaylist(n int) []byte {
	var b strings.Builder
	b.WriteString("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:4\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-MAP:URI=\"init.mp4?range=45,800\"\n")
	off := 900
	for i := range n {
		fmt.Fprintf(&b, "#EXTINF:4.000000,\nvideo/720p/seg_%05d.m4s?range=%d,%d\n", i, off, 654321)
		off += 654321
	}
	b.WriteString("#EXT-X-ENDLIST\n")
	return []byte(b.String())
}

func BenchmarkRewriteHLS(b *testing.B) {
	src := benchPlaylist(1000)
	dst := make([]byte, 0, 2*len(src))
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		links := 0
		_, err := Rewrite(dst, src, HLS, func(l Link) (string, bool) {
			links++
			return "720p/seg_00000.m4s", l.State == Valid
		})
		if err != nil || links != 1001 {
			b.Fatal(links, err)
		}
	}
}

func BenchmarkRewriteDASH(b *testing.B) {
	var text strings.Builder
	text.WriteString(`<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period><AdaptationSet><Representation><BaseURL>video/</BaseURL><SegmentList>`)
	for i := range 1000 {
		fmt.Fprintf(&text, "<SegmentURL media=\"seg_%05d.m4s?range=%d,654321\"/>\n", i, i*654321)
	}
	text.WriteString(`</SegmentList></Representation></AdaptationSet></Period></MPD>`)
	src := []byte(text.String())
	dst := make([]byte, 0, 2*len(src))
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Rewrite(dst, src, DASH, func(Link) (string, bool) { return "seg_00000.m4s", true }); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSegments(b *testing.B) {
	src := benchPlaylist(1000)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if s, err := Segments(src); err != nil || len(s) != 1000 {
			b.Fatal(len(s), err)
		}
	}
}

func BenchmarkReference(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if Reference("video/720p/index.m3u8", "video/720p/seg_00001.m4s") != "seg_00001.m4s" {
			b.Fatal("wrong reference")
		}
	}
}
