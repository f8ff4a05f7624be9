package gateway

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"zipreel/gateway/cache"
	"zipreel/gateway/origin"
	"zipreel/zipindex"
)

// train is one read of entries that lie side by side. Each of them is a car: a fill of its own in the cache, which any viewer may join. They take turns
// at the read.
//
// A car's turn comes when the one before has all its bytes. Where a car fails, or nobody waits for it any more, those behind it are cut off: what a viewer
// has asked for meanwhile is read by itself, and the rest let go.
type train struct {
	p      *prefetch
	a      *archive
	run    *run // that is read ahead of
	want   *origin.Validator
	ctx    context.Context // of the read
	cancel context.CancelFunc
	cars   []*car

	mu      sync.Mutex // guards following
	next    int        // car whose turn it is; -1: none has begun
	limit   int        // cars from here on are cut off
	loading bool       // car next has body
	body    *origin.Body
	at      int64 // next byte of the archive that body delivers
}

type car struct {
	e     zipindex.Entry
	piece *piece
	turn  chan struct{} // closed when it is the car's turn, or it is cut off
}

// aloneAfter is how long a car that was cut off waits to be given up. The cache gives up what nobody waits for a little earlier.
const aloneAfter = 350 * time.Millisecond

// errDerailed says that an entry does not begin where the one before ended.
var errDerailed = errors.New("entries overlap")

func newTrain(p *prefetch, a *archive, r *run) *train {
	t := &train{p: p, a: a, run: r, want: a.validator.Load(), next: -1}
	t.ctx, t.cancel = context.WithCancel(p.g.background.ctx)
	return t
}

// board starts a fill for each entry, up to the first that is being filled already, and lets them go. It answers their readers, to be closed by the caller;
// for a first entry that is being filled already, that one's.
func (t *train) board(group []zipindex.Entry) []*cache.Reader {
	ended, end := context.WithCancel(t.ctx)
	end()
	var readers []*cache.Reader
	for _, e := range group {
		pc := &piece{obj: t.a.object(e), since: time.Now(), wanted: make(chan struct{})}
		c := &car{e: e, piece: pc, turn: make(chan struct{})}
		if !t.p.begin(t.run, pc) {
			break
		}
		rd := t.p.g.cache.Ahead(pc.obj, t.fill(len(t.cars), c))
		rd.Next(ended) // starts the fill and waits for nothing
		if rd.Outcome() != cache.Miss {
			t.p.end(pc, context.Canceled) // another fill's
			close(c.turn)                 // should it come to this one after all
			if len(readers) == 0 {
				readers = append(readers, rd)
			} else {
				rd.Close()
			}
			break
		}
		t.cars, readers = append(t.cars, c), append(readers, rd)
	}
	t.depart()
	return readers
}

// depart gives the first car its turn.
func (t *train) depart() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.limit = len(t.cars)
	t.advance(0)
}

// advance gives a car its turn, or ends the read where there is none. mu is held.
func (t *train) advance(i int) {
	t.next = i
	if i < t.limit {
		close(t.cars[i].turn)
		return
	}
	t.stop()
}

// stop ends the read. mu is held, and no car is loading.
func (t *train) stop() {
	t.cancel()
	if t.body != nil {
		t.body.Close()
		t.body = nil
	}
}

// cut cuts off the i-th car and those behind it; one that is loading goes on.
func (t *train) cut(i int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i = max(i, t.next)
	if i == t.next && t.loading {
		i++
	}
	if i >= t.limit {
		return
	}
	for _, c := range t.cars[max(i, t.next+1):t.limit] {
		close(c.turn)
	}
	t.limit = i
	if !t.loading && t.next >= i {
		t.stop()
	}
}

// fill is the i-th car's.
func (t *train) fill(i int, c *car) cache.Fill {
	return func(ctx context.Context, off, n int64, w *cache.Sink) (err error) {
		defer func() {
			if err == nil {
				c.piece.got.Store(n)
			}
			t.p.end(c.piece, err)
		}()
		if !t.await(ctx, i, c) {
			return t.alone(ctx, c, off, n, w)
		}
		err = t.load(ctx, i, c, n, w)
		if err != nil && c.again(err) && w.Restart(err) {
			return t.p.g.fill(t.a, c.e)(ctx, off, n, w)
		}
		return err
	}
}

// again says whether a car that failed is to be read by itself: there may be better bytes, or a viewer waits.
func (c *car) again(err error) bool {
	select {
	case <-c.piece.wanted:
		return true
	default:
	}
	_, wrong := wrongBytes(err)
	return wrong || errors.Is(err, origin.ErrChanged) || errors.Is(err, errDerailed)
}

// await waits for the car's turn. It is false for one that was cut off.
func (t *train) await(ctx context.Context, i int, c *car) bool {
	select {
	case <-c.turn:
	case <-ctx.Done():
		t.cut(i)
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if i >= t.limit {
		return false
	}
	t.loading = true
	return true
}

// alone reads what was cut off by itself, once somebody wants it.
func (t *train) alone(ctx context.Context, c *car, off, n int64, w *cache.Sink) error {
	timer := time.NewTimer(aloneAfter)
	defer timer.Stop()
	select {
	case <-c.piece.wanted:
	case <-timer.C:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return t.p.g.fill(t.a, c.e)(ctx, off, n, w)
}

// load delivers the car's bytes from the read, and gives the next one its turn.
func (t *train) load(ctx context.Context, i int, c *car, n int64, w *cache.Sink) error {
	stop := context.AfterFunc(ctx, t.cancel)
	defer stop()
	r := &entryReader{g: t.p.g, a: t.a, e: c.e, ctx: t.ctx, want: t.want, body: t.body, at: t.at}
	sent, err := t.read(r, n, w)
	c.piece.got.Store(sent)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.loading, t.body, t.at = false, r.body, r.at
	if err != nil {
		for _, c := range t.cars[i+1 : max(i+1, t.limit)] {
			close(c.turn)
		}
		t.limit = min(t.limit, i+1)
	}
	t.advance(i + 1)
	return err
}

// read delivers one entry's n bytes, the first one's from the request on.
func (t *train) read(r *entryReader, n int64, w *cache.Sink) (int64, error) {
	from := r.e.HeaderOffset
	if r.body == nil {
		if err := r.request(from, t.cars[len(t.cars)-1].e.End); err != nil {
			return 0, err
		}
	}
	if r.at > from {
		return 0, errDerailed
	}
	if _, err := io.CopyN(io.Discard, r.body, from-r.at); err != nil { // a descriptor, or padding
		return 0, unexpectedEOF(err)
	}
	start, err := r.readHeader()
	if err != nil {
		return 0, err
	}
	r.end = start + n
	return r.deliver(n, w)
}
