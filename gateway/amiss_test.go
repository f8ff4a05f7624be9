package gateway_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"hash/crc32"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"zipreel/gateway"
	"zipreel/gateway/origin"
)

// TestLongNamesAmplifyNothing: a short link to an entry with a name of 64 KB is no way to fill the gateway's memory.
func TestLongNamesAmplifyNothing(t *testing.T) {
	seg := pattern(1, 1000)
	long := strings.Repeat("ü", 32_000) + ".ts"
	_, off := makeZip(t, file{long, seg})
	link := "#EXTINF:1,\n?" + rangeOf(off[long], len(seg)) + "\n"
	f := newFixture(t)
	for _, tt := range []struct {
		links  int
		status int
	}{{3, 200}, {1000, 422}} {
		data, _ := makeZip(t, file{long, seg}, file{"a.m3u8", []byte("#EXTM3U\n" + strings.Repeat(link, tt.links))})
		f.films.Set("x.zip", data, `"`+itoa(int64(tt.links))+`"`)
		f.films.Set(itoa(int64(tt.links))+".zip", data, `"v"`)
		res := f.get("/v/films/" + itoa(int64(tt.links)) + ".zip/a.m3u8")
		if tt.status == 422 {
			wantProblem(t, res, 422, "playlist-too-large")
		} else if res.StatusCode != 200 {
			t.Errorf("%d links: status %d", tt.links, res.StatusCode)
		}
	}
}

// TestWrongDeflatedOnAllNodes is told as wrong stored entries are.
func TestWrongDeflatedOnAllNodes(t *testing.T) {
	content := bytes.Repeat([]byte("hello world "), 1000)
	var packed, archive bytes.Buffer
	fw, _ := flate.NewWriter(&packed, flate.BestCompression)
	fw.Write(content)
	fw.Close()
	zw := zip.NewWriter(&archive)
	add := func(h *zip.FileHeader, data []byte) {
		w, err := zw.CreateRaw(h)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(data)
	}
	add(&zip.FileHeader{Name: "a.ts", Method: zip.Deflate, CRC32: crc32.ChecksumIEEE(content) ^ 1, CompressedSize64: uint64(packed.Len()), UncompressedSize64: uint64(len(content))}, packed.Bytes())
	behind := pattern(1, 300_000) // so that a.ts does not come along with the directory
	add(&zip.FileHeader{Name: "b.ts", CRC32: crc32.ChecksumIEEE(behind), CompressedSize64: 300_000, UncompressedSize64: 300_000}, behind)
	zw.Close()
	var nodes []origin.Node
	for _, name := range []string{"a", "b"} {
		m := origin.NewMemory()
		m.Set("x.zip", archive.Bytes(), `"v"`)
		nodes = append(nodes, origin.Node{Name: name, Origin: m})
	}
	all, err := origin.NewNodes(nodes)
	if err != nil {
		t.Fatal(err)
	}
	defer all.Close()
	f := newFixture(t, func(c *gateway.Config) { c.Sources[0].Origin = all })
	wantProblem(t, f.get("/v/films/x.zip/a.ts"), 422, "checksum")
}

// lazy is storage that takes a while to answer.
type lazy struct {
	*origin.Memory
	by atomic.Int64 // ns
}

func (l *lazy) Read(ctx context.Context, name string, off, n int64, want *origin.Validator) (*origin.Body, error) {
	timer := time.NewTimer(time.Duration(l.by.Load()))
	defer timer.Stop()
	select {
	case <-timer.C:
		return l.Memory.Read(ctx, name, off, n, want)
	case <-ctx.Done():
		return nil, &origin.Error{Kind: origin.ErrTimeout, Archive: name, Off: off, N: n, Err: context.Cause(ctx)}
	}
}

// parts is an archive whose playlist links into the middle of entries, so that their local headers are read for it.
func parts(t *testing.T) (archive []byte, link string) {
	seg := pattern(1, 5000)
	files := []file{{"a.ts", seg}, {"b.ts", seg}, {"c.ts", seg}}
	_, off := makeZip(t, files...)
	text := "#EXTM3U\n"
	for _, fl := range files {
		text += "#EXTINF:1,\nx.ts?" + rangeOf(off[fl.name]+10, 100) + "\n"
	}
	archive, _ = makeZip(t, append(files, file{"p.m3u8", []byte(text)})...)
	return archive, rangeOf(off["a.ts"]+10, 20)
}

// newLazy is a gateway over that archive on lazy storage, its directory known, and a link into a segment. Its caller closes it, in a synctest bubble.
func newLazy(t *testing.T) (f *fixture, l *lazy, link string) {
	archive, link := parts(t)
	l = &lazy{Memory: origin.NewMemory()}
	l.Set("x.zip", archive, `"v"`)
	g, err := gateway.New(gateway.Config{Sources: []gateway.Source{{Name: "films", Origin: l}}})
	if err != nil {
		t.Fatal(err)
	}
	f = &fixture{Gateway: g, t: t}
	f.do(http.MethodHead, "/v/films/x.zip/a.ts")
	return f, l, link
}

// TestSlowHeaderIsReadOn: whoever asks again after the 8 s rule finds what was read meanwhile.
func TestSlowHeaderIsReadOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, l, link := newLazy(t)
		defer f.Close()
		l.by.Store(int64(10 * time.Second))
		began := time.Now()
		wantProblem(t, f.get("/v/films/x.zip/a.ts?"+link), 503, "origin-slow")
		if took := time.Since(began); took > 9*time.Second {
			t.Errorf("told after %v", took)
		}
		wantProblem(t, f.get("/v/films/x.zip/p.m3u8"), 503, "origin-slow")
		time.Sleep(time.Minute)
		before := len(l.Reads())
		if res := f.get("/v/films/x.zip/p.m3u8"); res.StatusCode != 200 {
			t.Errorf("a minute later: status %d", res.StatusCode)
		}
		if n := len(l.Reads()) - before; n != 0 {
			t.Errorf("a minute later: %d reads", n)
		}
	})
}

// TestColdPlaylistIsReadOnce for all who ask for it at once, headers behind its links included.
func TestColdPlaylistIsReadOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, l, _ := newLazy(t)
		defer f.Close()
		before := len(l.Reads())
		l.by.Store(int64(100 * time.Millisecond))
		var viewers sync.WaitGroup
		for range 100 {
			viewers.Go(func() {
				if res := f.get("/v/films/x.zip/p.m3u8"); res.StatusCode != 200 {
					t.Errorf("status %d", res.StatusCode)
				}
			})
		}
		viewers.Wait()
		if n := len(l.Reads()) - before; n != 3 {
			t.Errorf("%d reads of storage, want one for each of 3 local headers", n)
		}
	})
}
