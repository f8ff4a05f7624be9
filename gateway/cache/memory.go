package cache

import "container/list"

// memory keeps finished spans within a number of bytes. It is S3-FIFO (Yang et al., SOSP 2023), which a viewer who runs through a title once does not sweep empty:
// what is new goes through a small queue, and only what is asked for again there, or soon after it fell out, gets into the main one.
//
// The caller holds Cache.mu.
type memory struct {
	max, bytes int64
	evicted    int64
	items      map[spanKey]*item
	small      queue
	main       queue
	ghosts     map[spanKey]*list.Element // keys lately fallen out of small
	ghostOrder list.List                 // of spanKey, oldest first
}

type item struct {
	span *span
	uses uint8 // since it was queued; saturates
	main bool
	at   *list.Element
}

// queue is a FIFO of *item.
type queue struct {
	list.List
	bytes int64
}

const (
	smallShare = 10 // small has 1/smallShare of the bytes
	maxUses    = 3
	minGhosts  = 1024
)

func newMemory(maxBytes int64) *memory {
	return &memory{max: maxBytes, items: map[spanKey]*item{}, ghosts: map[spanKey]*list.Element{}}
}

func (m *memory) has(key spanKey) bool { return m.items[key] != nil }

func (m *memory) get(key spanKey) *span {
	it := m.items[key]
	if it == nil {
		return nil
	}
	it.uses = min(it.uses+1, maxUses)
	return it.span
}

// add keeps s, and lets go of others so that the bytes stay within max. A span larger than all of it is not kept.
func (m *memory) add(s *span) {
	n := int64(len(s.buf))
	if n > m.max || m.has(s.key) {
		return
	}
	for m.bytes+n > m.max {
		m.evict()
	}
	it := &item{span: s}
	m.items[s.key] = it
	m.bytes += n
	if g := m.ghosts[s.key]; g != nil {
		m.dropGhost(g)
		m.push(&m.main, it, true)
		return
	}
	m.push(&m.small, it, false)
}

func (m *memory) push(q *queue, it *item, main bool) {
	it.main, it.at = main, q.PushBack(it)
	q.bytes += int64(len(it.span.buf))
}

func (m *memory) take(q *queue, it *item) {
	q.List.Remove(it.at)
	q.bytes -= int64(len(it.span.buf))
}

// evict lets go of one span, or moves one that was used.
func (m *memory) evict() {
	if m.small.Len() > 0 && (m.small.bytes*smallShare >= m.max || m.main.Len() == 0) {
		it := m.small.Front().Value.(*item)
		m.take(&m.small, it)
		if it.uses > 0 {
			it.uses = 0
			m.push(&m.main, it, true)
			return
		}
		m.forget(it)
		m.remember(it.span.key)
		return
	}
	it := m.main.Front().Value.(*item)
	m.take(&m.main, it)
	if it.uses > 0 {
		it.uses--
		m.push(&m.main, it, true)
		return
	}
	m.forget(it)
}

func (m *memory) forget(it *item) {
	delete(m.items, it.span.key)
	m.bytes -= int64(len(it.span.buf))
	m.evicted++
}

// remember keeps the key of what fell out of small, for about as many as are kept.
func (m *memory) remember(key spanKey) {
	m.ghosts[key] = m.ghostOrder.PushBack(key)
	for len(m.ghosts) > max(minGhosts, len(m.items)) {
		m.dropGhost(m.ghostOrder.Front())
	}
}

func (m *memory) dropGhost(g *list.Element) {
	delete(m.ghosts, m.ghostOrder.Remove(g).(spanKey))
}

func (m *memory) remove(key spanKey) {
	it := m.items[key]
	if it == nil {
		return
	}
	if it.main {
		m.take(&m.main, it)
	} else {
		m.take(&m.small, it)
	}
	delete(m.items, key)
	m.bytes -= int64(len(it.span.buf))
}
