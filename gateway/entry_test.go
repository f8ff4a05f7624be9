package gateway_test

import (
	"archive/zip"
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"zipreel/gateway"
	"zipreel/gateway/origin"
)

func TestEntryHeaders(t *testing.T) {
	f := newFixture(t)
	seg := transportStream(1, 20)
	data, _ := makeZip(t, file{"720p/a b+ü%.ts", seg}, file{"cover.jpg", []byte("x")}, file{"run.html", []byte("<script>")})
	f.films.Set("bbb.zip", data, `"v1"`)
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		res := f.do(method, "/v/films/bbb.zip/720p/a%20b+%C3%BC%25.ts")
		want := seg
		if method == http.MethodHead {
			want = nil
		}
		wantBody(t, res, 200, want)
		wantHeader(t, res, "Content-Length", "3760")
		wantHeader(t, res, "Content-Type", "video/mp2t")
		wantHeader(t, res, "Accept-Ranges", "bytes")
		wantHeader(t, res, "Cache-Control", "public, max-age=3600")
		wantHeader(t, res, "X-Content-Type-Options", "nosniff")
		wantHeader(t, res, "Cross-Origin-Resource-Policy", "cross-origin")
		wantHeader(t, res, "Content-Security-Policy", "sandbox; default-src 'none'; media-src 'self'; img-src 'self'; style-src 'unsafe-inline'")
		wantHeader(t, res, "Access-Control-Allow-Origin", "*")
		wantHeader(t, res, "Timing-Allow-Origin", "*")
		wantHeader(t, res, "Vary", "")
		if etag := res.Header.Get("Etag"); len(etag) < 3 || etag[0] != '"' {
			t.Errorf("ETag %q is not strong", etag)
		}
	}
	res := f.get("/v/films/bbb.zip/run.html")
	wantHeader(t, res, "Content-Type", "application/octet-stream")
	wantHeader(t, res, "Content-Disposition", "attachment")
}

func TestEntryRanges(t *testing.T) {
	f := newFixture(t)
	seg := pattern(1, 100_000)
	data, _ := makeZip(t, file{"s.m4s", seg})
	f.films.Set("bbb.zip", data, `"v1"`)
	const url = "/v/films/bbb.zip/s.m4s"

	res := f.get(url, "Range", "bytes=10-19")
	wantBody(t, res, 206, seg[10:20])
	wantHeader(t, res, "Content-Range", "bytes 10-19/100000")
	wantHeader(t, res, "Content-Length", "10")
	wantBody(t, f.get(url, "Range", "bytes=-5"), 206, seg[len(seg)-5:])
	wantBody(t, f.get(url, "Range", "bytes=99999-"), 206, seg[99999:])
	wantBody(t, f.get(url, "Range", "lines=1-2"), 200, seg)
	wantBody(t, f.get(url, "Range", "bytes=10-19", "If-Range", `"other"`), 200, seg)

	res = f.get(url, "Range", "bytes=100000-")
	wantHeader(t, res, "Content-Range", "bytes */100000")
	wantProblem(t, res, 416, "range")

	res = f.do(http.MethodHead, url, "Range", "bytes=10-19")
	wantHeader(t, res, "Content-Length", "100000")
	wantBody(t, res, 200, nil)

	etag := f.get(url).Header.Get("Etag")
	wantBody(t, f.get(url, "Range", "bytes=10-19", "If-Range", etag), 206, seg[10:20])
	wantBody(t, f.get(url, "If-None-Match", etag), 304, nil)
	wantProblem(t, f.get(url, "If-Match", `"other"`), 412, "precondition")
}

func TestEntryMultiRange(t *testing.T) {
	f := newFixture(t)
	seg := pattern(1, 100_000)
	data, _ := makeZip(t, file{"s.m4s", seg})
	f.films.Set("bbb.zip", data, `"v1"`)
	res := f.get("/v/films/bbb.zip/s.m4s", "Range", "bytes=0-9, 500-599, -1")
	raw := body(t, res)
	if res.StatusCode != 206 || int64(len(raw)) != res.ContentLength {
		t.Fatalf("status %d, %d bytes announced, %d sent", res.StatusCode, res.ContentLength, len(raw))
	}
	kind, params, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/byteranges" {
		t.Fatalf("Content-Type %q: %v", res.Header.Get("Content-Type"), err)
	}
	mr := multipart.NewReader(bytes.NewReader(raw), params["boundary"])
	for _, want := range []struct {
		cr   string
		data []byte
	}{{"bytes 0-9/100000", seg[:10]}, {"bytes 500-599/100000", seg[500:600]}, {"bytes 99999-99999/100000", seg[99999:]}} {
		p, err := mr.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		got, _ := io.ReadAll(p)
		if p.Header.Get("Content-Range") != want.cr || !bytes.Equal(got, want.data) || p.Header.Get("Content-Type") != "video/mp4" {
			t.Errorf("part %v with %d bytes, want %s", p.Header, len(got), want.cr)
		}
	}
	if _, err := mr.NextPart(); err != io.EOF {
		t.Errorf("after the last part: %v, want io.EOF", err)
	}
}

func TestSegmentIsOneRead(t *testing.T) {
	f := newFixture(t)
	var files []file
	for i := range 50 {
		files = append(files, file{string(rune('a'+i%26)) + string(rune('a'+i/26)) + ".m4s", pattern(i, 50_000+i)})
	}
	data, _ := makeZip(t, files...)
	f.films.Set("bbb.zip", data, `"v1"`)
	wantBody(t, f.get("/v/films/bbb.zip/aa.m4s"), 200, files[0].data)
	for _, fl := range files[1:] {
		before := len(f.films.Reads())
		wantBody(t, f.get("/v/films/bbb.zip/"+fl.name), 200, fl.data)
		reads := f.films.Reads()[before:]
		if len(reads) > 1 || len(reads) == 1 && reads[0].N > int64(len(fl.data))+1024 {
			t.Fatalf("%s of %d bytes: reads %v, want one of at most 1 KiB more", fl.name, len(fl.data), reads)
		}
		before = len(f.films.Reads())
		res := f.get("/v/films/bbb.zip/" + fl.name)
		wantHeader(t, res, "Server-Timing", "cache;desc=hit")
		if n := len(f.films.Reads()) - before; n != 0 {
			t.Fatalf("%s read %d times when warm", fl.name, n)
		}
	}
}

func TestDeflatedEntry(t *testing.T) {
	f := newFixture(t)
	text := bytes.Repeat([]byte("WEBVTT, many times over. "), 9000)
	var buf bytes.Buffer
	zw := zip.NewWriter(&buf)
	w, _ := zw.Create("subs/en.vtt")
	w.Write(text)
	zw.Close()
	f.films.Set("bbb.zip", buf.Bytes(), `"v1"`)
	wantBody(t, f.get("/v/films/bbb.zip/subs/en.vtt", "Range", "bytes=200000-200009"), 206, text[200000:200010])
	wantBody(t, f.get("/v/films/bbb.zip/subs/en.vtt"), 200, text)
}

func TestEmptyEntry(t *testing.T) {
	f := newFixture(t)
	data, _ := makeZip(t, file{"empty.vtt", nil}, file{"s.ts", transportStream(1, 3)})
	f.films.Set("bbb.zip", data, `"v1"`)
	res := f.get("/v/films/bbb.zip/empty.vtt")
	wantHeader(t, res, "Content-Length", "0")
	wantBody(t, res, 200, nil)
}

func TestFlippedBitNeverCompletes(t *testing.T) {
	f := newFixture(t)
	seg := pattern(1, 300_000)
	data, offsets := makeZip(t, file{"s.m4s", seg}, file{"t.m4s", pattern(2, 100_000)})
	data[offsets["s.m4s"]+250_000] ^= 1
	f.films.Set("bbb.zip", data, `"v1"`)
	const url = "/v/films/bbb.zip/s.m4s"
	// Whether the first answer is cut off or a problem is a matter of timing; the wrong bytes never end cleanly.
	func() {
		defer func() {
			if r := recover(); r != nil && r != http.ErrAbortHandler {
				panic(r)
			}
		}()
		if res := f.get(url); res.StatusCode == 200 {
			t.Error("wrong bytes ended cleanly")
		}
	}()
	for range 3 {
		func() {
			defer func() { recover() }()
			f.get(url)
		}()
	}
	wantProblem(t, f.get(url), 422, "checksum")
	wantBody(t, f.get("/v/films/bbb.zip/t.m4s"), 200, pattern(2, 100_000))
}

// A file has the same wrong bytes whenever it is read, so that the first answer is the last word.
func TestDamagedFile(t *testing.T) {
	dir := t.TempDir()
	archive, offsets := makeZip(t, file{"small.ts", pattern(1, 10_000)}, file{"large.ts", pattern(2, 300_000)}, file{"m.m3u8", []byte("#EXTM3U\n#EXTINF:1,\nsmall.ts\n")})
	archive[offsets["small.ts"]+500] ^= 1
	archive[offsets["m.m3u8"]+10] ^= 1
	if err := os.WriteFile(filepath.Join(dir, "b.zip"), archive, 0o600); err != nil {
		t.Fatal(err)
	}
	files, err := origin.NewDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, func(c *gateway.Config) { c.Sources[0].Origin = files })
	wantProblem(t, f.get("/v/films/b.zip/small.ts"), 422, "checksum")
	wantProblem(t, f.get("/v/films/b.zip/m.m3u8"), 422, "checksum")
	wantProblem(t, f.get("/v/films/b.zip"), 404, "not-found-playlist")
	wantBody(t, f.get("/v/films/b.zip/large.ts"), 200, pattern(2, 300_000))
}

func TestReplacedArchive(t *testing.T) {
	f := newFixture(t)
	same, old, now := pattern(1, 90_000), pattern(2, 200_000), pattern(3, 150_000)
	first, _ := makeZip(t, file{"same.ts", same}, file{"x.ts", old}, file{"z.ts", pattern(9, 90_000)})
	second, _ := makeZip(t, file{"more.ts", pattern(4, 70_000)}, file{"same.ts", same}, file{"x.ts", now}, file{"z.ts", pattern(9, 90_000)})
	f.films.Set("bbb.zip", first, `"v1"`)
	wantBody(t, f.get("/v/films/bbb.zip/same.ts"), 200, same)
	etag := f.get("/v/films/bbb.zip/same.ts").Header.Get("Etag")
	f.films.Set("bbb.zip", second, `"v2"`)
	wantBody(t, f.get("/v/films/bbb.zip/x.ts"), 200, now)
	wantBody(t, f.get("/v/films/bbb.zip/more.ts"), 200, pattern(4, 70_000))
	before := len(f.films.Reads())
	wantBody(t, f.get("/v/films/bbb.zip/same.ts", "If-None-Match", etag), 304, nil)
	wantBody(t, f.get("/v/films/bbb.zip/same.ts"), 200, same)
	if n := len(f.films.Reads()) - before; n != 0 {
		t.Errorf("an entry that stayed the same was read %d times again", n)
	}
}

func TestNotFound(t *testing.T) {
	f := newFixture(t)
	data, _ := makeZip(t, file{"a.ts", transportStream(1, 3)})
	f.films.Set("bbb.zip", data, `"v1"`)
	f.films.Set("noise.zip", pattern(1, 5000), `"v1"`)
	f.films.Set("half.zip", append([]byte("PK\x03\x04"), pattern(1, 100_000)...), `"v1"`)
	tests := []struct {
		path   string
		status int
		code   string
	}{
		{"/v/nope/bbb.zip/a.ts", 404, "not-found-source"},
		{"/v/films/nope.zip/a.ts", 404, "not-found-archive"},
		{"/v/films//bbb.zip/a.ts", 404, "not-found-archive"}, // no second name of one archive
		{"/v/films/%2Fbbb.zip/a.ts", 404, "not-found-archive"},
		{"/v/films/bbb.zip/b.ts", 404, "not-found-entry"},
		{"/v/films/bbb.zip", 404, "not-found-playlist"},
		{"/v/films/bbb.zip/a.ts?range=1,99999999", 404, "link-outside-archive"},
		{"/v/films/bbb.zip/a.ts?range=1", 404, "link-outside-archive"},
		{"/v/films/bbb.zip/~/00000000/0,1/a.ts", 404, "link-outside-archive"},
		{"/v/films/noise.zip/a.ts", 422, "zip-not-found"},
		{"/v/films/half.zip/a.ts", 503, "archive-incomplete"},
		{"/v/films/bbb.zip/%2e%2e/a.ts", 400, "bad-path"},
		{"/nowhere", 404, "not-found-source"},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) { wantProblem(t, f.get(tt.path), tt.status, tt.code) })
	}
	res := f.do(http.MethodPost, "/v/films/bbb.zip/a.ts")
	wantHeader(t, res, "Allow", "GET, HEAD, OPTIONS")
	wantProblem(t, res, 405, "method")
}

var _ origin.Origin = blockingOrigin{}
