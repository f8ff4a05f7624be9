package gateway

import (
	"context"
	"fmt"
	"sync"
)

// shared does a piece of work once for all who want its result at the same time. The work is detached from who asked: it lives on the gateway's context,
// and goes on when they leave, so that whoever comes back finds what it left.
type shared[K comparable, V any] struct {
	g *Gateway

	mu      sync.Mutex // guards following
	closed  bool
	running map[K]*errand[V]
}

// errand is one piece of work. v and err are set when done is closed.
type errand[V any] struct {
	done chan struct{}
	v    V
	err  error
}

func newShared[K comparable, V any](g *Gateway) *shared[K, V] {
	return &shared[K, V]{g: g, running: map[K]*errand[V]{}}
}

// close refuses further work; what is under way ends by the gateway's context.
func (s *shared[K, V]) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
}

// do answers work's result for the key. first says whether it was begun for this caller. The error is ctx's cause when the wait was cut short.
func (s *shared[K, V]) do(ctx context.Context, key K, work func(context.Context) (V, error)) (v V, first bool, err error) {
	s.mu.Lock()
	j := s.running[key]
	if j == nil && s.closed {
		s.mu.Unlock()
		return v, true, errClosing
	}
	if first = j == nil; first {
		j = &errand[V]{done: make(chan struct{})}
		s.running[key] = j
		s.g.work.Add(1)
		go s.run(key, j, work)
	}
	s.mu.Unlock()
	select {
	case <-j.done:
		return j.v, first, j.err
	case <-ctx.Done():
	}
	select {
	case <-j.done: // both were ready
		return j.v, first, j.err
	default:
		return v, first, context.Cause(ctx)
	}
}

func (s *shared[K, V]) run(key K, j *errand[V], work func(context.Context) (V, error)) {
	defer s.g.work.Done()
	ctx, cancel := context.WithTimeout(s.g.ctx, workWithin)
	defer cancel()
	defer func() {
		if r := recover(); r != nil {
			j.err = fmt.Errorf("panic: %v", r)
		}
		s.mu.Lock()
		delete(s.running, key)
		s.mu.Unlock()
		close(j.done)
	}()
	j.v, j.err = work(ctx)
}

const workWithin = answerWithin + lingerFor

var errClosing = problemf("overloaded", "The gateway is shutting down. Ask again.")
