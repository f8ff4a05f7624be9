package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"zipreel/gateway/origin/origintest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var update = flag.Bool("update", false, "write testdata/*.golden anew")

const filmSize = 5 << 20 // more than is taken of a whole file

var film = origintest.Data(0, filmSize)

// steps is a clock that goes on by a step whenever it is looked at.
func steps(step time.Duration) func() time.Time {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return func() time.Time {
		at = at.Add(step)
		return at
	}
}

func examine(t *testing.T, cfg Config) *Report {
	t.Helper()
	if cfg.now == nil {
		cfg.now = steps(time.Millisecond)
	}
	r, err := Examine(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// serve starts a server of its own kind.
func serve(t *testing.T, h http.HandlerFunc) string {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL + "/film.zip"
}

// content answers the film as Go's file server does, after others may have set headers.
func content(w http.ResponseWriter, r *http.Request) {
	http.ServeContent(w, r, "film.zip", time.Unix(1_700_000_000, 0), bytes.NewReader(film))
}

// tagged is content with a strong ETag.
func tagged(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("ETag", `"film"`)
	content(w, r)
}

// want is what a check has to come to.
type want struct {
	check string
	mark  Mark
	code  string
	seen  string // part of it
}

func (w want) hold(t *testing.T, r *Report) {
	t.Helper()
	f := r.finding(w.check)
	if f.Mark != w.mark || f.Code != w.code || !strings.Contains(f.Seen, w.seen) {
		t.Errorf("%s: %s, code %q, %q; want %s, code %q, %q", w.check, f.Mark, f.Code, f.Seen, w.mark, w.code, w.seen)
	}
	if (f.Mark == Warn || f.Mark == Fail) && f.Setting == "" && (f.Cost == "" || len(f.Mend) == 0) {
		t.Errorf("%s: says neither what it costs and how to mend it, nor a setting", w.check)
	}
}

func twoEntries([]byte, int64, int64) Archive { return Archive{Entries: 2, Playlists: 1} }

func TestHealthyNodePasses(t *testing.T) {
	node := origintest.NewNode(t, map[string][]byte{"film.zip": film})
	r := examine(t, Config{URL: node.URL + "film.zip", Directory: twoEntries})
	marks := map[string]Mark{"tls": Note, "query": Skip, "head": Note, "read": Note, "cors": Note}
	for _, f := range r.Checks {
		if w, special := marks[f.Name]; f.Mark != w && special || !special && f.Mark != OK {
			t.Errorf("%s: %s, %s", f.Name, f.Mark, f.Seen)
		}
	}
	if len(r.Checks) != len(checks) || !r.Usable || r.Dialect != "range" || !r.AllowPrivate || r.Size != filmSize {
		t.Errorf("%+v", r)
	}
	if r.LatencyP50 != 1 || r.LatencyP95 != 1 || r.Throughput != sample*1000 {
		t.Errorf("latency %v and %v ms, %v bytes/s by a clock of milliseconds", r.LatencyP50, r.LatencyP95, r.Throughput)
	}
	if n := len(node.Requests()); r.Requests != n || r.Bytes > 1_200_000 {
		t.Errorf("%d requests of %d counted; %d bytes", r.Requests, n, r.Bytes)
	}
	if r.Serve != "zipreel serve "+node.URL+"film.zip" {
		t.Errorf("command %q", r.Serve)
	}
}

func TestFaultsOfNodes(t *testing.T) {
	tests := map[string]struct {
		fault  origintest.Fault
		wants  []want
		usable bool
	}{
		"reset":             {origintest.Fault{Reset: true}, []want{{"answer", Fail, "origin-unavailable", "no answer"}, {"range", Skip, "", "“answer” failed"}}, false},
		"not found":         {origintest.Fault{Status: 404}, []want{{"answer", Fail, "not-found-archive", "404"}}, false},
		"denied":            {origintest.Fault{Status: 403}, []want{{"answer", Fail, "origin-denied", "403"}}, false},
		"failing":           {origintest.Fault{Status: 503}, []want{{"answer", Fail, "origin-unavailable", "503"}}, false},
		"loop":              {origintest.Fault{Redirect: "/film.zip"}, []want{{"answer", Fail, "origin-redirect", "more than 3"}}, false},
		"other scheme":      {origintest.Fault{Redirect: "ftp://a.example/"}, []want{{"answer", Fail, "origin-redirect", `"ftp"`}}, false},
		"no ranges":         {origintest.Fault{Whole: true}, []want{{"range", Fail, "origin-no-range", "5.0 MiB"}, {"query", Fail, "origin-no-range", "200 with 5.0 MiB"}}, false},
		"no suffix":         {origintest.Fault{NoSuffix: true}, []want{{"suffix", Warn, "", "416"}, {"read", Note, "", ""}}, true},
		"shifted":           {origintest.Fault{Shift: 3}, []want{{"range", Fail, "origin-bad-range", "bytes 3-4095 came instead"}}, false},
		"no total":          {origintest.Fault{Total: -1}, []want{{"range", Fail, "origin-bad-range", "without the total"}}, false},
		"no Content-Range":  {origintest.Fault{NoContentRange: true}, []want{{"range", Fail, "origin-bad-range", "without Content-Range"}}, false},
		"multipart":         {origintest.Fault{Multipart: true}, []want{{"range", Fail, "origin-bad-range", "multipart"}}, false},
		"coded":             {origintest.Fault{Coded: true}, []want{{"range", Fail, "origin-bad-range", "gzip"}}, false},
		"longer":            {origintest.Fault{Longer: 9}, []want{{"range", Warn, "", "more after them"}, {"keep-alive", Warn, "", "new connection"}}, true},
		"chunked":           {origintest.Fault{Chunked: true}, []want{{"range", OK, "", ""}}, true},
		"cut":               {origintest.Fault{CutAt: 1000}, []want{{"range", Fail, "origin-unavailable", "after 1000 bytes of 4096"}}, false},
		"cut late":          {origintest.Fault{CutAt: 100_000}, []want{{"range", OK, "", ""}, {"throughput", Fail, "origin-unavailable", "97.7 KiB of 1.0 MiB"}}, false},
		"wrong bytes":       {origintest.Fault{Flip: true}, []want{{"range", Fail, "checksum-node", "differ in bytes 2048-4095"}}, false},
		"weak":              {origintest.Fault{Weak: true}, []want{{"validator", Warn, "", `"W/`}, {"if-match", Skip, "", ""}}, true},
		"no ETag":           {origintest.Fault{NoETag: true}, []want{{"validator", Warn, "", "Last-Modified only"}, {"if-match", Skip, "", ""}}, true},
		"any ETag":          {origintest.Fault{AnyETag: true, IgnoreIfMatch: true}, []want{{"validator", Warn, "", "ETags for one archive"}, {"if-match", Skip, "", ""}}, true},
		"If-Match unheeded": {origintest.Fault{IgnoreIfMatch: true}, []want{{"if-match", Warn, "", "status 206, not 412"}}, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			node := origintest.NewNode(t, map[string][]byte{"film.zip": film})
			node.Set(tt.fault)
			r := examine(t, Config{URL: node.URL + "film.zip"})
			for _, w := range tt.wants {
				w.hold(t, r)
			}
			if r.Usable != tt.usable || (r.Serve != "") != tt.usable || (r.Config != "") != tt.usable {
				t.Errorf("usable %v, command %q", r.Usable, r.Serve)
			}
			if r.Bytes > maxBytes+maxReads {
				t.Errorf("%d bytes were taken", r.Bytes)
			}
		})
	}
}

func TestServersOfOtherKinds(t *testing.T) {
	tests := map[string]struct {
		h      http.HandlerFunc
		want   want
		usable bool
	}{
		"HEAD": {tagged, want{"head", OK, "", "with the size"}, true},
		"no HEAD": {func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodHead {
				w.WriteHeader(http.StatusMethodNotAllowed)
				return
			}
			tagged(w, r)
		}, want{"head", Note, "", "405; not needed"}, true},
		"HEAD with another size": {func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodHead {
				w.Header().Set("Content-Length", "12")
				return
			}
			tagged(w, r)
		}, want{"head", Note, "", "another size, 12 bytes"}, true},
		"no validator": {func(w http.ResponseWriter, r *http.Request) {
			http.ServeContent(w, r, "film.zip", time.Time{}, bytes.NewReader(film))
		}, want{"validator", Warn, "", "neither"}, true},
		"own ETag refused": {func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("If-Match") != "" {
				w.WriteHeader(http.StatusPreconditionFailed)
				return
			}
			tagged(w, r)
		}, want{"if-match", Fail, "archive-changed", "412 under its own ETag"}, false},
		"compresses": {func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Accept-Encoding") == "gzip" {
				w.Header().Set("Content-Encoding", "gzip")
			}
			tagged(w, r)
		}, want{"compression", Warn, "", "coded as gzip"}, true},
		"drops ranges where gzip is asked for": {func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Accept-Encoding") == "gzip" {
				r.Header.Del("Range")
			}
			tagged(w, r)
		}, want{"compression", Warn, "", "status 200"}, true},
		"closes connections": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Connection", "close")
			tagged(w, r)
		}, want{"keep-alive", Warn, "", "new connection"}, true},
		"allows other sites": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Access-Control-Allow-Origin", "*")
			tagged(w, r)
		}, want{"cors", Note, "", "Access-Control-Allow-Origin: *"}, true},
		"206 beyond the end": {func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") == "bytes=5242880-5242880" {
				w.WriteHeader(http.StatusPartialContent)
				return
			}
			tagged(w, r)
		}, want{"beyond", Warn, "", "206 beyond the end"}, true},
		"416 without the size": {func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") == "bytes=5242880-5242880" {
				w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
				return
			}
			tagged(w, r)
		}, want{"beyond", Warn, "", "bytes */5242880"}, true},
		"another end": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `"film"`)
			data := film
			if strings.HasPrefix(r.Header.Get("Range"), "bytes=-") {
				data = origintest.Data(1, filmSize)
			}
			http.ServeContent(w, r, "film.zip", time.Time{}, bytes.NewReader(data))
		}, want{"suffix", Fail, "checksum-node", "others"}, false},
		"limits requests": {func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") == "bytes=1048575-1048575" {
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
			tagged(w, r)
		}, want{"latency", Fail, "origin-unavailable", "read 2 of 5 is answered with status 429"}, false},
		"empty": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Range", "bytes */0")
			w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
		}, want{"range", Fail, "zip-not-found", "empty"}, false},
		"of two sizes": {func(w http.ResponseWriter, r *http.Request) {
			data := film
			if r.Header.Get("Range") == "bytes=0-4095" {
				data = film[:5000]
			}
			http.ServeContent(w, r, "film.zip", time.Time{}, bytes.NewReader(data))
		}, want{"range", Fail, "origin-bad-range", "5242880 bytes in all, another 5000"}, false},
		"small and whole": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100000")
			w.Write(film[:100_000])
		}, want{"range", Warn, "", "small: 97.7 KiB"}, true},
		"of unknown length": {func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			w.Write(film)
		}, want{"range", Fail, "origin-no-range", "unknown length"}, false},
		"endless": {func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusNotFound)
			for {
				if _, err := w.Write(film); err != nil {
					return
				}
			}
		}, want{"answer", Fail, "not-found-archive", "404"}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := examine(t, Config{URL: serve(t, tt.h)})
			tt.want.hold(t, r)
			if r.Usable != tt.usable {
				t.Errorf("usable: %v; %s", r.Usable, r.Summary)
			}
			if r.Bytes > maxBytes {
				t.Errorf("%d bytes were taken", r.Bytes)
			}
		})
	}
}

func TestSpeedIsJudged(t *testing.T) {
	node := origintest.NewNode(t, map[string][]byte{"film.zip": film})
	tests := map[string]struct {
		step  time.Duration // of the clock: a first byte, and a mebibyte, take one each
		wants []want
	}{
		"quick":   {time.Millisecond, []want{{"latency", OK, "", "1.0 ms (p50), 1.0 ms (p95) of 5"}, {"throughput", OK, "", "1000.0 MiB/s"}}},
		"slow":    {2 * time.Second, []want{{"latency", Warn, "", "2.0 s (p95)"}, {"throughput", Warn, "", "512.0 KiB/s"}}},
		"trickle": {time.Minute, []want{{"throughput", Warn, "", "17.1 KiB/s"}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := examine(t, Config{URL: node.URL + "film.zip", now: steps(tt.step)})
			for _, w := range tt.wants {
				w.hold(t, r)
			}
		})
	}
	t.Run("small", func(t *testing.T) {
		node.Put("small.zip", film[:5000])
		r := examine(t, Config{URL: node.URL + "small.zip", Reads: 1000})
		want{"throughput", Skip, "", "too small"}.hold(t, r)
		want{"latency", OK, "", "of 20 reads"}.hold(t, r)
	})
}

func TestRank(t *testing.T) {
	list := []time.Duration{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	for _, tt := range []struct {
		n, percent int
		want       time.Duration
	}{{10, 50, 5}, {10, 95, 10}, {1, 50, 1}, {1, 95, 1}, {3, 50, 2}} {
		if got := rank(list[:tt.n], tt.percent); got != tt.want {
			t.Errorf("rank of %d values, %d %% = %d, want %d", tt.n, tt.percent, got, tt.want)
		}
	}
}

func TestConfigurationsThatAreWrong(t *testing.T) {
	for _, cfg := range []Config{
		{URL: "film.zip"}, {URL: "ftp://a.example/film.zip"}, {URL: "http:///film.zip"}, {URL: "http://a.example/%zz"},
		{URL: "http://a.example"}, {URL: "http://a.example/films/"}, {URL: "http://a.example/film.zip", Archive: "b.zip"},
		{URL: "http://a.example/{archive}?range={offset},{size}"}, {URL: "http://a.example/", Archive: "../film.zip"}, {URL: "http://a.example/", Archive: "a\nb"},
	} {
		if r, err := Examine(context.Background(), cfg); err == nil {
			t.Errorf("%+v was examined: %s", cfg, r.Summary)
		}
	}
}

func TestArchivesAreNamedBelowAPrefix(t *testing.T) {
	for _, name := range []string{"film.zip", "sub/dir/a b.zip", "100%.zip", "a+b?c#d.zip", "ü.zip"} {
		node := origintest.NewNode(t, map[string][]byte{name: film})
		if r := examine(t, Config{URL: node.URL, Archive: name}); !r.Usable || r.Serve != "zipreel serve "+node.URL {
			t.Errorf("%q: %s %s", name, r.Summary, r.Serve)
		}
	}
}

// TestGolden holds the whole report of a node that is not what it should be: as JSON, whose names are stable, and as text.
func TestGolden(t *testing.T) {
	node := origintest.NewNode(t, map[string][]byte{"film.zip": film})
	node.Set(origintest.Fault{NoSuffix: true, Weak: true})
	r := examine(t, Config{URL: node.URL + "film.zip?sig=abcdef", Directory: func([]byte, int64, int64) Archive {
		return Archive{Entries: 3, Playlists: 1, Unserved: 1}
	}})
	asJSON, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	u, _ := url.Parse(node.URL)
	seconds := regexp.MustCompile(`("seconds": |MiB, )[0-9.]+`)
	for name, got := range map[string][]byte{"report.json": append(asJSON, '\n'), "report.txt": text.Bytes()} {
		got = seconds.ReplaceAll(bytes.ReplaceAll(got, []byte(u.Host), []byte("node.example")), []byte("${1}0"))
		path := filepath.Join("testdata", name+".golden")
		if *update {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s differs (%v); look, and run go test -update:\n%s", path, err, got)
		}
	}
}

// TestCodesAreTheGateways holds every code that is named here against the list that users have.
func TestCodesAreTheGateways(t *testing.T) {
	list, err := os.ReadFile("../../../docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("advice.go")
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, m := range regexp.MustCompile(`code: "([^"]+)"`).FindAllSubmatch(source, -1) {
		codes = append(codes, string(m[1]))
	}
	for _, k := range kinds {
		codes = append(codes, k.code)
	}
	if len(codes) < 20 {
		t.Fatalf("%d codes found", len(codes))
	}
	for _, code := range codes {
		if !bytes.Contains(list, []byte("| "+code+" |")) {
			t.Errorf("%s is no error of the gateway", code)
		}
	}
}
