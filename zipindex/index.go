package zipindex

import (
	"iter"
	"sort"
	"unsafe"
)

// Index is what an archive's central directory says. Immutable.
//
// Entries lie in order of their header offset, without a pointer each.
type Index struct {
	size, dirOffset int64
	recs            []rec
	wide            []wide // what the few unusual entries have more, in order of offset
	names           nameList
}

// maxSize bounds offsets: a rec has 48 bits for one.
const maxSize = 1 << 48

// rec is an entry, in 20 bytes.
type rec struct {
	offLow     uint32 // of the local header, 48 bits
	compressed uint32 // bytes of data, and of content unless bitWide
	crc        uint32
	offHigh    uint16
	marks      marks
	rawLen     uint16 // of the name as it stands in the archive
	_          uint16
}

// marks of a rec: the reason it is hidden, how its name differs, and flags.
type marks uint16

const (
	bitsReason    = 0 // 4 bits
	bitsForm      = 4 // 3 bits
	bitDescriptor = 1 << 8
	bitUTF8       = 1 << 9
	bitWide       = 1 << 10
)

func (r rec) offset() int64  { return int64(r.offHigh)<<32 | int64(r.offLow) }
func (r rec) why() reason    { return reason(r.marks >> bitsReason & 15) }
func (r rec) form() nameForm { return nameForm(r.marks >> bitsForm & 7) }

// wide is what an entry has more that is not stored, or is of 4 GiB and more.
type wide struct {
	offset, size, compressed uint64
	method, flags            uint16
}

// Size is the archive's size in bytes.
func (x *Index) Size() int64 { return x.size }

// DirectoryOffset is where the central directory starts.
func (x *Index) DirectoryOffset() int64 { return x.dirOffset }

// DigestRange is the part of the archive, [off, off+n), whose SHA-256 is the
// archive's version, the same on every node: its central directory and all
// behind it. The Index has no copy of these bytes; they are the last n of the tail that
// was given to Parse, and of what any other node holds under the same name.
func (x *Index) DigestRange() (off, n int64) { return x.dirOffset, x.size - x.dirOffset }

// Bytes is about how much memory the Index holds.
func (x *Index) Bytes() int64 {
	return int64(unsafe.Sizeof(*x)) + int64(cap(x.recs))*int64(unsafe.Sizeof(rec{})) + int64(cap(x.wide))*int64(unsafe.Sizeof(wide{})) +
		int64(cap(x.names.text)) + 4*int64(cap(x.names.blocks)+cap(x.names.places)+cap(x.names.buckets))
}

// Len is the number of entries, hidden ones included.
func (x *Index) Len() int { return len(x.recs) }

// Entry returns the i-th entry in order of header offset, 0 ≤ i < Len.
func (x *Index) Entry(i int) Entry {
	var buf [256]byte
	e := x.entry(i)
	e.setName(string(x.names.appendTo(buf[:0], i)))
	return e
}

// All yields every entry, hidden ones included, in order of header offset.
func (x *Index) All() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for i, name := range x.names.all {
			e := x.entry(i)
			e.setName(string(name))
			if !yield(e) {
				return
			}
		}
	}
}

// Lookup finds an entry by the name it is served under. A hidden entry is
// found too: ask its Refused. One whose name claims to be UTF-8 and is not is
// found by its name as it stands in the archive.
func (x *Index) Lookup(name string) (Entry, bool) {
	i := x.names.find([]byte(name))
	if i < 0 {
		return Entry{}, false
	}
	e := x.entry(i)
	e.setName(name)
	return e, true
}

func (x *Index) end(i int) int64 {
	if i+1 < len(x.recs) {
		return x.recs[i+1].offset()
	}
	return x.dirOffset
}

// entry answers the i-th entry without its name.
func (x *Index) entry(i int) Entry {
	r := x.recs[i]
	e := Entry{
		Size: int64(r.compressed), CompressedSize: int64(r.compressed), HeaderOffset: r.offset(), End: x.end(i),
		CRC32: r.crc, why: r.why(), form: r.form(), rawLen: r.rawLen,
	}
	if r.marks&bitDescriptor != 0 {
		e.Flags |= flagDescriptor
	}
	if r.marks&bitUTF8 != 0 {
		e.Flags |= flagUTF8
	}
	if r.marks&bitWide != 0 {
		j := sort.Search(len(x.wide), func(j int) bool { return int64(x.wide[j].offset) >= e.HeaderOffset })
		w := x.wide[j]
		e.Size, e.CompressedSize, e.Method, e.Flags = int64(w.size), int64(w.compressed), w.method, w.flags
	}
	return e
}

// Match says how a byte range lies to an entry.
type Match uint8

const (
	Outside Match = iota // in no entry's data
	Whole                // exactly the entry's data, or its header offset with its data's size
	Inside               // within the entry's region: the local header decides
)

// Locate says what the archive's bytes [off, off+n) are. Whole is answered
// without a look at the local header where directory and neighbours leave no
// doubt; Inside where only the local header can tell.
func (x *Index) Locate(off, n int64) (Entry, Match) {
	if off < 0 || n < 0 || off > x.dirOffset-n {
		return Entry{}, Outside
	}
	i := sort.Search(len(x.recs), func(i int) bool { return x.recs[i].offset() > off }) - 1
	if i < 0 {
		return Entry{}, Outside
	}
	// Empty data of one entry ends where the next one's header begins.
	if n == 0 && i > 0 && x.recs[i].offset() == off && x.recs[i-1].compressed == 0 {
		i--
	}
	if m := x.match(i, off, n); m != Outside {
		return x.Entry(i), m
	}
	return Entry{}, Outside
}

func (x *Index) match(i int, off, n int64) Match {
	e := x.entry(i)
	least := e.HeaderOffset + localLen + int64(e.rawLen)
	switch {
	case n == e.CompressedSize && (off == e.HeaderOffset || e.mayStartAt(off)):
		return Whole
	case off >= least && off <= e.End-n && n <= e.CompressedSize && (n > 0 || e.CompressedSize == 0):
		return Inside
	}
	return Outside
}
