package gateway

import "testing"

func TestParseTarget(t *testing.T) {
	tests := []struct {
		path string
		want target
	}{
		{"films/bbb.zip", target{source: "films", archive: "bbb.zip"}},
		{"films/bbb.zip/", target{source: "films", archive: "bbb.zip", slash: true}},
		{"films/bbb.zip/-", target{source: "films", archive: "bbb.zip", dashed: true}},
		{"films/bbb.zip/-/", target{source: "films", archive: "bbb.zip", dashed: true, slash: true}},
		{"films/a/b/c.ZIP/720p/s.ts", target{source: "films", archive: "a/b/c.ZIP", entry: "720p/s.ts"}},
		{"films/a.zip/b.zip/s.ts", target{source: "films", archive: "a.zip", entry: "b.zip/s.ts"}},
		{"films/bbb.zip/-/s.ts", target{source: "films", archive: "bbb.zip", dashed: true, entry: "s.ts"}},
		{"films/bafy/-/s.ts", target{source: "films", archive: "bafy", dashed: true, entry: "s.ts"}},
		{"films/x/-/b.zip/s.ts", target{source: "films", archive: "x", dashed: true, entry: "b.zip/s.ts"}},
		{"films/bafy", target{source: "films", archive: "bafy"}},
		{"films/a%20b.zip/%C3%BC%25%2B+.ts", target{source: "films", archive: "a b.zip", entry: "ü%++.ts"}},
		{"films/bbb.zip/~/0000abcd/5,10/v.mp4", target{source: "films", archive: "bbb.zip", entry: "v.mp4", part: &part{0xabcd, 5, 10}}},
		{"films/bafy/-/~/0000abcd/5,10/a/v.mp4", target{source: "films", archive: "bafy", dashed: true, entry: "a/v.mp4", part: &part{0xabcd, 5, 10}}},
		{"films/bbb.zip/%7E/0000abcd/5%2C10/v.mp4", target{source: "films", archive: "bbb.zip", entry: "v.mp4", part: &part{0xabcd, 5, 10}}},
		{"films/bbb.zip/%7Ex/s.ts", target{source: "films", archive: "bbb.zip", entry: "~x/s.ts"}},
		{"films", target{source: "films"}},
		{"", target{}},
	}
	for _, tt := range tests {
		got, p := parseTarget(tt.path)
		if p != nil {
			t.Errorf("parseTarget(%q) failed: %v", tt.path, p)
			continue
		}
		if (got.part == nil) != (tt.want.part == nil) || got.part != nil && *got.part != *tt.want.part {
			t.Errorf("parseTarget(%q).part = %v, want %v", tt.path, got.part, tt.want.part)
		}
		got.part, tt.want.part = nil, nil
		if got != tt.want {
			t.Errorf("parseTarget(%q) = %+v, want %+v", tt.path, got, tt.want)
		}
	}
}

func TestParseTargetRefuses(t *testing.T) {
	tests := []struct{ path, code string }{
		{"films/bbb.zip/../x", "bad-path"},
		{"films/bbb.zip/%2e%2e/x", "bad-path"},
		{"films/bbb.zip/a%2F..%2Fx", "bad-path"},
		{"films/bbb.zip/a%00", "bad-path"},
		{"films/bbb.zip/a%5Cb", "bad-path"},
		{"films/..%2Fbbb.zip/a", "bad-path"},
		{"films/bbb.zip/a%zz", "bad-path"},
		{"films/bbb.zip/a%2", "bad-path"},
		{"films/bbb.zip/~", "link-outside-archive"},
		{"films/bbb.zip/~/0000abcd/5,10", "link-outside-archive"},
		{"films/bbb.zip/~/abcd/5,10/x", "link-outside-archive"},
		{"films/bbb.zip/~/0000abcg/5,10/x", "link-outside-archive"},
		{"films/bbb.zip/~/0000abcd/5/x", "link-outside-archive"},
		{"films/bbb.zip/~/0000abcd/-5,10/x", "link-outside-archive"},
		{"films/bbb.zip/~/0000abcd/+5,10/x", "link-outside-archive"},
		{"films/bbb.zip/~/0000abcd/9223372036854775807,10/x", "link-outside-archive"},
		{"films/bbb.zip/~/0000abcd/99999999999999999999,1/x", "link-outside-archive"},
	}
	for _, tt := range tests {
		if _, p := parseTarget(tt.path); p == nil || p.code != tt.code {
			t.Errorf("parseTarget(%q) = %v, want %s", tt.path, p, tt.code)
		}
	}
}
