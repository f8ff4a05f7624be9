package origin

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const tested = 200 << 10 // bytes of the archive

// confirmed is a source of several nodes, and a version that all of them hold.
func confirmed(t *testing.T, data []byte, nodes ...Node) (*Nodes, Validator) {
	t.Helper()
	s, err := NewNodes(nodes)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	body, err := s.Read(t.Context(), "x.zip", Tail, 68<<10, nil)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, body)
	body.Close()
	end := len(data) - 10<<10
	s.Confirm(body.Validator, Proof{Off: int64(end), N: 10 << 10, SHA256: sha256.Sum256(data[end:])})
	return s, body.Validator
}

func twins(t *testing.T) (*Nodes, Validator) {
	t.Helper()
	data := make([]byte, tested)
	var list []Node
	for _, name := range []string{"a", "b"} {
		m := NewMemory()
		m.Set("x.zip", data, `"e"`)
		list = append(list, Node{name, m})
	}
	return confirmed(t, data, list...)
}

// TestRejectWhileProving: the two take a version's lock and the nodes' in one order.
func TestRejectWhileProving(t *testing.T) {
	s, v := twins(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var work sync.WaitGroup
	work.Go(func() {
		for range 50_000 {
			s.Reject("x.zip", v)
		}
	})
	work.Go(func() {
		for range 2000 {
			s.Doubt(v, 3)
			if body, err := s.Read(ctx, "x.zip", 0, 10, &v); err == nil {
				body.Close()
			}
		}
	})
	done := make(chan struct{})
	go func() { work.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
		t.Fatal("they wait for each other")
	}
}

// TestBreakerClosesMeanwhile: whoever finds a breaker open gets an error, also when it closes a moment later.
func TestBreakerClosesMeanwhile(t *testing.T) {
	s, _ := twins(t)
	h := s.health[0]
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
			}
			h.failed(&Error{Kind: ErrUnavailable, RetryAfter: time.Minute}, time.Now())
			h.answered(0, time.Now())
		}
	}()
	defer func() { close(stop); <-stopped }()
	for range 20_000 {
		body, err := s.ask(t.Context(), 0, "x.zip", 0, 1, nil)
		if err != nil {
			errors.Is(err, ErrNotFound) // panics for an error that is none
			continue
		}
		body.Close()
	}
}

// TestRetryAfterStands although a read that was asked before is answered after it.
func TestRetryAfterStands(t *testing.T) {
	h, now := &health{}, time.Now()
	h.begin(now, 1)
	h.begin(now, 1)
	h.failed(&Error{Kind: ErrUnavailable, RetryAfter: time.Minute}, now.Add(time.Millisecond))
	if h.answered(5*time.Millisecond, now.Add(5*time.Millisecond)); h.state(now.Add(time.Second)) != Open {
		t.Error("the node is asked again before its Retry-After")
	}
	later := now.Add(2 * time.Minute)
	h.begin(later, 1)
	if h.answered(time.Millisecond, later.Add(time.Millisecond)); h.state(later.Add(time.Second)) != Closed {
		t.Error("an answer after it does not close the breaker")
	}
}

// changing is a node over HTTP whose archive and ETag can be replaced.
type changing struct {
	data atomic.Pointer[[]byte]
	etag atomic.Value
}

func (c *changing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Etag", c.etag.Load().(string))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(*c.data.Load()))
}

// TestDoubtIsNoNewValidator: a node that shows the same bytes under the same ETag again and again is still held to its ETag.
func TestDoubtIsNoNewValidator(t *testing.T) {
	data, other := make([]byte, tested), bytes.Repeat([]byte("B"), tested)
	c := &changing{}
	c.data.Store(&data)
	c.etag.Store(`"one"`)
	server := httptest.NewServer(c)
	defer server.Close()
	o, err := NewHTTP(HTTPConfig{Base: server.URL + "/a/", AllowPrivate: true})
	if err != nil {
		t.Fatal(err)
	}
	s, v := confirmed(t, data, Node{"a", o})
	for range 2 * maxLearnt {
		s.Doubt(v, 1)
		body, err := s.Read(t.Context(), "x.zip", 0, 10, &v)
		if err != nil {
			t.Fatal(err)
		}
		body.Close()
	}
	c.data.Store(&other)
	c.etag.Store(`"two"`)
	if body, err := s.Read(t.Context(), "x.zip", 0, 10, &v); !errors.Is(err, ErrChanged) {
		if err == nil {
			body.Close()
		}
		t.Errorf("the archive that took its place: %v, want ErrChanged", err)
	}
}

// TestFreshReadsFollowAnew: a node that redirects elsewhere by now is believed, though the old place still answers.
func TestFreshReadsFollowAnew(t *testing.T) {
	var now atomic.Value
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if blob, ok := map[string]string{"/blob/1": "1111111111", "/blob/2": "2222222222"}[r.URL.Path]; ok {
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader([]byte(blob)))
			return
		}
		http.Redirect(w, r, now.Load().(string), http.StatusFound)
	}))
	defer server.Close()
	o, err := NewHTTP(HTTPConfig{Base: server.URL + "/a/", AllowPrivate: true})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	for _, n := range []string{"1", "2"} {
		now.Store("/blob/" + n)
		body, err := o.Read(t.Context(), "x.zip", Tail, 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, _ := io.ReadAll(body)
		body.Close()
		if string(got) != n {
			t.Errorf("bytes of /blob/%s, want those of /blob/%s", got, n)
		}
	}
}

// silence forwards connections until it is told to drop what they carry, without a word to either side.
type silence struct {
	net.Listener
	to    string
	conns sync.WaitGroup

	mu   sync.Mutex // guards following
	dead []*atomic.Bool
}

func newSilence(t *testing.T, to string) *silence {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &silence{Listener: l, to: to}
	s.conns.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.forward(c)
		}
	})
	return s
}

func (s *silence) forward(c net.Conn) {
	u, err := net.Dial("tcp", s.to)
	if err != nil {
		c.Close()
		return
	}
	dead := &atomic.Bool{}
	s.mu.Lock()
	s.dead = append(s.dead, dead)
	s.mu.Unlock()
	for _, way := range [][2]net.Conn{{c, u}, {u, c}} {
		s.conns.Go(func() {
			defer way[0].Close()
			defer way[1].Close()
			buf := make([]byte, 4096)
			for {
				n, err := way[0].Read(buf)
				if err != nil {
					return
				}
				if !dead.Load() {
					way[1].Write(buf[:n])
				}
			}
		})
	}
}

// fall has all connections up to now carry nothing more.
func (s *silence) fall() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.dead {
		d.Store(true)
	}
}

// TestSilentHTTP2Connection is given up, instead of taking every later read of its node with it.
func TestSilentHTTP2Connection(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(make([]byte, 1000)))
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	between := newSilence(t, server.Listener.Addr().String())
	defer func() {
		between.Close()
		server.CloseClientConnections()
		server.Close()
		between.conns.Wait()
	}()
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	o, err := NewHTTP(HTTPConfig{Base: "https://" + between.Addr().String() + "/", AllowPrivate: true, TLS: &tls.Config{RootCAs: pool, ServerName: "example.com"}, HeaderWithin: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	read := func() error {
		body, err := o.Read(t.Context(), "x.zip", 0, 10, nil)
		if err == nil {
			io.Copy(io.Discard, body)
			body.Close()
		}
		return err
	}
	if err := read(); err != nil {
		t.Fatal(err)
	}
	between.fall()
	for began := time.Now(); ; {
		err := read()
		if err == nil {
			return
		}
		if time.Since(began) > 2*(pingAfter+pingWithin) {
			t.Fatalf("reads still go over the dead connection: %v", err)
		}
	}
}

// replaced is a node without validators. It breaks the first long answer off, and holds another archive from then on, or from when it is asked to go on.
type replaced struct {
	old, now    []byte
	late        bool
	broke, asks atomic.Bool
}

const brokeAt = 200_000

func (n *replaced) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Range") == "bytes=200000-299999" {
		n.asks.Store(true)
	}
	data := n.old
	if n.asks.Load() || n.broke.Load() && !n.late {
		data = n.now
	}
	if r.Header.Get("Range") == "bytes=0-299999" && n.broke.CompareAndSwap(false, true) {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes 0-299999/%d", len(data)))
		w.Header().Set("Content-Length", "300000")
		w.WriteHeader(http.StatusPartialContent)
		w.Write(data[:brokeAt])
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}

// TestBodiesOfTwoVersionsNeverMeet: what took an archive's place under the same size is not read on from where nothing but the directory tells them apart.
func TestBodiesOfTwoVersionsNeverMeet(t *testing.T) {
	old, other := bytes.Repeat([]byte("A"), 400_000), bytes.Repeat([]byte("B"), 400_000)
	for _, test := range []struct {
		name string
		now  []byte
		late bool
		want int
		err  error
	}{{"the same", old, false, 300_000, nil}, {"another", other, false, brokeAt, ErrChanged}, {"another at the last moment", other, true, brokeAt, ErrChanged}} {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(&replaced{old: old, now: test.now, late: test.late})
			defer server.Close()
			o, err := NewHTTP(HTTPConfig{Base: server.URL + "/a/", AllowPrivate: true})
			if err != nil {
				t.Fatal(err)
			}
			s, v := confirmed(t, old, Node{"a", o})
			body, err := s.Read(t.Context(), "x.zip", 0, 300_000, &v)
			if err != nil {
				t.Fatal(err)
			}
			defer body.Close()
			got, err := io.ReadAll(body)
			if len(got) != test.want || !bytes.Equal(got, old[:test.want]) || !errors.Is(err, test.err) {
				t.Errorf("%d bytes, %d of them of the other archive, %v; want %d, %v", len(got), bytes.Count(got, []byte("B")), err, test.want, test.err)
			}
		})
	}
}

// TestNodeThatContradictsItself: a node that refuses the validator it gives, or two that answer by turns behind one address, are held to the size. One that refuses
// that too is not asked on and on.
func TestNodeThatContradictsItself(t *testing.T) {
	data := make([]byte, tested)
	for _, test := range []struct {
		name   string
		refuse func(n int64, r *http.Request) (etag string, refused bool)
		most   int64
		err    error
	}{
		{"its own ETag", func(_ int64, r *http.Request) (string, bool) { return `"one"`, r.Header.Get("If-Match") != "" }, 4, nil},
		{"by turns", func(n int64, r *http.Request) (string, bool) {
			etag := [2]string{`"two"`, `"one"`}[n%2]
			match := r.Header.Get("If-Match")
			return etag, match != "" && match != etag
		}, 4, nil},
		{"all but the directory", func(_ int64, r *http.Request) (string, bool) { return `"one"`, r.Header.Get("Range") == "bytes=0-9" }, 5, ErrBadRange},
	} {
		t.Run(test.name, func(t *testing.T) {
			var requests atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				etag, refused := test.refuse(requests.Add(1), r)
				w.Header().Set("Etag", etag)
				if refused {
					w.WriteHeader(http.StatusPreconditionFailed)
					return
				}
				http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
			}))
			defer server.Close()
			o, err := NewHTTP(HTTPConfig{Base: server.URL + "/a/", AllowPrivate: true})
			if err != nil {
				t.Fatal(err)
			}
			s, v := confirmed(t, data, Node{"a", o})
			before := requests.Load()
			body, err := s.Read(t.Context(), "x.zip", 0, 10, &v)
			if err == nil {
				body.Close()
			}
			if !errors.Is(err, test.err) {
				t.Errorf("%v, want %v", err, test.err)
			}
			if n := requests.Load() - before; n > test.most {
				t.Errorf("%d requests, want %d at most", n, test.most)
			}
		})
	}
}

// TestLooseFaceOfAVersion: a node that gives no validators and began a version does not loosen what is asked of the others.
func TestLooseFaceOfAVersion(t *testing.T) {
	data := make([]byte, tested)
	var asked atomic.Pointer[string]
	node := func(etag string) Node {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if etag != "" {
				w.Header().Set("Etag", etag)
				match := r.Header.Get("If-Match")
				asked.Store(&match)
			}
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
		}))
		t.Cleanup(server.Close)
		o, err := NewHTTP(HTTPConfig{Base: server.URL + "/a/", AllowPrivate: true})
		if err != nil {
			t.Fatal(err)
		}
		return Node{"node" + etag, o}
	}
	s, v := confirmed(t, data, node(`"one"`), node(""))
	w := v.version
	v = Validator{Size: v.Size, version: w} // as the other node gives it
	w.set(0, same, Validator{ETag: `"one"`, Size: v.Size})
	w.set(1, missing, Validator{})
	body, err := s.Read(t.Context(), "x.zip", 0, 10, &v)
	if err != nil {
		t.Fatal(err)
	}
	body.Close()
	if got := *asked.Load(); got != `"one"` {
		t.Errorf("If-Match %q was asked for, want %q", got, `"one"`)
	}
}
