package gateway

import (
	"context"
	"sync"
	"time"
)

// answerContext ends by the 8 s rule, with errSlow as its cause. Its timer is made when somebody first waits for it: most answers are in memory and wait for nothing.
type answerContext struct {
	context.Context // of the request
	began           time.Time

	mu     sync.Mutex // guards following
	timed  context.Context
	cancel context.CancelFunc
}

func newAnswerContext(request context.Context) *answerContext {
	return &answerContext{Context: request, began: time.Now()}
}

// withTimer answers the context that does the work.
func (c *answerContext) withTimer() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timed == nil {
		c.timed, c.cancel = context.WithDeadlineCause(c.Context, c.began.Add(answerWithin), errSlow)
	}
	return c.timed
}

// Deadline implements context.Context.
func (c *answerContext) Deadline() (time.Time, bool) { return c.withTimer().Deadline() }

// Done implements context.Context.
func (c *answerContext) Done() <-chan struct{} { return c.withTimer().Done() }

// Err implements context.Context.
func (c *answerContext) Err() error { return c.withTimer().Err() }

// Value implements context.Context. context.Cause finds its way through it.
func (c *answerContext) Value(key any) any { return c.withTimer().Value(key) }

// end lets go of the timer.
func (c *answerContext) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cancel != nil {
		c.cancel()
	}
}
