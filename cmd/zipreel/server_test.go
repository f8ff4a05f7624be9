package main

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"zipreel/gateway"
	"zipreel/gateway/origin"
)

func TestAllowedHosts(t *testing.T) {
	tests := []struct {
		address string
		named   []hostName
		want    []string
	}{
		{"127.0.0.1:0", nil, gateway.LoopbackHosts()},
		{"127.0.0.1:0", []hostName{"a.example"}, append(gateway.LoopbackHosts(), "a.example")},
		{"0.0.0.0:0", nil, nil},
		{"0.0.0.0:0", []hostName{"a.example"}, append(gateway.LoopbackHosts(), "a.example")},
	}
	for _, tt := range tests {
		l, err := net.Listen("tcp", tt.address)
		if err != nil {
			t.Fatal(err)
		}
		if got := allowedHosts(l, tt.named); !slices.Equal(got, tt.want) {
			t.Errorf("allowedHosts(%s, %q) = %q, want %q", tt.address, tt.named, got, tt.want)
		}
		if got := baseURL(l); !strings.HasPrefix(got, "http://127.0.0.1:") {
			t.Errorf("baseURL(%s) = %q, which players of this machine cannot open", tt.address, got)
		}
		l.Close()
	}
}

const eventsPath = "/api/v1/events"

// newTestServer is a server with one listener in memory, inside a synctest bubble. answer is its handler, but for event streams, which are the gateway's.
func newTestServer(t *testing.T, answer http.Handler) (*server, *pipeListener) {
	t.Helper()
	gw, err := gateway.New(gateway.Config{Sources: []gateway.Source{{Name: "films", Origin: origin.NewMemory()}}})
	if err != nil {
		t.Fatal(err)
	}
	l := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	log := slog.New(slog.DiscardHandler)
	s := &server{gw: gw, log: log, listener: l, failed: make(chan error, 2), signals: make(chan os.Signal, 2)}
	mux := http.NewServeMux()
	mux.Handle("/", answer)
	mux.Handle(eventsPath, gw)
	s.http = newHTTPServer(mux, log)
	go s.serve(s.http, l)
	return s, l
}

// pipeListener accepts connections within the process.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	select {
	case <-l.closed:
	default:
		close(l.closed)
	}
	return nil
}

func (*pipeListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

// ask sends a request and answers its connection.
func (l *pipeListener) ask(path string) net.Conn {
	mine, theirs := net.Pipe()
	l.conns <- theirs
	io.WriteString(mine, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\n\r\n")
	return mine
}

// TestStopWaits holds that running answers have 30 s after a signal, and no more; that event streams have none; and
// that a second signal ends it at once.
func TestStopWaits(t *testing.T) {
	tests := []struct {
		name    string
		path    string
		runs    time.Duration // of the answer, unless its context ends
		second  time.Duration // when the second signal comes; 0: never
		want    time.Duration
		wantErr bool
	}{
		{name: "nothing runs", path: "/quick", want: 0},
		{name: "an answer ends in time", path: "/slow", runs: 20 * time.Second, want: 20 * time.Second},
		{name: "an answer does not end", path: "/slow", runs: time.Hour, want: stopWithin},
		{name: "event stream", path: eventsPath, runs: time.Hour, want: 0},
		{name: "second signal", path: "/slow", runs: time.Hour, second: 5 * time.Second, want: 5 * time.Second, wantErr: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, l := newTestServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					select {
					case <-time.After(tt.runs):
					case <-r.Context().Done():
					}
				}))
				conn := l.ask(tt.path)
				synctest.Wait()
				s.signals <- syscall.SIGTERM
				if tt.second > 0 {
					time.AfterFunc(tt.second, func() { s.signals <- os.Interrupt })
				}
				go io.Copy(io.Discard, conn)
				began := time.Now()
				err := s.wait()
				took := time.Since(began)
				if (err != nil) != tt.wantErr {
					t.Errorf("wait: %v, want an error: %v", err, tt.wantErr)
				}
				// Shutdown looks again every 500 ms at most.
				if took < tt.want || took > tt.want+time.Second {
					t.Errorf("it stopped after %v, want %v", took, tt.want)
				}
				s.http.Close()
				s.gw.Close()
				conn.Close()
			})
		})
	}
}

func TestDrainComesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, l := newTestServer(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { time.Sleep(10 * time.Second) }))
		conn := l.ask("/slow")
		go io.Copy(io.Discard, conn)
		synctest.Wait()
		s.signals <- syscall.SIGTERM
		done := make(chan error, 1)
		go func() { done <- s.wait() }()
		time.Sleep(time.Second)
		w := httptest.NewRecorder()
		s.gw.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/readyz", nil))
		if w.Code != http.StatusServiceUnavailable {
			t.Errorf("/readyz while it stops: %d, want 503", w.Code)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		conn.Close()
	})
}

// TestSlowRequestsEnd holds that a connection does not wait for the rest of a header or a body without end.
func TestSlowRequestsEnd(t *testing.T) {
	for _, sent := range []string{
		"",
		"GET / HTTP/1.1\r\nHost: localhost\r\n",
		"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
	} {
		synctest.Test(t, func(t *testing.T) {
			s, l := newTestServer(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			mine, theirs := net.Pipe()
			l.conns <- theirs
			began := time.Now()
			go io.WriteString(mine, sent)
			io.Copy(io.Discard, mine) // ends when the server hangs up
			if took := time.Since(began); took > headerWithin+time.Second {
				t.Errorf("after %q the connection was open for %v, want %v at most", sent, took, headerWithin)
			}
			s.http.Close()
			s.gw.Close()
			mine.Close()
		})
	}
}

func TestAccessLog(t *testing.T) {
	var buf bytes.Buffer
	h := logRequests(slog.New(slog.NewTextHandler(&buf, nil)), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Errorf("Flush: %v", err)
		}
		io.WriteString(w, "12345")
		if r.URL.Path == "/cut" {
			panic(http.ErrAbortHandler)
		}
	}))
	for _, path := range []string{"/v/films/a%20b.zip?sig=secret", "/cut"} {
		func() {
			defer func() {
				if e := recover(); (e != nil) != (path == "/cut") {
					t.Errorf("%s: panic %v", path, e)
				}
			}()
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil))
		}()
	}
	lines := strings.Split(strings.TrimSpace(buf.String()), "\n")
	if len(lines) != 2 || strings.Contains(buf.String(), "secret") {
		t.Fatalf("log:\n%s", &buf)
	}
	for i, wants := range [][]string{{"path=/v/films/a%20b.zip ", "bytes=5", "cut=false", "status=200"}, {"path=/cut ", "bytes=5", "cut=true"}} {
		for _, want := range wants {
			if !strings.Contains(lines[i], want) {
				t.Errorf("the line %q holds no %q", lines[i], want)
			}
		}
	}
}
