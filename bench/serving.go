package main

import (
	"fmt"
	"slices"
	"time"
)

const (
	zipreelAt = 0 // among the contenders
	bareAt    = 1
	rounds    = 3
)

// turns are one contender's runs with one object.
type turns []run

func (t turns) rate() float64 {
	var v []float64
	for _, r := range t {
		v = append(v, r.rate)
	}
	return median(v)
}

// cpu is the server's CPU seconds for one request.
func (t turns) cpu() float64 {
	var v []float64
	for _, r := range t {
		v = append(v, r.cpu)
	}
	return median(v)
}

// serving measures cached objects on every server.
func (b *bench) serving() (string, error) {
	c, err := b.startContenders()
	if err != nil {
		return "", err
	}
	defer c.stop()
	if b.profile != "" {
		return "", b.profiles(c)
	}
	text := ""
	for i, o := range c.objects {
		one, err := c.http1(o)
		if err != nil {
			return "", err
		}
		text += one
		if i == len(c.objects)-1 && installed("h2load") {
			two, err := c.http2()
			if err != nil {
				return "", err
			}
			text += two
		}
	}
	return text, nil
}

// interleave gives each of n contenders its turn, three times round.
func interleave(n int, turn func(i int) (run, error)) ([]turns, error) {
	all := make([]turns, n)
	for range rounds {
		for i := range n {
			r, err := turn(i)
			if err != nil {
				return nil, err
			}
			all[i] = append(all[i], r)
		}
	}
	return all, nil
}

// http1 is the table of one object over HTTP/1.1.
func (c *contenders) http1(o object) (string, error) {
	d := pick(c.bench, 8*time.Second, time.Second)
	all, err := interleave(len(c.all), func(i int) (run, error) { return wrk(c.all[i].p, c.all[i].url(o), d) })
	if err != nil {
		return "", err
	}
	t := table{head: []string{o.name + ", HTTP/1.1", "req/s", "MB/s", "CPU s/GB", "µs CPU/req", "rate × net/http alone", "CPU × net/http alone"}}
	for i, one := range c.all {
		t.add(append([]string{one.name}, figures(all[i], all[bareAt], len(o.body))...)...)
	}
	return t.String() + c.goals(o, all) + "\n", nil
}

func figures(t, bare turns, size int) []string {
	perGB := t.cpu() * 1e9 / float64(size)
	return []string{count(t.rate()), count(t.rate() * float64(size) / 1e6), fmt.Sprintf("%.3f", perGB), fmt.Sprintf("%.1f", t.cpu()*1e6), fmt.Sprintf("%.2f", t.rate()/bare.rate()),
		fmt.Sprintf("%.2f", t.cpu()/bare.cpu())}
}

// goals are what zipreel is to reach.
func (c *contenders) goals(o object, all []turns) string {
	z := all[zipreelAt]
	best := func(name string, of func(turns) float64, better func(...float64) float64) float64 {
		var v []float64
		for i, one := range c.all {
			if len(one.name) >= len(name) && one.name[:len(name)] == name {
				v = append(v, of(all[i]))
			}
		}
		return better(v...)
	}
	maxOf := func(v ...float64) float64 { return slices.Max(v) }
	minOf := func(v ...float64) float64 { return slices.Min(v) }
	if o.name == c.objects[0].name {
		return goal("rate against net/http alone", z.rate()/all[bareAt].rate(), atLeast, 1) +
			goal("rate against nginx's cache, sendfile", z.rate()/best("nginx, cache hit, sendfile", turns.rate, maxOf), atLeast, 2.2) +
			goal("CPU per byte against nginx at its best", z.cpu()/best("nginx", turns.cpu, minOf), atMost, 0.6)
	}
	return goal("rate against net/http alone", z.rate()/all[bareAt].rate(), atLeast, 0.9) +
		fmt.Sprintf("- rate against nginx's cache: %.2f ×\n", z.rate()/best("nginx, cache hit", turns.rate, maxOf))
}

// http2 is the table of both objects over HTTP/2 without TLS.
func (c *contenders) http2() (string, error) {
	var some []contender
	for _, one := range c.all {
		if one.h2 != nil {
			some = append(some, one)
		}
	}
	text := ""
	for _, o := range c.objects {
		requests := pick(c.bench, 60_000, 10_000)
		if len(o.body) > 1<<16 {
			requests = pick(c.bench, 4000, 800)
		}
		all, err := interleave(len(some), func(i int) (run, error) { return h2load(some[i].p, some[i].h2(o), requests) })
		if err != nil {
			return "", err
		}
		t := table{head: []string{o.name + ", HTTP/2", "req/s", "MB/s", "CPU s/GB", "µs CPU/req", "rate × net/http alone", "CPU × net/http alone"}}
		for i, one := range some {
			t.add(append([]string{one.name}, figures(all[i], all[bareAt], len(o.body))...)...)
		}
		text += t.String()
	}
	return text + "No TLS: zipreel's listener has none; certificates belong to the proxy in front.\n\n", nil
}
