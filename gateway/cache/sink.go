package cache

import (
	"context"
	"errors"
	"hash/crc32"
)

// Sink takes a fill's bytes in order. It is for the fill's goroutine alone.
type Sink struct {
	f    *flight
	cur  *span // being written; nil before the first byte and between spans
	got  int64 // bytes in all
	in   int   // bytes in cur
	sum  uint32
	hold bool  // no more is handed out before the whole object fits its CRC
	err  error // why no more is taken
}

var errTooMuch = errors.New("fill delivered more bytes than were asked for")

// Write takes the next bytes (copied). More than n in all is an error.
func (s *Sink) Write(p []byte) (int, error) {
	taken := 0
	for len(p) > 0 {
		if s.got == s.f.n {
			s.err = errTooMuch
			return taken, s.err
		}
		m := copy(s.Next(), p)
		if err := s.Wrote(m); err != nil {
			return taken, err
		}
		taken, p = taken+m, p[m:]
	}
	return taken, nil
}

// Next answers the free space for the next bytes, to be read into and then told with Wrote: saves the copy. It is never
// empty while bytes are wanted; what is read into the answer of a fill that was stopped is dropped.
func (s *Sink) Next() []byte {
	if s.cur == nil {
		s.f.c.mu.Lock()
		if len(s.f.spans) > 0 {
			s.cur, s.in, s.sum = s.f.spans[0], 0, 0
		} else if s.err == nil && s.got < s.f.n {
			s.err = context.Canceled
		}
		s.f.c.mu.Unlock()
	}
	if s.cur == nil {
		return make([]byte, 1)
	}
	return s.cur.buf[s.in:]
}

// forsake gives the span that is written next other memory: what Next answered may be written to by somebody who is not waited for any more.
func (s *Sink) forsake() {
	s.f.c.mu.Lock()
	defer s.f.c.mu.Unlock()
	if s.cur != nil {
		s.cur.buf = make([]byte, len(s.cur.buf))
	}
}

// Wrote says that m bytes of what Next answered are filled.
func (s *Sink) Wrote(m int) error {
	if s.err != nil || s.cur == nil || m < 0 || m > len(s.cur.buf)-s.in {
		if s.err == nil {
			s.err = errTooMuch
		}
		return s.err
	}
	s.sum = crc32.Update(s.sum, crc32.IEEETable, s.cur.buf[s.in:s.in+m])
	s.in += m
	s.got += int64(m)
	c := s.f.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.f.over {
		s.err = context.Canceled
		return s.err
	}
	s.f.got = s.got
	return s.publish()
}

// publish shows readers what has arrived. Cache.mu is held.
func (s *Sink) publish() error {
	sp, obj := s.cur, s.f.obj
	whole := s.f.c.whole(obj)
	if s.in < len(sp.buf) && s.hold && whole {
		return nil
	}
	if s.in < len(sp.buf) {
		sp.n = s.in
		if whole {
			sp.n = max(0, min(s.in, len(sp.buf)-held))
		}
		sp.wake()
		return nil
	}
	if whole && s.sum != obj.CRC {
		s.f.c.stats.ChecksumErrors++
		s.err = &ChecksumError{Object: obj, Got: s.sum}
		return s.err
	}
	sp.n, sp.sum, sp.done, sp.fill = s.in, s.sum, true, nil
	s.f.spans[0] = nil // it belongs to the store now
	s.f.spans = s.f.spans[1:]
	s.cur = nil
	s.f.c.finish(sp, whole)
	sp.wake()
	return nil
}

// Hold keeps back what is delivered of a whole object from now on until it fits its CRC: for bytes from where wrong ones have come from before. Readers
// wait longer, and are not cut off.
func (s *Sink) Hold() { s.hold = true }

// Restart throws away what was delivered of a whole object, for a fill whose bytes proved wrong and that can read them from elsewhere; all n
// are to be delivered again. Readers who were handed wrong ones get why; the others see nothing of it. It is false for a fill that is over, and for
// parts of larger objects, of which others are in use already.
func (s *Sink) Restart(why error) bool {
	f := s.f
	if !f.c.whole(f.obj) {
		return false
	}
	fresh := &span{key: spanKey{f.obj, 0}, buf: make([]byte, f.obj.Size), fill: f}
	f.c.mu.Lock()
	defer f.c.mu.Unlock()
	if f.over || len(f.spans) != 1 {
		return false
	}
	old := f.spans[0]
	old.n, old.err, old.again = 0, why, true
	if f.c.filling[old.key] == old {
		f.c.filling[old.key] = fresh
	}
	f.c.letGo(old)
	f.spans[0], f.got = fresh, 0
	s.cur, s.got, s.in, s.sum, s.err = nil, 0, 0, 0, nil
	old.wake()
	return true
}
