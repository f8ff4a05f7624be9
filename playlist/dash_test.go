package playlist

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// dashURIs are the places of manifest URIs that must be found, written down apart from
// the scanner's table.
var dashURIs = []struct {
	body     string // %s is the URI
	tag      string
	attr     string
	role     Role
	template bool
}{
	{"<BaseURL>%s</BaseURL>", "BaseURL", "", Other, false},
	{"<Period><BaseURL>%s</BaseURL></Period>", "BaseURL", "", Other, false},
	{"<AdaptationSet><BaseURL serviceLocation='a'>%s</BaseURL></AdaptationSet>", "BaseURL", "", Other, false},
	{"<Representation><BaseURL>\n\t%s\n</BaseURL></Representation>", "BaseURL", "", Other, false},
	{"<Location>%s</Location>", "Location", "", Rendition, false},
	{"<PatchLocation ttl='1'>%s</PatchLocation>", "PatchLocation", "", Other, false},
	{`<SegmentTemplate media="%s"/>`, "SegmentTemplate", "media", Segment, true},
	{`<SegmentTemplate initialization='%s'></SegmentTemplate>`, "SegmentTemplate", "initialization", Init, true},
	{`<SegmentTemplate index="%s"/>`, "SegmentTemplate", "index", Other, true},
	{`<SegmentTemplate bitstreamSwitching="%s"/>`, "SegmentTemplate", "bitstreamSwitching", Init, true},
	{`<SegmentList><SegmentURL media="%s"/></SegmentList>`, "SegmentURL", "media", Segment, false},
	{`<SegmentURL index = "%s" indexRange="0-1"/>`, "SegmentURL", "index", Other, false},
	{`<SegmentBase><Initialization range="0-1" sourceURL="%s"/></SegmentBase>`, "Initialization", "sourceURL", Init, false},
	{`<RepresentationIndex sourceURL="%s"/>`, "RepresentationIndex", "sourceURL", Other, false},
	{`<BitstreamSwitching sourceURL="%s"/>`, "BitstreamSwitching", "sourceURL", Init, false},
	{`<InitializationSet initialization="%s"/>`, "InitializationSet", "initialization", Init, false},
	{`<Period xlink:href="%s"/>`, "Period", "xlink:href", Other, false},
	{`<EventStream xmlns:l="http://www.w3.org/1999/xlink" l:href="%s"/>`, "EventStream", "xlink:href", Other, false},
}

func TestEveryDASHURI(t *testing.T) {
	const uri = "a/$Number$.x?q=1&range=10,20#f"
	covered := make(map[string]bool)
	for _, tt := range dashURIs {
		covered[tt.tag+"@"+tt.attr] = true
		for _, frame := range []string{
			`<MPD xmlns:xlink="http://www.w3.org/1999/xlink">%s</MPD>`,
			"\ufeff<?xml version='1.0'?>\r\n<MPD xmlns='urn:mpeg:dash:schema:mpd:2011'\r\nxmlns:xlink='http://www.w3.org/1999/xlink'\r\n>%s</MPD>\r\n",
		} {
			src := fmt.Sprintf(frame, fmt.Sprintf(tt.body, "a/$Number$.x?q=1&amp;range=10&#x2c;20#f"))
			var got []Link
			out, err := Rewrite([]byte("before "), []byte(src), DASH, func(l Link) (string, bool) {
				got = append(got, l)
				return l.With("c.y"), true
			})
			if want := "before " + fmt.Sprintf(frame, fmt.Sprintf(tt.body, "c.y?q=1#f")); err != nil || string(out) != want {
				t.Errorf("rewrite of %q = %q, %v, want %q", src, out, err, want)
			}
			if len(got) != 1 {
				t.Errorf("%d links in %q, want 1", len(got), src)
				continue
			}
			want := Link{
				URI: uri, State: Valid, Off: 10, N: 20, Tag: tt.tag, Attr: tt.attr, Role: tt.role,
				Line:     1 + strings.Count(src[:strings.Index(src, "a/$")], "\n"),
				Template: tt.template,
			}
			if got[0] != want {
				t.Errorf("link of %q = %+v, want %+v", src, got[0], want)
			}
		}
	}
	for _, element := range dashElements {
		if element.text && !covered[element.name+"@"] {
			t.Errorf("no test for the text of %s", element.name)
		}
		for _, attr := range element.attrs {
			if !covered[element.name+"@"+attr.name] {
				t.Errorf("no test for %s@%s", element.name, attr.name)
			}
		}
	}
}

func TestDASHBase(t *testing.T) {
	tests := []struct{ name, src, want string }{
		{"none", `<MPD><SegmentURL media="x"/></MPD>`, "x in "},
		{"chain", `<MPD><BaseURL>m/</BaseURL><Period><BaseURL>p/</BaseURL><AdaptationSet><BaseURL>a/</BaseURL><Representation><BaseURL>r/</BaseURL><SegmentURL media="x"/></Representation></AdaptationSet></Period></MPD>`,
			"m/ in |p/ in m/|a/ in m/p/|r/ in m/p/a/|x in m/p/a/r/"},
		{"siblings do not share", `<MPD><Period><BaseURL>p/</BaseURL></Period><Period><SegmentURL media="x"/></Period></MPD>`,
			"p/ in |x in "},
		{"the first of several", `<MPD><BaseURL>1/</BaseURL><BaseURL>2/</BaseURL><SegmentURL media="x"/></MPD>`,
			"1/ in |2/ in |x in 1/"},
		{"an empty one is passed over", `<MPD><BaseURL/><BaseURL> </BaseURL><BaseURL>2/</BaseURL><SegmentURL media="x"/></MPD>`,
			"2/ in |x in 2/"},
		{"behind what is relative to it", `<MPD><Period><SegmentURL media="x"/></Period><BaseURL>m/</BaseURL></MPD>`,
			"m/ in |x in m/"},
		{"a file", `<MPD><BaseURL>v/</BaseURL><Period><BaseURL>all.mp4?range=1,2</BaseURL><SegmentURL media="x"/></Period></MPD>`,
			"v/ in |all.mp4?range=1,2 in v/|x in v/all.mp4"},
		{"not of a level", `<MPD><SegmentList><BaseURL>l/</BaseURL><SegmentURL media="x"/></SegmentList></MPD>`,
			"l/ in |x in "},
		{"location is the manifest's own", `<MPD><BaseURL>m/</BaseURL><Location>l.mpd</Location></MPD>`,
			"m/ in |l.mpd in "},
		{"root path", `<MPD><BaseURL>https://h/a/</BaseURL><Period><BaseURL>/b/</BaseURL><SegmentURL media="x"/></Period></MPD>`,
			"https://h/a/ in |/b/ in https://h/a/|x in https://h/b/"},
		{"a link element of a level", `<MPD xmlns:k="http://www.w3.org/1999/xlink"><BaseURL>m/</BaseURL><Period k:href="x"><BaseURL>p/</BaseURL></Period></MPD>`,
			"m/ in |p/ in m/|x in m/"},
	}
	for _, tt := range tests {
		var got []string
		_, err := Rewrite(nil, []byte(tt.src), DASH, func(l Link) (string, bool) {
			got = append(got, l.URI+" in "+l.Base)
			return "", false
		})
		if strings.Join(got, "|") != tt.want || err != nil {
			t.Errorf("%s: %q, %v, want %q", tt.name, strings.Join(got, "|"), err, tt.want)
		}
	}
}

func TestTemplate(t *testing.T) {
	tests := []struct {
		media string
		want  bool
	}{
		{"$Number$.m4s", true},
		{"a$Time%08d$.m4s", true},
		{"$RepresentationID$/$$.m4s", true},
		{"seg.m4s", false},
		{"us$.m4s", false},
	}
	for _, tt := range tests {
		src := fmt.Sprintf(`<MPD><SegmentTemplate media="%s"/><SegmentURL media="%[1]s"/></MPD>`, tt.media)
		var got []bool
		if _, err := Rewrite(nil, []byte(src), DASH, func(l Link) (string, bool) {
			got = append(got, l.Template)
			return "", false
		}); err != nil {
			t.Fatal(err)
		}
		if len(got) != 2 || got[0] != tt.want || got[1] {
			t.Errorf("Template of %q, in a template and not = %v, want %v and false", tt.media, got, tt.want)
		}
	}
}

var malformedXML = []string{
	"",
	"#EXTM3U\na.ts\n",
	"<MPD>",
	"<MPD><Period></MPD>",
	"<MPD></mpd>",
	"</MPD>",
	"<MPD/></MPD>",
	"<MPD",
	"<MPD ",
	"<MPD a",
	"<MPD a=",
	"<MPD a=b/>",
	"<MPD a=\"b/>",
	"<MPD a='b\"/>",
	"<MPD / >",
	"<MPD =\"\"/>",
	"< MPD/>",
	"<MPD></MPD",
	"<MPD></>",
	"<MPD><",
	"<MPD><!--></MPD>",
	"<MPD><![CDATA[</MPD>",
	"<?xml <MPD/>",
	"<!DOCTYPE MPD [<MPD/>",
	"<!DOCTYPE MPD '><MPD/>",
	"\xff\xfe<\x00M\x00P\x00D\x00/\x00>\x00",
	strings.Repeat("<a>", maxDepth+1) + strings.Repeat("</a>", maxDepth+1),
	strings.Repeat("<a>", 1<<20),
	"<MPD" + strings.Repeat(" a=''", maxAttributes+1) + "/>",
	"<MPD" + strings.Repeat(" xmlns:a=''", maxBindings+1) + "/>",
	strings.Repeat("<a xmlns:b='' xmlns:c='' xmlns:d=''>", maxDepth-1) + strings.Repeat("</a>", maxDepth-1),
}

func TestMalformedXML(t *testing.T) {
	for _, src := range malformedXML {
		out, err := Rewrite([]byte("kept"), []byte(src), DASH, func(l Link) (string, bool) {
			t.Errorf("link was called in %.60q: %+v", src, l)
			return "x", true
		})
		if !errors.Is(err, ErrSyntax) || string(out) != "kept" {
			t.Errorf("Rewrite(%.60q) = %.60q, %v, want ErrSyntax", src, out, err)
		}
	}
	// Nothing is reported of what comes before the fault either, and
	// the error names its line.
	_, err := Rewrite(nil, []byte("<MPD>\n<BaseURL>a/</BaseURL>\n<Period>\n</MPD>"), DASH, func(Link) (string, bool) {
		t.Error("link was called before the fault")
		return "", false
	})
	if err == nil || !strings.Contains(err.Error(), "line 4:") {
		t.Errorf("error %v, want one for line 4", err)
	}
}

func TestHostileDASH(t *testing.T) {
	const n = 1 << 18
	mpd := func(body string) string { return "<MPD>" + body + "</MPD>" }
	long := strings.Repeat("x", n)
	tests := []struct {
		name, src string
		wantLinks int
	}{
		{"BaseURLs of one level", mpd(strings.Repeat("<BaseURL>a/</BaseURL>", n)), n},
		{"levels", mpd(strings.Repeat("<Period/>", n)), 0},
		{"levels with a BaseURL", mpd(strings.Repeat("<Period><BaseURL>a/</BaseURL></Period>", n/2)), n / 2},
		{"levels below a long BaseURL", mpd("<BaseURL>" + long + "/</BaseURL>" + strings.Repeat("<Period><BaseURL>a/</BaseURL><SegmentURL media='x'/></Period>", n/4)), n/2 + 1},
		{"deep levels", mpd(strings.Repeat("<Period><BaseURL>aaaaaaaa/</BaseURL>", maxDepth-2) + strings.Repeat("<SegmentURL media='x'/>", n) + strings.Repeat("</Period>", maxDepth-2)), n + maxDepth - 2},
		{"pieces of text", mpd("<BaseURL>" + strings.Repeat("a<!---->", n) + "</BaseURL>"), 1},
		{"entities", mpd("<BaseURL>" + strings.Repeat("&amp;", n) + "</BaseURL>"), 1},
		{"unknown entities", mpd(strings.Repeat("<BaseURL>&a</BaseURL>", n)), n},
		{"lookups in many namespaces", "<MPD" + manyBindings(maxBindings) + ">" + strings.Repeat("<x:BaseURL/>", n) + "</MPD>", 0},
		{"attributes", mpd(strings.Repeat("<SegmentURL"+strings.Repeat(" media='a'", maxAttributes)+"/>", n/maxAttributes)), n},
		{"lines", mpd(strings.Repeat("<BaseURL>\n\n\na\n\n\n</BaseURL>", n)), n},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			links, based := 0, make(map[string]bool)
			out, err := Rewrite(nil, []byte(tt.src), DASH, func(l Link) (string, bool) {
				links++
				if len(l.Base) > 1<<16 {
					based[l.Base] = true
				}
				return "", false
			})
			if err != nil {
				t.Fatal(err)
			}
			if links != tt.wantLinks || string(out) != tt.src {
				t.Errorf("%d links, identical: %v, want %d, true", links, string(out) == tt.src, tt.wantLinks)
			}
			total := 0
			for base := range based {
				total += len(base)
			}
			if total > MaxBytes {
				t.Errorf("%d bytes of BaseURLs", total)
			}
		})
	}
}

func manyBindings(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, " xmlns:p%d='urn:p'", i)
	}
	return b.String()
}
