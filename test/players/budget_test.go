package players

import (
	"archive/zip"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// bigTitle writes 8 renditions of 900 small segments each, with their playlists.
func bigTitle(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(work, "big")
	rnd := rand.New(rand.NewPCG(1, 2))
	main := "#EXTM3U\n"
	for v := range 8 {
		rendition := filepath.Join(dir, fmt.Sprintf("v%d", v))
		if err := os.MkdirAll(rendition, 0o755); err != nil {
			t.Fatal(err)
		}
		list := "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-PLAYLIST-TYPE:VOD\n"
		for s := range 900 {
			seg := make([]byte, 200+rnd.IntN(1800))
			for i := range seg {
				seg[i] = byte(rnd.Uint32())
			}
			name := fmt.Sprintf("segment_%05d.ts", s)
			if err := os.WriteFile(filepath.Join(rendition, name), seg, 0o644); err != nil {
				t.Fatal(err)
			}
			list += "#EXTINF:2.000000,\n" + name + "\n"
		}
		os.WriteFile(filepath.Join(rendition, "index.m3u8"), []byte(list+"#EXT-X-ENDLIST\n"), 0o644)
		main += fmt.Sprintf("#EXT-X-STREAM-INF:BANDWIDTH=%d\nv%d/index.m3u8\n", 100_000*(v+1), v)
	}
	os.WriteFile(filepath.Join(dir, "master.m3u8"), []byte(main), 0o644)
	return dir
}

// TestReadBudget counts, in the node's own log, what a title of 7,200 segments costs.
func TestReadBudget(t *testing.T) {
	dir := bigTitle(t)
	n := startNode(t)
	archive := filepath.Join(n.root, "big.zip")
	run(t, dir, zipreel(t), "pack", dir, "-o", archive)
	g := startGateway(t, "films="+n.url+"/")
	base := g.url + "/v/films/big.zip"
	lists := []string{"", "/master.m3u8"} // the bare URL leads to the main playlist
	for v := range 8 {
		lists = append(lists, fmt.Sprintf("/v%d/index.m3u8", v))
	}
	for _, l := range lists {
		status, got := get(t, base+l)
		want, _ := os.ReadFile(filepath.Join(dir, cmp.Or(l, "/master.m3u8")))
		if status != 200 || !bytes.Equal(got, want) {
			t.Fatalf("%q: status %d, %d bytes; the rewritten playlist is the one that was packed, of %d bytes", l, status, len(got), len(want))
		}
	}
	cold := n.requests("/big.zip")
	if len(cold) > 2 {
		t.Errorf("index and %d playlists of 7,200 segments took %d reads, want at most 2: %+v", len(lists)-1, len(cold), cold)
	}
	segments := segmentsOf(t, archive)
	getAll(t, base, dir, segments)
	reads := n.requests("/big.zip")[len(cold):]
	checkReads(t, segments, reads)
	getAll(t, base, dir, segments)
	all := n.requests("/big.zip")
	if warm := all[len(cold)+len(reads):]; len(warm) != 0 {
		t.Errorf("%d reads of segments that had been read, want none: %+v", len(warm), warm[0])
	}
	for _, r := range all {
		if r.Method != "GET" || r.Status != 206 {
			t.Errorf("%+v, want nothing but GETs answered with 206", r)
		}
	}
}

// segment is an entry of the big title, and where its data are in the archive.
type segment struct {
	name   string
	off, n int64
}

// segmentsOf reads the archive with another reader than ours. They come in the order of the archive.
func segmentsOf(t testing.TB, archive string) []segment {
	t.Helper()
	z, err := zip.OpenReader(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	var list []segment
	for _, f := range z.File {
		if !strings.HasSuffix(f.Name, ".ts") {
			continue
		}
		off, err := f.DataOffset()
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, segment{f.Name, off, int64(f.UncompressedSize64)})
	}
	slices.SortFunc(list, func(a, b segment) int { return cmp.Compare(a.off, b.off) })
	if len(list) != 7200 {
		t.Fatalf("the archive has %d segments, want 7200", len(list))
	}
	return list
}

// getAll asks for every segment, eight at a time, and holds the bytes against the files.
func getAll(t testing.TB, base, dir string, segments []segment) {
	t.Helper()
	next := make(chan segment)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for s := range next {
				got, err := fetch(base + "/" + s.name)
				want, _ := os.ReadFile(filepath.Join(dir, s.name))
				if err != nil || !bytes.Equal(got, want) {
					t.Errorf("%s: %d bytes, want %d: %v", s.name, len(got), len(want), err)
				}
			}
		})
	}
	for _, s := range segments {
		next <- s
	}
	close(next)
	wg.Wait()
}

// checkReads wants exactly one read for each segment, of its size and at most 1 KiB more.
func checkReads(t testing.TB, segments []segment, reads []logged) {
	t.Helper()
	if len(reads) != len(segments) {
		t.Fatalf("%d segments took %d reads", len(segments), len(reads))
	}
	slices.SortFunc(reads, func(a, b logged) int { return cmp.Compare(a.first(), b.first()) })
	for i, s := range segments {
		r := reads[i]
		if off := r.first(); off > s.off || off+r.Bytes < s.off+s.n || r.Bytes > s.n+1024 {
			t.Fatalf("%s, bytes %d to %d, was read by %+v", s.name, s.off, s.off+s.n, r)
		}
	}
}

// TestOneReadForManyViewers lets 200 viewers ask for one cold segment at once, of a node that takes a second to send it.
func TestOneReadForManyViewers(t *testing.T) {
	need(t, "zip", "zip")
	n := startNode(t)
	seg := bytes.Repeat([]byte("0123456789abcdef"), 4<<20/16)
	dir, _ := os.MkdirTemp(work, "one-")
	os.WriteFile(filepath.Join(dir, "seg.ts"), seg, 0o644)
	os.WriteFile(filepath.Join(dir, "other.ts"), seg[:100_000], 0o644)
	os.Mkdir(filepath.Join(n.root, "slow"), 0o755)
	run(t, dir, "zip", "-q", "-0", filepath.Join(n.root, "slow", "one.zip"), "seg.ts", "other.ts")
	g := startGateway(t, "films="+n.url+"/")
	url := g.url + "/v/films/slow/one.zip/"
	get(t, url+"other.ts")
	before := len(n.requests("/slow/one.zip"))
	var wg sync.WaitGroup
	var misses atomic.Int64
	for range 200 {
		wg.Go(func() {
			res, err := http.Get(url + "seg.ts")
			if err != nil {
				t.Error(err)
				return
			}
			defer res.Body.Close()
			if strings.Contains(res.Header.Get("Server-Timing"), "desc=miss") {
				misses.Add(1)
			}
			if got, err := io.ReadAll(res.Body); err != nil || !bytes.Equal(got, seg) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		})
	}
	wg.Wait()
	reads := n.requests("/slow/one.zip")[before:]
	if len(reads) != 1 || reads[0].Bytes > int64(len(seg))+1024 || misses.Load() != 1 {
		t.Errorf("200 viewers caused %d misses and %d reads, want 1 of the segment's size: %+v", misses.Load(), len(reads), reads)
	}
}
