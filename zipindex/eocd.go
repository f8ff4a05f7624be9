package zipindex

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

const (
	sigLocal   = "PK\x03\x04"
	sigEntry   = "PK\x01\x02"
	sigEnd     = "PK\x05\x06"
	sigEnd64   = "PK\x06\x06"
	sigLocator = "PK\x06\x07"

	endLen     = 22       // APPNOTE 4.3.16, without comment
	maxPadding = 16 << 10 // NULs behind the end that are allowed: bsdtar writes them
	tailWanted = 68 << 10 // the end record, its comment and padding lie within
)

var le = binary.LittleEndian

// endRecord is what the end record, and the ZIP64 one, say of the directory.
type endRecord struct {
	at        int64 // where the (first) end record begins: the directory ends there
	entries   uint64
	dirSize   uint64
	dirOffset int64
	stated    uint64 // dirOffset as stated
	multidisk bool
	zip64     bool
	mismatch  string // how ZIP64 and other fields disagree; empty when they do not
}

// findEnd looks for the end record (APPNOTE 4.3.16). One that another reader would prefer makes the archive ambiguous.
func findEnd(v view, size int64) (endRecord, error) {
	from := max(v.off, size-tailWanted)
	b, _ := v.at(from, size-from)
	nuls := len(b) - len(bytes.TrimRight(b, "\x00"))
	at, found, loose := int64(-1), 0, int64(-1)
	for i := nextEnd(b, 0); i >= 0; i = nextEnd(b, i+1) {
		switch {
		case reachesEnd(b[i:], nuls):
			if found == 0 {
				at = from + int64(i)
			}
			found++
		case plausible(b[i:], from+int64(i)):
			loose = from + int64(i)
		}
	}
	switch {
	case found == 0 && loose >= 0:
		return endRecord{}, &Error{CodeAmbiguousEnd, loose, "the end record's comment does not reach the end of the file"}
	case found == 0 && v.off > 0 && size-v.off < tailWanted:
		return endRecord{}, &NeedMore{max(0, size-tailWanted)}
	case found == 0:
		return endRecord{}, &Error{CodeNotFound, size, "no end-of-central-directory record"}
	case found > 1 || loose > at:
		return endRecord{}, &Error{CodeAmbiguousEnd, at, "more than one end record"}
	}
	end, _ := v.at(at, endLen)
	return readEnd(v, at, end)
}

// nextEnd is where the next signature of an end record stands in b with room for one, from on; -1 where there is none.
func nextEnd(b []byte, from int) int {
	i := bytes.Index(b[from:max(from, len(b)-endLen+len(sigEnd))], []byte(sigEnd))
	if i < 0 {
		return -1
	}
	return from + i
}

// reachesEnd says whether the record's comment, and NULs, of which so many end the file, fill the rest of it.
func reachesEnd(b []byte, nuls int) bool {
	rest := len(b) - endLen - int(le.Uint16(b[20:]))
	return rest >= 0 && rest <= min(nuls, maxPadding)
}

// plausible says whether another reader may take the bytes at off for an end record.
func plausible(b []byte, off int64) bool {
	count, size, start := le.Uint16(b[10:]), le.Uint32(b[12:]), le.Uint32(b[16:])
	if le.Uint16(b[4:]) != 0 || le.Uint16(b[6:]) != 0 || le.Uint16(b[8:]) != count {
		return false
	}
	return start == ones32 || size == ones32 || int64(start)+int64(size) <= off && int64(size) >= int64(count)*entryLen
}

// readEnd reads the end record at off, and the ZIP64 one that it points to.
func readEnd(v view, off int64, b []byte) (endRecord, error) {
	e := endRecord{
		at:      off,
		entries: uint64(le.Uint16(b[10:])),
		dirSize: uint64(le.Uint32(b[12:])),
		stated:  uint64(le.Uint32(b[16:])),
	}
	e.multidisk = le.Uint16(b[4:]) != 0 && le.Uint16(b[4:]) != ones16 ||
		le.Uint16(b[6:]) != 0 && le.Uint16(b[6:]) != ones16 || le.Uint16(b[8:]) != le.Uint16(b[10:])
	if err := e.readEnd64(v, off, b); err != nil {
		return e, err
	}
	e.dirOffset = e.at - int64(min(e.dirSize, uint64(e.at)))
	return e, nil
}

// check refuses, before the directory is read, what the end record alone shows.
func (e endRecord) check(lim Limits) error {
	fail := func(c Code, format string, args ...any) error {
		return &Error{c, e.at, fmt.Sprintf(format, args...)}
	}
	switch {
	case e.dirSize > uint64(e.at) || e.stated != uint64(e.dirOffset):
		return fail(CodePrefixData, "the directory of %d bytes is stated to start at %d, which is not right before its end record", e.dirSize, e.stated)
	case e.mismatch != "":
		return fail(CodeZip64Mismatch, "%s", e.mismatch)
	case e.multidisk:
		return fail(CodeMultidisk, "the archive is one of several disks")
	case e.at >= maxSize:
		return fail(CodeTooLarge, "the archive is of 256 TiB or more")
	case e.dirSize > uint64(lim.Directory) || e.entries > uint64(lim.Entries):
		return fail(CodeTooLarge, "the directory has %d bytes and %d entries; at most %d and %d are read", e.dirSize, e.entries, lim.Directory, lim.Entries)
	case e.dirSize/entryLen < e.entries:
		return fail(CodeDirectoryCount, "%d entries do not fit a directory of %d bytes", e.entries, e.dirSize)
	}
	return nil
}
