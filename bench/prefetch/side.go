package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"zipreel/bench/title"
	"zipreel/gateway"
	"zipreel/gateway/origin"
)

// scene is what one side of a comparison does.
type scene struct {
	delay             time.Duration // of the node
	seek              int           // segments after which a viewer seeks; 0: never
	ahead, memory     int64         // gateway.Config's Prefetch and Memory
	viewers, segments int
	segmentBytes      int64
}

// result is what came of it.
type result struct {
	scene
	firstBytes []time.Duration // sorted
	stalls     int
	stalled    time.Duration
	watched    int64 // bytes
	counters   map[string]float64
}

// play lets the viewers watch, on a node and a gateway of their own.
func play(s scene) (result, error) {
	node, stop, err := serve(slowNode{title.New(titleLength, s.segmentBytes), s.delay})
	if err != nil {
		return result{}, err
	}
	defer stop()
	storage, err := origin.NewHTTP(origin.HTTPConfig{Base: node, AllowPrivate: true})
	if err != nil {
		return result{}, err
	}
	defer storage.Close()
	g, err := gateway.New(gateway.Config{Sources: []gateway.Source{{Name: "films", Origin: storage}}, Prefetch: s.ahead, Memory: s.memory})
	if err != nil {
		return result{}, err
	}
	defer g.Close()
	gate, stop, err := serve(g)
	if err != nil {
		return result{}, err
	}
	defer stop()
	admin, stop, err := serve(g.Admin())
	if err != nil {
		return result{}, err
	}
	defer stop()
	r := result{scene: s}
	var mu sync.Mutex // guards r and err
	var all sync.WaitGroup
	for i := range s.viewers {
		all.Go(func() {
			v := newViewer(s, i, fmt.Sprintf("%sv/films/title%d.zip/", gate, i))
			failed := v.watch()
			mu.Lock()
			defer mu.Unlock()
			r.firstBytes = append(r.firstBytes, v.firstBytes...)
			r.stalls += v.stalls
			r.stalled += v.stalled
			r.watched += v.watched
			if failed != nil {
				err = failed
			}
		})
	}
	all.Wait()
	slices.Sort(r.firstBytes)
	if err != nil {
		return r, err
	}
	r.counters, err = counters(admin + "metrics")
	return r, err
}

// serve answers on a free port of this machine.
func serve(h http.Handler) (url string, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	s := &http.Server{Handler: h}
	go s.Serve(l)
	return "http://" + l.Addr().String() + "/", func() { s.Close() }, nil
}

// counters are the gateway's metrics that have one value, or one for its source.
func counters(url string) (map[string]float64, error) {
	res, err := http.Get(url)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	all := map[string]float64{}
	for line := range strings.Lines(string(text)) {
		var v float64
		name, value, _ := strings.Cut(line, " ")
		if _, err := fmt.Sscan(value, &v); err == nil {
			all[strings.TrimSuffix(name, `{source="films"}`)] = v
		}
	}
	return all, nil
}

func (r result) row() string {
	who, on := "play on", "off"
	if r.seek > 0 {
		who = fmt.Sprintf("seek every %d", r.seek)
	}
	read, used := r.counters["zipreel_prefetch_bytes_total"], r.counters["zipreel_prefetch_used_bytes_total"]
	ahead, share := "–", "–"
	if r.ahead > 0 {
		on = "on"
		ahead = fmt.Sprintf("%.0f MB", read/1e6)
		if read > 0 {
			share = fmt.Sprintf("%.0f %%", min(100, 100*used/read))
		}
	}
	return fmt.Sprintf("| %v | %s | %s | %s | %s | %d | %.1f s | %s | %s | %.0f | %.2f |", r.delay, who, on,
		milliseconds(r.quantile(50)), milliseconds(r.quantile(95)), r.stalls, r.stalled.Seconds(), ahead, share,
		r.counters["zipreel_origin_reads_total"], r.counters["zipreel_origin_received_bytes_total"]/float64(r.watched))
}

func (r result) quantile(percent int) time.Duration {
	return r.firstBytes[min(len(r.firstBytes)*percent/100, len(r.firstBytes)-1)]
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}

// slowNode holds one title under every name.
type slowNode struct {
	title *title.Title
	delay time.Duration
}

// ServeHTTP implements http.Handler.
func (n slowNode) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	time.Sleep(n.delay)
	w.Header().Set("ETag", `"1"`)
	http.ServeContent(w, r, r.URL.Path, time.Unix(1_700_000_000, 0), io.NewSectionReader(n.title, 0, n.title.Size()))
}
