package gateway_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"zipreel/gateway"
	"zipreel/gateway/origin"
	"zipreel/gateway/origin/origintest"
)

// nodesFixture is a gateway over one source of several nodes that hold the same title.
type nodesFixture struct {
	t      testing.TB
	server *httptest.Server
	nodes  []*origintest.Node
	source *origin.Nodes
}

func newNodesFixture(t testing.TB, count int, archive []byte) *nodesFixture {
	t.Helper()
	f := &nodesFixture{t: t}
	var list []origin.Node
	for range count {
		n := origintest.NewNode(t, map[string][]byte{"bbb.zip": archive})
		o, err := origin.NewHTTP(origin.HTTPConfig{Base: n.URL, AllowPrivate: true, StallAfter: 300 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		f.nodes = append(f.nodes, n)
		list = append(list, origin.Node{Name: n.URL, Origin: o})
	}
	s, err := origin.NewNodes(list)
	if err != nil {
		t.Fatal(err)
	}
	g, err := gateway.New(gateway.Config{Sources: []gateway.Source{{Name: "films", Origin: s}}})
	if err != nil {
		t.Fatal(err)
	}
	f.source, f.server = s, httptest.NewServer(g)
	t.Cleanup(func() {
		f.server.Close()
		g.Close()
		s.Close()
	})
	return f
}

// get asks as players do: an answer that is cut is asked for again, twice; one that is refused is not. It answers the
// body of the last try and how many there were.
func (f *nodesFixture) get(path string) (status int, got []byte, tries int) {
	f.t.Helper()
	for tries = 1; ; tries++ {
		res, err := f.server.Client().Get(f.server.URL + path)
		if err != nil {
			f.t.Fatal(err)
		}
		got, err = io.ReadAll(res.Body)
		res.Body.Close()
		if err == nil || tries == 3 {
			return res.StatusCode, got, tries
		}
	}
}

// segments are a title of n segments, with the bytes of each.
func segmented(t testing.TB, n, size int) (archive []byte, segments [][]byte) {
	t.Helper()
	var files []file
	for i := range n {
		data := pattern(i, size)
		segments = append(segments, data)
		files = append(files, file{fmt.Sprintf("seg%03d.m4s", i), data})
	}
	archive, _ = makeZip(t, files...)
	return archive, segments
}

// TestPlaybackOnFailingNodes: one of three nodes dies on the way, one stalls, one corrupts every fifth body. Every segment is right, and none is refused.
func TestPlaybackOnFailingNodes(t *testing.T) {
	archive, segments := segmented(t, 60, 300_000)
	f := newNodesFixture(t, 3, archive)
	f.nodes[1].Set(origintest.Fault{StallAt: 150_000, Every: 2})
	f.nodes[2].Set(origintest.Fault{Flip: true, Every: 5})
	again := 0
	for i, want := range segments {
		if i == 15 {
			f.nodes[0].Set(origintest.Fault{Reset: true})
		}
		status, got, tries := f.get(fmt.Sprintf("/v/films/bbb.zip/seg%03d.m4s", i))
		if status != 200 || !bytes.Equal(got, want) {
			t.Fatalf("segment %d: status %d, %d bytes, equal %v", i, status, len(got), bytes.Equal(got, want))
		}
		again += tries - 1
	}
	if again > 1 {
		t.Errorf("%d segments were cut off, want the first wrong body's at most", again)
	}
}

// TestWrongBytesOfOneNode never reach anybody whole; another node's do, and the one that lied is asked last from then on.
func TestWrongBytesOfOneNode(t *testing.T) {
	archive, segments := segmented(t, 20, 10_000) // small: nothing is sent before the checksum agrees
	f := newNodesFixture(t, 2, archive)
	f.nodes[0].Set(origintest.Fault{Flip: true})
	for i, want := range segments {
		status, got, tries := f.get(fmt.Sprintf("/v/films/bbb.zip/seg%03d.m4s", i))
		if status != 200 || !bytes.Equal(got, want) || tries > 1 {
			t.Fatalf("segment %d: status %d after %d tries", i, status, tries)
		}
	}
	if s := f.source.Stats(); s[0].Wrong > 1 || s[1].Wrong != 0 {
		t.Errorf("wrong bodies %d and %d, want one of the first node at most", s[0].Wrong, s[1].Wrong)
	}
}

// TestWrongOnAllNodes is the archive's fault: refused, and the refusal remembered.
func TestWrongOnAllNodes(t *testing.T) {
	content := func(archive []byte) { archive[5000] ^= 1 } // in seg000.m4s
	directory := func(archive []byte) { archive[bytes.Index(archive, []byte("PK\x01\x02"))+16] ^= 1 }
	tests := []struct {
		name   string
		damage func([]byte)
		status int
		code   string
	}{{"content", content, 422, "checksum"}, {"directory", directory, 502, "zip-local-mismatch"}}
	for _, tt := range tests {
		for _, count := range []int{1, 3} {
			t.Run(fmt.Sprint(tt.name, count), func(t *testing.T) {
				archive, _ := segmented(t, 3, 10_000)
				damaged := bytes.Clone(archive)
				tt.damage(damaged)
				f := newNodesFixture(t, count, damaged)
				var first int
				for i := range 5 {
					res, err := http.Get(f.server.URL + "/v/films/bbb.zip/seg000.m4s")
					if err != nil {
						t.Fatal(err)
					}
					wantProblem(t, res, tt.status, tt.code)
					if i == 0 {
						if first = f.requests(); first == 0 {
							t.Fatal("no read of the entry was seen")
						}
					}
				}
				if n := f.requests() - first; n != 0 {
					t.Errorf("a remembered refusal took %d reads", n)
				}
				if status, _, _ := f.get("/v/films/bbb.zip/seg001.m4s"); status != 200 {
					t.Errorf("another entry: status %d", status)
				}
			})
		}
	}
}

// requests are those for the first entry: proofs are read in the background.
func (f *nodesFixture) requests() (n int) {
	for _, node := range f.nodes {
		for _, r := range node.Requests() {
			if strings.HasPrefix(r.Range, "bytes=0-") {
				n++
			}
		}
	}
	return n
}

// TestDamagedDirectoryIsReadElsewhere: the archive of the first node is refused, another one's is served.
func TestDamagedDirectoryIsReadElsewhere(t *testing.T) {
	archive, segments := segmented(t, 3, 10_000)
	for name, damage := range map[string]func([]byte) []byte{
		"directory": func(b []byte) []byte { b[len(b)-60] ^= 0x40; return b },
		"no end":    func(b []byte) []byte { return b[:len(b)-30] },
		"garbage":   func(b []byte) []byte { return bytes.Repeat([]byte("no archive "), 3000) },
		"empty":     func(b []byte) []byte { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			for bad := range 2 {
				f := newNodesFixture(t, 2, archive)
				f.nodes[bad].Put("bbb.zip", damage(bytes.Clone(archive)))
				for i, want := range segments {
					if status, got, _ := f.get(fmt.Sprintf("/v/films/bbb.zip/seg%03d.m4s", i)); status != 200 || !bytes.Equal(got, want) {
						t.Errorf("node %d is damaged: status %d: %.200s", bad, status, got)
					}
				}
			}
		})
	}
}

// TestNodesWithTheirOwnValidators serve one title together: two servers give one file two entity tags.
func TestNodesWithTheirOwnValidators(t *testing.T) {
	archive, segments := segmented(t, 10, 100_000)
	f := newNodesFixture(t, 2, archive)
	f.nodes[1].Put("bbb.zip", archive) // another ETag and time
	for i, want := range segments {
		for _, n := range f.nodes {
			n.Set(origintest.Fault{CutAt: 30_000, Times: 1})
		}
		if status, got, tries := f.get(fmt.Sprintf("/v/films/bbb.zip/seg%03d.m4s", i)); status != 200 || !bytes.Equal(got, want) || tries > 1 {
			t.Errorf("segment %d: status %d after %d tries", i, status, tries)
		}
	}
	if s := f.source.Stats(); s[0].Resumes+s[1].Resumes == 0 {
		t.Error("no body was continued")
	}
}

// TestCachedContentPlaysOn when every node is dead, marked stale.
func TestCachedContentPlaysOn(t *testing.T) {
	archive, segments := segmented(t, 3, 100_000)
	f := newNodesFixture(t, 2, archive)
	if status, _, _ := f.get("/v/films/bbb.zip/seg000.m4s"); status != 200 {
		t.Fatal(status)
	}
	for _, n := range f.nodes {
		n.Set(origintest.Fault{Status: 500})
	}
	res, err := http.Get(f.server.URL + "/v/films/bbb.zip/seg001.m4s")
	if err != nil {
		t.Fatal(err)
	}
	wantProblem(t, res, 503, "origin-unavailable")
	res, err = http.Get(f.server.URL + "/v/films/bbb.zip/seg000.m4s")
	if err != nil {
		t.Fatal(err)
	}
	wantBody(t, res, 200, segments[0])
	wantHeader(t, res, "Server-Timing", "cache;desc=stale")
}
