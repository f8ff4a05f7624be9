package gateway

import (
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"zipreel/gateway/cache"
	"zipreel/zipindex"
)

// memos are the small things learnt while serving, each bounded by its count
// and all of them free to be forgotten.
type memos struct {
	mu      sync.Mutex // guards following
	offsets *simplelru.LRU[entryKey, int64]
	types   *simplelru.LRU[cache.Object, mediaType]
	next    *simplelru.LRU[entryKey, successor]
	wrong   *simplelru.LRU[cache.Object, wrongSum]

	texts     *simplelru.LRU[entryKey, *text]
	textBytes int64
}

// entryKey is one entry of one version of an archive.
type entryKey struct {
	archive      uint64
	headerOffset int64
}

// successor is the segment that follows another one in its playlist.
type successor struct {
	ref    string        // to it, from the one before
	off, n int64         // its local header's place and its data's size, which the index finds it by
	lasts  time.Duration // how long it plays; 0: not known
}

// entry is the successor in its archive.
func (s successor) entry(a *archive) (zipindex.Entry, bool) {
	if s.n == 0 {
		return zipindex.Entry{}, false
	}
	e, match := a.index.Locate(s.off, s.n)
	return e, match == zipindex.Whole && e.HeaderOffset == s.off
}

// wrongSum remembers that an object's bytes did not fit its CRC.
type wrongSum struct {
	seen  *cache.ChecksumError // of the last read; all its viewers got this one
	final error                // a second read had the same wrong bytes, so that the archive is at fault: what is answered; else nil
	until time.Time
}

const (
	maxOffsets   = 1 << 16
	maxTypes     = 1 << 16
	maxNext      = 1 << 18
	maxWrong     = 1 << 12
	maxTexts     = 1 << 16
	maxTextBytes = 64 << 20
	wrongFor     = 60 * time.Second
)

func newMemos() *memos {
	m := &memos{}
	m.offsets, _ = simplelru.NewLRU[entryKey, int64](maxOffsets, nil)
	m.types, _ = simplelru.NewLRU[cache.Object, mediaType](maxTypes, nil)
	m.next, _ = simplelru.NewLRU[entryKey, successor](maxNext, nil)
	m.wrong, _ = simplelru.NewLRU[cache.Object, wrongSum](maxWrong, nil)
	m.texts, _ = simplelru.NewLRU(maxTexts, func(_ entryKey, t *text) { m.textBytes -= t.bytes() })
	return m
}

func keyOf(a *archive, e zipindex.Entry) entryKey { return entryKey{a.id, e.HeaderOffset} }

// offset is where an entry's data starts, when its local header was read before.
func (m *memos) offset(a *archive, e zipindex.Entry) (int64, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.offsets.Get(keyOf(a, e))
}

func (m *memos) setOffset(a *archive, e zipindex.Entry, dataOffset int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.offsets.Add(keyOf(a, e), dataOffset)
}

// mediaType is what an object without a known extension was found to be.
func (m *memos) mediaType(obj cache.Object) (mediaType, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.types.Get(obj)
}

func (m *memos) setMediaType(obj cache.Object, t mediaType) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.types.Add(obj, t)
}

// successor is the segment after e in its playlist; the zero value when it is not known.
func (m *memos) successor(a *archive, e zipindex.Entry) successor {
	m.mu.Lock()
	defer m.mu.Unlock()
	next, _ := m.next.Get(keyOf(a, e))
	return next
}

func (m *memos) setSuccessor(a *archive, e zipindex.Entry, next successor) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.next.Add(keyOf(a, e), next)
}

// wrongWhy says why an object cannot be delivered: its bytes, or its local header, are known to be wrong on every node. nil where that is not known.
func (m *memos) wrongWhy(obj cache.Object) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	w, ok := m.wrong.Get(obj)
	if !ok || time.Now().After(w.until) {
		return nil
	}
	return w.final
}

// condemn notes that an object is wrong wherever it is read.
func (m *memos) condemn(obj cache.Object, why error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.wrong.Add(obj, wrongSum{final: why, until: time.Now().Add(wrongFor)})
}

// sawWrong notes wrong bytes. It answers errWrongArchive where an earlier read had the same, so that the archive is at fault and not a node.
func (m *memos) sawWrong(obj cache.Object, sum *cache.ChecksumError) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	old, ok := m.wrong.Get(obj)
	ok = ok && now.Before(old.until)
	if ok && old.seen == sum {
		return old.final
	}
	var final error
	if ok && (old.final != nil || old.seen.Got == sum.Got) {
		final = errWrongArchive
	}
	m.wrong.Add(obj, wrongSum{sum, final, now.Add(wrongFor)})
	return final
}

// text is a rewritten playlist.
func (m *memos) text(a *archive, e zipindex.Entry) *text {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, _ := m.texts.Get(keyOf(a, e))
	return t
}

func (m *memos) setText(a *archive, e zipindex.Entry, t *text) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.texts.Remove(keyOf(a, e)) // so that the bytes of the one replaced are counted off
	m.textBytes += t.bytes()
	m.texts.Add(keyOf(a, e), t)
	for m.textBytes > maxTextBytes {
		m.texts.RemoveOldest()
	}
}
