package cache

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"pgregory.net/rapid"
)

// TestMemoryStaysWithinItsBytes holds random operations against the bound and the store's own books.
func TestMemoryStaysWithinItsBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.Int64Range(1, 1000).Draw(t, "max")
		m := newFIFO[spanKey, *span](limit, nil)
		for range 300 {
			key := spanKey{Object{Entry: fmt.Sprint(rapid.IntRange(0, 40).Draw(t, "key"))}, 0}
			switch rapid.IntRange(0, 3).Draw(t, "op") {
			case 0, 1:
				n := rapid.IntRange(1, 300).Draw(t, "size")
				m.add(key, &span{key: key, buf: make([]byte, n)}, int64(n))
			case 2:
				if s, ok := m.get(key); ok && s.key != key {
					t.Fatalf("asked for %v, got %v", key, s.key)
				}
			case 3:
				m.remove(key)
				if m.has(key) {
					t.Fatal("removed and still there")
				}
			}
			var bytes int64
			for _, it := range m.items {
				bytes += int64(len(it.value.buf))
			}
			if m.bytes > limit || m.bytes != bytes || m.small.bytes+m.main.bytes != bytes || m.small.Len()+m.main.Len() != len(m.items) {
				t.Fatalf("%d bytes by the books, %d in fact, of %d allowed", m.bytes, bytes, limit)
			}
			if len(m.ghosts) > max(minGhosts, len(m.items)) || len(m.ghosts) != m.ghostOrder.Len() {
				t.Fatalf("%d ghosts", len(m.ghosts))
			}
		}
	})
}

// trace is viewers who run through titles of very different fame, interleaved.
func trace(archives, segments, viewers, requests int, visit func(key spanKey, n int64)) (catalogue int64) {
	rnd := rand.New(rand.NewPCG(1, 2))
	weights, total := make([]float64, archives), 0.0
	for i := range weights {
		total += math.Pow(float64(i+1), -0.9)
		weights[i] = total
	}
	sizes := make([][]int64, archives)
	for i := range sizes {
		sizes[i] = make([]int64, segments)
		for j := range sizes[i] {
			sizes[i][j] = int64(1000 * math.Exp(rnd.NormFloat64()*0.5))
			catalogue += sizes[i][j]
		}
	}
	pick := func() int {
		x := rnd.Float64() * total
		for i, w := range weights {
			if w >= x {
				return i
			}
		}
		return archives - 1
	}
	type viewer struct{ archive, segment int }
	vs := make([]viewer, viewers)
	for i := range vs {
		vs[i] = viewer{pick(), rnd.IntN(segments)}
	}
	if visit == nil {
		return catalogue
	}
	for range requests {
		v := &vs[rnd.IntN(viewers)]
		visit(spanKey{Object{Entry: fmt.Sprint(v.archive)}, int64(v.segment)}, sizes[v.archive][v.segment])
		if v.segment++; v.segment == segments {
			*v = viewer{pick(), 0}
		}
	}
	return catalogue
}

// TestMemoryKeepsMoreThanLRU on a trace of viewers, at 2 % of the catalogue.
func TestMemoryKeepsMoreThanLRU(t *testing.T) {
	const archives, segments, viewers, requests = 400, 150, 60, 200_000
	limit := trace(archives, segments, viewers, 0, nil) / 50
	m := newFIFO[spanKey, *span](limit, nil)
	var bytes int64
	lru, _ := simplelru.NewLRU(1<<30, func(_ spanKey, n int64) { bytes -= n })
	var ours, theirs int
	trace(archives, segments, viewers, requests, func(key spanKey, n int64) {
		if _, ok := m.get(key); ok {
			ours++
		} else {
			m.add(key, nil, n)
		}
		if _, ok := lru.Get(key); ok {
			theirs++
		} else {
			lru.Add(key, n)
			for bytes += n; bytes > limit; {
				lru.RemoveOldest()
			}
		}
	})
	t.Logf("hits: %.1f %%, plain LRU %.1f %%", 100*float64(ours)/requests, 100*float64(theirs)/requests)
	if float64(ours) < 1.1*float64(theirs) {
		t.Errorf("%d hits, plain LRU %d: want a tenth more at least", ours, theirs)
	}
}
