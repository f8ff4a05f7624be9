package playlist

import "testing"

func TestLinkPath(t *testing.T) {
	tests := []struct{ uri, want string }{
		{"", ""},
		{"seg%201.ts", "seg%201.ts"},
		{"a/b.ts?range=1,2#t", "a/b.ts"},
		{"a/b.ts#t?x", "a/b.ts"},
		{"?range=1,2", ""},
		{"/a/b.ts", "/a/b.ts"},
		{"https://h/a/b.ts?x", "/a/b.ts"},
		{"https://h?x", ""},
		{"//h/a", "/a"},
		{"data:text/plain,x", "text/plain,x"},
		{"skd://key/1", "/1"},
	}
	for _, tt := range tests {
		if got := (Link{URI: tt.uri}).Path(); got != tt.want {
			t.Errorf("Link{URI: %q}.Path() = %q, want %q", tt.uri, got, tt.want)
		}
	}
}

func TestLinkLocal(t *testing.T) {
	tests := []struct {
		uri, base string
		want      bool
	}{
		{"seg.ts", "", true},
		{"/seg.ts", "", true},
		{"../a:b.ts", "", true},
		{"./a:b.ts", "", true},
		{"?range=1,2", "", true},
		{"1a:b", "", true}, // a scheme starts with a letter
		{"seg.ts?u=http://h/", "", true},
		{"a:b.ts", "", false},
		{"http://h/a.ts", "", false},
		{"HTTPS://h/a.ts", "", false},
		{"x-a+b.c:d", "", false},
		{"//h/a.ts", "", false},
		{"data:,x", "", false},
		{"skd://x", "", false},
		{"seg.ts", "video/", true},
		{"seg.ts", "/video/", true},
		{"seg.ts", "https://cdn.example/", false},
		{"/seg.ts", "//cdn.example/", false},
	}
	for _, tt := range tests {
		if got := (Link{URI: tt.uri, Base: tt.base}).Local(); got != tt.want {
			t.Errorf("Link{URI: %q, Base: %q}.Local() = %v, want %v", tt.uri, tt.base, got, tt.want)
		}
	}
}

func TestLinkWith(t *testing.T) {
	tests := []struct{ uri, want string }{
		{"old", "new"},
		{"old?range=1,2", "new"},
		{"old?range=1,2&x=y", "new?x=y"},
		{"old?x&range=1%2c2", "new?x"},
		{"old?a=%20+&range=1,2&b=%2C&&c#f?g", "new?a=%20+&b=%2C&&c#f?g"},
		{"old?a&&range=1,2", "new?a&"},
		{"old?", "new"},
		{"old?#f", "new#f"},
		{"old#range=1,2", "new#range=1,2"},
		{"old?range=1,2#xywh=0,0,1,1", "new#xywh=0,0,1,1"},
		{"old?range=1,2&range", "new"},
		{"old?ranges=1&arrange=2", "new?ranges=1&arrange=2"},
		{"https://h/old?x", "new?x"},
		{"?range=1,2", "new"},
	}
	for _, tt := range tests {
		if got := (Link{URI: tt.uri}).With("new"); got != tt.want {
			t.Errorf("Link{URI: %q}.With(\"new\") = %q, want %q", tt.uri, got, tt.want)
		}
	}
}

func TestJoinBase(t *testing.T) {
	tests := []struct{ base, ref, want string }{
		{"", "a/", "a/"},
		{"a/", "", "a/"},
		{"a/", "b/", "a/b/"},
		{"a/x.mp4", "b/", "a/b/"},
		{"a", "b", "b"},
		{"a/", "../b/", "a/../b/"},
		{"a/", "..", "a/../"},
		{"", ".", "./"},
		{"a/b/", "/c/", "/c/"},
		{"a/", "v.mp4?range=1,2", "a/v.mp4"},
		{"a/", "?range=1,2", "a/"},
		{"a/", "https://h/c/", "https://h/c/"},
		{"https://h/c/", "d/", "https://h/c/d/"},
		{"https://h/c/", "/d/", "https://h/d/"},
		{"https://h", "d/", "https://h/d/"},
		{"//h/c", "d", "//h/d"},
	}
	for _, tt := range tests {
		if got := joinBase(tt.base, tt.ref); got != tt.want {
			t.Errorf("joinBase(%q, %q) = %q, want %q", tt.base, tt.ref, got, tt.want)
		}
	}
}
