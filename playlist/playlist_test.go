package playlist

import (
	"errors"
	"testing"
)

func TestDetect(t *testing.T) {
	tests := []struct {
		name, head string
		want       Kind
	}{
		{"a/index.m3u8", "", HLS},
		{"INDEX.M3U8", "", HLS},
		{"radio.m3u", "", HLS},
		{"a.mpd", "", DASH},
		{"a.MPD", "#EXTM3U", DASH},
		{"index", "#EXTM3U\n#EXTINF", HLS},
		{"index", "\ufeff#EXTM3U\n", HLS},
		{"index.v2", "#EXTM3U", HLS},
		{"a.m3u8/index", "", None},
		{"index", "#EXTM3", None},
		{"index", " #EXTM3U", None},
		{"index", "\ufeff", None},
		{"index", "", None},
		{"", "", None},
		{"seg.ts", "#EXTM3U", None},
		{"subs.VTT", "#EXTM3U", None},
		{"chapters.json", "#EXTM3U", None},
		{"index", "<?xml version='1.0'?><MPD>", None},
		{"__MACOSX/a/._index.m3u8", "\x00\x05\x16\x07", None},
		{"a/._index", "#EXTM3U", None},
		{"._/index.m3u8", "", HLS},
	}
	for _, tt := range tests {
		if got := Detect(tt.name, []byte(tt.head)); got != tt.want {
			t.Errorf("Detect(%q, %q) = %d, want %d", tt.name, tt.head, got, tt.want)
		}
	}
}

func TestTooLarge(t *testing.T) {
	src := make([]byte, MaxBytes+1)
	never := func(Link) (string, bool) { t.Error("link was called"); return "", false }
	for _, kind := range []Kind{None, HLS, DASH} {
		if got, err := Rewrite([]byte("kept"), src, kind, never); string(got) != "kept" || !errors.Is(err, ErrTooLarge) {
			t.Errorf("Rewrite of kind %d: %d bytes, %v, want ErrTooLarge", kind, len(got), err)
		}
	}
	if _, err := Segments(src); !errors.Is(err, ErrTooLarge) {
		t.Errorf("Segments: %v, want ErrTooLarge", err)
	}
	if _, err := Describe(src); !errors.Is(err, ErrTooLarge) {
		t.Errorf("Describe: %v, want ErrTooLarge", err)
	}
}
