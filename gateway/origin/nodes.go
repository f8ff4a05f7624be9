package origin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// Node is one of the storage nodes that hold the same archives.
type Node struct {
	Name   string // for logs, metrics and errors: scheme and host, no credential
	Origin Origin
}

// Nodes is the storage nodes of a source as one Origin: it reads from the one that is expected to answer soonest, asks another one too where
// that takes long, and goes on with another where a body breaks. It knows each node's validator for each version of an archive, and delivers bytes of
// one version only. Safe for concurrent use.
//
// Lock order: a version's, then Nodes' own; a health's is a leaf. None is held while anything is read.
type Nodes struct {
	nodes    []Node
	health   []*health
	ctx      context.Context // of what no caller waits for
	cancel   context.CancelFunc
	work     sync.WaitGroup
	suspects atomic.Uint64 // a NodeSet
	notice   func(node string, works bool, why error)

	mu       sync.Mutex // guards following
	closed   bool
	hedges   float64 // that may be made
	retries  float64 // of the same node that may be made
	rejected *simplelru.LRU[string, rejection]
}

// rejection is the nodes whose copy of an archive was of no use.
type rejection struct {
	nodes NodeSet
	until time.Time
}

const (
	hedgeShare   = 0.05 // hedges per read
	hedgesSaved  = 10
	retryShare   = 0.2 // retries per read
	retriesSaved = 10

	exploreShare = 0.05             // reads that go to the second best node
	exploreAfter = 10 * time.Second // when that was not measured for so long

	rejectedFor = time.Minute
	maxRejected = 4096
)

var errClosed = errors.New("the gateway is shutting down")

// NewNodes makes one Origin of at least one and at most MaxNodes nodes, which are closed with it.
func NewNodes(nodes []Node) (*Nodes, error) {
	if len(nodes) == 0 || len(nodes) > MaxNodes {
		return nil, fmt.Errorf("%d nodes given; a source has 1 to %d", len(nodes), MaxNodes)
	}
	s := &Nodes{nodes: slices.Clone(nodes), hedges: hedgesSaved, retries: retriesSaved}
	for range nodes {
		s.health = append(s.health, &health{})
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.rejected, _ = simplelru.NewLRU[string, rejection](maxRejected, nil)
	return s, nil
}

// Notify has f called when a node is left alone, with why, and when it works again. It is to be called before the first read.
func (s *Nodes) Notify(f func(node string, works bool, why error)) { s.notice = f }

// failed notes a node's failure.
func (s *Nodes) failed(i int, err *Error, now time.Time) {
	if s.health[i].failed(err, now) && s.notice != nil {
		s.notice(s.nodes[i].Name, false, err)
	}
}

// Close ends what is read for nobody, waits for it, and closes the nodes.
func (s *Nodes) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.work.Wait()
	var errs []error
	for _, n := range s.nodes {
		if c, ok := n.Origin.(io.Closer); ok {
			errs = append(errs, c.Close())
		}
	}
	return errors.Join(errs...)
}

// start runs f beside its caller, unless s is closed.
func (s *Nodes) start(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.work.Go(f)
	return true
}

// NodesOf answers the nodes that an Origin is made of; nil where it is one place.
func NodesOf(o Origin) *Nodes {
	switch o := o.(type) {
	case *Nodes:
		return o
	case ListedNodes:
		return o.Nodes
	}
	return nil
}

// Len is how many nodes there are.
func (s *Nodes) Len() int { return len(s.nodes) }

// Names are the names of a set of nodes.
func (s *Nodes) Names(set NodeSet) (names []string) {
	for i, n := range s.nodes {
		if set&(1<<i) != 0 {
			names = append(names, n.Name)
		}
	}
	return names
}

// Down says whether no node is well: what is cached may be out of date.
func (s *Nodes) Down() bool {
	for _, h := range s.health {
		if h.well() {
			return false
		}
	}
	return true
}

// Stats answers each node's totals and state.
func (s *Nodes) Stats() []NodeStats {
	now := time.Now()
	var all []NodeStats
	for i, h := range s.health {
		all = append(all, h.snapshot(s.nodes[i].Name, now))
	}
	return all
}

// Read implements Origin.
func (s *Nodes) Read(ctx context.Context, name string, off, n int64, want *Validator) (*Body, error) {
	return s.ReadElsewhere(ctx, name, off, n, want, 0)
}

// ReadElsewhere is Read from other nodes than those of avoid, which come last.
func (s *Nodes) ReadElsewhere(ctx context.Context, name string, off, n int64, want *Validator, avoid NodeSet) (*Body, error) {
	s.mu.Lock()
	s.hedges = min(s.hedges+hedgeShare, hedgesSaved)
	s.retries = min(s.retries+retryShare, retriesSaved)
	s.mu.Unlock()
	if want == nil && off == Tail && len(s.nodes) > 1 && n <= maxVote {
		return s.vote(ctx, name, n)
	}
	r := &read{s: s, ctx: ctx, name: name, at: off, n: n, want: want, avoid: avoid}
	if want != nil && want.version != nil && want.version.s == s {
		r.version = want.version
	}
	return r.open()
}

// Confirm says that the version which v belongs to, a Body's Validator, is the one whose bytes have the proof's digest. From then on every node that shows the
// same digest serves it, and no other. Nodes itself cannot tell versions apart: its caller can read archives.
func (s *Nodes) Confirm(v Validator, proof Proof) {
	w := v.version
	if w == nil || w.s != s {
		return
	}
	w.confirm(proof)
	if i := w.unproved(); i >= 0 {
		s.start(func() { w.prove(s.ctx, i) }) // a spare, found before it is needed
	}
}

// Reject says that what v's nodes hold under the name is of no use, so that it is looked for elsewhere for a minute. It answers whether there is an elsewhere.
func (s *Nodes) Reject(name string, v Validator) bool {
	w := v.version
	if w == nil || w.s != s || len(s.nodes) == 1 {
		return false
	}
	var holders NodeSet
	for i := range s.nodes {
		if h, _ := w.get(i); h.holding == agreed || h.holding == same {
			holders = holders.With(i)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	r, ok := s.rejected.Get(name)
	if !ok || now.After(r.until) {
		r = rejection{}
	}
	r.nodes |= holders
	r.until = now.Add(rejectedFor)
	s.rejected.Add(name, r)
	return r.nodes != 1<<len(s.nodes)-1
}

// Doubt has nodes show again that they hold the version which v belongs to, before anything else is read from them: what came from them was wrong, and a node
// without validators does not say that it holds another archive now.
func (s *Nodes) Doubt(v Validator, nodes NodeSet) {
	if v.version == nil || v.version.s != s {
		return
	}
	for i := range s.nodes {
		if h, confirmed := v.version.get(i); nodes.Has(i) && confirmed && h.holding == same {
			v.version.set(i, unknown, Validator{})
		}
	}
}

// Disputed says whether some node is known to hold another state of the archive than the version that v belongs to.
func (s *Nodes) Disputed(v Validator) bool {
	return v.version != nil && v.version.s == s && v.version.disputed()
}

// rejectedNodes are those whose copy of an archive was of no use a short time ago; none where that is so of all.
func (s *Nodes) rejectedNodes(name string) NodeSet {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.rejected.Get(name)
	if !ok || time.Now().After(r.until) || r.nodes == 1<<len(s.nodes)-1 {
		return 0
	}
	return r.nodes
}

// Blame says that these nodes delivered wrong bytes where another one's were right.
func (s *Nodes) Blame(nodes NodeSet) {
	now := time.Now()
	for i, h := range s.health {
		if nodes.Has(i) {
			h.blame(now)
			s.suspects.Or(uint64(NodeSet(0).With(i)))
		}
	}
}

// Suspects are the nodes that were ever blamed.
func (s *Nodes) Suspects() NodeSet { return NodeSet(s.suspects.Load()) }

// spend takes one from a budget, if there is one.
func (s *Nodes) spend(budget *float64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if *budget < 1 {
		return false
	}
	*budget--
	return true
}

// Classes of nodes, added to the one that a read sorts by itself.
const (
	classAvoided  = 10  // the same bytes from it were wrong
	classStalls   = 50  // its bodies stall
	classHalfOpen = 100 // asked by a probe first
)

// choice is a node that a read may go to.
type choice struct {
	node  int
	class int // less goes first, whatever it costs
	cost  time.Duration
}

// order answers the nodes that may be asked for n bytes, the best first: those whose breaker is closed, and behind them those that may be tried again.
func (s *Nodes) order(n int64, class func(i int) (int, bool)) []choice {
	now := time.Now()
	list := make([]choice, 0, 8)
	for i, h := range s.health {
		c, ok := class(i)
		if !ok {
			continue
		}
		state, cost, stalls := h.standing(now, n)
		switch {
		case state == Open:
			continue
		case state == HalfOpen:
			c += classHalfOpen
		case stalls:
			c += classStalls
		}
		list = append(list, choice{i, c, cost})
	}
	slices.SortStableFunc(list, func(a, b choice) int {
		return cmp.Or(cmp.Compare(a.class, b.class), cmp.Compare(a.cost, b.cost))
	})
	if len(list) > 1 && list[0].class == list[1].class && rand.Float64() < exploreShare && s.health[list[1].node].stale(now, exploreAfter) {
		list[0], list[1] = list[1], list[0]
	}
	return list
}

// ask sends one read to one node and keeps its health. The answered Body gives the read back when it is closed.
func (s *Nodes) ask(ctx context.Context, i int, name string, off, n int64, want *Validator) (*Body, error) {
	h := s.health[i]
	began := time.Now()
	if open := h.begin(began, n); open != nil {
		return nil, open
	}
	body, err := s.nodes[i].Origin.Read(ctx, name, off, n, want)
	now := time.Now()
	if err == nil {
		if h.answered(now.Sub(began), now) && s.notice != nil {
			s.notice(s.nodes[i].Name, true, nil)
		}
		body.ReadCloser = &measured{ReadCloser: body.ReadCloser, h: h}
		return body, nil
	}
	switch {
	case ctx.Err() == nil, context.Cause(ctx) == errSlow:
		s.failed(i, s.errorOf(i, name, err), now)
	case context.Cause(ctx) == errLost:
		h.slower(now.Sub(began), now)
	default:
		h.ended()
	}
	h.done(0, 0)
	return nil, err
}

// errorOf answers the *Error that err is.
func (s *Nodes) errorOf(i int, name string, err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Kind: ErrUnavailable, Node: s.nodes[i].Name, Archive: name, Err: err}
}

// probe asks a node whose breaker is half open for a byte, so that no viewer has to find out.
func (s *Nodes) probe(i int, name string) {
	s.start(func() {
		ctx, cancel := context.WithTimeout(s.ctx, proveLimit)
		defer cancel()
		if body, err := s.ask(ctx, i, name, 0, 1, nil); err == nil {
			io.Copy(io.Discard, body)
			body.Close()
		}
	})
}

// measured is a node's body that tells how fast it came.
type measured struct {
	io.ReadCloser
	h      *health
	n      int64
	waited time.Duration
	closed bool
}

func (m *measured) Read(p []byte) (int, error) {
	began := time.Now()
	n, err := m.ReadCloser.Read(p)
	m.waited += time.Since(began)
	m.n += int64(n)
	return n, err
}

func (m *measured) Close() error {
	if !m.closed {
		m.closed = true
		m.h.done(m.n, m.waited)
	}
	return m.ReadCloser.Close()
}
