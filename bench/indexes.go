package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"zipreel/bench/plot"
	"zipreel/bench/title"
	"zipreel/zipindex"
)

// indexed is what an index costs.
type indexed struct {
	parse  time.Duration
	held   int64 // bytes of heap
	lookup time.Duration
}

const (
	parseFor    = 20 * time.Millisecond
	lookFor     = 100 * time.Millisecond
	lookupNames = 1024
)

// indexer is a library that reads central directories.
type indexer struct {
	name    string
	measure func(t *title.Title, names []string) (indexed, error)
}

// indexSize is what every library needs for an archive.
type indexSize struct {
	entries int
	all     []indexed // by library
}

// perEntry divides by the entries.
func (s indexSize) perEntry(v int64) float64 { return float64(v) / float64(s.entries) }

// indexes holds zipindex against other libraries, from ten entries to two millions.
func (b *bench) indexes() (string, error) {
	libraries := []indexer{{"zipindex", measureZipindex}, {"archive/zip", measureArchiveZip}}
	missing := ""
	if program, err := b.buildMinio(); err != nil {
		missing = fmt.Sprintf("minio/zipindex is left out: %v.\n\n", err)
	} else {
		libraries = append(libraries, indexer{"minio/zipindex", func(t *title.Title, names []string) (indexed, error) { return b.measureMinio(program, t, names) }})
	}
	var sizes []indexSize
	for _, entries := range pick(b, []int{10, 1000, 10_000, 100_000, 1_000_000, 2_000_000}, []int{10, 1000, 100_000, 2_000_000}) {
		all, err := indexAll(libraries, entries)
		if err != nil {
			return "", err
		}
		sizes = append(sizes, indexSize{entries, all})
	}
	return indexTable(libraries, sizes) + missing + indexGoals(sizes[len(sizes)-1]) +
		"\nNames of 30 bytes, segments of 256 KiB. archive/zip's lookup is Open, minio/zipindex's is Find, a walk.\n\n" +
		"![Reading a central directory](plots/indexes.svg)\n\n", os.WriteFile(filepath.Join(b.plots, "indexes.svg"), indexPlot(libraries, sizes), 0o644)
}

func indexTable(libraries []indexer, sizes []indexSize) string {
	t := table{head: []string{"Library, entries", "parse, ms", "ns/entry", "heap B/entry", "lookup, ns", "parse time × zipindex"}}
	for _, s := range sizes {
		for i, l := range libraries {
			got := s.all[i]
			t.add(l.name+", "+count(float64(s.entries)), fmt.Sprintf("%.3f", float64(got.parse)/1e6), count(s.perEntry(int64(got.parse))),
				count(s.perEntry(got.held)), count(float64(got.lookup)), short(float64(got.parse)/float64(s.all[0].parse)))
		}
	}
	return t.String()
}

func indexGoals(largest indexSize) string {
	zi, az := largest.all[0], largest.all[1]
	return goal("parse time of archive/zip against zipindex's", float64(az.parse)/float64(zi.parse), atLeast, 5) +
		goal("heap bytes per entry", largest.perEntry(zi.held), atMost, 40) +
		goal("lookup, ns", float64(zi.lookup), atMost, 200)
}

// indexPlot leaves out archives that are too small for a share of an entry to mean something.
func indexPlot(libraries []indexer, sizes []indexSize) []byte {
	var times, bytes []plot.Line
	for i, l := range libraries {
		took, held := plot.Line{Name: l.name}, plot.Line{Name: l.name}
		for _, s := range sizes {
			if s.entries < 1000 {
				continue
			}
			x := float64(s.entries)
			took.Points = append(took.Points, plot.Point{X: x, Y: s.perEntry(int64(s.all[i].parse))})
			held.Points = append(held.Points, plot.Point{X: x, Y: s.perEntry(s.all[i].held)})
		}
		times, bytes = append(times, took), append(bytes, held)
	}
	return plot.Lines("Reading a central directory", "entries", []plot.Panel{{Title: "ns per entry", Lines: times}, {Title: "heap bytes per entry", Lines: bytes}})
}

// indexAll measures every library in turn, three times round, and answers medians.
func indexAll(libraries []indexer, entries int) ([]indexed, error) {
	t := title.New(entries, 256<<10)
	names := make([]string, min(entries, lookupNames))
	for i := range names {
		names[i] = title.Name(i * 7919 % entries)
	}
	got := make([][rounds]indexed, len(libraries))
	for round := range rounds {
		for i, l := range libraries {
			var err error
			if got[i][round], err = l.measure(t, names); err != nil {
				return nil, fmt.Errorf("%s, %d entries: %w", l.name, entries, err)
			}
		}
	}
	all := make([]indexed, len(libraries))
	for i, g := range got {
		all[i] = indexed{
			median([]time.Duration{g[0].parse, g[1].parse, g[2].parse}),
			median([]int64{g[0].held, g[1].held, g[2].held}),
			median([]time.Duration{g[0].lookup, g[1].lookup, g[2].lookup}),
		}
	}
	return all, nil
}

func measureZipindex(t *title.Title, names []string) (indexed, error) {
	off, tail := t.Tail()
	lim := zipindex.Limits{Directory: 1 << 30, Entries: 10_000_000}
	return measureIndex(names, func() (*zipindex.Index, error) { return zipindex.Parse(tail, off, t.Size(), lim) },
		func(x *zipindex.Index, name string) bool {
			_, ok := x.Lookup(name)
			return ok
		})
}

func measureArchiveZip(t *title.Title, names []string) (indexed, error) {
	return measureIndex(names, func() (*zip.Reader, error) { return zip.NewReader(t, t.Size()) },
		func(r *zip.Reader, name string) bool {
			f, err := r.Open(name)
			if err != nil {
				return false
			}
			f.Close()
			return true
		})
}

// measureIndex parses for a while, at least once, and then looks names up for a while. The first lookup, which may build something,
// does not count.
func measureIndex[X any](names []string, parse func() (X, error), lookup func(X, string) bool) (indexed, error) {
	before := heap()
	began := time.Now()
	x, err := parse()
	if err != nil {
		return indexed{}, err
	}
	got := indexed{parse: time.Since(began)}
	got.held = heap() - before
	if got.parse < parseFor {
		n := time.Duration(0)
		for began = time.Now(); time.Since(began) < parseFor; n++ {
			if x, err = parse(); err != nil {
				return got, err
			}
		}
		got.parse = time.Since(began) / n
	}
	looked := 0
	lookup(x, names[0])
	for began = time.Now(); time.Since(began) < lookFor; looked += len(names) {
		for _, name := range names {
			if !lookup(x, name) {
				return got, fmt.Errorf("%q is not found", name)
			}
		}
	}
	got.lookup = time.Since(began) / time.Duration(looked)
	runtime.KeepAlive(x)
	return got, nil
}

// heap is the bytes that are in use.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func (b *bench) buildMinio() (string, error) {
	program := filepath.Join(b.dir, "bin", "minio-zipindex")
	cmd := exec.Command("go", "build", "-o", program, ".")
	cmd.Dir = filepath.Join("bench", "zipindex")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("it does not build: %w: %s", err, out)
	}
	return program, nil
}

// measureMinio has a program of its own do it.
func (b *bench) measureMinio(program string, t *title.Title, names []string) (indexed, error) {
	_, tail := t.Tail()
	file := filepath.Join(b.dir, "tail")
	if err := os.WriteFile(file, tail, 0o644); err != nil {
		return indexed{}, err
	}
	cmd := exec.Command(program, file, strconv.FormatInt(t.Size(), 10))
	cmd.Stdin = strings.NewReader(strings.Join(names, "\n"))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return indexed{}, fmt.Errorf("%w: %s", err, stderr.Bytes())
	}
	var got indexed
	_, err = fmt.Sscan(string(out), &got.parse, &got.held, &got.lookup)
	return got, err
}
