package gateway

import (
	"context"
	"sync"
	"time"
)

// background is the gateway's work that belongs to no request: shared reads, revalidations, reading ahead. Close ends it and waits for it. Safe for concurrent use.
type background struct {
	ctx    context.Context // of all of it; ends on close
	cancel context.CancelFunc

	mu      sync.Mutex // guards following
	closed  bool
	running sync.WaitGroup
}

// workWithin is how long one piece of work may take that has no other bound: a request's time for its headers, and the time that its retry may take to come.
const workWithin = answerWithin + lingerFor

var errClosing = problemf("overloaded", "The gateway is shutting down. Ask again.")

func newBackground() *background {
	b := &background{}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	return b
}

// start has work done in a goroutine of its own. It is false, and nothing is done, once the gateway is closing.
func (b *background) start(work func(context.Context)) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	b.running.Go(func() { work(b.ctx) })
	return true
}

// startWithin is start, for work that ends within d.
func (b *background) startWithin(d time.Duration, work func(context.Context)) bool {
	return b.start(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, d)
		defer cancel()
		work(ctx)
	})
}

// close refuses further work, ends what is under way and waits for it.
func (b *background) close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.cancel()
	b.running.Wait()
}
