package zipindex

import (
	"fmt"
)

// CheckLocal compares the local header, given as the archive's bytes from
// HeaderOffset on (at least HeaderLen of them; more are welcome), with the directory and
// answers where the data starts. The error is an *Error with CodeLocalMismatch.
//
// Sizes and CRC are compared unless they are deferred to a descriptor (APPNOTE 4.4.4, bit 3).
func (e Entry) CheckLocal(header []byte) (dataOffset int64, err error) {
	fail := func(format string, args ...any) (int64, error) {
		return 0, &Error{CodeLocalMismatch, e.HeaderOffset, fmt.Sprintf(format, args...)}
	}
	if int64(len(header)) < e.HeaderLen() || string(header[:4]) != sigLocal {
		return fail("no local header for %q", e.Name)
	}
	flags, method := le.Uint16(header[6:]), le.Uint16(header[8:])
	nameLen, extraLen := le.Uint16(header[26:]), le.Uint16(header[28:])
	const compared = flagsEncrypted | flagDescriptor | flagUTF8
	if flags&compared != e.Flags&compared {
		return fail("flags %#x in the local header of %q, %#x in the directory", flags, e.Name, e.Flags)
	}
	if method != e.Method {
		return fail("method %d in the local header of %q, %d in the directory", method, e.Name, e.Method)
	}
	if nameLen != e.rawLen || string(header[localLen:localLen+int(nameLen)]) != rawName(e.Name, e.form) {
		return fail("another name in the local header of %q", e.Name)
	}
	if wrong := e.compareSizes(header, flags&flagDescriptor != 0); wrong != "" {
		return fail("%s in the local header of %q than in the directory", wrong, e.Name)
	}
	dataOffset = e.HeaderOffset + e.HeaderLen() + int64(extraLen)
	if dataOffset > e.End-e.CompressedSize {
		return fail("the local header of %q moves its data out of its place", e.Name)
	}
	return dataOffset, nil
}

// compareSizes says what differs. Deferred values may be zero.
func (e Entry) compareSizes(header []byte, deferred bool) string {
	crc := le.Uint32(header[14:])
	s := sizes{uint64(le.Uint32(header[22:])), uint64(le.Uint32(header[18:])), 0}
	if extra := int64(le.Uint16(header[28:])); int64(len(header)) >= e.HeaderLen()+extra {
		if s.widen(header[e.HeaderLen():e.HeaderLen()+extra], 0) != "" && !deferred {
			return "other ZIP64 sizes"
		}
	} else if s.size == ones32 || s.compressed == ones32 {
		s = sizes{uint64(e.Size), uint64(e.CompressedSize), 0} // in an extra field that was not given
	}
	same := func(got, want uint64) bool { return got == want || deferred && (got == 0 || got == ones32) }
	switch {
	case !same(s.size, uint64(e.Size)) || !same(s.compressed, uint64(e.CompressedSize)):
		return "other sizes"
	case !same(uint64(crc), uint64(e.CRC32)):
		return "another CRC"
	}
	return ""
}
