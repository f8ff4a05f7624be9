package origin

import (
	"context"
	"io"
	"sync"
)

const (
	jumpRead = 256 << 10 // read at once where reads jump about
	runRead  = 8 << 20   // read at once where they go on from one another
)

// ReaderAt reads one archive as an io.ReaderAt, for programs that look at it once. All bytes are of one version: a change
// meanwhile is an ErrChanged. It holds at most 8 MiB. Safe for concurrent use, one read at a time.
func ReaderAt(ctx context.Context, o Origin, name string) (r io.ReaderAt, size int64, err error) {
	body, err := o.Read(ctx, name, Tail, jumpRead, nil)
	if err != nil {
		return nil, 0, err
	}
	a := &readerAt{ctx: ctx, o: o, name: name, v: body.Validator, size: body.Size}
	return a, body.Size, a.take(body)
}

type readerAt struct {
	ctx  context.Context // the program's
	o    Origin
	name string
	v    Validator
	size int64

	mu  sync.Mutex // guards following
	off int64      // of buf in the archive
	buf []byte
}

// ReadAt implements io.ReaderAt.
func (a *readerAt) ReadAt(p []byte, off int64) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	done := 0
	for done < len(p) {
		at := off + int64(done)
		if at < 0 || at >= a.size {
			return done, io.EOF
		}
		if at < a.off || at >= a.off+int64(len(a.buf)) {
			if err := a.fetch(at, len(p)-done); err != nil {
				return done, err
			}
		}
		done += copy(p[done:], a.buf[at-a.off:])
	}
	return done, nil
}

func (a *readerAt) fetch(at int64, want int) error {
	n := max(jumpRead, min(want, runRead))
	if at == a.off+int64(len(a.buf)) {
		n = runRead
	}
	body, err := a.o.Read(a.ctx, a.name, at, min(int64(n), a.size-at), &a.v)
	if err != nil {
		return err
	}
	return a.take(body)
}

func (a *readerAt) take(body *Body) error {
	defer body.Close()
	if int64(cap(a.buf)) < body.N {
		a.buf = make([]byte, body.N)
	}
	a.off, a.buf = body.Off, a.buf[:body.N]
	_, err := io.ReadFull(body, a.buf)
	if err != nil {
		a.buf = a.buf[:0]
	}
	return err
}
