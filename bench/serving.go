package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"zipreel/bench/plot"
)

// rounds is how often each contender has its turn.
const rounds = 3

// turns are one contender's runs with one object.
type turns []run

// rate is requests a second.
func (t turns) rate() float64 {
	return medianOf(t, func(r run) float64 { return r.rate })
}

// cpu is the server's CPU seconds for one request.
func (t turns) cpu() float64 {
	return medianOf(t, func(r run) float64 { return r.cpu })
}

func medianOf(t turns, of func(run) float64) float64 {
	var v []float64
	for _, r := range t {
		v = append(v, of(r))
	}
	return median(v)
}

// contest is one object on one list of contenders.
type contest struct {
	object object
	how    string // protocol
	all    []contender
	turns  []turns
}

// cached measures cached objects over plain HTTP/1.1 on every server.
func (b *bench) cached() (string, error) {
	all, text, err := b.contests("HTTP/1.1", func(c *contenders) []contender { return c.http1 }, b.wrkTurn)
	if err != nil {
		return "", err
	}
	return text + plainGoals(all) + coreNote + "![Cached answers](plots/cached.svg)\n\n", os.WriteFile(filepath.Join(b.plots, "cached.svg"), cachedPlot(all), 0o644)
}

const coreNote = `
Whole segments are taken no faster than the load's core copies them, so their rates lie close together; CPU for each byte shows what a server
does for them. nginx's large writes are ` + "`" + largeWrites + "`" + `.

`

// secure measures cached objects over TLS.
func (b *bench) secure() (string, error) {
	all, text, err := b.contests("HTTP/1.1 over TLS", func(c *contenders) []contender { return c.tls }, b.wrkTurn)
	if err != nil {
		return "", err
	}
	return text + secureGoals(all) + "\n`zipreel serve` itself has no TLS listener: this is its handler in a small program that has one.\n\n", nil
}

// multiplexed measures cached objects over HTTP/2.
func (b *bench) multiplexed() (string, error) {
	if !installed("h2load") {
		return "Left out: h2load is not installed.\n\n", nil
	}
	_, text, err := b.contests("HTTP/2 without TLS", func(c *contenders) []contender { return c.http2 }, b.h2loadTurn)
	return text, err
}

func (b *bench) wrkTurn(p *process, url string, _ object) (run, error) {
	return wrk(p, url, pick(b, 8*time.Second, time.Second))
}

func (b *bench) h2loadTurn(p *process, url string, o object) (run, error) {
	if len(o.body) > 1<<16 {
		return h2load(p, url, pick(b, 5000, 800))
	}
	return h2load(p, url, pick(b, 60_000, 10_000))
}

// contests gives each contender of a list its turn with each object, three times round.
func (b *bench) contests(how string, list func(*contenders) []contender, turn func(*process, string, object) (run, error)) (all []contest, text string, err error) {
	c, err := b.startContenders()
	if err != nil {
		return nil, "", err
	}
	defer c.stop()
	for _, o := range c.objects {
		one := contest{object: o, how: how, all: list(c)}
		if err := one.play(turn); err != nil {
			return nil, "", err
		}
		all = append(all, one)
		text += one.table(bareAt, "net/http alone")
	}
	return all, text, nil
}

// play gives each contender its turns.
func (c *contest) play(turn func(*process, string, object) (run, error)) error {
	c.turns = make([]turns, len(c.all))
	for range rounds {
		for i, who := range c.all {
			r, err := turn(who.p, who.url(c.object), c.object)
			if err != nil {
				return fmt.Errorf("%s: %w", who.name, err)
			}
			c.turns[i] = append(c.turns[i], r)
		}
	}
	return nil
}

// table has each contender beside the one at a place, which is called so.
func (c *contest) table(beside int, called string) string {
	t := table{head: []string{c.object.name + ", " + c.how, "req/s", "MB/s", "CPU s/GB", "CPU µs/req", "rate × " + called, "CPU × " + called}}
	bare, size := c.turns[beside], float64(len(c.object.body))
	for i, one := range c.all {
		r := c.turns[i]
		t.add(one.name, count(r.rate()), count(r.rate()*size/1e6), fmt.Sprintf("%.3f", r.cpu()*1e9/size), fmt.Sprintf("%.1f", r.cpu()*1e6),
			fmt.Sprintf("%.2f", r.rate()/bare.rate()), fmt.Sprintf("%.2f", r.cpu()/bare.cpu()))
	}
	return t.String()
}

// best answers the highest rate and the least CPU among contenders whose names start so.
func (c contest) best(prefix string) (rate, cpu float64) {
	var rates, cpus []float64
	for i, one := range c.all {
		if strings.HasPrefix(one.name, prefix) {
			rates, cpus = append(rates, c.turns[i].rate()), append(cpus, c.turns[i].cpu())
		}
	}
	return slices.Max(rates), slices.Min(cpus)
}

func plainGoals(all []contest) string {
	segment, playlist := all[0], all[1]
	z, bare := segment.turns[zipreelAt], segment.turns[bareAt]
	cacheRate, _ := segment.best("nginx, cache hit, sendfile")
	_, leastCPU := segment.best("nginx")
	zp, barePlaylist := playlist.turns[zipreelAt], playlist.turns[bareAt]
	cachePlaylist, _ := playlist.best("nginx, cache")
	return goal("segment: rate against net/http alone", z.rate()/bare.rate(), atLeast, 1) +
		goal("segment: rate against nginx's cache as it is usually set up", z.rate()/cacheRate, atLeast, 2.2) +
		goal("segment: CPU for each byte against nginx at its best", z.cpu()/leastCPU, atMost, 0.6) +
		goal("playlist: rate against net/http alone", zp.rate()/barePlaylist.rate(), atLeast, 0.9) +
		fmt.Sprintf("- playlist: rate against nginx's cache at its best: %s\n", short(zp.rate()/cachePlaylist))
}

func secureGoals(all []contest) string {
	text := ""
	for _, c := range all {
		rate, _ := c.best("nginx")
		text += goal(c.object.name+": rate against nginx at its best", c.turns[zipreelAt].rate()/rate, atLeast, 1)
	}
	return text
}

func cachedPlot(all []contest) []byte {
	var groups []plot.Group
	for _, c := range all {
		g := plot.Group{Title: c.object.name + ", cached: requests a second on one core"}
		for i, one := range c.all {
			g.Bars = append(g.Bars, plot.Bar{Name: one.name, Value: c.turns[i].rate(), Strong: i == zipreelAt})
		}
		groups = append(groups, g)
	}
	return plot.Bars("Cached answers", groups)
}
