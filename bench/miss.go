package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"zipreel/bench/title"
)

const (
	missBytes = 512 << 10 // of a segment
	parallel  = 64        // viewers of as many cold segments
)

// way is one way to the segments of a title.
type way struct {
	name    string
	request func(segment int) (*http.Request, error)
}

// miss measures what a segment costs that is not cached: beside the node itself, and beside nginx's cache before the same node.
func (b *bench) miss() (string, error) {
	singles := pick(b, 300, 100) // segments in a round
	t := title.New(rounds*(singles+parallel), missBytes)
	ways, stop, err := b.waysToMiss(t)
	defer stop()
	if err != nil {
		return "", err
	}
	order := rand.New(rand.NewPCG(1, 2)).Perm(t.Segments) // no order that could be read ahead of
	first := make([][]time.Duration, len(ways))
	rates := make([][]float64, len(ways))
	for round := range rounds {
		cold := order[round*(singles+parallel):][:singles+parallel]
		for _, segment := range cold[:singles] {
			for i, w := range ways {
				d, err := firstByte(w, segment)
				if err != nil {
					return "", err
				}
				first[i] = append(first[i], d)
			}
		}
		for i, w := range ways {
			d, err := together(w, cold[singles:])
			if err != nil {
				return "", err
			}
			rates[i] = append(rates[i], float64(parallel*missBytes)/1e6/d.Seconds())
		}
	}
	return missTables(ways, first, rates), nil
}

func missTables(ways []way, first [][]time.Duration, rates [][]float64) string {
	t := table{head: []string{"A miss of 512 KiB", "first byte p50, ms", "p99, ms", "added p50, ms", "added p99, ms", "64 at once, MB/s"}}
	ms := func(d time.Duration) float64 { return float64(d) / 1e6 }
	added := func(i int, q float64) float64 { return ms(quantile(first[i], q) - quantile(first[0], q)) }
	for i, w := range ways {
		t.add(w.name, fmt.Sprintf("%.2f", ms(median(first[i]))), fmt.Sprintf("%.2f", ms(quantile(first[i], 0.99))),
			fmt.Sprintf("%.2f", added(i, 0.5)), fmt.Sprintf("%.2f", added(i, 0.99)), count(median(rates[i])))
	}
	return t.String() + goal("first byte added to the node's, p50, ms", added(1, 0.5), atMost, 1) +
		goal("64 cold segments at once, rate against nginx's cache", median(rates[1])/median(rates[2]), atLeast, 1) + "\n"
}

// waysToMiss are the node itself, zipreel and nginx's cache, the latter two on the core of servers.
func (b *bench) waysToMiss(t *title.Title) (ways []way, stop func(), err error) {
	var started []*process
	stop = func() {
		for _, p := range started {
			p.stop()
		}
	}
	dir := filepath.Join(b.dir, "node-files")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, stop, err
	}
	if err := t.WriteFile(filepath.Join(dir, "title.zip")); err != nil {
		return nil, stop, err
	}
	var a [2]string
	for i := range a {
		if a[i], err = freePort(); err != nil {
			return nil, stop, err
		}
	}
	nodeURL := "http://" + a[0] + "/"
	node, err := b.startNginx("node", b.load, nodeURL+"title.zip", nginxFiles(a[0], dir, "sendfile on;"))
	if err != nil {
		return nil, stop, err
	}
	started = append(started, node)
	cache, err := b.startNginx("nginx-cache", b.server, "http://"+a[1]+"/0-0", nginxRanges(a[1], a[0], ""))
	if err != nil {
		return nil, stop, err
	}
	started = append(started, cache)
	z, err := b.startZipreel(b.server, nodeURL, "--memory", "1GiB")
	if err != nil {
		return nil, stop, err
	}
	started = append(started, z.process)
	get := func(url string) (*http.Request, error) { return http.NewRequest(http.MethodGet, url, nil) }
	ways = []way{
		{"the node itself", func(i int) (*http.Request, error) {
			r, err := get(nodeURL + "title.zip")
			if err == nil {
				r.Header.Set("Range", byteRange(t, i))
			}
			return r, err
		}},
		{"zipreel before the node", func(i int) (*http.Request, error) { return get(z.entry("title.zip", title.Name(i))) }},
		{"nginx's cache before the node", func(i int) (*http.Request, error) {
			return get("http://" + a[1] + "/" + byteRange(t, i)[len("bytes="):])
		}},
	}
	_, _, err = fetch(z.entry("title.zip", title.Multivariant)) // the directory is not what is measured
	return ways, stop, err
}

func byteRange(t *title.Title, i int) string {
	off, n := t.Range(i)
	return fmt.Sprintf("bytes=%d-%d", off, off+n-1)
}

// nginxRanges is a caching server whose paths are ranges of a node's title.zip.
func nginxRanges(address, node, options string) string {
	return fmt.Sprintf(`  server { listen %s backlog=4096; sendfile on; proxy_cache_key $request_uri;
    location ~ ^/(?<wanted>\d+-\d+)$ { proxy_set_header Range "bytes=$wanted"; rewrite ^ /title.zip break; proxy_pass http://%s; %s } }`, address, node, options)
}

// firstByte is how long the first byte of a segment's body takes. The rest is read, unmeasured.
func firstByte(w way, segment int) (time.Duration, error) {
	began := time.Now()
	body, err := w.open(segment)
	if err != nil {
		return 0, err
	}
	defer body.Close()
	var one [1]byte
	if _, err := io.ReadFull(body, one[:]); err != nil {
		return 0, fmt.Errorf("%s, segment %d: %w", w.name, segment, err)
	}
	took := time.Since(began)
	return took, w.drain(body, segment, missBytes-1)
}

func (w way) open(segment int) (io.ReadCloser, error) {
	r, err := w.request(segment)
	if err != nil {
		return nil, err
	}
	res, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	if res.StatusCode >= 300 {
		res.Body.Close()
		return nil, fmt.Errorf("%s, segment %d: %s", w.name, segment, res.Status)
	}
	return res.Body, nil
}

func (w way) drain(body io.Reader, segment int, want int64) error {
	n, err := io.Copy(io.Discard, body)
	if err == nil && n != want {
		err = fmt.Errorf("%d bytes came, want %d", n, want)
	}
	if err != nil {
		return fmt.Errorf("%s, segment %d: %w", w.name, segment, err)
	}
	return nil
}

// together is how long it takes to get all segments at once.
func together(w way, segments []int) (time.Duration, error) {
	errs := make([]error, len(segments))
	var all sync.WaitGroup
	began := time.Now()
	for i, segment := range segments {
		all.Go(func() {
			body, err := w.open(segment)
			if err != nil {
				errs[i] = err
				return
			}
			defer body.Close()
			errs[i] = w.drain(body, segment, missBytes)
		})
	}
	all.Wait()
	took := time.Since(began)
	for _, err := range errs {
		if err != nil {
			return 0, err
		}
	}
	return took, nil
}
