package cache

import (
	"bytes"
	"context"
	"io"
)

// Reader hands out an object's bytes in order. Not for concurrent use.
type Reader struct {
	c        *Cache
	obj      Object
	off, end int64
	began    int64 // the first off
	fill     Fill
	past     *span   // was read from before; what was handed out of it has to be in cur too
	cur      *span   // holds off; nil when not looked for yet
	at       *flight // that this reader is counted at
	holds    *span   // that the last piece was of
	outcome  Outcome
	known    bool
	first    *flight // that the outcome is of; nil where all was there
	sum      uint32  // of all spans before cur, for readers that prove the object
	proves   bool
	closed   bool
	ahead    bool // of Ahead
}

// Next waits for bytes and answers the next piece: at least one byte, immutable. It counts as in use until the next Next or Close. io.EOF
// after the last. The error of a fill is answered as it is; ctx's cause when the wait was cut short.
// A reader over the whole object ends in io.EOF only when the content fits the CRC: the last
// 16 KiB are not handed out before that.
func (r *Reader) Next(ctx context.Context) ([]byte, error) {
	if r.off == r.end {
		if r.obj.Size == 0 && r.obj.CRC != 0 {
			return nil, &ChecksumError{Object: r.obj}
		}
		return nil, io.EOF
	}
	for {
		p, wait, err := r.step()
		if err != nil || len(p) > 0 {
			return p, err
		}
		if wait == nil {
			continue // another span has taken the place of the one that was read
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// step answers bytes, an error, or what to wait for.
func (r *Reader) step() ([]byte, <-chan struct{}, error) {
	c := r.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || r.closed {
		return nil, nil, ErrClosed
	}
	i, in := c.place(r.obj, r.off)
	if r.cur == nil {
		r.find(i)
	}
	s := r.cur
	if s.again {
		r.past, r.cur = s, nil
		return nil, nil, nil
	}
	if r.past != nil {
		if s.n < in && s.err == nil {
			return nil, s.changed(), nil
		}
		if from := int(r.began); s.n < in || !bytes.Equal(s.buf[from:in], r.past.buf[from:in]) {
			return nil, nil, r.past.err
		}
		r.past = nil
	}
	if to := r.upTo(s, i); to > in {
		r.off += int64(to - in)
		p := s.buf[in:to:to]
		r.hold(s)
		if to == len(s.buf) {
			r.sum, r.cur = r.add(s), nil
		}
		if r.off == r.end {
			r.leave(false)
		}
		return p, nil, nil
	}
	if s.err != nil {
		return nil, nil, s.err
	}
	if s.done { // all is there, and upTo holds it back: the object's CRC is wrong
		err := &ChecksumError{Object: r.obj, Got: r.add(s)}
		c.stats.ChecksumErrors++
		c.drop(r.obj)
		return nil, nil, err
	}
	return nil, s.changed(), nil
}

// hold counts the reader at the span that it uses now, and no more at the one before. Cache.mu is held.
func (r *Reader) hold(s *span) {
	if s == r.holds {
		return
	}
	if old := r.holds; old != nil {
		if old.viewers--; old.viewers == 0 && old.loose {
			r.c.stats.Pinned -= int64(len(old.buf))
		}
	}
	if r.holds = s; s != nil {
		s.viewers++
	}
}

// find makes the i-th span the current one: kept, being filled, or filled from now on, from the disk where it is there. Cache.mu is held.
//
// The place of a peer is here too, between the disk and storage.
func (r *Reader) find(i int64) {
	c, key, outcome := r.c, spanKey{r.obj, i}, Hit
	s, kept := c.memory.get(key)
	if !kept {
		outcome = Shared
		if s = c.filling[key]; s == nil {
			onDisk := c.onDisk(key)
			if outcome = Miss; onDisk {
				outcome = Hit
			}
			s = c.start(r.obj, i, r.end, onDisk, r.fill)
		}
	}
	s.ahead = r.ahead && (outcome == Miss || s.ahead)
	r.cur = s
	if s.fill != r.at {
		if s.fill != nil {
			s.fill.readers++
		}
		r.leave(false)
		r.at = s.fill
	}
	if !r.known {
		r.outcome, r.known, r.first = outcome, true, s.fill
		if !r.ahead {
			c.count(outcome)
		}
	}
}

// upTo answers how much of the current span may be handed out. Cache.mu is held.
func (r *Reader) upTo(s *span, i int64) int {
	start := i * r.c.cfg.Span
	if r.c.whole(r.obj) {
		start = 0
	}
	to := min(int64(s.n), r.end-start)
	if !r.proves || start+int64(len(s.buf)) < r.obj.Size || len(s.buf) == 0 {
		return int(to)
	}
	if s.done && r.add(s) == r.obj.CRC {
		r.c.proved.Add(r.obj, struct{}{})
		return int(to)
	}
	return int(max(0, min(to, int64(len(s.buf)-held))))
}

// add combines the CRC of what was read before with that of s.
func (r *Reader) add(s *span) uint32 {
	if !r.proves || !s.done {
		return r.sum
	}
	return combine(r.sum, s.sum, int64(len(s.buf)))
}

// leave is for a reader that reads no more of the flight it was counted at. Cache.mu is held.
func (r *Reader) leave(back bool) {
	if r.at != nil {
		f := r.at
		r.at = nil
		f.leave(back)
	}
}

// Outcome is known after the first Next.
func (r *Reader) Outcome() Outcome {
	if r.outcome != Hit || r.first == nil {
		return r.outcome
	}
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	if r.first.missed {
		return Miss
	}
	return Hit
}

// Close ends the reader. A fill nobody reads any more stops, unless more than half of it has arrived.
func (r *Reader) Close() { r.close(false) }

// Leave is Close for a viewer who was sent away and told to come back: the fill lives on for Linger.
func (r *Reader) Leave() { r.close(true) }

func (r *Reader) close(back bool) {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	r.closed = true
	r.hold(nil)
	r.leave(back)
}
