package origin

import (
	"errors"
	"slices"
	"sync"
	"time"
)

const (
	breakAfter     = 5           // failures in a row that open a node's breaker
	breakFirst     = time.Second // how long it stays open; twice as long each time that a probe fails
	breakMost      = 30 * time.Second
	retryAfterMost = 5 * time.Minute // of a node's Retry-After

	failedCosts = time.Second // a node is taken for this much slower per failure in a row
	blamedFor   = time.Minute // a node that delivered wrong bytes is asked last; twice as long each time

	shunnedFor   = 5 * time.Second // a node whose body stalled is asked where no other is left; twice as long each time
	shunnedMost  = 5 * time.Minute
	forgiveAfter = 2 * time.Minute // without a stall, from when it may be asked again

	hedgeUnknown = time.Second // a node whose latency is not known is given this long
	hedgeFloor   = 200 * time.Millisecond
	fewLatencies = 8  // below, a node's latency is not known
	latenciesMax = 64 // the last ones that are kept
)

// health is what is known of one node: how fast it is, and whether it works. Safe for concurrent use.
type health struct {
	mu        sync.Mutex // guards following
	latencies []time.Duration
	next      int // place of the next latency, once there are latenciesMax
	p95       time.Duration
	average   time.Duration // of first bytes, moving; 0: not known
	rate      float64       // bytes per second, moving; 0: not known
	measured  time.Time
	inflight  int

	fails    int       // in a row
	failedAt time.Time // the last of them, or the probe that followed
	opened   int       // times in a row that the breaker opened
	until    time.Time // the breaker is open till then
	broken   bool      // open, or half open once until has passed
	since    time.Time // it opened
	probing  bool      // half open, and one read is on its way
	last     *Error    // why it opened
	blamed   time.Time // asked last until then

	// A node that answers at once and then stalls costs viewers most, and neither its headers nor the bodies between make up for it.
	stalls  int       // bodies, with no long time between them
	shunned time.Time // asked only where no other node is left until then

	stats NodeStats
}

// NodeStats are one node's totals, and its state now.
type NodeStats struct {
	Name        string
	Reads       int64 // asked, all in all
	Failures    int64 // of them
	Retries     int64 // asked because an earlier read of the same bytes failed
	Hedges      int64 // asked because another node was slow
	HedgesWon   int64
	Resumes     int64 // asked for the rest of a body that broke
	Wrong       int64 // bodies that did not fit their checksum where another node's did
	Asked       int64 // bytes
	Received    int64 // bytes
	Breaker     Breaker
	Inflight    int
	FirstByte   time.Duration // 95th percentile; 0: not known
	BytesPerSec float64       // 0: not known
}

// Breaker is the state of a node's circuit breaker.
type Breaker uint8

const (
	Closed   Breaker = iota
	Open             // not asked
	HalfOpen         // one read may show whether it works again
)

func (b Breaker) String() string { return [...]string{"closed", "open", "half-open"}[b] }

// state is the breaker's. h.mu is held.
func (h *health) state(now time.Time) Breaker {
	switch {
	case !h.broken:
		return Closed
	case h.probing || now.Before(h.until):
		return Open
	}
	return HalfOpen
}

// standing answers the breaker's state, what a read of n bytes is expected to take here, and whether bodies have stalled of late.
func (h *health) standing(now time.Time, n int64) (state Breaker, cost time.Duration, stalls bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	cost = h.average
	if h.rate > 0 {
		cost += time.Duration(float64(n) / h.rate * float64(time.Second))
	}
	cost *= time.Duration(h.inflight + 1)
	cost += time.Duration(h.fails) * failedCosts
	if now.Before(h.blamed) {
		cost += blamedFor
	}
	return h.state(now), cost, now.Before(h.shunned)
}

// well says whether the node worked when it was last asked.
func (h *health) well() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.broken && h.fails == 0
}

// stale says whether the node has not been measured for so long that a read may be spent on it.
func (h *health) stale(now time.Time, after time.Duration) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.state(now) == Closed && h.fails == 0 && now.After(h.blamed) && now.Sub(h.measured) > after
}

// doubtful says, now and then, that the node is passed over because it failed a while ago, so that it is worth a probe.
func (h *health) doubtful(now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fails == 0 || h.state(now) != Closed || now.Sub(h.failedAt) < exploreAfter {
		return false
	}
	h.failedAt = now
	return true
}

// begin counts a read on its way, unless the breaker is open: then it answers why.
func (h *health) begin(now time.Time, n int64) *Error {
	h.mu.Lock()
	defer h.mu.Unlock()
	state := h.state(now)
	if state == Open {
		return h.reason(now)
	}
	h.probing = h.probing || state == HalfOpen
	h.inflight++
	h.stats.Reads++
	h.stats.Asked += n
	return nil
}

// why says why the breaker is not closed; nil: it is.
func (h *health) why(now time.Time) *Error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.broken {
		return nil
	}
	return h.reason(now)
}

// reason is why the breaker opened. h.mu is held.
func (h *health) reason(now time.Time) *Error {
	e := *h.last
	e.RetryAfter = max(h.until.Sub(now), time.Second)
	return &e
}

// answered ends begin's read, or the part of it before the body, well. It says whether the breaker closed.
func (h *health) answered(took time.Duration, now time.Time) (closed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.broken && now.Add(-took).Before(h.since) { // it was asked before: that says nothing of now, nor of its Retry-After
		h.measure(took, now)
		return false
	}
	closed = h.broken
	h.fails, h.opened, h.broken, h.probing = 0, 0, false, false
	h.measure(took, now)
	return closed
}

// measure notes the latency of a first byte. h.mu is held.
func (h *health) measure(took time.Duration, now time.Time) {
	if len(h.latencies) < latenciesMax {
		h.latencies = append(h.latencies, took)
	} else {
		h.latencies[h.next] = took
		h.next = (h.next + 1) % latenciesMax
	}
	if h.average == 0 {
		h.average = took
	}
	h.average += (took - h.average) / 8
	h.measured = now
	if h.p95 == 0 || h.next%8 == 0 {
		sorted := slices.Sorted(slices.Values(h.latencies))
		h.p95 = sorted[len(sorted)*95/100]
	}
}

// hedgeAfter is how long the node's first byte may take before another node is asked as well.
func (h *health) hedgeAfter() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.latencies) < fewLatencies {
		return hedgeUnknown
	}
	return max(h.p95, hedgeFloor)
}

// slower notes that a read took at least this long when it was given up for another node's.
func (h *health) slower(took time.Duration, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.probing = false
	h.measure(max(took, h.average), now)
}

// failed notes a failure, and says whether the breaker opened that was closed. What an archive's own state or name may cause is none of the node's.
func (h *health) failed(err *Error, now time.Time) (opened bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	before := h.broken
	probed := h.probing
	h.probing = false
	if errors.Is(err, ErrNotFound) || errors.Is(err, ErrChanged) {
		h.fails, h.opened, h.broken = 0, 0, false
		return false
	}
	h.stats.Failures++
	h.fails++
	h.failedAt = now
	hard := errors.Is(err, ErrUnavailable) || errors.Is(err, ErrTimeout) || errors.Is(err, ErrTLS) || errors.Is(err, ErrDNS)
	if err.RetryAfter > 0 {
		h.open(err, min(err.RetryAfter, retryAfterMost), now)
		return !before
	}
	if hard && (probed || h.fails >= breakAfter && !h.broken) {
		h.open(err, min(breakFirst<<min(h.opened, 10), breakMost), now)
		h.opened++
	}
	return h.broken && !before
}

// open opens the breaker. h.mu is held.
func (h *health) open(err *Error, d time.Duration, now time.Time) {
	h.broken, h.last, h.since = true, err, now
	if until := now.Add(d); until.After(h.until) {
		h.until = until
	}
}

// ended gives back a read that nobody waits for any more: nothing is learnt from it.
func (h *health) ended() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.probing = false
}

// stalled notes that a body stopped, or came too slowly.
func (h *health) stalled(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now.Sub(h.shunned) > forgiveAfter {
		h.stalls = 0
	}
	h.shunned = now.Add(min(shunnedFor<<min(h.stalls, 10), shunnedMost))
	h.stalls++
}

// done ends begin's read for good: n bytes came in the time that was spent waiting for them.
func (h *health) done(n int64, waited time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.inflight--
	h.stats.Received += n
	if n < rateFrom {
		return
	}
	rate := float64(n) / max(waited, 100*time.Microsecond).Seconds()
	if h.rate == 0 {
		h.rate = rate
	}
	h.rate += (rate - h.rate) / 8
}

// rateFrom is how many bytes a body must have to say how fast a node is.
const rateFrom = 64 << 10

// throughput is the node's bytes per second; 0: not known.
func (h *health) throughput() float64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.rate
}

// blame notes that the node delivered wrong bytes where another one's were right.
func (h *health) blame(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stats.Wrong++
	h.blamed = now.Add(blamedFor << min(h.stats.Wrong-1, 6))
}

// count adds to the totals.
func (h *health) count(f func(*NodeStats)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f(&h.stats)
}

func (h *health) snapshot(name string, now time.Time) NodeStats {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.stats
	s.Name, s.Breaker, s.Inflight, s.FirstByte, s.BytesPerSec = name, h.state(now), h.inflight, h.p95, h.rate
	return s
}
