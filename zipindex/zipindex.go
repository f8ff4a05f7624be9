// Package zipindex reads the central directory of a ZIP archive into an
// immutable Index that finds entries by name and by the bytes they occupy.
//
// [Parse] is pure: bytes in, index out. Where it lacks bytes it says which
// ([NeedMore]), and the caller reads them; [Read] does both. It does not extract, does not
// write, and refuses every archive that two readers could understand
// differently.
package zipindex

import "fmt"

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

const (
	defaultDirectory = 128 << 20
	defaultEntries   = 2_000_000
)

func (l Limits) withDefaults() Limits {
	if l.Directory <= 0 {
		l.Directory = defaultDirectory
	}
	if l.Entries <= 0 {
		l.Entries = defaultEntries
	}
	l.Directory = min(l.Directory, 1<<29) // positions within it, and within names three times as long, are held in 32 bits
	return l
}

// Parse reads the central directory from tail, the bytes [off, size) of an
// archive of size bytes. The Index keeps nothing of tail.
//
// Start with at least the last 68 KiB, or all, of what is not trusted: a second end
// record is looked for there, and in fewer bytes would not be seen.
//
// The error is a *NeedMore when tail starts too late, else an *Error.
func Parse(tail []byte, off, size int64, lim Limits) (*Index, error) {
	if off < 0 || size < off || int64(len(tail)) != size-off {
		return nil, &Error{CodeNotFound, 0, fmt.Sprintf("%d bytes given for [%d, %d)", len(tail), off, size)}
	}
	lim = lim.withDefaults()
	v := view{tail, off}
	end, err := findEnd(v, size)
	if err != nil {
		return nil, err
	}
	if err := end.check(lim); err != nil {
		return nil, err
	}
	if end.dirOffset < off {
		return nil, &NeedMore{end.dirOffset}
	}
	return parseDirectory(v, end, size)
}

// StartsLikeZip says whether the first bytes of an object are a local header's signature (APPNOTE 4.3.7), or an empty archive's.
func StartsLikeZip(head []byte) bool {
	return len(head) >= 4 && (string(head[:4]) == sigLocal || string(head[:4]) == sigEnd)
}

// view is bytes of the archive from off on.
type view struct {
	b   []byte
	off int64
}

// at answers n bytes of the archive from off on; ok is false where the view does not hold them.
func (v view) at(off, n int64) (b []byte, ok bool) {
	if off < v.off || n < 0 || off-v.off > int64(len(v.b))-n {
		return nil, false
	}
	return v.b[off-v.off : off-v.off+n], true
}
