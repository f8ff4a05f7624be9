package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"

	"zipreel/gateway/origin"
	"zipreel/zipindex"
)

const (
	tailBytes     = 68 << 10  // end record, longest comment and ZIP64's records always fit
	maxAlong      = 1 << 20   // most bytes read before the directory, for the playlists there
	loadBudget    = 512 << 20 // bytes of directories being read at once
	maxLoadRounds = 3         // NeedMore is answered at most this often
	maxLoadTries  = 3         // when the archive is replaced while it is loaded
)

// loadArchive reads the archive's directory: its tail, and at most one more read, which begins before the
// directory, where packers put the playlists. What came along whole is put into the cache.
func (g *Gateway) loadArchive(ctx context.Context, src *source, name string) (*archive, error) {
	var err error
	for range maxLoadTries {
		var a *archive
		if a, err = g.loadOnce(ctx, src, name); !errors.Is(err, origin.ErrChanged) {
			return a, err
		}
	}
	return nil, err
}

func (g *Gateway) loadOnce(ctx context.Context, src *source, name string) (*archive, error) {
	body, err := g.read(ctx, src, name, origin.Tail, tailBytes, nil)
	if err != nil {
		return nil, fmt.Errorf("read end of %q: %w", src.title(name), err)
	}
	tail, err := readAll(body)
	if err != nil {
		return nil, fmt.Errorf("read end of %q: %w", src.title(name), err)
	}
	v, off, size := body.Validator, body.Off, body.Size
	for range maxLoadRounds {
		index, err := zipindex.Parse(tail, off, size, g.limits())
		var more *zipindex.NeedMore
		if errors.As(err, &more) && more.Off >= 0 && more.Off < off {
			from := max(0, more.Off-min(size-more.Off, maxAlong))
			if err := g.archives.budget.Acquire(ctx, min(size-from, loadBudget)); err != nil {
				return nil, err
			}
			defer g.archives.budget.Release(min(size-from, loadBudget))
			head, err := g.readExact(ctx, src, name, from, off-from, &v)
			if err != nil {
				return nil, fmt.Errorf("read directory of %q: %w", src.title(name), err)
			}
			tail, off = append(head, tail...), from
			continue
		}
		if err != nil {
			return nil, g.refuse(ctx, src, name, tail, off, &v, err)
		}
		a := g.newArchive(src, name, index, v)
		g.keepAlong(a, tail, off)
		return a, nil
	}
	return nil, fmt.Errorf("read directory of %q: more reads needed than an archive may", src.title(name))
}

func (g *Gateway) newArchive(src *source, name string, index *zipindex.Index, v origin.Validator) *archive {
	a := &archive{src: src, name: name, id: g.archives.nextID.Add(1), index: index}
	a.validator.Store(&v)
	return a
}

// refuse tells an archive that is still being uploaded from something that is none: it starts like one.
func (g *Gateway) refuse(ctx context.Context, src *source, name string, tail []byte, off int64, v *origin.Validator, err error) error {
	var ze *zipindex.Error
	if !errors.As(err, &ze) || ze.Code != zipindex.CodeNotFound {
		return fmt.Errorf("directory of %q: %w", src.title(name), err)
	}
	head := tail
	if off > 0 {
		var rerr error
		if head, rerr = g.readExact(ctx, src, name, 0, 4, v); rerr != nil {
			return fmt.Errorf("read start of %q: %w", src.title(name), rerr)
		}
	}
	if zipindex.StartsLikeZip(head) {
		err = &zipindex.Error{Code: zipindex.CodeIncomplete, Offset: v.Size, Detail: "the object starts like a ZIP archive but has no end record; its upload has not ended"}
	}
	return fmt.Errorf("directory of %q: %w", src.title(name), err)
}

// keepAlong puts the entries that lie whole in data, the archive's bytes from off on, into the cache.
// One that is not as the directory says is left for its own read to find out.
func (g *Gateway) keepAlong(a *archive, data []byte, off int64) {
	if a.src.local {
		return
	}
	for i := a.index.Len() - 1; i >= 0; i-- {
		e := a.index.Entry(i)
		if e.HeaderOffset < off {
			return
		}
		if e.Refused() != nil || e.Method != 0 || e.Size == 0 {
			continue
		}
		header := data[e.HeaderOffset-off : e.End-off]
		dataOffset, err := e.CheckLocal(header)
		if err != nil || dataOffset+e.CompressedSize > e.End {
			continue
		}
		g.cache.Put(a.object(e), data[dataOffset-off:dataOffset-off+e.Size]) // refused when the CRC is wrong
	}
}

// readExact reads [off, off+n) of the archive into memory.
func (g *Gateway) readExact(ctx context.Context, src *source, name string, off, n int64, want *origin.Validator) ([]byte, error) {
	body, err := g.read(ctx, src, name, off, n, want)
	if err != nil {
		return nil, err
	}
	return readAll(body)
}

// readAll reads a body to its end and closes it. Memory grows with what arrives, not with what was announced.
func readAll(body *origin.Body) ([]byte, error) {
	defer body.Close()
	buf := make([]byte, 0, min(body.N, 1<<20))
	for int64(len(buf)) < body.N {
		if len(buf) == cap(buf) {
			grown := make([]byte, len(buf), min(body.N, 2*int64(cap(buf))))
			copy(grown, buf)
			buf = grown
		}
		m, err := body.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+m]
		if err == io.EOF && int64(len(buf)) < body.N {
			return nil, io.ErrUnexpectedEOF
		}
		if err != nil && err != io.EOF {
			return nil, err
		}
	}
	return buf, nil
}
