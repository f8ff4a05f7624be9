package playlist

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// visited is a URI's place, its line, and how many were asked about before it.
type visited struct {
	place
	line, asked int
}

// recorder is a dashVisitor that is told of every URI and changes none.
type recorder func(l *Link, at place)

func (r recorder) ask(l *Link, at place) (string, bool) { r(l, at); return "", false }
func (recorder) put(place, string)                      {}

// checkRewrite asserts what holds of every text: without answers nothing
// changes; with answers everywhere nothing but the URIs does; what is reported
// is what stands there.
func checkRewrite(t interface{ Fatalf(string, ...any) }, src []byte, kind Kind) {
	never := func(Link) (string, bool) { return "x", false }
	out, err := Rewrite(nil, src, kind, never)
	if err != nil {
		if kind == HLS || len(out) > 0 {
			t.Fatalf("Rewrite(%q) = %q, %v", src, out, err)
		}
		return
	}
	if string(out) != string(src) {
		t.Fatalf("Rewrite(%q) without answers = %q", src, out)
	}
	var uris []visited
	visit := func(l *Link, at place) {
		if at.to <= at.from {
			t.Fatalf("place %+v in %q", at, src)
		}
		if l.URI == "" || l.Line > 1+strings.Count(string(src[:at.from]), "\n")+strings.Count(string(src[:at.from]), "\r") {
			t.Fatalf("link %+v at byte %d in %q", l, at.from, src)
		}
		if kind == HLS && !l.unresolved && !strings.Contains(string(src), variableOpen) && l.URI != string(src[at.from:at.to]) {
			t.Fatalf("link %+v for %q", l, src[at.from:at.to])
		}
		uris = append(uris, visited{at, l.Line, len(uris)})
	}
	if kind == HLS {
		newHLSScan(string(src), visit).run()
	} else if err := scanDASH(string(src), recorder(visit)); err != nil {
		t.Fatalf("scan of %q: %v", src, err)
	}
	inText := slices.SortedFunc(slices.Values(uris), func(a, b visited) int { return a.from - b.from })
	if kind == HLS && !slices.Equal(inText, uris) {
		t.Fatalf("not in order of the text: %v in %q", uris, src)
	}
	var want strings.Builder
	done, line := 0, 0
	for _, u := range inText {
		if u.from < done || u.line < line {
			t.Fatalf("place %+v behind byte %d, line %d in %q", u, done, line, src)
		}
		fmt.Fprintf(&want, "%sanswer%d", src[done:u.from], u.asked)
		done, line = u.to, u.line
	}
	want.Write(src[done:])
	links := len(uris)

	called := 0
	out, err = Rewrite(nil, src, kind, func(l Link) (string, bool) {
		called++
		_, _, _ = l.Path(), l.Local(), l.With("p")
		return fmt.Sprintf("answer%d", called-1), true
	})
	if err != nil || called != links || string(out) != want.String() {
		t.Fatalf("Rewrite(%q) with answers = %q, %v, want %q", src, out, err, want.String())
	}

	// The answers are where the URIs were: reading again finds each of them. It may ask in another order, where a BaseURL could not be resolved before.
	left := make(map[string]bool, links)
	for i := range links {
		left[fmt.Sprintf("answer%d", i)] = true
	}
	_, err = Rewrite(nil, out, kind, func(l Link) (string, bool) {
		if !left[l.URI] {
			t.Fatalf("after Rewrite(%q) = %q, there is %q", src, out, l.URI)
		}
		delete(left, l.URI)
		return "", false
	})
	if err != nil || len(left) > 0 {
		t.Fatalf("after Rewrite(%q) = %q: %v, without %v", src, out, err, left)
	}
}

func TestRewriteCorpus(t *testing.T) {
	for name, src := range corpus(t) {
		checkRewrite(t, src, Detect(name, nil))
	}
}

func TestRewriteHLSProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src := []byte(drawHLS(t))
		checkRewrite(t, src, HLS)
		checkM3U8(t, src)
		if _, err := Segments(src); err != nil && !Multivariant(src) {
			t.Errorf("Segments(%q): %v", src, err)
		}
	})
}

var drawURI = rapid.SampledFrom([]string{
	"a.ts", "../b%20c.ts", "/root/d.m4s", "seg", "e f.ts", "https://h/g.ts?range=1,2",
	"v.mp4?range=1,2", "v.mp4?x=y&range=3%2C4&z#f", "v.mp4?range=-1", "data:,x", "é.ts", "a+b%25.ts",
})

// drawHLS draws a playlist of known and unknown tags in any order.
func drawHLS(t *rapid.T) string {
	line := rapid.Custom(func(t *rapid.T) string {
		known := rapid.SampledFrom(hlsURIs).Draw(t, "tag").line
		switch rapid.IntRange(0, 5).Draw(t, "kind") {
		case 0:
			return rapid.SampledFrom([]string{
				"", "# comment", "#EXT-X-VENDOR:URI=\"x\"", "#EXT-X-DISCONTINUITY", "#EXT-X-BYTERANGE:1@2", "#EXTINF:2,title", "#EXTM3U",
			}).Draw(t, "other")
		case 1:
			return drawURI.Draw(t, "uri")
		}
		return fmt.Sprintf(known, drawURI.Draw(t, "uri"))
	})
	lines := rapid.SliceOfN(line, 0, 20).Draw(t, "lines")
	end := rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(t, "end")
	text := strings.ReplaceAll(strings.Join(lines, "\n"), "\n", end)
	return rapid.SampledFrom([]string{"", "\ufeff", "#EXTM3U" + end}).Draw(t, "start") + text +
		rapid.SampledFrom([]string{"", end}).Draw(t, "last")
}

func TestRewriteDASHProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		root := drawElement(t, []string{"MPD", "Period", "AdaptationSet", "Representation"})
		src := []byte(strings.Replace(root, "<MPD", `<MPD xmlns="u" xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:v="urn:vendor"`, 1))
		checkRewrite(t, src, DASH)
		checkXML(t, src)
		checkBase(t, src)
	})
}

// drawElement draws an element of the first level, with what may stand in it.
func drawElement(t *rapid.T, levels []string) string {
	var b strings.Builder
	b.WriteString("<" + levels[0] + rapid.SampledFrom([]string{">", "\n>", " id='>'>", ` v:media="x">`}).Draw(t, "tag"))
	for range rapid.IntRange(0, 4).Draw(t, "children") {
		uri := strings.ReplaceAll(drawURI.Draw(t, "uri"), "&", rapid.SampledFrom([]string{"&amp;", "&#38;"}).Draw(t, "amp"))
		switch rapid.IntRange(0, 7).Draw(t, "kind") {
		case 0:
			b.WriteString("<BaseURL> " + uri + "\n</BaseURL>")
		case 1:
			b.WriteString("<BaseURL><!-- c --><![CDATA[" + drawURI.Draw(t, "uri") + "]]></BaseURL>")
		case 2:
			b.WriteString(rapid.SampledFrom([]string{"<!-- <BaseURL>x</BaseURL> -->", "<?pi <BaseURL>?>", "text", "<v:BaseURL>x</v:BaseURL>", "<BaseURL/>"}).Draw(t, "other"))
		case 3:
			b.WriteString(`<v:x media="x" xlink:href="y"/>`)
		default:
			if len(levels) > 1 {
				b.WriteString(drawElement(t, levels[1:]))
				break
			}
			b.WriteString(`<SegmentURL media="` + uri + `" index='` + uri + `'/>`)
		}
	}
	return b.String() + "</" + levels[0] + ">"
}

func FuzzRewriteHLS(f *testing.F) {
	for name, src := range corpus(f) {
		if Detect(name, nil) == HLS {
			f.Add(src)
		}
	}
	for _, tt := range hlsURIs {
		f.Add([]byte(fmt.Sprintf(tt.line, "a?range=1,2")))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		checkRewrite(t, src, HLS)
		_, _ = Segments(src)
		_, _ = Describe(src)
	})
}

func FuzzRewriteDASH(f *testing.F) {
	for name, src := range corpus(f) {
		if Detect(name, nil) == DASH {
			f.Add(src)
		}
	}
	for _, tt := range dashURIs {
		f.Add([]byte(`<MPD xmlns:xlink="http://www.w3.org/1999/xlink">` + fmt.Sprintf(tt.body, "a?range=1,2&amp;b") + "</MPD>"))
	}
	for _, src := range malformedXML {
		if len(src) < 1000 {
			f.Add([]byte(src))
		}
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		checkRewrite(t, src, DASH)
		checkXML(t, src)
	})
}

// TestRebased: what BaseURLs have become is known to all that is relative to them, also to what stands before them.
func TestRebased(t *testing.T) {
	const src = `<MPD><Period><AdaptationSet><Representation><SegmentTemplate media="$Number$.m4s"/><BaseURL>c/</BaseURL></Representation><BaseURL>b/</BaseURL><BaseURL>b2/</BaseURL></AdaptationSet>` +
		`<BaseURL>a/x.mp4?range=1,2</BaseURL></Period><Period><SegmentList><Initialization sourceURL="i.mp4"/></SegmentList></Period></MPD>`
	const want = `<MPD><Period><AdaptationSet><Representation><SegmentTemplate media="$Number$.m4s"/><BaseURL>C/</BaseURL></Representation><BaseURL>b/</BaseURL><BaseURL>b2/</BaseURL></AdaptationSet>` +
		`<BaseURL>~/A/x.mp4</BaseURL></Period><Period><SegmentList><Initialization sourceURL="i.mp4"/></SegmentList></Period></MPD>`
	var got []string
	out, err := Rewrite(nil, []byte(src), DASH, func(l Link) (string, bool) {
		got = append(got, fmt.Sprintf("%s: %s, %s", l.URI, l.Base, l.Rebased))
		answer, ok := map[string]string{"a/x.mp4?range=1,2": "~/A/x.mp4", "c/": "C/"}[l.URI]
		return answer, ok
	})
	if err != nil || string(out) != want {
		t.Errorf("%s, %v, want %s", out, err, want)
	}
	if want := []string{
		"a/x.mp4?range=1,2: , ", "b/: a/x.mp4, ~/A/x.mp4", "c/: a/b/, ~/A/b/", "$Number$.m4s: a/b/c/, ~/A/b/C/", "b2/: a/x.mp4, ~/A/x.mp4", "i.mp4: , ",
	}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
