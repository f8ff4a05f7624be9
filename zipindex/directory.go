package zipindex

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"unicode/utf8"
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

// parseDirectory reads all central headers. v holds the directory and all behind it.
func parseDirectory(v view, end endRecord, size int64) (*Index, error) {
	dir, ok := v.at(end.dirOffset, int64(end.dirSize))
	if !ok {
		return nil, &NeedMore{end.dirOffset}
	}
	p := parser{dir: dir, off: end.dirOffset}
	if err := p.parse(int(end.entries)); err != nil {
		return nil, err
	}
	names, err := p.finish()
	if err != nil {
		return nil, err
	}
	return &Index{size: size, dirOffset: end.dirOffset, recs: p.recs, wide: slices.Clip(p.wide), names: names}, nil
}

// parser walks the directory, and builds the columns of an Index.
type parser struct {
	dir []byte
	off int64 // of dir in the archive

	recs  []rec
	wide  []wide
	names nameListBuilder
	end   uint64 // where the last entry's data ends at the earliest

	folder int       // of the last name, when it may be a path and stands so in the archive: bytes up to its last slash; else -1
	spare  [2][]byte // the last decoded name is in one of them, the next one goes into the other

	overlap *Error // the first
}

func (p *parser) errorf(at int, c Code, format string, args ...any) error {
	return &Error{c, p.off + int64(at), fmt.Sprintf(format, args...)}
}

// parse reads the directory once when its entries lie in its order, as nearly always.
func (p *parser) parse(entries int) error {
	p.begin(entries)
	var r record
	at, last := 0, uint64(0)
	for i := range entries {
		if err := p.read(&r, at, i); err != nil {
			return err
		}
		if r.offset < last {
			return p.parseMixed(entries)
		}
		p.add(&r)
		at, last = at+r.n, r.offset
	}
	return p.checkEnd(at)
}

// parseMixed reads the directory twice: for the order of the entries, and in it.
func (p *parser) parseMixed(entries int) error {
	type head struct {
		offset uint64
		at     int
	}
	heads := make([]head, entries)
	var r record
	at := 0
	for i := range heads {
		if err := p.read(&r, at, i); err != nil {
			return err
		}
		heads[i] = head{r.offset, at}
		at += r.n
	}
	slices.SortFunc(heads, func(a, b head) int { return cmp.Compare(a.offset, b.offset) })
	p.begin(entries)
	for i, h := range heads {
		if err := p.read(&r, h.at, i); err != nil {
			return err
		}
		p.add(&r)
	}
	return p.checkEnd(at)
}

// begin makes room for the entries, and forgets those that were added.
func (p *parser) begin(entries int) {
	*p = parser{dir: p.dir, off: p.off, folder: -1, recs: make([]rec, 0, entries), names: newNameListBuilder(entries)}
}

// checkEnd wants the directory to end with its last entry, at byte at.
func (p *parser) checkEnd(at int) error {
	if at != len(p.dir) {
		return p.errorf(at, CodeDirectoryCount, "the directory goes on for %d bytes behind its %d entries", len(p.dir)-at, len(p.recs))
	}
	return nil
}

// finish gives the verdict over all entries, and answers their names.
func (p *parser) finish() (nameList, error) {
	p.checkOverlap(uint64(p.off))
	if p.overlap != nil {
		return nameList{}, p.overlap
	}
	names, first, second := p.names.finish()
	if first != second {
		return nameList{}, &Error{CodeDuplicateName, p.recs[second].offset(), fmt.Sprintf("%q is there twice, also at byte %d", names.appendTo(nil, second), p.recs[first].offset())}
	}
	return names, nil
}

// read takes the central header at byte at of the directory apart (APPNOTE 4.3.12), which is the i-th to be read.
func (p *parser) read(r *record, at, i int) error {
	b := p.dir[at:]
	if len(b) < entryLen || string(b[:4]) != sigEntry {
		return p.errorf(at, CodeDirectoryCount, "no central header where entry %d should be", i)
	}
	h := (*[entryLen]byte)(b)
	nameLen, extraLen, commentLen := int(le.Uint16(h[28:])), int(le.Uint16(h[30:])), int(le.Uint16(h[32:]))
	r.n = entryLen + nameLen + extraLen + commentLen
	if len(b) < r.n {
		return p.errorf(at, CodeDirectoryCount, "the central header of entry %d runs over the directory's end", i)
	}
	r.madeBy, r.flags, r.method = le.Uint16(h[4:]), le.Uint16(h[8:]), le.Uint16(h[10:])
	r.crc, r.external = le.Uint32(h[16:]), le.Uint32(h[38:])
	r.sizes = sizes{uint64(le.Uint32(h[24:])), uint64(le.Uint32(h[20:])), uint64(le.Uint32(h[42:]))}
	r.name = b[entryLen : entryLen+nameLen]
	disk := le.Uint16(h[34:])
	if extraLen > 0 || !r.plain() {
		if wrong := r.widen(b[entryLen+nameLen:entryLen+nameLen+extraLen], disk); wrong != "" {
			return p.errorf(at, CodeZip64Mismatch, "entry %q: %s", r.name, wrong)
		}
	}
	if disk != 0 && disk != ones16 {
		return p.errorf(at, CodeMultidisk, "entry %q lies on disk %d", r.name, disk)
	}
	if r.compressed > uint64(p.off) || r.offset > uint64(p.off) || r.size > 1<<62 {
		return p.outside(r, at)
	}
	return nil
}

func (p *parser) outside(r *record, at int) error {
	code := CodeOverlap
	if r.compressed > uint64(p.off) || r.size > 1<<62 {
		code = CodeZip64Mismatch
	}
	return p.errorf(at, code, "entry %q of %d bytes at %d does not lie before the directory", r.name, r.compressed, r.offset)
}

// add appends an entry that lies behind all that were added.
func (p *parser) add(r *record) {
	p.checkOverlap(r.offset)
	p.end = r.offset + localLen + uint64(len(r.name)) + r.compressed

	form, bad := p.serve(r)
	m := marks(form)<<bitsForm | marks(judge(r, p.names.last, bad))<<bitsReason
	if r.flags&flagDescriptor != 0 {
		m |= bitDescriptor
	}
	if r.flags&flagUTF8 != 0 {
		m |= bitUTF8
	}
	if r.method != methodStored || r.size != r.compressed || r.compressed >= ones32 {
		m |= bitWide
		p.wide = append(p.wide, wide{offset: r.offset, size: r.size, compressed: r.compressed, method: r.method, flags: r.flags})
	}
	p.recs = p.recs[:len(p.recs)+1]
	e := &p.recs[len(p.recs)-1] // field by field: faster than a copy
	e.offLow, e.offHigh = uint32(r.offset), uint16(r.offset>>32)
	e.compressed, e.crc = uint32(min(r.compressed, ones32)), r.crc
	e.rawLen, e.marks = uint16(len(r.name)), m
}

// checkOverlap wants the last entry to end before the next one, or the directory, begins.
func (p *parser) checkOverlap(next uint64) {
	if next >= p.end || p.overlap != nil {
		return
	}
	last := p.recs[len(p.recs)-1].offset()
	p.overlap = &Error{CodeOverlap, last, fmt.Sprintf("entry %q at byte %d reaches to byte %d, and what lies behind it begins at %d", p.names.last, last, p.end, next)}
}

// serve finds the name that r is served under, and adds it to the names.
func (p *parser) serve(r *record) (form nameForm, bad bool) {
	name := r.name
	if len(name) > 2 && name[0] == '.' && name[1] == '/' {
		name, form = name[2:], formDotSlash
	}
	shared := sharedPrefix(p.names.last, name)
	if p.neighbour(name, shared) {
		p.names.add(name, shared)
		return form, false
	}
	p.folder = -1
	if !utf8.Valid(name) {
		name, form = p.decode(r, name, form)
		shared = sharedPrefix(p.names.last, name)
	}
	p.names.add(name, shared)
	bad = form&formInvalid != 0 || badPath(name) && (string(name) != "./" || r.size > 0) // the packed folder itself, as libarchive writes it, is no bad name
	if !bad && form&formCP437 == 0 {
		p.folder = bytes.LastIndexByte(name, '/') + 1
	}
	return form, bad
}

// neighbour says whether name, of which so many bytes are those of the last name, lies in the last name's folder and may be a path as that
// one may: nearly all do. What is known good of the last name is not looked at again.
func (p *parser) neighbour(name []byte, shared int) bool {
	if p.folder < 0 || shared < p.folder || len(name) <= p.folder || shared == len(name) || shared > 0 && name[shared-1] >= utf8.RuneSelf {
		return false
	}
	switch name[p.folder] {
	case '.', '-', '~':
		return false
	}
	for _, c := range name[shared:] {
		if !plain[c] {
			return false
		}
	}
	return true
}

// decode makes UTF-8 of a name that is none, unless it claims to be: that is kept as it stands, not to be taken for another name, and not served.
func (p *parser) decode(r *record, name []byte, form nameForm) ([]byte, nameForm) {
	if r.flags&flagUTF8 != 0 {
		return r.name, formInvalid
	}
	p.spare[0], p.spare[1] = p.spare[1], decodeCP437(p.spare[0][:0], name)
	return p.spare[1], form | formCP437
}
