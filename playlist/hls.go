package playlist

import "strings"

// level says which playlists a tag may stand in.
type level uint8

const (
	anyLevel          level = iota
	multivariantLevel       // RFC 8216 §4.3.4
	mediaLevel              // RFC 8216 §4.3.2 and §4.3.3
)

// hlsTag is what the scanner knows of one tag.
type hlsTag struct {
	name  string
	level level
	line  Role      // of the URI line that follows, for EXTINF and EXT-X-STREAM-INF
	attrs []uriAttr // that hold URIs
}

// uriAttr is an attribute, of a tag or an element, that holds a URI.
type uriAttr struct {
	name string
	role Role
}

const (
	tagInf         = "EXTINF"
	tagStreamInf   = "EXT-X-STREAM-INF"
	tagMap         = "EXT-X-MAP"
	tagDefine      = "EXT-X-DEFINE"
	tagPreloadHint = "EXT-X-PRELOAD-HINT"
	tagGap         = "EXT-X-GAP"
)

// hlsTags are the tags that hold URIs, or that tell the two kinds of playlist apart.
// All others are passed over.
var hlsTags = []hlsTag{
	// RFC 8216 §4.3.4; rfc8216bis §4.4.6.
	{name: tagStreamInf, level: multivariantLevel, line: Rendition},
	{name: "EXT-X-MEDIA", level: multivariantLevel, attrs: []uriAttr{{"URI", Rendition}}},
	{name: "EXT-X-I-FRAME-STREAM-INF", level: multivariantLevel, attrs: []uriAttr{{"URI", Rendition}}},
	{name: "EXT-X-IMAGE-STREAM-INF", level: multivariantLevel, attrs: []uriAttr{{"URI", Rendition}}}, // Roku's image playlists
	{name: "EXT-X-SESSION-DATA", level: multivariantLevel, attrs: []uriAttr{{"URI", Other}}},
	{name: "EXT-X-SESSION-KEY", level: multivariantLevel, attrs: []uriAttr{{"URI", Key}}},
	{name: "EXT-X-CONTENT-STEERING", level: multivariantLevel, attrs: []uriAttr{{"SERVER-URI", Other}}},

	// RFC 8216 §4.3.2; rfc8216bis §4.4.4.
	{name: tagInf, level: mediaLevel, line: Segment},
	{name: "EXT-X-KEY", level: mediaLevel, attrs: []uriAttr{{"URI", Key}}},
	{name: tagMap, level: mediaLevel, attrs: []uriAttr{{"URI", Init}}},
	{name: "EXT-X-BYTERANGE", level: mediaLevel},
	{name: "EXT-X-DISCONTINUITY", level: mediaLevel},
	{name: "EXT-X-PROGRAM-DATE-TIME", level: mediaLevel},
	{name: tagGap, level: mediaLevel},
	{name: "EXT-X-PART", level: mediaLevel, attrs: []uriAttr{{"URI", Segment}}},

	// rfc8216bis §4.4.5. X-ASSET-URI and X-ASSET-LIST are of its appendix
	// on interstitials.
	{name: "EXT-X-DATERANGE", level: mediaLevel, attrs: []uriAttr{
		{"X-ASSET-URI", Rendition}, {"X-ASSET-LIST", Other}, {"X-URI", Other},
	}},
	{name: tagPreloadHint, level: mediaLevel, attrs: []uriAttr{{"URI", Segment}}}, // Init when TYPE=MAP
	{name: "EXT-X-RENDITION-REPORT", level: mediaLevel, attrs: []uriAttr{{"URI", Rendition}}},

	// RFC 8216 §4.3.3; rfc8216bis §4.4.3.
	{name: "EXT-X-TARGETDURATION", level: mediaLevel},
	{name: "EXT-X-MEDIA-SEQUENCE", level: mediaLevel},
	{name: "EXT-X-DISCONTINUITY-SEQUENCE", level: mediaLevel},
	{name: "EXT-X-ENDLIST", level: mediaLevel},
	{name: "EXT-X-PLAYLIST-TYPE", level: mediaLevel},
	{name: "EXT-X-I-FRAMES-ONLY", level: mediaLevel},
	{name: "EXT-X-PART-INF", level: mediaLevel},
	{name: "EXT-X-SERVER-CONTROL", level: mediaLevel},

	// rfc8216bis §4.4.2.3.
	{name: tagDefine},
}

var hlsTagByName = func() map[string]*hlsTag {
	byName := make(map[string]*hlsTag, len(hlsTags))
	for i := range hlsTags {
		byName[hlsTags[i].name] = &hlsTags[i]
	}
	return byName
}()

var infTag = hlsTagByName[tagInf]

// Multivariant says whether an HLS playlist lists other playlists (RFC 8216
// §4.3.4) and no segments. The first tag that only one of the two kinds may
// hold decides; without one it is a media playlist.
func Multivariant(src []byte) bool { return multivariant(string(src)) }

func multivariant(text string) bool {
	l := newLines(text)
	for {
		from, to, ok := l.next()
		if !ok {
			return false
		}
		from, to = trimBlanks(text, from, to)
		if tag, _ := tagAt(text, from, to); tag != nil && tag.level != anyLevel {
			return tag.level == multivariantLevel
		}
	}
}

// tagAt is the known tag that the line text[from:to] holds, nil when it holds
// none, and where its value starts.
func tagAt(text string, from, to int) (tag *hlsTag, value int) {
	line := text[from:to]
	if !strings.HasPrefix(line, "#EXT") {
		return nil, 0
	}
	if strings.HasPrefix(line, "#"+tagInf+":") { // every second line of most playlists
		return infTag, from + len("#"+tagInf+":")
	}
	name := line[1:]
	if i := strings.IndexByte(name, ':'); i >= 0 {
		name = name[:i]
	}
	value = min(from+1+len(name)+1, to)
	return hlsTagByName[name], value
}

// hlsScan walks over an HLS playlist and reports its URIs.
type hlsScan struct {
	lines
	visit visitor
	onTag func(tag *hlsTag, value string) // may be nil: called for each known tag

	lineTag   string // the last EXTINF or EXT-X-STREAM-INF
	lineRole  Role
	variables *variables // nil when nothing refers to one
	link      Link       // reused for each URI
}

func newHLSScan(text string, visit visitor) *hlsScan {
	s := &hlsScan{lines: newLines(text), visit: visit, lineRole: Segment}
	if multivariant(text) {
		s.lineRole = Rendition
	}
	if strings.Contains(text, variableOpen) {
		s.variables = newVariables()
	}
	s.link.HasMap = hasTag(text, tagMap)
	return s
}

// hasTag says whether a line of text holds the tag.
func hasTag(text, name string) bool {
	name = "#" + name
	for at := 0; ; {
		i := strings.Index(text[at:], name)
		if i < 0 {
			return false
		}
		before := strings.TrimRight(text[:at+i], " \t")
		at += i + len(name)
		startsLine := before == "" || before == byteOrderMark || strings.ContainsAny(before[len(before)-1:], "\r\n")
		if startsLine && (at == len(text) || strings.ContainsAny(text[at:at+1], ":\r\n \t")) {
			return true
		}
	}
}

func (s *hlsScan) run() {
	for {
		from, to, ok := s.next()
		if !ok {
			return
		}
		from, to = trimBlanks(s.text, from, to)
		switch {
		case from == to:
		case s.text[from] == '#':
			s.tagLine(from, to)
		default:
			s.uriLine(from, to)
		}
	}
}

// uriLine reports a line that is neither blank nor starts with '#': it is a
// URI, whatever stands above it (RFC 8216 §4.1).
func (s *hlsScan) uriLine(from, to int) {
	s.link.Tag, s.link.Attr, s.link.Role = s.lineTag, "", s.lineRole
	s.report(place{from, to, hlsLine})
}

func (s *hlsScan) tagLine(from, to int) {
	tag, value := tagAt(s.text, from, to)
	if tag == nil {
		return
	}
	if tag.line != Other {
		s.lineTag, s.lineRole = tag.name, tag.line
	}
	if s.onTag != nil {
		s.onTag(tag, s.text[value:to])
	}
	if tag.name == tagDefine && s.variables != nil {
		s.variables.define(s.text[value:to])
	}
	if len(tag.attrs) == 0 {
		return
	}
	// An EXT-X-PRELOAD-HINT may name an initialization section (rfc8216bis §4.4.5.3).
	hintsMap := false
	if tag.name == tagPreloadHint {
		hint, _ := attributeValue(s.text[value:to], "TYPE")
		hintsMap = hint == "MAP"
	}
	list := attributes{text: s.text, at: value, end: to}
	for a, ok := list.next(); ok; a, ok = list.next() {
		s.attribute(tag, a, hintsMap)
	}
}

// attribute reports an attribute that holds a URI. A repeated one is reported
// each time: players differ in which they use.
func (s *hlsScan) attribute(tag *hlsTag, a attribute, hintsMap bool) {
	for _, known := range tag.attrs {
		if a.name != known.name {
			continue
		}
		s.link.Tag, s.link.Attr, s.link.Role = tag.name, known.name, known.role
		if hintsMap {
			s.link.Role = Init
		}
		at := place{a.from, a.to, hlsUnquoted}
		if a.quoted {
			at.syntax = hlsQuoted
		}
		s.report(at)
	}
}

// report completes s.link from the URI in the text and passes it on.
func (s *hlsScan) report(at place) {
	l := &s.link
	l.URI, l.unresolved = s.text[at.from:at.to], false
	if s.variables != nil {
		l.URI, l.unresolved = s.variables.resolve(l.URI)
	}
	if l.URI == "" {
		return
	}
	l.Line = s.number
	_, query, _ := splitURI(l.URI)
	l.Off, l.N, l.State = ParseRange(query)
	s.visit(l, at)
}
