package zipindex

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
	"slices"
)

// nameList holds the entries' names in order of their places, and finds places by name.
//
// Names are cut into blocks: the first of a block is whole, each further one is the number of bytes it shares with the one before, and the
// rest. To be found, places lie in buckets by the hash of their names. The hash is seeded, so that nobody can write an archive whose names collide.
type nameList struct {
	n       int      // names
	text    []byte   // blocks
	blocks  []uint32 // where each begins in text
	places  []uint32 // bucket by bucket, each below 8 bits of its name's hash
	buckets []uint32 // where each begins in places, and where the last one ends
	seed    maphash.Seed
}

const (
	blockNames  = 16
	bucketNames = 8  // on average
	bitsPlace   = 24 // more than the entries of 46 bytes that fit the largest directory
	maskPlace   = 1<<bitsPlace - 1
)

// nameListBuilder fills a nameList.
type nameListBuilder struct {
	nameList
	hashes []uint32 // of the names, by place
	last   []byte   // the name that was added last
	mixed  bool     // the names were not added in order
}

// newNameListBuilder makes room for n names.
func newNameListBuilder(n int) nameListBuilder {
	const usual = 8 // bytes that a name takes
	return nameListBuilder{
		hashes: make([]uint32, 0, n),
		nameList: nameList{
			text:    make([]byte, 0, usual*n),
			blocks:  make([]uint32, 0, (n+blockNames-1)/blockNames),
			buckets: make([]uint32, n/bucketNames+2),
			seed:    maphash.MakeSeed(),
		},
	}
}

// add appends a name that shares so many bytes with the last one. It must stay as it is until the next one is added.
func (l *nameListBuilder) add(name []byte, shared int) {
	if shared == len(name) || shared < len(l.last) && name[shared] < l.last[shared] {
		l.mixed = true
	}
	l.last = name
	first := l.n%blockNames == 0
	if first {
		l.blocks = append(l.blocks, uint32(len(l.text)))
		shared = 0
	}
	l.text = appendName(l.text, shared, name[shared:], first)
	l.n++
	l.hashes = append(l.hashes, l.hash(name))
}

// finish answers the list, and the places of a name that is in it twice: equal ones when there is none.
func (l *nameListBuilder) finish() (list nameList, first, second int) {
	if cap(l.text)-len(l.text) > len(l.text)/8 {
		l.text = slices.Clone(l.text)
	}
	l.fillBuckets()
	if l.mixed {
		first, second = l.twice()
	}
	return l.nameList, first, second
}

// fillBuckets sorts places by counting: without a comparison, and so without a wait for memory that decides what is done next.
func (l *nameListBuilder) fillBuckets() {
	for _, h := range l.hashes {
		l.buckets[l.bucket(h)]++
	}
	sum := uint32(0)
	for b, n := range l.buckets {
		sum += n
		l.buckets[b] = sum
	}
	l.places = make([]uint32, l.n)
	for i := len(l.hashes) - 1; i >= 0; i-- {
		h := l.hashes[i]
		at := &l.buckets[l.bucket(h)]
		*at--
		l.places[*at] = h<<bitsPlace | uint32(i)
	}
}

// twice answers two places of one name, the lesser first, or twice 0.
func (l *nameList) twice() (first, second int) {
	var name []byte
	for b := range len(l.buckets) - 1 {
		in := l.places[l.buckets[b]:l.buckets[b+1]]
		for i, p := range in {
			for _, q := range in[:i] {
				if (p^q)>>bitsPlace != 0 {
					continue
				}
				first, second = int(q&maskPlace), int(p&maskPlace)
				if name = l.appendTo(name[:0], second); l.is(first, name) {
					return first, second
				}
			}
		}
	}
	return 0, 0
}

// find answers the place of a name, or -1.
func (l *nameList) find(name []byte) (place int) {
	h := l.hash(name)
	b := l.bucket(h)
	for _, p := range l.places[l.buckets[b]:l.buckets[b+1]] {
		if (p^h<<bitsPlace)>>bitsPlace == 0 && l.is(int(p&maskPlace), name) {
			return int(p & maskPlace)
		}
	}
	return -1
}

func (l *nameList) hash(name []byte) uint32 { return uint32(maphash.Bytes(l.seed, name)) }

// bucket is where names of a hash lie. Its upper bits decide; the lower ones stand with the place.
func (l *nameList) bucket(hash uint32) uint {
	return uint(uint64(hash) * uint64(len(l.buckets)-1) >> 32)
}

// is says whether a place has that name. Names in between are not built: same is how many bytes name has in common with each.
func (l *nameList) is(place int, name []byte) bool {
	rest, same, length := l.text[l.blocks[place/blockNames]:], 0, 0
	for i := range place%blockNames + 1 {
		var shared int
		var own []byte
		shared, own, rest = nextName(rest, i == 0)
		length = shared + len(own)
		if shared <= same {
			same = shared + sharedPrefix(own, name[shared:])
		}
	}
	return same == length && same == len(name)
}

// appendTo appends the name of a place to an empty dst.
func (l *nameList) appendTo(dst []byte, place int) []byte {
	rest := l.text[l.blocks[place/blockNames]:]
	for i := range place%blockNames + 1 {
		var shared int
		var own []byte
		shared, own, rest = nextName(rest, i == 0)
		dst = append(dst[:shared], own...)
	}
	return dst
}

// all yields all names in order of their places. They are valid for the length of the call.
func (l *nameList) all(yield func(place int, name []byte) bool) {
	var name []byte
	rest := l.text
	for place := range l.n {
		var shared int
		var own []byte
		shared, own, rest = nextName(rest, place%blockNames == 0)
		name = append(name[:shared], own...)
		if !yield(place, name) {
			return
		}
	}
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

// appendName is nextName's inverse.
func appendName(block []byte, shared int, own []byte, first bool) []byte {
	if end := len(block) + 2 + len(own); !first && shared < 0x80 && len(own) < 0x80 && end <= cap(block) { // as most: without a second look at the room
		b := block[len(block):end]
		b[0], b[1] = byte(shared), byte(len(own))
		copy(b[2:], own)
		return block[:end]
	}
	if !first {
		block = binary.AppendUvarint(block, uint64(shared))
	}
	return append(binary.AppendUvarint(block, uint64(len(own))), own...)
}

// sharedPrefix is the number of bytes that a and b begin with both.
func sharedPrefix(a, b []byte) int {
	n := min(len(a), len(b))
	i := 0
	for ; i+8 <= n; i += 8 {
		if differ := le.Uint64(a[i:]) ^ le.Uint64(b[i:]); differ != 0 {
			return i + bits.TrailingZeros64(differ)/8
		}
	}
	if n >= 8 { // the rest, together with some that are known to be equal
		if differ := le.Uint64(a[n-8:n]) ^ le.Uint64(b[n-8:n]); differ != 0 {
			return n - 8 + bits.TrailingZeros64(differ)/8
		}
		return n
	}
	for i < n && a[i] == b[i] {
		i++
	}
	return i
}
