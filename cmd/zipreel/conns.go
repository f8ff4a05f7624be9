package main

import (
	"container/list"
	"net"
	"net/http"
	"sync"
)

// connLimit bounds a server's connections. Beyond the limit the connection that is idle for longest makes room; where
// all are at work, the newest is closed.
type connLimit struct {
	max int

	mu    sync.Mutex // guards following
	conns map[net.Conn]*list.Element
	idle  *list.List // of net.Conn, idle for longest first
}

// newConnLimit allows max connections.
func newConnLimit(max int) *connLimit {
	return &connLimit{max: max, conns: map[net.Conn]*list.Element{}, idle: list.New()}
}

// change is the http.Server's ConnState.
func (l *connLimit) change(c net.Conn, state http.ConnState) {
	if victim := l.note(c, state); victim != nil {
		victim.Close() // its own change, to StateClosed, follows from the server
	}
}

// note keeps count and answers the connection to close, if any.
func (l *connLimit) note(c net.Conn, state http.ConnState) net.Conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.conns[c]; e != nil {
		l.idle.Remove(e)
	}
	switch state {
	case http.StateClosed, http.StateHijacked:
		delete(l.conns, c)
	case http.StateIdle:
		l.conns[c] = l.idle.PushBack(c)
	default:
		l.conns[c] = nil
	}
	if state != http.StateNew || len(l.conns) <= l.max {
		return nil
	}
	if oldest := l.idle.Front(); oldest != nil {
		victim := l.idle.Remove(oldest).(net.Conn)
		delete(l.conns, victim)
		return victim
	}
	delete(l.conns, c)
	return c
}
