package gateway

import (
	"context"
	"hash/maphash"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"zipreel/gateway/cache"
	"zipreel/zipindex"
)

// prefetch reads segments into the cache before they are asked for. Two segments that a viewer asks for in the order of their playlist are a run; from
// then on the one after is read, and where storage is slow to answer those of the next 8 s of playback, in one read where they lie side by side, but no more
// than half of what the viewer has asked for so far.
//
// It gives way: nothing is read ahead while storage is down or busy, while the segment asked for is on its way, beyond fixed shares of the cache, or from
// sources of which it lately read mostly in vain. A viewer who asks for what is being read joins it, as any fill. One who goes elsewhere leaves it.
//
// Lock order: prefetch.mu, then the cache's.
type prefetch struct {
	g     *Gateway
	ahead int64 // bytes read ahead of one run; 0: nothing is
	seed  maphash.Seed

	read, used, wasted *prometheus.CounterVec // bytes, by source

	mu       sync.Mutex // guards following
	visits   map[visitKey]*visit
	pending  pending
	outcomes map[string]*outcomes // by source
}

const (
	defaultPrefetch = 16 << 20
	slowFirstByte   = 50 * time.Millisecond // storage that takes longer is read further ahead
	aheadFor        = 8 * time.Second       // of playback, there
	aheadMost       = 16                    // segments, however short
	aheadUntimed    = 4                     // segments of unknown duration

	pendingShare = 16 // at most 1/pendingShare of the cache's memory is read ahead and not yet used: less than the share it has for what is new
	archiveShare = 32 // and 1/archiveShare of one archive
	busyShare    = 2  // nothing is read ahead while more than 1/busyShare of what may be in flight is

	runFor       = 30 * time.Second // a viewer who asks for nothing that long has gone
	maxVisits    = 1 << 13
	visitsLooked = 16 // to find one who has gone
	maxRuns      = 32 // of one visit: viewers behind one proxy look like one
	oneViewer    = 4  // runs that one viewer may have at once: video, sound, subtitles, pictures
)

func newPrefetch(g *Gateway) *prefetch {
	p := &prefetch{
		g: g, ahead: max(0, g.cfg.Prefetch), seed: maphash.MakeSeed(),
		read:   counters("zipreel_prefetch_bytes_total", "Bytes read ahead of viewers.", "source"),
		used:   counters("zipreel_prefetch_used_bytes_total", "Of these, those that a viewer asked for.", "source"),
		wasted: counters("zipreel_prefetch_wasted_bytes_total", "Of these, those that nobody asked for in time.", "source"),
		visits: map[visitKey]*visit{}, pending: newPending(), outcomes: map[string]*outcomes{},
	}
	for name := range g.sources {
		p.outcomes[name] = &outcomes{}
	}
	return p
}

// visitKey is one viewer of one version of an archive, as far as viewers can be told apart.
type visitKey struct{ viewer, archive uint64 }

// visit is what one viewer does in one archive.
type visit struct {
	asked time.Time
	runs  []*run
}

// run is a viewer's way through one rendition.
type run struct {
	e     zipindex.Entry // asked for last
	next  successor      // of e
	count int            // segments asked for in order
	asked time.Time
	spare int  // requests until what lies ahead is to be looked at
	job   *job // reads ahead; nil: none

	pieces []*piece // read ahead, some of them used since
}

func (r *run) fresh(now time.Time) bool { return now.Sub(r.asked) < runFor }

// step is one request for a whole segment or a range of it: where it is in its playlist.
type step struct {
	p    *prefetch
	a    *archive
	e    zipindex.Entry
	next successor

	run   *run // to read ahead of; nil: none
	count int  // of the run
}

// step answers nil where there is nothing to follow: local sources, entries of no playlist's order, prefetch switched off.
func (p *prefetch) step(a *archive, e zipindex.Entry, next successor) *step {
	if p.ahead == 0 || a.src.local || next.ref == "" && !p.waits(a.object(e)) {
		return nil
	}
	return &step{p: p, a: a, e: e, next: next}
}

// waits says whether obj was read ahead and not yet asked for.
func (p *prefetch) waits(obj cache.Object) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pending.pieces[obj] != nil
}

// asked is called before the segment's bytes are opened.
func (s *step) asked(r *http.Request) {
	if s == nil {
		return
	}
	p, now := s.p, time.Now()
	key := visitKey{p.viewer(r), s.a.id}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expire(now)
	p.took(s.a.object(s.e))
	if s.run = p.follow(key, s, now); s.run != nil {
		s.count = s.run.count
	}
}

// viewer tells viewers apart, by what requests say of them. It needs not be right: two who are taken for one lose no more than what is read ahead.
func (p *prefetch) viewer(r *http.Request) uint64 {
	var h maphash.Hash
	h.SetSeed(p.seed)
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	h.WriteString(host)
	for _, name := range []string{"X-Forwarded-For", "X-Playback-Session-Id", "User-Agent"} {
		h.WriteByte(0)
		h.WriteString(r.Header.Get(name))
	}
	return h.Sum64()
}

// follow notes the request, and answers the run to read ahead of, if any. mu is held.
func (p *prefetch) follow(key visitKey, s *step, now time.Time) *run {
	v := p.visits[key]
	if v == nil {
		p.makeRoom(now)
		v = &visit{}
		p.visits[key] = v
	}
	v.asked = now
	for _, r := range v.runs {
		switch {
		case !r.fresh(now):
		case r.e.HeaderOffset == s.e.HeaderOffset:
			r.asked = now // again, or another range of it
			return nil
		case r.next.n > 0 && r.next.off == s.e.HeaderOffset:
			r.e, r.next, r.asked = s.e, s.next, now
			r.count++
			r.spare--
			if r.job == nil && r.spare <= 0 {
				return r
			}
			return nil
		}
	}
	p.enter(v, &run{e: s.e, next: s.next, count: 1, asked: now}, now)
	return nil
}

// enter adds a run. One viewer who begins anew has left what was read ahead of the others, unless it was asked for meanwhile. mu is held.
func (p *prefetch) enter(v *visit, r *run, now time.Time) {
	v.runs = slices.DeleteFunc(v.runs, func(old *run) bool {
		if !old.fresh(now) {
			p.leave(old)
		}
		return !old.fresh(now)
	})
	if len(v.runs) <= oneViewer {
		for _, old := range v.runs {
			p.leave(old)
		}
	}
	if len(v.runs) == maxRuns {
		oldest := slices.MinFunc(v.runs, func(a, b *run) int { return a.asked.Compare(b.asked) })
		p.leave(oldest)
		v.runs = slices.DeleteFunc(v.runs, func(r *run) bool { return r == oldest })
	}
	v.runs = append(v.runs, r)
}

// leave ends what is read ahead of the run, and takes no more care of what was. mu is held.
func (p *prefetch) leave(r *run) {
	if r.job != nil {
		r.job.cancel()
	}
	for _, pc := range r.pieces {
		p.pending.leave(pc)
	}
	r.spare, r.pieces = 0, nil
}

// makeRoom forgets some viewer where there are too many: of a few, one who has gone, else any. mu is held.
func (p *prefetch) makeRoom(now time.Time) {
	if len(p.visits) < maxVisits {
		return
	}
	looked := 0
	for key, v := range p.visits {
		if looked++; looked < visitsLooked && now.Sub(v.asked) < runFor {
			continue
		}
		for _, r := range v.runs {
			p.leave(r)
		}
		delete(p.visits, key)
		return
	}
}

// began is called when the segment's first bytes are there.
func (s *step) began() {
	if s == nil || s.run == nil {
		return
	}
	p, r := s.p, s.run
	if !p.mayRead(s.a, 0) {
		return
	}
	group, spare := p.plan(s.a, s.next, s.count, false)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case r.job != nil || r.e.HeaderOffset != s.e.HeaderOffset:
	case len(group) == 0:
		r.spare = spare
	default:
		j := &job{p: p, a: s.a, run: r}
		ctx, cancel := context.WithCancel(p.g.background.ctx)
		if j.cancel = cancel; p.g.background.start(func(context.Context) { j.do(ctx, s.e) }) {
			r.job = j
		}
	}
}

// plan answers what to read ahead, from the successor next on, of a viewer who asked for count segments in order: entries side by side in the archive, to be
// read at once. It waits until half of what should be there is missing, and tells how many requests the rest lasts for; a job that has begun goes on until
// all is there.
func (p *prefetch) plan(a *archive, next successor, count int, begun bool) (group []zipindex.Entry, spare int) {
	slow := a.src.firstByte.slow()
	var bytes int64
	var plays time.Duration
	most := min(count/2, aheadMost)
	for n := 0; n < most; n++ {
		e, ok := next.entry(a)
		if !ok || !p.fits(a, e, &bytes) {
			break
		}
		enough := 2*n >= most || 2*plays >= aheadFor || next.lasts == 0 && 2*n >= aheadUntimed || 2*bytes > p.ahead
		switch has := p.has(a.object(e)); {
		case len(group) > 0:
			if has || group[len(group)-1].End != e.HeaderOffset {
				return group, 0
			}
			group = append(group, e)
		case !has && spare > 0 && enough && !begun:
			return nil, spare / 2
		case !has:
			group = append(group, e)
		default:
			spare++
		}
		plays += next.lasts
		if !slow || plays >= aheadFor || next.lasts == 0 && n+1 >= aheadUntimed {
			break
		}
		next = p.g.memos.successor(a, e)
	}
	return group, spare / 2
}

// fits says whether e can be read ahead, of which bytes are planned already, and adds its own.
func (p *prefetch) fits(a *archive, e zipindex.Entry, bytes *int64) bool {
	if e.Refused() != nil || e.Method != methodStored || p.g.memos.wrongWhy(a.object(e)) != nil {
		return false
	}
	*bytes += e.End - e.HeaderOffset
	return *bytes <= p.ahead
}

// has says whether obj is kept, or read ahead already.
func (p *prefetch) has(obj cache.Object) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	pc := p.pending.pieces[obj]
	return pc != nil && !pc.done || p.g.cache.Has(obj)
}
