package playlist

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// hlsURIs are the places of playlist URIs that must be found, written down apart
// from the scanner's table.
var hlsURIs = []struct {
	line string // %s is the URI
	tag  string
	attr string
	role Role
}{
	{"#EXT-X-STREAM-INF:BANDWIDTH=1\n%s", "EXT-X-STREAM-INF", "", Rendition},
	{`#EXT-X-MEDIA:TYPE=AUDIO,URI="%s",NAME="a,b"`, "EXT-X-MEDIA", "URI", Rendition},
	{`#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI="%s"`, "EXT-X-I-FRAME-STREAM-INF", "URI", Rendition},
	{`#EXT-X-IMAGE-STREAM-INF:BANDWIDTH=1,URI="%s"`, "EXT-X-IMAGE-STREAM-INF", "URI", Rendition},
	{`#EXT-X-SESSION-DATA:DATA-ID="a",URI="%s"`, "EXT-X-SESSION-DATA", "URI", Other},
	{`#EXT-X-SESSION-KEY:METHOD=AES-128,URI="%s"`, "EXT-X-SESSION-KEY", "URI", Key},
	{`#EXT-X-CONTENT-STEERING:SERVER-URI="%s"`, "EXT-X-CONTENT-STEERING", "SERVER-URI", Other},
	{"#EXTINF:4,\n%s", "EXTINF", "", Segment},
	{"#EXTINF:4,\n#EXT-X-BYTERANGE:1@0\n# comment\n\n%s", "EXTINF", "", Segment},
	{"#EXT-X-TILES:RESOLUTION=1x1,LAYOUT=1x1,DURATION=1\n#EXTINF:4,\n%s", "EXTINF", "", Segment},
	{`#EXT-X-KEY:METHOD=AES-128,URI="%s",IV=0x1`, "EXT-X-KEY", "URI", Key},
	{`#EXT-X-MAP:URI="%s",BYTERANGE="1@0"`, "EXT-X-MAP", "URI", Init},
	{`#EXT-X-PART:DURATION=1,URI="%s"`, "EXT-X-PART", "URI", Segment},
	{`#EXT-X-PRELOAD-HINT:TYPE=PART,URI="%s"`, "EXT-X-PRELOAD-HINT", "URI", Segment},
	{`#EXT-X-PRELOAD-HINT:URI="%s",TYPE=MAP`, "EXT-X-PRELOAD-HINT", "URI", Init},
	{`#EXT-X-RENDITION-REPORT:URI="%s"`, "EXT-X-RENDITION-REPORT", "URI", Rendition},
	{`#EXT-X-DATERANGE:ID="a",X-ASSET-URI="%s"`, "EXT-X-DATERANGE", "X-ASSET-URI", Rendition},
	{`#EXT-X-DATERANGE:ID="a",X-ASSET-LIST="%s"`, "EXT-X-DATERANGE", "X-ASSET-LIST", Other},
	{`#EXT-X-DATERANGE:ID="a",X-URI="%s"`, "EXT-X-DATERANGE", "X-URI", Other},
}

func TestEveryHLSURI(t *testing.T) {
	covered := make(map[string]bool)
	for _, tt := range hlsURIs {
		covered[tt.tag+"@"+tt.attr] = true
		for _, frame := range []string{"%s", "#EXTM3U\n%s\n#EXT-X-ENDLIST\n", "\ufeff#EXTM3U\r\n%s\r\n"} {
			line := tt.line
			if strings.Contains(frame, "\r") {
				line = strings.ReplaceAll(line, "\n", "\r\n")
			}
			src := fmt.Sprintf(frame, fmt.Sprintf(line, "a/b.x?q=1&range=10,20#f"))
			var got []Link
			out := rewriteHLS(t, src, func(l Link) (string, bool) {
				got = append(got, l)
				return l.With("c.y"), true
			})
			if want := fmt.Sprintf(frame, fmt.Sprintf(line, "c.y?q=1#f")); out != want {
				t.Errorf("rewrite of %q = %q, want %q", src, out, want)
			}
			if len(got) != 1 {
				t.Errorf("%d links in %q, want 1", len(got), src)
				continue
			}
			want := Link{
				URI: "a/b.x?q=1&range=10,20#f", State: Valid, Off: 10, N: 20,
				Tag: tt.tag, Attr: tt.attr, Role: tt.role,
				Line: got[0].Line, HasMap: tt.tag == tagMap,
			}
			if got[0] != want {
				t.Errorf("link of %q = %+v, want %+v", src, got[0], want)
			}
			if at := 1 + strings.Count(src[:strings.Index(src, "a/b.x")], "\n"); got[0].Line != at {
				t.Errorf("link of %q is on line %d, want %d", src, got[0].Line, at)
			}
		}
	}
	for _, tag := range hlsTags {
		for _, attr := range tag.attrs {
			if !covered[tag.name+"@"+attr.name] {
				t.Errorf("no test for %s@%s", tag.name, attr.name)
			}
		}
	}
}

func rewriteHLS(t testing.TB, src string, link func(Link) (string, bool)) string {
	t.Helper()
	out, err := Rewrite([]byte("before "), []byte(src), HLS, link)
	if err != nil {
		t.Fatalf("Rewrite(%q): %v", src, err)
	}
	got, ok := strings.CutPrefix(string(out), "before ")
	if !ok {
		t.Fatalf("Rewrite(%q) lost what dst held: %q", src, out)
	}
	return got
}

func TestURILineRole(t *testing.T) {
	tests := []struct {
		src  string
		want []string
	}{
		{"#EXT-X-STREAM-INF:X=1\na\nb\n", []string{"EXT-X-STREAM-INF 4", "EXT-X-STREAM-INF 4"}},
		{"#EXT-X-MEDIA:TYPE=AUDIO\na\n", []string{" 4"}},
		{"#EXT-X-MEDIA-SEQUENCE:1\na\n", []string{" 1"}},
		{"a\nb\n", []string{" 1", " 1"}},
		{"#EXTINF:1,\na\nb\n#EXT-X-STREAM-INF:X=1\nc\n#EXTINF:1,\nd\n",
			[]string{"EXTINF 1", "EXTINF 1", "EXT-X-STREAM-INF 4", "EXTINF 1"}},
		{"#EXT-X-STREAM-INF:X=1\n#EXT-X-VENDOR\na\n", []string{"EXT-X-STREAM-INF 4"}},
	}
	for _, tt := range tests {
		var got []string
		rewriteHLS(t, tt.src, func(l Link) (string, bool) {
			got = append(got, fmt.Sprintf("%s %d", l.Tag, l.Role))
			return "", false
		})
		if !slices.Equal(got, tt.want) {
			t.Errorf("links of %q: %q, want %q", tt.src, got, tt.want)
		}
	}
}

func TestMultivariant(t *testing.T) {
	tests := []struct {
		src  string
		want bool
	}{
		{"", false},
		{"#EXTM3U\na.ts\n", false},
		{"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8", true},
		{"\ufeff#EXT-X-MEDIA:TYPE=AUDIO", true},
		{"#EXTM3U\r#EXT-X-SESSION-KEY:METHOD=NONE\r", true},
		{"#EXTM3U\r\n#EXT-X-I-FRAME-STREAM-INF:URI=\"a\"\r\n", true},
		{"#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MEDIA-SEQUENCE:1\n#EXT-X-MEDIA:TYPE=AUDIO\n", false},
		{"#EXT-X-TARGETDURATION:4\n", false},
		{"#EXTINF:4\n#EXT-X-STREAM-INF:BANDWIDTH=1\n", false},
		{"# #EXT-X-STREAM-INF:BANDWIDTH=1\n", false},
		{"#EXT-X-STREAM-INFO:BANDWIDTH=1\n", false},
	}
	for _, tt := range tests {
		if got := Multivariant([]byte(tt.src)); got != tt.want {
			t.Errorf("Multivariant(%q) = %v, want %v", tt.src, got, tt.want)
		}
	}
}

// An extension-less segment gets its extension by whether there is a map, so
// that must be known at the first link.
func TestHasMap(t *testing.T) {
	tests := []struct {
		src  string
		want bool
	}{
		{"a\n#EXT-X-MAP:URI=\"m\"\n", true},
		{"a\n  #EXT-X-MAP", true},
		{"a\r#EXT-X-MAP\r", true},
		{"\ufeff#EXT-X-MAP:\na", true},
		{"a\n", false},
		{"a\n#EXT-X-MAPPING:URI=\"m\"\n", false},
		{"a\n# #EXT-X-MAP:URI=\"m\"\n", false},
		{"a\n##EXT-X-MAP:URI=\"m\"\n", false},
		{"a#EXT-X-MAP:URI=\"m\"\n", false},
		{"#EXT-X-MAPX#EXT-X-MAP:\na", false},
		{"#EXT-X-MAPX\n#EXT-X-MAP:\na", true},
	}
	for _, tt := range tests {
		called := false
		rewriteHLS(t, tt.src, func(l Link) (string, bool) {
			called = true
			if l.HasMap != tt.want {
				t.Errorf("HasMap in %q = %v, want %v", tt.src, l.HasMap, tt.want)
			}
			return "", false
		})
		if !called {
			t.Errorf("no link in %q", tt.src)
		}
	}
}

func TestAnswersAreSafeInTheirPlace(t *testing.T) {
	tests := []struct {
		src    string
		kind   Kind
		answer string
		want   string
	}{
		{"x\n", HLS, "a b&c,d", "a b&c,d\n"},
		{"x\n", HLS, "a\r\n#EXT-X-ENDLIST", "a%0D%0A#EXT-X-ENDLIST\n"},
		{"x\n", HLS, "#a#b", "%23a#b\n"},
		{"x\n", HLS, " a b ", "%20a b%20\n"},
		{"x\n", HLS, "\ta\x00\x7f", "%09a%00%7F\n"},
		{"x\n", HLS, "", "x\n"},
		{`#EXT-X-MAP:URI="x",B=1`, HLS, `a",B="2`, `#EXT-X-MAP:URI="a%22,B=%222",B=1`},
		{`#EXT-X-MAP:URI="x",B=1`, HLS, "a,#b c", `#EXT-X-MAP:URI="a,#b c",B=1`},
		{`#EXT-X-MAP:URI=x,B=1`, HLS, "a,\"b c", `#EXT-X-MAP:URI=a%2C%22b%20c,B=1`},
		{`<MPD><BaseURL>x</BaseURL></MPD>`, DASH, `a&b<c>"d'`, `<MPD><BaseURL>a&amp;b&lt;c&gt;%22d&apos;</BaseURL></MPD>`},
		{`<MPD><BaseURL><![CDATA[x]]></BaseURL></MPD>`, DASH, `]]>&`, `<MPD><BaseURL>]]&gt;&amp;</BaseURL></MPD>`},
		{`<MPD><SegmentURL media='x'/></MPD>`, DASH, "a'\n\"&amp;", `<MPD><SegmentURL media='a&apos;%0A%22&amp;amp;'/></MPD>`},
	}
	for _, tt := range tests {
		out, err := Rewrite(nil, []byte(tt.src), tt.kind, func(Link) (string, bool) { return tt.answer, true })
		if err != nil || string(out) != tt.want {
			t.Errorf("Rewrite(%q) with %q = %q, %v, want %q", tt.src, tt.answer, out, err, tt.want)
		}
	}
}

func TestRewriteNone(t *testing.T) {
	out, err := Rewrite([]byte("a"), []byte("#EXTM3U\nx\n"), None, func(Link) (string, bool) {
		t.Error("link was called")
		return "y", true
	})
	if err != nil || string(out) != "a#EXTM3U\nx\n" {
		t.Errorf("Rewrite = %q, %v", out, err)
	}
}

// Every line that another finds must stay on one line, and every byte must be
// read once: a search that starts over for each line or attribute
// would not end within the test's time.
func TestHostileHLS(t *testing.T) {
	const n = 1 << 20
	tests := []struct {
		name, src string
		wantLinks int
	}{
		{"lone CRs", strings.Repeat("a\r", n), n},
		{"blank CRs", strings.Repeat("\r", 4*n), 0},
		{"attributes", "#EXT-X-PRELOAD-HINT:" + strings.Repeat(`URI="a",`, n), n},
		{"attributes without values", "#EXT-X-MAP:" + strings.Repeat(`URI,`, n), 0},
		{"open quotes", strings.Repeat("#EXT-X-MAP:URI=\"\n", n/2), 0},
		{"tags without colons", strings.Repeat("#EXT", 4*n), 0},
		{"maps that are none", strings.Repeat("#EXT-X-MAPS", n), 0},
		{"definitions", strings.Repeat("#EXT-X-DEFINE:NAME=\"a\",VALUE=\"{$a}\"\n", n/4), 0},
		{"open references", strings.Repeat("{$", 4*n), 1},
		{"doubling", doublingVariables(64) + strings.Repeat("{$v63}\n", n), n},
		{"long value", "#EXT-X-DEFINE:NAME=\"a\",VALUE=\"" + strings.Repeat("x", n) + "\"\n" + strings.Repeat("{$a}\n", n), n},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			links, resolved := 0, 0
			out := rewriteHLS(t, tt.src, func(l Link) (string, bool) {
				links++
				if !l.unresolved {
					resolved += len(l.URI)
				}
				return "", false
			})
			if links != tt.wantLinks || out != tt.src {
				t.Errorf("%d links, identical: %v, want %d, true", links, out == tt.src, tt.wantLinks)
			}
			if resolved > len(tt.src)+MaxBytes {
				t.Errorf("%d bytes of URIs from a playlist of %d", resolved, len(tt.src))
			}
		})
	}
}

// doublingVariables defines n variables, each twice as long as the one before.
func doublingVariables(n int) string {
	var b strings.Builder
	b.WriteString("#EXT-X-DEFINE:NAME=\"v0\",VALUE=\"lol\"\n")
	for i := 1; i < n; i++ {
		fmt.Fprintf(&b, "#EXT-X-DEFINE:NAME=\"v%d\",VALUE=\"{$v%d}{$v%d}\"\n", i, i-1, i-1)
	}
	return b.String()
}
