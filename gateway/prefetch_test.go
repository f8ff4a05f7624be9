package gateway_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"zipreel/gateway"
	"zipreel/gateway/origin"
)

const (
	filmSegments = 40
	filmBytes    = 50_000 // of a segment, which plays 2 s
)

// film is two renditions of segments that lie side by side, and their playlists.
func film(t testing.TB) (archive []byte, offsets map[string]int64) {
	t.Helper()
	var files []file
	for r := range 2 {
		for i := range filmSegments {
			files = append(files, file{filmName(r, i), filmData(r, i)})
		}
	}
	for r := range 2 {
		list := "#EXTM3U\n#EXT-X-TARGETDURATION:2\n"
		for i := range filmSegments {
			list += fmt.Sprintf("#EXTINF:2,\nseg%03d.m4s\n", i)
		}
		files = append(files, file{fmt.Sprintf("v%d/index.m3u8", r), []byte(list + "#EXT-X-ENDLIST\n")})
	}
	return makeZip(t, files...)
}

func filmName(rendition, i int) string { return fmt.Sprintf("v%d/seg%03d.m4s", rendition, i) }

func filmData(rendition, i int) []byte { return pattern(1000*rendition+i, filmBytes) }

// theatre shows the film from storage that takes a while to answer, in the time of a synctest bubble.
type theatre struct {
	*fixture
	storage *slowOrigin
	offsets map[string]int64
}

// slowOrigin answers each read after a while, and remembers reads of segments.
type slowOrigin struct {
	origin.Origin
	delay time.Duration
	local bool

	mu    sync.Mutex // guards following
	fail  error
	flip  bool // one bit of each body is wrong
	reads []origin.Read
	ended int // reads that were cut short by their context
}

func (s *slowOrigin) Local() bool { return s.local }

func (s *slowOrigin) Read(ctx context.Context, name string, off, n int64, want *origin.Validator) (*origin.Body, error) {
	s.mu.Lock()
	if n > 1 { // one byte is asked for to see whether the archive is the same still
		s.reads = append(s.reads, origin.Read{Name: name, Off: off, N: n})
	}
	fail, flip := s.fail, s.flip
	s.mu.Unlock()
	select {
	case <-time.After(s.delay):
	case <-ctx.Done():
		s.mu.Lock()
		s.ended++
		s.mu.Unlock()
		return nil, &origin.Error{Kind: origin.ErrTimeout, Archive: name, Err: context.Cause(ctx)}
	}
	if fail != nil {
		return nil, &origin.Error{Kind: fail, Archive: name}
	}
	body, err := s.Origin.Read(ctx, name, off, n, want)
	if err == nil && flip {
		body.ReadCloser = &flippedBody{ReadCloser: body.ReadCloser}
	}
	return body, err
}

// flippedBody has a wrong bit in its 40,000th byte.
type flippedBody struct {
	io.ReadCloser
	at int
}

func (b *flippedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if i := 40_000 - b.at; i >= 0 && i < n {
		p[i] ^= 1
	}
	b.at += n
	return n, err
}

func (s *slowOrigin) set(change func(*slowOrigin)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

// newTheatre has shown the playlists already, so that every read that follows is of segments.
func newTheatre(t *testing.T, delay time.Duration, change ...func(*gateway.Config)) *theatre {
	t.Helper()
	archive, offsets := film(t)
	th := &theatre{storage: &slowOrigin{delay: delay}, offsets: offsets}
	wrap := func(cfg *gateway.Config) {
		th.storage.Origin = cfg.Sources[0].Origin
		cfg.Sources[0].Origin = th.storage
	}
	th.fixture = newFixture(t, append([]func(*gateway.Config){wrap}, change...)...)
	th.films.Set("bbb.zip", archive, `"1"`)
	for r := range 2 {
		if res := th.get(fmt.Sprintf("/v/films/bbb.zip/v%d/index.m3u8", r)); res.StatusCode != 200 {
			t.Fatal(res.Status)
		}
	}
	th.storage.set(func(s *slowOrigin) { s.reads = nil })
	return th
}

// ask is one viewer's request; it answers how the bytes were come by and how long that took.
func (th *theatre) ask(rendition, i int, headers ...string) (outcome string, took time.Duration) {
	th.t.Helper()
	began := time.Now()
	res := th.get("/v/films/bbb.zip/"+filmName(rendition, i), headers...)
	wantBody(th.t, res, 200, filmData(rendition, i))
	outcome, _, _ = strings.Cut(strings.TrimPrefix(res.Header.Get("Server-Timing"), "cache;desc="), ",")
	return outcome, time.Since(began)
}

// play asks for segments from to to, a segment's duration apart.
func (th *theatre) play(rendition, from, to int, headers ...string) (outcomes []string) {
	th.t.Helper()
	for i := from; i <= to; i++ {
		o, _ := th.ask(rendition, i, headers...)
		outcomes = append(outcomes, o)
		time.Sleep(2 * time.Second)
	}
	return outcomes
}

// wantReads holds the reads of segments so far against what they should be, each written as rendition:first-last.
func (th *theatre) wantReads(want ...string) {
	th.t.Helper()
	synctest.Wait()
	th.storage.mu.Lock()
	defer th.storage.mu.Unlock()
	var got []string
	for _, r := range th.storage.reads {
		got = append(got, th.covers(r))
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		th.t.Errorf("reads %v, want %v", got, want)
	}
}

// covers says which segments a read has whole.
func (th *theatre) covers(r origin.Read) string {
	for v := range 2 {
		first, last := -1, -1
		for i := range filmSegments {
			if off := th.offsets[filmName(v, i)]; off >= r.Off && off+filmBytes <= r.Off+r.N {
				if first < 0 {
					first = i
				}
				last = i
			}
		}
		if first >= 0 {
			return fmt.Sprintf("%d:%d-%d", v, first, last)
		}
	}
	return fmt.Sprintf("%d,%d", r.Off, r.N)
}

// inTime runs a test on storage that takes delay to answer, in a synctest bubble.
func inTime(t *testing.T, delay time.Duration, f func(*theatre), change ...func(*gateway.Config)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		th := newTheatre(t, delay, change...)
		f(th)
		th.Close()
	})
}

func TestPrefetchReadsTheNextSegment(t *testing.T) {
	inTime(t, 20*time.Millisecond, func(th *theatre) {
		if got := fmt.Sprint(th.play(0, 0, 4)); got != "[miss miss hit hit hit]" {
			th.t.Errorf("outcomes %s, want all but the first two hits", got)
		}
		th.wantReads("0:0-0", "0:1-1", "0:2-2", "0:3-3", "0:4-4", "0:5-5")
	})
}

func TestPrefetchReadsFurtherWhereStorageIsSlow(t *testing.T) {
	inTime(t, 200*time.Millisecond, func(th *theatre) {
		if got := fmt.Sprint(th.play(0, 0, 9)); got != "[miss miss hit hit hit hit hit hit hit hit]" {
			th.t.Errorf("outcomes %s, want all but the first two hits", got)
		}
		th.wantReads("0:0-0", "0:1-1", "0:2-5", "0:6-8", "0:9-11")
	})
}

func TestPrefetchIsLeftOnASeek(t *testing.T) {
	for name, elsewhere := range map[string][2]int{"seek": {0, 20}, "rendition": {1, 2}} {
		t.Run(name, func(t *testing.T) {
			inTime(t, 5*time.Second, func(th *theatre) {
				th.ask(0, 0)
				th.ask(0, 1)
				th.wantReads("0:0-0", "0:1-1", "0:2-5")
				th.ask(elsewhere[0], elsewhere[1])
				th.wantReads("0:0-0", "0:1-1", "0:2-5", fmt.Sprintf("%d:%d-%d", elsewhere[0], elsewhere[1], elsewhere[1]))
				if th.storage.ended != 1 {
					t.Errorf("%d reads were given up, want the one ahead", th.storage.ended)
				}
				th.wantMetric("zipreel_prefetch_bytes_total", 0)
			})
		})
	}
}

// TestPrefetchGoesOnForWhoJoined: another viewer waits for what the first left.
func TestPrefetchGoesOnForWhoJoined(t *testing.T) {
	inTime(t, 5*time.Second, func(th *theatre) {
		th.ask(0, 0)
		th.ask(0, 1)
		synctest.Wait()
		var others sync.WaitGroup
		for _, i := range []int{2, 4} {
			others.Go(func() {
				if o, took := th.ask(0, i, "User-Agent", "other"+itoa(int64(i))); o != "shared" || took > 10*time.Second {
					t.Errorf("segment %d was a %s after %v", i, o, took)
				}
			})
		}
		synctest.Wait()
		th.ask(0, 20)
		others.Wait()
		th.wantReads("0:0-0", "0:1-1", "0:2-5", "0:20-20", "0:4-4")
		th.wantMetric("zipreel_prefetch_used_bytes_total", 2*filmBytes)
	})
}

func TestPrefetchIsJoined(t *testing.T) {
	inTime(t, 200*time.Millisecond, func(th *theatre) {
		for i, want := range []string{"miss", "miss", "shared", "hit", "hit", "hit"} {
			if got, _ := th.ask(0, i); got != want && !(want == "hit" && got == "shared") {
				t.Errorf("segment %d was a %s, want %s", i, got, want)
			}
			time.Sleep(time.Millisecond) // on its way to the viewer and back
		}
		th.wantReads("0:0-0", "0:1-1", "0:2-5", "0:6-8")
	})
}

// TestPrefetchFollowsSoundAndVideo: one viewer takes turns at two renditions.
func TestPrefetchFollowsSoundAndVideo(t *testing.T) {
	inTime(t, 20*time.Millisecond, func(th *theatre) {
		for i := range 6 {
			for r := range 2 {
				if o, _ := th.ask(r, i); i > 1 && o != "hit" {
					t.Errorf("segment %d of rendition %d was a %s", i, r, o)
				}
			}
			time.Sleep(2 * time.Second)
		}
	})
}

func TestPrefetchIsOff(t *testing.T) {
	for _, name := range []string{"local source", "negative", "too large", "small memory"} {
		t.Run(name, func(t *testing.T) {
			inTime(t, 200*time.Millisecond, func(th *theatre) {
				th.play(0, 0, 5)
				th.wantReads("0:0-0", "0:1-1", "0:2-2", "0:3-3", "0:4-4", "0:5-5")
			}, func(cfg *gateway.Config) {
				switch name {
				case "local source":
					cfg.Sources[0].Origin.(*slowOrigin).local = true
				case "negative":
					cfg.Prefetch = -1
				case "too large":
					cfg.Prefetch = filmBytes
				case "small memory":
					cfg.Memory = 8 * filmBytes
				}
			})
		})
	}
}

// TestPrefetchStopsWhenUseless: viewers who watch two segments here and two there use nothing of what is read ahead.
func TestPrefetchStopsWhenUseless(t *testing.T) {
	inTime(t, 20*time.Millisecond, func(th *theatre) {
		sampler := func(n int) {
			for i := range n {
				at, viewer := i*3%36, fmt.Sprint("viewer ", time.Now(), i)
				th.play(0, at, at+1, "User-Agent", viewer)
				th.films.Set("bbb.zip", th.archive, fmt.Sprintf("%q", viewer)) // nothing of it is kept for long
				time.Sleep(70 * time.Second)
			}
		}
		sampler(40)
	})
}

func (th *theatre) wantMetric(name string, want float64) {
	th.t.Helper()
	if got := th.metric(name); got != want {
		th.t.Errorf("%s is %v, want %v", name, got, want)
	}
}

// metric is a counter of the source's; 0 where it never counted.
func (th *theatre) metric(name string) (v float64) {
	th.t.Helper()
	synctest.Wait()
	w := httptest.NewRecorder()
	th.Admin().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for line := range strings.Lines(w.Body.String()) {
		if rest, ok := strings.CutPrefix(line, name+`{source="films"} `); ok {
			if _, err := fmt.Sscan(rest, &v); err != nil {
				th.t.Fatal(err)
			}
		}
	}
	return v
}
