package gateway_test

import (
	"testing"

	"zipreel/gateway"
	"zipreel/zipindex"
)

func TestEntryKind(t *testing.T) {
	tests := []struct{ name, want string }{
		{"a/master.m3u8", "playlist"}, {"x.MPD", "playlist"}, {"s.ts", "segment"}, {"S.M4S", "segment"}, {"c.jpg", "image"},
		{"en.vtt", "subtitles"}, {"enc.key", "key"}, {"chapters.json", "json"}, {"README", "other"}, {"seg0", "other"},
	}
	for _, tt := range tests {
		if got := gateway.EntryKind(zipindex.Entry{Name: tt.name}); got != tt.want {
			t.Errorf("EntryKind(%q) = %q, want %q", tt.name, got, tt.want)
		}
	}
}
