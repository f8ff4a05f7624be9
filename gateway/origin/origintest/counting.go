package origintest

import (
	"context"
	"io"
	"sync/atomic"

	"zipreel/gateway/origin"
)

// Counted is an Origin that counts what is read of another.
type Counted struct {
	origin.Origin
	reads, bytes atomic.Int64
}

// Counting counts what is read of o. Of its abilities, Read alone is kept.
func Counting(o origin.Origin) *Counted { return &Counted{Origin: o} }

// Reads is how many reads were asked for.
func (c *Counted) Reads() int64 { return c.reads.Load() }

// Bytes is how many bytes were taken from bodies.
func (c *Counted) Bytes() int64 { return c.bytes.Load() }

// Read implements origin.Origin.
func (c *Counted) Read(ctx context.Context, name string, off, n int64, want *origin.Validator) (*origin.Body, error) {
	c.reads.Add(1)
	body, err := c.Origin.Read(ctx, name, off, n, want)
	if err != nil {
		return nil, err
	}
	body.ReadCloser = &countedBody{body.ReadCloser, &c.bytes}
	return body, nil
}

type countedBody struct {
	io.ReadCloser
	bytes *atomic.Int64
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.bytes.Add(int64(n))
	return n, err
}
