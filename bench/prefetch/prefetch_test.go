package main

import (
	"strings"
	"testing"
	"time"
)

// TestSides plays a few small segments on both sides; where it plays on, prefetch uses what it reads and asks no more of storage.
func TestSides(t *testing.T) {
	for _, ahead := range []int64{-1, 1 << 20} {
		r, err := play(scene{delay: time.Millisecond, ahead: ahead, viewers: 2, segments: 5, segmentBytes: 10_000})
		if err != nil {
			t.Fatal(err)
		}
		read := r.counters["zipreel_prefetch_bytes_total"]
		if (ahead > 0) != (read > 0) || r.watched != 2*5*10_000 || len(r.firstBytes) != 2*5 {
			t.Errorf("ahead %d: %.0f bytes read ahead, %d watched, %d first bytes", ahead, read, r.watched, len(r.firstBytes))
		}
		if cells := strings.Count(r.row(), "|"); cells != 12 {
			t.Errorf("%s has %d bars, want 12", r.row(), cells)
		}
	}
}
