// Package trace makes up what viewers of a catalogue ask for: a trace to compare caches with. The same Catalogue gives the same
// requests, on every machine.
package trace

import (
	"iter"
	"math"
	"math/rand/v2"
	"sort"
)

// Catalogue says what there is to watch, and how much of it is watched.
type Catalogue struct {
	Archives int     // titles
	Segments int     // of each title
	Zipf     float64 // the i-th title is asked for in proportion to i^-Zipf
	Viewers  int     // who watch at once; each plays a title to its last segment, then picks the next
	Requests int     // of all viewers
	Resume   bool    // viewers begin anywhere in a title
	Mean     int64   // bytes of a segment, about
	Spread   float64 // sigma of the logarithm of segments' sizes, which is normally distributed
	Seed     uint64
}

// Default is a catalogue of 2,000 titles of 150 segments, of 315 GB, of which 1.5 million are asked for.
func Default() Catalogue {
	return Catalogue{Archives: 2000, Segments: 150, Zipf: 0.9, Viewers: 60, Requests: 1_500_000, Resume: true, Mean: 1 << 20, Spread: 0.5, Seed: 1}
}

// Request is one segment that a viewer asks for.
type Request struct {
	Archive, Segment int
	Size             int64 // bytes
}

// Trace is the requests of a Catalogue. It does not change, and may be used by many at once.
type Trace struct {
	c     Catalogue
	sizes []int64   // of the segments of one archive after the other
	upTo  []float64 // share of requests that go to this archive or one before it
	bytes int64
}

// New draws the sizes of all segments.
func New(c Catalogue) *Trace {
	t := &Trace{c: c, sizes: make([]int64, c.Archives*c.Segments), upTo: make([]float64, c.Archives)}
	rnd := rand.New(rand.NewPCG(c.Seed, 0))
	median := float64(c.Mean) / math.Exp(c.Spread*c.Spread/2)
	for i := range t.sizes {
		t.sizes[i] = max(1, int64(median*math.Exp(rnd.NormFloat64()*c.Spread)))
		t.bytes += t.sizes[i]
	}
	total := 0.0
	for i := range t.upTo {
		total += math.Pow(float64(i+1), -c.Zipf)
		t.upTo[i] = total
	}
	for i := range t.upTo {
		t.upTo[i] /= total
	}
	return t
}

// Bytes is the size of all segments.
func (t *Trace) Bytes() int64 { return t.bytes }

// viewer is somebody who watches an archive, and the segment he asks for next.
type viewer struct{ archive, segment int }

// Requests answers the requests in their order. Viewers take turns at random; at the start each is somewhere in his title.
func (t *Trace) Requests() iter.Seq[Request] {
	return func(yield func(Request) bool) {
		rnd := rand.New(rand.NewPCG(t.c.Seed, 1))
		viewers := make([]viewer, t.c.Viewers)
		for i := range viewers {
			viewers[i] = viewer{t.pick(rnd), rnd.IntN(t.c.Segments)}
		}
		for range t.c.Requests {
			v := &viewers[rnd.IntN(len(viewers))]
			if !yield(Request{v.archive, v.segment, t.sizes[v.archive*t.c.Segments+v.segment]}) {
				return
			}
			if v.segment++; v.segment == t.c.Segments {
				*v = viewer{archive: t.pick(rnd)}
				if t.c.Resume {
					v.segment = rnd.IntN(t.c.Segments)
				}
			}
		}
	}
}

// pick draws an archive by its fame.
func (t *Trace) pick(rnd *rand.Rand) int {
	return min(sort.SearchFloat64s(t.upTo, rnd.Float64()), len(t.upTo)-1)
}
