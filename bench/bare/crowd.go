package main

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// crowd answers /FROM-TO with those bytes of the node's one archive: one read for all who ask, and no more about it than net/http needs. A viewer's first piece is as small as
// zipreel's, so that it is one write, and nobody gets more before all who asked have had theirs: no first byte could come sooner.
type crowd struct {
	node   string
	header http.Header // of every answer

	mu    sync.Mutex // guards reads
	reads map[string]*shared
}

// shared is one read. first is closed when the first piece is there, all when the rest is, or err is set.
type shared struct {
	first, all chan struct{}
	body       []byte
	err        error
	waiting    sync.WaitGroup // for their first piece
}

const firstPiece = 2 << 10

func newCrowd(node string) *crowd {
	h := http.Header{}
	for i := range 11 { // as many as zipreel's answers have
		h["X-Header-"+strconv.Itoa(i)] = []string{"as long as most of them are"}
	}
	return &crowd{node: node, header: h, reads: map[string]*shared{}}
}

// ServeHTTP implements http.Handler.
func (c *crowd) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s := c.read(strings.TrimPrefix(r.URL.Path, "/"))
	<-s.first
	h := w.Header()
	for name, values := range c.header {
		h[name] = values
	}
	h["Content-Length"] = []string{strconv.Itoa(len(s.body))}
	sent := 0
	if len(s.body) > firstPiece {
		sent = firstPiece
		w.Write(s.body[:sent])
		http.NewResponseController(w).Flush()
	}
	s.waiting.Done()
	s.waiting.Wait()
	if <-s.all; s.err != nil {
		panic(http.ErrAbortHandler)
	}
	w.Write(s.body[sent:])
}

// read answers the read of a range, begun for the first who asks.
func (c *crowd) read(span string) *shared {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.reads[span]
	if s == nil {
		s = &shared{first: make(chan struct{}), all: make(chan struct{})}
		c.reads[span] = s
		go s.fill(c.node, span)
	}
	s.waiting.Add(1)
	return s
}

func (s *shared) fill(node, span string) {
	defer close(s.all)
	started := sync.OnceFunc(func() { close(s.first) })
	defer started()
	r, err := http.NewRequest(http.MethodGet, node, nil)
	if s.err = err; err != nil {
		return
	}
	r.Header.Set("Range", "bytes="+span)
	answer, err := http.DefaultClient.Do(r)
	if s.err = err; err != nil {
		return
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusPartialContent {
		s.err = errors.New(answer.Status)
		return
	}
	s.body = make([]byte, answer.ContentLength)
	first := min(firstPiece, len(s.body))
	if _, s.err = io.ReadFull(answer.Body, s.body[:first]); s.err != nil {
		return
	}
	started()
	_, s.err = io.ReadFull(answer.Body, s.body[first:])
}
