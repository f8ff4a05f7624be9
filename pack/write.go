package pack

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"unicode/utf8"
)

// An archive is written as APPNOTE 6.3.10 says: local headers (4.3.7) with sizes and CRC, so that no descriptors follow; all stored; ZIP64 only where
// a size, an offset or the count asks for it. Every entry is from 1980-01-01 and has no attributes.

const (
	ones16  = 1<<16 - 1
	ones32  = 1<<32 - 1
	dosDate = 1<<5 | 1 // 1980-01-01
	flagUTF = 1 << 11

	versionPlain = 20 // needed to extract
	version64    = 45
	localLen     = 30
	zip64Local   = 20 // extra field with both sizes
)

// large says whether the sizes need ZIP64.
func (e *entry) large() bool { return e.size >= ones32 }

// dataOffset is where the entry's data starts, once it is placed.
func (e *entry) dataOffset() int64 {
	n := e.header + localLen + int64(len(e.name))
	if e.large() {
		n += zip64Local
	}
	return n
}

func (e *entry) flags() uint16 {
	for i := range len(e.name) {
		if e.name[i] >= utf8.RuneSelf {
			return flagUTF
		}
	}
	return 0
}

func clamp32(n int64) uint32 { return uint32(min(n, ones32)) }

// write writes the whole archive and answers its size.
func (p *packer) write(f io.Writer) (int64, error) {
	w := &writer{w: bufio.NewWriterSize(f, 1<<20)}
	for _, e := range p.files {
		w.local(e)
		if err := p.writeData(w, e); err != nil {
			return 0, err
		}
		if w.err == nil && w.n != e.dataOffset()+e.size {
			return 0, errors.New("the layout that was planned is not the one written")
		}
	}
	start := w.n
	for _, e := range p.files {
		w.central(e)
	}
	w.end(start, int64(len(p.files)))
	if w.err == nil {
		w.err = w.w.Flush()
	}
	return w.n, w.err
}

// writeData copies an entry's bytes, which must be those that were measured.
func (p *packer) writeData(w *writer, e *entry) error {
	if e.isText {
		_, err := w.Write(e.text)
		p.progress(e.size)
		return err
	}
	crc := crc32.NewIEEE()
	if err := p.read(e, io.MultiWriter(w, crc)); err != nil {
		return err
	}
	if crc.Sum32() != e.crc {
		return errors.New(e.name + ": it changed while it was packed")
	}
	return nil
}

// writer counts bytes and keeps the first error.
type writer struct {
	w   *bufio.Writer
	n   int64
	err error
}

func (w *writer) Write(b []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	n, err := w.w.Write(b)
	w.n, w.err = w.n+int64(n), err
	return n, err
}

// record writes a signature, little-endian fields, and bytes.
func (w *writer) record(fields ...any) {
	var b bytes.Buffer
	for _, f := range fields {
		if s, ok := f.(string); ok {
			b.WriteString(s)
			continue
		}
		binary.Write(&b, binary.LittleEndian, f) // into memory: it does not fail
	}
	w.Write(b.Bytes())
}

// local writes a local header (APPNOTE 4.3.7).
func (w *writer) local(e *entry) {
	version, extra := uint16(versionPlain), ""
	if e.large() {
		version, extra = version64, zip64Extra(e.size, e.size)
	}
	w.record("PK\x03\x04", version, e.flags(), uint16(0), uint16(0), uint16(dosDate), e.crc,
		clamp32(e.size), clamp32(e.size), uint16(len(e.name)), uint16(len(extra)), e.name, extra)
}

// central writes a central directory header (APPNOTE 4.3.12).
func (w *writer) central(e *entry) {
	var wide []int64
	if e.large() {
		wide = append(wide, e.size, e.size)
	}
	if e.header >= ones32 {
		wide = append(wide, e.header)
	}
	version, extra := uint16(versionPlain), ""
	if wide != nil {
		version, extra = version64, zip64Extra(wide...)
	}
	w.record("PK\x01\x02", version, version, e.flags(), uint16(0), uint16(0), uint16(dosDate), e.crc,
		clamp32(e.size), clamp32(e.size), uint16(len(e.name)), uint16(len(extra)), uint16(0), uint16(0), uint16(0),
		uint32(0), clamp32(e.header), e.name, extra)
}

// zip64Extra is the ZIP64 extra field (APPNOTE 4.5.3).
func zip64Extra(values ...int64) string {
	b := binary.LittleEndian.AppendUint16(nil, 1)
	b = binary.LittleEndian.AppendUint16(b, uint16(8*len(values)))
	for _, v := range values {
		b = binary.LittleEndian.AppendUint64(b, uint64(v))
	}
	return string(b)
}

// end writes the end records (APPNOTE 4.3.14 to 4.3.16) for a directory that started at start.
func (w *writer) end(start, count int64) {
	at := w.n
	size := at - start
	if count >= ones16 || start >= ones32 || size >= ones32 {
		w.record("PK\x06\x06", uint64(44), uint16(version64), uint16(version64), uint32(0), uint32(0),
			uint64(count), uint64(count), uint64(size), uint64(start))
		w.record("PK\x06\x07", uint32(0), uint64(at), uint32(1))
	}
	n := uint16(min(count, ones16))
	w.record("PK\x05\x06", uint16(0), uint16(0), n, n, clamp32(size), clamp32(start), uint16(0))
}
