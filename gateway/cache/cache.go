// Package cache keeps the content of entries, cut into spans of bytes, and
// fills what is missing: one fill for any number of viewers, who read the bytes
// as they arrive.
package cache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/sync/semaphore"
)

// Object is the content of one entry: the key of its spans. An entry whose
// name, size and CRC stay is the same object in the next version of its archive.
type Object struct {
	Source, Archive, Entry string
	Size                   int64  // bytes of content (inflated)
	CRC                    uint32 // CRC-32 (IEEE) of the content
}

// Config bounds a Cache. Zero means the default.
type Config struct {
	Memory   int64         // bytes of finished spans kept; default 512 MiB
	Inflight int64         // bytes of spans being filled, and again as many that are kept no more while viewers still take them; default 512 MiB
	Whole    int64         // objects up to this size are one span; default 32 MiB
	Span     int64         // span size of larger objects; default 512 KiB
	Ahead    int64         // most bytes one fill of a larger object reads; default 32 MiB
	Disk     *Disk         // where spans are kept as well; nil: nowhere. Its caller closes it, after the Cache
	Linger   time.Duration // how long a fill lives on after Reader.Leave; default 60 s
}

// Fill delivers the content bytes [off, off+n) of an object into w. It is
// detached from who asked first: ctx ends when nobody waits any more, when the fill's
// own time is over, or on Close.
type Fill func(ctx context.Context, off, n int64, w *Sink) error

// Outcome says where a reader's first bytes came from.
type Outcome uint8

const (
	Hit    Outcome = iota // all there
	Miss                  // this reader started a fill
	Shared                // another reader's fill was joined
)

var (
	ErrChecksum = errors.New("content does not fit its CRC-32") // wrapped in *ChecksumError
	ErrBusy     = errors.New("too many bytes being filled")
	ErrClosed   = errors.New("cache closed")
)

// ChecksumError says which CRC the bytes that were read have.
type ChecksumError struct {
	Object Object
	Got    uint32
}

func (e *ChecksumError) Error() string { return ErrChecksum.Error() }
func (e *ChecksumError) Unwrap() error { return ErrChecksum }

// Cache is safe for concurrent use.
//
// mu guards the two maps of spans, every span and every flight; nothing is read, computed over content or waited for while it is
// held. No other lock is taken under it but that of the Disk.
type Cache struct {
	cfg     Config
	ctx     context.Context // of all fills
	cancel  context.CancelFunc
	budget  *semaphore.Weighted // bytes being filled
	waiting atomic.Int64        // flights that wait for the budget
	work    sync.WaitGroup      // flights

	mu      sync.Mutex // guards following
	closed  bool
	memory  *fifo[spanKey, *span]
	filling map[spanKey]*span // not finished; each belongs to a flight that is not over
	proved  *simplelru.LRU[Object, struct{}]
	stats   Stats
}

const (
	maxProved   = 1 << 16
	maxWaiting  = 1024        // flights that may wait for the budget
	admitWithin = time.Second // how long one waits
)

// New makes a Cache. Close ends it.
func New(cfg Config) *Cache {
	setDefault(&cfg.Memory, 512<<20)
	setDefault(&cfg.Inflight, 512<<20)
	setDefault(&cfg.Whole, 32<<20)
	setDefault(&cfg.Span, 512<<10)
	setDefault(&cfg.Ahead, 32<<20)
	if cfg.Linger == 0 {
		cfg.Linger = time.Minute
	}
	cfg.Inflight = max(cfg.Inflight, cfg.Whole, cfg.Ahead) // the largest fill must fit
	c := &Cache{cfg: cfg, budget: semaphore.NewWeighted(cfg.Inflight), filling: map[spanKey]*span{}}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.memory = newFIFO(cfg.Memory, func(_ spanKey, s *span) { c.letGo(s) })
	c.proved, _ = simplelru.NewLRU[Object, struct{}](maxProved, nil)
	return c
}

func setDefault(v *int64, d int64) {
	if *v == 0 {
		*v = d
	}
}

// whole says whether an object is one span.
func (c *Cache) whole(obj Object) bool { return obj.Size <= c.cfg.Whole }

// place answers which span holds byte off, and where in it.
func (c *Cache) place(obj Object, off int64) (i int64, in int) {
	if c.whole(obj) {
		return 0, int(off)
	}
	return off / c.cfg.Span, int(off % c.cfg.Span)
}

// spanLen is the length of the i-th span.
func (c *Cache) spanLen(obj Object, i int64) int64 {
	if c.whole(obj) {
		return obj.Size
	}
	return min(c.cfg.Span, obj.Size-i*c.cfg.Span)
}

// Open reads [off, off+n) of obj, which lies within it. It does not block and starts no fill: Next does.
func (c *Cache) Open(obj Object, off, n int64, fill Fill) *Reader {
	r := &Reader{c: c, obj: obj, off: off, began: off, end: off + n, fill: fill}
	r.proves = off == 0 && n == obj.Size && !c.whole(obj) && !c.Proved(obj)
	return r
}

// Ahead reads the last byte of obj, which is not empty, for a viewer who has not asked yet: of an object of one span it fills all. Its reader counts in no total, and
// the first viewer's to come is no second use of what it filled.
func (c *Cache) Ahead(obj Object, fill Fill) *Reader {
	r := c.Open(obj, obj.Size-1, 1, fill)
	r.ahead = true
	return r
}

// start begins to fill the run of missing spans from the i-th on, as far as a reader that ends at end wants; onDisk, the i-th alone. mu is held.
func (c *Cache) start(obj Object, i, end int64, onDisk bool, fill Fill) *span {
	f := &flight{c: c, obj: obj, off: i * c.cfg.Span}
	if c.whole(obj) {
		f.off = 0
	}
	if onDisk {
		fill = c.fromDisk(obj, i, fill)
	}
	for {
		key := spanKey{obj, i}
		s := &span{key: key, fill: f}
		c.filling[key] = s
		f.spans = append(f.spans, s)
		f.n += c.spanLen(obj, i)
		i++
		next := spanKey{obj, i}
		if onDisk || f.off+f.n >= min(end, obj.Size) || f.n+c.cfg.Span > c.cfg.Ahead || c.filling[next] != nil || c.memory.has(next) || c.onDisk(next) {
			break
		}
	}
	var ctx context.Context
	ctx, f.cancel = context.WithCancel(c.ctx)
	c.stats.Fills++
	c.stats.Inflight += f.n
	c.work.Add(1)
	first := f.spans[0]
	go f.run(ctx, fill)
	return first
}

// onDisk says whether a span is in a file.
func (c *Cache) onDisk(key spanKey) bool { return c.cfg.Disk != nil && c.cfg.Disk.has(fileOf(key)) }

// fromDisk fills a span from its file and, where that is gone or damaged, from storage after all.
func (c *Cache) fromDisk(obj Object, i int64, fill Fill) Fill {
	return func(ctx context.Context, off, n int64, w *Sink) error {
		if buf := w.Next(); int64(len(buf)) == n {
			err := c.cfg.Disk.read(ctx, fileOf(spanKey{obj, i}), buf)
			if err == nil {
				return w.Wrote(len(buf))
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if errors.Is(err, errLeft) {
				w.forsake()
			}
		}
		c.mu.Lock()
		w.f.missed = true
		c.stats.Hits--
		c.stats.Misses++
		c.mu.Unlock()
		return fill(ctx, off, n, w)
	}
}

// finish moves a span to the store. mu is held.
func (c *Cache) finish(s *span, proved bool) {
	if c.filling[s.key] == s {
		delete(c.filling, s.key)
	}
	switch kept := c.memory.add(s.key, s, int64(len(s.buf))); {
	case !kept:
		c.letGo(s)
	case s.ahead:
		c.memory.unused(s.key)
	}
	if c.cfg.Disk != nil {
		c.cfg.Disk.put(fileOf(s.key), s.buf)
	}
	if proved {
		c.proved.Add(s.key.obj, struct{}{})
	}
}

// letGo is called for a span that is kept no more. Its bytes count as long as viewers hold some of them, however slowly they take them. mu is held.
func (c *Cache) letGo(s *span) {
	if s.viewers > 0 && !s.loose {
		s.loose = true
		c.stats.Pinned += int64(len(s.buf))
	}
}

func (c *Cache) count(o Outcome) {
	switch o {
	case Hit:
		c.stats.Hits++
	case Miss:
		c.stats.Misses++
	case Shared:
		c.stats.Shared++
	}
}

// Put keeps a whole object's content that was read along with something
// else. It is checked against the CRC; data is copied, since it mostly is a part of something larger. Objects of more than one span are not taken.
func (c *Cache) Put(obj Object, data []byte) error {
	if int64(len(data)) != obj.Size || !c.whole(obj) || len(data) == 0 {
		return fmt.Errorf("put %d bytes for an object of %d", len(data), obj.Size)
	}
	if sum := crc32.ChecksumIEEE(data); sum != obj.CRC {
		return &ChecksumError{Object: obj, Got: sum}
	}
	key := spanKey{obj, 0}
	s := &span{key: key, buf: bytes.Clone(data), n: len(data), sum: obj.CRC, done: true}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return ErrClosed
	}
	if c.filling[key] == nil && !c.memory.has(key) {
		c.finish(s, true)
	}
	return nil
}

// Has says whether all of the object is kept.
func (c *Cache) Has(obj Object) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := int64(0); i == 0 || !c.whole(obj) && i*c.cfg.Span < obj.Size; i++ {
		if key := (spanKey{obj, i}); !c.memory.has(key) && !c.onDisk(key) {
			return false
		}
	}
	return true
}

// Proved says whether the object's whole content has been seen to fit its CRC.
func (c *Cache) Proved(obj Object) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.proved.Contains(obj)
}

// Drop forgets every span of obj that is kept.
func (c *Cache) Drop(obj Object) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(obj)
}

func (c *Cache) drop(obj Object) {
	c.proved.Remove(obj)
	for i := int64(0); i == 0 || !c.whole(obj) && i*c.cfg.Span < obj.Size; i++ {
		if s, ok := c.memory.peek(spanKey{obj, i}); ok {
			c.letGo(s)
			c.memory.remove(spanKey{obj, i})
		}
		if c.cfg.Disk != nil {
			c.cfg.Disk.remove(fileOf(spanKey{obj, i}))
		}
	}
}

// Stats are totals since New, and what is held now.
type Stats struct {
	Hits, Misses, Shared, Fills, Evicted, ChecksumErrors int64
	Bytes, Inflight, Spans                               int64
	Pinned                                               int64 // bytes that are kept no more and that viewers still take
}

// Stats answers the totals.
func (c *Cache) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats
	s.Bytes, s.Spans, s.Evicted = c.memory.bytes, int64(len(c.memory.items)), c.memory.evicted
	return s
}

// Busy says whether more is asked to be filled than may be at once, so that some wait.
func (c *Cache) Busy() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stats.Inflight > c.cfg.Inflight || c.stats.Pinned > c.cfg.Inflight
}

// Close ends all fills and waits for them.
func (c *Cache) Close() {
	c.mu.Lock()
	c.closed = true
	for _, s := range c.filling {
		s.fill.cancel()
	}
	c.mu.Unlock()
	c.cancel()
	c.work.Wait()
}
