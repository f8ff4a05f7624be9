package gateway

import (
	"container/list"
	"slices"
	"sync/atomic"
	"time"

	"zipreel/gateway/cache"
)

const (
	pendingFor   = 60 * time.Second // what nobody asked for until then was read in vain
	maxPending   = 1 << 14          // pieces, left ones too
	outcomesKept = 64               // last pieces that a source is judged by,
	outcomesFew  = 16               // when there are so many
	stopFor      = 60 * time.Second // a source of which most was read in vain is not read ahead
)

// piece is a segment that is being read ahead, or was, and that nobody asked for yet. All but got is guarded by prefetch.mu.
type piece struct {
	obj    cache.Object
	since  time.Time
	wanted chan struct{} // closed when somebody asks
	done   bool          // all there
	left   bool          // nobody is expected to ask any more
	got    atomic.Int64  // bytes that came
	at     *list.Element
}

// pending is the pieces that are read ahead and not yet used, in the order in which they were begun. Those whose viewers went elsewhere stay only to see
// whether they are used after all.
type pending struct {
	pieces   map[cache.Object]*piece
	order    list.List            // of *piece
	bytes    int64                // of those that are not left
	archives map[archiveKey]int64 // and of each archive's
}

func newPending() pending {
	return pending{pieces: map[cache.Object]*piece{}, archives: map[archiveKey]int64{}}
}

func (q *pending) add(pc *piece) {
	q.pieces[pc.obj] = pc
	pc.at = q.order.PushBack(pc)
	q.count(pc, pc.obj.Size)
}

func (q *pending) remove(pc *piece) {
	delete(q.pieces, pc.obj)
	q.order.Remove(pc.at)
	if !pc.left {
		q.count(pc, -pc.obj.Size)
	}
}

// leave counts a piece no more, if it is there still.
func (q *pending) leave(pc *piece) {
	if q.pieces[pc.obj] == pc && !pc.left {
		pc.left = true
		q.count(pc, -pc.obj.Size)
	}
}

func (q *pending) count(pc *piece, n int64) {
	key := archiveKey{pc.obj.Source, pc.obj.Archive}
	q.bytes += n
	if q.archives[key] += n; q.archives[key] == 0 {
		delete(q.archives, key)
	}
}

// outcomes are what became of the last pieces of a source.
type outcomes struct {
	last        [outcomesKept]outcome
	next, count int
	used, all   int64     // bytes of last
	stopped     time.Time // nothing is read ahead until then
}

type outcome struct {
	n    int64
	used bool
}

// add notes what became of n bytes. When fewer than half of the last were used, none are read ahead for a while, and then it is tried again.
func (o *outcomes) add(n int64, used bool, now time.Time) {
	old := o.last[o.next]
	o.last[o.next] = outcome{n, used}
	o.next = (o.next + 1) % outcomesKept
	o.count = min(o.count+1, outcomesKept)
	o.all += n - old.n
	if old.used {
		o.used -= old.n
	}
	if used {
		o.used += n
	}
	if o.count >= outcomesFew && 2*o.used < o.all {
		*o = outcomes{stopped: now.Add(stopFor)}
	}
}

// took notes that a viewer asks for obj. mu is held.
func (p *prefetch) took(obj cache.Object) {
	pc := p.pending.pieces[obj]
	if pc == nil {
		return
	}
	close(pc.wanted)
	p.settle(pc, !pc.done || p.g.cache.Has(obj), obj.Size)
}

// begin notes a piece that is about to be read ahead of a run. It is false where somebody is at it.
func (p *prefetch) begin(r *run, pc *piece) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if old := p.pending.pieces[pc.obj]; old != nil {
		if !old.done || p.g.cache.Has(pc.obj) {
			return false
		}
		p.settle(old, false, pc.obj.Size) // it fell out of the cache
	}
	p.pending.add(pc)
	r.pieces = append(slices.DeleteFunc(r.pieces, func(old *piece) bool { return p.pending.pieces[old.obj] != old }), pc)
	return true
}

// end notes that a piece is all there, or that no more of it comes.
func (p *prefetch) end(pc *piece, err error) {
	p.read.WithLabelValues(pc.obj.Source).Add(float64(pc.got.Load()))
	p.mu.Lock()
	defer p.mu.Unlock()
	pc.done = err == nil
	if err != nil && p.pending.pieces[pc.obj] == pc {
		p.settle(pc, false, pc.got.Load())
	}
}

// settle ends a piece that was used, or n bytes of which were read in vain. mu is held.
func (p *prefetch) settle(pc *piece, used bool, n int64) {
	p.pending.remove(pc)
	if n == 0 {
		return
	}
	p.outcomes[pc.obj.Source].add(n, used, time.Now())
	if used {
		p.used.WithLabelValues(pc.obj.Source).Add(float64(n))
	} else {
		p.wasted.WithLabelValues(pc.obj.Source).Add(float64(n))
	}
}

// expire gives up on pieces that nobody asked for in time. mu is held.
func (p *prefetch) expire(now time.Time) {
	for at := p.pending.order.Front(); at != nil; at = p.pending.order.Front() {
		pc := at.Value.(*piece)
		if now.Sub(pc.since) < pendingFor && p.pending.order.Len() <= maxPending {
			return
		}
		p.settle(pc, false, pc.got.Load())
	}
}

// mayRead says whether n bytes of an archive may be read ahead now.
func (p *prefetch) mayRead(a *archive, n int64) bool {
	if a.outdated() || busyShare*(p.g.cache.Stats().Inflight+n) > p.g.cfg.Inflight {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Now().After(p.outcomes[a.src.Name].stopped) &&
		pendingShare*(p.pending.bytes+n) <= p.g.cfg.Memory &&
		archiveShare*(p.pending.archives[archiveKey{a.src.Name, a.name}]+n) <= p.g.cfg.Memory
}

// latency is how long reads wait for their first byte, on a moving average. Safe for concurrent use; its zero value knows nothing.
type latency struct{ average atomic.Int64 } // ns

func (l *latency) note(took time.Duration) {
	old := l.average.Load()
	if old == 0 {
		old = int64(took)
	}
	l.average.Store(old + (int64(took)-old)/4) // of two at once, one may be lost
}

func (l *latency) slow() bool { return time.Duration(l.average.Load()) >= slowFirstByte }
