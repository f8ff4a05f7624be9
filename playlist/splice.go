package playlist

// Rewrite appends src to dst with the URIs for which link answers true
// replaced by what it answers (escaped for where they stand). link is called once for each URI, in order of the text, but
// for the BaseURL of a DASH element before all that is relative to it. The answer is src unchanged, byte for byte, when link never answers true.
//
// Empty URIs are not reported, and an empty answer counts as false. An answer
// is a URI: of it only what would end the place it is written to is escaped
// (a quote, a line break, '&' in XML …). A replaced URI is replaced as a whole,
// with the variables, entities or CDATA markers in it.
//
// The error is ErrTooLarge for a src of more than MaxBytes, or ErrSyntax, with
// the line, for a DASH manifest that is not well-formed XML or is nested
// too deeply; dst then comes back as it was given, while link may have
// been called already. HLS playlists have no syntax errors. A kind of None has
// no URIs.
func Rewrite(dst, src []byte, kind Kind, link func(Link) (string, bool)) ([]byte, error) {
	if len(src) > MaxBytes {
		return dst, ErrTooLarge
	}
	s := splicer{dst: dst, text: string(src), link: link}
	var err error
	switch kind {
	case HLS:
		newHLSScan(s.text, s.visit).run()
	case DASH:
		err = scanDASH(s.text, &s)
	}
	if err != nil {
		return dst, err
	}
	return append(s.dst, src[s.done:]...), nil
}

// place is where a URI stands: bytes [from, to) of the text, and what may not
// be written there.
type place struct {
	from, to int
	syntax   syntax
}

// syntax is what a URI is written in.
type syntax uint8

const (
	hlsLine     syntax = iota // a line of its own
	hlsQuoted                 // a quoted attribute value
	hlsUnquoted               // an attribute value without quotes
	xmlText                   // an XML attribute value or element text
)

// visitor is told of every URI, in order of the text. The link is only lent.
type visitor func(l *Link, at place)

// splicer copies text to dst piece by piece, putting answers in for URIs.
type splicer struct {
	dst  []byte
	text string
	done int // bytes of text that are in dst, as they were or replaced
	link func(Link) (string, bool)
}

func (s *splicer) visit(l *Link, at place) {
	if answer, ok := s.ask(l, at); ok && answer != "" {
		s.put(at, answer)
	}
}

func (s *splicer) ask(l *Link, _ place) (answer string, ok bool) { return s.link(*l) }

func (s *splicer) put(at place, answer string) {
	s.dst = append(s.dst, s.text[s.done:at.from]...)
	s.dst = appendEscaped(s.dst, answer, at.syntax)
	s.done = at.to
}

// appendEscaped adds an answer to dst so that it stays one value in its place.
// Control characters and double quotes are no part of a URI (RFC 3986 §2) and
// are percent-encoded everywhere.
func appendEscaped(dst []byte, answer string, in syntax) []byte {
	plain := 0
	for plain < len(answer) && plainInURI[answer[plain]] {
		plain++
	}
	dst = append(dst, answer[:plain]...)
	for i := plain; i < len(answer); i++ {
		c := answer[i]
		switch {
		case c < ' ' || c == 0x7f || c == '"':
			dst = appendPercent(dst, c)
		case in == xmlText:
			dst = appendXML(dst, c)
		case in == hlsUnquoted && (c == ',' || c == ' '),
			in == hlsLine && c == '#' && i == 0,
			in == hlsLine && c == ' ' && (i == 0 || i == len(answer)-1):
			dst = appendPercent(dst, c)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// plainInURI are the bytes that are escaped nowhere.
var plainInURI = func() (plain [256]bool) {
	for c := range plain {
		plain[c] = unencoded(byte(c)) && c != ',' || c == '/' || c == '?' || c == '%'
	}
	return plain
}()

func appendXML(dst []byte, c byte) []byte {
	switch c {
	case '&':
		return append(dst, "&amp;"...)
	case '<':
		return append(dst, "&lt;"...)
	case '>':
		return append(dst, "&gt;"...)
	case '\'':
		return append(dst, "&apos;"...)
	}
	return append(dst, c)
}

func appendPercent(dst []byte, c byte) []byte {
	return append(dst, '%', upperHex[c>>4], upperHex[c&15])
}
