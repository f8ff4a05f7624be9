package zipindex

import "fmt"

const (
	ones16 = 1<<16 - 1
	ones32 = 1<<32 - 1

	locatorLen = 20       // APPNOTE 4.3.15
	end64Len   = 56       // APPNOTE 4.3.14, version 1
	maxEnd64   = 48 << 10 // with extensible data; tailWanted holds it and the locator
	extraZip64 = 0x0001
)

// readEnd64 takes the ZIP64 end record into account where there is one (APPNOTE 4.3.14, 4.3.15). Where its
// locator is missing, the end record's fields are what they say.
func (e *endRecord) readEnd64(v view, endAt int64, end []byte) error {
	locAt := endAt - locatorLen
	if locAt < 0 {
		return nil
	}
	loc, ok := v.at(locAt, locatorLen)
	if !ok {
		return &NeedMore{max(0, endAt-tailWanted)}
	}
	if string(loc[:4]) != sigLocator {
		return nil
	}
	at := le.Uint64(loc[8:])
	if at > uint64(locAt) || uint64(locAt)-at < end64Len || uint64(locAt)-at > maxEnd64 {
		return &Error{CodePrefixData, locAt, "the ZIP64 locator points to no ZIP64 end record"}
	}
	b, ok := v.at(int64(at), end64Len)
	if !ok {
		return &NeedMore{int64(at)}
	}
	if string(b[:4]) != sigEnd64 || le.Uint64(b[4:]) != uint64(locAt)-at-12 {
		return &Error{CodePrefixData, int64(at), "there is no ZIP64 end record where the locator points to, or it does not end at the locator"}
	}
	e.zip64, e.at = true, int64(at)
	e.multidisk = e.multidisk || le.Uint32(loc[4:]) != 0 || le.Uint32(loc[16:]) > 1 ||
		le.Uint32(b[16:]) != 0 || le.Uint32(b[20:]) != 0 || le.Uint64(b[24:]) != le.Uint64(b[32:])
	e.agree("entries", e.entries, le.Uint64(b[32:]), ones16)
	e.agree("directory bytes", e.dirSize, le.Uint64(b[40:]), ones32)
	e.agree("directory offset", e.stated, le.Uint64(b[48:]), ones32)
	e.entries, e.dirSize, e.stated = le.Uint64(b[32:]), le.Uint64(b[40:]), le.Uint64(b[48:])
	return nil
}

// agree notes a small field that is neither all ones nor what its ZIP64 twin says.
func (e *endRecord) agree(what string, small, large, ones uint64) {
	if small != ones && small != large && e.mismatch == "" {
		e.mismatch = fmt.Sprintf("%s: %d in the end record, %d in the ZIP64 one", what, small, large)
	}
}

// sizes are the fields of an entry that ZIP64 widens.
type sizes struct{ size, compressed, offset uint64 }

// plain says whether no field is all ones.
func (s *sizes) plain() bool { return s.size != ones32 && s.compressed != ones32 && s.offset != ones32 }

// widen reads the ZIP64 extra field (APPNOTE 4.5.3): in this order, those of the fields that are all ones. It answers what is wrong, or nothing.
func (s *sizes) widen(extra []byte, disk uint16) string {
	z, n := findExtra(extra)
	if n > 1 {
		return "two ZIP64 extra fields"
	}
	if n == 0 && s.plain() {
		return ""
	}
	short := false
	given := len(z)
	take := func(v *uint64) {
		if *v != ones32 {
			return
		}
		if len(z) < 8 {
			short = true
			return
		}
		*v, z = le.Uint64(z), z[8:]
	}
	if n == 1 && s.plain() && disk != ones16 {
		return s.repeated(z)
	}
	take(&s.size)
	take(&s.compressed)
	take(&s.offset)
	if short {
		return fmt.Sprintf("a ZIP64 extra field of %d bytes lacks a field that is all ones", given)
	}
	return ""
}

// repeated checks a ZIP64 extra field that none of the fields asks for: other readers may believe it.
func (s *sizes) repeated(z []byte) string {
	for _, v := range []uint64{s.size, s.compressed, s.offset} {
		if len(z) < 8 {
			return ""
		}
		if le.Uint64(z) != v {
			return "a ZIP64 extra field that is not asked for has other values"
		}
		z = z[8:]
	}
	return ""
}

// findExtra answers the data of the first ZIP64 extra field, and how many there are (APPNOTE 4.5.1).
func findExtra(extra []byte) (data []byte, n int) {
	for len(extra) >= 4 {
		id, size := le.Uint16(extra), int(le.Uint16(extra[2:]))
		if size > len(extra)-4 {
			break
		}
		if id == extraZip64 {
			if n == 0 {
				data = extra[4 : 4+size]
			}
			n++
		}
		extra = extra[4+size:]
	}
	return data, n
}
