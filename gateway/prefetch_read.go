package gateway

import (
	"context"
	"io"

	"zipreel/gateway/cache"
	"zipreel/zipindex"
)

// job reads ahead of one run, until what lies ahead is there.
type job struct {
	p      *prefetch
	a      *archive
	run    *run
	cancel context.CancelFunc
}

// do is the job's goroutine. The segment asked for comes first: nothing is read beside it, but where storage is slow to answer, since the
// viewer would ask for the next one before its read has begun.
func (j *job) do(ctx context.Context, e zipindex.Entry) {
	p := j.p
	defer j.cancel()
	defer func() {
		p.mu.Lock()
		j.run.job = nil
		p.mu.Unlock()
	}()
	for begun := false; ; {
		if !j.a.src.firstByte.slow() && !p.arrived(ctx, j.a, e) {
			return
		}
		p.mu.Lock()
		at, next, count := j.run.e, j.run.next, j.run.count
		p.mu.Unlock()
		if at.HeaderOffset != e.HeaderOffset {
			e, begun = at, false
			continue // the viewer is further meanwhile
		}
		group, _ := p.plan(j.a, next, count, begun)
		if len(group) == 0 || !j.read(ctx, group) {
			return
		}
		begun = true
	}
}

// arrived waits until an entry is in the cache. It is false when that failed, or ctx ended.
func (p *prefetch) arrived(ctx context.Context, a *archive, e zipindex.Entry) bool {
	if e.Size == 0 || e.Size > p.ahead || p.has(a.object(e)) {
		return e.Size <= p.ahead
	}
	rd := p.g.cache.Ahead(a.object(e), p.g.fill(a, e))
	defer rd.Close()
	return drain(ctx, rd) == nil
}

// drain waits for a reader's bytes, as long as a fill may live that no viewer waits for.
func drain(ctx context.Context, rd *cache.Reader) error {
	ctx, cancel := context.WithTimeout(ctx, workWithin)
	defer cancel()
	for {
		if _, err := rd.Next(ctx); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// read fills the group's entries by one read. It is false when the rest of them was given up.
func (j *job) read(ctx context.Context, group []zipindex.Entry) bool {
	for !j.p.mayRead(j.a, group[len(group)-1].End-group[0].HeaderOffset) {
		if group = group[:len(group)-1]; len(group) == 0 {
			return false
		}
	}
	t := newTrain(j.p, j.a, j.run)
	ok := true
	for i, rd := range t.board(group) {
		if ok && drain(ctx, rd) != nil {
			ok = false
			t.cut(i)
		}
		rd.Close()
	}
	return ok
}
