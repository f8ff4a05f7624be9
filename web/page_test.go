package web

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

const script = "console.log('zipreel');"

func built() fstest.MapFS {
	return fstest.MapFS{
		".gitkeep":            {},
		"index.html":          {Data: []byte("<!doctype html>\n<html>\n<head>\n<script type=\"module\" src=\"./assets/index-1a.js\"></script>\n</head>\n</html>\n")},
		"assets/index-1a.js":  {Data: []byte(script)},
		"assets/index-2b.css": {Data: []byte(strings.Repeat("a{color:red}\n", 500))},
		"assets/icon-3c.svg":  {Data: []byte("<svg/>")},
		"assets/unknown-4d":   {Data: []byte("?")},
		"secret.txt":          {Data: []byte("not an asset")},
	}
}

func get(t *testing.T, h http.Handler, method, path string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, res *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestPaths(t *testing.T) {
	tests := []struct {
		path       string
		wantStatus int
		wantType   string
		wantCache  string
		wantIn     string
	}{
		{"/", 200, "text/html; charset=utf-8", revalidate, "<head>\n<script"},
		{"/index.html", 200, "text/html; charset=utf-8", revalidate, "<head>\n<script"},
		{"/?x=1", 200, "text/html; charset=utf-8", revalidate, "<head>\n<script"},
		{"/embed/films/bbb.zip", 200, "text/html; charset=utf-8", revalidate, `<head><base href="../../">`},
		{"/embed/films/a/b/c.zip", 200, "text/html; charset=utf-8", revalidate, `<head><base href="../../../../">`},
		{"/embed/films/a%2Fb%20c.zip", 200, "text/html; charset=utf-8", revalidate, `<head><base href="../../">`},
		{"/embed/films/bbb.zip/", 200, "text/html; charset=utf-8", revalidate, `<head><base href="../../../">`},
		{"/embed/films", 404, "application/problem+json", "max-age=5", "not-found-entry"},
		{"/embed/films/", 404, "application/problem+json", "max-age=5", "not-found-entry"},
		{"/embed//bbb.zip", 404, "application/problem+json", "max-age=5", "not-found-entry"},
		{"/embed/films" + strings.Repeat("/a", maxDepth), 404, "application/problem+json", "max-age=5", "not-found-entry"},
		{"/assets/index-1a.js", 200, "text/javascript; charset=utf-8", immutable, script},
		{"/assets/index-2b.css", 200, "text/css; charset=utf-8", immutable, "a{color:red}"},
		{"/assets/icon-3c.svg", 200, "image/svg+xml", immutable, "<svg/>"},
		{"/assets/unknown-4d", 200, "application/octet-stream", immutable, "?"},
		{"/assets/", 404, "application/problem+json", "max-age=5", "not-found-entry"},
		{"/assets/../secret.txt", 404, "application/problem+json", "max-age=5", "not-found-entry"},
		{"/assets//index-1a.js", 404, "application/problem+json", "max-age=5", "not-found-entry"},
		{"/secret.txt", 404, "application/problem+json", "max-age=5", "not-found-entry"},
		{"/.gitkeep", 404, "application/problem+json", "max-age=5", "not-found-entry"},
	}
	h := newPage(built())
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			res := get(t, h, "GET", tt.path)
			if res.StatusCode != tt.wantStatus {
				t.Errorf("status = %d, want %d", res.StatusCode, tt.wantStatus)
			}
			for name, want := range map[string]string{
				"Content-Type": tt.wantType, "Cache-Control": tt.wantCache, "X-Content-Type-Options": "nosniff",
			} {
				if got := res.Header.Get(name); got != want {
					t.Errorf("%s = %q, want %q", name, got, want)
				}
			}
			if got := body(t, res); !strings.Contains(got, tt.wantIn) {
				t.Errorf("body = %q, want %q in it", got, tt.wantIn)
			}
		})
	}
}

func TestPolicy(t *testing.T) {
	h := newPage(built())
	tests := []struct{ path, wantAncestors string }{
		{"/", "frame-ancestors 'self'"},
		{"/embed/films/bbb.zip", "frame-ancestors *"},
	}
	for _, tt := range tests {
		policy := get(t, h, "GET", tt.path).Header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "connect-src 'self' data:;", "media-src 'self' blob: data:;", tt.wantAncestors} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s: policy = %q, want %q in it", tt.path, policy, want)
			}
		}
		if strings.Contains(policy, "unsafe") {
			t.Errorf("%s: policy = %q allows something unsafe", tt.path, policy)
		}
	}
}

// TestPrefix mounts the page as its users do. The page's own URLs are relative, so nothing of the prefix shows.
func TestPrefix(t *testing.T) {
	mux := http.NewServeMux()
	mux.Handle("/some/where/", http.StripPrefix("/some/where", newPage(built())))
	for _, path := range []string{"/some/where/", "/some/where/embed/films/a%20b.zip", "/some/where/assets/index-1a.js"} {
		res := get(t, mux, "GET", path)
		if got := body(t, res); res.StatusCode != 200 || strings.Contains(got, "some/where") {
			t.Errorf("GET %s = %d %q, want 200 without the prefix", path, res.StatusCode, got)
		}
	}
}

func TestETag(t *testing.T) {
	h := newPage(built())
	tags := map[string]string{}
	for _, path := range []string{"/", "/embed/a/b.zip", "/embed/a/b/c.zip", "/assets/index-1a.js", "/assets/index-2b.css"} {
		tag := get(t, h, "GET", path).Header.Get("ETag")
		if len(tag) < 10 || tag[0] != '"' {
			t.Errorf("GET %s: ETag = %q, want a strong one", path, tag)
		}
		if other, twice := tags[tag]; twice {
			t.Errorf("%s and %s share the ETag %s", path, other, tag)
		}
		tags[tag] = path
		res := get(t, h, "GET", path, "If-None-Match", tag)
		if got := body(t, res); res.StatusCode != 304 || got != "" {
			t.Errorf("GET %s, If-None-Match: its own = %d %q, want 304 and nothing", path, res.StatusCode, got)
		}
	}
}

func TestGzip(t *testing.T) {
	h := newPage(built())
	const path = "/assets/index-2b.css"
	plain := get(t, h, "GET", path)
	tests := []struct {
		path, accept string
		want         bool
	}{
		{path, "gzip", true},
		{path, "br, GZIP;q=0.5", true},
		{path, "br", false},
		{path, "gzip;q=0", false},
		{path, "gzip;q=0.0, br", false},
		{path, "gzip;q=much", false},
		{path, "", false},
		{"/assets/index-1a.js", "gzip", false}, // too small to gain
	}
	for _, tt := range tests {
		res := get(t, h, "GET", tt.path, "Accept-Encoding", tt.accept)
		if got := res.Header.Get("Content-Encoding") == "gzip"; got != tt.want {
			t.Errorf("GET %s, Accept-Encoding: %q: compressed = %v, want %v", tt.path, tt.accept, got, tt.want)
		}
		if res.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("GET %s: no Vary", tt.path)
		}
	}
	packed := get(t, h, "GET", path, "Accept-Encoding", "gzip")
	if packed.Header.Get("ETag") == plain.Header.Get("ETag") {
		t.Error("the compressed form has the ETag of the plain one")
	}
	z, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(z)
	if want := body(t, plain); err != nil || string(got) != want {
		t.Errorf("decompressed = %d bytes, %v, want the %d plain ones", len(got), err, len(want))
	}
}

func TestMethods(t *testing.T) {
	h := newPage(built())
	res := get(t, h, "HEAD", "/assets/index-1a.js")
	if got := body(t, res); res.StatusCode != 200 || got != "" || res.ContentLength != int64(len(script)) {
		t.Errorf("HEAD = %d, %d bytes of body, Content-Length %d, want 200, 0, %d", res.StatusCode, len(got), res.ContentLength, len(script))
	}
	res = get(t, h, "HEAD", "/nothing")
	if got := body(t, res); res.StatusCode != 404 || got != "" {
		t.Errorf("HEAD of nothing = %d %q, want 404 and no body", res.StatusCode, got)
	}
	res = get(t, h, "POST", "/")
	if res.StatusCode != 405 || res.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST = %d, Allow %q, want 405, \"GET, HEAD\"", res.StatusCode, res.Header.Get("Allow"))
	}
	var p struct {
		Status int
		Code   string
	}
	if err := json.NewDecoder(res.Body).Decode(&p); err != nil || p.Status != 405 || p.Code != "method" {
		t.Errorf("POST: problem = %+v, %v, want 405 method", p, err)
	}
}

// TestWithoutBuild is a Go build on a machine without Node.
func TestWithoutBuild(t *testing.T) {
	h := newPage(fstest.MapFS{".gitkeep": {}})
	for _, path := range []string{"/", "/embed/films/bbb.zip"} {
		res := get(t, h, "GET", path)
		got := body(t, res)
		if res.StatusCode != 200 || res.Header.Get("Content-Type") != types[".html"] || !strings.Contains(got, "make web") {
			t.Errorf("GET %s = %d %s %q, want 200 and a page that names make web", path, res.StatusCode, res.Header.Get("Content-Type"), got)
		}
	}
	if res := get(t, h, "GET", "/assets/index-1a.js"); res.StatusCode != 404 {
		t.Errorf("GET of an asset = %d, want 404", res.StatusCode)
	}
}

// TestHandler is whatever this build embeds: the page or the notice.
func TestHandler(t *testing.T) {
	if res := get(t, Handler(), "GET", "/"); res.StatusCode != 200 || !strings.Contains(body(t, res), "zipreel") {
		t.Errorf("GET / = %d, want 200 and zipreel", res.StatusCode)
	}
}
