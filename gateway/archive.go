package gateway

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/sync/semaphore"

	"zipreel/gateway/origin"
	"zipreel/zipindex"
)

// archive is one version of one archive: its index, and what storage says of
// that version. The index never changes; the rest is what was learnt of it.
type archive struct {
	src   *source
	name  string
	id    uint64 // of this version, in this process
	index *zipindex.Index
	proof origin.Proof // the directory's digest

	age time.Duration // of what was restored from disk, when that was

	validator atomic.Pointer[origin.Validator]
	checked   atomic.Int64 // when storage was last seen to hold this version, monotonic ns
	checking  atomic.Bool
	stale     atomic.Bool // storage could not be asked when it was last to be checked

	changed atomic.Pointer[modification] // made when it was asked for

	main atomic.Pointer[mainPlaylist] // once it was asked for
	pics atomic.Pointer[pictures]     // likewise
}

// modification is when storage says that an archive was changed, as HTTP writes it too.
type modification struct {
	time.Time
	header []string // of Last-Modified, shared; nil where storage does not say
}

func (a *archive) modified() *modification {
	at := a.validator.Load().Modified
	if m := a.changed.Load(); m != nil && m.Equal(at) {
		return m
	}
	m := &modification{Time: at}
	if !at.IsZero() {
		m.header = []string{at.UTC().Format(http.TimeFormat)}
	}
	a.changed.Store(m)
	return m
}

func (a *archive) bytes() int64 { return a.index.Bytes() + 1024 }

// same says whether b is the same version, seen again.
func (a *archive) same(b *archive) bool {
	return a.index.Size() == b.index.Size() && a.proof == b.proof
}

// outdated says that storage cannot be asked whether this is the archive still.
func (a *archive) outdated() bool {
	return a.stale.Load() || a.src.nodes != nil && a.src.nodes.Down()
}

// archives keeps the indexes of archives, bounded by bytes. One load is shared
// by all who wait for it; refusals are remembered.
//
// Lock order: archives.mu, then the disk cache's own.
type archives struct {
	g      *Gateway
	nextID atomic.Uint64
	budget *semaphore.Weighted // bytes of directories being read
	start  time.Time
	loads  *shared[archiveKey, *archive]

	mu      sync.Mutex // guards following
	kept    *simplelru.LRU[archiveKey, *archive]
	bytes   int64
	refused *simplelru.LRU[archiveKey, refusal]
	tails   *simplelru.LRU[archiveKey, int64] // bytes of the end that an archive's directory, and what lies along, took when it was last loaded
}

type archiveKey struct{ source, name string }

// refusal is a failed load that is not tried again before until.
type refusal struct {
	err   error
	until time.Time
}

const (
	maxKept    = 1 << 20 // indexes, whatever their size
	maxRefused = 4096
	maxTails   = 1 << 16
)

func newArchives(g *Gateway) *archives {
	s := &archives{g: g, start: time.Now(), budget: semaphore.NewWeighted(loadBudget), loads: newShared[archiveKey, *archive](g.background)}
	s.kept, _ = simplelru.NewLRU(maxKept, func(_ archiveKey, a *archive) { s.bytes -= a.bytes() })
	s.refused, _ = simplelru.NewLRU[archiveKey, refusal](maxRefused, nil)
	s.tails, _ = simplelru.NewLRU[archiveKey, int64](maxTails, nil)
	return s
}

func (s *archives) now() int64 { return int64(time.Since(s.start)) }

// get answers the archive's current version, loading it when it is not kept.
func (s *archives) get(ctx context.Context, src *source, name string) (*archive, error) {
	key := archiveKey{src.Name, name}
	if a, ok, err := s.known(key); ok {
		if err == nil {
			s.revalidate(a)
		}
		return a, err
	}
	a, _, err := s.loads.do(ctx, key, func(ctx context.Context) (*archive, error) {
		if a, ok, err := s.known(key); ok {
			return a, err
		}
		if a := s.g.restore(ctx, src, name); a != nil {
			return s.keep(key, a), nil
		}
		return s.load(ctx, key, src)
	})
	return a, err
}

// known answers the version that is kept, or why there is none, if either is known.
func (s *archives) known(key archiveKey) (a *archive, ok bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a, ok := s.kept.Get(key); ok {
		return a, true, nil
	}
	r, ok := s.refused.Get(key)
	if ok && !time.Now().Before(r.until) {
		s.refused.Remove(key)
		ok = false
	}
	return nil, ok, r.err
}

// reject is called by who found that an archive's content does not fit its directory on any node. Where nodes hold different states of it, this one is given up for
// another, and it answers true.
func (s *archives) reject(a *archive) bool {
	v := a.validator.Load()
	if a.src.nodes == nil || !a.src.nodes.Disputed(*v) || !a.src.nodes.Reject(a.name, *v) {
		return false
	}
	key := archiveKey{a.src.Name, a.name}
	s.mu.Lock()
	defer s.mu.Unlock()
	if cur, ok := s.kept.Peek(key); ok && cur == a {
		s.kept.Remove(key)
	}
	s.g.disk.DropBlob(a.blob())
	s.g.log.Warn("archive read from other nodes: its content does not fit its directory", "source", a.src.Name, "archive", a.name)
	return true
}

// refresh is called by who saw storage refuse the validator of a. It answers the version
// that storage holds now, which is a itself when only its validator was out of date.
func (s *archives) refresh(ctx context.Context, a *archive, seen *origin.Validator) (*archive, error) {
	key := archiveKey{a.src.Name, a.name}
	if cur := s.newer(key, a, seen); cur != nil {
		return cur, nil
	}
	for {
		cur, first, err := s.loads.do(ctx, key, func(ctx context.Context) (*archive, error) {
			if cur := s.newer(key, a, seen); cur != nil {
				return cur, nil
			}
			return s.load(ctx, key, a.src)
		})
		if err != nil || first || cur != a || cur.validator.Load() != seen {
			return cur, err
		} // else it was get's work, which had no need of storage
	}
}

// newer answers the version that is kept, if it is another than a, or a with another validator than seen: somebody was there first.
func (s *archives) newer(key archiveKey, a *archive, seen *origin.Validator) *archive {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cur, ok := s.kept.Peek(key); ok && (cur != a || cur.validator.Load() != seen) {
		return cur
	}
	return nil
}

// load reads the archive's directory from storage, and keeps it, or the reason why there is none.
func (s *archives) load(ctx context.Context, key archiveKey, src *source) (*archive, error) {
	a, err := s.g.loadArchive(ctx, src, key.name)
	if err != nil {
		s.remember(key, err)
		return nil, err
	}
	return s.keep(key, a), nil
}

// keep stores a fresh load. The version already kept stays when it is the same, so that what hangs on it stays too.
func (s *archives) keep(key archiveKey, a *archive) *archive {
	s.mu.Lock()
	defer s.mu.Unlock()
	a.checked.Store(s.now() - int64(a.age))
	if old, ok := s.kept.Peek(key); ok {
		if old.same(a) {
			old.validator.Store(a.validator.Load())
			old.checked.Store(s.now())
			old.stale.Store(false)
			return old
		}
		s.kept.Remove(key)
	}
	s.kept.Add(key, a)
	s.bytes += a.bytes()
	for s.bytes > s.g.cfg.IndexMemory && s.kept.Len() > 1 {
		s.kept.RemoveOldest()
	}
	return a
}

// remember keeps a failure that asking again would only repeat. What was kept
// of an archive that is gone or refused now is dropped.
func (s *archives) remember(key archiveKey, err error) {
	var d time.Duration
	var ze *zipindex.Error
	switch {
	case errors.As(err, &ze) && ze.Code == zipindex.CodeIncomplete:
		d = 5 * time.Second
	case errors.As(err, &ze):
		d = 60 * time.Second
	case errors.Is(err, origin.ErrNotFound):
		d = 5 * time.Second
	default:
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if old, ok := s.kept.Peek(key); ok {
		s.kept.Remove(key)
		s.g.disk.DropBlob(old.blob())
	}
	s.refused.Add(key, refusal{err, time.Now().Add(d)})
}

// tail answers how many bytes of an archive's end to read first: as many as it took the last time, so that one read is enough. Several nodes are asked for
// little, since they are asked all at once.
func (s *archives) tail(src *source, name string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n, ok := s.tails.Get(archiveKey{src.Name, name}); ok && src.oneNode() {
		return n
	}
	return tailBytes
}

func (s *archives) setTail(src *source, name string, n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tails.Add(archiveKey{src.Name, name}, max(n, tailBytes))
}

// revalidate asks storage, in the background and at most once at a time, whether a version that was
// last checked some time ago is still there.
func (s *archives) revalidate(a *archive) {
	every := s.g.cfg.Revalidate
	if a.src.local {
		every = min(every, time.Second) // asking costs a stat
	}
	if a.src.Immutable || every < 0 || s.now()-a.checked.Load() < int64(every) || !a.checking.CompareAndSwap(false, true) {
		return
	}
	s.g.background.startWithin(workWithin, func(ctx context.Context) {
		defer a.checking.Store(false)
		s.check(ctx, a)
	})
}

// check reads one byte under the version's validator.
func (s *archives) check(ctx context.Context, a *archive) {
	want := a.validator.Load()
	body, err := s.g.read(ctx, a.src, a.name, a.index.Size()-1, 1, want)
	if err == nil {
		io.Copy(io.Discard, body) // so that the connection is kept
		body.Close()
		a.checked.Store(s.now())
		a.stale.Store(false)
		return
	}
	if errors.Is(err, origin.ErrChanged) || errors.Is(err, origin.ErrNotFound) {
		s.refresh(ctx, a, want) // keeps or drops; nobody waits for the answer
		return
	}
	s.g.log.Warn("archive not revalidated", "source", a.src.Name, "archive", a.name, "err", err)
	a.stale.Store(true)
	a.checked.Store(s.now())
}

// stats answers how many indexes are kept, and their bytes.
func (s *archives) stats() (n int, bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept.Len(), s.bytes
}
