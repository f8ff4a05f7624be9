package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"zipreel/bench/title"
)

// countingNode is a storage node with one archive under every name that ends in .zip. It counts requests and bytes of bodies.
type countingNode struct {
	title  *title.Title
	server *http.Server
	url    string

	reads, bytes atomic.Int64

	gate  atomic.Pointer[chan struct{}] // answers wait until it is closed; nil: they do not
	began atomic.Int64                  // when the first byte of the last body went out, Unix ns
}

func startNode(t *title.Title) (*countingNode, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	n := &countingNode{title: t, url: "http://" + l.Addr().String() + "/"}
	n.server = &http.Server{Handler: n}
	go n.server.Serve(l)
	return n, nil
}

func (n *countingNode) stop() { n.server.Close() }

// ServeHTTP implements http.Handler. The folder itself is a list of links, as rclone reads it.
func (n *countingNode) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasSuffix(r.URL.Path, ".zip") {
		io.WriteString(w, `<a href="title.zip">title.zip</a>`)
		return
	}
	n.reads.Add(1)
	if gate := n.gate.Load(); gate != nil {
		<-*gate
	}
	w.Header().Set("ETag", fmt.Sprintf(`"%x"`, n.title.Size()))
	w.Header().Set("Content-Type", "application/zip")
	http.ServeContent(&countingWriter{ResponseWriter: w, node: n}, r, "", time.Unix(1_700_000_000, 0), io.NewSectionReader(n.title, 0, n.title.Size()))
}

type countingWriter struct {
	http.ResponseWriter
	node  *countingNode
	began bool
}

func (w *countingWriter) Write(p []byte) (int, error) {
	if !w.began {
		w.began = true
		w.node.began.Store(time.Now().UnixNano())
	}
	n, err := w.ResponseWriter.Write(p)
	w.node.bytes.Add(int64(n))
	return n, err
}

// reading is what was asked of a node for something.
type reading struct {
	reads, bytes int64
	took         time.Duration
}

// during answers what f has the node asked for.
func (n *countingNode) during(f func() error) (reading, error) {
	r := reading{n.reads.Load(), n.bytes.Load(), 0}
	began := time.Now()
	err := f()
	return reading{n.reads.Load() - r.reads, n.bytes.Load() - r.bytes, time.Since(began)}, err
}
