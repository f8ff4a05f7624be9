package gateway

import (
	"context"
	"errors"
	"hash/crc32"
	"io"
	"sync"

	"zipreel/gateway/cache"
	"zipreel/gateway/origin"
	"zipreel/zipindex"
)

const (
	localBuffer = 256 << 10
	localHeld   = 16 << 10 // held back until the CRC agrees, as in cache
)

var localBuffers = sync.Pool{New: func() any { b := make([]byte, localBuffer); return &b }}

// localReader reads an entry from a local file for one viewer. Nothing of it is cached, since the system
// does that. An entry read whole ends cleanly only when its CRC agrees.
type localReader struct {
	entryReader
	off, n int64
	buf    *[]byte // nil before the first Next and after Close
	from   int     // bytes [from, to) of buf were read and not yet handed out
	to     int
	left   int64 // bytes not yet read
	sum    uint32
}

func newLocalReader(g *Gateway, a *archive, e zipindex.Entry, off, n int64) *localReader {
	return &localReader{
		entryReader: entryReader{g: g, a: a, e: e, want: a.validator.Load()},
		off:         off, n: n, left: n,
	}
}

// Next answers bytes that are valid until the following Next.
func (r *localReader) Next(ctx context.Context) ([]byte, error) {
	if r.buf == nil {
		if err := r.begin(ctx); err != nil {
			return nil, err
		}
	}
	buf := *r.buf
	r.to, r.from = copy(buf, buf[r.from:r.to]), 0
	for r.left > 0 {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		m, err := r.Read(buf[r.to:min(int64(len(buf)), int64(r.to)+r.left)])
		if err != nil && int64(m) < r.left {
			return nil, unexpectedEOF(err)
		}
		r.took(buf[r.to : r.to+m])
		if p := r.ready(); len(p) > 0 {
			return p, nil
		}
	}
	if r.whole() && r.sum != r.e.CRC32 {
		return nil, errWrongArchive // a file is the same whenever it is read
	}
	if r.from == r.to {
		return nil, io.EOF
	}
	p := buf[r.from:r.to]
	r.from = r.to
	return p, nil
}

// begin opens the data, in the version that the file has now.
func (r *localReader) begin(ctx context.Context) error {
	r.ctx = context.WithoutCancel(ctx) // a file's reads do not wait
	err := r.open(r.off, r.n)
	if errors.Is(err, origin.ErrChanged) {
		if r.a, r.e, err = r.g.renewed(ctx, r.a, r.e, r.want); err == nil {
			r.want = r.a.validator.Load()
			err = r.open(r.off, r.n)
		}
	}
	if err == nil {
		r.buf = localBuffers.Get().(*[]byte)
	}
	return err
}

func (r *localReader) whole() bool { return r.off == 0 && r.n == r.e.Size }

func (r *localReader) took(p []byte) {
	r.to += len(p)
	r.left -= int64(len(p))
	if r.whole() {
		r.sum = crc32.Update(r.sum, crc32.IEEETable, p)
	}
}

// ready answers what may be handed out while bytes are still to come.
func (r *localReader) ready() []byte {
	to := r.to
	if r.whole() {
		to = max(r.from, r.to-localHeld)
	}
	if r.left == 0 {
		return nil // Next checks and hands out the rest
	}
	p := (*r.buf)[r.from:to]
	r.from = to
	return p
}

// Outcome is a hit: no bytes come over a network.
func (*localReader) Outcome() cache.Outcome { return cache.Hit }

func (r *localReader) Close() {
	r.close()
	if r.buf != nil {
		localBuffers.Put(r.buf)
		r.buf = nil
	}
}

func (r *localReader) Leave() { r.Close() }
