package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"zipreel/bench/plot"
	"zipreel/bench/title"
)

// growth is how cost grows with one thing.
type growth struct {
	name, title string
	x           string // axis
	head        string // of the first column
	main        string // what is measured besides memory and latency
	points      []growthPoint
}

// growthPoint is what one number of them costs.
type growthPoint struct {
	x       int
	main    float64         // what growth.main says
	rss     int64           // bytes
	latency []time.Duration // of a cached answer meanwhile
}

const warmUp = 20 // answers that are not noted

// warm asks a few times, so that connections and code are there.
func warm(url string) error {
	for range warmUp {
		if err := head(url); err != nil {
			return err
		}
	}
	return nil
}

// probe asks a few times and notes how long that takes.
func (p *growthPoint) probe(url string, times int) error {
	for range times {
		began := time.Now()
		if err := get(url); err != nil {
			return err
		}
		p.latency = append(p.latency, time.Since(began))
	}
	return nil
}

const tellable = 4 << 20 // bytes of RSS by which two runs may differ anyway

// each answers the bytes of RSS that each one more takes, from the point before to the i-th; 0: too few to tell.
func (g growth) each(i int) float64 {
	if i == 0 || g.points[i].rss-g.points[i-1].rss < tellable {
		return 0
	}
	return float64(g.points[i].rss-g.points[i-1].rss) / float64(g.points[i].x-g.points[i-1].x)
}

func bytesEach(v float64) string {
	switch {
	case v == 0:
		return "–"
	case v < 4096:
		return count(v) + " B"
	}
	return fmt.Sprintf("%.1f KiB", v/1024)
}

func measuredOr(v float64) string {
	if v == 0 {
		return "–"
	}
	return short(v)
}

// settled answers the gateway's RSS after a collection.
func (z *zipreelServer) settled() (int64, error) {
	_, _, err := fetch(z.admin + "/debug/pprof/heap?gc=1")
	return z.usage().rss, err
}

// grown is the table, and writes the plot.
func (b *bench) grown(g growth) (string, error) {
	t := table{head: []string{g.head, g.main, "RSS, MB", "RSS for each more", "cached answer p50, ms", "p99, ms"}}
	line := func(y func(growthPoint) float64) []plot.Point {
		var points []plot.Point
		for _, p := range g.points {
			if v := y(p); v > 0 { // 0 is not measured
				points = append(points, plot.Point{X: float64(p.x), Y: v})
			}
		}
		return points
	}
	ms := func(q float64) func(growthPoint) float64 {
		return func(p growthPoint) float64 { return float64(quantile(p.latency, q)) / 1e6 }
	}
	rss := func(p growthPoint) float64 { return float64(p.rss) / 1e6 }
	for i, p := range g.points {
		t.add(count(float64(p.x)), measuredOr(p.main), count(rss(p)), bytesEach(g.each(i)), fmt.Sprintf("%.2f", ms(0.5)(p)), fmt.Sprintf("%.2f", ms(0.99)(p)))
	}
	file := filepath.Join(b.plots, g.name+".svg")
	svg := plot.Lines(g.title, g.x, []plot.Panel{
		{Title: g.main, Lines: []plot.Line{{Points: line(func(p growthPoint) float64 { return p.main })}}},
		{Title: "RSS, MB", Lines: []plot.Line{{Points: line(rss)}}},
		{Title: "a cached answer, ms", Lines: []plot.Line{{Name: "p50", Points: line(ms(0.5))}, {Name: "p99", Points: line(ms(0.99))}}},
	})
	return t.String() + fmt.Sprintf("![%s](plots/%s.svg)\n\n", g.title, g.name), os.WriteFile(file, svg, 0o644)
}

const (
	archiveEntries = 100
	loaders        = 16 // requests under way while archives become known
)

// archives measures what known archives cost, from one to a hundred thousand. Content, some of which comes along with a directory, is
// hardly kept.
func (b *bench) archives() (string, error) {
	n, err := startNode(title.New(archiveEntries-2, 16<<10))
	if err != nil {
		return "", err
	}
	defer n.stop()
	z, err := b.startZipreel(b.server, n.url, "--index-memory", "2GiB", "--memory", "16MiB", "--revalidate", "1h")
	if err != nil {
		return "", err
	}
	defer z.stop()
	g := growth{name: "archives", x: "archives known", title: "Archives of 100 entries whose directories are kept", head: "Archives known", main: "CPU to know one more, µs"}
	known := 0
	for _, count := range pick(b, []int{1, 10, 100, 1000, 10_000, 100_000}, []int{1, 10, 100, 1000, 10_000}) {
		used := z.usage().cpu
		if err := z.know(known, count); err != nil {
			return "", err
		}
		p := growthPoint{x: count}
		if used = z.usage().cpu - used; used > 20*time.Second/ticksPerSecond {
			p.main = float64(used.Microseconds()) / float64(count-known)
		}
		known = count
		if p.rss, err = z.settled(); err != nil {
			return "", err
		}
		if err := warm(z.entry(archiveName(0), title.Name(0))); err != nil {
			return "", err
		}
		for i := range probes {
			if err := p.probeHead(z.entry(archiveName(i*7919%count), title.Name(i%(archiveEntries-2)))); err != nil {
				return "", err
			}
		}
		g.points = append(g.points, p)
	}
	return b.grown(g)
}

func archiveName(i int) string { return fmt.Sprintf("a%06d.zip", i) }

// know asks for something of archives [from, to), so that their directories are read.
func (z *zipreelServer) know(from, to int) error {
	todo, failed := make(chan int), make(chan error, loaders)
	var all sync.WaitGroup
	for range loaders {
		all.Go(func() {
			var err error
			for i := range todo {
				if err == nil {
					err = head(z.entry(archiveName(i), title.Name(0)))
				}
			}
			failed <- err
		})
	}
	for i := from; i < to; i++ {
		todo <- i
	}
	close(todo)
	all.Wait()
	close(failed)
	for err := range failed {
		if err != nil {
			return err
		}
	}
	return nil
}

// head asks for headers alone: that needs the directory and no content.
func head(url string) error {
	res, err := client.Head(url)
	if err != nil {
		return err
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("HEAD %s: %s", url, res.Status)
	}
	return nil
}

func (p *growthPoint) probeHead(url string) error {
	began := time.Now()
	err := head(url)
	p.latency = append(p.latency, time.Since(began))
	return err
}

// entries measures what the size of an archive costs, up to two million entries.
func (b *bench) entries() (string, error) {
	g := growth{name: "entries", x: "entries of the archive", title: "One archive with many entries", head: "Entries", main: "cold start, ms"}
	for _, count := range []int{100, 1000, 10_000, 100_000, 1_000_000, 2_000_000} {
		p, err := b.large(count)
		if err != nil {
			return "", err
		}
		g.points = append(g.points, p)
	}
	return b.grown(g)
}

// large measures one archive on a gateway of its own.
func (b *bench) large(entries int) (growthPoint, error) {
	p := growthPoint{x: entries}
	n, err := startNode(title.New(entries, 16<<10))
	if err != nil {
		return p, err
	}
	defer n.stop()
	z, err := b.startZipreel(b.server, n.url, "--index-memory", "1GiB", "--max-directory", "512MiB", "--max-entries", "3000000")
	if err != nil {
		return p, err
	}
	defer z.stop()
	began := time.Now()
	if err := head(z.entry("title.zip", title.Name(0))); err != nil {
		return p, err
	}
	p.main = float64(time.Since(began)) / 1e6
	if p.rss, err = z.settled(); err != nil {
		return p, err
	}
	if err := warm(z.entry("title.zip", title.Name(0))); err != nil {
		return p, err
	}
	for i := range probes {
		if err := p.probeHead(z.entry("title.zip", title.Name(i*7919%entries))); err != nil {
			return p, err
		}
	}
	return p, nil
}
