package doctor

import (
	"context"
	"fmt"
	"slices"
	"time"
)

const (
	slowFirst   = 500 * time.Millisecond // p95 of the first byte, from which on it is noticed
	sample      = 1 << 20                // bytes that throughput is measured with
	sampleLeast = 64 << 10               // fewer say nothing
	sampleTime  = 8 * time.Second
	slowRate    = 1 << 20  // bytes per second: a rendition of 8 Mbit/s for one viewer
	leaveRate   = 32 << 10 // below, the gateway goes on at another node
)

// direct is a part asked for as the gateway does once it knows the way: it remembers where a Range request was redirected to.
func (e *exam) direct(off, n int64) question {
	q := e.part(off, n)
	if e.way == byHeader {
		q.at = e.at
	}
	return q
}

// keptAlive looks whether a second request finds the first one's connection.
func keptAlive(ctx context.Context, e *exam) Finding {
	if e.way == byWhole {
		return skip("not asked: there are no ranges")
	}
	var a *answer
	for range 2 {
		var err error
		if a, err = e.ask(ctx, e.direct(0, 1)); err != nil {
			return noKeepAlive.warn("%v", cause(err))
		}
	}
	if !a.reused {
		return noKeepAlive.warn("every request needs a new connection")
	}
	return ok("connections are used again (%s)", a.proto)
}

// timed measures the time to the first byte at places spread over the archive.
func timed(ctx context.Context, e *exam) Finding {
	if e.way == byWhole {
		return skip("not asked: there are no ranges")
	}
	var took []time.Duration
	for i := range int64(e.cfg.Reads) {
		off := max(0, e.size-1) / int64(e.cfg.Reads) * i
		a, err := e.ask(ctx, e.direct(off, 1))
		switch {
		case err != nil:
			return slow.warn("read %d of %d: %v", i+1, e.cfg.Reads, cause(err))
		case a.status != e.partStatus():
			return unsteady.fail("read %d of %d is answered with status %d", i+1, e.cfg.Reads, a.status)
		}
		took = append(took, a.firstByte)
	}
	slices.Sort(took)
	p50, p95 := rank(took, 50), rank(took, 95)
	e.report.LatencyP50, e.report.LatencyP95 = float64(p50.Microseconds())/1000, float64(p95.Microseconds())/1000
	seen := fmt.Sprintf("first byte after %s (p50), %s (p95) of %d reads", ms(p50), ms(p95), len(took))
	if p95 > slowFirst {
		return slow.warn("%s", seen)
	}
	return ok("%s", seen)
}

// rank answers a percentile by the nearest-rank method. sorted is not empty.
func rank(sorted []time.Duration, percent int) time.Duration {
	return sorted[(len(sorted)*percent+99)/100-1]
}

// measured reads a mebibyte.
func measured(ctx context.Context, e *exam) Finding {
	n := min(sample, e.size)
	switch {
	case e.way == byWhole:
		return skip("not asked: there are no ranges")
	case n < sampleLeast:
		return skip("not measured: the archive is too small")
	}
	q := e.direct(0, n)
	q.within = sampleTime
	begun := e.now()
	a, err := e.ask(ctx, q)
	if err != nil {
		return thin.warn("%v", cause(err))
	}
	got, took := int64(len(a.body)), max(a.took-a.firstByte, time.Microsecond)
	if a.status != e.partStatus() || got < n && e.now().Sub(begun) < q.within {
		return broken.fail("it broke off after %s of %s (status %d)", size(got), size(n), a.status)
	}
	rate := float64(got) / took.Seconds()
	e.report.Throughput = rate
	seen := fmt.Sprintf("%s/s, by one read of %s", size(int64(rate)), size(got))
	switch {
	case rate < leaveRate:
		return trickle.warn("%s", seen)
	case rate < slowRate:
		return thin.warn("%s", seen)
	}
	return ok("%s", seen)
}
