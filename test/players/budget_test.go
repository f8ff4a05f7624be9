package players

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
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
	run(t, dir, zipreel(t), "pack", dir, "-o", filepath.Join(n.root, "big.zip"))
	g := startGateway(t, "films="+n.url+"/")
	base := g.url + "/v/films/big.zip/"
	lists := []string{"master.m3u8"}
	for v := range 8 {
		lists = append(lists, fmt.Sprintf("v%d/index.m3u8", v))
	}
	for _, l := range lists {
		status, got := get(t, base+l)
		want, _ := os.ReadFile(filepath.Join(dir, l))
		if status != 200 || !bytes.Equal(got, want) {
			t.Fatalf("%s: status %d, %d bytes; the rewritten playlist is the one that was packed, of %d bytes", l, status, len(got), len(want))
		}
	}
	cold := n.requests("/big.zip")
	if len(cold) > 2 {
		t.Errorf("index and %d playlists of 7,200 segments took %d reads, want at most 2: %+v", len(lists), len(cold), cold)
	}
	seen := len(cold)
	for v := range 8 {
		for s := 0; s < 900; s += 23 {
			name := fmt.Sprintf("v%d/segment_%05d.ts", v, s)
			want, _ := os.ReadFile(filepath.Join(dir, name))
			for turn := range 2 {
				status, got := get(t, base+name)
				if status != 200 || !bytes.Equal(got, want) {
					t.Fatalf("%s: status %d, %d bytes, want %d", name, status, len(got), len(want))
				}
				all := n.requests("/big.zip")
				reads := all[seen:]
				seen = len(all)
				if turn == 0 && (len(reads) != 1 || reads[0].Bytes > int64(len(want))+1024) || turn == 1 && len(reads) != 0 {
					t.Fatalf("%s of %d bytes, turn %d: reads %+v", name, len(want), turn, reads)
				}
			}
		}
	}
	for _, r := range n.requests("/big.zip") {
		if r.Method != "GET" || r.Status != 206 {
			t.Errorf("%+v, want nothing but GETs answered with 206", r)
		}
	}
}

// TestOneReadForManyViewers lets 200 viewers ask for one cold segment at once.
func TestOneReadForManyViewers(t *testing.T) {
	need(t, "zip", "zip")
	n := startNode(t)
	seg := bytes.Repeat([]byte("0123456789abcdef"), 4<<20/16)
	dir, _ := os.MkdirTemp(work, "one-")
	os.WriteFile(filepath.Join(dir, "seg.ts"), seg, 0o644)
	os.WriteFile(filepath.Join(dir, "other.ts"), seg[:100_000], 0o644)
	run(t, dir, "zip", "-q", "-0", filepath.Join(n.root, "one.zip"), "seg.ts", "other.ts")
	g := startGateway(t, "films="+n.url+"/")
	get(t, g.url+"/v/films/one.zip/other.ts")
	before := len(n.requests("/one.zip"))
	var wg sync.WaitGroup
	for range 200 {
		wg.Go(func() {
			res, err := http.Get(g.url + "/v/films/one.zip/seg.ts")
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
	if reads := n.requests("/one.zip")[before:]; len(reads) != 1 {
		t.Errorf("200 viewers caused %d reads, want 1: %+v", len(reads), reads)
	}
	if s, _ := get(t, g.url+"/v/films/one.zip/"+strings.Repeat("x", 10)); s != 404 {
		t.Errorf("an entry that is not there: %d, want 404", s)
	}
}
