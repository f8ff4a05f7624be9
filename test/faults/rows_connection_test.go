package faults

import (
	"net"
	"strconv"
	"strings"
	"time"

	"zipreel/gateway/origin"
)

// everything is what a viewer of any kind asks for.
var everything = []string{"/master.m3u8", index, "/720p/seg0.ts", "/720p/seg1.ts", "/720p/seg2.ts", "/720p/seg3.ts", "/film.mp4"}

var unsigned, _ = selfSigned()

// connectionRows are faults of connections.
var connectionRows = []row{
	{
		id: "1a", fault: "the only node resets two connections", must: "tried again; the viewer sees only delay",
		arm: func(s *stage) { s.nodes[0].onAccept = func(n int) bool { return n > 2 } }, want: "plays",
	},
	{
		id: "1b", fault: "a node refuses connections", must: "read from another node", nodes: 2,
		arm: func(s *stage) { s.nodes[0].down() }, want: "plays",
	},
	{
		id: "1c", fault: "the only node dies while it is played", must: "503 origin-unavailable", warm: []string{index},
		arm: func(s *stage) { s.nodes[0].down() }, want: "503 origin-unavailable", adds: 12 * time.Second,
	},
	{
		id: "1d", fault: "connections to a node are reset within bytes (toxiproxy reset_peer)", must: "read from another node", nodes: 2,
		before: func(s *stage) { s.poison(0, `{"type":"reset_peer","attributes":{"timeout":0}}`)() }, want: "plays",
	},
	{
		id: "2a", fault: "the node's name does not resolve", must: "502 origin-dns",
		before: func(s *stage) { newDNS(s).gone.Store(true) },
		origin: byName, want: "502 origin-dns", adds: 10 * time.Second,
	},
	{
		id: "2b", fault: "the name does not resolve any more, connections are lost", must: "the last good addresses",
		before: func(s *stage) { newDNS(s) },
		origin: byName, warm: []string{index}, want: "plays",
		arm: func(s *stage) {
			s.dns.gone.Store(true)
			n := s.nodes[0]
			n.down()
			n.up(n.addr)
		},
	},
	{
		id: "3a", fault: "the node's certificate is not trusted", must: "502 origin-tls; no storm, no downgrade", tls: unsigned,
		want: "502 origin-tls", adds: 10 * time.Second,
		after: func(s *stage, _ viewer, got played) {
			conns, requests, _ := s.nodes[0].traffic()
			if conns > 3*got.Tries || requests > 0 {
				s.errorf("%d connections and %d requests for %d tries of the viewer", conns, requests, got.Tries)
			}
		},
	},
	{
		id: "3b", fault: "the node speaks no TLS where it is asked for", must: "the same",
		origin: func(_ *stage, _ int, cfg *origin.HTTPConfig) {
			cfg.Base = strings.Replace(cfg.Base, "http:", "https:", 1)
		},
		want: "502 origin-tls", adds: 10 * time.Second,
	},
	{
		id: "4a", fault: "a node answers no SYN", must: "read from the other node", nodes: 2,
		before: func(s *stage) { newDeafNode(s, 0) }, want: "plays",
	},
	{
		id: "4b", fault: "a node answers no SYN any more while it is played", must: "the second node is tried after 500 ms", nodes: 2,
		warm: []string{index}, arm: deafen, want: "plays", adds: 900 * time.Millisecond,
	},
	{
		id: "4c", fault: "the only node answers no SYN", must: "503 origin-unavailable within 8 s",
		before: func(s *stage) { newDeafNode(s, 0) }, want: "503 origin-unavailable|503 origin-slow|504 origin-timeout", adds: 50 * time.Second,
	},
}

// newDNS makes the nodes be found by name.
func newDNS(s *stage) *names {
	s.dns = newNames()
	s.closers = append(s.closers, s.dns.close)
	return s.dns
}

// byName is a node under a name instead of its address.
func byName(_ *stage, _ int, cfg *origin.HTTPConfig) {
	cfg.Base = strings.Replace(cfg.Base, "127.0.0.1", "storage.example", 1)
}

func newDeafNode(s *stage, node int) {
	d := newDeaf(0)
	s.closers = append(s.closers, d.close)
	s.bases[node] = "http://" + d.addr + "/"
}

// deafen makes the first node accept no connection any more, and cuts those there are.
func deafen(s *stage) {
	n := s.nodes[0]
	n.down()
	_, port, err := net.SplitHostPort(n.addr)
	must(err)
	number, err := strconv.Atoi(port)
	must(err)
	d := newDeaf(number)
	s.closers = append(s.closers, d.close)
}
