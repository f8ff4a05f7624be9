package zipindex

import (
	"slices"
	"strings"
)

// Entry is one file of the archive, as the directory describes it.
type Entry struct {
	Name           string // as served: UTF-8, without a leading "./"
	Size           int64  // bytes of content
	CompressedSize int64  // bytes of data in the archive
	HeaderOffset   int64  // of the local header
	End            int64  // where the next local header, or the directory, begins
	CRC32          uint32 // of the content
	Method         uint16 // 0 stored, 8 deflated
	Flags          uint16 // general purpose bits (of stored entries: 3 and 11 alone)

	why    reason
	form   nameForm
	rawLen uint16
}

// setName gives e its name. One that is no UTF-8 is made valid, for people to read.
func (e *Entry) setName(name string) {
	if e.form&formInvalid != 0 {
		name = strings.ToValidUTF8(name, "\ufffd")
	}
	e.Name = name
}

// Refused is nil for an entry that may be served, and says why not otherwise.
func (e Entry) Refused() *Error {
	if e.why == served {
		return nil
	}
	r := reasons[e.why]
	return &Error{r.code, e.HeaderOffset, r.detail}
}

// HeaderLen is how many bytes CheckLocal needs at least: 30 and the name.
func (e Entry) HeaderLen() int64 { return localLen + int64(e.rawLen) }

// readSlack is how much more than header, name and data is read along, for the local extra field and a descriptor.
const readSlack = 1 << 10

// ReadRange is what to read of the archive to have local header and data in one: [off, off+n). Where it proves too short, for a local extra field of
// unusual length, the rest follows it.
func (e Entry) ReadRange() (off, n int64) {
	return e.HeaderOffset, min(e.End-e.HeaderOffset, e.HeaderLen()+e.CompressedSize+readSlack)
}

// DataOffset guesses where the data starts from directory and neighbours.
// exact is true where the archive's layout leaves no other possibility that a known packer writes.
func (e Entry) DataOffset() (off int64, exact bool) {
	c, n := e.starts()
	if n == 0 {
		return e.HeaderOffset + e.HeaderLen(), false
	}
	return c[0], n == 1
}

// descriptors are the lengths of what may follow the data under flag bit 3 (APPNOTE 4.3.9): with and without signature, and in ZIP64, or not written after all.
var descriptors = [...]int64{16, 24, 12, 20, 0}

// starts answers where the data may start: so that it ends at the region's end, but for a descriptor. What lies between header and data is a
// local extra field then. None where that would be an unusually long one.
func (e *Entry) starts() (c [len(descriptors)]int64, n int) {
	least, tight := e.HeaderOffset+e.HeaderLen(), e.End-e.CompressedSize
	if tight-least > readSlack {
		return c, 0
	}
	if e.Flags&flagDescriptor == 0 {
		c[0] = tight
		return c, 1
	}
	for _, d := range descriptors {
		if tight-d >= least {
			c[n] = tight - d
			n++
		}
	}
	return c, n
}

func (e *Entry) mayStartAt(off int64) bool {
	c, n := e.starts()
	return slices.Contains(c[:n], off)
}
