package main

import (
	"net"
	"net/http"
	"testing"
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
		for _, s := range tt.steps {
			if conns[s.conn] == nil {
				conns[s.conn] = &namedConn{name: s.conn}
			}
			limit.change(conns[s.conn], s.state)
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
