package zipindex

import "unicode/utf8"

// cp437 is the upper half of IBM code page 437, which names without the UTF-8 flag are in (APPNOTE D.1).
var cp437 = []rune("ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0")

// decodeCP437 appends raw to dst as UTF-8.
func decodeCP437(dst, raw []byte) []byte {
	for _, c := range raw {
		if c < utf8.RuneSelf {
			dst = append(dst, c)
		} else {
			dst = utf8.AppendRune(dst, cp437[c-utf8.RuneSelf])
		}
	}
	return dst
}

// encodeCP437 undoes decodeCP437.
func encodeCP437(name string) string {
	raw := make([]byte, 0, len(name))
	for _, r := range name {
		if r < utf8.RuneSelf {
			raw = append(raw, byte(r))
			continue
		}
		for i, c := range cp437 {
			if c == r {
				raw = append(raw, byte(utf8.RuneSelf+i))
				break
			}
		}
	}
	return string(raw)
}

// nameForm says how the name in the archive differs from the one it is served under.
type nameForm uint8

const (
	formCP437    nameForm = 1 << iota // decoded from CP437
	formDotSlash                      // a leading "./" was dropped
	formInvalid                       // not valid UTF-8, though it claims to be; never served
)

// rawName is the name as it stands in the archive.
func rawName(name string, form nameForm) string {
	if form&formDotSlash != 0 {
		name = "./" + name
	}
	if form&formCP437 != 0 {
		name = encodeCP437(name)
	}
	return name
}

// badPath says whether a name is none that may be a path: with "..", ".", an empty element, a backslash,
// a control character, from a drive ("c:/") or the root, or with one of the URL's markers in front. A final slash is a directory's.
func badPath(name []byte) bool {
	if len(name) == 0 || len(name) >= 2 && name[1] == ':' && isLetter(name[0]) && (len(name) == 2 || name[2] == '/') {
		return true
	}
	start := 0
	for i, c := range name {
		if c < 0x20 || c == 0x7f || c == '\\' {
			return true
		}
		if c == '/' {
			if badElement(name[start:i], start == 0) {
				return true
			}
			start = i + 1
		}
	}
	return start < len(name) && badElement(name[start:], start == 0)
}

// plain are the bytes that cannot make a name bad unless its element begins with them: printable ASCII but for slashes and the colon.
var plain = func() (t [256]bool) {
	for c := ' '; c < 0x7f; c++ {
		t[c] = c != '/' && c != '\\' && c != ':'
	}
	return t
}()

func badElement(e []byte, first bool) bool {
	switch string(e) {
	case "", ".", "..":
		return true
	case "-", "~":
		return first
	}
	return false
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
