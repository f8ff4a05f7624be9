package playlist

import "strings"

// Reference is the relative reference from the playlist (or other entry) named from to the
// entry named to, both names in one archive: percent-encoded by path element, never
// empty, never starting with '/', and with "./" before a first element that holds a colon.
//
// A from or to that ends in '/' is a directory, and "" is the archive's root.
// All bytes but ASCII letters, digits and -._~!()*,:=@ are encoded, those of
// non-ASCII characters too: old players send them as they stand. Resolve is
// the inverse for every name without "." and ".." elements.
func Reference(from, to string) string {
	up, shared := climb(from, to)
	rest := to[shared:]
	b := make([]byte, 0, len("../")*up+len(rest)+len("./"))
	for range up {
		b = append(b, "../"...)
	}
	if up == 0 && needsDot(rest) {
		b = append(b, "./"...)
	}
	return string(appendEncoded(b, rest))
}

// climb says how many directories from's own lies below the deepest directory
// that it shares with to, and how many bytes of to name that directory.
func climb(from, to string) (up, shared int) {
	dir := from[:strings.LastIndexByte(from, '/')+1]
	for shared < len(dir) {
		n := strings.IndexByte(dir[shared:], '/') + 1
		if !strings.HasPrefix(to[shared:], dir[shared:shared+n]) {
			break
		}
		shared += n
	}
	return strings.Count(dir[shared:], "/"), shared
}

// needsDot says whether a relative path would be read as something else: as no
// path at all, as an absolute one, or as a scheme (RFC 3986 §4.2).
func needsDot(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return first == "" || strings.Contains(first, ":")
}

const upperHex = "0123456789ABCDEF"

func appendEncoded(b []byte, path string) []byte {
	for i := range len(path) {
		c := path[i]
		if c == '/' || unencoded(c) {
			b = append(b, c)
		} else {
			b = append(b, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return b
}

// unencoded says which bytes stand for themselves: fewer than RFC 3986 §3.3
// allows in a path. '$' and '{' would mean something in templates and
// variables, '&' and '\” in XML, '+' and ';' to old servers.
func unencoded(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return strings.IndexByte("-._~!()*,:=@", c) >= 0
}

// Resolve reads ref, a percent-encoded relative or absolute path, as it stands in the entry named from, and answers the
// name of the entry it means. ok is false when it leaves the archive or is no valid path.
//
// An absolute path starts at the archive's root. Query and fragment of ref are
// passed over; '+' is a plus sign. A scheme or host, a bad percent-encoding, an
// encoded '/', a NUL and a backslash are no valid path. The name ends in '/',
// or is empty, where ref means a directory, and is from where ref is empty. A
// from that ends in '/' is itself a directory: Resolve(Resolve(mpd, base), ref)
// follows a BaseURL.
func Resolve(from, ref string) (name string, ok bool) {
	ref, _, _ = splitURI(ref)
	if ref == "" {
		return from, true
	}
	if pathStart(ref) > 0 {
		return "", false
	}
	b := make([]byte, 0, len(from)+len(ref))
	if ref[0] == '/' {
		ref = ref[1:]
	} else {
		b = append(b, from[:strings.LastIndexByte(from, '/')+1]...)
	}
	for more := true; more; {
		var element string
		element, ref, more = strings.Cut(ref, "/")
		if b, ok = appendElement(b, element, more); !ok {
			return "", false
		}
	}
	return string(b), true
}

// appendElement adds one element of a reference to b, a directory's name that
// is empty or ends in '/'. Encoded dots count as dots, as in browsers.
func appendElement(b []byte, element string, directory bool) ([]byte, bool) {
	start := len(b)
	b, ok := appendDecoded(b, element)
	if !ok {
		return nil, false
	}
	switch string(b[start:]) {
	case ".":
		return b[:start], true
	case "..":
		if start == 0 {
			return nil, false
		}
		parent := start - 1
		for parent > 0 && b[parent-1] != '/' {
			parent--
		}
		return b[:parent], true
	}
	if directory {
		b = append(b, '/')
	}
	return b, true
}

func appendDecoded(b []byte, element string) ([]byte, bool) {
	for i := 0; i < len(element); i++ {
		c := element[i]
		if c == '%' {
			if i+2 >= len(element) {
				return nil, false
			}
			high, low := hexValue(element[i+1]), hexValue(element[i+2])
			if high < 0 || low < 0 {
				return nil, false
			}
			c = byte(high<<4 | low)
			i += 2
			if c == '/' {
				return nil, false
			}
		}
		if c == 0 || c == '\\' {
			return nil, false
		}
		b = append(b, c)
	}
	return b, true
}

// hexValue is the value of a hexadecimal digit, -1 for any other byte.
func hexValue(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}
