package playlist

import (
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

var referenceTests = []struct{ from, to, want string }{
	{"a/b/index.m3u8", "a/c/seg 1.ts", "../c/seg%201.ts"},
	{"index.m3u8", "seg.ts", "seg.ts"},
	{"index.m3u8", "index.m3u8", "index.m3u8"},
	{"index.m3u8", "a:b.ts", "./a:b.ts"},
	{"index.m3u8", "a/b:c.ts", "a/b:c.ts"},
	{"v/index.m3u8", "a:b.ts", "../a:b.ts"},
	{"a/b/c.m3u8", "d.ts", "../../d.ts"},
	{"a/b/c.m3u8", "a/d.ts", "../d.ts"},
	{"a/b/c.m3u8", "a/b/c/d.ts", "c/d.ts"},
	{"a/b/c.m3u8", "ab/d.ts", "../../ab/d.ts"},
	{"a/bc/d.m3u8", "a/b/d.ts", "../b/d.ts"},
	{"m", "+%?#;&.ts", "%2B%25%3F%23%3B%26.ts"},
	{"m", "é€😀.ts", "%C3%A9%E2%82%AC%F0%9F%98%80.ts"},
	{"m", "{$x}$Number$'\"<>\\^`|", "%7B%24x%7D%24Number%24%27%22%3C%3E%5C%5E%60%7C"},
	{"m", "-._~!()*,=@", "-._~!()*,=@"},
	{"m", "~/0a1b2c3d/10,20/v.mp4", "~/0a1b2c3d/10,20/v.mp4"},
	{"m", "#", "%23"},
	{"m", "...", "..."},
	{"m", "\xff", "%FF"},

	// Directories.
	{"v/", "v/seg.ts", "seg.ts"},
	{"v/", "seg.ts", "../seg.ts"},
	{"", "seg.ts", "seg.ts"},
	{"a/x", "a/", "./"},
	{"a/x", "", "../"},
	{"x", "", "./"},

	// Empty elements.
	{"a/x", "a//b", ".//b"},
	{"a//x", "a//b", "b"},
	{"a//x", "a/b", "../b"},
	{"x", "/b", ".//b"},
	{"a/x", "/b", "..//b"},
	{"a/x", "b//", "../b//"},
}

func TestReference(t *testing.T) {
	for _, tt := range referenceTests {
		if got := Reference(tt.from, tt.to); got != tt.want {
			t.Errorf("Reference(%q, %q) = %q, want %q", tt.from, tt.to, got, tt.want)
		}
	}
}

var resolveTests = []struct {
	from, ref, want string
	wantOK          bool
}{
	{"a/b.m3u8", "c.ts", "a/c.ts", true},
	{"a/b.m3u8", "./c.ts", "a/c.ts", true},
	{"a/b.m3u8", "../c.ts", "c.ts", true},
	{"a/b.m3u8", "/c.ts", "c.ts", true},
	{"a/b.m3u8", "/", "", true},
	{"a/b.m3u8", "", "a/b.m3u8", true},
	{"a/b.m3u8", "?range=1,2", "a/b.m3u8", true},
	{"a/b.m3u8", "c.ts?range=1,2#x", "a/c.ts", true},
	{"a/b.m3u8", "c/./d/../e.ts", "a/c/e.ts", true},
	{"a/b.m3u8", "%2e/c%2E%2e/%2E%2e/c.ts", "a/c.ts", true},
	{"a/b.m3u8", "..", "", true},
	{"a/b.m3u8", ".", "a/", true},
	{"a/b.m3u8", "c/..", "a/", true},
	{"a/b.m3u8", "...", "a/...", true},
	{"a/b.m3u8", "c//d.ts", "a/c//d.ts", true},
	{"a/b.m3u8", "c%20d+e%2Bf%25.ts", "a/c d+e+f%.ts", true},
	{"a/b.m3u8", "%C3%A9é.ts", "a/éé.ts", true},
	{"a/b.m3u8", "c%3Fd%23", "a/c?d#", true},
	{"v/", "c.ts", "v/c.ts", true},
	{"", "c.ts", "c.ts", true},
	{"a/b.m3u8", "./x:y", "a/x:y", true},

	{"a/b.m3u8", "../../c.ts", "", false},
	{"a/b.m3u8", "/../c.ts", "", false},
	{"a/b.m3u8", "%2e%2e/%2e%2e/c.ts", "", false},
	{"b.m3u8", "..", "", false},
	{"a/b.m3u8", "c%2Fd.ts", "", false},
	{"a/b.m3u8", "..%2fc.ts", "", false},
	{"a/b.m3u8", "c%00.ts", "", false},
	{"a/b.m3u8", "c\x00.ts", "", false},
	{"a/b.m3u8", "c\\d.ts", "", false},
	{"a/b.m3u8", "c%5Cd.ts", "", false},
	{"a/b.m3u8", "c%.ts", "", false},
	{"a/b.m3u8", "c%2", "", false},
	{"a/b.m3u8", "c%zz", "", false},
	{"a/b.m3u8", "%", "", false},
	{"a/b.m3u8", "x:y", "", false},
	{"a/b.m3u8", "http://h/c.ts", "", false},
	{"a/b.m3u8", "//h/c.ts", "", false},
}

func TestResolve(t *testing.T) {
	for _, tt := range resolveTests {
		got, ok := Resolve(tt.from, tt.ref)
		if got != tt.want || ok != tt.wantOK {
			t.Errorf("Resolve(%q, %q) = %q, %v, want %q, %v", tt.from, tt.ref, got, ok, tt.want, tt.wantOK)
		}
	}
}

func FuzzReference(f *testing.F) {
	for _, tt := range referenceTests {
		f.Add(tt.from, tt.to)
	}
	for _, tt := range resolveTests {
		f.Add(tt.from, tt.ref)
	}
	f.Fuzz(func(t *testing.T, from, to string) {
		if name, ok := Resolve(from, to); ok && isName(from) && name != from && name != "" && !isName(name) {
			t.Errorf("Resolve(%q, %q) = %q", from, to, name)
		}
		if !isName(from) || !isName(to) {
			return
		}
		ref := Reference(from, to)
		if ref == "" || ref[0] == '/' || pathStart(ref) != 0 {
			t.Errorf("Reference(%q, %q) = %q: not a relative path", from, to, ref)
		}
		if got, ok := Resolve(from, ref); got != to || !ok {
			t.Errorf("Resolve(%q, %q) = %q, %v, want %q", from, ref, got, ok, to)
		}
		// What a browser would ask for, when the archive is mounted.
		base := &url.URL{Scheme: "http", Host: "h", Path: "/v/x.zip/" + from}
		if !utf8.ValidString(from) || strings.HasPrefix(from, "/") {
			return
		}
		u, err := base.Parse(ref)
		if err != nil || u.Path != "/v/x.zip/"+to {
			t.Errorf("%q from %q leads to %v, %v, want %q", ref, from, u, err, to)
		}
	})
}

// isName says whether an entry or directory may have the name.
func isName(name string) bool {
	for element := range strings.SplitSeq(name, "/") {
		if element == "." || element == ".." {
			return false
		}
	}
	return name != "" && !strings.ContainsAny(name, "\x00\\")
}
