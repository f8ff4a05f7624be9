package origin

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"time"
)

const (
	maxVote    = 1 << 20                // bytes of a tail that several nodes are asked for
	voters     = 3                      // nodes asked at first
	voteGrace  = 300 * time.Millisecond // for the others, once one has answered
	voteLinger = 2 * time.Second        // for those whose answer did not decide
)

// vote asks several nodes for an archive's tail at once. What two of them agree on is answered; where that does not come about in a short
// time, what most of those say that have answered, and among as many, what was modified last. So an odd node cannot start a version while others are well, and
// the validators of all are known from the start.
type vote struct {
	*read
	asked   context.Context // of the nodes' reads, which outlive the vote: the losers' answers are of use too
	list    []choice        // nodes not asked yet
	ballots chan ballot
	pending int
	cast    []ballot
}

// ballot is one node's answer.
type ballot struct {
	node int
	body *Body // all read
	data []byte
	sum  [sha256.Size]byte
	err  error
}

func (b ballot) agrees(c ballot) bool { return b.body.Size == c.body.Size && b.sum == c.sum }

// vote answers the last n bytes of an archive, and begins a version of it.
func (s *Nodes) vote(ctx context.Context, name string, n int64) (*Body, error) {
	r := &read{s: s, ctx: ctx, name: name, at: Tail, n: n}
	rejected := s.rejectedNodes(name)
	list := s.order(n, func(i int) (int, bool) { return r.class(i, rejected) })
	for len(list) > 1 && list[len(list)-1].class >= 100 {
		s.probe(list[len(list)-1].node, name)
		list = list[:len(list)-1]
	}
	v := &vote{read: r, list: list, ballots: make(chan ballot, len(list))}
	var cancel context.CancelCauseFunc
	v.asked, cancel = context.WithCancelCause(s.ctx)
	won, err := v.run()
	if err != nil && ctx.Err() != nil {
		cancel(context.Cause(ctx))
		return nil, err
	}
	if err != nil { // none of them: one after the other, and again
		cancel(nil)
		return r.open()
	}
	w := s.newVersion(name, won.body.Size, won.body.Off)
	for _, b := range v.cast {
		w.count(b, won)
	}
	if !s.start(func() { v.rest(w, won, cancel) }) {
		cancel(errClosed)
	}
	valid := won.body.Validator
	valid.version = w
	return &Body{ReadCloser: io.NopCloser(bytes.NewReader(won.data)), Off: won.body.Off, N: won.body.N, Size: won.body.Size, Validator: valid, From: new(NodeSet)}, nil
}

// run asks until two agree.
func (v *vote) run() (ballot, error) {
	for range voters {
		v.ask()
	}
	late := time.NewTimer(hedgeUnknown)
	defer late.Stop()
	var grace <-chan time.Time
	for v.pending > 0 {
		select {
		case b := <-v.ballots:
			v.pending--
			if b.err != nil {
				v.failed(b.node, b.err)
				v.ask()
				continue
			}
			v.cast = append(v.cast, b)
			if v.votes(b) > 1 {
				return b, nil
			}
			if grace == nil {
				t := time.NewTimer(voteGrace)
				defer t.Stop()
				grace = t.C
			}
		case <-late.C:
			v.ask()
		case <-grace:
			return v.best(), nil
		case <-v.ctx.Done():
			return ballot{}, v.fail(ErrTimeout, ended(v.ctx))
		}
	}
	if len(v.cast) == 0 {
		return ballot{}, v.failure()
	}
	return v.best(), nil
}

// ask asks the next node, if there is one.
func (v *vote) ask() {
	if len(v.list) == 0 {
		return
	}
	i := v.list[0].node
	v.list = v.list[1:]
	if v.s.start(func() { v.ballots <- v.ballot(i) }) {
		v.pending++
	}
}

func (v *vote) ballot(i int) ballot {
	b := ballot{node: i}
	if b.body, b.err = v.s.ask(v.asked, i, v.name, Tail, v.n, nil); b.err != nil {
		return b
	}
	defer b.body.Close()
	if b.data, b.err = io.ReadAll(b.body); b.err != nil && v.asked.Err() == nil {
		v.s.failed(i, v.s.errorOf(i, v.name, b.err), time.Now())
	}
	b.sum = sha256.Sum256(b.data)
	return b
}

// votes is how many ballots say what b says.
func (v *vote) votes(b ballot) int {
	n := 0
	for _, c := range v.cast {
		if c.agrees(b) {
			n++
		}
	}
	return n
}

func (v *vote) best() ballot {
	best := v.cast[0]
	for _, b := range v.cast[1:] {
		if n, most := v.votes(b), v.votes(best); n > most || n == most && b.body.Validator.Modified.After(best.body.Validator.Modified) {
			best = b
		}
	}
	return best
}

// rest learns from the answers that come when the vote is over.
func (v *vote) rest(w *version, won ballot, cancel context.CancelCauseFunc) {
	t := time.AfterFunc(voteLinger, func() { cancel(errLost) })
	defer t.Stop()
	defer cancel(nil)
	for ; v.pending > 0; v.pending-- {
		if b := <-v.ballots; b.err == nil {
			w.count(b, won)
		}
	}
}

// count notes what a ballot says of its node.
func (w *version) count(b, won ballot) {
	w.mu.Lock()
	defer w.mu.Unlock()
	h := held{holding: agreed, v: b.body.Validator, tail: b.data}
	if !b.agrees(won) {
		h.holding, h.until = other, time.Now().Add(otherFor)
	}
	if w.proof != nil {
		w.compare(&h)
	}
	w.held[b.node] = h
}
