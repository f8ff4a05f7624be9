package gateway

import (
	"context"
	"testing"
	"time"
)

// TestVisitsAreBounded: one who has gone makes room for one who comes, and any of those who have not.
func TestVisitsAreBounded(t *testing.T) {
	p := &prefetch{visits: map[visitKey]*visit{}}
	now := time.Now()
	come := func(viewer uint64, asked time.Time) {
		p.makeRoom(asked)
		p.visits[visitKey{viewer: viewer}] = &visit{asked: asked}
	}
	for i := range uint64(2 * maxVisits) {
		come(i, now)
		if len(p.visits) > maxVisits {
			t.Fatalf("%d viewers are followed, want at most %d", len(p.visits), maxVisits)
		}
	}
	later := now.Add(runFor)
	for i := range uint64(maxVisits) {
		come(1<<32+i, later)
	}
	stayed := 0
	for _, v := range p.visits {
		if v.asked.Equal(later) {
			stayed++
		}
	}
	if len(p.visits) != maxVisits || stayed < maxVisits*3/4 {
		t.Errorf("%d viewers are followed, %d of them of the last; want %d, and those who had gone to make room first", len(p.visits), stayed, maxVisits)
	}
}

// TestOutcomes: a source is judged by its last pieces, by bytes, once there are enough of them.
func TestOutcomes(t *testing.T) {
	now := time.Now()
	for _, test := range []struct {
		name         string
		used, wasted int // pieces, in this order
		usedBytes    int64
		want         bool
	}{
		{"few", 0, outcomesFew - 1, 1, false},
		{"all in vain", 0, outcomesFew, 1, true},
		{"half", outcomesFew, outcomesFew, 1, false},
		{"less than half", outcomesFew, outcomesFew + 1, 1, true},
		{"large ones used", outcomesFew, outcomesFew + 1, 10, false},
		{"long ago used", 10 * outcomesKept, outcomesKept/2 + 1, 1, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			var o outcomes
			for range test.used {
				o.add(test.usedBytes, true, now)
			}
			for range test.wasted {
				o.add(1, false, now)
			}
			if got := o.stopped.After(now); got != test.want {
				t.Errorf("stopped: %v, want %v", got, test.want)
			}
		})
	}
}

// TestCutLeavesTheLoadingCar: what is cut off behind it does not make a read that is under way look idle.
func TestCutLeavesTheLoadingCar(t *testing.T) {
	tr := &train{p: &prefetch{}, next: -1}
	tr.ctx, tr.cancel = context.WithCancel(t.Context())
	for range 4 {
		tr.cars = append(tr.cars, &car{turn: make(chan struct{})})
	}
	tr.depart()
	if !tr.await(t.Context(), 0, tr.cars[0]) {
		t.Fatal("the first car has no turn")
	}
	tr.cut(2)
	if tr.await(t.Context(), 3, tr.cars[3]) {
		t.Error("a car that was cut off has a turn")
	}
	tr.cut(0)
	if tr.ctx.Err() != nil {
		t.Error("the read that the first car loads from was ended")
	}
	tr.cancel()
}
