package origin

import (
	"context"
	"errors"
	"io"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

const (
	switchAfter  = 3 * time.Second        // without a first byte, where no hedge may be made
	connectAfter = 500 * time.Millisecond // a connection that does not come about is as slow as an answer
)

var (
	errLost = errors.New("another node was faster") // the cause that ends a hedge's loser
	errSlow = errors.New("no answer in time")
)

// attempt is one node's answer to a read.
type attempt struct {
	node   int
	body   *Body
	err    error
	cancel context.CancelCauseFunc
}

// hedged asks node i, and spare as well where i takes longer than it mostly does: who answers first is taken. Failures are noted.
func (r *read) hedged(i, spare int) (*Body, int, error) {
	if spare < 0 {
		body, err := r.request(r.ctx, i, r.at, r.n)
		if err != nil {
			r.failed(i, err)
		}
		return body, i, err
	}
	answers := make(chan attempt, 2)
	running := map[int]context.CancelCauseFunc{}
	at, n := r.at, r.n                                                                   // a loser may still be at work when these move on
	asked := &read{s: r.s, name: r.name, want: r.want, version: r.version, from: r.from} // likewise
	var connected atomic.Bool
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }}
	start := func(i int) {
		ctx, cancel := context.WithCancelCause(httptrace.WithClientTrace(r.ctx, trace))
		running[i] = cancel
		go func() {
			body, err := asked.request(ctx, i, at, n)
			answers <- attempt{i, body, err, cancel}
		}()
	}
	start(i)
	began := time.Now()
	after := r.s.health[i].hedgeAfter()
	clock := time.NewTimer(min(after, connectAfter))
	defer clock.Stop()
	hedged := false // the spare was asked
	for {
		select {
		case a := <-answers:
			delete(running, a.node)
			if a.err == nil {
				r.drop(running, answers, errLost)
				if hedged && a.node == spare {
					r.s.health[spare].count(func(s *NodeStats) { s.HedgesWon++ })
				}
				a.body.ReadCloser = &cancelling{a.body.ReadCloser, a.cancel}
				return a.body, a.node, nil
			}
			a.cancel(nil)
			if r.ctx.Err() == nil {
				r.failed(a.node, a.err)
			}
			if len(running) == 0 {
				return nil, 0, a.err
			}
		case <-clock.C:
			if took := time.Since(began); took < after && connected.Load() {
				clock.Reset(after - took)
				continue
			}
			if !hedged && r.s.spend(&r.s.hedges) {
				hedged = true
				r.s.health[spare].count(func(s *NodeStats) { s.Hedges++ })
				start(spare)
			} else if wait := max(switchAfter, 3*after); !hedged && time.Since(began) >= wait {
				r.drop(running, answers, errSlow)
				err := &Error{Kind: ErrTimeout, Node: r.s.nodes[i].Name, Archive: r.name, Off: r.at, N: r.n, Err: errSlow}
				r.failed(i, err)
				return nil, 0, err
			} else if !hedged {
				clock.Reset(wait - time.Since(began))
			}
		case <-r.ctx.Done():
			r.drop(running, answers, context.Cause(r.ctx))
			return nil, 0, r.fail(ErrTimeout, ended(r.ctx))
		}
	}
}

// drop ends attempts that are not wanted any more, and closes what they still answer.
func (r *read) drop(running map[int]context.CancelCauseFunc, answers chan attempt, why error) {
	for _, cancel := range running {
		cancel(why)
	}
	if n := len(running); n > 0 {
		go func() {
			for range n {
				if a := <-answers; a.err == nil {
					a.body.Close()
				}
			}
		}()
	}
}

// cancelling ends its read's context when it is closed.
type cancelling struct {
	io.ReadCloser
	cancel context.CancelCauseFunc
}

func (c *cancelling) Close() error {
	err := c.ReadCloser.Close()
	c.cancel(nil)
	return err
}
