package main

import (
	"runtime/debug"
	"testing"
)

// TestLimitHeap: what is kept bounds the process, without a setting of the runtime's.
func TestLimitHeap(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	defer debug.SetMemoryLimit(before)
	f := cacheFlags{Memory: 8 << 30, IndexMemory: 1 << 30, Inflight: 1 << 30}
	t.Setenv("GOMEMLIMIT", "20GiB")
	f.limitHeap(1000)
	if got := debug.SetMemoryLimit(-1); got != before {
		t.Errorf("limit %d in place of GOMEMLIMIT's", got)
	}
	t.Setenv("GOMEMLIMIT", "")
	f.limitHeap(1000)
	if got, want := debug.SetMemoryLimit(-1), int64(12<<30+1000*connHeap); got != want {
		t.Errorf("limit %d, want %d", got, want)
	}
}
