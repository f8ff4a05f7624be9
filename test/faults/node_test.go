package faults

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// node is a storage node that speaks HTTP/1.1 on raw sockets: libraries are too polite to misbehave as storage does.
type node struct {
	addr string
	tls  *tls.Config   // nil: plain HTTP
	late time.Duration // before every answer

	mu       sync.Mutex // guards following
	listener net.Listener
	conns    map[net.Conn]bool
	objects  map[string]object
	script   func(request) fault // nil: behaves
	onAccept func(n int) bool    // false: the n-th connection, from 1, is reset
	accepted int
	requests []request
	sent     int64     // bytes of bodies
	last     time.Time // a body began

	work sync.WaitGroup
}

// object is one archive's bytes and what the node says of their state.
type object struct {
	data     []byte
	etag     string // with quotes; empty: none
	modified time.Time
}

// request is what a node was asked for.
type request struct {
	n                                   int // from 1
	method, path, query, host           string
	rng, ifMatch, coding, authorization string
	off, end                            int64 // of the object, as asked
	tail                                bool  // the last bytes were asked for
}

// media says whether bytes before the archive's end are asked for.
func (q request) media() bool { return !q.tail }

// fault is how one request is answered. The zero value is how it should be.
type fault struct {
	reset, hang    bool          // instead of an answer
	wait           time.Duration // before it
	raw            string        // written instead of an answer, then the connection is closed
	status         int           // answered without a body
	header         string        // further lines, each ending in "\r\n"
	whole          bool          // 200 with the whole file
	shift          int64         // the range begins so much later than asked, and says so
	total          string        // in Content-Range instead of the size
	noContentRange bool
	noSuffix       bool   // the last bytes are refused: 416
	unsatisfied    bool   // 416 without a size
	longer         int    // so many bytes follow the range, Content-Length tells
	extra          int    // so many bytes follow the range, Content-Length does not tell
	after          string // written behind the body
	stop           int64  // > 0: after so many bytes of the body the following happens
	how            breakage
	pace           int    // bytes per second from stop on, with trickle
	flip           int64  // > 0: the archive's byte at this place is wrong
	etag           string // instead of the object's; "-": none
	noModified     bool
	ignoreIfMatch  bool
	object         *object // instead of the archive that was asked for
}

// breakage is what happens in the middle of a body.
type breakage int

const (
	cut     breakage = iota // the connection is closed
	rst                     // the connection is reset
	stall                   // nothing more comes
	trickle                 // the rest comes slowly
)

func newNode(conf *tls.Config) *node {
	n := &node{tls: conf, conns: map[net.Conn]bool{}, objects: map[string]object{}}
	n.up("127.0.0.1:0")
	return n
}

// up begins to accept connections. An address that was left a moment ago can be had again.
func (n *node) up(addr string) {
	l, err := net.Listen("tcp", addr)
	must(err)
	n.addr = l.Addr().String()
	if n.tls != nil {
		l = tls.NewListener(l, n.tls)
	}
	n.mu.Lock()
	n.listener = l
	n.mu.Unlock()
	n.work.Go(func() { n.accept(l) })
}

// down refuses connections from now on and cuts those there are.
func (n *node) down() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.listener.Close()
	for c := range n.conns {
		c.Close()
	}
}

// close ends everything and waits for it.
func (n *node) close() {
	n.down()
	n.work.Wait()
}

func (n *node) url() string {
	if n.tls != nil {
		return "https://" + n.addr + "/"
	}
	return "http://" + n.addr + "/"
}

// put puts an archive there, under an ETag that tells its version.
func (n *node) put(name string, data []byte, version int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.objects[name] = object{data, fmt.Sprintf(`"v%d"`, version), time.Unix(1_700_000_000+int64(version)*60, 0)}
}

// does makes the node misbehave by a script from now on; requests are counted from 1 again.
func (n *node) does(script func(request) fault) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.script = script
	n.requests = nil
}

// traffic answers connections, requests and bytes of bodies so far.
func (n *node) traffic() (conns, requests int, sent int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.accepted, len(n.requests), n.sent
}

// asked answers the requests so far.
func (n *node) asked() []request {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]request(nil), n.requests...)
}

// began is when the last body did.
func (n *node) began() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.last
}

// open is how many connections there are.
func (n *node) open() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.conns)
}

func (n *node) accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		n.mu.Lock()
		n.accepted++
		welcome := n.onAccept == nil || n.onAccept(n.accepted)
		if welcome {
			n.conns[c] = true
		}
		n.mu.Unlock()
		if !welcome {
			resetConn(c)
			continue
		}
		n.work.Go(func() {
			n.serve(c)
			c.Close()
			n.mu.Lock()
			delete(n.conns, c)
			n.mu.Unlock()
		})
	}
}

func (n *node) serve(c net.Conn) {
	in := bufio.NewReader(c)
	for {
		req, err := http.ReadRequest(in)
		if err != nil {
			if !errors.Is(err, io.EOF) {
				io.WriteString(c, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
			}
			return
		}
		q, f, o, ok := n.note(req)
		if !ok {
			f = fault{status: http.StatusNotFound}
		}
		x := exchange{n: n, c: c, q: q, f: f, o: o}
		if !x.answer(in) {
			return
		}
	}
}

// note counts a request, and answers what is asked for and how it is to be answered.
func (n *node) note(req *http.Request) (request, fault, object, bool) {
	h := req.Header
	q := request{method: req.Method, path: strings.TrimPrefix(req.URL.Path, "/"), query: req.URL.RawQuery, host: req.Host,
		rng: h.Get("Range"), ifMatch: h.Get("If-Match"), coding: h.Get("Accept-Encoding"), authorization: h.Get("Authorization")}
	n.mu.Lock()
	defer n.mu.Unlock()
	o, ok := n.objects[q.path]
	q.off, q.end, q.tail = parseRange(q.rng, int64(len(o.data)))
	q.n = len(n.requests) + 1
	n.requests = append(n.requests, q)
	var f fault
	if n.script != nil {
		f = n.script(q)
	}
	if f.object != nil {
		o, ok = *f.object, true
		q.off, q.end, q.tail = parseRange(q.rng, int64(len(o.data)))
	}
	return q, f, o, ok || f != (fault{})
}

// parseRange reads one range; [off, end).
func parseRange(h string, size int64) (off, end int64, tail bool) {
	first, last, ok := strings.Cut(strings.TrimPrefix(h, "bytes="), "-")
	if !ok {
		return 0, size, false
	}
	if first == "" {
		k, _ := strconv.ParseInt(last, 10, 64)
		return max(0, size-k), size, true
	}
	off, _ = strconv.ParseInt(first, 10, 64)
	end = size
	if k, err := strconv.ParseInt(last, 10, 64); err == nil {
		end = min(k+1, size)
	}
	return off, max(off, end), end == size && size-off <= 200<<10
}

// resetConn ends a connection with a TCP reset.
func resetConn(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		t.SetLinger(0)
	}
	c.Close()
}

// exchange is one request and its answer.
type exchange struct {
	n *node
	c net.Conn
	q request
	f fault
	o object
}

// answer says whether the connection goes on.
func (x *exchange) answer(in *bufio.Reader) bool {
	if wait := x.n.late + x.f.wait; wait > 0 && !x.pause(in, wait) {
		return false
	}
	switch f := x.f; {
	case f.reset:
		resetConn(x.c)
		return false
	case f.hang:
		in.ReadByte() // until the other side, or the test, is gone
		return false
	case f.raw != "":
		io.WriteString(x.c, f.raw)
		return false
	case f.status != 0:
		return x.head(f.status, "Content-Length: 0\r\n"+f.header)
	}
	etag := x.etag()
	if m := x.q.ifMatch; m != "" && m != etag && !x.f.ignoreIfMatch {
		return x.head(http.StatusPreconditionFailed, "Content-Length: 0\r\n")
	}
	return x.bytes(in, etag)
}

// pause waits; it is false when the other side is gone by then.
func (x *exchange) pause(in *bufio.Reader, d time.Duration) bool {
	x.c.SetReadDeadline(time.Now().Add(d))
	_, err := in.Peek(1)
	x.c.SetReadDeadline(time.Time{})
	var ne net.Error
	return err == nil || asTimeout(err, &ne)
}

func (x *exchange) etag() string {
	switch x.f.etag {
	case "":
		return x.o.etag
	case "-":
		return ""
	}
	return x.f.etag
}

// head writes the beginning of an answer.
func (x *exchange) head(status int, lines string) bool {
	_, err := fmt.Fprintf(x.c, "HTTP/1.1 %d %s\r\n%s\r\n", status, http.StatusText(status), lines)
	return err == nil
}

// bytes answers with bytes of the archive.
func (x *exchange) bytes(in *bufio.Reader, etag string) bool {
	size := int64(len(x.o.data))
	f, off, end := x.f, min(x.q.off+x.f.shift, size), x.q.end
	lines := f.header
	if etag != "" {
		lines += "ETag: " + etag + "\r\n"
	}
	if !f.noModified {
		lines += "Last-Modified: " + x.o.modified.UTC().Format(http.TimeFormat) + "\r\n"
	}
	if f.unsatisfied || x.q.off >= size || f.noSuffix && strings.HasPrefix(x.q.rng, "bytes=-") {
		if !f.unsatisfied {
			lines += fmt.Sprintf("Content-Range: bytes */%d\r\n", size)
		}
		return x.head(http.StatusRequestedRangeNotSatisfiable, lines+"Content-Length: 0\r\n")
	}
	status := http.StatusPartialContent
	if f.whole || x.q.rng == "" {
		status, off, end = http.StatusOK, 0, size
	} else if !f.noContentRange {
		total := f.total
		if total == "" {
			total = strconv.FormatInt(size, 10)
		}
		lines += fmt.Sprintf("Content-Range: bytes %d-%d/%s\r\n", off, end-1, total)
	}
	body := x.o.data[off:end:end]
	if i := f.flip - off; f.flip > 0 && i >= 0 && i < int64(len(body)) {
		body = append([]byte(nil), body...)
		body[i] ^= 1
	}
	lines += fmt.Sprintf("Content-Length: %d\r\n", len(body)+f.longer)
	if !x.head(status, lines) {
		return false
	}
	if x.q.method == http.MethodHead {
		return true
	}
	x.n.mu.Lock()
	x.n.last = time.Now()
	x.n.mu.Unlock()
	return x.body(in, append(body, make([]byte, f.longer+f.extra)...))
}

// body writes a body as far as it goes.
func (x *exchange) body(in *bufio.Reader, b []byte) bool {
	if x.f.stop <= 0 || x.f.stop >= int64(len(b)) {
		return x.write(append(b, x.f.after...)) && x.f.extra == 0 && x.f.after == ""
	}
	if !x.write(b[:x.f.stop]) {
		return false
	}
	switch x.f.how {
	case rst:
		resetConn(x.c)
	case stall:
		in.ReadByte()
	case trickle:
		const every = 50 * time.Millisecond
		for rest := b[x.f.stop:]; len(rest) > 0; {
			m := min(len(rest), max(1, x.f.pace/int(time.Second/every)))
			if !x.write(rest[:m]) || !x.pause(in, every) {
				return false
			}
			rest = rest[m:]
		}
		return true
	}
	return false
}

func (x *exchange) write(b []byte) bool {
	m, err := x.c.Write(b)
	x.n.mu.Lock()
	x.n.sent += int64(m)
	x.n.mu.Unlock()
	return err == nil
}

// deaf is an address that answers no connection: its queue of them is full.
type deaf struct {
	fd    int
	addr  string
	queue []net.Conn
}

// newDeaf takes a free port, or the one that is given.
func newDeaf(port int) *deaf {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	must(err)
	must(syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1))
	must(syscall.Bind(fd, &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}))
	must(syscall.Listen(fd, 0))
	name, err := syscall.Getsockname(fd)
	must(err)
	d := &deaf{fd: fd, addr: fmt.Sprintf("127.0.0.1:%d", name.(*syscall.SockaddrInet4).Port)}
	for {
		c, err := net.DialTimeout("tcp", d.addr, 100*time.Millisecond)
		if err != nil {
			return d
		}
		d.queue = append(d.queue, c)
	}
}

func (d *deaf) close() {
	for _, c := range d.queue {
		c.Close()
	}
	syscall.Close(d.fd)
}
