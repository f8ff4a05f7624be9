package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"sync"
	"time"

	"zipreel/bench/title"
)

const (
	crowdSize   = 1000
	crowdBytes  = 1 << 20                // of the segment
	crowdGather = 500 * time.Millisecond // for all requests to have come
)

// arrived is what the viewers of a crowd saw.
type arrived struct {
	first []time.Duration // of each viewer's first byte after the node's
	reads int64
}

// crowd has many viewers ask for a segment that the node is about to send: how long after the node's first byte does each get its own?
func (b *bench) crowd() (string, error) {
	n, err := startNode(title.New(rounds+1, crowdBytes))
	if err != nil {
		return "", err
	}
	defer n.stop()
	node, err := url.Parse(n.url)
	if err != nil {
		return "", err
	}
	z, err := b.startZipreel(b.server, n.url)
	if err != nil {
		return "", err
	}
	defer z.stop()
	address, err := freePort()
	if err != nil {
		return "", err
	}
	base := "http://" + address + "/"
	cache, err := b.startNginx("nginx-crowd", b.server, base+"0-0", nginxRanges(address, node.Host, "proxy_cache_lock on; proxy_cache_lock_timeout 30s; proxy_cache_lock_age 30s;"))
	if err != nil {
		return "", err
	}
	defer cache.stop()
	bare, bareURL, err := b.startBareCrowd(n.url + "title.zip")
	if err != nil {
		return "", err
	}
	defer bare.stop()
	if err := get(z.entry("title.zip", title.Multivariant)); err != nil {
		return "", err
	}
	servers := []struct {
		name string
		warm string
		url  func(segment int) string
		got  arrived
	}{
		{"zipreel", z.entry("title.zip", title.Multivariant), func(i int) string { return z.entry("title.zip", title.Name(i)) }, arrived{}},
		{"net/http alone, all waiting for one read (the limit)", bareURL + "0-0", func(i int) string { return bareURL + byteRange(n.title, i)[len("bytes="):] }, arrived{}},
		{"nginx's cache with its lock", base + "0-0", func(i int) string { return base + byteRange(n.title, i)[len("bytes="):] }, arrived{}},
	}
	for round := range rounds {
		for i := range servers {
			s := &servers[i]
			got, err := n.gather(s.warm, s.url(round))
			if err != nil {
				return "", fmt.Errorf("%s: %w", s.name, err)
			}
			s.got.first = append(s.got.first, got.first...)
			s.got.reads += got.reads
		}
	}
	t := table{head: []string{fmt.Sprintf("%d viewers of one cold segment of 1 MiB", crowdSize), "reads of the node", "first byte after the node's: p50, ms", "p99, ms"}}
	for _, s := range servers {
		t.add(s.name, fmt.Sprintf("%.0f", float64(s.got.reads)/rounds), fmt.Sprintf("%.1f", float64(median(s.got.first))/1e6), fmt.Sprintf("%.1f", float64(quantile(s.got.first, 0.99))/1e6))
	}
	return t.String() + goal("reads of the node", float64(servers[0].got.reads)/rounds, atMost, 1) +
		goal("first byte after the node's, p50, ms", float64(median(servers[0].got.first))/1e6, atMost, 5) +
		fmt.Sprintf("- first byte after the node's, p50, against net/http alone: %s\n", short(float64(median(servers[0].got.first))/float64(median(servers[1].got.first)))) +
		"\nAll viewers are connected and have asked before the node answers; one process on the load's core is the node and all of them.\n\n", nil
}

// startBareCrowd starts net/http alone, before an archive.
func (b *bench) startBareCrowd(archive string) (*process, string, error) {
	address, err := freePort()
	if err != nil {
		return nil, "", err
	}
	p, err := launch(b.dir, "bare crowd", b.server, filepath.Join(b.dir, "bin", "bare"), "-listen", address, "-crowd", archive)
	if err != nil {
		return nil, "", err
	}
	url := "http://" + address + "/"
	return p, url, p.answers(url + "0-0")
}

// gather opens connections, asks for the same thing on all of them, and lets the node answer.
func (n *countingNode) gather(warm, address string) (arrived, error) {
	u, err := url.Parse(address)
	if err != nil {
		return arrived{}, err
	}
	viewers := make([]net.Conn, crowdSize)
	for i := range viewers {
		c, err := net.Dial("tcp", u.Host)
		if err != nil {
			return arrived{}, err
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(dialWithin))
		viewers[i] = c
	}
	if err := get(warm); err != nil {
		return arrived{}, err
	}
	gate := make(chan struct{})
	n.gate.Store(&gate)
	defer n.gate.Store(nil)
	before := n.reads.Load()
	first, errs := make([]time.Time, crowdSize), make([]error, crowdSize)
	var all sync.WaitGroup
	request := fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", u.EscapedPath(), u.Host)
	for i, c := range viewers {
		if _, err := c.Write(request); err != nil {
			close(gate)
			return arrived{}, err
		}
		all.Go(func() { first[i], errs[i] = take(c) })
	}
	time.Sleep(crowdGather)
	close(gate)
	all.Wait()
	got := arrived{reads: n.reads.Load() - before}
	began := time.Unix(0, n.began.Load())
	for _, at := range first {
		got.first = append(got.first, at.Sub(began))
	}
	return got, errors.Join(errs...)
}

// take reads one answer and says when its body began.
func take(c net.Conn) (first time.Time, err error) {
	buf := make([]byte, 64<<10)
	n, body := 0, -1
	for body < 0 {
		m, err := c.Read(buf[n:])
		if err != nil {
			return first, err
		}
		n += m
		if i := bytes.Index(buf[:n], []byte("\r\n\r\n")); i >= 0 && n > i+4 {
			body = n - i - 4
		}
	}
	first = time.Now()
	if status := string(buf[:min(n, 12)]); status != fmt.Sprint("HTTP/1.1 ", http.StatusOK) && status != fmt.Sprint("HTTP/1.1 ", http.StatusPartialContent) {
		return first, fmt.Errorf("answer %q", status)
	}
	for body < crowdBytes {
		m, err := c.Read(buf)
		if body += m; err == io.EOF && body == crowdBytes {
			break
		} else if err != nil {
			return first, fmt.Errorf("after %d bytes: %w", body, err)
		}
	}
	return first, nil
}
