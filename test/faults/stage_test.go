package faults

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"zipreel/gateway"
	"zipreel/gateway/origin"
)

// stage is a whole gateway, over nodes, behind a real server.
type stage struct {
	title, next *title // what the nodes hold, and a version that may take its place
	short       *title // one that is shorter
	toxin       func() // see poisonFirst
	nodes       []*node
	bases       []string // where the gateway finds them
	source      *origin.Nodes
	gw          *gateway.Gateway
	server      *http.Server
	url         string
	dns         *names       // of this process, where a row has one
	conns       atomic.Int64 // of viewers, open
	closers     []func()
	failures    []string
}

var titles = []*title{newTitle(1, filmSize, segments), newTitle(2, filmSize, segments), newTitle(3, 0, segments)}

// build makes the nodes; run starts the gateway, so that a row may put something between the two.
func build(r row) *stage {
	s := &stage{title: titles[0], next: titles[1], short: titles[2]}
	for i := range max(1, r.nodes) {
		n := newNode(r.tls)
		n.late = time.Duration(i) * 30 * time.Millisecond // so that the first is preferred
		n.put(archiveName, s.title.data, 1)
		s.nodes = append(s.nodes, n)
		s.bases = append(s.bases, n.url())
	}
	if r.hold != nil {
		s.hold(r.hold())
	}
	return s
}

// hold makes the nodes hold a title.
func (s *stage) hold(t *title) {
	s.title = t
	for _, n := range s.nodes {
		n.put(archiveName, t.data, 1)
	}
}

// run starts the gateway as the program does.
func (s *stage) run(r row) {
	var list []origin.Node
	for i, base := range s.bases {
		cfg := origin.HTTPConfig{Base: base, AllowPrivate: true}
		if r.origin != nil {
			r.origin(s, i, &cfg)
		}
		o, err := origin.NewHTTP(cfg)
		must(err)
		list = append(list, origin.Node{Name: o.Node(), Origin: o})
	}
	var err error
	s.source, err = origin.NewNodes(list)
	must(err)
	cfg := gateway.Config{Sources: []gateway.Source{{Name: "films", Origin: s.source}}, Prefetch: -1} // every read is a viewer's
	if os.Getenv(caseLog) != "" {
		cfg.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	if r.gateway != nil {
		r.gateway(&cfg)
	}
	s.gw, err = gateway.New(cfg)
	must(err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	s.url = "http://" + l.Addr().String()
	s.server = &http.Server{Handler: s.gw, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10}
	s.server.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			s.conns.Add(1)
		case http.StateClosed:
			s.conns.Add(-1)
		}
	}
	go s.server.Serve(l)
}

// close ends everything.
func (s *stage) close() {
	s.server.Close()
	s.gw.Close()
	s.source.Close()
	for _, f := range s.closers {
		f()
	}
	for _, n := range s.nodes {
		n.close()
	}
}

func (s *stage) errorf(format string, args ...any) {
	s.failures = append(s.failures, fmt.Sprintf(format, args...))
}

// player is a viewer of the gateway with connections of its own.
func (s *stage) player() *player {
	return &player{base: s.url, titles: s.titles(), client: &http.Client{Transport: &http.Transport{DisableCompression: true}}}
}

// titles are all that may be delivered.
func (s *stage) titles() []*title { return append(slices.Clip(titles), s.title) }

// does gives every node the same script.
func (s *stage) does(script func(request) fault) {
	for _, n := range s.nodes {
		n.does(script)
	}
}

// traffic is what all nodes were asked for so far.
func (s *stage) traffic() (reads int, bytes int64) {
	for _, n := range s.nodes {
		_, r, b := n.traffic()
		reads, bytes = reads+r, bytes+b
	}
	return reads, bytes
}

// warm asks for paths before the fault, each of which has to be answered.
func (s *stage) warm(paths ...string) {
	p := s.player()
	for _, path := range paths {
		if got := p.once(mountedAt + path); got != "plays" {
			s.errorf("before the fault: %s: %s", path, got)
		}
	}
	p.client.CloseIdleConnections()
}

// until waits for something that comes about by itself.
func until(within time.Duration, ok func() bool) bool {
	for deadline := time.Now().Add(within); ; time.Sleep(5 * time.Millisecond) {
		if ok() {
			return true
		}
		if time.Now().After(deadline) {
			return false
		}
	}
}

// held is what a process holds that may leak.
type held struct{ goroutines, descriptors int }

func holds() held {
	dir, err := os.ReadDir("/proc/self/fd")
	must(err)
	return held{len(goroutines()), len(dir)}
}

// goroutines are the stacks of all but toxiproxy's, which it does not end.
func goroutines() []string {
	buf := make([]byte, 4<<20)
	stacks := strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n")
	return slices.DeleteFunc(stacks, func(stack string) bool { return strings.Contains(stack, "Shopify/toxiproxy") })
}

// leaked waits for everything that was begun since to end.
func leaked(before held) []string {
	var now held
	if until(5*time.Second, func() bool {
		now = holds()
		return now.goroutines <= before.goroutines && now.descriptors <= before.descriptors
	}) {
		return nil
	}
	return []string{fmt.Sprintf("leaked: %d goroutines and %d descriptors, %d and %d before\n%.3000s", now.goroutines, now.descriptors, before.goroutines, before.descriptors, strings.Join(goroutines(), "\n\n"))}
}

// tlsConfig is of a node whose certificate nobody has signed but itself.
type tlsConfig = *tls.Config
