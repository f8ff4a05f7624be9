package playlist

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/grafov/m3u8"
)

// An oracle reads a playlist by other means than the scanner.

// m3u8URIs are those that an HLS library finds; it knows only some places.
func m3u8URIs(src []byte) (uris []string, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v", cause)
		}
	}()
	add := func(uri string) {
		if uri != "" {
			uris = append(uris, uri)
		}
	}
	master := m3u8.NewMasterPlaylist()
	if err := master.DecodeFrom(bytes.NewReader(src), false); err != nil {
		return nil, err
	}
	for _, v := range master.Variants {
		add(v.URI)
		for _, a := range v.Alternatives {
			add(a.URI)
		}
	}
	media, err := m3u8.NewMediaPlaylist(0, 1024)
	if err != nil {
		return nil, err
	}
	if err := media.DecodeFrom(bytes.NewReader(src), false); err != nil {
		return nil, err
	}
	for _, s := range media.Segments {
		if s == nil {
			continue
		}
		add(s.URI)
		if s.Key != nil {
			add(s.Key.URI)
		}
		if s.Map != nil {
			add(s.Map.URI)
		}
	}
	return uris, nil
}

// checkM3U8 asserts that the scanner found every URI that the library did.
func checkM3U8(t interface{ Errorf(string, ...any) }, src []byte) (found int) {
	if bytes.Contains(src, []byte(variableOpen)) {
		return 0 // unknown to the library
	}
	want, err := m3u8URIs(src)
	if err != nil {
		return 0
	}
	var got []string
	newHLSScan(string(src), func(l *Link, _ place) { got = append(got, l.URI) }).run()
	for _, uri := range want {
		if !slices.Contains(got, uri) {
			t.Errorf("the library finds %q, the scanner %q, in %q", uri, got, src)
		}
	}
	return len(want)
}

func TestFindsWhatLibraryFinds(t *testing.T) {
	for name, src := range corpus(t) {
		// Lone CRs, unquoted values and names within values are read in
		// different ways.
		if Detect(name, nil) == HLS && !strings.Contains(name, "odd") && !strings.Contains(name, "lineends") {
			if checkM3U8(t, src) == 0 && !strings.Contains(name, "variables") {
				t.Errorf("the library finds nothing in %s", name)
			}
		}
	}
}

// xmlAttributesWithURIs is what the oracle below looks for.
var xmlAttributesWithURIs = map[string]bool{
	"SegmentTemplate@media": true, "SegmentTemplate@initialization": true,
	"SegmentTemplate@index": true, "SegmentTemplate@bitstreamSwitching": true,
	"SegmentURL@media": true, "SegmentURL@index": true,
	"Initialization@sourceURL": true, "RepresentationIndex@sourceURL": true,
	"BitstreamSwitching@sourceURL": true, "InitializationSet@initialization": true,
}

type xmlLink struct{ Tag, Attr, URI string }

// xmlLinks finds the URIs of a manifest with encoding/xml. ok is false for
// what that does not accept.
func xmlLinks(src []byte) (links []xmlLink, ok bool) {
	d := xml.NewDecoder(bytes.NewReader(src))
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	type element struct {
		xml.Name
		text  strings.Builder
		mixed bool
	}
	var stack []*element
	root, rooted := "", false
	for {
		token, err := d.Token()
		if err == io.EOF {
			return links, rooted
		}
		if err != nil {
			return nil, false
		}
		switch token := token.(type) {
		case xml.StartElement:
			if !rooted || len(stack) == 0 {
				root, rooted = token.Name.Space, true
			}
			if len(stack) > 0 {
				stack[len(stack)-1].mixed = true
			}
			stack = append(stack, &element{Name: token.Name})
			for _, a := range token.Attr {
				xlink := a.Name.Local == "href" && (a.Name.Space == "http://www.w3.org/1999/xlink" || a.Name.Space == "xlink")
				known := a.Name.Space == "" && xmlAttributesWithURIs[token.Name.Local+"@"+a.Name.Local]
				if uri := strings.Trim(a.Value, xmlBlanks); token.Name.Space == root && (xlink || known) && uri != "" {
					name := a.Name.Local
					if xlink {
						name = "xlink:href"
					}
					links = append(links, xmlLink{token.Name.Local, name, uri})
				}
			}
		case xml.EndElement:
			e := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			text := strings.Trim(e.text.String(), xmlBlanks)
			if e.Space == root && !e.mixed && text != "" && slices.Contains([]string{"BaseURL", "Location", "PatchLocation"}, e.Local) {
				links = append(links, xmlLink{e.Local, "", text})
			}
		case xml.CharData:
			if len(stack) > 0 {
				stack[len(stack)-1].text.Write(token)
			}
		}
	}
}

// checkXML asserts that the scanner finds exactly what encoding/xml does.
func checkXML(t interface{ Errorf(string, ...any) }, src []byte) (found int) {
	want, ok := xmlLinks(src)
	if !ok || !plainDeclarations(string(src)) {
		return 0
	}
	type placed struct {
		xmlLink
		from int
	}
	var all []placed
	err := scanDASH(string(src), recorder(func(l *Link, at place) {
		all = append(all, placed{xmlLink{l.Tag, l.Attr, oneLineEnd(l.URI)}, at.from})
	}))
	slices.SortFunc(all, func(a, b placed) int { return a.from - b.from })
	var got []xmlLink
	for _, f := range all {
		got = append(got, f.xmlLink)
	}
	if err != nil && !strings.Contains(err.Error(), " too ") {
		t.Errorf("encoding/xml accepts %q, the scanner: %v", src, err)
	}
	if err != nil {
		return 0
	}
	for i := range want {
		want[i].URI = oneLineEnd(want[i].URI)
	}
	if !slices.Equal(got, want) {
		t.Errorf("links of %q differ (-encoding/xml +scanner):\n%s", src, cmp.Diff(want, got))
	}
	return len(want)
}

// plainDeclarations says whether encoding/xml reads the declarations of a text
// as XML 1.0 does: it accepts any <!…>, and knows no processing instructions
// within.
func plainDeclarations(text string) bool {
	others := strings.NewReplacer("<!--", "", "<![CDATA[", "", "<!DOCTYPE ", "").Replace(text)
	return !strings.Contains(others, "<!") && !(strings.Contains(text, "<!DOCTYPE ") && strings.Contains(text, "<?"))
}

// oneLineEnd does away with what encoding/xml makes of line ends.
func oneLineEnd(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
}

func TestFindsWhatXMLFinds(t *testing.T) {
	for name, src := range corpus(t) {
		if Detect(name, nil) == DASH && !strings.Contains(name, "odd") && checkXML(t, src) == 0 {
			t.Errorf("encoding/xml finds nothing in %s", name)
		}
	}
	for _, src := range malformedXML {
		if len(src) > 1<<16 {
			continue
		}
		if links, ok := xmlLinks([]byte(src)); ok && len(links) > 0 {
			t.Errorf("encoding/xml finds %v in %.60q", links, src)
		}
	}
}

// xmlNode is any element.
type xmlNode struct {
	XMLName xml.Name
	Attrs   []xml.Attr `xml:",any,attr"`
	Text    string     `xml:",chardata"`
	Nodes   []xmlNode  `xml:",any"`
}

// targets are where the SegmentURLs below n lead, each BaseURL and each of them
// resolved one after the other, as browsers do.
func (n xmlNode) targets(base *url.URL) (targets []string, err error) {
	for _, child := range n.Nodes {
		if text := strings.TrimSpace(child.Text); child.XMLName.Local == "BaseURL" && child.XMLName.Space == n.XMLName.Space && text != "" {
			if base, err = base.Parse(text); err != nil {
				return nil, err
			}
			break
		}
	}
	for _, child := range n.Nodes {
		if child.XMLName.Local == "SegmentURL" {
			u, err := base.Parse(child.Attrs[0].Value)
			if err != nil {
				return nil, err
			}
			targets = append(targets, u.String())
		}
		below, err := child.targets(base)
		if err != nil {
			return nil, err
		}
		targets = append(targets, below...)
	}
	return targets, nil
}

// checkBase asserts that Link.Base and the link lead where the manifest says.
func checkBase(t interface{ Errorf(string, ...any) }, src []byte) {
	manifest := &url.URL{Scheme: "http", Host: "h", Path: "/a/b/c/d/m.mpd"}
	var root xmlNode
	if err := xml.Unmarshal(src, &root); err != nil {
		t.Errorf("encoding/xml refuses %q: %v", src, err)
		return
	}
	want, err := root.targets(manifest)
	if err != nil {
		t.Errorf("%q: %v", src, err)
		return
	}
	var got []string
	err = scanDASH(string(src), recorder(func(l *Link, _ place) {
		if l.Tag != "SegmentURL" || l.Attr != "media" {
			return
		}
		base, err1 := manifest.Parse(l.Base)
		if err1 != nil {
			t.Errorf("Base %q: %v", l.Base, err1)
			return
		}
		u, err2 := base.Parse(l.URI)
		if err2 != nil {
			t.Errorf("URI %q: %v", l.URI, err2)
			return
		}
		got = append(got, u.String())
	}))
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("segments of %q lead to %q, %v, want %q", src, got, err, want)
	}
}
