package origin

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"time"
)

const (
	sameNodeTries = 3 // of one node without a byte between them
	retryPause    = 50 * time.Millisecond
	retryPauseMax = 400 * time.Millisecond

	progress   = 64 << 10        // bytes after which a body that broke counts as having got on
	floorRate  = 32 << 10        // bytes per second; a body that comes slower is looked for elsewhere
	floorAfter = 3 * time.Second // of waiting for it
)

var errTrickle = errors.New("bytes come too slowly")

// read is one Read of Nodes on its way: which nodes were tried, and where it has got to. For one goroutine alone.
type read struct {
	s       *Nodes
	ctx     context.Context // of the caller, for all of the body
	name    string
	at, n   int64 // what is wanted still; at may be Tail before the first answer
	want    *Validator
	version *version // of want; nil: none is known, and the first answer makes one
	avoid   NodeSet
	from    NodeSet // nodes that delivered bytes

	tried    [MaxNodes]uint8   // since the last progress
	moved    int               // times that a node refused its validator
	refused  map[int]Validator // by node: the last of these
	sizeOnly NodeSet           // refused the same one twice, and are held to the size
	final    NodeSet           // asking them again is of no use
	err      error             // the weightiest failure so far
}

// open answers the body. Where it breaks, it is continued from another node, unseen by its reader.
func (r *read) open() (*Body, error) {
	body, i, err := r.next(false)
	if err != nil {
		return nil, err
	}
	if r.version == nil { // the first answer makes the version that the rest must be of
		r.version = r.s.newVersion(r.name, body.Size, body.Off)
		r.version.set(i, agreed, body.Validator)
	}
	r.at, r.n = body.Off, body.N
	v := body.Validator
	if r.want != nil && r.want.version == r.version {
		v = *r.want // whichever node it came from
	}
	v.version = r.version
	b := &resumed{r: r, body: body, node: i}
	return &Body{ReadCloser: b, Off: body.Off, N: body.N, Size: body.Size, Validator: v, From: &r.from}, nil
}

// next asks nodes, one after the other, until one answers with what is wanted still.
func (r *read) next(resume bool) (*Body, int, error) {
	for {
		i, spare, err := r.choose()
		if err != nil {
			return nil, 0, err
		}
		if r.tried[i] > 0 {
			if err := r.pause(i); err != nil {
				return nil, 0, err
			}
		}
		h := r.s.health[i]
		switch {
		case resume:
			h.count(func(s *NodeStats) { s.Resumes++ })
		case r.err != nil:
			h.count(func(s *NodeStats) { s.Retries++ })
		}
		body, by, err := r.hedged(i, spare)
		if err == nil {
			return body, by, nil
		}
		if r.ctx.Err() != nil {
			return nil, 0, err
		}
		if r.changed() {
			return nil, 0, r.err
		}
	}
}

// choose answers the node to ask now, and another one for a hedge (-1: none).
func (r *read) choose() (node, spare int, err error) {
	rejected := r.s.rejectedNodes(r.name)
	if r.version != nil {
		rejected = 0
	}
	list := r.s.order(r.n, func(i int) (int, bool) { return r.class(i, rejected) })
	fresh, now := list[:0:0], time.Now()
	for i, c := range list {
		if r.tried[c.node] > 0 {
			continue
		}
		if i > 0 && r.s.health[c.node].doubtful(now) {
			r.s.probe(c.node, r.name)
		}
		if c.class >= classHalfOpen && len(fresh) > 0 {
			r.s.probe(c.node, r.name)
			continue
		}
		fresh = append(fresh, c)
	}
	switch {
	case len(fresh) > 1:
		return fresh[0].node, fresh[1].node, nil
	case len(fresh) == 1:
		return fresh[0].node, -1, nil
	}
	for _, c := range list { // the same again, where that may help
		if !r.final.Has(c.node) && r.tried[c.node] < sameNodeTries && r.s.spend(&r.s.retries) {
			return c.node, -1, nil
		}
	}
	return 0, 0, r.failure()
}

// class sorts nodes by what they hold. ok is false for those that are not asked.
func (r *read) class(i int, rejected NodeSet) (class int, ok bool) {
	if r.avoid.Has(i) {
		class += classAvoided
	}
	if rejected.Has(i) {
		return 0, false
	}
	if r.version == nil {
		return class, true
	}
	h, confirmed := r.version.get(i)
	switch {
	case h.holding == same || h.holding == agreed && !confirmed:
		return class, true
	case h.holding == unknown && confirmed:
		return class + 1, true
	}
	return 0, false
}

// failure is why no node is left to ask.
func (r *read) failure() error {
	if r.err != nil {
		return r.err
	}
	var open *Error
	for i, h := range r.s.health {
		if _, ok := r.class(i, 0); !ok {
			continue
		}
		if err := h.why(time.Now()); err != nil && (open == nil || err.RetryAfter < open.RetryAfter) {
			open = err
		}
	}
	if open != nil {
		return open
	}
	if len(r.s.order(r.n, func(i int) (int, bool) { return r.class(i, 0) })) > 0 { // a breaker closed meanwhile
		return r.fail(ErrUnavailable, errors.New("no node was to be asked"))
	}
	return r.fail(ErrChanged, errors.New("no node holds this version any more"))
}

func (r *read) fail(kind, cause error) *Error {
	return &Error{Kind: kind, Archive: r.name, Off: r.at, N: r.n, Err: cause}
}

// pause waits a little, less on the first repetition than on the second.
func (r *read) pause(i int) error {
	d := min(retryPause<<(2*r.tried[i]-2), retryPauseMax)
	t := time.NewTimer(d + rand.N(d/2))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-r.ctx.Done():
		return r.fail(ErrTimeout, ended(r.ctx))
	}
}

// request asks one node for [at, at+n); it has to hold the version.
func (r *read) request(ctx context.Context, i int, at, n int64) (*Body, error) {
	w := r.version
	if w == nil {
		return r.s.ask(ctx, i, r.name, at, n, r.want)
	}
	h, confirmed := w.get(i)
	if confirmed && h.holding == unknown {
		if err := w.prove(ctx, i); err != nil {
			return nil, err
		}
		if h, _ = w.get(i); h.holding != same {
			return nil, r.other(i)
		}
	}
	want := h.v
	if r.want != nil && r.want.loose {
		want = want.SizeOnly()
	}
	body, err := r.s.ask(ctx, i, r.name, at, n, &want)
	if err != nil || !confirmed || r.from == 0 || !w.mayBeAnother(want) {
		return body, err
	}
	if err = w.proveAgain(ctx, i); err == nil {
		if h, _ = w.get(i); h.holding == same {
			return body, nil
		}
		err = r.other(i)
	}
	body.Close()
	return nil, err
}

// other says that a node holds another version.
func (r *read) other(i int) error {
	return &Error{Kind: ErrChanged, Node: r.s.nodes[i].Name, Archive: r.name, Err: errOther}
}

var errOther = errors.New("the node holds another version")

// errContradicts is about a node that refuses what it says it holds.
var errContradicts = errors.New("the node says that the archive has changed, and shows the same directory and validator as before")

// failed notes a node's failure. A node that refuses the validator it gave is looked at again before it is believed to hold another state. Where it shows the
// same as before and refuses that again, two servers may answer by turns: it is held to the archive's size.
func (r *read) failed(i int, err error) {
	r.tried[i]++
	if !errors.Is(err, ErrUnavailable) && !errors.Is(err, ErrTimeout) {
		r.final = r.final.With(i)
	}
	if w := r.version; w != nil {
		h, confirmed := w.get(i)
		switch {
		case errors.Is(err, ErrChanged) && h.holding == same && confirmed && r.moved <= maxLearnt*len(r.s.nodes):
			if r.sizeOnly.Has(i) {
				err = &Error{Kind: ErrBadRange, Node: r.s.nodes[i].Name, Archive: r.name, Off: r.at, N: r.n, Err: errContradicts}
				break
			}
			r.moved++
			if v, ok := r.refused[i]; ok && v == h.v {
				r.sizeOnly = r.sizeOnly.With(i)
				w.set(i, same, h.v.SizeOnly())
			} else {
				if r.refused == nil {
					r.refused = map[int]Validator{}
				}
				r.refused[i] = h.v
				w.set(i, unknown, Validator{})
			}
			r.tried[i], r.final = 0, r.final&^(1<<i)
			return
		case errors.Is(err, ErrChanged):
			w.set(i, other, Validator{})
		case errors.Is(err, ErrNotFound):
			w.set(i, missing, Validator{})
		}
	}
	if r.err == nil || weight(err) > weight(r.err) {
		r.err = err
	}
}

// weight orders failures: which of several nodes' the caller is told. One that passes goes before one that does not.
func weight(err error) int {
	i := slices.IndexFunc([]error{ErrNotFound, ErrNoRange, ErrRedirect, ErrDenied, ErrBadRange, ErrDNS, ErrTLS, ErrTimeout, ErrUnavailable, ErrChanged},
		func(kind error) bool { return errors.Is(err, kind) })
	return i + 1
}

// changed says whether the archive is another one by now, and not only on a node or two.
func (r *read) changed() bool {
	return r.version != nil && errors.Is(r.err, ErrChanged) && r.version.changed()
}

// resumed is the body of a read. Where a node's body breaks, the next byte comes from another node.
type resumed struct {
	r      *read
	body   *Body // nil after a break
	node   int
	broke  error
	since  int64         // bytes since the last break
	waited time.Duration // for window
	window int64         // bytes
	moved  NodeSet       // left because they were slow
}

// Read implements io.Reader.
func (b *resumed) Read(p []byte) (int, error) {
	r := b.r
	for {
		if r.n == 0 {
			return 0, io.EOF
		}
		if b.body == nil {
			if err := b.resume(); err != nil {
				return 0, err
			}
		}
		began := time.Now()
		n, err := b.body.Read(p[:min(int64(len(p)), r.n)])
		b.waited += time.Since(began)
		if n > 0 {
			b.took(n)
		}
		if r.n > 0 && err != nil {
			b.fail(err)
		} else if r.n > 0 && b.slow() {
			b.fail(&Error{Kind: ErrTimeout, Node: r.s.nodes[b.node].Name, Archive: r.name, Off: r.at, N: r.n, Err: errTrickle})
			b.moved = b.moved.With(b.node)
		}
		if n > 0 {
			return n, nil
		}
	}
}

// took counts bytes that go to the reader.
func (b *resumed) took(n int) {
	r := b.r
	r.at += int64(n)
	r.n -= int64(n)
	b.since += int64(n)
	b.window += int64(n)
	r.from = r.from.With(b.node)
	r.version.reading(b.node)
	if b.since > progress {
		r.tried, r.final, r.err = [MaxNodes]uint8{}, 0, nil
	}
}

// fail leaves a node whose body broke.
func (b *resumed) fail(err error) {
	b.body.Close()
	b.body, b.broke = nil, err
	if b.r.ctx.Err() != nil {
		return
	}
	s, now := b.r.s, time.Now()
	s.failed(b.node, s.errorOf(b.node, b.r.name, err), now)
	if errors.Is(err, ErrTimeout) {
		s.health[b.node].stalled(now)
	}
	b.r.failed(b.node, err)
	if b.since > progress { // it got on: as good a node as before, and no storm
		b.r.tried[b.node], b.r.final = 0, b.r.final&^(1<<b.node)
	}
}

func (b *resumed) resume() error {
	if b.r.ctx.Err() != nil {
		return b.broke
	}
	body, i, err := b.r.next(true)
	if err != nil {
		return err
	}
	if body.Off != b.r.at || body.N != b.r.n {
		body.Close()
		return b.r.fail(ErrBadRange, errors.New("the archive ends earlier than it did"))
	}
	b.body, b.node, b.since, b.window, b.waited = body, i, 0, 0, 0
	return nil
}

// slow says whether the body comes so slowly that another node is worth a try: one that holds the version, works, and is not known to be slow too.
func (b *resumed) slow() bool {
	if b.waited < floorAfter {
		return false
	}
	rate := float64(b.window) / b.waited.Seconds()
	b.window, b.waited = 0, 0
	if rate >= floorRate {
		return false
	}
	r := b.r
	for _, c := range r.s.order(r.n, func(i int) (int, bool) { return r.class(i, 0) }) {
		if c.node == b.node || c.class > 1 || b.moved.Has(c.node) || r.tried[c.node] > 0 {
			continue
		}
		if other := r.s.health[c.node].throughput(); other == 0 || other > 2*rate {
			return true
		}
	}
	return false
}

// Close implements io.Closer.
func (b *resumed) Close() error {
	b.r.n = 0
	if b.body == nil {
		return nil
	}
	return b.body.Close()
}
