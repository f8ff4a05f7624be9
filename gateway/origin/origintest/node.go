package origintest

import (
	"bytes"
	"cmp"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Node is an HTTP storage node that answers ranges, and misbehaves as its Fault says.
type Node struct {
	URL string // ends in "/": archives are below it

	mu       sync.Mutex // guards following
	archives map[string]stored
	fault    Fault
	requests []Request
	sent     int64
	opened   int // connections
	server   *httptest.Server
	released chan struct{} // closed when the test ends: nobody hangs longer
}

type stored struct {
	data     []byte
	etag     string
	modified time.Time
}

// Request is one request that a Node has seen.
type Request struct {
	Method, Path, Range, IfMatch, AcceptEncoding, Authorization string
}

// Fault is how a Node misbehaves. The zero value behaves.
type Fault struct {
	Every          int    // only every so many requests; 0 and 1: at each
	Times          int    // requests after which the node behaves again; 0: it does not
	Reset          bool   // the connection is reset before an answer
	Status         int    // answered instead of anything else
	RetryAfter     string // with Status
	Whole          bool   // 200 with the whole file
	NoSuffix       bool   // the last n bytes are not understood: 416
	Shift          int    // the range begins this much later than asked, and says so
	Total          int64  // stated instead of the size, when not 0; -1 is stated as "*"
	NoContentRange bool   // on 416 too
	Multipart      bool
	Coded          bool  // Content-Encoding: gzip
	Longer         int   // this many zero bytes follow the range, and are stated in Content-Length
	Chunked        bool  // no Content-Length
	CutAt          int64 // the connection is dropped after this many bytes of the body, when > 0
	StallAt        int64 // nothing more comes after this many bytes, when > 0
	HangHeaders    bool
	Flip           bool  // one bit of every answer is wrong
	FlipAt         int64 // one bit of the archive is wrong at this offset, when > 0
	NoETag, Weak   bool
	IgnoreIfMatch  bool
	Redirect       string // a Location to answer with
	RedirectStatus int
	AnyETag        bool // another ETag with every answer
}

// NewNode starts a node with archives by their names. It ends with the test.
func NewNode(t testing.TB, archives map[string][]byte) *Node {
	n := &Node{archives: map[string]stored{}, released: make(chan struct{})}
	for name, data := range archives {
		n.Put(name, data)
	}
	n.server = httptest.NewUnstartedServer(n)
	n.server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			n.mu.Lock()
			n.opened++
			n.mu.Unlock()
		}
	}
	n.server.Start()
	n.URL = n.server.URL + "/"
	t.Cleanup(func() {
		close(n.released)
		n.server.CloseClientConnections()
		n.server.Close()
	})
	return n
}

// Put puts an archive there, or another in its place, under a new ETag.
func (n *Node) Put(name string, data []byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	old := n.archives[name]
	modified := time.Unix(1_700_000_000, 0)
	if !old.modified.IsZero() {
		modified = old.modified.Add(time.Minute)
	}
	n.archives[name] = stored{data, fmt.Sprintf(`"%s-%d"`, strconv.Quote(name)[1:2], modified.Unix()), modified}
}

// Set makes the node misbehave from now on.
func (n *Node) Set(f Fault) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fault = f
}

// Requests answers what was asked so far.
func (n *Node) Requests() []Request {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.requests)
}

// Sent answers how many bytes of bodies were written so far.
func (n *Node) Sent() int64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.sent
}

// Connections answers how many connections were made so far.
func (n *Node) Connections() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.opened
}

// ServeHTTP implements http.Handler.
func (n *Node) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	f := n.fault
	a, ok := n.archives[strings.TrimPrefix(r.URL.Path, "/")]
	h := r.Header
	n.requests = append(n.requests, Request{r.Method, r.URL.Path, h.Get("Range"), h.Get("If-Match"), h.Get("Accept-Encoding"), h.Get("Authorization")})
	count := len(n.requests)
	if f.Times == 1 {
		n.fault = Fault{}
	} else if f.Times > 1 {
		n.fault.Times--
	}
	n.mu.Unlock()
	if f.Every > 1 && count%f.Every != 0 {
		f = Fault{}
	}
	switch {
	case f.Reset:
		reset(w)
		return
	case f.HangHeaders:
		n.hang(r)
		return
	case f.Redirect != "":
		w.Header().Set("Location", f.Redirect)
		w.WriteHeader(max(f.RedirectStatus, http.StatusFound))
		return
	case f.Status != 0:
		if f.RetryAfter != "" {
			w.Header().Set("Retry-After", f.RetryAfter)
		}
		w.WriteHeader(f.Status)
		return
	case !ok:
		w.WriteHeader(http.StatusNotFound)
		return
	}
	if f.AnyETag {
		a.etag = fmt.Sprintf(`"%d"`, count)
	}
	n.answer(w, r, f, a)
}

// answer writes the range, with the fault in it.
func (n *Node) answer(w http.ResponseWriter, r *http.Request, f Fault, a stored) {
	h, size := w.Header(), int64(len(a.data))
	if im := r.Header.Get("If-Match"); im != "" && im != a.etag && !f.IgnoreIfMatch {
		w.WriteHeader(http.StatusPreconditionFailed)
		return
	}
	switch {
	case f.NoETag:
	case f.Weak:
		h.Set("ETag", "W/"+a.etag)
	default:
		h.Set("ETag", a.etag)
	}
	h.Set("Last-Modified", a.modified.UTC().Format(http.TimeFormat))
	h.Set("Content-Type", "application/zip")
	off, end, ok := parseRange(r.Header.Get("Range"), size)
	if strings.HasPrefix(r.Header.Get("Range"), "bytes=-") && f.NoSuffix || !ok {
		if !f.NoContentRange {
			h.Set("Content-Range", fmt.Sprintf("bytes */%d", size))
		}
		w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
		return
	}
	if f.Whole {
		h.Set("Content-Length", strconv.FormatInt(size, 10))
		w.WriteHeader(http.StatusOK)
		n.write(w, r, f, a.data, 0)
		return
	}
	off = min(off+int64(f.Shift), end-1)
	total := strconv.FormatInt(cmp.Or(f.Total, size), 10)
	if f.Total < 0 {
		total = "*"
	}
	if !f.NoContentRange {
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%s", off, end-1, total))
	}
	if f.Multipart {
		h.Set("Content-Type", "multipart/byteranges; boundary=x")
	}
	if f.Coded {
		h.Set("Content-Encoding", "gzip")
	}
	if !f.Chunked {
		h.Set("Content-Length", strconv.FormatInt(end-off+int64(f.Longer), 10))
	}
	w.WriteHeader(http.StatusPartialContent)
	if f.Chunked {
		w.(http.Flusher).Flush()
	}
	n.write(w, r, f, append(a.data[off:end:end], make([]byte, f.Longer)...), off)
}

func (n *Node) write(w http.ResponseWriter, r *http.Request, f Fault, b []byte, off int64) {
	if i := f.FlipAt - off; f.FlipAt > 0 && i >= 0 && i < int64(len(b)) {
		b = bytes.Clone(b)
		b[i] ^= 1
	}
	if f.Flip && len(b) > 0 {
		b = bytes.Clone(b)
		b[len(b)/2] ^= 1
	}
	stop := max(f.CutAt, f.StallAt)
	if stop == 0 || stop >= int64(len(b)) {
		n.count(w.Write(b))
		return
	}
	n.count(w.Write(b[:stop]))
	w.(http.Flusher).Flush()
	if f.StallAt > 0 {
		n.hang(r)
	}
	panic(http.ErrAbortHandler)
}

func (n *Node) count(written int, _ error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sent += int64(written)
}

// reset ends the connection with a TCP reset.
func reset(w http.ResponseWriter) {
	c, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	c.(*net.TCPConn).SetLinger(0)
	c.Close()
}

// hang waits until the other side, or the test, is gone.
func (n *Node) hang(r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-n.released:
	}
}

// parseRange reads one range; [off, end).
func parseRange(h string, size int64) (off, end int64, ok bool) {
	first, last, found := strings.Cut(strings.TrimPrefix(h, "bytes="), "-")
	if !found {
		return 0, size, h == ""
	}
	if first == "" {
		k, err := strconv.ParseInt(last, 10, 64)
		return max(0, size-k), size, err == nil && k > 0 && size > 0
	}
	off, err := strconv.ParseInt(first, 10, 64)
	end = size
	if last != "" {
		if end, err = strconv.ParseInt(last, 10, 64); err == nil {
			end = min(end+1, size)
		}
	}
	return off, end, err == nil && off < size && off < end
}
