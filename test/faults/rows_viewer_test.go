package faults

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"zipreel/gateway"
)

// viewerRows are viewers that crowd, stall, leave and ask for too much at once.
var viewerRows = []row{
	{id: "30", fault: "1,000 viewers of one cold segment, the first one leaves", must: "one read; all stream as it arrives", play: playCrowd},
	{id: "31", fault: "100 viewers take nothing of 24 MiB", must: "bounded memory; the node's connection is not held; dropped after 60 s", hold: largeTitle, play: playStalled},
	{id: "33a", fault: "a viewer leaves in the middle of 24 MiB", must: "the fill stops; goroutines and connections return to the baseline", hold: largeTitle, play: playLeaving},
	{id: "33b", fault: "one of two viewers leaves", must: "the other plays on, from the same read", hold: largeTitle, play: playLeavingOne},
	{
		id: "36a", fault: "more is asked for at once than may be read", must: "503 overloaded + Retry-After within about 1 s; cached content goes on",
		hold: largeTitle, gateway: littleInflight, play: playOverload,
	},
	{
		id: "36b", fault: "the same, seen by a load balancer", must: "readyz fails", hold: largeTitle, gateway: littleInflight, play: playOverloadReady,
	},
}

const largeSize = 24 << 20

// largeTitle has a long entry.
func largeTitle() *title { return newTitle(4, largeSize, segments) }

// paced makes bodies of media come at a rate, once some has come.
func paced(bytesPerSecond int) func(request) fault {
	return media(fault{stop: 60_000, how: trickle, pace: bytesPerSecond})
}

// crowdOf asks for a path with n viewers at once.
func (s *stage) crowdOf(n int, path string) []answer {
	transport := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: n}
	defer transport.CloseIdleConnections()
	answers := make([]answer, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			p := &player{base: s.url, client: &http.Client{Transport: transport}, titles: s.titles()}
			answers[i] = p.get(mountedAt+path, "", time.Minute)
		})
	}
	all.Wait()
	return answers
}

func playCrowd(s *stage) played {
	const count = 1000
	s.warm(index)
	s.does(media(fault{wait: 3 * time.Second, stop: 60_000, how: trickle, pace: 200 << 10})) // all are waiting when the first byte comes
	ctx, leave := context.WithCancel(context.Background())
	defer leave()
	left := make(chan error, 1)
	go func() { left <- s.leaveAfter(ctx, "/720p/seg0.ts", 1000, leave) }()
	answers := s.crowdOf(count, "/720p/seg0.ts")
	must(<-left)
	wrong := 0
	var firsts []time.Duration // after the node's
	for _, a := range answers {
		if a.String() != "plays" || !bytes.Equal(a.body, s.title.entries["720p/seg0.ts"]) {
			wrong++
		}
		firsts = append(firsts, a.at.Sub(s.nodes[0].began()))
	}
	slices.Sort(firsts)
	if wrong > 0 {
		s.errorf("%d of %d viewers got something else", wrong, count)
	}
	if reads, _ := s.traffic(); reads != 1 {
		s.errorf("%d reads, want 1", reads)
	}
	return played{Outcome: fmt.Sprintf("plays; first byte p50 %v after the node's", firsts[count/2].Round(time.Millisecond)), Tries: count}
}

// leaveAfter reads n bytes of a path and leaves.
func (s *stage) leaveAfter(ctx context.Context, path string, n int, leave func()) error {
	client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+mountedAt+path, nil)
	if err != nil {
		return err
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	_, err = io.ReadFull(res.Body, make([]byte, n))
	leave()
	res.Body.Close()
	return err
}

func playStalled(s *stage) played {
	const count = 100
	s.warm(index)
	began, before := time.Now(), heap()
	var conns []net.Conn
	for range count {
		conns = append(conns, s.stalledViewer("/film.mp4"))
	}
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	if !until(20*time.Second, func() bool { return s.source.Stats()[0].Received >= largeSize && s.source.Stats()[0].Inflight == 0 }) {
		s.errorf("the node's connection is held for viewers that take nothing: %+v", s.source.Stats()[0])
	}
	grown := heap() - before
	if most := int64(largeSize + count*64<<10 + 8<<20); grown > most {
		s.errorf("the heap grew by %d KiB, at most %d wanted", grown>>10, most>>10)
	}
	asked := time.Now()
	if a := s.get("/film.mp4"); a.String() != "plays" || time.Since(asked) > 3*time.Second {
		s.errorf("another viewer: %v after %v", a, time.Since(asked))
	}
	if reads, _ := s.traffic(); reads > 4 {
		s.errorf("%d reads", reads)
	}
	if !until(85*time.Second, func() bool { return s.conns.Load() < count/10 }) {
		s.errorf("%d of %d connections still there after %v", s.conns.Load(), count, time.Since(began))
	}
	return played{Outcome: fmt.Sprintf("others play; %d KiB a viewer; dropped after %v", max(0, grown-largeSize)>>10/count, time.Since(began).Round(time.Second)), Took: time.Since(began)}
}

// stalledViewer asks for a path and reads nothing.
func (s *stage) stalledViewer(path string) net.Conn {
	c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	must(err)
	c.(*net.TCPConn).SetReadBuffer(4096)
	fmt.Fprintf(c, "GET %s%s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", mountedAt, path)
	return c
}

// heap is the bytes in use.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func playLeaving(s *stage) played {
	s.warm(index)
	s.source.Stats()
	if !until(5*time.Second, func() bool { return s.conns.Load() == 0 }) {
		s.errorf("%d connections of viewers before any", s.conns.Load())
	}
	before := len(goroutines())
	s.does(paced(2 << 20))
	ctx, leave := context.WithCancel(context.Background())
	must(s.leaveAfter(ctx, "/film.mp4", 200_000, leave))
	began := time.Now()
	if !until(3*time.Second, func() bool { return s.source.Stats()[0].Inflight == 0 && s.nodes[0].open() == 0 }) {
		s.errorf("the node's connection was still open after %v", time.Since(began))
	}
	took := time.Since(began)
	if !until(3*time.Second, func() bool { return len(goroutines()) <= before }) {
		s.errorf("%d goroutines, %d before", len(goroutines()), before)
	}
	if _, sent := s.traffic(); sent > largeSize/2 {
		s.errorf("%d bytes were read for nobody", sent)
	}
	return played{Outcome: fmt.Sprintf("stopped after %v", took.Round(10*time.Millisecond))}
}

func playLeavingOne(s *stage) played {
	s.warm(index)
	s.does(paced(12 << 20))
	ctx, leave := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() { must(s.leaveAfter(ctx, "/film.mp4", 200_000, leave)) })
	a := s.get("/film.mp4")
	all.Wait()
	if a.String() != "plays" {
		s.errorf("the viewer who stayed: %v", a)
	}
	if reads := len(s.nodes[0].asked()); reads != 1 {
		s.errorf("%d reads, want 1", reads)
	}
	return played{Outcome: a.String()}
}

// littleInflight admits one long entry at a time.
func littleInflight(c *gateway.Config) { c.Inflight = 32 << 20 }

// overloaded has one long read hang and calls f meanwhile.
func overloaded(s *stage, f func()) {
	other := s.title
	s.nodes[0].put("other.zip", other.data, 1)
	s.warm(index)
	s.does(media(fault{hang: true}))
	ctx, leave := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() { s.leaveAfter(ctx, "/film.mp4", 1, leave) })
	until(5*time.Second, func() bool { return len(s.nodes[0].asked()) > 0 })
	f()
	leave()
	all.Wait()
}

func playOverload(s *stage) (got played) {
	overloaded(s, func() {
		p := s.player()
		defer p.client.CloseIdleConnections()
		began := time.Now()
		p.get("/v/films/other.zip/master.m3u8", "", time.Minute)
		a := p.get("/v/films/other.zip/film.mp4", "", time.Minute)
		if took := time.Since(began); a.String() != "503 overloaded" || took > 2*time.Second {
			s.errorf("%v after %v", a, took)
		}
		if a := s.get("/master.m3u8"); a.String() != "plays" {
			s.errorf("cached: %v", a)
		}
		got = p.log
		got.Outcome = a.String()
	})
	return got
}

func playOverloadReady(s *stage) (got played) {
	overloaded(s, func() {
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() { s.player().get("/v/films/other.zip/film.mp4", "", time.Minute) })
		}
		failed := until(2*time.Second, func() bool {
			res, err := http.Get(s.url + "/readyz")
			must(err)
			res.Body.Close()
			return res.StatusCode == http.StatusServiceUnavailable
		})
		all.Wait()
		http.DefaultClient.CloseIdleConnections()
		if got.Outcome = "not ready"; !failed {
			got.Outcome = "ready"
			s.errorf("readyz answers 200")
		}
	})
	return got
}
