package gateway_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"zipreel/gateway"
	"zipreel/gateway/origin"
	"zipreel/gateway/origin/origintest"
)

// process is a gateway over one node, as one process after another has it, with what they keep in a folder.
func process(t testing.TB, n *origintest.Node, dir string, change ...func(*gateway.Config)) (base string, stop func()) {
	t.Helper()
	o, err := origin.NewHTTP(origin.HTTPConfig{Base: n.URL, AllowPrivate: true})
	if err != nil {
		t.Fatal(err)
	}
	cfg := gateway.Config{Sources: []gateway.Source{{Name: "films", Origin: o}}, CacheDir: dir, CacheReserve: 1}
	for _, c := range change {
		c(&cfg)
	}
	g, err := gateway.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(g)
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			s.Close()
			g.Close()
			o.Close()
		}
	}
	t.Cleanup(stop)
	return s.URL + "/v/films/bbb.zip/", stop
}

func wantEntry(t testing.TB, url string, want []byte) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != 200 || !bytes.Equal(got, want) {
		t.Fatalf("%s: status %d, %d bytes, %v", url, res.StatusCode, len(got), err)
	}
}

// TestRestartReadsNothing of a title that is cached, and segments only of one that is not.
func TestRestartReadsNothing(t *testing.T) {
	list := []byte("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na.m4s\n#EXTINF:2,\nb.m4s\n#EXT-X-ENDLIST\n")
	a, b := pattern(1, 200_000), pattern(2, 200_000)
	archive, _ := makeZip(t, file{"a.m4s", a}, file{"b.m4s", b}, file{"index.m3u8", list})
	n, dir := origintest.NewNode(t, map[string][]byte{"bbb.zip": archive}), t.TempDir()

	base, stop := process(t, n, dir)
	wantEntry(t, base+"index.m3u8", list)
	wantEntry(t, base+"a.m4s", a)
	stop()

	before := len(n.Requests())
	base, stop = process(t, n, dir)
	wantEntry(t, base+"index.m3u8", list)
	wantEntry(t, base+"a.m4s", a)
	if reads := n.Requests()[before:]; len(reads) != 0 {
		t.Errorf("a cached title took %d reads after a restart: %v", len(reads), reads)
	}
	wantEntry(t, base+"b.m4s", b)
	if reads := n.Requests()[before:]; len(reads) != 1 || reads[0].IfMatch == "" {
		t.Errorf("a segment that was not cached took the reads %+v, want one under the validator", reads)
	}
	stop()
}

// TestOldIndexIsChecked in the background once it is used again.
func TestOldIndexIsChecked(t *testing.T) {
	a, b := pattern(1, 100_000), pattern(2, 100_000)
	archive, _ := makeZip(t, file{"a.m4s", a})
	n, dir := origintest.NewNode(t, map[string][]byte{"bbb.zip": archive}), t.TempDir()
	base, stop := process(t, n, dir)
	wantEntry(t, base+"a.m4s", a)
	stop()
	archive, _ = makeZip(t, file{"a.m4s", b})
	n.Put("bbb.zip", archive)
	base, stop = process(t, n, dir, func(c *gateway.Config) { c.Revalidate = time.Nanosecond })
	defer stop()
	for end := time.Now().Add(10 * time.Second); ; {
		res, err := http.Get(base + "a.m4s")
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(res.Body)
		res.Body.Close()
		if bytes.Equal(got, b) {
			return
		}
		if err != nil || !bytes.Equal(got, a) || time.Now().After(end) {
			t.Fatalf("%d bytes, %v: neither the old nor the new ones, or for too long", len(got), err)
		}
	}
}

// TestDamagedFolderIsNoHarm: every file in it is cut or changed.
func TestDamagedFolderIsNoHarm(t *testing.T) {
	archive, segments := segmented(t, 5, 100_000)
	for _, damage := range []func([]byte) []byte{
		func(b []byte) []byte { return b[:len(b)/2] },
		func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
		func(b []byte) []byte { return nil },
	} {
		n, dir := origintest.NewNode(t, map[string][]byte{"bbb.zip": archive}), t.TempDir()
		base, stop := process(t, n, dir)
		wantEntry(t, base+"seg000.m4s", segments[0])
		stop()
		count := 0
		filepath.WalkDir(dir, func(path string, e os.DirEntry, _ error) error {
			if !e.IsDir() && e.Name() != "lock" {
				data, _ := os.ReadFile(path)
				os.WriteFile(path, damage(data), 0o600)
				count++
			}
			return nil
		})
		if count < 2 {
			t.Fatalf("%d files are kept, want an index and a segment at least", count)
		}
		base, stop = process(t, n, dir)
		wantEntry(t, base+"seg000.m4s", segments[0])
		stop()
	}
}
