// Package zipindex reads the central directory of a ZIP archive into an
// immutable Index that finds entries by name and by the bytes they occupy.
//
// It is pure: bytes in, index out. It does no I/O; where it lacks bytes it says
// which ([NeedMore]), and the caller reads them. It does not extract, does not
// write, and refuses every archive that two readers could understand
// differently.
package zipindex

import (
	"fmt"
	"iter"
)

// Code names why an archive is refused or an entry hidden. Codes are stable.
type Code string

const (
	CodeNotFound       Code = "zip-not-found"
	CodeIncomplete     Code = "archive-incomplete"
	CodeAmbiguousEnd   Code = "zip-ambiguous-end"
	CodePrefixData     Code = "zip-prefix-data"
	CodeDirectoryCount Code = "zip-directory-count"
	CodeZip64Mismatch  Code = "zip-zip64-mismatch"
	CodeMultidisk      Code = "zip-multidisk"
	CodeTooLarge       Code = "zip-too-large"
	CodeOverlap        Code = "zip-overlap"
	CodeDuplicateName  Code = "zip-duplicate-name"
	CodeBadPath        Code = "bad-path"
	CodeMethod         Code = "zip-method"
	CodeSizeMismatch   Code = "zip-size-mismatch"
	CodeEncrypted      Code = "zip-encrypted"
	CodeSpecialFile    Code = "zip-special-file"
	CodeDirectoryEntry Code = "not-found-entry"
	CodeLocalMismatch  Code = "zip-local-mismatch"
)

// Error says what is wrong with an archive or an entry, and where.
type Error struct {
	Code   Code
	Offset int64  // byte of the archive at which the fault was found
	Detail string // what is wrong there, for people
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s at byte %d: %s", e.Code, e.Offset, e.Detail)
}

// NeedMore says that the bytes given start too late: call Parse again with
// bytes from Off to the end of the archive. It is answered at most three times
// for one archive (end record, ZIP64 record, directory).
type NeedMore struct{ Off int64 }

func (e *NeedMore) Error() string { return fmt.Sprintf("need archive bytes from %d", e.Off) }

// Limits bound what Parse accepts. Zero means the default.
type Limits struct {
	Directory int64 // bytes of central directory; default 128 MiB
	Entries   int   // default 2,000,000
}

// Parse reads the central directory from tail, the bytes [off, size) of an
// archive of size bytes. The Index keeps nothing of tail.
func Parse(tail []byte, off, size int64, lim Limits) (*Index, error) { panic("stub") }

// Index is what an archive's central directory says. Immutable.
type Index struct{}

// Size is the archive's size in bytes.
func (x *Index) Size() int64 { panic("stub") }

// DirectoryOffset is where the central directory starts.
func (x *Index) DirectoryOffset() int64 { panic("stub") }

// Digest is the SHA-256 of the central directory's bytes (directory start up
// to the archive's end): with Size it is the archive's version, the same on every node.
func (x *Index) Digest() [32]byte { panic("stub") }

// Bytes is about how much memory the Index holds.
func (x *Index) Bytes() int64 { panic("stub") }

// Len is the number of entries, hidden ones included.
func (x *Index) Len() int { panic("stub") }

// Entry returns the i-th entry in order of header offset, 0 ≤ i < Len.
func (x *Index) Entry(i int) Entry { panic("stub") }

// All yields every entry, hidden ones included, in order of header offset.
func (x *Index) All() iter.Seq[Entry] { panic("stub") }

// Lookup finds an entry by the name it is served under. A hidden entry is
// found too: ask its Refused.
func (x *Index) Lookup(name string) (Entry, bool) { panic("stub") }

// Match says how a byte range lies to an entry.
type Match uint8

const (
	Outside Match = iota // in no entry's data
	Whole                // exactly the entry's data, or its header offset with its data's size
	Inside               // within the entry's region: the local header decides (see Entry.DataOffset)
)

// Locate says what the archive's bytes [off, off+n) are. Whole is answered
// without a look at the local header where directory and neighbours leave no
// doubt; Inside where only the local header can tell.
func (x *Index) Locate(off, n int64) (Entry, Match) { panic("stub") }

// Entry is one file of the archive, as the directory describes it.
type Entry struct {
	Name           string // as served: UTF-8, without a leading "./"
	Size           int64  // bytes of content
	CompressedSize int64  // bytes of data in the archive
	HeaderOffset   int64  // of the local header
	End            int64  // where the next local header, or the directory, begins
	CRC32          uint32 // of the content
	Method         uint16 // 0 stored, 8 deflated
	Flags          uint16 // general purpose bits
}

// Refused is nil for an entry that may be served, and says why not otherwise.
func (e Entry) Refused() *Error { panic("stub") }

// HeaderLen is how many bytes CheckLocal needs at least: 30 and the name.
func (e Entry) HeaderLen() int64 { panic("stub") }

// DataOffset guesses where the data starts from directory and neighbours.
// exact is true where the archive's layout leaves no other possibility that a known packer writes.
func (e Entry) DataOffset() (off int64, exact bool) { panic("stub") }

// CheckLocal compares the local header, given as the archive's bytes from
// HeaderOffset on (at least HeaderLen of them; more are welcome), with the directory and
// answers where the data starts. The error is an *Error with CodeLocalMismatch.
func (e Entry) CheckLocal(header []byte) (dataOffset int64, err error) { panic("stub") }
