package cache

import (
	"context"
	"fmt"
	"io"
	"runtime/debug"
	"time"
)

// held is how much of an object's end is kept back until its CRC agrees.
const held = 16 << 10

// span is a piece of an object's content: being filled, or finished and immutable.
//
// All fields but buf's unfilled part are guarded by Cache.mu.
type span struct {
	key   spanKey
	buf   []byte        // whole length from the start
	n     int           // bytes that readers may see
	sum   uint32        // CRC-32 of buf, once done
	done  bool          // all there, and proved where the span is the whole object
	err   error         // why it will never be done
	again bool          // with err: another span has taken its place
	more  chan struct{} // closed and replaced when any of the above changes; nil when nobody waits
	fill  *flight       // nil when done
	ahead bool          // filled by Ahead, and no viewer has asked

	viewers int  // readers who may still use what they were handed of it
	loose   bool // kept no more; its bytes live on for the viewers
}

type spanKey struct {
	obj Object
	i   int64 // place among the object's spans
}

// wake tells all who wait. Cache.mu is held.
func (s *span) wake() {
	if s.more != nil {
		close(s.more)
		s.more = nil
	}
}

// changed answers a channel that is closed at the next change. Cache.mu is held.
func (s *span) changed() <-chan struct{} {
	if s.more == nil {
		s.more = make(chan struct{})
	}
	return s.more
}

// flight is one running Fill and the run of spans it fills, in order.
//
// A flight is detached from who started it. It counts the readers who are at one of its spans; when the last one
// leaves and none comes in a grace, its context is cancelled and, under the same lock, its unfinished spans leave the map: a reader who comes
// a moment later finds them missing and starts a flight of its own. So nobody inherits another's cancellation.
type flight struct {
	c       *Cache
	obj     Object
	off, n  int64 // of the object's content
	cancel  context.CancelFunc
	readers int       // guarded by Cache.mu
	until   time.Time // nobody's flight lives on till then; guarded by Cache.mu
	spans   []*span   // guarded by Cache.mu: those not finished; spans[0] is being written
	got     int64     // bytes arrived; written by the fill, guarded by Cache.mu
	over    bool      // guarded by Cache.mu
	missed  bool      // it was to be filled from the disk and was not; guarded by Cache.mu
}

// run is the flight's goroutine.
func (f *flight) run(ctx context.Context, fill Fill) {
	defer f.c.work.Done()
	defer f.cancel()
	err := f.admit(ctx)
	if err == nil {
		defer f.c.budget.Release(f.n)
		f.allocate()
		w := &Sink{f: f}
		err = call(ctx, fill, f.off, f.n, w)
		if err == nil && w.got < f.n {
			err = io.ErrUnexpectedEOF
		}
		if w.err != nil {
			err = w.err
		}
	}
	f.c.mu.Lock()
	defer f.c.mu.Unlock()
	f.c.stats.Inflight -= f.n
	if f.c.closed {
		err = ErrClosed
	}
	f.end(err)
}

// call turns a panic of the fill into an error, so that no reader waits for ever.
func call(ctx context.Context, fill Fill, off, n int64, w *Sink) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("fill panicked: %v\n%s", r, debug.Stack())
		}
	}()
	return fill(ctx, off, n, w)
}

// admit waits, for a while, until the flight's bytes fit the budget. Nothing is begun while viewers hold too much that is kept no more.
func (f *flight) admit(ctx context.Context) error {
	f.c.mu.Lock()
	crowded := f.c.stats.Pinned > f.c.cfg.Inflight
	f.c.mu.Unlock()
	if crowded {
		return ErrBusy
	}
	if f.c.waiting.Add(1) > maxWaiting {
		f.c.waiting.Add(-1)
		return ErrBusy
	}
	defer f.c.waiting.Add(-1)
	ctx, stop := context.WithTimeoutCause(ctx, admitWithin, ErrBusy)
	defer stop()
	if err := f.c.budget.Acquire(ctx, f.n); err != nil {
		return context.Cause(ctx)
	}
	return nil
}

// allocate gives the spans their memory, once the budget has admitted it.
func (f *flight) allocate() {
	f.c.mu.Lock()
	defer f.c.mu.Unlock()
	for _, s := range f.spans {
		s.buf = make([]byte, f.c.spanLen(f.obj, s.key.i))
	}
}

// end takes what is unfinished out of the map and wakes everybody. Cache.mu is held.
func (f *flight) end(err error) {
	if f.over {
		return
	}
	f.over = true
	if err == nil {
		err = io.ErrUnexpectedEOF // for spans that a wrong count left behind; there are none otherwise
	}
	for _, s := range f.spans {
		s.err, s.fill = err, nil
		if f.c.filling[s.key] == s {
			delete(f.c.filling, s.key)
		}
		f.c.letGo(s)
		s.wake()
	}
	f.spans = nil
}

// abandonAfter is how long a flight waits for its next reader before it is given up: players close and open again.
const abandonAfter = 250 * time.Millisecond

// leave is called when a reader stops reading at the flight; back says that it was told to come back. Cache.mu is held.
func (f *flight) leave(back bool) {
	f.readers--
	grace := abandonAfter
	if back || f.got > f.n/2 {
		grace = f.c.cfg.Linger
	}
	if until := time.Now().Add(grace); until.After(f.until) {
		f.until = until
	}
	if f.readers == 0 && !f.over {
		time.AfterFunc(time.Until(f.until), f.abandon)
	}
}

// abandon ends a flight that nobody came back to.
func (f *flight) abandon() {
	f.c.mu.Lock()
	defer f.c.mu.Unlock()
	if f.readers == 0 && !f.over && !time.Now().Before(f.until) {
		f.stop()
	}
}

func (f *flight) stop() {
	f.cancel()
	f.end(context.Canceled)
}
