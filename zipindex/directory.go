package zipindex

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"
)

const (
	entryLen = 46 // APPNOTE 4.3.12, fixed part
	localLen = 30 // APPNOTE 4.3.7, fixed part
)

// record is one central directory header, read.
type record struct {
	sizes
	madeBy, flags, method uint16
	crc, external         uint32
	name                  []byte // raw, within the directory
	n                     int    // bytes of the whole record
}

// parsed is an entry on its way into the Index.
type parsed struct {
	rec
	nameAt, nameLen uint32 // of the name as served: in the directory, or behind its end in parser.decoded
}

// parseDirectory reads all central headers. v holds the directory and all behind it.
func parseDirectory(v view, end endRecord, size int64) (*Index, error) {
	dir, ok := v.at(end.dirOffset, int64(end.dirSize))
	if !ok {
		return nil, &NeedMore{end.dirOffset}
	}
	p := parser{dir: dir, off: end.dirOffset, entries: make([]parsed, 0, end.entries)}
	for uint64(len(p.entries)) < end.entries {
		if err := p.next(); err != nil {
			return nil, err
		}
	}
	if p.at != len(dir) {
		return nil, p.errorf(CodeDirectoryCount, "the directory goes on for %d bytes behind its %d entries", len(dir)-p.at, len(p.entries))
	}
	if err := p.sortByOffset(); err != nil {
		return nil, err
	}
	rest, _ := v.at(end.dirOffset, size-end.dirOffset)
	x := &Index{size: size, dirOffset: end.dirOffset, digest: sha256.Sum256(rest)}
	return x, x.build(&p)
}

// parser walks the directory.
type parser struct {
	dir     []byte
	off     int64 // of dir in the archive
	at      int   // next byte of dir
	entries []parsed
	wide    []wide
	decoded []byte // names that are not served as they stand
	folder  []byte // up to its last slash, the last name that was good as it stands
	mixed   bool   // the entries do not lie in order of their offsets
}

// name is the served name of the i-th entry.
func (p *parser) name(i int) []byte {
	e := &p.entries[i]
	if at := int(e.nameAt) - len(p.dir); at >= 0 {
		return p.decoded[at : at+int(e.nameLen)]
	}
	return p.dir[e.nameAt : e.nameAt+e.nameLen]
}

func (p *parser) errorf(c Code, format string, args ...any) error {
	return &Error{c, p.off + int64(p.at), fmt.Sprintf(format, args...)}
}

// next reads the central header at p.at.
func (p *parser) next() error {
	var r record
	if err := p.read(&r); err != nil {
		return err
	}
	if r.compressed > uint64(p.off) || r.offset > uint64(p.off) || r.size > 1<<62 {
		code := CodeOverlap
		if r.compressed > uint64(p.off) || r.size > 1<<62 {
			code = CodeZip64Mismatch
		}
		return p.errorf(code, "entry %q of %d bytes at %d does not lie before the directory", r.name, r.compressed, r.offset)
	}
	name, form, bad := p.serve(&r)
	p.add(&r, name, form, judge(&r, name, bad))
	p.at += r.n
	return nil
}

// serve answers the name that r is served under. Neighbours mostly lie in one folder: what is known good of it is not looked at again.
func (p *parser) serve(r *record) (name []byte, form nameForm, bad bool) {
	if n := len(p.folder); n > 0 && bytes.HasPrefix(r.name, p.folder) && plainElement(r.name[n:]) {
		return r.name, 0, false
	}
	name, form, bad = serveName(r.name, r.flags&flagUTF8 != 0)
	if !bad && form == 0 {
		p.folder = name[:bytes.LastIndexByte(name, '/')+1]
	}
	return name, form, bad
}

// read takes the fields of a central header apart (APPNOTE 4.3.12).
func (p *parser) read(r *record) error {
	b := p.dir[p.at:]
	if len(b) < entryLen || string(b[:4]) != sigEntry {
		return p.errorf(CodeDirectoryCount, "no central header where entry %d should be", len(p.entries))
	}
	nameLen, extraLen, commentLen := int(le.Uint16(b[28:])), int(le.Uint16(b[30:])), int(le.Uint16(b[32:]))
	r.n = entryLen + nameLen + extraLen + commentLen
	if len(b) < r.n {
		return p.errorf(CodeDirectoryCount, "the central header of entry %d runs over the directory's end", len(p.entries))
	}
	r.madeBy, r.flags, r.method = le.Uint16(b[4:]), le.Uint16(b[8:]), le.Uint16(b[10:])
	r.crc, r.external = le.Uint32(b[16:]), le.Uint32(b[38:])
	r.sizes = sizes{uint64(le.Uint32(b[24:])), uint64(le.Uint32(b[20:])), uint64(le.Uint32(b[42:]))}
	r.name = b[entryLen : entryLen+nameLen]
	disk := le.Uint16(b[34:])
	if wrong := r.widen(b[entryLen+nameLen:entryLen+nameLen+extraLen], disk); wrong != "" {
		return p.errorf(CodeZip64Mismatch, "entry %q: %s", r.name, wrong)
	}
	if disk != 0 && disk != ones16 {
		return p.errorf(CodeMultidisk, "entry %q lies on disk %d", r.name, disk)
	}
	return nil
}

func (p *parser) add(r *record, name []byte, form nameForm, why reason) {
	e := parsed{nameAt: uint32(p.at + entryLen), nameLen: uint32(len(name)), rec: rec{
		offLow: uint32(r.offset), offHigh: uint16(r.offset >> 32), compressed: uint32(min(r.compressed, ones32)), crc: r.crc,
		marks: marks(form)<<bitsForm | marks(why)<<bitsReason,
	}}
	if r.flags&flagDescriptor != 0 {
		e.marks |= bitDescriptor
	}
	if r.flags&flagUTF8 != 0 {
		e.marks |= bitUTF8
	}
	if r.method != methodStored || r.size != r.compressed || r.compressed >= ones32 {
		e.marks |= bitWide
		p.wide = append(p.wide, wide{offset: r.offset, size: r.size, compressed: r.compressed, method: r.method, flags: r.flags})
	}
	e.rawLen = uint16(len(r.name))
	switch {
	case form&formDecoded != 0:
		e.nameAt = uint32(len(p.dir) + len(p.decoded))
		p.decoded = append(p.decoded, name...)
	case form&formDotSlash != 0:
		e.nameAt += 2
	}
	if n := len(p.entries); n > 0 && p.entries[n-1].offset() > e.offset() {
		p.mixed = true
	}
	p.entries = append(p.entries, e)
}

// sortByOffset puts the entries in the order they lie in, and refuses overlaps.
func (p *parser) sortByOffset() error {
	if p.mixed {
		slices.SortFunc(p.entries, func(a, b parsed) int { return cmp.Compare(a.offset(), b.offset()) })
	}
	slices.SortFunc(p.wide, func(a, b wide) int { return cmp.Compare(a.offset, b.offset) })
	w := 0
	for i := range p.entries {
		e := &p.entries[i]
		n := int64(e.compressed)
		if e.marks&bitWide != 0 {
			n = int64(p.wide[w].compressed)
			w++
		}
		end := p.off
		if i+1 < len(p.entries) {
			end = p.entries[i+1].offset()
		}
		if e.offset() > end-localLen-int64(e.rawLen) || n > end-e.offset()-localLen-int64(e.rawLen) {
			return &Error{CodeOverlap, e.offset(), fmt.Sprintf("entry %q of %d bytes overlaps what lies behind it", p.name(i), n)}
		}
	}
	return nil
}

// sortByName answers the entries' places in order of their names; nil when they are in that order already.
func (p *parser) sortByName() ([]uint32, error) {
	inOrder := true
	for i := 1; i < len(p.entries) && inOrder; i++ {
		inOrder = bytes.Compare(p.name(i-1), p.name(i)) < 0
	}
	if inOrder {
		return nil, nil
	}
	order := make([]uint32, len(p.entries))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(a, b uint32) int { return bytes.Compare(p.name(int(a)), p.name(int(b))) })
	for i := 1; i < len(order); i++ {
		a, b := int(order[i-1]), int(order[i])
		if name := p.name(b); bytes.Equal(p.name(a), name) {
			return nil, &Error{CodeDuplicateName, p.entries[b].offset(), fmt.Sprintf("%q is there twice, also at byte %d", name, p.entries[a].offset())}
		}
	}
	return order, nil
}
