package gateway_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"zipreel/gateway"
	"zipreel/gateway/origin"
)

// bigTitle is 7,200 segments of 8 renditions, with range links, playlists last: as zipreel pack writes it.
func bigTitle(t testing.TB) (archive []byte, playlists []string) {
	t.Helper()
	var files []file
	for r := range 8 {
		for s := range 900 {
			files = append(files, file{fmt.Sprintf("v%d/segment_%05d.m4s", r, s), pattern(s, 40)})
		}
	}
	_, offsets := makeZip(t, files...)
	main := []byte("#EXTM3U\n")
	for r := range 8 {
		var b bytes.Buffer
		b.WriteString("#EXTM3U\n#EXT-X-TARGETDURATION:2\n")
		for s := range 900 {
			name := fmt.Sprintf("v%d/segment_%05d.m4s", r, s)
			fmt.Fprintf(&b, "#EXTINF:2.0,\nsegment_%05d.m4s?range=%d,40\n", s, offsets[name])
		}
		name := fmt.Sprintf("v%d/index.m3u8", r)
		files = append(files, file{name, b.Bytes()})
		playlists = append(playlists, name)
		main = fmt.Appendf(main, "#EXT-X-STREAM-INF:BANDWIDTH=%d\n%s\n", r+1, name)
	}
	files = append(files, file{"master.m3u8", main})
	archive, _ = makeZip(t, files...)
	return archive, append(playlists, "master.m3u8")
}

func TestColdStartIsTwoReads(t *testing.T) {
	archive, playlists := bigTitle(t)
	f := newFixture(t)
	f.films.Set("bbb.zip", archive, `"v1"`)
	for _, p := range playlists {
		if res := f.get("/v/films/bbb.zip/" + p); res.StatusCode != 200 {
			t.Fatalf("%s: %d %s", p, res.StatusCode, body(t, res))
		}
	}
	if reads := f.films.Reads(); len(reads) > 2 {
		t.Errorf("index and %d playlists took %d reads: %v", len(playlists), len(reads), reads)
	}
	before := len(f.films.Reads())
	wantBody(t, f.get("/v/films/bbb.zip/v3/segment_00007.m4s"), 200, pattern(7, 40))
	if n := len(f.films.Reads()) - before; n != 1 {
		t.Errorf("a segment took %d reads, want 1", n)
	}
}

func TestViewersOfOneColdSegmentShareOneRead(t *testing.T) {
	f := newFixture(t)
	seg := pattern(1, 4<<20)
	data, _ := makeZip(t, file{"s.m4s", seg}, file{"t.m4s", pattern(2, 80_000)})
	f.films.Set("bbb.zip", data, `"v1"`)
	server := httptest.NewServer(f)
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	f.get("/v/films/bbb.zip/t.m4s")
	before := len(f.films.Reads())
	var wg sync.WaitGroup
	for range 200 {
		wg.Go(func() {
			res, err := client.Get(server.URL + "/v/films/bbb.zip/s.m4s")
			if err != nil {
				t.Error(err)
				return
			}
			defer res.Body.Close()
			if got, err := io.ReadAll(res.Body); err != nil || !bytes.Equal(got, seg) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		})
	}
	wg.Wait()
	if n := len(f.films.Reads()) - before; n != 1 {
		t.Errorf("200 viewers of one cold segment caused %d reads, want 1", n)
	}
}

func TestRefusalsAreRemembered(t *testing.T) {
	f := newFixture(t)
	f.films.Set("noise.zip", pattern(1, 200_000), `"v1"`)
	for range 5 {
		wantProblem(t, f.get("/v/films/noise.zip/a.ts"), 422, "zip-not-found")
		wantProblem(t, f.get("/v/films/gone.zip/a.ts"), 404, "not-found-archive")
	}
	if n := len(f.films.Reads()); n > 3 {
		t.Errorf("%d reads for two refused archives asked for five times, want at most 3", n)
	}
}

// TestSlowStorage: headers within 8 s, and the load goes on so that the retry finds it.
func TestSlowStorage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		films := origin.NewMemory()
		data, _ := makeZip(t, file{"s.ts", transportStream(1, 100)}, file{"z", pattern(1, 100_000)})
		films.Set("bbb.zip", data, `"v1"`)
		slow := blockingOrigin{films, make(chan struct{})}
		g, err := gateway.New(gateway.Config{Sources: []gateway.Source{{Name: "films", Origin: slow}}})
		if err != nil {
			t.Fatal(err)
		}
		defer g.Close()
		f := &fixture{g, t, films}
		began := time.Now()
		wantProblem(t, f.get("/v/films/bbb.zip/s.ts"), 503, "origin-slow")
		if took := time.Since(began); took != 8*time.Second {
			t.Errorf("answered after %v, want 8 s", took)
		}
		time.Sleep(20 * time.Second)
		close(slow.release)
		synctest.Wait()
		before := len(films.Reads())
		wantBody(t, f.get("/v/films/bbb.zip/s.ts"), 200, transportStream(1, 100))
		if n := len(films.Reads()) - before; n != 1 {
			t.Errorf("the retry took %d reads, want one for the segment: the index had been loaded meanwhile", n)
		}
	})
}

func TestDeadStorage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		films := origin.NewMemory()
		g, err := gateway.New(gateway.Config{Sources: []gateway.Source{{Name: "films", Origin: blockingOrigin{films, nil}}}})
		if err != nil {
			t.Fatal(err)
		}
		defer g.Close()
		f := &fixture{g, t, films}
		wantProblem(t, f.get("/v/films/bbb.zip/s.ts"), 503, "origin-slow")
		time.Sleep(2 * time.Minute)
		wantProblem(t, f.get("/v/films/bbb.zip/s.ts"), 503, "origin-slow")
	})
}

// failingOrigin fails every read in one way.
type failingOrigin struct{ kind error }

func (o failingOrigin) Read(_ context.Context, name string, off, n int64, _ *origin.Validator) (*origin.Body, error) {
	return nil, &origin.Error{Kind: o.kind, Node: "http://10.1.2.3/secret", Archive: name, Off: off, N: n, RetryAfter: 7 * time.Second, Err: errors.New("token=hunter2")}
}

func TestStorageFailures(t *testing.T) {
	tests := []struct {
		kind   error
		status int
		code   string
	}{
		{origin.ErrNotFound, 404, "not-found-archive"},
		{origin.ErrChanged, 503, "archive-changed"},
		{origin.ErrNoRange, 502, "origin-no-range"},
		{origin.ErrBadRange, 502, "origin-bad-range"},
		{origin.ErrDenied, 502, "origin-denied"},
		{origin.ErrRedirect, 502, "origin-redirect"},
		{origin.ErrTLS, 502, "origin-tls"},
		{origin.ErrDNS, 502, "origin-dns"},
		{origin.ErrUnavailable, 503, "origin-unavailable"},
		{origin.ErrTimeout, 504, "origin-timeout"},
	}
	for _, tt := range tests {
		t.Run(tt.code, func(t *testing.T) {
			g, err := gateway.New(gateway.Config{Sources: []gateway.Source{{Name: "films", Origin: failingOrigin{tt.kind}}}})
			if err != nil {
				t.Fatal(err)
			}
			defer g.Close()
			f := &fixture{Gateway: g, t: t}
			res := f.get("/v/films/bbb.zip/s.ts")
			text := body(t, res)
			res.Body = io.NopCloser(bytes.NewReader(text))
			wantProblem(t, res, tt.status, tt.code)
			for _, secret := range []string{"10.1.2.3", "secret", "hunter2"} {
				if bytes.Contains(text, []byte(secret)) {
					t.Errorf("the answer names %q: %s", secret, text)
				}
			}
			want := "no-store"
			if tt.status == 404 {
				want = "max-age=5"
			}
			wantHeader(t, res, "Cache-Control", want)
			if tt.kind == origin.ErrUnavailable {
				wantHeader(t, res, "Retry-After", "7")
			}
		})
	}
}

func TestHostsAndCORS(t *testing.T) {
	f := newFixture(t, func(c *gateway.Config) {
		c.Hosts = gateway.LoopbackHosts()
		c.AllowOrigins = []string{"https://tv.example"}
	})
	data, _ := makeZip(t, file{"s.ts", transportStream(1, 3)})
	f.films.Set("bbb.zip", data, `"v1"`)
	r := httptest.NewRequest("GET", "http://evil.example/v/films/bbb.zip/s.ts", nil)
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	if w.Code != 421 {
		t.Errorf("a foreign Host got %d, want 421", w.Code)
	}
	res := f.get("/v/films/bbb.zip/s.ts", "Origin", "https://tv.example")
	wantHeader(t, res, "Access-Control-Allow-Origin", "https://tv.example")
	wantHeader(t, res, "Vary", "Origin")
	res = f.get("/v/films/bbb.zip/s.ts", "Origin", "https://other.example")
	wantHeader(t, res, "Access-Control-Allow-Origin", "")
	wantHeader(t, res, "Vary", "Origin")

	f = newFixture(t)
	res = f.do("OPTIONS", "/v/films/bbb.zip/s.ts", "Origin", "https://x.example", "Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "range")
	wantBody(t, res, 204, nil)
	wantHeader(t, res, "Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
	wantHeader(t, res, "Access-Control-Allow-Headers", "Range, Content-Type, Accept-Encoding, If-None-Match")
	wantHeader(t, res, "Access-Control-Max-Age", "86400")
	wantHeader(t, res, "Access-Control-Allow-Origin", "*")
}

// TestSecondColdStartIsOneRead: an index that was dropped is read again at once, with all that lay along.
func TestSecondColdStartIsOneRead(t *testing.T) {
	archive, playlists := bigTitle(t)
	small, _ := makeZip(t, file{"a.ts", transportStream(1, 10)})
	f := newFixture(t, func(c *gateway.Config) { c.IndexMemory = 1 })
	f.films.Set("bbb.zip", archive, `"v1"`)
	f.films.Set("small.zip", small, `"v1"`)
	for _, path := range []string{"bbb.zip/" + playlists[0], "small.zip/a.ts"} {
		if res := f.get("/v/films/" + path); res.StatusCode != 200 {
			t.Fatal(res.Status)
		}
	}
	before := len(f.films.Reads())
	res := f.get("/v/films/bbb.zip/" + playlists[1])
	if reads := f.films.Reads()[before:]; res.StatusCode != 200 || len(reads) != 1 {
		t.Errorf("status %d after the reads %v, want one", res.StatusCode, reads)
	}
}
