package main

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// collected is what bench/collector prints.
type collected struct {
	Replaced, GC, Pause99, PauseMax float64
	Cycles                          uint64
	RSS                             int64
}

// collector shows whether cached content is better kept off the heap.
func (b *bench) collector() (string, error) {
	const slack = 1 << 30
	t := table{head: []string{"Content, kept in", "replaced, MB/s", "GC, % of CPU", "GC cycles", "pause p99, µs", "pause max, µs", "RSS at most, GB"}}
	for _, size := range pick(b, []int64{1 << 30, 8 << 30}, []int64{1 << 30}) {
		for _, how := range []struct {
			name, in string
			limit    int64
		}{
			{"heap", "heap", 1 << 62},
			{"heap with a memory limit of 1 GiB more", "heap", size + slack},
			{"mmap, written over in place", "mmap", 1 << 62},
		} {
			got, err := b.collect(how.in, size, how.limit)
			if err != nil {
				return "", err
			}
			t.add(fmt.Sprintf("%d GiB, %s", size>>30, how.name), count(got.Replaced/1e6), short(got.GC*100), strconv.FormatUint(got.Cycles, 10),
				count(got.Pause99*1e6), count(got.PauseMax*1e6), fmt.Sprintf("%.1f", float64(got.RSS)/1e9))
		}
	}
	return t.String(), nil
}

func (b *bench) collect(in string, size, limit int64) (got collected, err error) {
	out, err := exec.Command("taskset", "-c", strconv.Itoa(b.server), filepath.Join(b.dir, "bin", "collector"), "-in", in, "-size", strconv.FormatInt(size, 10),
		"-limit", strconv.FormatInt(limit, 10), "-for", pick(b, 10*time.Second, 3*time.Second).String()).Output()
	if err == nil {
		err = json.Unmarshal(out, &got)
	}
	return got, err
}
