package faults

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// viewer plays a title in its own way.
type viewer string

const (
	curl   viewer = "curl"   // one request, read to its end
	hls    viewer = "hls.js" // master playlist, media playlist, segments; its time-outs and retry rules
	ranger viewer = "ranges" // one entry by open-ended ranges, asked for again where one broke
)

var viewers = []viewer{curl, hls, ranger}

// played is what came of it.
type played struct {
	Outcome string        // "plays", or what went wrong at last: "502 origin-dns", "cut"
	Took    time.Duration // from the first request to the end
	First   time.Duration // the longest wait for an answer's header
	Tries   int           // requests, all in all
	Version int           // of the title that was played, from 1; 0: none
	Retry   string        // Retry-After of the last refusal
	Wrong   []string      // what no viewer may ever see
	Stale   bool          // some answer was marked so
}

// player is a viewer at work.
type player struct {
	base   string
	client *http.Client
	titles []*title // versions that may be delivered
	torn   bool     // bytes that are cut off later may be wrong: the checksum comes at the end
	log    played
}

const headersWithin = 8*time.Second + 700*time.Millisecond // by the contract, and some for a busy machine

func (v viewer) play(p *player) played {
	began := time.Now()
	switch v {
	case curl:
		p.log.Outcome = p.once(mountedAt + "/720p/seg2.ts")
	case hls:
		p.log.Outcome = p.hls()
	case ranger:
		p.log.Outcome = p.ranges(mountedAt + "/film.mp4")
	}
	p.log.Took = time.Since(began)
	p.client.CloseIdleConnections()
	return p.log
}

// answer is one request's.
type answer struct {
	status int
	code   string
	body   []byte
	etag   string
	at     time.Time // when the header came
	err    error     // the connection failed, or the body was cut
}

func (a answer) String() string {
	switch {
	case a.err != nil && a.status == 0:
		return "no answer: " + a.err.Error()
	case a.err != nil:
		return "cut"
	case a.status >= 400:
		return fmt.Sprintf("%d %s", a.status, a.code)
	}
	return "plays"
}

// get sends one request and reads its answer, however much there is of it.
func (p *player) get(path, rng string, within time.Duration) answer {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	clock := time.AfterFunc(within, cancel) // for the header
	defer clock.Stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.base+path, nil)
	must(err)
	if rng != "" {
		req.Header.Set("Range", rng)
	}
	p.log.Tries++
	began := time.Now()
	res, err := p.client.Do(req)
	first := time.Since(began)
	p.log.First = max(p.log.First, first)
	if first > headersWithin {
		p.wrong("headers of %s after %v", path, first)
	}
	if err != nil {
		return answer{err: err}
	}
	clock.Stop()
	defer res.Body.Close()
	a := answer{status: res.StatusCode, etag: res.Header.Get("Etag"), at: began.Add(first)}
	a.body, a.err = io.ReadAll(res.Body)
	if strings.Contains(res.Header.Get("Server-Timing"), "stale") {
		p.log.Stale = true
	}
	if a.status >= 400 {
		p.checkProblem(res, &a)
	}
	return a
}

// checkProblem holds a refusal against the contract.
func (p *player) checkProblem(res *http.Response, a *answer) {
	var problem struct {
		Code, Detail string
		Status       int
	}
	if err := json.Unmarshal(a.body, &problem); err != nil || problem.Status != a.status || res.Header.Get("Content-Type") != "application/problem+json" {
		p.wrong("status %d without a problem: %.100q", a.status, a.body)
	}
	a.code = problem.Code
	if strings.Contains(problem.Detail, "127.0.0.1") || strings.Contains(problem.Detail, "://") {
		p.wrong("the answer tells where storage is: %s", problem.Detail)
	}
	p.log.Retry = res.Header.Get("Retry-After")
	if a.status == http.StatusServiceUnavailable && p.log.Retry == "" {
		p.wrong("503 %s without Retry-After", a.code)
	}
	if h := res.Header.Get("Access-Control-Allow-Origin"); h != "*" {
		p.wrong("status %d without CORS", a.status)
	}
}

func (p *player) wrong(format string, args ...any) {
	p.log.Wrong = append(p.log.Wrong, fmt.Sprintf(format, args...))
}

// check holds a body against what the entry may be. from is where it begins.
func (p *player) check(path string, a answer) {
	entry := entryOf(path)
	if a.status != http.StatusOK {
		return
	}
	if a.err != nil {
		if !p.torn && !begins(p.titles, entry, a.body) {
			p.wrong("%s: %d wrong bytes before the cut", entry, len(a.body))
		}
		return
	}
	v := whose(p.titles, entry, a.body)
	if v < 0 {
		p.wrong("%s: wrong bytes, ended cleanly: %d", entry, len(a.body))
	}
	p.log.Version = v + 1
}

func (p *player) once(path string) string {
	a := p.get(path, "", time.Minute)
	p.check(path, a)
	return a.String()
}

// policy is one of hls.js's: retries with a doubling delay.
type policy struct {
	retries   int
	delay     time.Duration
	firstByte time.Duration
}

// The defaults of hls.js, with fewer retries of fragments than its six.
var (
	manifestPolicy = policy{1, time.Second, time.Minute}
	playlistPolicy = policy{2, time.Second, 10 * time.Second}
	fragmentPolicy = policy{3, time.Second, 10 * time.Second}
)

// hls plays to the end of the playlist.
func (p *player) hls() string {
	if a := p.load(mountedAt, "master.m3u8", manifestPolicy); a.String() != "plays" {
		return a.String()
	}
	a := p.load(mountedAt+"/720p/index.m3u8", "720p/index.m3u8", playlistPolicy)
	if a.String() != "plays" {
		return a.String()
	}
	for line := range strings.Lines(string(a.body)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if a := p.load(mountedAt+"/720p/"+line, "720p/"+line, fragmentPolicy); a.String() != "plays" {
			return a.String()
		}
	}
	return "plays"
}

// load is one object by hls.js's rules: a 4xx is final; a 5xx, a time-out and a cut body are asked for again.
func (p *player) load(path, entry string, rules policy) answer {
	delay := rules.delay
	for try := 0; ; try++ {
		a := p.get(path, "", rules.firstByte)
		p.check(mountedAt+"/"+entry, a)
		if a.String() == "plays" || try == rules.retries || a.err == nil && a.status >= 400 && a.status < 500 {
			return a
		}
		time.Sleep(delay)
		delay = min(2*delay, 8*time.Second)
	}
}

var errOther = errors.New("another version")

// ranges reads an entry as a file player does, and goes on where it broke as long as it is the same.
func (p *player) ranges(path string) string {
	var got []byte
	etag := ""
	for try, delay := 0, time.Second/2; ; try++ {
		before := len(got)
		a := p.get(path, fmt.Sprintf("bytes=%d-", before), time.Minute)
		if a.status == http.StatusPartialContent {
			if etag != "" && a.etag != etag {
				return errOther.Error()
			}
			etag = a.etag
			got = append(got, a.body...)
		}
		done := answer{status: http.StatusOK, body: got, err: a.err}
		if a.err == nil && a.status == http.StatusPartialContent {
			p.check(path, done)
			return "plays"
		}
		if !p.torn && !begins(p.titles, entryOf(path), got) {
			p.wrong("wrong bytes in a range of %s", path)
		}
		if try == 4 || a.err == nil && a.status >= 400 && a.status < 500 {
			return a.String()
		}
		if len(got) == before { // else at once
			time.Sleep(delay)
			delay *= 2
		}
	}
}
