// Package ziptest builds ZIP archives byte by byte, right and wrong ones, for tests.
//
// It writes what it is told to: every header can be edited before it is laid down, so that an archive can lie in any one place.
package ziptest

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
)

var le = binary.LittleEndian

// Places of fields in a local header (APPNOTE 4.3.7).
const (
	LocalFlags      = 6  // 2 bytes
	LocalMethod     = 8  // 2 bytes
	LocalCRC        = 14 // 4 bytes
	LocalCompressed = 18 // 4 bytes
	LocalSize       = 22 // 4 bytes
	LocalNameLen    = 26 // 2 bytes
	LocalExtraLen   = 28 // 2 bytes
	LocalName       = 30
)

// Places of fields in a central header (APPNOTE 4.3.12).
const (
	CentralMadeBy     = 4  // 2 bytes
	CentralFlags      = 8  // 2 bytes
	CentralMethod     = 10 // 2 bytes
	CentralCRC        = 16 // 4 bytes
	CentralCompressed = 20 // 4 bytes
	CentralSize       = 24 // 4 bytes
	CentralNameLen    = 28 // 2 bytes
	CentralDisk       = 34 // 2 bytes
	CentralExternal   = 38 // 4 bytes
	CentralOffset     = 42 // 4 bytes
	CentralName       = 46
)

// Places of fields in an end record (APPNOTE 4.3.16).
const (
	EndDisk        = 4  // 2 bytes
	EndEntriesHere = 8  // 2 bytes
	EndEntries     = 10 // 2 bytes
	EndSize        = 12 // 4 bytes
	EndOffset      = 16 // 4 bytes
	EndComment     = 20 // 2 bytes: the comment's length
)

// Places of fields in a ZIP64 end record (APPNOTE 4.3.14) and in its locator (4.3.15).
const (
	End64Len         = 4  // 8 bytes
	End64Disk        = 16 // 4 bytes
	End64EntriesHere = 24 // 8 bytes
	End64Entries     = 32 // 8 bytes
	End64Size        = 40 // 8 bytes
	End64Offset      = 48 // 8 bytes
	LocatorOffset    = 8  // 8 bytes
	LocatorDisks     = 16 // 4 bytes
)

// Edit changes a finished header in place.
type Edit func(header []byte)

// Put16 sets two bytes.
func Put16(at int, v uint16) Edit { return func(h []byte) { le.PutUint16(h[at:], v) } }

// Put32 sets four bytes.
func Put32(at int, v uint32) Edit { return func(h []byte) { le.PutUint32(h[at:], v) } }

// Put64 sets eight bytes.
func Put64(at int, v uint64) Edit { return func(h []byte) { le.PutUint64(h[at:], v) } }

// PutString sets the bytes of s.
func PutString(at int, s string) Edit { return func(h []byte) { copy(h[at:], s) } }

// Edits makes several edits one.
func Edits(all ...Edit) Edit {
	return func(h []byte) {
		for _, e := range all {
			e(h)
		}
	}
}

// File is one entry. Name and Data alone make a stored one.
type File struct {
	Name          string
	Data          []byte // as it lies in the archive
	Size          uint64 // of the content; 0 means len(Data)
	CRC           uint32 // of the content; 0 means Data's
	Method, Flags uint16
	MadeBy        uint16
	External      uint32
	Extra         []byte // in the central header
	LocalExtra    []byte
	Before, After []byte // bytes before the local header, and behind the data
	Local         Edit   // of the finished local header
	Central       Edit   // of the finished central header
	NoCentral     bool   // the directory does not know it
	NoLocal       bool   // nothing but the directory knows it
}

// Deflated answers a file whose data is content, deflated.
func Deflated(name string, content []byte) File {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		panic(err) // the level is a constant
	}
	w.Write(content) // a bytes.Buffer takes everything
	w.Close()
	return File{Name: name, Data: b.Bytes(), Size: uint64(len(content)), CRC: crc32.ChecksumIEEE(content), Method: 8}
}

// Archive is what Build lays down.
type Archive struct {
	Prefix  []byte // before everything; offsets count it
	Files   []File
	Gap     []byte // behind the directory, before the end records
	Comment []byte
	Trailer []byte // behind the end record
	Zip64   bool   // with a ZIP64 end record and its locator
	Ext64   []byte // extensible data of the ZIP64 end record
	End64   Edit   // of the finished records
	Locator Edit
	End     Edit
}

// Build lays the archive down.
func (a Archive) Build() []byte {
	b := bytes.Clone(a.Prefix)
	var dir []byte
	entries := 0
	for _, f := range a.Files {
		b = append(b, f.Before...)
		if !f.NoCentral {
			dir = append(dir, f.central(uint32(len(b)))...)
			entries++
		}
		if !f.NoLocal {
			b = append(b, f.local()...)
			b = append(b, f.Data...)
		}
		b = append(b, f.After...)
	}
	dirOffset := len(b)
	b = append(b, dir...)
	return append(b, a.Tail(int64(dirOffset), int64(len(dir)), int64(entries))...)
}

// Tail answers what lies behind a directory of size bytes at offset: Gap, end records, Comment, Trailer.
func (a Archive) Tail(offset, size, entries int64) []byte {
	b := bytes.Clone(a.Gap)
	if a.Zip64 {
		at := offset + size + int64(len(b))
		b = append(b, edited(a.end64(offset, size, entries), a.End64)...)
		l := append([]byte("PK\x06\x07"), make([]byte, 16)...)
		Edits(Put64(LocatorOffset, uint64(at)), Put32(LocatorDisks, 1))(l)
		b = append(b, edited(l, a.Locator)...)
	}
	e := append([]byte("PK\x05\x06"), make([]byte, 18)...)
	Put16(EndComment, uint16(len(a.Comment)))(e)
	if a.Zip64 && (offset+size >= 1<<32 || entries >= 1<<16) {
		Edits(Put16(EndEntriesHere, 1<<16-1), Put16(EndEntries, 1<<16-1), Put32(EndSize, 1<<32-1), Put32(EndOffset, 1<<32-1))(e)
	} else {
		Edits(Put16(EndEntriesHere, uint16(entries)), Put16(EndEntries, uint16(entries)), Put32(EndSize, uint32(size)), Put32(EndOffset, uint32(offset)))(e)
	}
	b = append(b, edited(e, a.End)...)
	b = append(b, a.Comment...)
	return append(b, a.Trailer...)
}

func (a Archive) end64(offset, size, entries int64) []byte {
	b := append([]byte("PK\x06\x06"), make([]byte, 52)...)
	Edits(
		Put64(End64Len, uint64(44+len(a.Ext64))), Put16(12, 45), Put16(14, 45),
		Put64(End64EntriesHere, uint64(entries)), Put64(End64Entries, uint64(entries)),
		Put64(End64Size, uint64(size)), Put64(End64Offset, uint64(offset)),
	)(b)
	return append(b, a.Ext64...)
}

func edited(h []byte, e Edit) []byte {
	if e != nil {
		e(h)
	}
	return h
}

func (f File) crc() uint32 {
	if f.CRC != 0 {
		return f.CRC
	}
	return crc32.ChecksumIEEE(f.Data)
}

func (f File) size() uint32 {
	if f.Size != 0 {
		return uint32(f.Size)
	}
	return uint32(len(f.Data))
}

func (f File) local() []byte {
	h := append([]byte("PK\x03\x04"), make([]byte, 26)...)
	Edits(
		Put16(4, 20), Put16(LocalFlags, f.Flags), Put16(LocalMethod, f.Method),
		Put16(LocalNameLen, uint16(len(f.Name))), Put16(LocalExtraLen, uint16(len(f.LocalExtra))),
	)(h)
	if f.Flags&8 == 0 {
		Edits(Put32(LocalCRC, f.crc()), Put32(LocalCompressed, uint32(len(f.Data))), Put32(LocalSize, f.size()))(h)
	}
	h = append(h, f.Name...)
	return edited(append(h, f.LocalExtra...), f.Local)
}

func (f File) central(offset uint32) []byte {
	h := append([]byte("PK\x01\x02"), make([]byte, 42)...)
	Edits(
		Put16(CentralMadeBy, f.MadeBy), Put16(6, 20), Put16(CentralFlags, f.Flags), Put16(CentralMethod, f.Method),
		Put32(CentralCRC, f.crc()), Put32(CentralCompressed, uint32(len(f.Data))), Put32(CentralSize, f.size()),
		Put16(CentralNameLen, uint16(len(f.Name))), Put16(30, uint16(len(f.Extra))),
		Put32(CentralExternal, f.External), Put32(CentralOffset, offset),
	)(h)
	h = append(h, f.Name...)
	return edited(append(h, f.Extra...), f.Central)
}

// Extra answers an extra field (APPNOTE 4.5.1).
func Extra(id uint16, data []byte) []byte {
	b := le.AppendUint16(nil, id)
	b = le.AppendUint16(b, uint16(len(data)))
	return append(b, data...)
}

// Extra64 answers a ZIP64 extra field of these values (APPNOTE 4.5.3).
func Extra64(values ...uint64) []byte {
	var b []byte
	for _, v := range values {
		b = le.AppendUint64(b, v)
	}
	return Extra(1, b)
}

// Descriptor answers what follows deferred data (APPNOTE 4.3.9), with its signature.
func Descriptor(data []byte) []byte {
	b := le.AppendUint32([]byte("PK\x07\x08"), crc32.ChecksumIEEE(data))
	b = le.AppendUint32(b, uint32(len(data)))
	return le.AppendUint32(b, uint32(len(data)))
}
