package cache

import "container/list"

// fifo keeps values within a number of bytes, for the tiers of a Cache. It is S3-FIFO (Yang et al., SOSP 2023), which a viewer who runs through a title once does not
// sweep empty: what is new goes through a small queue, and only what is asked for again there, or soon after it fell out, gets into the main one.
//
// The caller holds the lock that guards it.
type fifo[K comparable, V any] struct {
	max, bytes int64
	evicted    int64
	out        func(K, V) // called for what makes room; may be nil
	items      map[K]*item[K, V]
	small      queue
	main       queue
	ghosts     map[K]*list.Element // keys lately fallen out of small
	ghostOrder list.List           // of K, oldest first
}

type item[K comparable, V any] struct {
	key   K
	value V
	size  int64
	uses  int8 // since it was queued, up to maxUses
	main  bool
	at    *list.Element
}

// queue is a FIFO of items.
type queue struct {
	list.List
	bytes int64
}

const (
	smallShare = 10 // small has 1/smallShare of the bytes
	maxUses    = 7  // how often what is in main may come around unused; what a few viewers share stays for the next of them
	minGhosts  = 1024
)

func newFIFO[K comparable, V any](maxBytes int64, out func(K, V)) *fifo[K, V] {
	return &fifo[K, V]{max: maxBytes, out: out, items: map[K]*item[K, V]{}, ghosts: map[K]*list.Element{}}
}

func (m *fifo[K, V]) has(key K) bool { return m.items[key] != nil }

// peek is get that counts no use.
func (m *fifo[K, V]) peek(key K) (v V, ok bool) {
	if it := m.items[key]; it != nil {
		return it.value, true
	}
	return v, false
}

// get answers the value, and counts the use.
func (m *fifo[K, V]) get(key K) (v V, ok bool) {
	it := m.items[key]
	if it == nil {
		return v, false
	}
	it.uses = min(it.uses+1, maxUses)
	return it.value, true
}

// unused says that the next use of what was just added is its first: what was added came before anybody asked.
func (m *fifo[K, V]) unused(key K) { m.items[key].uses = -1 }

// add keeps a value of n bytes, and lets go of others so that all stay within max. One larger than that is not kept.
func (m *fifo[K, V]) add(key K, v V, n int64) bool { return m.insert(key, v, n, false) }

// restore is add, for what was kept when the process last ended: it has its place in main, so that what is new does not push it out. On the trace of the hit
// ratio that is 2.5 to 3.5 of 100 requests more, in the first twentieth after a restart, than if it were new.
func (m *fifo[K, V]) restore(key K, v V, n int64) bool { return m.insert(key, v, n, true) }

func (m *fifo[K, V]) insert(key K, v V, n int64, main bool) bool {
	if n > m.max || m.has(key) {
		return false
	}
	m.shrink(m.max - n)
	it := &item[K, V]{key: key, value: v, size: n}
	m.items[key] = it
	m.bytes += n
	if g := m.ghosts[key]; g != nil {
		m.dropGhost(g)
		main = true
	}
	m.push(it, main)
	return true
}

// shrink lets go of values until no more than so many bytes are kept.
func (m *fifo[K, V]) shrink(to int64) {
	for m.bytes > max(to, 0) {
		m.evict()
	}
}

func (m *fifo[K, V]) push(it *item[K, V], main bool) {
	it.main = main
	q := m.queue(it)
	it.at = q.PushBack(it)
	q.bytes += it.size
}

func (m *fifo[K, V]) take(it *item[K, V]) {
	q := m.queue(it)
	q.Remove(it.at)
	q.bytes -= it.size
}

// queue is where an item is.
func (m *fifo[K, V]) queue(it *item[K, V]) *queue {
	if it.main {
		return &m.main
	}
	return &m.small
}

// evict lets go of one value, or moves one that was used.
func (m *fifo[K, V]) evict() {
	if m.small.Len() > 0 && (m.small.bytes*smallShare >= m.max || m.main.Len() == 0) {
		it := m.small.Front().Value.(*item[K, V])
		m.take(it)
		if it.uses > 0 {
			it.uses = 0
			m.push(it, true)
			return
		}
		m.forget(it)
		m.remember(it.key)
		return
	}
	it := m.main.Front().Value.(*item[K, V])
	m.take(it)
	if it.uses > 0 {
		it.uses--
		m.push(it, true)
		return
	}
	m.forget(it)
}

func (m *fifo[K, V]) forget(it *item[K, V]) {
	delete(m.items, it.key)
	m.bytes -= it.size
	m.evicted++
	if m.out != nil {
		m.out(it.key, it.value)
	}
}

// remember keeps the key of what fell out of small, for half as many as are kept: with more, titles come back that are watched too rarely.
func (m *fifo[K, V]) remember(key K) {
	m.ghosts[key] = m.ghostOrder.PushBack(key)
	for len(m.ghosts) > max(minGhosts, len(m.items)/2) {
		m.dropGhost(m.ghostOrder.Front())
	}
}

func (m *fifo[K, V]) dropGhost(g *list.Element) {
	delete(m.ghosts, m.ghostOrder.Remove(g).(K))
}

// remove lets go of a value, of which nobody is told.
func (m *fifo[K, V]) remove(key K) {
	it := m.items[key]
	if it == nil {
		return
	}
	m.take(it)
	delete(m.items, key)
	m.bytes -= it.size
}
