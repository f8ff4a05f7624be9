package cache

import (
	"container/list"
	"fmt"
	"testing"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"zipreel/bench/trace"
)

// segment is a place in the trace.
type segment struct{ archive, segment int }

// policy is a cache in a simulation: ask says whether the segment was there, and keeps it if not.
type policy interface {
	ask(key segment, n int64) bool
}

// ours is the policy of this package's tiers.
type ours struct{ *fifo[segment, struct{}] }

func (p ours) ask(key segment, n int64) bool {
	if _, ok := p.get(key); ok {
		return true
	}
	p.add(key, struct{}{}, n)
	return false
}

// lru is the plain one.
type lru struct {
	max, bytes int64
	*simplelru.LRU[segment, int64]
}

func newLRU(max int64) policy {
	p := &lru{max: max}
	p.LRU, _ = simplelru.NewLRU(1<<30, func(_ segment, n int64) { p.bytes -= n })
	return p
}

func (p *lru) ask(key segment, n int64) bool {
	if _, ok := p.Get(key); ok {
		return true
	}
	p.Add(key, n)
	for p.bytes += n; p.bytes > p.max; {
		p.RemoveOldest()
	}
	return false
}

// twoQueues is 2Q (Johnson, Shasha, VLDB 1994) with a quarter for what is new, and the keys of half as many bytes as it holds remembered.
type twoQueues struct {
	in, out, main *lru // in is a FIFO; out holds keys alone
}

func new2Q(max int64) policy {
	return &twoQueues{newLRU(max / 4).(*lru), newLRU(max / 2).(*lru), newLRU(max - max/4).(*lru)}
}

func (p *twoQueues) ask(key segment, n int64) bool {
	switch _, ok := p.main.Get(key); {
	case ok:
		return true
	case p.in.Contains(key):
		return true
	case p.out.Remove(key):
		p.main.ask(key, n)
		return false
	}
	p.in.Add(key, n)
	for p.in.bytes += n; p.in.bytes > p.in.max; {
		old, size, _ := p.in.RemoveOldest()
		p.out.ask(old, size)
	}
	return false
}

// sieve is SIEVE (Zhang et al., NSDI 2024).
type sieve struct {
	max, bytes int64
	items      map[segment]*list.Element
	order      list.List // of *sieved, oldest first
	hand       *list.Element
}

type sieved struct {
	key  segment
	size int64
	used bool
}

func newSieve(max int64) policy { return &sieve{max: max, items: map[segment]*list.Element{}} }

func (p *sieve) ask(key segment, n int64) bool {
	if e := p.items[key]; e != nil {
		e.Value.(*sieved).used = true
		return true
	}
	for p.bytes+n > p.max {
		p.evict()
	}
	p.items[key] = p.order.PushBack(&sieved{key: key, size: n})
	p.bytes += n
	return false
}

func (p *sieve) evict() {
	for {
		if p.hand == nil {
			p.hand = p.order.Front()
		}
		e, it := p.hand, p.hand.Value.(*sieved)
		p.hand = e.Next()
		if !it.used {
			p.order.Remove(e)
			delete(p.items, it.key)
			p.bytes -= it.size
			return
		}
		it.used = false
	}
}

// TestHitRatio holds the tiers' policy to its goals, and for comparison (with -v) others, on a trace of viewers who run through titles of very different fame,
// with room for a share of the catalogue's bytes.
func TestHitRatio(t *testing.T) {
	tr := trace.New(trace.Default())
	others := []struct {
		name string
		new  func(max int64) policy
	}{{"LRU", newLRU}, {"2Q", new2Q}, {"SIEVE", newSieve}}
	for _, test := range []struct {
		percent float64
		want    float64 // percent
	}{{0.5, 26}, {2, 41}, {8, 58}} {
		t.Run(fmt.Sprintf("%v %%", test.percent), func(t *testing.T) {
			t.Parallel()
			limit := int64(float64(tr.Bytes()) * test.percent / 100)
			got := hitRatio(tr, ours{newFIFO[segment, struct{}](limit, nil)})
			t.Logf("S3-FIFO here %.1f %%", got)
			if got < test.want {
				t.Errorf("%.1f %% hits, want %v %% at least", got, test.want)
			}
			if !testing.Verbose() {
				return
			}
			for _, other := range others {
				t.Logf("%-5s %.1f %%", other.name, hitRatio(tr, other.new(limit)))
			}
		})
	}
}

// hitRatio answers the percentage of requests that were hits.
func hitRatio(tr *trace.Trace, p policy) float64 {
	hits, all := 0, 0
	for r := range tr.Requests() {
		all++
		if p.ask(segment{r.Archive, r.Segment}, r.Size) {
			hits++
		}
	}
	return 100 * float64(hits) / float64(all)
}
