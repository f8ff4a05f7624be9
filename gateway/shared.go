package gateway

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
)

// shared does a piece of work once for all who want its result at the same time. The work goes on in the background when those who asked for it leave, so that
// whoever comes back finds what it left.
type shared[K comparable, V any] struct {
	background *background

	mu      sync.Mutex // guards running
	running map[K]*errand[V]
}

// errand is one piece of work. v and err are set when done is closed.
type errand[V any] struct {
	done chan struct{}
	v    V
	err  error
}

func newShared[K comparable, V any](b *background) *shared[K, V] {
	return &shared[K, V]{background: b, running: map[K]*errand[V]{}}
}

// do answers work's result for the key. first says whether it was begun for this caller. The error is ctx's cause when the wait was cut short; a result that is
// there already is answered though ctx has ended.
//
// Work that keeps its result where callers look before they call do has to look there once more: theirs may have been a look before the last errand ended.
func (s *shared[K, V]) do(ctx context.Context, key K, work func(context.Context) (V, error)) (v V, first bool, err error) {
	s.mu.Lock()
	j := s.running[key]
	if first = j == nil; first {
		j = &errand[V]{done: make(chan struct{})}
		if !s.background.startWithin(workWithin, func(ctx context.Context) { s.run(ctx, key, j, work) }) {
			s.mu.Unlock()
			return v, true, errClosing
		}
		s.running[key] = j
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

func (s *shared[K, V]) run(ctx context.Context, key K, j *errand[V], work func(context.Context) (V, error)) {
	defer func() {
		if r := recover(); r != nil {
			j.err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
		s.mu.Lock()
		delete(s.running, key)
		s.mu.Unlock()
		close(j.done)
	}()
	j.v, j.err = work(ctx)
}
