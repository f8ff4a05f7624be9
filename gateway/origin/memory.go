package origin

import (
	"bytes"
	"context"
	"io"
	"slices"
	"sync"
	"time"
)

const maxReads = 1 << 16 // reads that a Memory remembers

// Memory is an Origin over bytes in memory, for tests and for programs that embed a few archives. It keeps what was read of it.
type Memory struct {
	mu       sync.Mutex // guards following
	archives map[string]memoryObject
	reads    []Read
}

// Read is one read that a Memory answered.
type Read struct {
	Name   string
	Off, N int64
}

type memoryObject struct {
	data      io.ReaderAt
	validator Validator
}

// NewMemory makes an empty Memory.
func NewMemory() *Memory { return &Memory{archives: map[string]memoryObject{}} }

// Set puts an archive there, or another in its place. etag is with its quotes; empty for none.
func (m *Memory) Set(name string, data []byte, etag string) {
	m.SetReaderAt(name, bytes.NewReader(data), int64(len(data)), etag)
}

// SetReaderAt is Set for data that need not be in memory.
func (m *Memory) SetReaderAt(name string, data io.ReaderAt, size int64, etag string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.archives[name] = memoryObject{data, Validator{ETag: etag, Size: size, Modified: time.Unix(1_700_000_000, 0)}}
}

// Remove takes an archive away.
func (m *Memory) Remove(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.archives, name)
}

// Reads answers the last reads, at most 65,536, in order.
func (m *Memory) Reads() []Read {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.reads)
}

// Read implements Origin.
func (m *Memory) Read(ctx context.Context, name string, off, n int64, want *Validator) (*Body, error) {
	fail := func(kind, err error) (*Body, error) {
		return nil, &Error{Kind: kind, Archive: name, Off: off, N: n, Err: err}
	}
	if ctx.Err() != nil {
		return fail(ErrTimeout, ended(ctx))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	o, ok := m.archives[name]
	if !ok {
		return fail(ErrNotFound, nil)
	}
	if want != nil && *want != o.validator {
		return fail(ErrChanged, nil)
	}
	off, n, ok = clip(off, n, o.validator.Size)
	if !ok {
		return fail(ErrBadRange, nil)
	}
	if len(m.reads) >= maxReads {
		m.reads = slices.Delete(m.reads, 0, maxReads/2)
	}
	m.reads = append(m.reads, Read{name, off, n})
	body := &memoryBody{ctx: ctx, name: name, data: o.data, at: off, end: off + n}
	return &Body{ReadCloser: body, Off: off, N: n, Size: o.validator.Size, Validator: o.validator}, nil
}

// memoryBody reads [at, end) of data that may break off or outlive its reader's ctx.
type memoryBody struct {
	ctx     context.Context // of the read
	name    string
	data    io.ReaderAt
	at, end int64
}

func (b *memoryBody) Read(p []byte) (int, error) {
	if b.at >= b.end {
		return 0, io.EOF
	}
	if b.ctx.Err() != nil {
		return 0, b.fail(ErrTimeout, ended(b.ctx))
	}
	n, err := b.data.ReadAt(p[:min(int64(len(p)), b.end-b.at)], b.at)
	b.at += int64(n)
	if n > 0 || err == nil {
		return n, nil
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return 0, b.fail(ErrUnavailable, err)
}

func (b *memoryBody) fail(kind, err error) error {
	return &Error{Kind: kind, Archive: b.name, Off: b.at, N: b.end - b.at, Err: err}
}

// Close ends reading.
func (b *memoryBody) Close() error {
	b.at = b.end
	return nil
}

// clip resolves a tail and cuts a range at the object's end. ok is false where none of it is there; an empty object's tail is empty.
func clip(off, n, size int64) (int64, int64, bool) {
	if n <= 0 || off < Tail {
		return 0, 0, false
	}
	if off == Tail {
		n = min(n, size)
		return size - n, n, true
	}
	if off >= size {
		return 0, 0, false
	}
	return off, min(n, size-off), true
}
