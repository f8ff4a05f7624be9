package gateway

import (
	"context"
	"io"
	"time"

	"zipreel/gateway/origin"
)

// read reads from storage, from whichever node.
func (g *Gateway) read(ctx context.Context, src *source, name string, off, n int64, want *origin.Validator) (*origin.Body, error) {
	return g.readElsewhere(ctx, src, name, off, n, want, 0)
}

// readElsewhere is the one door to storage: everything that is read there is counted here. Nodes of avoid come last.
func (g *Gateway) readElsewhere(ctx context.Context, src *source, name string, off, n int64, want *origin.Validator, avoid origin.NodeSet) (body *origin.Body, err error) {
	began := time.Now()
	if src.nodes != nil {
		body, err = src.nodes.ReadElsewhere(ctx, name, off, n, want, avoid)
	} else {
		body, err = src.Origin.Read(ctx, name, off, n, want)
	}
	if err != nil {
		g.metrics.readFailed(src.Name)
		return nil, err
	}
	g.metrics.read(src.Name)
	src.firstByte.note(time.Since(began))
	body.ReadCloser = &countedBody{ReadCloser: body.ReadCloser, g: g, src: src, archive: name, off: body.Off, began: began}
	return body, nil
}

// countedBody counts the bytes of one read, and tells those who watch when it has ended.
type countedBody struct {
	io.ReadCloser
	g       *Gateway
	src     *source
	archive string
	off, n  int64
	began   time.Time
	closed  bool
}

func (b *countedBody) Read(p []byte) (int, error) {
	m, err := b.ReadCloser.Read(p)
	b.n += int64(m)
	b.g.metrics.received(b.src.Name, m)
	return m, err
}

func (b *countedBody) Close() error {
	if !b.closed {
		b.closed = true
		b.g.events.publish(event{Name: "read", Source: b.src.Name, Archive: b.archive, Off: b.off, N: b.n, Millis: time.Since(b.began).Milliseconds()})
	}
	return b.ReadCloser.Close()
}
