package cache

import (
	"bytes"
	"context"
	"errors"
	"hash/crc32"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// at is the content of every test object: a byte that tells its place.
func at(i int64) byte { return byte(i*7 ^ i>>8 ^ i>>16) }

func content(off, n int64) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = at(off + int64(i))
	}
	return b
}

func object(name string, size int64) Object {
	return Object{Source: "s", Archive: "a.zip", Entry: name, Size: size, CRC: crc32.ChecksumIEEE(content(0, size))}
}

// storage fills from content, and writes down what it was asked for.
type storage struct {
	mu    sync.Mutex
	asked [][2]int64
	step  int // bytes per write; 0: all at once
	gate  chan struct{}
}

func (s *storage) fill(ctx context.Context, off, n int64, w *Sink) error {
	s.mu.Lock()
	s.asked = append(s.asked, [2]int64{off, n})
	s.mu.Unlock()
	step := int64(s.step)
	if step == 0 {
		step = n
	}
	for at := int64(0); at < n; at += step {
		if s.gate != nil {
			select {
			case <-s.gate:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if _, err := w.Write(content(off+at, min(step, n-at))); err != nil {
			return err
		}
	}
	return nil
}

func (s *storage) fills() [][2]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytesClone(s.asked)
}

func bytesClone(a [][2]int64) [][2]int64 { return append([][2]int64(nil), a...) }

// readAll reads to the end.
func readAll(t testing.TB, r *Reader) ([]byte, error) {
	t.Helper()
	var all []byte
	for {
		p, err := r.Next(context.Background())
		all = append(all, p...)
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return all, err
		}
	}
}

func wantRead(t testing.TB, c *Cache, obj Object, off, n int64, s *storage, want Outcome) {
	t.Helper()
	r := c.Open(obj, off, n, s.fill)
	defer r.Close()
	got, err := readAll(t, r)
	if err != nil || !bytes.Equal(got, content(off, n)) {
		t.Fatalf("read [%d, %d+%d): %d bytes, %v", off, off, n, len(got), err)
	}
	if r.Outcome() != want {
		t.Errorf("outcome %v, want %v", r.Outcome(), want)
	}
}

func newCache(t testing.TB, cfg Config) *Cache {
	c := New(cfg)
	t.Cleanup(c.Close)
	return c
}

func TestHitAfterMiss(t *testing.T) {
	c, s := newCache(t, Config{}), &storage{}
	obj := object("seg", 100_000)
	wantRead(t, c, obj, 0, obj.Size, s, Miss)
	wantRead(t, c, obj, 0, obj.Size, s, Hit)
	wantRead(t, c, obj, 99_990, 10, s, Hit)
	if f := s.fills(); len(f) != 1 || f[0] != [2]int64{0, obj.Size} {
		t.Errorf("fills %v, want one of the whole object", f)
	}
	if !c.Has(obj) || !c.Proved(obj) {
		t.Error("object is not kept, or not proved")
	}
}

func TestManyReadersOneFill(t *testing.T) {
	c, s := newCache(t, Config{}), &storage{step: 10_000}
	obj := object("seg", 1_000_000)
	var wg sync.WaitGroup
	for range 1000 {
		wg.Go(func() {
			r := c.Open(obj, 0, obj.Size, s.fill)
			defer r.Close()
			if got, err := readAll(t, r); err != nil || int64(len(got)) != obj.Size || crc32.ChecksumIEEE(got) != obj.CRC {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		})
	}
	wg.Wait()
	if n := len(s.fills()); n != 1 {
		t.Errorf("%d fills, want 1", n)
	}
}

func TestBytesArriveBeforeTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := New(Config{}), &storage{step: 10_000, gate: make(chan struct{})}
		defer c.Close()
		obj := object("seg", 100_000)
		r := c.Open(obj, 0, obj.Size, s.fill)
		defer r.Close()
		go func() { s.gate <- struct{}{} }()
		p, err := r.Next(t.Context())
		if err != nil || len(p) != 10_000 || !bytes.Equal(p, content(0, 10_000)) {
			t.Fatalf("first piece of %d bytes, %v, want the 10,000 that have arrived", len(p), err)
		}
		for range 9 {
			s.gate <- struct{}{}
		}
		if rest, err := readAll(t, r); err != nil || len(rest) != 90_000 {
			t.Errorf("the rest: %d bytes, %v", len(rest), err)
		}
	})
}

func TestWrongBytesNeverComplete(t *testing.T) {
	c := newCache(t, Config{})
	for _, size := range []int64{1, held, held + 1, 200_000} {
		obj := object("seg", size)
		obj.CRC ^= 1
		s := &storage{step: 5000}
		r := c.Open(obj, 0, size, s.fill)
		got, err := readAll(t, r)
		r.Close()
		var sum *ChecksumError
		if !errors.As(err, &sum) || sum.Got != obj.CRC^1 || !errors.Is(err, ErrChecksum) {
			t.Errorf("%d bytes: error %v, want a ChecksumError", size, err)
		}
		if int64(len(got)) > max(0, size-held) {
			t.Errorf("%d of %d wrong bytes were handed out", len(got), size)
		}
		if c.Has(obj) || c.Proved(obj) {
			t.Error("wrong bytes are kept")
		}
	}
}

func TestFillErrors(t *testing.T) {
	c := newCache(t, Config{})
	obj := object("seg", 50_000)
	broken := errors.New("broken")
	fills := map[string]struct {
		fill Fill
		want error
	}{
		"error": {func(context.Context, int64, int64, *Sink) error { return broken }, broken},
		"short": {func(_ context.Context, _, _ int64, w *Sink) error { w.Write(content(0, 100)); return nil }, io.ErrUnexpectedEOF},
		"too much": {func(_ context.Context, _, n int64, w *Sink) error {
			w.Write(content(0, n))
			_, err := w.Write([]byte("x"))
			return err
		}, nil},
		"panic": {func(context.Context, int64, int64, *Sink) error { panic("at the disco") }, nil},
	}
	for name, f := range fills {
		t.Run(name, func(t *testing.T) {
			r := c.Open(Object{Entry: name, Size: obj.Size, CRC: obj.CRC}, 0, obj.Size, f.fill)
			defer r.Close()
			_, err := readAll(t, r)
			if name == "too much" {
				if err != nil {
					t.Errorf("%v: the object itself was right", err)
				}
				return
			}
			if err == nil || f.want != nil && !errors.Is(err, f.want) {
				t.Errorf("error %v, want %v", err, f.want)
			}
		})
	}
	s := &storage{}
	wantRead(t, c, Object{Entry: "error", Size: obj.Size, CRC: obj.CRC}, 0, obj.Size, s, Miss)
}

// TestFirstReaderLeavesHarmsNobody: the one who started the fill goes, another one is there.
func TestFirstReaderLeavesHarmsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := New(Config{}), &storage{step: 10_000, gate: make(chan struct{})}
		defer c.Close()
		obj := object("seg", 100_000)
		first, second := c.Open(obj, 0, obj.Size, s.fill), c.Open(obj, 0, obj.Size, s.fill)
		defer second.Close()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { _, err := first.Next(ctx); done <- err }()
		synctest.Wait()
		got := make(chan int)
		go func() { b, _ := readAll(t, second); got <- len(b) }()
		synctest.Wait()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("first reader: %v", err)
		}
		first.Close()
		time.Sleep(time.Minute)
		for range 10 {
			s.gate <- struct{}{}
		}
		if n := <-got; n != 100_000 || len(s.fills()) != 1 {
			t.Errorf("second reader got %d bytes from %d fills", n, len(s.fills()))
		}
	})
}

// TestAbandonedFillStops, and who comes afterwards starts a new one.
func TestAbandonedFillStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := New(Config{}), &storage{step: 10_000, gate: make(chan struct{}, 100)}
		defer c.Close()
		obj := object("seg", 100_000)
		r := c.Open(obj, 0, obj.Size, s.fill)
		s.gate <- struct{}{}
		if _, err := r.Next(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.Close()
		time.Sleep(abandonAfter / 2)
		if c.Stats().Inflight == 0 {
			t.Error("the fill was given up at once")
		}
		time.Sleep(abandonAfter)
		synctest.Wait()
		if st := c.Stats(); st.Inflight != 0 {
			t.Errorf("%d bytes still being filled for nobody", st.Inflight)
		}
		for range 10 {
			s.gate <- struct{}{}
		}
		wantRead(t, c, obj, 0, obj.Size, s, Miss)
	})
}

// TestReturningReaderFindsTheFill: it left for a moment only, or was told to come back.
func TestReturningReaderFindsTheFill(t *testing.T) {
	for name, tt := range map[string]struct {
		leave func(*Reader)
		away  time.Duration
	}{
		"close": {(*Reader).Close, abandonAfter / 2},
		"leave": {(*Reader).Leave, 50 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, s := New(Config{}), &storage{step: 10_000, gate: make(chan struct{}, 100)}
				defer c.Close()
				obj := object("seg", 100_000)
				r := c.Open(obj, 0, obj.Size, s.fill)
				s.gate <- struct{}{}
				r.Next(t.Context())
				tt.leave(r)
				time.Sleep(tt.away)
				again := c.Open(obj, 0, obj.Size, s.fill)
				again.Next(t.Context())
				time.Sleep(time.Hour)
				for range 9 {
					s.gate <- struct{}{}
				}
				if _, err := readAll(t, again); err != nil || len(s.fills()) != 1 {
					t.Errorf("%v, %d fills, want one", err, len(s.fills()))
				}
				again.Close()
			})
		})
	}
}

func TestNearlyDoneFillGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := New(Config{}), &storage{step: 10_000, gate: make(chan struct{}, 100)}
		defer c.Close()
		obj := object("seg", 100_000)
		r := c.Open(obj, 0, obj.Size, s.fill)
		for range 6 {
			s.gate <- struct{}{}
		}
		r.Next(t.Context())
		synctest.Wait()
		r.Close()
		time.Sleep(time.Second)
		for range 4 {
			s.gate <- struct{}{}
		}
		synctest.Wait()
		if !c.Has(obj) {
			t.Error("a fill of which more than half had arrived was given up")
		}
	})
}

func TestLargeObjectReadsWhatIsAskedFor(t *testing.T) {
	c, s := newCache(t, Config{Whole: 1000, Span: 100, Ahead: 500}), &storage{}
	obj := object("movie", 10_050)
	wantRead(t, c, obj, 250, 10, s, Miss)
	wantRead(t, c, obj, 260, 100, s, Hit)
	wantRead(t, c, obj, 700, 1000, s, Miss)
	wantRead(t, c, obj, 10_020, 30, s, Miss)
	want := [][2]int64{{200, 100}, {300, 100}, {700, 500}, {1200, 500}, {10_000, 50}}
	got := s.fills()
	if len(got) != len(want) {
		t.Fatalf("fills %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("fill %d is %v, want %v", i, got[i], want[i])
		}
	}
}

func TestLargeObjectIsProvedWhole(t *testing.T) {
	c, s := newCache(t, Config{Whole: 100_000, Span: 30_000, Ahead: 90_000}), &storage{step: 7000}
	obj := object("movie", 1_000_000)
	wantRead(t, c, obj, 0, obj.Size, s, Miss)
	if !c.Proved(obj) {
		t.Error("not proved after it was read whole")
	}
	bad := obj
	bad.CRC ^= 1
	r := c.Open(bad, 0, bad.Size, s.fill)
	defer r.Close()
	got, err := readAll(t, r)
	if !errors.Is(err, ErrChecksum) || int64(len(got)) >= bad.Size {
		t.Errorf("%d wrong bytes handed out, then %v", len(got), err)
	}
	if c.Has(bad) || c.Proved(bad) {
		t.Error("wrong bytes are kept")
	}
}

// TestReadAheadIsBounded: a viewer of gigabytes who stops taking does not pull them.
func TestReadAheadIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := New(Config{Whole: 1000, Span: 1000, Ahead: 5000}), &storage{}
		defer c.Close()
		obj := Object{Entry: "movie", Size: 1 << 40}
		r := c.Open(obj, 0, obj.Size, s.fill)
		defer r.Close()
		r.Next(t.Context())
		synctest.Wait()
		if f := s.fills(); len(f) != 1 || f[0][1] > 5000 {
			t.Errorf("fills %v, want one of at most 5,000 bytes", f)
		}
	})
}

func TestInflightIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := New(Config{Whole: 1000, Ahead: 1000, Inflight: 2000}), &storage{gate: make(chan struct{})}
		defer c.Close()
		for i := range 2 {
			r := c.Open(object(string(rune('a'+i)), 1000), 0, 1000, s.fill)
			defer r.Close()
			go r.Next(t.Context())
		}
		synctest.Wait()
		r := c.Open(object("late", 1000), 0, 1000, s.fill)
		defer r.Close()
		began := time.Now()
		if _, err := r.Next(t.Context()); !errors.Is(err, ErrBusy) {
			t.Errorf("error %v, want ErrBusy", err)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("said so after %v, want within 1 s", took)
		}
	})
}

func TestPut(t *testing.T) {
	c := newCache(t, Config{})
	obj := object("list", 500)
	data := content(0, 500)
	if err := c.Put(obj, data); err != nil {
		t.Fatal(err)
	}
	clear(data) // the cache has a copy
	wantRead(t, c, obj, 0, 500, &storage{}, Hit)
	if err := c.Put(object("list", 400), data[:400]); !errors.Is(err, ErrChecksum) {
		t.Errorf("wrong bytes put: %v, want ErrChecksum", err)
	}
	c.Drop(obj)
	if c.Has(obj) {
		t.Error("still there after Drop")
	}
}

func TestEmptyObject(t *testing.T) {
	c := newCache(t, Config{})
	r := c.Open(Object{Entry: "empty"}, 0, 0, nil)
	if p, err := r.Next(t.Context()); len(p) > 0 || err != io.EOF {
		t.Errorf("%d bytes, %v, want io.EOF", len(p), err)
	}
	r.Close()
	r = c.Open(Object{Entry: "empty", CRC: 5}, 0, 0, nil)
	if _, err := r.Next(t.Context()); !errors.Is(err, ErrChecksum) {
		t.Errorf("%v, want ErrChecksum", err)
	}
	r.Close()
}

func TestCloseReleasesEverybody(t *testing.T) {
	c, s := New(Config{}), &storage{gate: make(chan struct{})}
	var waiting sync.WaitGroup
	var released atomic.Int64
	for range 20 {
		waiting.Go(func() {
			r := c.Open(object("seg", 1000), 0, 1000, s.fill)
			defer r.Close()
			if _, err := r.Next(context.Background()); err != nil {
				released.Add(1)
			}
		})
	}
	for c.Stats().Shared+c.Stats().Misses < 20 {
		time.Sleep(time.Millisecond)
	}
	c.Close()
	waiting.Wait()
	if released.Load() != 20 {
		t.Errorf("%d of 20 readers were released", released.Load())
	}
	if _, err := c.Open(object("seg", 1000), 0, 1000, s.fill).Next(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v, want ErrClosed", err)
	}
}

func BenchmarkHit(b *testing.B) {
	c, s := New(Config{}), &storage{}
	defer c.Close()
	obj := object("seg", 1<<20)
	r := c.Open(obj, 0, obj.Size, s.fill)
	readAll(b, r)
	r.Close()
	b.ReportAllocs()
	for b.Loop() {
		r := c.Open(obj, 0, obj.Size, s.fill)
		if p, err := r.Next(b.Context()); err != nil || len(p) != 1<<20 {
			b.Fatal(len(p), err)
		}
		r.Close()
	}
}

// TestRestartIsUnseen by a reader who was handed nothing yet; who had some of the wrong bytes is cut off.
func TestRestartIsUnseen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(Config{})
		defer c.Close()
		obj := object("seg", 100_000)
		go1, restarts := make(chan struct{}), 0
		fill := func(_ context.Context, off, n int64, w *Sink) error {
			wrong := content(off, n)
			wrong[10] ^= 1
			w.Write(wrong[:90_000])
			<-go1
			_, err := w.Write(wrong[90_000:])
			var sum *ChecksumError
			if !errors.As(err, &sum) || !w.Restart(err) {
				t.Errorf("%v, or no second turn", err)
			}
			restarts++
			_, err = w.Write(content(off, n))
			return err
		}
		early, late := c.Open(obj, 0, obj.Size, fill), c.Open(obj, 50_000, 1000, fill)
		defer early.Close()
		defer late.Close()
		if p, err := early.Next(t.Context()); err != nil || len(p) == 0 {
			t.Fatal(len(p), err)
		}
		got := make(chan []byte)
		waiter := c.Open(obj, 95_000, 5000, fill)
		defer waiter.Close()
		go func() { b, _ := readAll(t, waiter); got <- b }()
		synctest.Wait()
		close(go1)
		if b := <-got; !bytes.Equal(b, content(95_000, 5000)) {
			t.Errorf("the one who waited got %d bytes, or wrong ones", len(b))
		}
		if _, err := readAll(t, early); !errors.Is(err, ErrChecksum) {
			t.Errorf("the one who had wrong bytes: %v, want ErrChecksum", err)
		}
		if b, err := readAll(t, late); err != nil || !bytes.Equal(b, content(50_000, 1000)) {
			t.Errorf("the one who came late: %d bytes, %v", len(b), err)
		}
		if restarts != 1 || !c.Has(obj) || !c.Proved(obj) {
			t.Errorf("%d restarts, kept %v", restarts, c.Has(obj))
		}
	})
}

// TestRestartSparesRightBytes: who was handed nothing but right bytes goes on, though others came behind them.
func TestRestartSparesRightBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(Config{})
		defer c.Close()
		obj, gate := object("seg", 100_000), make(chan struct{})
		fill := func(_ context.Context, off, n int64, w *Sink) error {
			wrong := content(off, n)
			wrong[60_000] ^= 1
			w.Write(wrong[:50_000])
			<-gate
			if _, err := w.Write(wrong[50_000:]); err == nil || !w.Restart(err) {
				t.Errorf("%v, or no second turn", err)
			}
			_, err := w.Write(content(off, n))
			return err
		}
		r := c.Open(obj, 0, obj.Size, fill)
		defer r.Close()
		got, err := r.Next(t.Context())
		if err != nil || len(got) != 50_000 {
			t.Fatal(len(got), err)
		}
		got = bytes.Clone(got)
		close(gate)
		synctest.Wait()
		rest, err := readAll(t, r)
		if got = append(got, rest...); err != nil || !bytes.Equal(got, content(0, obj.Size)) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
	})
}

// TestHoldKeepsWrongBytesBack: nobody is cut off by a second turn when nothing of the first was handed out.
func TestHoldKeepsWrongBytesBack(t *testing.T) {
	c := newCache(t, Config{})
	obj := object("seg", 100_000)
	fill := func(_ context.Context, off, n int64, w *Sink) error {
		w.Hold()
		wrong := content(off, n)
		wrong[10] ^= 1
		if _, err := w.Write(wrong); err == nil || !w.Restart(err) {
			t.Errorf("%v, or no second turn", err)
		}
		_, err := w.Write(content(off, n))
		return err
	}
	r := c.Open(obj, 0, obj.Size, fill)
	defer r.Close()
	if b, err := readAll(t, r); err != nil || !bytes.Equal(b, content(0, obj.Size)) {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}

// TestPinnedBytesAreBounded: viewers who take nothing hold what is kept no more, but not more of it than may be read at once.
func TestPinnedBytesAreBounded(t *testing.T) {
	const size, inflight = 1 << 20, 4 << 20
	c := newCache(t, Config{Memory: 2 << 20, Inflight: inflight, Whole: size, Ahead: size})
	s := &storage{}
	names := "abcdefghijklmnopqrstuvwxyz"
	var stalled []*Reader
	refused := 0
	for i := range names {
		r := c.Open(object(names[i:i+1], size), 0, size, s.fill)
		if _, err := r.Next(t.Context()); errors.Is(err, ErrBusy) {
			refused++
			r.Close()
			continue
		} else if err != nil {
			t.Fatal(err)
		}
		stalled = append(stalled, r)
	}
	if held := int64(len(stalled)) * size; held > 2<<20+inflight+2*size || refused == 0 {
		t.Errorf("%d stalled viewers hold %d bytes, %d were refused", len(stalled), held, refused)
	}
	if got := c.Stats().Pinned; got == 0 || got > inflight+size {
		t.Errorf("%d bytes are counted as pinned", got)
	}
	for _, r := range stalled {
		r.Close()
	}
	if got := c.Stats().Pinned; got != 0 {
		t.Errorf("%d bytes are pinned by nobody", got)
	}
	r := c.Open(object("z", size), 0, size, s.fill)
	defer r.Close()
	if _, err := r.Next(t.Context()); err != nil {
		t.Errorf("a viewer who came later: %v", err)
	}
}
