package main

import (
	"errors"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	takeWithin = 60 * time.Second // a viewer has to take this
	takeLeast  = 64 << 10         // many bytes, where so many wait for it
)

// viewerListener accepts connections that drop viewers who take nothing.
type viewerListener struct{ net.Listener }

// Accept implements net.Listener.
func (l viewerListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &viewerConn{Conn: c}, nil
}

// viewerConn has a write deadline that moves on as long as the viewer takes bytes, however long an answer is. The server writes from one goroutine.
type viewerConn struct {
	net.Conn
	until time.Time    // the deadline that stands; zero: none
	more  bool         // the kernel may hold bytes back for those that follow
	begun bool         // something was read
	http2 bool         // the viewer speaks HTTP/2, where answers take turns
	idle  atomic.Int64 // since when, Unix ns; 0: at work
}

// Write implements io.Writer.
func (c *viewerConn) Write(p []byte) (int, error) {
	written := 0
	for {
		if now := time.Now(); c.until.Sub(now) < takeWithin {
			c.SetWriteDeadline(now.Add(takeWithin + takeWithin/4)) // not moved at every Write
		}
		n, err := c.send(p[written:])
		written += n
		if err == nil || n < takeLeast || !errors.Is(err, os.ErrDeadlineExceeded) {
			return written, err
		}
	}
}

// serverBuffer is the size of net/http's buffer. A write of so many bytes is the head of an answer and the first of its body, and the rest follows at once: sent by
// itself, it wakes the viewer for little, which on a busy machine costs a third of the rate of whole segments.
const serverBuffer = 4096

func (c *viewerConn) send(p []byte) (int, error) {
	switch {
	case c.http2:
	case len(p) == serverBuffer:
		return c.sendMore(p)
	default:
		c.more = false
	}
	return c.Conn.Write(p)
}

// Read implements io.Reader.
func (c *viewerConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if !c.begun && n > 0 {
		c.begun, c.http2 = true, p[0] == 'P' && (n < 2 || p[1] == 'R') // RFC 9113 §3.4; no method that is answered begins so
	}
	return n, err
}

// SetReadDeadline implements net.Conn. The server calls it when an answer has ended: nothing follows then.
func (c *viewerConn) SetReadDeadline(t time.Time) error {
	if !c.http2 && c.more {
		c.push()
	}
	return c.Conn.SetReadDeadline(t)
}

// SetWriteDeadline implements net.Conn. The server takes the deadline away behind each answer, which the next Write would only set again: it stays.
func (c *viewerConn) SetWriteDeadline(t time.Time) error {
	if t.IsZero() {
		return nil
	}
	c.until = t
	return c.Conn.SetWriteDeadline(t)
}

// connLimit bounds a server's connections. Beyond the limit the connection that is idle for longest makes room; where
// all are at work, the newest is closed.
type connLimit struct {
	max int

	mu    sync.Mutex // guards following
	conns map[*viewerConn]bool
}

// newConnLimit allows max connections.
func newConnLimit(max int) *connLimit {
	return &connLimit{max: max, conns: map[*viewerConn]bool{}}
}

// change is the http.Server's ConnState.
func (l *connLimit) change(conn net.Conn, state http.ConnState) {
	c := conn.(*viewerConn)
	switch state {
	case http.StateIdle:
		c.idle.Store(time.Now().UnixNano())
	case http.StateActive:
		c.idle.Store(0)
	default:
		if victim := l.note(c, state == http.StateNew); victim != nil {
			victim.Close() // its own change, to StateClosed, follows from the server
		}
	}
}

// note keeps count and answers the connection to close, if any.
func (l *connLimit) note(c *viewerConn, opened bool) *viewerConn {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !opened {
		delete(l.conns, c)
		return nil
	}
	l.conns[c] = true
	if len(l.conns) <= l.max {
		return nil
	}
	victim := c
	for other := range l.conns {
		since, longest := other.idle.Load(), victim.idle.Load()
		if since != 0 && (longest == 0 || since < longest) {
			victim = other
		}
	}
	delete(l.conns, victim)
	return victim
}
