package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"sync"
	"syscall"
	"time"

	"zipreel/bench/title"
)

const (
	slowBytes    = 5 << 10 // a second: a slow viewer's
	watchFor     = 4 * time.Second
	dialers      = 64
	dialWithin   = 20 * time.Second
	probes       = 200
	viewerMSS    = 1400     // as on the internet: loopback's 64 KiB would have the kernel buffer whole segments
	viewerRcvBuf = 16 << 10 // bytes
)

// slowViewers are connections that each read a segment at slowBytes a second.
type slowViewers struct {
	cancel context.CancelFunc
	all    sync.WaitGroup

	mu   sync.Mutex // guards following
	cut  int        // were closed by the server
	read int64      // bytes
}

// watchSlowly opens n connections, and answers when all have got their first bytes.
func watchSlowly(n int, address string) (*slowViewers, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	v := &slowViewers{cancel: cancel}
	todo, failed := make(chan struct{}, n), make(chan error, dialers)
	for range n {
		todo <- struct{}{}
	}
	close(todo)
	var dialing sync.WaitGroup
	for range min(n, dialers) {
		dialing.Go(func() {
			for range todo {
				c, err := dialSlow(u)
				if err != nil {
					failed <- err
					return
				}
				v.all.Go(func() { v.watch(ctx, c) })
			}
		})
	}
	dialing.Wait()
	close(failed)
	if err := <-failed; err != nil {
		v.stop()
		return nil, fmt.Errorf("open %d slow viewers: %w", n, err)
	}
	return v, nil
}

// dialSlow connects with small buffers, asks, and reads the first kilobyte.
func dialSlow(u *url.URL) (net.Conn, error) {
	d := net.Dialer{Timeout: dialWithin, Control: func(_, _ string, raw syscall.RawConn) error {
		var err error
		control := raw.Control(func(fd uintptr) {
			err = errors.Join(syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, viewerRcvBuf),
				syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_MAXSEG, viewerMSS))
		})
		return errors.Join(control, err)
	}}
	c, err := d.Dial("tcp", u.Host)
	if err != nil {
		return nil, err
	}
	c.SetDeadline(time.Now().Add(dialWithin))
	if _, err = fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", u.EscapedPath(), u.Host); err == nil {
		_, err = io.ReadFull(c, make([]byte, 1<<10))
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	c.SetDeadline(time.Time{})
	return c, nil
}

func (v *slowViewers) watch(ctx context.Context, c net.Conn) {
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.Close() })()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	piece := make([]byte, slowBytes)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		n, err := io.ReadFull(c, piece)
		v.mu.Lock()
		v.read += int64(n)
		if err != nil && ctx.Err() == nil {
			v.cut++
		}
		v.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// stop ends them all, and waits for that.
func (v *slowViewers) stop() {
	v.cancel()
	v.all.Wait()
}

// dropped is how many the server has cut off.
func (v *slowViewers) dropped() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.cut
}

// viewers measures what slow viewers cost, from one to ten thousand.
func (b *bench) viewers() (string, error) {
	n, err := startNode(title.New(4, 1<<20))
	if err != nil {
		return "", err
	}
	defer n.stop()
	g := growth{name: "viewers", x: "slow viewers", title: "Slow viewers (5 KB/s) of one segment", head: "Slow viewers", main: "CPU, % of a core"}
	for _, count := range []int{1, 10, 100, 1000, 10_000} {
		p, err := b.slow(n, count)
		if err != nil {
			return "", err
		}
		g.points = append(g.points, p)
	}
	text, err := b.grown(g)
	return text + goal("RSS for each of 10,000 slow viewers, KiB", g.each(len(g.points)-1)/1024, atMost, 64) + "\n", err
}

// slow measures one number of viewers, on a gateway of its own.
func (b *bench) slow(n *countingNode, count int) (growthPoint, error) {
	z, err := b.startZipreel(b.server, n.url, "--max-connections", "20000")
	if err != nil {
		return growthPoint{}, err
	}
	defer z.stop()
	segment := z.entry("title.zip", title.Name(0))
	if err := get(segment); err != nil {
		return growthPoint{}, err
	}
	p := growthPoint{x: count}
	if err := warm(z.entry("title.zip", title.Multivariant)); err != nil {
		return p, err
	}
	v, err := watchSlowly(count, segment)
	if err != nil {
		return p, err
	}
	defer v.stop()
	began, used := time.Now(), z.usage().cpu
	for time.Since(began) < watchFor {
		if err := p.probe(z.entry("title.zip", title.Multivariant), probes/4); err != nil {
			return p, err
		}
		time.Sleep(watchFor / 4)
	}
	p.main = float64(z.usage().cpu-used) / float64(time.Since(began)) * 100
	p.rss = z.usage().rss
	if d := v.dropped(); d > 0 {
		return p, fmt.Errorf("%d of %d slow viewers were cut off", d, count)
	}
	return p, nil
}
