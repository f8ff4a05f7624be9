package origin

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"strconv"
	"sync"
	"time"
)

// Proof is what tells one version of an archive from every other: the digest of a part of it.
type Proof struct {
	Off, N int64
	SHA256 [sha256.Size]byte
}

// NodeSet is a set of a source's nodes, by their places.
type NodeSet uint64

// MaxNodes is how many nodes a source may have.
const MaxNodes = 64

// Has says whether the i-th node is in the set.
func (s NodeSet) Has(i int) bool { return s&(1<<i) != 0 }

// With answers the set with the i-th node.
func (s NodeSet) With(i int) NodeSet { return s | 1<<i }

// holding is what is known of a node's copy of an archive, against one version of it.
type holding uint8

const (
	unknown holding = iota
	agreed          // the same size and tail, or what was read from it made the version
	same            // the same digest over the proof's range
	other           // another state
	missing         // none
)

const (
	otherFor   = time.Minute     // a node that held another state is asked again after this
	missingFor = 5 * time.Second // likewise, none
	learntFor  = time.Minute
	maxLearnt  = 2
	proveLimit = time.Minute // for reading a proof
	proveAhead = 1 << 20     // a proof of up to so many bytes is read before it is needed
)

// version is one state of one archive, as several nodes hold it. It lives as long as somebody has its Validator.
type version struct {
	s    *Nodes
	name string
	size int64

	mu       sync.Mutex // guards following
	proof    *Proof     // nil until Confirm
	tail     int64      // where what agreed begins
	held     []held
	readFrom NodeSet    // nodes that delivered bytes before Confirm
	proving  []*proving // by node; nil: none on its way
}

type held struct {
	holding
	v      Validator
	tail   []byte    // what it answered to a vote, until that can be compared with the proof
	until  time.Time // of other and missing
	learnt int       // times that the node had another validator for the same bytes, in a short time
	at     time.Time // of the last of them
}

func (s *Nodes) newVersion(name string, size, tail int64) *version {
	return &version{s: s, name: name, size: size, tail: tail, held: make([]held, len(s.nodes)), proving: make([]*proving, len(s.nodes))}
}

// set notes what a node holds.
func (w *version) set(i int, h holding, v Validator) {
	w.mu.Lock()
	defer w.mu.Unlock()
	old := w.held[i]
	w.held[i] = held{holding: h, v: v, learnt: old.learnt, at: old.at}
	switch h {
	case unknown:
		w.held[i].v = old.v // what it shows next is held against that
	case same:
		if v.ETag != old.v.ETag || !v.Modified.Equal(old.v.Modified) {
			w.held[i].learn(time.Now())
		}
	case other:
		w.held[i].until = time.Now().Add(otherFor)
	case missing:
		w.held[i].until = time.Now().Add(missingFor)
	}
}

// learn takes a validator that came with the version's own bytes. A node that has a new one every time is held to the size alone: the checksums tell the rest.
func (h *held) learn(now time.Time) {
	if now.Sub(h.at) > learntFor {
		h.learnt = 0
	}
	h.learnt, h.at = h.learnt+1, now
	if h.learnt > maxLearnt {
		h.v = h.v.SizeOnly()
	}
}

// get answers what a node holds; what was seen too long ago is unknown. confirmed says whether unknown can be told.
func (w *version) get(i int) (h held, confirmed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	h = w.held[i]
	if (h.holding == other || h.holding == missing) && time.Now().After(h.until) {
		h.holding = unknown
	}
	return h, w.proof != nil
}

// mayBeAnother says whether a validator that was asked for does not tell this version from one that has taken its place, so that the proof has to be read again before
// a body goes on; not where that is long.
func (w *version) mayBeAnother(v Validator) bool { return !v.Strong() && w.proof.N <= proveAhead }

// changed says whether more nodes than not are known to hold another state.
func (w *version) changed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, h := range w.held {
		if h.holding == other {
			n++
		}
	}
	return 2*n > len(w.held)
}

// confirm makes the nodes the version's own whose tails fit the proof or, where that is longer, the one that all of it was read from. What the
// others hold is to be found out.
func (w *version) confirm(p Proof) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.proof != nil {
		return
	}
	w.proof = &p
	sole := w.readFrom&(w.readFrom-1) == 0
	for i := range w.held {
		h := &w.held[i]
		switch {
		case h.tail != nil:
			w.compare(h)
			if p.Off < w.tail && sole && w.readFrom.Has(i) {
				h.holding = same
			}
		case h.holding == agreed && (p.Off >= w.tail || sole && w.readFrom.Has(i)):
			h.holding = same
		case h.holding == agreed:
			h.holding = unknown
		}
	}
}

// compare holds a node's tail against the proof. w.mu is held.
func (w *version) compare(h *held) {
	tail := h.tail
	h.tail = nil
	if h.v.Size != w.size {
		h.holding = other
		h.until = time.Now().Add(otherFor)
		return
	}
	h.holding = unknown
	if w.proof.Off < w.tail {
		return
	}
	if sha256.Sum256(tail[w.proof.Off-w.tail:]) == w.proof.SHA256 {
		h.holding = same
		return
	}
	h.holding, h.until = other, time.Now().Add(otherFor)
}

// disputed says whether a node is known to hold another state.
func (w *version) disputed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, h := range w.held {
		if h.holding == other {
			return true
		}
	}
	return false
}

// reading notes that a node delivers bytes that the version may be made of.
func (w *version) reading(i int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.proof == nil {
		w.readFrom = w.readFrom.With(i)
	}
}

// prove finds out whether a node holds the version, by reading the proof's bytes from it. One such read is shared by all who wait for it, and
// goes on when they leave. A nil error says that the node was asked, not that it holds the version.
func (w *version) prove(ctx context.Context, i int) error {
	w.mu.Lock()
	p := w.proving[i]
	if p == nil {
		p = &proving{done: make(chan struct{})}
		w.proving[i] = p
		if !w.s.start(func() { w.readProof(i, p) }) {
			p.err = &Error{Kind: ErrUnavailable, Node: w.s.nodes[i].Name, Archive: w.name, Err: errClosed}
			w.proving[i] = nil
			close(p.done)
		}
	}
	w.mu.Unlock()
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		return &Error{Kind: ErrTimeout, Node: w.s.nodes[i].Name, Archive: w.name, Err: ended(ctx)}
	}
}

// proveAgain looks whether a node that held the version still does: by a read of its own, for it has to begin behind whatever the caller has asked for before.
func (w *version) proveAgain(ctx context.Context, i int) error {
	h, v, err := w.digest(ctx, i)
	if err == nil && h != same {
		w.set(i, h, v)
	}
	return err
}

// proving is the read of a proof. err is set when done is closed.
type proving struct {
	done chan struct{}
	err  error
}

func (w *version) readProof(i int, p *proving) {
	ctx, cancel := context.WithTimeout(w.s.ctx, proveLimit)
	defer cancel()
	h, v, err := w.digest(ctx, i)
	if err == nil {
		w.set(i, h, v)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	p.err = err
	w.proving[i] = nil
	close(p.done)
}

// digest reads the proof's bytes from a node.
func (w *version) digest(ctx context.Context, i int) (holding, Validator, error) {
	body, err := w.s.ask(ctx, i, w.name, w.proof.Off, w.proof.N, nil)
	switch {
	case errors.Is(err, ErrNotFound):
		return missing, Validator{}, nil
	case errors.Is(err, ErrBadRange): // a shorter archive, or a node that does not answer ranges: not this version either way
		return other, Validator{}, nil
	case err != nil:
		return unknown, Validator{}, err
	}
	defer body.Close()
	if body.Size != w.size {
		return other, Validator{}, nil
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, body); err != nil {
		return unknown, Validator{}, err
	}
	if [sha256.Size]byte(sum.Sum(nil)) != w.proof.SHA256 {
		return other, Validator{}, nil
	}
	return same, body.Validator, nil
}

// Known answers the validators of the nodes that hold the version which v belongs to, for Restore.
func (s *Nodes) Known(v Validator) map[string]Validator {
	known := map[string]Validator{}
	w := v.version
	if w == nil || w.s != s {
		return known
	}
	for i := range s.nodes {
		if h, confirmed := w.get(i); confirmed && h.holding == same {
			known[s.label(i)] = Validator{ETag: h.v.ETag, Size: h.v.Size, Modified: h.v.Modified}
		}
	}
	return known
}

// Restore begins a version that was confirmed in an earlier process, by its proof and what Known answered then. A node whose validator is another now has to
// show the proof.
func (s *Nodes) Restore(name string, proof Proof, known map[string]Validator) Validator {
	w := s.newVersion(name, proof.Off+proof.N, proof.Off)
	w.proof = &proof
	first := Validator{Size: w.size}
	for i := range s.nodes {
		if v, ok := known[s.label(i)]; ok && v.Size == w.size {
			w.held[i] = held{holding: same, v: v}
			if first.Modified.IsZero() {
				first = v
			}
		}
	}
	first.version = w
	return first
}

// label tells a node from the source's others, also in the next process.
func (s *Nodes) label(i int) string { return strconv.Itoa(i) + " " + s.nodes[i].Name }

// unproved answers a node whose proof is worth reading before it is needed: it is small, and fewer than two nodes hold the version for sure. -1: none.
func (w *version) unproved() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.proof == nil || w.proof.N > proveAhead {
		return -1
	}
	sure, next := 0, -1
	for i, h := range w.held {
		switch {
		case h.holding == same:
			sure++
		case h.holding == unknown && next < 0:
			next = i
		}
	}
	if sure > 1 {
		return -1
	}
	return next
}
