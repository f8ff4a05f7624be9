// Command collector shows what the garbage collector makes of cached content: it holds gigabytes of segments, replaces them one after the other as a cache
// does that is too small, and makes the small garbage that requests make. It prints one line of JSON.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	segment  = 1 << 20
	garbage  = 4 << 10 // bytes that a request allocates, as `make bench` measures them
	requests = 8       // for each segment that is replaced
)

// Figures are what one run cost.
type Figures struct {
	Replaced float64 `json:"replaced"` // bytes a second
	GC       float64 `json:"gc"`       // share of the CPU time
	Cycles   uint64  `json:"cycles"`
	Pause99  float64 `json:"pause99"` // seconds
	PauseMax float64 `json:"pausemax"`
	RSS      int64   `json:"rss"` // bytes at most
}

// store gives room for a segment in place of an old one, which may be nil.
type store func(old []byte) []byte

var stores = map[string]store{
	"heap": func([]byte) []byte { return make([]byte, segment) },
	"mmap": func(old []byte) []byte {
		if old != nil {
			return old // written over: nobody may read it still
		}
		b, err := syscall.Mmap(-1, 0, segment, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
		if err != nil {
			panic(err)
		}
		return b
	},
}

func main() {
	where := flag.String("in", "heap", "where segments are: heap, mmap")
	size := flag.Int64("size", 1<<30, "`BYTES` of segments")
	limit := flag.Int64("limit", math.MaxInt64, "memory limit of the Go runtime, in `BYTES`")
	turn := flag.Duration("for", 5*time.Second, "`TIME` to measure")
	flag.Parse()
	room, ok := stores[*where]
	if !ok {
		fmt.Fprintf(os.Stderr, "-in: nothing is named %q\n", *where)
		os.Exit(2)
	}
	debug.SetMemoryLimit(*limit)
	got := measure(room, int(*size/segment), *turn)
	json.NewEncoder(os.Stdout).Encode(got)
}

func measure(room store, n int, turn time.Duration) Figures {
	content := make([]byte, segment)
	kept := make([][]byte, n)
	for i := range kept {
		kept[i] = room(nil)
		copy(kept[i], content)
	}
	runtime.GC()
	before, began := read(), time.Now()
	var got Figures
	replaced := 0
	for time.Since(began) < turn {
		i := rand.IntN(n)
		kept[i] = room(kept[i])
		copy(kept[i], content)
		for range requests {
			runtime.KeepAlive(make([]byte, garbage+i%2)) // of no constant size: on the heap
		}
		if replaced++; replaced%64 == 0 {
			got.RSS = max(got.RSS, rss())
		}
	}
	took := time.Since(began).Seconds()
	runtime.GC() // the runtime's figures are of the last collection
	after := read()
	got.Replaced = float64(replaced) * segment / took
	got.GC = (after.gc - before.gc) / (after.cpu - before.cpu)
	got.Cycles = after.cycles - before.cycles - 1
	got.Pause99, got.PauseMax = quantile(before.pauses, after.pauses, 0.99), quantile(before.pauses, after.pauses, 1)
	runtime.KeepAlive(kept)
	return got
}

// totals are the runtime's own.
type totals struct {
	gc, cpu float64 // seconds
	cycles  uint64
	pauses  *metrics.Float64Histogram
}

func read() totals {
	s := []metrics.Sample{{Name: "/cpu/classes/gc/total:cpu-seconds"}, {Name: "/cpu/classes/total:cpu-seconds"}, {Name: "/cpu/classes/idle:cpu-seconds"},
		{Name: "/gc/cycles/total:gc-cycles"}, {Name: "/sched/pauses/total/gc:seconds"}}
	metrics.Read(s)
	h := *s[4].Value.Float64Histogram()
	h.Counts = append([]uint64(nil), h.Counts...)
	return totals{s[0].Value.Float64(), s[1].Value.Float64() - s[2].Value.Float64(), s[3].Value.Uint64(), &h}
}

// quantile answers the upper bound of the bucket that holds the q-th of what was added between.
func quantile(before, after *metrics.Float64Histogram, q float64) float64 {
	var all uint64
	for i := range after.Counts {
		all += after.Counts[i] - before.Counts[i]
	}
	var seen uint64
	for i := range after.Counts {
		seen += after.Counts[i] - before.Counts[i]
		if all > 0 && float64(seen) >= q*float64(all) {
			if !math.IsInf(after.Buckets[i+1], 1) {
				return after.Buckets[i+1]
			}
			return after.Buckets[i]
		}
	}
	return 0
}

// rss is the process's resident memory in bytes (proc(5)).
func rss() int64 {
	text, _ := os.ReadFile("/proc/self/statm")
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize())
}
