package origin_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"zipreel/gateway/origin"
	"zipreel/gateway/origin/origintest"
)

// film is the archive of these tests; its last 100,000 bytes are its proof.
var film = origintest.Data(0, 600_000)

func proofOf(data []byte, n int) origin.Proof {
	off := len(data) - n
	return origin.Proof{Off: int64(off), N: int64(n), SHA256: sha256.Sum256(data[off:])}
}

// threeNodes are nodes that hold film.zip, as one Origin.
func newNodes(t *testing.T, count int) (*origin.Nodes, []*origintest.Node) {
	t.Helper()
	var nodes []origin.Node
	var behind []*origintest.Node
	for range count {
		n := origintest.NewNode(t, map[string][]byte{"film.zip": film})
		o, err := origin.NewHTTP(origin.HTTPConfig{Base: n.URL, AllowPrivate: true})
		if err != nil {
			t.Fatal(err)
		}
		behind = append(behind, n)
		nodes = append(nodes, origin.Node{Name: n.URL, Origin: o})
	}
	s, err := origin.NewNodes(nodes)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, behind
}

// begin reads the tail and confirms the version, as a gateway does.
func begin(t *testing.T, s *origin.Nodes, proof int) origin.Validator {
	t.Helper()
	body, err := s.Read(t.Context(), "film.zip", origin.Tail, 50_000, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	got, err := io.ReadAll(body)
	if err != nil || body.Size != int64(len(film)) || !bytes.Equal(got, film[len(film)-50_000:]) {
		t.Fatalf("tail: %d bytes of %d, %v", len(got), body.Size, err)
	}
	if proof > 0 {
		s.Confirm(body.Validator, proofOf(film, proof))
	}
	return body.Validator
}

func readFilm(t *testing.T, s *origin.Nodes, v origin.Validator, off, n int64) *origin.Body {
	t.Helper()
	body, err := s.Read(t.Context(), "film.zip", off, n, &v)
	if err != nil {
		t.Fatalf("read %d+%d: %v", off, n, err)
	}
	defer body.Close()
	got, err := io.ReadAll(body)
	if err != nil || !bytes.Equal(got, film[off:off+n]) {
		t.Fatalf("read %d+%d: %d bytes, equal %v, %v", off, n, len(got), bytes.Equal(got, film[off:off+n]), err)
	}
	return body
}

// TestNodesConformance: several nodes are an Origin like any other.
func TestNodesConformance(t *testing.T) {
	for _, count := range []int{1, 3} {
		for name, fault := range map[string]origintest.Fault{
			"": {}, ", weak": {Weak: true}, ", no etag": {NoETag: true}, ", no suffix": {NoSuffix: true}, ", no 412": {IgnoreIfMatch: true},
		} {
			t.Run(string(rune('0'+count))+name, func(t *testing.T) {
				t.Parallel()
				origintest.Run(t, func(t *testing.T) origintest.Fixture {
					s, nodes := newNodes(t, count)
					for _, n := range nodes {
						n.Set(fault)
					}
					return origintest.Fixture{Origin: s, Set: func(_ *testing.T, name string, data []byte) {
						for _, n := range nodes {
							n.Put(name, data)
						}
					}}
				})
			})
		}
	}
}

// TestBrokenBodiesAreContinued on another node or, where there is only one, on the same, without a gap.
func TestBrokenBodiesAreContinued(t *testing.T) {
	for name, fault := range map[string]origintest.Fault{
		"cut":    {CutAt: 100_000, Times: 1},
		"stall":  {StallAt: 100_000, Times: 1},
		"reset":  {Reset: true, Times: 1},
		"status": {Status: 502, Times: 1},
	} {
		for _, count := range []int{1, 2} {
			t.Run(name+string(rune('0'+count)), func(t *testing.T) {
				t.Parallel()
				s, nodes := newNodes(t, count)
				v := begin(t, s, 40_000)
				for _, n := range nodes {
					n.Set(fault)
				}
				readFilm(t, s, v, 1000, 500_000)
			})
		}
	}
}

// TestContinuedBodyIsNotReadTwice: what came before the break is not asked for again.
func TestContinuedBodyIsNotReadTwice(t *testing.T) {
	s, nodes := newNodes(t, 2)
	v := begin(t, s, 40_000)
	var before int64
	for _, n := range nodes {
		before += n.Sent()
		n.Set(origintest.Fault{CutAt: 200_000, Times: 1})
	}
	body := readFilm(t, s, v, 0, 500_000)
	sent := -before
	for _, n := range nodes {
		sent += n.Sent()
	}
	const late = 50_000 // the other ballot of begin's vote may come only now
	if sent != 500_000 && sent != 500_000+late {
		t.Errorf("%d bytes were sent for 500,000", sent)
	}
	if *body.From != 3 {
		t.Errorf("bytes from nodes %b, want both", *body.From)
	}
}

// TestOddNodeIsSetAside: two agree, so the third's archive is never seen, whichever answers first.
func TestOddNodeIsSetAside(t *testing.T) {
	for odd := range 3 {
		synctest.Test(t, func(t *testing.T) { // no answer takes time
			var list []origin.Node
			var memories []*origin.Memory
			for i := range 3 {
				m := origin.NewMemory()
				m.Set("film.zip", film, `"1"`)
				if i == odd {
					m.Set("film.zip", origintest.Data(7, 600_000), `"1"`)
				}
				memories = append(memories, m)
				list = append(list, origin.Node{Name: "memory", Origin: m})
			}
			s, err := origin.NewNodes(list)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			for range 5 {
				v := begin(t, s, 100_000)
				readFilm(t, s, v, 0, 500_000)
			}
			for _, r := range memories[odd].Reads() {
				if r.Off == 0 {
					t.Errorf("the odd node %d was asked for content", odd)
				}
			}
		})
	}
}

// TestNodeWithTheSameTailIsProved: its tail is the same, and the proof tells it.
func TestNodeWithTheSameTailIsProved(t *testing.T) {
	s, nodes := newNodes(t, 2)
	changed := bytes.Clone(film)
	changed[len(film)-90_000] ^= 1 // in the proof, not in the tail
	v := begin(t, s, 0)
	// The rest of the directory comes from one node, which thereby is the version's own.
	readFilm(t, s, v, 500_000, 50_000)
	nodes[1].Put("film.zip", changed)
	nodes[0].Set(origintest.Fault{})
	s.Confirm(v, proofOf(film, 100_000))
	for range 20 {
		readFilm(t, s, v, 0, 400_000)
	}
}

// TestReplacedArchiveIsTold, when more than half of the nodes have another one; before that the rest serves the old one.
func TestReplacedArchiveIsTold(t *testing.T) {
	s, nodes := newNodes(t, 3)
	v := begin(t, s, 40_000)
	nodes[0].Put("film.zip", origintest.Data(9, 500_000))
	for range 10 {
		readFilm(t, s, v, 0, 400_000)
	}
	nodes[1].Put("film.zip", origintest.Data(9, 500_000))
	var err error
	for range 20 {
		var body *origin.Body
		if body, err = s.Read(t.Context(), "film.zip", 0, 400_000, &v); err != nil {
			break
		}
		got, _ := io.ReadAll(body)
		body.Close()
		if !bytes.Equal(got, film[:400_000]) {
			t.Fatal("bytes of another version")
		}
	}
	nodes[2].Put("film.zip", origintest.Data(9, 500_000))
	if _, err = s.Read(t.Context(), "film.zip", 0, 400_000, &v); !errors.Is(err, origin.ErrChanged) {
		t.Errorf("all nodes have another archive: %v, want ErrChanged", err)
	}
}

// TestNewValidatorsOfTheSameBytes are learnt, and nodes that have another one every time are held to the size.
func TestNewValidatorsOfTheSameBytes(t *testing.T) {
	for _, count := range []int{1, 2} {
		s, nodes := newNodes(t, count)
		v := begin(t, s, 40_000)
		for _, n := range nodes {
			n.Put("film.zip", film) // another ETag and time
		}
		readFilm(t, s, v, 0, 400_000)
		for _, n := range nodes {
			n.Set(origintest.Fault{AnyETag: true})
		}
		for range 5 {
			readFilm(t, s, v, 0, 400_000)
		}
		before := len(nodes[0].Requests())
		readFilm(t, s, v, 0, 400_000)
		if n := len(nodes[0].Requests()) - before; n > 1 {
			t.Errorf("%d requests for a read, want 1", n)
		}
	}
}

// TestSlowNodeIsHedged: headers that hang cost the time of a hedge, and the node is left.
func TestSlowNodeIsHedged(t *testing.T) {
	s, nodes := newNodes(t, 2)
	v := begin(t, s, 40_000)
	for range 50 { // both are known to be quick
		readFilm(t, s, v, 0, 1000)
	}
	busy := 0
	for i, n := range s.Stats() {
		if n.Reads > s.Stats()[busy].Reads {
			busy = i
		}
	}
	nodes[busy].Set(origintest.Fault{HangHeaders: true})
	began := time.Now()
	asked := len(nodes[busy].Requests())
	for i := 0; i < 20 || i < 500 && len(nodes[busy].Requests()) == asked; i++ { // the other may have become the quicker one
		readFilm(t, s, v, 0, 1000)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("the reads took %v", took)
	}
	stats := s.Stats()
	if hedges, won := stats[0].Hedges+stats[1].Hedges, stats[1-busy].HedgesWon; hedges == 0 || won == 0 {
		t.Errorf("%d hedges, %d won", hedges, won)
	}
}

// late is an Origin that takes a while to answer.
type late struct {
	origin.Origin
	by func() time.Duration
}

func (l late) Read(ctx context.Context, name string, off, n int64, want *origin.Validator) (*origin.Body, error) {
	t := time.NewTimer(l.by())
	defer t.Stop()
	select {
	case <-t.C:
		return l.Origin.Read(ctx, name, off, n, want)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// TestHedgesOfHealthyNodes: a second node is asked rarely, and then it helps. Time is the synctest bubble's.
func TestHedgesOfHealthyNodes(t *testing.T) {
	const reads = 4000
	for _, tt := range []struct {
		name   string
		stalls float64 // share of answers that take a second longer
		hedges int     // at most
		p99    time.Duration
	}{
		{"steady", 0, reads / 200, 150 * time.Millisecond},
		{"one in fifty takes a second", 0.02, reads / 20, 500 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				random := rand.New(rand.NewPCG(1, 2))
				var mu sync.Mutex
				delay := func() time.Duration { // log-normal, 30 ms in the middle
					mu.Lock()
					defer mu.Unlock()
					d := time.Duration(30e6 * math.Exp(random.NormFloat64()/2))
					if random.Float64() < tt.stalls {
						d += time.Second
					}
					return d
				}
				m := origin.NewMemory()
				m.Set("film.zip", film, `"1"`)
				var list []origin.Node
				for range 3 {
					list = append(list, origin.Node{Name: "memory", Origin: late{m, delay}})
				}
				s, err := origin.NewNodes(list)
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				v := begin(t, s, 40_000)
				var took []time.Duration
				for range reads {
					began := time.Now()
					readFilm(t, s, v, 0, 1000)
					took = append(took, time.Since(began))
				}
				slices.Sort(took)
				var hedges, won int64
				for _, n := range s.Stats() {
					hedges += n.Hedges
					won += n.HedgesWon
				}
				t.Logf("%d reads: %d hedges, %d won; first byte p50 %v, p99 %v", reads, hedges, won, took[reads/2], took[reads*99/100])
				if hedges > int64(tt.hedges) {
					t.Errorf("%d hedges for %d reads, want at most %d", hedges, reads, tt.hedges)
				}
				if p99 := took[reads*99/100]; p99 > tt.p99 {
					t.Errorf("p99 %v, want at most %v", p99, tt.p99)
				}
				if tt.stalls > 0 && won < hedges/2 {
					t.Errorf("%d of %d hedges won", won, hedges)
				}
			})
		})
	}
}

// known is a source of two nodes that have been read from, so that their speed is known. Its caller closes it.
func known(t *testing.T, first, second origin.Origin) (*origin.Nodes, origin.Validator) {
	t.Helper()
	s, err := origin.NewNodes([]origin.Node{{Name: "first", Origin: first}, {Name: "second", Origin: second}})
	if err != nil {
		t.Fatal(err)
	}
	v := begin(t, s, 40_000)
	for range 20 {
		readFilm(t, s, v, 0, 1000)
	}
	return s, v
}

// TestFailureIsForgiven: a node that failed once is passed over, and asked again when a probe found it well.
func TestFailureIsForgiven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := origin.NewMemory()
		m.Set("film.zip", film, `"1"`)
		quick := &once{Origin: late{m, func() time.Duration { return 5 * time.Millisecond }}}
		slow := late{m, func() time.Duration { return 50 * time.Millisecond }}
		s, v := known(t, quick, slow)
		defer s.Close()
		quick.fail.Store(true)
		for range 5 {
			readFilm(t, s, v, 0, 1000)
		}
		before := s.Stats()[0].Reads
		for range 30 {
			time.Sleep(time.Second)
			readFilm(t, s, v, 0, 1000)
		}
		if n := s.Stats()[0].Reads - before; n < 10 {
			t.Errorf("the quick node was asked %d times of 30 after one failure", n)
		}
	})
}

// once fails once when it is told to.
type once struct {
	origin.Origin
	fail atomic.Bool
}

func (o *once) Read(ctx context.Context, name string, off, n int64, want *origin.Validator) (*origin.Body, error) {
	if o.fail.CompareAndSwap(true, false) {
		return nil, &origin.Error{Kind: origin.ErrUnavailable, Archive: name}
	}
	return o.Origin.Read(ctx, name, off, n, want)
}

// TestStallingNodeIsShunned, whatever else is known of the other one: its headers come at once, and its bodies never to their end.
func TestStallingNodeIsShunned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := origin.NewMemory()
		m.Set("film.zip", film, `"1"`)
		staller := &stalling{Origin: m}
		s, v := known(t, staller, late{m, func() time.Duration { return 50 * time.Millisecond }})
		defer s.Close()
		s.Blame(origin.NodeSet(0).With(1))
		staller.on.Store(true)
		began := time.Now()
		for range 20 {
			readFilm(t, s, v, 0, 1000)
		}
		if took := time.Since(began); took > 2*stallFor {
			t.Errorf("20 reads took %v: the node stalled more than once", took)
		}
	})
}

const stallFor = 3 * time.Second

// stalling is an Origin whose bodies stall in the middle.
type stalling struct {
	origin.Origin
	on atomic.Bool
}

func (o *stalling) Read(ctx context.Context, name string, off, n int64, want *origin.Validator) (*origin.Body, error) {
	body, err := o.Origin.Read(ctx, name, off, n, want)
	if err == nil && o.on.Load() {
		body.ReadCloser = io.NopCloser(io.MultiReader(io.LimitReader(body.ReadCloser, n/2), stall{}))
	}
	return body, err
}

type stall struct{}

func (stall) Read([]byte) (int, error) {
	time.Sleep(stallFor)
	return 0, &origin.Error{Kind: origin.ErrTimeout}
}

// TestBreaker: a dead node is left alone after a few failures, with its own error told, and asked again later.
func TestBreaker(t *testing.T) {
	s, nodes := newNodes(t, 1)
	v := begin(t, s, 40_000)
	nodes[0].Set(origintest.Fault{Status: 503})
	for range 20 {
		if _, err := s.Read(t.Context(), "film.zip", 0, 1000, &v); !errors.Is(err, origin.ErrUnavailable) {
			t.Fatalf("%v, want ErrUnavailable", err)
		}
	}
	if n := len(nodes[0].Requests()); n > 10 {
		t.Errorf("a dead node was asked %d times for 20 reads", n)
	}
	if b := s.Stats()[0].Breaker; b != origin.Open {
		t.Errorf("breaker %v, want open", b)
	}
}

// TestRetryAfterIsShared by all who want to read from the node.
func TestRetryAfterIsShared(t *testing.T) {
	s, nodes := newNodes(t, 1)
	v := begin(t, s, 40_000)
	nodes[0].Set(origintest.Fault{Status: 429, RetryAfter: "7"})
	before := len(nodes[0].Requests())
	for range 5 {
		_, err := s.Read(t.Context(), "film.zip", 0, 1000, &v)
		var oe *origin.Error
		if !errors.As(err, &oe) || oe.RetryAfter <= 5*time.Second || oe.RetryAfter > 7*time.Second {
			t.Fatalf("%v, want RetryAfter 7 s", err)
		}
	}
	if n := len(nodes[0].Requests()) - before; n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

// TestRejectedNodesAreLeft: the next tail comes from another node.
func TestRejectedNodesAreLeft(t *testing.T) {
	s, nodes := newNodes(t, 3)
	for i, n := range nodes {
		n.Put("film.zip", origintest.Data(byte(i+1), 600_000)) // none agree
	}
	seen := map[byte]bool{}
	for range 2 {
		body, err := s.Read(t.Context(), "film.zip", origin.Tail, 1000, nil)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(body)
		body.Close()
		seen[b[0]] = true
		if !s.Reject("film.zip", body.Validator) {
			t.Error("no node is left of three after two")
		}
	}
	body, err := s.Read(t.Context(), "film.zip", origin.Tail, 1000, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(body)
	body.Close()
	if seen[b[0]] = true; len(seen) != 3 {
		t.Errorf("%d different archives seen, want 3", len(seen))
	}
	if s.Reject("film.zip", body.Validator) {
		t.Error("Reject says that a node is left after all were rejected")
	}
}

// TestReadElsewhere asks another node than those that are to be avoided, while there is one.
func TestReadElsewhere(t *testing.T) {
	s, _ := newNodes(t, 2)
	v := begin(t, s, 40_000)
	for i := range 2 {
		for range 5 {
			body, err := s.ReadElsewhere(t.Context(), "film.zip", 0, 1000, &v, origin.NodeSet(0).With(i))
			if err != nil {
				t.Fatal(err)
			}
			io.Copy(io.Discard, body)
			body.Close()
			if body.From.Has(i) {
				t.Errorf("node %d was to be avoided", i)
			}
		}
	}
}

// TestDeadNodes: any that is left serves; with none left the error says so.
func TestDeadNodes(t *testing.T) {
	s, nodes := newNodes(t, 3)
	v := begin(t, s, 40_000)
	nodes[0].Set(origintest.Fault{Reset: true})
	nodes[2].Set(origintest.Fault{Status: 500})
	for range 30 {
		readFilm(t, s, v, 0, 100_000)
	}
	begin(t, s, 40_000)
	nodes[1].Set(origintest.Fault{Status: 404})
	if _, err := s.Read(t.Context(), "film.zip", 0, 10, &v); !errors.Is(err, origin.ErrUnavailable) {
		t.Errorf("two dead, one without it: %v, want ErrUnavailable", err)
	}
	if _, err := s.Read(t.Context(), "none.zip", origin.Tail, 10, nil); err == nil {
		t.Error("an archive that is nowhere was answered")
	}
}

func TestMissingEverywhere(t *testing.T) {
	s, _ := newNodes(t, 3)
	if _, err := s.Read(t.Context(), "none.zip", origin.Tail, 10, nil); !errors.Is(err, origin.ErrNotFound) {
		t.Errorf("%v, want ErrNotFound", err)
	}
}

func TestNodesCancelled(t *testing.T) {
	s, nodes := newNodes(t, 2)
	for _, n := range nodes {
		n.Set(origintest.Fault{HangHeaders: true})
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := s.Read(ctx, "film.zip", origin.Tail, 10, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
	for _, n := range s.Stats() {
		if n.Failures != 0 {
			t.Error("a viewer who left is a node's failure")
		}
	}
}

func BenchmarkNodes(b *testing.B) {
	m := origin.NewMemory()
	m.Set("film.zip", film, `"1"`)
	for name, count := range map[string]int{"bare": 0, "one": 1, "three": 3} {
		b.Run(name, func(b *testing.B) {
			var o origin.Origin = m
			var v *origin.Validator
			if count > 0 {
				var list []origin.Node
				for range count {
					list = append(list, origin.Node{Name: "memory", Origin: m})
				}
				s, err := origin.NewNodes(list)
				if err != nil {
					b.Fatal(err)
				}
				defer s.Close()
				body, err := s.Read(b.Context(), "film.zip", origin.Tail, 1000, nil)
				if err != nil {
					b.Fatal(err)
				}
				s.Confirm(body.Validator, proofOf(film, 1000))
				o, v = s, &body.Validator
			}
			buf := make([]byte, 64<<10)
			b.ReportAllocs()
			for b.Loop() {
				body, err := o.Read(b.Context(), "film.zip", 1000, 64<<10, v)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(body, buf); err != nil {
					b.Fatal(err)
				}
				body.Close()
			}
		})
	}
}
