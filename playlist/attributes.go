package playlist

import "strings"

// attributes walks over an attribute list (RFC 8216 §4.2), text[at:end].
// Spaces around names and values are tolerated.
type attributes struct {
	text    string
	at, end int
}

// attribute is one NAME=value; [from, to) is the value, without its quotes.
type attribute struct {
	name     string
	from, to int
	quoted   bool
}

// next answers the next attribute. Elements of the list without '=' are passed
// over, and the list ends at a quote that is never closed.
func (l *attributes) next() (attribute, bool) {
	for l.at < l.end {
		name, ok := l.name()
		if !ok {
			continue
		}
		a := attribute{name: name}
		for l.at < l.end && (l.text[l.at] == ' ' || l.text[l.at] == '\t') {
			l.at++
		}
		if a.quoted = l.at < l.end && l.text[l.at] == '"'; !a.quoted {
			a.from, a.to = trimBlanks(l.text, l.at, l.comma(l.at))
			l.at = min(l.comma(a.to)+1, l.end)
			return a, true
		}
		a.from = l.at + 1
		n := strings.IndexByte(l.text[a.from:l.end], '"')
		if n < 0 {
			l.at = l.end
			break
		}
		a.to = a.from + n
		l.at = min(l.comma(a.to)+1, l.end)
		return a, true
	}
	return attribute{}, false
}

// name reads up to and over the '=', or over a ',' that comes before it.
func (l *attributes) name() (name string, ok bool) {
	start := l.at
	for l.at < l.end {
		c := l.text[l.at]
		l.at++
		if c == '=' {
			from, to := trimBlanks(l.text, start, l.at-1)
			return l.text[from:to], true
		}
		if c == ',' {
			break
		}
	}
	return "", false
}

// comma is where the next ',' stands, or the list's end.
func (l *attributes) comma(from int) int {
	if i := strings.IndexByte(l.text[from:l.end], ','); i >= 0 {
		return from + i
	}
	return l.end
}

// attributeValue is the first value of the named attribute in a list.
func attributeValue(list, name string) (value string, ok bool) {
	l := attributes{text: list, end: len(list)}
	for a, ok := l.next(); ok; a, ok = l.next() {
		if a.name == name {
			return list[a.from:a.to], true
		}
	}
	return "", false
}
