package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

const (
	resolveWithin = 5 * time.Second
	maxProblem    = 64 << 10
	resolveAtOnce = 8
)

// direct asks the gateway itself, past any proxy, and leaves no connection behind.
var direct = &http.Transport{DisableKeepAlives: true}

// archiveURL is an archive's own URL below base, which has no final slash.
func archiveURL(base, source, archive string) string {
	return base + "/v/" + source + "/" + escapePath(archive)
}

// pageURL is the page that plays the archive.
func pageURL(base, source, archive string) string {
	return base + "/#/" + source + "/" + escapePath(archive)
}

func escapePath(name string) string {
	elems := strings.Split(name, "/")
	for i, e := range elems {
		elems[i] = url.PathEscape(e)
	}
	return strings.Join(elems, "/")
}

// printURLs writes a line for each archive that was named, in their order: the URL that a player opens. That is the
// main playlist's, where it is found in time, and the archive's own else, with the reason on standard error.
func printURLs(base string, places []place) {
	type line struct {
		url string
		err error
	}
	var lines []chan line
	slots := make(chan struct{}, resolveAtOnce)
	var wg sync.WaitGroup
	for _, p := range places {
		for _, archive := range p.archives() {
			ch := make(chan line, 1)
			lines = append(lines, ch)
			wg.Go(func() {
				slots <- struct{}{}
				defer func() { <-slots }()
				u, err := mainPlaylist(context.Background(), archiveURL(base, p.name, archive))
				if err != nil {
					err = fmt.Errorf("%s/%s: %w", p.name, archive, err)
				}
				ch <- line{u, err}
			})
		}
	}
	for _, ch := range lines {
		l := <-ch
		if l.err != nil {
			warn("%v", l.err)
		}
		fmt.Println(l.url)
	}
	wg.Wait()
}

// problem is the gateway's answer when it cannot (RFC 9457).
type problem struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

func (p *problem) Error() string { return fmt.Sprintf("%s (%s)", p.Detail, p.Code) }

// mainPlaylist answers where the gateway redirects an archive's URL. With an error it answers that URL itself.
func mainPlaylist(ctx context.Context, archive string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, resolveWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, archive, nil)
	if err != nil {
		return archive, err
	}
	res, err := direct.RoundTrip(req) // follows no redirect
	if ctx.Err() != nil {
		return archive, errors.New("storage has not answered in time; players may open the URL all the same")
	}
	if err != nil {
		return archive, err
	}
	defer res.Body.Close()
	location, err := res.Location()
	if err == nil {
		return location.String(), nil
	}
	return archive, readProblem(res)
}

func readProblem(res *http.Response) error {
	p := &problem{}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxProblem))
	if err != nil || json.Unmarshal(body, p) != nil || p.Code == "" {
		return fmt.Errorf("the gateway answered %s", res.Status)
	}
	return p
}
