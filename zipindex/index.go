package zipindex

import (
	"encoding/binary"
	"iter"
	"math/bits"
	"slices"
	"sort"
	"strings"
	"unsafe"
)

// Index is what an archive's central directory says. Immutable.
//
// Entries lie in order of their header offset, without a pointer each. Names lie in order, cut into blocks: the first of a block is whole, each
// further one is the number of bytes it shares with the one before, and the rest.
type Index struct {
	size, dirOffset int64
	digest          [32]byte
	recs            []rec
	wide            []wide   // what the few unusual entries have more, in order of offset
	names           []byte   // blocks
	blocks          []uint32 // where each begins
	order           []uint32 // place in recs by rank of name; nil when both orders are one
	rank            []uint32 // rank of name by place in recs; nil likewise
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

const blockNames = 16

// build fills the columns from what was parsed.
func (x *Index) build(p *parser) error {
	order, err := p.sortByName()
	if err != nil {
		return err
	}
	x.wide, x.order = slices.Clip(p.wide), order
	x.recs = make([]rec, len(p.entries))
	for i := range p.entries {
		x.recs[i] = p.entries[i].rec
	}
	if order != nil {
		x.rank = make([]uint32, len(order))
		for r, i := range order {
			x.rank[i] = uint32(r)
		}
	}
	x.blocks = make([]uint32, 0, (len(p.entries)+blockNames-1)/blockNames)
	names := make([]byte, 0, 16*len(p.entries))
	var last []byte
	for r := range p.entries {
		name := p.name(x.place(r))
		shared := 0
		if r%blockNames == 0 {
			x.blocks = append(x.blocks, uint32(len(names)))
		} else {
			shared = sharedPrefix(last, name)
			names = binary.AppendUvarint(names, uint64(shared))
		}
		names = binary.AppendUvarint(names, uint64(len(name)-shared))
		names = append(names, name[shared:]...)
		last = name
	}
	x.names = slices.Clone(names)
	return nil
}

func sharedPrefix(a, b []byte) int {
	n := min(len(a), len(b))
	i := 0
	for ; i+8 <= n; i += 8 {
		if differ := le.Uint64(a[i:]) ^ le.Uint64(b[i:]); differ != 0 {
			return i + bits.TrailingZeros64(differ)/8
		}
	}
	for i < n && a[i] == b[i] {
		i++
	}
	return i
}

// place answers where the entry with the r-th name lies in recs.
func (x *Index) place(r int) int {
	if x.order == nil {
		return r
	}
	return int(x.order[r])
}

// Size is the archive's size in bytes.
func (x *Index) Size() int64 { return x.size }

// DirectoryOffset is where the central directory starts.
func (x *Index) DirectoryOffset() int64 { return x.dirOffset }

// Digest is the SHA-256 of the central directory's bytes (directory start up
// to the archive's end): with Size it is the archive's version, the same on every node.
func (x *Index) Digest() [32]byte { return x.digest }

// Bytes is about how much memory the Index holds.
func (x *Index) Bytes() int64 {
	return int64(unsafe.Sizeof(*x)) + int64(cap(x.recs))*int64(unsafe.Sizeof(rec{})) + int64(cap(x.wide))*int64(unsafe.Sizeof(wide{})) +
		int64(cap(x.names)) + 4*int64(cap(x.blocks)+cap(x.order)+cap(x.rank))
}

// Len is the number of entries, hidden ones included.
func (x *Index) Len() int { return len(x.recs) }

// Entry returns the i-th entry in order of header offset, 0 ≤ i < Len.
func (x *Index) Entry(i int) Entry {
	r := i
	if x.rank != nil {
		r = int(x.rank[i])
	}
	return x.entry(i, x.name(r))
}

// All yields every entry, hidden ones included, in order of header offset.
func (x *Index) All() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for i := range x.recs {
			if !yield(x.Entry(i)) {
				return
			}
		}
	}
}

// Lookup finds an entry by the name it is served under. A hidden entry is
// found too: ask its Refused.
func (x *Index) Lookup(name string) (Entry, bool) {
	b := sort.Search(len(x.blocks), func(i int) bool { return x.first(i) > name }) - 1
	if b < 0 {
		return Entry{}, false
	}
	if i := x.search(b, name); i >= 0 {
		return x.entry(i, strings.Clone(name)), true
	}
	return Entry{}, false
}

// search answers where the entry of that name lies in recs, or -1. Of the names in the block, none is built: same is how many bytes
// name has in common with the one before, and as the block is sorted, only a name that shares just as many with that one can have more.
func (x *Index) search(block int, name string) int {
	rest, same := x.names[x.blocks[block]:], 0
	for r := block * blockNames; r < min((block+1)*blockNames, len(x.recs)); r++ {
		var shared int
		var own []byte
		shared, own, rest = nextName(rest, r%blockNames == 0)
		switch {
		case shared < same:
			return -1 // this one and all that follow are behind name
		case shared > same:
			continue
		}
		n := 0
		for n < len(own) && same+n < len(name) && own[n] == name[same+n] {
			n++
		}
		same += n
		if n == len(own) && same == len(name) {
			return x.place(r)
		}
	}
	return -1
}

// first is the first name of a block, valid as long as the Index is.
func (x *Index) first(block int) string {
	rest := x.names[x.blocks[block]:]
	_, own, _ := nextName(rest, true)
	return unsafe.String(unsafe.SliceData(own), len(own))
}

// name answers the r-th name in order.
func (x *Index) name(r int) string {
	var buf [256]byte
	name, rest := buf[:0], x.names[x.blocks[r/blockNames]:]
	for i := range r%blockNames + 1 {
		var shared int
		var own []byte
		shared, own, rest = nextName(rest, i == 0)
		name = append(name[:shared], own...)
	}
	return string(name)
}

// nextName takes a name off a block: how many bytes it shares with the one before, and its own.
func nextName(block []byte, first bool) (shared int, own, rest []byte) {
	if !first {
		shared, block = number(block)
	}
	n, block := number(block)
	return shared, block[:n], block[n:]
}

// number takes a varint off b.
func number(b []byte) (n int, rest []byte) {
	if b[0] < 0x80 {
		return int(b[0]), b[1:]
	}
	v, k := binary.Uvarint(b)
	return int(v), b[k:]
}

func (x *Index) end(i int) int64 {
	if i+1 < len(x.recs) {
		return x.recs[i+1].offset()
	}
	return x.dirOffset
}

func (x *Index) entry(i int, name string) Entry {
	r := x.recs[i]
	e := Entry{
		Name: name, Size: int64(r.compressed), CompressedSize: int64(r.compressed), HeaderOffset: r.offset(), End: x.end(i),
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
	e := x.entry(i, "")
	least := e.HeaderOffset + localLen + int64(e.rawLen)
	switch {
	case n == e.CompressedSize && (off == e.HeaderOffset || e.mayStartAt(off)):
		return Whole
	case off >= least && off <= e.End-n && n <= e.CompressedSize && (n > 0 || e.CompressedSize == 0):
		return Inside
	}
	return Outside
}
