package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

const wrkOutput = `Running 1s test @ http://127.0.0.1:40000/seg.ts
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    18.35ms    4.01ms  52.12ms   91.23%
    Req/Sec     1.75k   163.61     1.93k    80.00%
  1748 requests in 1.00s, 1.71GB read
Requests/sec:   1747.02
Transfer/sec:      1.71GB
`

const h2loadOutput = `finished in 556.58ms, 1437.34 req/s, 1.40GB/s
requests: 800 total, 800 started, 800 done, 799 succeeded, 1 failed, 0 errored, 0 timeout
`

func TestFiguresOfLoadPrograms(t *testing.T) {
	p := &process{cmd: &exec.Cmd{Process: &os.Process{Pid: os.Getpid()}}}
	r, err := measured(p, p.usage(), []byte(wrkOutput), wrkTotal, wrkRate)
	if err != nil || r.rate != 1747.02 {
		t.Errorf("wrk: %v requests a second, %v; want 1747.02", r.rate, err)
	}
	if r, err = measured(p, p.usage(), []byte(h2loadOutput), h2loadTotal, h2loadRate); err != nil || r.rate != 1437.34 {
		t.Errorf("h2load: %v requests a second, %v; want 1437.34", r.rate, err)
	}
	if _, err := measured(p, p.usage(), []byte("unable to connect"), wrkTotal, wrkRate); err == nil {
		t.Error("output without figures is taken for figures")
	}
	if wrkFailed.MatchString(wrkOutput) {
		t.Error("a clean run is taken for a failed one")
	}
	for _, line := range []string{"  Socket errors: connect 0, read 1, write 0, timeout 0", "  Non-2xx or 3xx responses: 1748"} {
		if !wrkFailed.MatchString(wrkOutput + line + "\n") {
			t.Errorf("%q is taken for a clean run", line)
		}
	}
	if m := h2loadTotal.FindStringSubmatch(h2loadOutput); m == nil || m[1] != "800" || m[2] != "799" {
		t.Errorf("h2load's requests are read as %v", m)
	}
}

func TestQuantile(t *testing.T) {
	values := []time.Duration{5, 1, 4, 2, 3}
	for q, want := range map[float64]time.Duration{0: 1, 0.5: 3, 0.99: 5, 1: 5} {
		if got := quantile(values, q); got != want {
			t.Errorf("quantile(%v) = %d, want %d", q, got, want)
		}
	}
}

func TestCount(t *testing.T) {
	for v, want := range map[float64]string{0.123456: "0.123", 99.96: "100", 100: "100", 999.6: "1,000", 1234567: "1,234,567", 12345: "12,345"} {
		if got := count(v); got != want {
			t.Errorf("count(%v) = %q, want %q", v, got, want)
		}
	}
}

func TestTable(t *testing.T) {
	tab := table{head: []string{"µ", "n"}}
	tab.add("one", "1")
	want := "| µ   |   n |\n|-----|----:|\n| one |   1 |\n\n"
	if got := tab.String(); got != want {
		t.Errorf("table is\n%swant\n%s", got, want)
	}
}

func TestGoal(t *testing.T) {
	if got, want := goal("reads", 6, atMost, 6), "- reads: 6 (goal ≤ 6: met)\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := goal("rate", 0.984, atLeast, 1), "- rate: 0.98 (goal ≥ 1: **missed**)\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestSectionsStay replaces one table of several, and finds them in the order of names whatever the order of writing.
func TestSectionsStay(t *testing.T) {
	file := filepath.Join(t.TempDir(), "results.md")
	names := []string{"a", "b", "c"}
	for _, w := range [][2]string{{"c", "third $1\n"}, {"a", "first\n"}, {"c", "third again\n"}} {
		if err := write(file, names, w[0], w[1]); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := intro + "\n<!-- table a -->\nfirst\n<!-- end a -->\n\n<!-- table c -->\nthird again\n<!-- end c -->\n"
	if string(got) != want {
		t.Errorf("file is\n%swant\n%s", got, want)
	}
}

// TestUsageCountsChildren burns CPU in a child, and finds it.
func TestUsageCountsChildren(t *testing.T) {
	if !installed("taskset") || !installed("sh") {
		t.Skip("needs taskset and sh")
	}
	p, err := launch(t.TempDir(), "burn", 0, "sh", "-c", "sh -c 'while :; do :; done' & wait")
	if err != nil {
		t.Fatal(err)
	}
	defer p.stop()
	deadline := time.Now().Add(20 * time.Second)
	for p.usage().cpu < 30*time.Millisecond {
		if time.Now().After(deadline) {
			t.Fatalf("after 20 s %v of CPU are found", p.usage().cpu)
		}
	}
	if len(family(p.cmd.Process.Pid)) < 2 || p.usage().rss == 0 {
		t.Error("the child is not found")
	}
	p.stop()
	if left := p.usage(); left.cpu != 0 {
		t.Errorf("after stop %v are still counted", left)
	}
}
