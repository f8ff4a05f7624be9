package playlist

import "strings"

const (
	maxDepth    = 128 // open elements; ISO/IEC 23009-1 needs about ten
	maxBindings = 256 // namespace prefixes in scope

	xlinkNamespace = "http://www.w3.org/1999/xlink"
)

// dashElement is what the scanner knows of one element of a manifest.
type dashElement struct {
	name     string
	level    bool // may have BaseURLs of its own (ISO/IEC 23009-1 §5.6)
	text     bool // its text is a URI
	role     Role // of the text
	attrs    []uriAttr
	template bool // its attributes are templates (§5.3.9.4.4)
}

const baseURLElement = "BaseURL"

// dashElements are the elements that hold URIs or carry a BaseURL. Besides,
// every element may have an xlink:href (§5.5).
var dashElements = []dashElement{
	{name: "MPD", level: true},
	{name: "Period", level: true},
	{name: "AdaptationSet", level: true},
	{name: "Representation", level: true},

	{name: baseURLElement, text: true},
	{name: "Location", text: true, role: Rendition}, // the manifest itself, elsewhere
	{name: "PatchLocation", text: true},

	{name: "SegmentTemplate", template: true, attrs: []uriAttr{
		{"media", Segment}, {"initialization", Init}, {"index", Other}, {"bitstreamSwitching", Init},
	}},
	{name: "SegmentURL", attrs: []uriAttr{{"media", Segment}, {"index", Other}}},
	{name: "Initialization", attrs: []uriAttr{{"sourceURL", Init}}},
	{name: "RepresentationIndex", attrs: []uriAttr{{"sourceURL", Other}}},
	{name: "BitstreamSwitching", attrs: []uriAttr{{"sourceURL", Init}}},
	{name: "InitializationSet", attrs: []uriAttr{{"initialization", Init}}},
}

var dashElementByName = func() map[string]*dashElement {
	byName := make(map[string]*dashElement, len(dashElements))
	for i := range dashElements {
		byName[dashElements[i].name] = &dashElements[i]
	}
	return byName
}()

// dashVisitor asks what becomes of URIs.
type dashVisitor interface {
	// ask answers what a URI becomes; ok is false where it stays. The link is only lent.
	ask(l *Link, at place) (answer string, ok bool)
	// put is called in order of the text, with the answers.
	put(at place, answer string)
}

// dashScan walks over a manifest. It does so twice: a first time, without a
// visitor, to learn the BaseURLs, so that those count too that stand behind
// what is relative to them, and a malformed text is known before any
// link is reported.
type dashScan struct {
	xmlScan
	visit    dashVisitor
	root     string // the namespace of the root element: what is in it is DASH
	open     []openElement
	bindings []binding
	content  uriText // of the open element, where that is a URI

	bases  []int32   // of each level element, in order of the text: the place of its first BaseURL in own, 0 where it has none
	own    []ownBase // from 1 on
	levels int       // level elements met so far
	budget int       // bytes that resolved BaseURLs may still take

	link     Link // reused for each URI
	line     int  // the number of the line in which lineFrom stands
	lineFrom int
}

// openElement is an element that is not closed yet.
type openElement struct {
	name     string
	known    *dashElement // nil for all others
	bindings int          // in scope around it
	level    int          // its place in bases, or noLevel
	outer    effectiveBase
	inner    effectiveBase // with its own BaseURL
}

const noLevel = -1

// effectiveBase is what URIs are relative to, in turn relative to the
// manifest (ISO/IEC 23009-1 §5.6.4).
type effectiveBase struct {
	uri     string
	rebased string // with what has become of the BaseURLs
	lost    bool   // it depends on something that is not known here
}

// ownBase is the BaseURL of a level element.
type ownBase struct {
	uri        string
	unresolved bool
	at         place
	asked, ok  bool // it was visited with its element, before what is relative to it
	answer     string
}

// binding is a namespace declaration; the default one has no prefix.
type binding struct{ prefix, uri string }

// uriText gathers the text of an element, which may come in pieces.
type uriText struct {
	place
	value      []byte
	unresolved bool
	mixed      bool // it holds elements, and so is no URI
}

func scanDASH(text string, visit dashVisitor) error {
	survey := dashScan{xmlScan: xmlScan{text: text}, own: make([]ownBase, 1)}
	if err := survey.run(); err != nil {
		return err
	}
	final := dashScan{
		xmlScan: xmlScan{text: text, attrs: survey.attrs},
		visit:   visit,
		bases:   survey.bases,
		own:     survey.own,
		budget:  MaxBytes,
		line:    1,
	}
	return final.run()
}

func (s *dashScan) run() error {
	for elements := 0; ; {
		t, err := s.next()
		if err != nil {
			return err
		}
		switch t.kind {
		case xmlOpen:
			elements++
			err = s.enter(t)
			if t.empty && err == nil {
				s.leave()
			}
		case xmlClose:
			if len(s.open) == 0 || s.open[len(s.open)-1].name != t.name {
				return s.malformed("a closing tag without its opening one")
			}
			s.leave()
		case xmlChars, xmlCDATA:
			s.gather(t)
		case xmlEnd:
			if len(s.open) > 0 || elements == 0 {
				return s.malformed("the text ends before its root element does")
			}
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// enter puts an element on the stack and reports its attributes.
func (s *dashScan) enter(t xmlToken) error {
	if len(s.open) == maxDepth {
		return s.malformed("elements are nested too deeply")
	}
	e := openElement{name: t.name, bindings: len(s.bindings), level: noLevel}
	if err := s.bind(); err != nil {
		return err
	}
	prefix, local := splitName(t.name)
	if len(s.open) == 0 {
		s.root = s.namespace(prefix)
	} else {
		e.outer = s.open[len(s.open)-1].inner
	}
	if known := dashElementByName[local]; known != nil && s.namespace(prefix) == s.root {
		e.known = known
	}
	e.inner = e.outer
	if e.known != nil && e.known.level {
		s.enterLevel(&e)
	}
	if s.visit != nil {
		s.reportAttributes(&e)
	}
	s.open = append(s.open, e)
	s.content = uriText{value: s.content.value[:0]}
	return nil
}

// enterLevel gives an element that may have BaseURLs its effective base. The BaseURL is visited now: what is relative to it may stand before it.
func (s *dashScan) enterLevel(e *openElement) {
	e.level = s.levels
	s.levels++
	if s.visit == nil {
		s.bases = append(s.bases, 0)
		return
	}
	own := &s.own[s.bases[e.level]]
	if own.uri == "" || e.outer.lost {
		return
	}
	if own.unresolved {
		e.inner = effectiveBase{lost: true}
		return
	}
	s.describe(baseURLElement, "", Other, false)
	own.asked = true
	own.answer, own.ok = s.ask(own.uri, false, e.outer, own.at)
	to := own.uri
	if own.ok {
		to = own.answer
	}
	if s.budget -= len(e.outer.uri) + len(own.uri) + len(e.outer.rebased) + len(to); s.budget < 0 {
		e.inner = effectiveBase{lost: true}
		return
	}
	e.inner.uri, e.inner.rebased = joinBase(e.outer.uri, own.uri), joinBase(e.outer.rebased, to)
}

// leave takes the innermost element off the stack, and reports its text.
func (s *dashScan) leave() {
	e := &s.open[len(s.open)-1]
	if e.known != nil && e.known.text && !s.content.mixed {
		s.elementText(e)
	}
	s.bindings = s.bindings[:e.bindings]
	s.open = s.open[:len(s.open)-1]
	s.content.mixed = true // what follows is text of the element around
}

// gather adds a piece of text to what the innermost element holds.
func (s *dashScan) gather(t xmlToken) {
	if len(s.open) == 0 || s.content.mixed {
		return
	}
	if e := &s.open[len(s.open)-1]; e.known == nil || !e.known.text {
		return
	}
	c := &s.content
	if t.kind == xmlCDATA {
		c.value = append(c.value, s.text[t.from+len(cdataOpen):t.to-len(cdataClose)]...)
	} else {
		piece, unresolved := resolveEntities(s.text[t.from:t.to])
		c.value = append(c.value, piece...)
		c.unresolved = c.unresolved || unresolved
		t.from, t.to = trimXML(s.text, t.from, t.to)
	}
	if t.from == t.to {
		return
	}
	if c.to == 0 {
		c.from = t.from
	}
	c.to = t.to
}

// elementText notes or reports the URI that the text of an element is.
func (s *dashScan) elementText(e *openElement) {
	uri := strings.Trim(string(s.content.value), xmlBlanks)
	if uri == "" {
		return
	}
	base := effectiveBase{} // a Location is relative to the manifest itself
	if e.known.name == baseURLElement {
		base = e.outer
		if len(s.open) > 1 {
			if parent := &s.open[len(s.open)-2]; parent.level != noLevel {
				base = parent.outer
				if s.levelBase(parent.level, uri) {
					return
				}
			}
		}
	}
	if s.visit != nil {
		s.describe(e.known.name, "", e.known.role, false)
		s.report(uri, s.content.unresolved, base, s.content.place)
	}
}

// levelBase keeps a level's first BaseURL, on the first walk, and puts its answer, on the second. Where there
// are several, they are alternatives of which players take the first; it is false for the others, and where there was no asking.
func (s *dashScan) levelBase(level int, uri string) bool {
	if s.visit == nil {
		if s.bases[level] == 0 {
			s.bases[level] = int32(len(s.own))
			s.own = append(s.own, ownBase{uri: uri, unresolved: s.content.unresolved, at: s.content.place})
		}
		return true
	}
	own := &s.own[s.bases[level]]
	if !own.asked || own.at.from != s.content.from {
		return false
	}
	if own.ok {
		s.put(own.at, own.answer)
	}
	return true
}

// describe says in s.link what the next URI is.
func (s *dashScan) describe(tag, attr string, role Role, template bool) {
	s.link.Tag, s.link.Attr, s.link.Role, s.link.Template = tag, attr, role, template
}

// reportAttributes reports those of the last xmlOpen that hold URIs. They are
// relative to what surrounds their element.
func (s *dashScan) reportAttributes(e *openElement) {
	elementPrefix, element := splitName(e.name)
	for _, a := range s.attrs {
		prefix, local := splitName(a.name)
		var found bool
		switch {
		case prefix == "":
			found = s.knownAttribute(e, local)
		case local == "href" && s.isXLink(prefix) && s.namespace(elementPrefix) == s.root:
			s.describe(element, "xlink:href", Other, false)
			found = true
		}
		if !found {
			continue
		}
		at := place{a.from, a.to, xmlText}
		at.from, at.to = trimXML(s.text, a.from, a.to)
		uri, unresolved := resolveEntities(s.text[at.from:at.to])
		s.report(uri, unresolved, e.outer, at)
	}
}

// knownAttribute says whether the table has the attribute, and names it in s.link.
func (s *dashScan) knownAttribute(e *openElement, name string) bool {
	if e.known == nil {
		return false
	}
	for _, known := range e.known.attrs {
		if known.name == name {
			s.describe(e.known.name, known.name, known.role, e.known.template)
			return true
		}
	}
	return false
}

// report asks about a URI, and puts the answer in its place.
func (s *dashScan) report(uri string, unresolved bool, base effectiveBase, at place) {
	if uri == "" {
		return
	}
	s.line, s.lineFrom = s.lineOf(at), at.from
	if answer, ok := s.ask(uri, unresolved, base, at); ok {
		s.put(at, answer)
	}
}

// lineOf is the number of the line of a place behind the last one reported.
func (s *dashScan) lineOf(at place) int {
	return s.line + strings.Count(s.text[s.lineFrom:at.from], "\n")
}

// ask completes s.link and answers what becomes of it.
func (s *dashScan) ask(uri string, unresolved bool, base effectiveBase, at place) (answer string, ok bool) {
	at.syntax = xmlText
	l := &s.link
	l.URI, l.Line, l.Base, l.Rebased = uri, s.lineOf(at), base.uri, base.rebased
	l.unresolved = unresolved || base.lost
	l.Template = l.Template && strings.Count(uri, "$") > 1
	_, query, _ := splitURI(uri)
	l.Off, l.N, l.State = ParseRange(query)
	answer, ok = s.visit.ask(l, at)
	return answer, ok && answer != ""
}

func (s *dashScan) put(at place, answer string) {
	at.syntax = xmlText
	s.visit.put(at, answer)
}

// bind brings the namespace declarations of the last xmlOpen into scope.
func (s *dashScan) bind() error {
	for _, a := range s.attrs {
		prefix, local := splitName(a.name)
		switch {
		case a.name == "xmlns":
			local = ""
		case prefix != "xmlns":
			continue
		}
		if len(s.bindings) == maxBindings {
			return s.malformed("too many namespaces")
		}
		uri, _ := resolveEntities(s.text[a.from:a.to])
		s.bindings = append(s.bindings, binding{local, uri})
	}
	return nil
}

// namespace is what a prefix is bound to. One that is not stands for itself.
func (s *dashScan) namespace(prefix string) string {
	for i := len(s.bindings) - 1; i >= 0; i-- {
		if s.bindings[i].prefix == prefix {
			return s.bindings[i].uri
		}
	}
	return prefix
}

// isXLink says whether a prefix stands for XLink. Some writers forget to
// declare it, and players look for it by its usual name.
func (s *dashScan) isXLink(prefix string) bool {
	uri := s.namespace(prefix)
	return uri == xlinkNamespace || uri == "xlink"
}

// splitName cuts a qualified name; prefix is empty where there is none.
func splitName(name string) (prefix, local string) {
	prefix, local, ok := strings.Cut(name, ":")
	if !ok || prefix == "" || local == "" || strings.Contains(local, ":") {
		return "", name
	}
	return prefix, local
}
