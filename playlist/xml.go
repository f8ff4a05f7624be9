package playlist

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxAttributes bounds the attributes of one XML element; the largest of
// ISO/IEC 23009-1 has about forty.
const maxAttributes = 1024

// tokenKind is a piece of XML.
type tokenKind uint8

const (
	xmlEnd   tokenKind = iota // the end of the text
	xmlOpen                   // <name …> or <name …/>
	xmlClose                  // </name>
	xmlChars                  // character data, entities in it unresolved
	xmlCDATA                  // <![CDATA[…]]>
	xmlOther                  // a comment, processing instruction, or DOCTYPE
)

// xmlToken is one piece of XML, bytes [from, to) of the text.
type xmlToken struct {
	kind     tokenKind
	from, to int
	name     string // of xmlOpen and xmlClose, with its prefix
	empty    bool   // xmlOpen: ends in "/>"
}

// xmlAttribute is one attribute; [from, to) is its value, without quotes.
type xmlAttribute struct {
	name     string // with its prefix
	from, to int
}

// xmlScan cuts XML into tokens by byte offset, without changing or
// checking what they hold. It is laxer than XML 1.0, but never reads a
// well-formed text otherwise than a parser would. Entities that a DOCTYPE
// declares are not known to it. Encodings other than those that have ASCII's bytes for
// ASCII's characters are syntax errors.
type xmlScan struct {
	text  string
	at    int
	attrs []xmlAttribute // of the last xmlOpen; reused
}

// next answers the next token; the last one has the kind xmlEnd.
func (s *xmlScan) next() (xmlToken, error) {
	t := xmlToken{from: s.at}
	rest := s.text[s.at:]
	var err error
	switch {
	case rest == "":
		t.kind = xmlEnd
	case rest[0] != '<':
		t.kind = xmlChars
		if i := strings.IndexByte(rest, '<'); i >= 0 {
			s.at += i
		} else {
			s.at = len(s.text)
		}
	case strings.HasPrefix(rest, "<!--"):
		t.kind, err = xmlOther, s.skipPast("<!--", "-->")
	case strings.HasPrefix(rest, "<?"):
		t.kind, err = xmlOther, s.skipPast("<?", "?>")
	case strings.HasPrefix(rest, cdataOpen):
		t.kind, err = xmlCDATA, s.skipPast(cdataOpen, cdataClose)
	case strings.HasPrefix(rest, "<!"):
		t.kind, err = xmlOther, s.declaration()
	case strings.HasPrefix(rest, "</"):
		t.kind = xmlClose
		t.name, err = s.closeTag()
	default:
		t.kind = xmlOpen
		t.name, t.empty, err = s.openTag()
	}
	t.to = s.at
	return t, err
}

const (
	cdataOpen  = "<![CDATA["
	cdataClose = "]]>"
)

// skipPast moves behind the next close after an open that starts at s.at.
func (s *xmlScan) skipPast(open, close string) error {
	start := s.at + len(open)
	i := strings.Index(s.text[start:], close)
	if i < 0 {
		return s.malformed(fmt.Sprintf("%q is never closed", open))
	}
	s.at = start + i + len(close)
	return nil
}

// declaration moves behind a DOCTYPE (XML 1.0 §2.8) with its internal subset,
// in which quotes, comments and further declarations may hold a '>'.
func (s *xmlScan) declaration() error {
	start := s.at
	nested := 0 // '<' not yet closed
	for s.at < len(s.text) {
		rest := s.text[s.at:]
		var err error
		switch c := rest[0]; {
		case strings.HasPrefix(rest, "<!--"):
			err = s.skipPast("<!--", "-->")
		case strings.HasPrefix(rest, "<?"):
			err = s.skipPast("<?", "?>")
		case c == '"' || c == '\'':
			err = s.skipPast(rest[:1], rest[:1])
		case c == '<':
			nested++
			s.at++
		case c == '>':
			nested--
			s.at++
		default:
			s.at++
		}
		if err != nil {
			return err
		}
		if nested == 0 {
			return nil
		}
	}
	s.at = start
	return s.malformed("a declaration is never closed")
}

func (s *xmlScan) closeTag() (name string, err error) {
	s.at += len("</")
	name = s.name()
	s.blanks()
	if name == "" || !s.accept('>') {
		return "", s.malformed("a closing tag is not complete")
	}
	return name, nil
}

func (s *xmlScan) openTag() (name string, empty bool, err error) {
	s.at += len("<")
	if name = s.name(); name == "" {
		return "", false, s.malformed("'<' starts no tag")
	}
	s.attrs = s.attrs[:0]
	for {
		s.blanks()
		if s.accept('>') {
			return name, false, nil
		}
		if s.accept('/') {
			if !s.accept('>') {
				return "", false, s.malformed("'/' within a tag")
			}
			return name, true, nil
		}
		if err := s.attribute(); err != nil {
			return "", false, err
		}
	}
}

func (s *xmlScan) attribute() error {
	a := xmlAttribute{name: s.name()}
	s.blanks()
	if a.name == "" || !s.accept('=') {
		return s.malformed("an attribute is not complete")
	}
	s.blanks()
	if s.at == len(s.text) || s.text[s.at] != '"' && s.text[s.at] != '\'' {
		return s.malformed("an attribute's value has no quotes")
	}
	quote := s.text[s.at : s.at+1]
	a.from = s.at + 1
	if err := s.skipPast(quote, quote); err != nil {
		return err
	}
	a.to = s.at - 1
	if len(s.attrs) == maxAttributes {
		return s.malformed("an element has too many attributes")
	}
	s.attrs = append(s.attrs, a)
	return nil
}

// name reads what stands before the next blank or delimiter.
func (s *xmlScan) name() string {
	start := s.at
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\t', '\r', '\n', '/', '>', '<', '=', '"', '\'', '&':
			return s.text[start:s.at]
		}
		s.at++
	}
	return s.text[start:]
}

func (s *xmlScan) blanks() {
	for s.at < len(s.text) && strings.IndexByte(xmlBlanks, s.text[s.at]) >= 0 {
		s.at++
	}
}

func (s *xmlScan) accept(c byte) bool {
	if s.at == len(s.text) || s.text[s.at] != c {
		return false
	}
	s.at++
	return true
}

// malformed is an ErrSyntax at the line where the scanner stands.
func (s *xmlScan) malformed(what string) error {
	line := 1 + strings.Count(s.text[:s.at], "\n")
	return fmt.Errorf("%w: line %d: %s", ErrSyntax, line, what)
}

// xmlBlanks are the characters of XML 1.0 §2.3 that separate.
const xmlBlanks = " \t\r\n"

// trimXML narrows [from, to) of text by the blanks at its ends.
func trimXML(text string, from, to int) (int, int) {
	from += to - from - len(strings.TrimLeft(text[from:to], xmlBlanks))
	return from, from + len(strings.TrimRight(text[from:to], xmlBlanks))
}

var xmlEntities = map[string]string{"amp": "&", "lt": "<", "gt": ">", "quot": `"`, "apos": "'"}

// resolveEntities replaces character references and XML's own five entities
// (XML 1.0 §4.1, §4.6). Text with any other is unresolved and comes back as it is.
func resolveEntities(text string) (resolved string, unresolved bool) {
	before, rest, found := strings.Cut(text, "&")
	if !found {
		return text, false
	}
	b := append(make([]byte, 0, len(text)), before...)
	for found {
		var name string
		if name, rest, found = strings.Cut(rest, ";"); !found {
			return text, true
		}
		value, known := xmlEntities[name]
		if !known {
			if value, known = characterReference(name); !known {
				return text, true
			}
		}
		before, rest, found = strings.Cut(rest, "&")
		b = append(append(b, value...), before...)
	}
	return string(b), false
}

// characterReference reads "#38" and "#x26".
func characterReference(name string) (string, bool) {
	digits, base := strings.TrimPrefix(name, "#"), 10
	if len(digits) == len(name) {
		return "", false
	}
	if hex, ok := strings.CutPrefix(digits, "x"); ok {
		digits, base = hex, 16
	}
	v, err := strconv.ParseUint(digits, base, 32)
	if err != nil || v == 0 || v > utf8.MaxRune || !utf8.ValidRune(rune(v)) {
		return "", false
	}
	return string(rune(v)), true
}
