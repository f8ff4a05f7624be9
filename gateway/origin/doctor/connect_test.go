package doctor

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"zipreel/gateway/origin"
	"zipreel/gateway/origin/origintest"
)

// quiet is the log of servers whose viewers leave on purpose.
var quiet = log.New(io.Discard, "", 0)

func TestTLSIsLookedAt(t *testing.T) {
	node := httptest.NewUnstartedServer(http.HandlerFunc(tagged))
	node.EnableHTTP2 = true
	node.Config.ErrorLog = quiet
	node.StartTLS()
	defer node.Close()
	roots := x509.NewCertPool()
	roots.AddCert(node.Certificate())
	known := &tls.Config{RootCAs: roots}
	until := node.Certificate().NotAfter
	local := strings.Replace(node.URL, "127.0.0.1", "localhost", 1)
	tests := map[string]struct {
		cfg    Config
		want   want
		usable bool
	}{
		"right":             {Config{URL: node.URL, TLS: known}, want{"tls", OK, "", "TLS 1.3, certificate for example.com"}, true},
		"http2":             {Config{URL: node.URL, TLS: known}, want{"answer", OK, "", "HTTP/2.0 206"}, true},
		"unknown authority": {Config{URL: node.URL}, want{"tls", Fail, "origin-tls", "unknown authority; it is for example.com"}, false},
		"another name":      {Config{URL: local, TLS: known}, want{"tls", Fail, "origin-tls", "not localhost"}, false},
		"expires":           {Config{URL: node.URL, TLS: known, now: func() time.Time { return until.Add(-50 * time.Hour) }}, want{"tls", Warn, "origin-tls", "in 2 days"}, true},
		"expired": {Config{URL: node.URL, TLS: &tls.Config{RootCAs: roots, Time: func() time.Time { return until.Add(time.Hour) }}},
			want{"tls", Fail, "origin-tls", "expired"}, false},
		"none there": {Config{URL: strings.Replace(serve(t, tagged), "http:", "https:", 1)}, want{"tls", Fail, "origin-tls", "no handshake"}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if !strings.HasSuffix(tt.cfg.URL, ".zip") {
				tt.cfg.URL += "/film.zip"
			}
			r := examine(t, tt.cfg)
			tt.want.hold(t, r)
			if r.Usable != tt.usable {
				t.Errorf("usable: %v; %s", r.Usable, r.Summary)
			}
		})
	}
}

func TestNodesThatAreNotReached(t *testing.T) {
	tests := map[string]struct {
		err  error
		want want
	}{
		"no such name": {&net.DNSError{Err: "no such host", Name: "films.example"}, want{"reachable", Fail, "origin-dns", "films.example is not resolved: no such host"}},
		"refused":      {&net.OpError{Op: "dial", Err: io.ErrClosedPipe}, want{"reachable", Fail, "origin-unavailable", "films.example:80"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := examine(t, Config{URL: "http://films.example/film.zip", dial: func(context.Context, string, string) (net.Conn, error) { return nil, tt.err }})
			tt.want.hold(t, r)
			var text strings.Builder
			if err := r.WriteText(&text); err != nil || strings.Count(text.String(), "not asked") != 1 || !strings.Contains(text.String(), "17 more") {
				t.Errorf("%v: what was not asked is no one line:\n%s", err, text.String())
			}
			if r.Usable || r.Requests != 0 {
				t.Errorf("usable %v, %d requests", r.Usable, r.Requests)
			}
			want{"tls", Skip, "", "“reachable” failed"}.hold(t, r)
		})
	}
}

// TestNothingHangs examines nodes at the other end of a pipe that stop to answer, by a clock of the test's own.
func TestNothingHangs(t *testing.T) {
	part := "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-0/9000000\r\nContent-Length: 1\r\n\r\nx"
	tests := map[string]struct {
		says  []string // to the first request and those after it
		pause time.Duration
		want  want
		most  time.Duration
	}{
		"silent":                 {nil, 0, want{"answer", Fail, "origin-slow", "no answer within 5s"}, 6 * time.Second},
		"header never ends":      {[]string{"HTTP/1.1 206 Partial Content\r\nX: "}, 0, want{"answer", Fail, "origin-slow", ""}, 6 * time.Second},
		"body never comes":       {[]string{part, "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-4095/9000000\r\nContent-Length: 4096\r\n\r\nx"}, 0, want{"range", Fail, "origin-unavailable", "after 1 bytes of 4096"}, 11 * time.Second},
		"each answer is late":    {[]string{part}, 4 * time.Second, want{"answer", OK, "", "4.0 s"}, examineWithin},
		"page of an error hangs": {[]string{"HTTP/1.1 500 Oops\r\nContent-Length: 100\r\n\r\nx"}, 0, want{"answer", Fail, "origin-unavailable", "500"}, 6 * time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				r := examine(t, Config{URL: "http://films.example/film.zip", now: time.Now, dial: pipe(tt.says, tt.pause)})
				if took := time.Since(begun); took > tt.most {
					t.Errorf("it took %v, want %v at most", took, tt.most)
				}
				tt.want.hold(t, r)
				if r.Usable {
					t.Error("usable")
				}
			})
		})
	}
}

// TestTimeIsBounded examines a node that is right, and takes 4.5 s for each answer.
func TestTimeIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var nodes sync.WaitGroup
		defer nodes.Wait()
		dial := func(context.Context, string, string) (net.Conn, error) {
			c, server := net.Pipe()
			nodes.Go(func() {
				defer server.Close()
				for r := bufio.NewReader(server); ; {
					req, err := http.ReadRequest(r)
					if err != nil {
						return
					}
					time.Sleep(4500 * time.Millisecond)
					rec := httptest.NewRecorder()
					tagged(rec, req)
					rec.Result().Write(server)
				}
			})
			return namedConn{c}, nil
		}
		begun := time.Now()
		r := examine(t, Config{URL: "http://films.example/film.zip", now: time.Now, dial: dial})
		if took := time.Since(begun); took > examineWithin {
			t.Errorf("it took %v", took)
		}
		want{"suffix", OK, "", ""}.hold(t, r)
		want{"read", Skip, "", "the time is over"}.hold(t, r)
		if r.Usable || !strings.Contains(r.Summary, "too slowly") {
			t.Errorf("usable %v: %s", r.Usable, r.Summary)
		}
	})
}

// pipe dials a node that says something for each request, and then nothing more.
func pipe(says []string, pause time.Duration) func(context.Context, string, string) (net.Conn, error) {
	next := make(chan string, len(says))
	for _, s := range says {
		next <- s
	}
	return func(context.Context, string, string) (net.Conn, error) {
		c, server := net.Pipe()
		go func() {
			defer server.Close()
			for r := bufio.NewReader(server); ; {
				if _, err := http.ReadRequest(r); err != nil {
					return
				}
				select {
				case s := <-next:
					time.Sleep(pause)
					io.WriteString(server, s)
				default:
				}
			}
		}()
		return namedConn{c}, nil
	}
}

// namedConn is a pipe's end that has an address.
type namedConn struct{ net.Conn }

func (namedConn) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(203, 0, 113, 7), Port: 80} }

func TestRedirectsAreFollowedWithoutCredentials(t *testing.T) {
	var leaked string
	store := serve(t, func(w http.ResponseWriter, r *http.Request) {
		leaked += r.Header.Get("Authorization") + r.Header.Get("X-Key")
		tagged(w, r)
	})
	front := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "ann" || password != "passw0rd" || r.Header.Get("X-Key") != "key12345" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		http.Redirect(w, r, store+"?X-Amz-Signature=secretsign&part=1", http.StatusTemporaryRedirect)
	})
	denied := examine(t, Config{URL: front})
	want{"answer", Fail, "origin-denied", "401"}.hold(t, denied)
	r := examine(t, Config{URL: strings.Replace(front, "://", "://ann:passw0rd@", 1), Header: http.Header{"X-Key": {"key12345"}}})
	host := strings.TrimSuffix(strings.TrimPrefix(store, "http://"), "/film.zip")
	want{"redirects", Note, "", "1, to " + host + ", by a link that looks as if it expires (X-Amz-Signature)"}.hold(t, r)
	if !r.Usable || r.Serve != "zipreel serve --config zipreel.yaml" || !strings.Contains(r.Config, "password: ${PASSWORD}") || !strings.Contains(r.Config, "X-Key: ${X_KEY}") {
		t.Errorf("%s\n%s\n%s", r.Summary, r.Serve, r.Config)
	}
	if leaked != "" {
		t.Error("the other host got credentials")
	}
	plain := examine(t, Config{URL: serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, store, http.StatusFound) })})
	want{"redirects", Note, "", "1, to " + host}.hold(t, plain)
}

func TestRedirectsThatAreNotFollowed(t *testing.T) {
	node := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://plain.example/film.zip", http.StatusFound)
	}))
	node.Config.ErrorLog = quiet
	node.StartTLS()
	defer node.Close()
	roots := x509.NewCertPool()
	roots.AddCert(node.Certificate())
	r := examine(t, Config{URL: node.URL + "/film.zip", TLS: &tls.Config{RootCAs: roots}})
	want{"answer", Fail, "origin-redirect", "from https to http, at plain.example"}.hold(t, r)
	r = examine(t, Config{URL: serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusFound) })})
	want{"answer", Fail, "origin-redirect", "without a Location"}.hold(t, r)
}

// TestSecretsStayOut examines a node that repeats all that it is sent.
func TestSecretsStayOut(t *testing.T) {
	for name, repeat := range map[string]func(w http.ResponseWriter, s string){
		"ETag":     func(w http.ResponseWriter, s string) { w.Header().Set("ETag", `"`+s+`"`) },
		"coding":   func(w http.ResponseWriter, s string) { w.Header().Set("Content-Encoding", s) },
		"location": func(w http.ResponseWriter, s string) { w.Header().Set("Location", "gopher"+s+":x") },
	} {
		t.Run(name, func(t *testing.T) {
			base := serve(t, func(w http.ResponseWriter, r *http.Request) {
				repeat(w, r.Header.Get("Authorization")+r.Header.Get("X-Key")+r.URL.RawQuery+"\u202e")
				if w.Header().Get("Location") != "" {
					w.WriteHeader(http.StatusFound)
					return
				}
				content(w, r)
			})
			r := examine(t, Config{URL: strings.Replace(base, "://", "://ann:passw0rd@", 1) + "?sig=s1gnature", Header: http.Header{"X-Key": {"key12345"}}})
			var text strings.Builder
			if err := r.WriteText(&text); err != nil {
				t.Fatal(err)
			}
			for _, secret := range []string{"passw0rd", "s1gnature", "key12345", "YW5uOnBhc3N3MHJk", "\u202e"} {
				if strings.Contains(text.String(), secret) {
					t.Errorf("%q is shown:\n%s", secret, text.String())
				}
			}
		})
	}
}

func TestQueryDialect(t *testing.T) {
	tests := map[string]struct {
		fault  origintest.QueryFault
		size   bool // a size URL is given
		wants  []want
		usable bool
	}{
		"redirecting": {origintest.QueryFault{}, false, []want{{"range", Warn, "", "400"}, {"query", OK, "", "just those bytes"}, {"head", OK, "", ""}, {"suffix", Skip, "", ""},
			{"read", Note, "", ""}, {"validator", OK, "", ""}, {"latency", OK, "", ""}, {"throughput", OK, "", ""}}, true},
		"at once":              {origintest.QueryFault{Direct: true}, false, []want{{"query", OK, "", ""}}, true},
		"no HEAD":              {origintest.QueryFault{NoHead: true}, false, []want{{"head", Fail, "origin-bad-range", "405"}}, false},
		"no HEAD, a size URL":  {origintest.QueryFault{NoHead: true}, true, []want{{"head", Skip, "", "size URL"}, {"read", Note, "", ""}}, true},
		"whole":                {origintest.QueryFault{Whole: true}, false, []want{{"query", Fail, "origin-no-range", "200 with 5.0 MiB"}}, false},
		"short":                {origintest.QueryFault{Short: 1}, false, []want{{"query", Fail, "origin-no-range", "200 with 15 bytes"}}, false},
		"of unknown length":    {origintest.QueryFault{Chunked: true}, false, []want{{"query", Fail, "origin-no-range", "unknown length"}}, false},
		"links expire at once": {origintest.QueryFault{Expired: true}, false, []want{{"query", Fail, "origin-no-range", "403"}}, false},
		"no validators":        {origintest.QueryFault{NoValidators: true}, false, []want{{"validator", Warn, "", ""}}, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			node := origintest.NewQueryNode(t)
			node.Put("film.zip", film)
			node.Set(tt.fault)
			cfg := Config{URL: node.URL, Archive: "film.zip"}
			serve := "zipreel serve '" + node.URL + "{archive}?range={offset}%2C{size}'"
			if tt.size {
				cfg.SizeURL, serve = node.URL+"size/{archive}", "zipreel serve --config zipreel.yaml"
			}
			r := examine(t, cfg)
			for _, w := range tt.wants {
				w.hold(t, r)
			}
			if r.Usable != tt.usable {
				t.Fatalf("usable: %v; %s", r.Usable, r.Summary)
			}
			if tt.usable && (r.Serve != serve || r.Dialect != "query" || !strings.Contains(r.Config, "dialect: query\n") || r.Size != filmSize) {
				t.Errorf("%q %q\n%s", r.Serve, r.Dialect, r.Config)
			}
			if tt.usable && !tt.size {
				canBeRead(t, strings.Trim(strings.TrimPrefix(r.Serve, "zipreel serve "), "'"))
			}
		})
	}
	t.Run("small and whole without it in the URL", func(t *testing.T) {
		base := serve(t, func(w http.ResponseWriter, r *http.Request) {
			data := film[:100_000]
			if r.URL.Query().Get("range") == "0,16" {
				data = data[:16]
			} else if r.URL.Query().Get("range") == "8,8" {
				data = data[8:16]
			}
			w.Write(data)
		})
		want{"query", OK, "", ""}.hold(t, examine(t, Config{URL: base}))
	})
}

// canBeRead holds that the gateway reads from the URL that it was told to serve.
func canBeRead(t *testing.T, base string) {
	t.Helper()
	o, err := origin.NewHTTP(origin.HTTPConfig{Base: base, AllowPrivate: true})
	if err != nil {
		t.Fatalf("%s: %v", base, err)
	}
	defer o.Close()
	body, err := o.Read(context.Background(), "film.zip", origin.Tail, 1000, nil)
	if err != nil {
		t.Fatalf("%s: %v", base, err)
	}
	defer body.Close()
	if got, err := io.ReadAll(body); err != nil || string(got) != string(film[filmSize-1000:]) {
		t.Errorf("%s: %d bytes, or other ones: %v", base, len(got), err)
	}
}

func TestWhatLiesThere(t *testing.T) {
	node := origintest.NewNode(t, map[string][]byte{"film.zip": film})
	tests := map[string]struct {
		directory func(tail []byte, off, size int64) Archive
		want      want
	}{
		"an archive":   {twoEntries, want{"archive", OK, "", "2 entries, 1 of them playlists"}},
		"no playlist":  {func([]byte, int64, int64) Archive { return Archive{Entries: 2} }, want{"archive", Warn, "not-found-playlist", "0 of them"}},
		"not served":   {func([]byte, int64, int64) Archive { return Archive{Entries: 2, Playlists: 1, Unserved: 1} }, want{"archive", Warn, "", "1 are not served"}},
		"no archive":   {func([]byte, int64, int64) Archive { return Archive{Code: "zip-not-found", Why: "no end"} }, want{"archive", Fail, "zip-not-found", "no end"}},
		"large":        {func([]byte, int64, int64) Archive { return Archive{From: 1} }, want{"archive", Note, "", "5.0 MiB, is not looked at"}},
		"never enough": {func(_ []byte, off, _ int64) Archive { return Archive{From: off - 1000} }, want{"archive", Note, "", "not looked at"}},
		"two reads": {func(tail []byte, off, size int64) Archive {
			if string(tail) != string(film[off:size]) {
				return Archive{Code: "checksum"}
			}
			if off > filmSize-100_000 {
				return Archive{From: filmSize - 100_000}
			}
			return Archive{Entries: 9, Playlists: 9}
		}, want{"archive", OK, "", "9 entries"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.want.hold(t, examine(t, Config{URL: node.URL + "film.zip", Directory: tt.directory}))
		})
	}
}
