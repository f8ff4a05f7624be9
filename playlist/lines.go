package playlist

import "strings"

// lines walks over the lines of a text. LF, CRLF and a lone CR end a line, and
// the last one needs no end (RFC 8216 §4.1 has LF and CRLF only).
type lines struct {
	text   string
	at     int // where the next line starts
	lf, cr int // the first of each at or after at, len(text) when there is none
	number int // of the line that next answered, from 1
}

func newLines(text string) lines {
	l := lines{text: text, lf: -1, cr: -1}
	if strings.HasPrefix(text, byteOrderMark) {
		l.at = len(byteOrderMark)
	}
	return l
}

// next answers the bytes [from, to) of the next line, without its end.
func (l *lines) next() (from, to int, ok bool) {
	if l.at >= len(l.text) {
		return 0, 0, false
	}
	// Each is looked for only when passed, or texts with one kind of
	// line end only would be searched to their end for every line.
	if l.lf < l.at {
		l.lf = l.indexFrom('\n')
	}
	if l.cr < l.at {
		l.cr = l.indexFrom('\r')
	}
	from, to = l.at, min(l.lf, l.cr)
	l.at = to + 1
	if l.cr+1 == l.lf && to == l.cr {
		l.at++
	}
	l.number++
	return from, to, true
}

func (l *lines) indexFrom(c byte) int {
	if i := strings.IndexByte(l.text[l.at:], c); i >= 0 {
		return l.at + i
	}
	return len(l.text)
}

// trimBlanks narrows [from, to) of text by the spaces and tabs at its ends.
func trimBlanks(text string, from, to int) (int, int) {
	for from < to && (text[from] == ' ' || text[from] == '\t') {
		from++
	}
	for from < to && (text[to-1] == ' ' || text[to-1] == '\t') {
		to--
	}
	return from, to
}
