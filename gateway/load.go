package gateway

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"golang.org/x/sync/semaphore"

	"zipreel/gateway/origin"
	"zipreel/zipindex"
)

const (
	tailBytes     = 68 << 10  // end record, longest comment and ZIP64's records always fit
	maxAlong      = 1 << 20   // most bytes read before the directory, for the playlists there
	loadBudget    = 512 << 20 // bytes of directories being read at once
	maxLoadRounds = 3         // NeedMore is answered at most this often
	maxLoadTries  = 4         // when the archive is replaced while it is loaded, or is none on some nodes
)

// loadArchive reads the archive's directory: its tail, and at most one more read, which begins before the
// directory, where packers put the playlists. What came along whole is put into the cache.
func (g *Gateway) loadArchive(ctx context.Context, src *source, name string) (*archive, error) {
	var first error // told at the end, unless only that the archive changed
	for try := 1; ; try++ {
		a, v, err := g.loadOnce(ctx, src, name, try == maxLoadTries)
		if err == nil {
			return a, nil
		}
		changed := errors.Is(err, origin.ErrChanged)
		if first == nil || errors.Is(first, origin.ErrChanged) {
			first = err
		}
		var ze *zipindex.Error
		elsewhere := errors.As(err, &ze) && src.nodes != nil && src.nodes.Reject(name, v)
		if try >= maxLoadTries || !changed && !elsewhere {
			return nil, first
		}
	}
}

// loadOnce loads one version, and answers its validator even where that is no archive. loose is for a node whose validators change with every answer: it is held to the
// archive's size.
func (g *Gateway) loadOnce(ctx context.Context, src *source, name string, loose bool) (*archive, origin.Validator, error) {
	var budget share
	defer func() { g.archives.budget.Release(int64(budget)) }()
	n := g.archives.tail(src, name)
	if err := budget.set(ctx, g.archives.budget, n); err != nil {
		return nil, origin.Validator{}, err
	}
	body, err := g.read(ctx, src, name, origin.Tail, n, nil)
	if err != nil {
		return nil, origin.Validator{}, fmt.Errorf("read end of %q: %w", src.title(name), err)
	}
	v, want, off, size := body.Validator, body.Validator, body.Off, body.Size
	if loose {
		want = v.SizeOnly()
	}
	tail, err := readAll(body)
	if err != nil {
		return nil, v, fmt.Errorf("read end of %q: %w", src.title(name), err)
	}
	for range maxLoadRounds {
		index, err := zipindex.Parse(tail, off, size, g.limits())
		var more *zipindex.NeedMore
		if errors.As(err, &more) && more.Off >= 0 && more.Off < off {
			from := max(0, more.Off-min(size-more.Off, maxAlong))
			if err := budget.set(ctx, g.archives.budget, size-from); err != nil {
				return nil, v, err
			}
			head, err := g.readExact(ctx, src, name, from, off-from, &want)
			if err != nil {
				return nil, v, fmt.Errorf("read directory of %q: %w", src.title(name), err)
			}
			tail, off = append(head, tail...), from
			continue
		}
		if err != nil {
			return nil, v, g.refuse(ctx, src, name, tail, off, &want, err)
		}
		a := g.newArchive(src, name, index, v)
		a.proof = proofOf(index, tail, off)
		if src.nodes != nil {
			src.nodes.Confirm(v, a.proof)
		}
		g.save(a, tail, off)
		g.keepAlong(a, tail, off)
		g.archives.setTail(src, name, size-off)
		return a, v, nil
	}
	return nil, v, fmt.Errorf("read directory of %q: more reads needed than an archive may", src.title(name))
}

// share is what a load holds of the budget for directories being read.
type share int64

// set waits for n bytes in place of what is held.
func (s *share) set(ctx context.Context, budget *semaphore.Weighted, n int64) error {
	budget.Release(int64(*s))
	*s = 0
	if err := budget.Acquire(ctx, min(n, loadBudget)); err != nil {
		return err
	}
	*s = share(min(n, loadBudget))
	return nil
}

// proofOf is the digest of the directory and of all behind it, by which versions and nodes are told apart. data is the archive's end, from off on.
func proofOf(index *zipindex.Index, data []byte, off int64) origin.Proof {
	from := index.DirectoryOffset()
	return origin.Proof{Off: from, N: index.Size() - from, SHA256: sha256.Sum256(data[from-off:])}
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
	return fmt.Errorf("directory of %q: %w", src.title(name), ze.Unfinished(head, v.Size))
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
