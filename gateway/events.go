package gateway

import (
	"context"
	"encoding/json"

	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"zipreel/gateway/cache"
	"zipreel/zipindex"
)

// event is something that happened to bytes of an archive, for those who watch the page's map.
type event struct {
	Name    string `json:"-"` // "read": from storage. "serve": to a player
	Source  string `json:"source"`
	Archive string `json:"archive"`
	Entry   string `json:"entry,omitempty"`
	Off     int64  `json:"off"` // of the archive
	N       int64  `json:"n"`
	Outcome string `json:"outcome,omitempty"`
	Millis  int64  `json:"ms"`
}

const (
	maxWatchers   = 64
	watcherBuffer = 256 // events; a slow watcher misses some
	eventComment  = 15 * time.Second
)

// events hands events to watchers. It costs one atomic load where nobody watches.
type events struct {
	watching atomic.Int32

	mu       sync.Mutex // guards following
	watchers map[*watcher]bool
	closed   chan struct{}
	once     sync.Once
}

type watcher struct {
	source, archive string // empty: all
	ch              chan event
}

func newEvents() *events {
	return &events{watchers: map[*watcher]bool{}, closed: make(chan struct{})}
}

func (s *events) close() { s.once.Do(func() { close(s.closed) }) }

func (s *events) publish(e event) {
	if s.watching.Load() == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for w := range s.watchers {
		if w.source != "" && w.source != e.Source || w.archive != "" && w.archive != e.Archive {
			continue
		}
		select {
		case w.ch <- e:
		default:
		}
	}
}

func (s *events) add(w *watcher) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.watchers) >= maxWatchers {
		return false
	}
	s.watchers[w] = true
	s.watching.Store(int32(len(s.watchers)))
	return true
}

func (s *events) remove(w *watcher) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.watchers, w)
	s.watching.Store(int32(len(s.watchers)))
}

// watch makes a reader publish what it handed out, when anybody watches.
func (s *events) watch(rd reader, a *archive, e zipindex.Entry, off int64) reader {
	if s.watching.Load() == 0 {
		return rd
	}
	dataOffset, _ := e.DataOffset()
	return &watchedReader{reader: rd, s: s, a: a, e: e, off: dataOffset + off, began: time.Now()}
}

type watchedReader struct {
	reader
	s      *events
	a      *archive
	e      zipindex.Entry
	off, n int64
	began  time.Time
	ended  bool
}

func (r *watchedReader) Next(ctx context.Context) ([]byte, error) {
	p, err := r.reader.Next(ctx)
	r.n += int64(len(p))
	return p, err
}

func (r *watchedReader) Close() {
	if !r.ended && r.n > 0 {
		r.ended = true
		r.s.publish(event{
			Name: "serve", Source: r.a.src.Name, Archive: r.a.name, Entry: r.e.Name,
			Off: r.off, N: r.n, Outcome: outcomeName(r.Outcome()), Millis: time.Since(r.began).Milliseconds(),
		})
	}
	r.reader.Close()
}

func outcomeName(o cache.Outcome) string {
	switch o {
	case cache.Hit:
		return "hit"
	case cache.Shared:
		return "shared"
	}
	return "miss"
}

// serveEvents is a stream of server-sent events (WHATWG HTML §9.2).
func (g *Gateway) serveEvents(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	me := &watcher{source: q.Get("source"), archive: q.Get("archive"), ch: make(chan event, watcherBuffer)}
	if !g.events.add(me) {
		g.fail(w, r, problemf("overloaded", "%d pages already watch. Close one.", maxWatchers))
		return
	}
	defer g.events.remove(me)
	h := w.Header()
	h["Content-Type"] = []string{"text/event-stream"}
	h["Cache-Control"] = []string{"no-store"}
	h["X-Accel-Buffering"] = []string{"no"} // nginx would hold events back
	if r.Method == http.MethodHead {
		return
	}
	rc := http.NewResponseController(w)
	tick := time.NewTicker(eventComment)
	defer tick.Stop()
	line := []byte(": zipreel\n\n")
	for {
		rc.SetWriteDeadline(time.Now().Add(2 * eventComment))
		if _, err := w.Write(line); err != nil {
			return
		}
		rc.Flush()
		select {
		case e := <-me.ch:
			line = eventLines(e)
		case <-tick.C:
			line = []byte(":\n\n")
		case <-r.Context().Done():
			return
		case <-g.events.closed:
			return
		}
	}
}

func eventLines(e event) []byte {
	data, _ := json.Marshal(e)
	return []byte("event: " + e.Name + "\ndata: " + string(data) + "\n\n")
}
