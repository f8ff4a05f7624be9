package zipindex

import (
	"errors"
	"io"
)

// firstTail holds the end record, the longest comment and ZIP64's records (APPNOTE 4.3.14 to 4.3.16), unless those carry data of their own.
const firstTail = 68 << 10

// mostReads is one more than NeedMore is answered.
const mostReads = 4

// Read reads the central directory of an archive of size bytes: its last 68 KiB and, where the directory begins before those, all from there on. One that begins like an archive and has no end is refused with
// [CodeIncomplete]. The error is an *Error, or r's own.
func Read(r io.ReaderAt, size int64, lim Limits) (*Index, error) {
	if size < 0 {
		return nil, &Error{CodeNotFound, 0, "an archive of less than no bytes"}
	}
	off := max(0, size-firstTail)
	for range mostReads {
		tail := make([]byte, size-off)
		if err := readAt(r, tail, off); err != nil {
			return nil, err
		}
		x, err := Parse(tail, off, size, lim)
		var more *NeedMore
		if !errors.As(err, &more) {
			return x, unfinished(err, r, size)
		}
		off = more.Off
	}
	return nil, &Error{CodeNotFound, off, "the directory asks for more reads than an archive's may"}
}

// unfinished answers err, or what says more about an archive that was cut off.
func unfinished(err error, r io.ReaderAt, size int64) error {
	head := make([]byte, min(size, int64(len(sigLocal))))
	var e *Error
	if !errors.As(err, &e) || e.Code != CodeNotFound || readAt(r, head, 0) != nil {
		return err
	}
	return e.Unfinished(head, size)
}

// Unfinished answers e or, where e says that no end record was found and head, the object's first four bytes, are an archive's, an Error with [CodeIncomplete].
func (e *Error) Unfinished(head []byte, size int64) *Error {
	if e.Code != CodeNotFound || !StartsLikeZip(head) {
		return e
	}
	return &Error{CodeIncomplete, size, "it starts like a ZIP archive and has no end record: it is still being written, or was cut off"}
}

func readAt(r io.ReaderAt, p []byte, off int64) error {
	n, err := r.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
