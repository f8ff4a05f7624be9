package main

import (
	"errors"
	"net"
	"net/http"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// namedConn is a net.Conn that remembers whether it was closed.
type namedConn struct {
	net.Conn
	name   string
	closed bool
}

func (c *namedConn) Close() error {
	c.closed = true
	return nil
}

func TestConnLimit(t *testing.T) {
	type step struct {
		conn  string
		state http.ConnState
	}
	const (
		opened = http.StateNew
		active = http.StateActive
		idle   = http.StateIdle
		closed = http.StateClosed
	)
	tests := []struct {
		name       string
		steps      []step
		wantClosed string
	}{
		{"below the limit", []step{{"a", opened}, {"b", opened}, {"a", active}}, ""},
		{"all at work: the newest", []step{{"a", opened}, {"b", opened}, {"a", active}, {"b", active}, {"c", opened}}, "c"},
		{"one idle: that", []step{{"a", opened}, {"b", opened}, {"a", active}, {"b", idle}, {"c", opened}}, "b"},
		{"idle for longest", []step{{"a", opened}, {"b", opened}, {"b", idle}, {"a", idle}, {"c", opened}}, "b"},
		{"idle once, at work again", []step{{"a", opened}, {"b", opened}, {"b", idle}, {"a", idle}, {"b", active}, {"c", opened}}, "a"},
		{"room after a close", []step{{"a", opened}, {"b", opened}, {"a", closed}, {"c", opened}}, ""},
		{"room after a close of an idle one", []step{{"a", opened}, {"b", opened}, {"a", idle}, {"a", closed}, {"c", opened}}, ""},
		{"room after a hijack", []step{{"a", opened}, {"b", opened}, {"a", http.StateHijacked}, {"c", opened}}, ""},
		{"a victim counts once", []step{{"a", opened}, {"b", opened}, {"a", idle}, {"c", opened}, {"a", closed}, {"d", opened}}, "ad"},
	}
	for _, tt := range tests {
		limit := newConnLimit(2)
		conns := map[string]*namedConn{}
		viewers := map[string]*viewerConn{}
		for _, s := range tt.steps {
			if conns[s.conn] == nil {
				conns[s.conn] = &namedConn{name: s.conn}
				viewers[s.conn] = &viewerConn{Conn: conns[s.conn]}
			}
			limit.change(viewers[s.conn], s.state)
		}
		got := ""
		for _, name := range []string{"a", "b", "c", "d"} {
			if c := conns[name]; c != nil && c.closed {
				got += name
			}
		}
		if got != tt.wantClosed {
			t.Errorf("%s: closed %q, want %q", tt.name, got, tt.wantClosed)
		}
	}
}

// slowConn takes so many bytes in the time it is given, and no more.
type slowConn struct {
	net.Conn
	takes []int
	until time.Time
	sets  int // of the deadline
}

func (c *slowConn) SetWriteDeadline(t time.Time) error {
	c.until = t
	c.sets++
	return nil
}

func (c *slowConn) Write(p []byte) (int, error) {
	n := c.takes[0]
	c.takes = c.takes[1:]
	if n >= len(p) {
		return len(p), nil
	}
	time.Sleep(time.Until(c.until))
	return n, os.ErrDeadlineExceeded
}

// TestSlowViewersAreKept as long as they take something; who takes nothing is dropped.
func TestSlowViewersAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &viewerConn{Conn: &slowConn{takes: []int{100 << 10, 100 << 10, 100 << 10, 1 << 20}}}
		began := time.Now()
		if n, err := c.Write(make([]byte, 1<<20)); n != 1<<20 || err != nil {
			t.Errorf("a slow viewer got %d bytes, %v", n, err)
		}
		if took := time.Since(began); took < 3*takeWithin {
			t.Errorf("took %v, want three times the deadline", took)
		}
		c = &viewerConn{Conn: &slowConn{takes: []int{100 << 10, 100}}}
		began = time.Now()
		if n, err := c.Write(make([]byte, 1<<20)); n != 100<<10+100 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("a stalled viewer: %d bytes, %v", n, err)
		}
		if took := time.Since(began); took > 3*takeWithin {
			t.Errorf("a stalled viewer was dropped after %v", took)
		}
	})
}

// TestDeadlineStays: the server lifts the deadline behind every answer, and setting it again and again costs as much as a small answer's own work.
func TestDeadlineStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := &slowConn{takes: []int{100, 100, 100}}
		c := &viewerConn{Conn: slow}
		for range 2 {
			c.Write(make([]byte, 100))
			c.SetWriteDeadline(time.Time{})
		}
		if slow.sets != 1 {
			t.Errorf("the deadline was set %d times for two writes, want once", slow.sets)
		}
		time.Sleep(takeWithin)
		c.Write(make([]byte, 100))
		if left := time.Until(slow.until); left < takeWithin {
			t.Errorf("a write after a pause has %v", left)
		}
	})
}
