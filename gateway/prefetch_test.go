package gateway_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
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
	local bool

	mu        sync.Mutex // guards following
	delay     time.Duration
	fail      error
	failAbove int64 // only reads of more bytes fail
	flip      int64 // reads of more bytes have a wrong bit; 0: none
	reads     []origin.Read
	ended     int // reads that were cut short by their context
}

func (s *slowOrigin) Local() bool { return s.local }

func (s *slowOrigin) Read(ctx context.Context, name string, off, n int64, want *origin.Validator) (*origin.Body, error) {
	s.mu.Lock()
	if n > 1 { // one byte is asked for to see whether the archive is the same still
		s.reads = append(s.reads, origin.Read{Name: name, Off: off, N: n})
	}
	delay, fail, flip := s.delay, s.fail, s.flip > 0 && n > s.flip
	if n <= s.failAbove {
		fail = nil
	}
	s.mu.Unlock()
	select {
	case <-time.After(delay):
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
func newTheatre(t *testing.T, delay time.Duration, archive []byte, offsets map[string]int64, change ...func(*gateway.Config)) *theatre {
	t.Helper()
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

// wantReads holds the reads of segments so far against what they should be, each written as rendition:first-last, in any order.
func (th *theatre) wantReads(want ...string) {
	th.t.Helper()
	synctest.Wait()
	th.storage.mu.Lock()
	defer th.storage.mu.Unlock()
	var got []string
	for _, r := range th.storage.reads {
		got = append(got, th.covers(r))
	}
	slices.Sort(got)
	want = slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
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
		archive, offsets := film(t)
		th := newTheatre(t, delay, archive, offsets, change...)
		f(th)
		th.Close()
	})
}

// watchFour leaves a viewer who watched the first four segments of storage that is slow, while the next two are read at once.
func (th *theatre) watchFour() {
	th.t.Helper()
	th.play(0, 0, 2)
	th.ask(0, 3)
	synctest.Wait()
}

var watchedFour = []string{"0:0-0", "0:1-1", "0:2-2", "0:3-3", "0:4-5"}

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
		th.wantReads("0:0-0", "0:1-1", "0:2-2", "0:3-3", "0:4-5", "0:6-8", "0:9-11")
	})
}

// TestPrefetchJoinsNeighboursOnly: where renditions take turns in the archive, each segment is read by itself.
func TestPrefetchJoinsNeighboursOnly(t *testing.T) {
	var files []file
	for i := range filmSegments {
		files = append(files, file{filmName(0, i), filmData(0, i)}, file{filmName(1, i), filmData(1, i)})
	}
	mpd := `<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period><AdaptationSet><Representation><SegmentList>`
	list := "#EXTM3U\n#EXT-X-TARGETDURATION:2\n"
	for i := range filmSegments {
		mpd += fmt.Sprintf(`<SegmentURL media="v1/seg%03d.m4s"/>`, i)
		list += fmt.Sprintf("#EXTINF:2,\nseg%03d.m4s\n", i)
	}
	files = append(files, file{"v0/index.m3u8", []byte(list)}, file{"v1/index.m3u8", []byte("#EXTM3U\n")},
		file{"film.mpd", []byte(mpd + `</SegmentList></Representation></AdaptationSet></Period></MPD>`)})
	archive, offsets := makeZip(t, files...)
	for rendition, kind := range []string{"HLS", "DASH, of no known durations"} {
		t.Run(kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				th := newTheatre(t, 200*time.Millisecond, archive, offsets)
				defer th.Close()
				th.get("/v/films/bbb.zip/film.mpd")
				if got := fmt.Sprint(th.play(rendition, 0, 5)); got != "[miss miss hit hit hit hit]" {
					t.Errorf("outcomes %s", got)
				}
				var want []string
				for i := range 9 {
					want = append(want, fmt.Sprintf("%d:%d-%d", rendition, i, i))
				}
				th.wantReads(want...)
			})
		})
	}
}

func TestPrefetchIsLeftOnASeek(t *testing.T) {
	for name, elsewhere := range map[string][2]int{"seek": {0, 20}, "rendition": {1, 4}} {
		t.Run(name, func(t *testing.T) {
			inTime(t, 5*time.Second, func(th *theatre) {
				th.watchFour()
				th.wantReads(watchedFour...)
				th.ask(elsewhere[0], elsewhere[1])
				th.wantReads(append(watchedFour, fmt.Sprintf("%d:%d-%d", elsewhere[0], elsewhere[1], elsewhere[1]))...)
				if th.storage.ended != 1 {
					t.Errorf("%d reads were given up, want the one ahead", th.storage.ended)
				}
				th.wantMetric("zipreel_prefetch_bytes_total", 2*filmBytes)
			})
		})
	}
}

// TestPrefetchGoesOnForWhoJoined: another viewer waits for what the first left.
func TestPrefetchGoesOnForWhoJoined(t *testing.T) {
	inTime(t, 5*time.Second, func(th *theatre) {
		th.watchFour()
		var others sync.WaitGroup
		for _, i := range []int{4, 5} {
			others.Go(func() {
				if o, took := th.ask(0, i, "User-Agent", "other"+itoa(int64(i))); o != "shared" || took > 10*time.Second {
					t.Errorf("segment %d was a %s after %v", i, o, took)
				}
			})
		}
		synctest.Wait()
		th.ask(0, 20)
		others.Wait()
		th.wantReads(append(watchedFour, "0:20-20", "0:5-5")...)
		th.wantMetric("zipreel_prefetch_used_bytes_total", 4*filmBytes)
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
		th.wantReads("0:0-0", "0:1-1", "0:2-2", "0:3-3", "0:4-5", "0:6-8")
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
	for _, name := range []string{"local source", "negative", "too large", "small memory", "busy"} {
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
				case "busy":
					cfg.Inflight = filmBytes
				}
			})
		})
	}
}

// TestPrefetchStopsWhenUseless: viewers who watch two segments and go use nothing of what is read ahead.
func TestPrefetchStopsWhenUseless(t *testing.T) {
	inTime(t, 20*time.Millisecond, func(th *theatre) {
		sample := func(r, i int) {
			viewer := fmt.Sprintf("viewer %d %d", r, i)
			th.ask(r, i, "User-Agent", viewer)
			th.ask(r, i+1, "User-Agent", viewer)
			synctest.Wait()
		}
		for i := range 8 {
			sample(0, 3*i)
			sample(1, 3*i)
		}
		time.Sleep(50 * time.Millisecond)
		th.wantMetric("zipreel_prefetch_bytes_total", 16*filmBytes)
		time.Sleep(time.Minute)
		sample(0, 30)
		time.Sleep(50 * time.Millisecond)
		th.wantMetric("zipreel_prefetch_bytes_total", 16*filmBytes)
		th.wantMetric("zipreel_prefetch_wasted_bytes_total", 16*filmBytes)
		th.wantMetric("zipreel_prefetch_used_bytes_total", 0)
		time.Sleep(time.Minute)
		sample(1, 30) // tried again
		time.Sleep(50 * time.Millisecond)
		th.wantMetric("zipreel_prefetch_bytes_total", 17*filmBytes)
	})
}

func TestPrefetchIsBounded(t *testing.T) {
	t.Run("of a viewer", func(t *testing.T) {
		inTime(t, 200*time.Millisecond, func(th *theatre) {
			th.play(0, 0, 9)
			th.wantReads("0:0-0", "0:1-1", "0:2-2", "0:3-3", "0:4-5", "0:6-7", "0:8-9", "0:10-11")
		}, func(cfg *gateway.Config) { cfg.Prefetch = 2 * (filmBytes + 100) })
	})
	t.Run("of an archive", func(t *testing.T) {
		inTime(t, 200*time.Millisecond, func(th *theatre) {
			watch := func(viewer string, from, to int) { th.play(0, from, to, "User-Agent", viewer) }
			watch("a", 0, 3)
			watch("b", 10, 11) // all that may be there is: 4 and 5
			watch("a", 4, 5)
			th.wantReads(append(watchedFour, "0:10-10", "0:11-11", "0:6-7")...)
		}, func(cfg *gateway.Config) { cfg.Memory = 32 * 2 * (filmBytes + 100) })
	})
}

// TestPrefetchLeftMakesRoom: what a viewer who seeks has left does not keep him from what he watches.
func TestPrefetchLeftMakesRoom(t *testing.T) {
	inTime(t, 20*time.Millisecond, func(th *theatre) {
		for at := 0; at < 35; at += 5 {
			if got := fmt.Sprint(th.play(0, at, at+3)); got != "[miss miss hit hit]" {
				th.t.Errorf("from segment %d on: %s", at, got)
			}
		}
	}, func(cfg *gateway.Config) { cfg.Memory = 32 * (2*filmBytes + 100) })
}

// TestPrefetchKeepsAwayFromStorageThatIsDown plays what is kept, up to its end.
func TestPrefetchKeepsAwayFromStorageThatIsDown(t *testing.T) {
	inTime(t, 20*time.Millisecond, func(th *theatre) {
		th.play(0, 0, 4)
		th.storage.set(func(s *slowOrigin) { s.fail = origin.ErrUnavailable })
		if res := th.get("/v/films/bbb.zip/" + filmName(0, 20)); res.StatusCode != 503 {
			th.t.Fatalf("status %d of dead storage", res.StatusCode)
		}
		th.storage.set(func(s *slowOrigin) { s.reads = nil })
		th.play(0, 2, 5, "User-Agent", "another")
		th.wantReads()
	}, func(cfg *gateway.Config) {
		nodes, err := origin.NewNodes([]origin.Node{{Name: "a", Origin: cfg.Sources[0].Origin}})
		if err != nil {
			t.Fatal(err)
		}
		cfg.Sources[0].Origin = nodes
	})
}

// TestPrefetchOfDamagedSegment: what lies behind it is read by itself, and nothing wrong is kept.
func TestPrefetchOfDamagedSegment(t *testing.T) {
	inTime(t, 200*time.Millisecond, func(th *theatre) {
		archive, offsets := film(t)
		archive[offsets[filmName(0, 7)]+1000] ^= 1 // between 6 and 8, which are read with it
		th.films.Set("bbb.zip", archive, `"1"`)
		th.play(0, 0, 6)
		wantProblem(t, th.get("/v/films/bbb.zip/"+filmName(0, 7)), 422, "checksum")
		th.play(0, 8, 12)
	})
}

// TestPrefetchOfWrongBytes: they are read again before anybody asks.
func TestPrefetchOfWrongBytes(t *testing.T) {
	inTime(t, 200*time.Millisecond, func(th *theatre) {
		th.storage.set(func(s *slowOrigin) { s.flip = 2 * filmBytes })
		if got := fmt.Sprint(th.play(0, 0, 8)); got != "[miss miss hit hit hit hit hit hit hit]" {
			th.t.Errorf("outcomes %s", got)
		}
	})
}

// TestPrefetchThatFailsHarmsNobody: who joined it gets the segment by its own read.
func TestPrefetchThatFailsHarmsNobody(t *testing.T) {
	inTime(t, 200*time.Millisecond, func(th *theatre) {
		th.storage.set(func(s *slowOrigin) { s.fail, s.failAbove = origin.ErrUnavailable, 2*filmBytes })
		th.watchFour()
		for i := 4; i < 8; i++ {
			th.ask(0, i)
		}
	})
}

// TestPrefetchEndsWhenStorageHangs, so that nothing is held for ever.
func TestPrefetchEndsWhenStorageHangs(t *testing.T) {
	inTime(t, 200*time.Millisecond, func(th *theatre) {
		th.watchFour()
		time.Sleep(time.Second)
		th.storage.set(func(s *slowOrigin) { s.delay = 24 * time.Hour })
		th.play(0, 4, 5)
		th.wantReads(append(watchedFour, "0:6-8")...)
		time.Sleep(75 * time.Second)
		synctest.Wait()
		if th.storage.ended != 1 {
			t.Errorf("%d reads were given up, want 1", th.storage.ended)
		}
	})
}

func TestCloseEndsPrefetch(t *testing.T) {
	inTime(t, time.Second, func(th *theatre) {
		th.watchFour()
		th.wantReads(watchedFour...)
		began := time.Now()
		th.Close()
		if took := time.Since(began); took > 0 {
			th.t.Errorf("Close took %v", took)
		}
	})
}

func TestPrefetchPathForCDNs(t *testing.T) {
	archive, _ := film(t)
	f := newFixture(t)
	f.films.Set("a b.zip", archive, `"1"`)
	f.get("/v/films/a%20b.zip/v0/index.m3u8")
	mounted := http.StripPrefix("/media", f)
	for _, test := range []struct{ enabled, path, want string }{
		{"1", "/v/films/a%20b.zip/v0/seg000.m4s?x=1", "/media/v/films/a%20b.zip/v0/seg001.m4s"},
		{"1", "/v/films/a%20b.zip/v0/seg039.m4s", ""},
		{"0", "/v/films/a%20b.zip/v0/seg000.m4s", ""},
		{"", "/v/films/a%20b.zip/v0/seg000.m4s", ""},
	} {
		r := httptest.NewRequest(http.MethodGet, "/media"+test.path, nil)
		r.Header.Set("CDN-Origin-Assist-Prefetch-Enabled", test.enabled)
		w := httptest.NewRecorder()
		mounted.ServeHTTP(w, r)
		if w.Code != 200 {
			t.Fatalf("%s: status %d", test.path, w.Code)
		}
		wantHeader(t, w.Result(), "CDN-Origin-Assist-Prefetch-Path", test.want)
	}
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

// BenchmarkPrefetchFollows is what an answer from memory costs a viewer who plays on.
func BenchmarkPrefetchFollows(b *testing.B) {
	archive, _ := film(b)
	f := newFixture(b)
	f.films.Set("bbb.zip", archive, `"1"`)
	f.get("/v/films/bbb.zip/v0/index.m3u8")
	var requests []*http.Request
	for i := range filmSegments {
		requests = append(requests, httptest.NewRequest("GET", "http://localhost/v/films/bbb.zip/"+filmName(0, i), nil))
		f.get(requests[i].URL.Path)
	}
	w := &nothingWriter{http.Header{}}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		clear(w.h)
		f.ServeHTTP(w, requests[i%filmSegments])
	}
}
