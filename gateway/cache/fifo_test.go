package cache

import (
	"fmt"
	"testing"

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
			if len(m.ghosts) > minGhosts || len(m.ghosts) != m.ghostOrder.Len() {
				t.Fatalf("%d ghosts", len(m.ghosts))
			}
		}
	})
}
