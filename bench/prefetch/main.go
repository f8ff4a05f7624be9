// Command prefetch measures what reading ahead gives viewers of storage that takes its time, and what it costs: the same viewers with and
// without it, at once, each of them on a gateway and a storage node of its own in this process. It prints a table in Markdown.
//
// A node waits before each answer and then sends as fast as the machine does. A viewer plays a stream of 8 Mbit/s in segments of 2 s over a link of
// 8.5 Mbit/s, holds 12 s of it, and watches an archive that no one else does. A seeking viewer goes elsewhere every five segments, with nothing held.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"
)

const (
	segmentPlays = 2 * time.Second
	streamRate   = 8_000_000 / 8 // bytes per second
	linkRate     = 8_500_000 / 8
	holds        = 12 * time.Second
	seekEvery    = 5 // segments, for who seeks
	titleLength  = 1000
)

func main() {
	viewers := flag.Int("viewers", 8, "viewers of each side")
	segments := flag.Int("segments", 25, "segments that each viewer watches")
	ahead := flag.Int64("ahead", 16<<20, "bytes read ahead of a viewer, at most")
	memory := flag.Int64("memory", 512<<20, "bytes of content each gateway keeps")
	flag.Parse()
	common := scene{viewers: *viewers, segments: *segments, memory: *memory, segmentBytes: streamRate * int64(segmentPlays/time.Second)}
	if err := run(common, *ahead); err != nil {
		fmt.Fprintln(os.Stderr, "prefetch:", err)
		os.Exit(1)
	}
}

func run(common scene, ahead int64) error {
	fmt.Printf("%d viewers a side, %d segments each, %d MiB of memory; %s, %d cores, %s.\n\n", common.viewers, common.segments, common.memory>>20, processor(),
		runtime.NumCPU(), runtime.Version())
	fmt.Println("| node latency | viewers | prefetch | first byte p50 | p95 | stalls | stalled for | read ahead | used | reads | read per byte watched |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|---|---|")
	for _, seek := range []int{0, seekEvery} {
		for _, delay := range []time.Duration{20 * time.Millisecond, 80 * time.Millisecond, 200 * time.Millisecond} {
			var sides [2]result
			var errs [2]error
			var both sync.WaitGroup
			for i, ahead := range []int64{-1, ahead} {
				both.Go(func() {
					s := common
					s.delay, s.seek, s.ahead = delay, seek, ahead
					sides[i], errs[i] = play(s)
				})
			}
			both.Wait()
			for i, r := range sides {
				if errs[i] != nil {
					return errs[i]
				}
				fmt.Println(r.row())
			}
		}
	}
	return nil
}

// processor is the machine's, as it names itself.
func processor() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, model, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(model)
		}
	}
	return runtime.GOARCH
}
