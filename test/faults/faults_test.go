package faults

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if name := os.Getenv(caseName); name != "" {
		runCase(name)
		return
	}
	os.Exit(m.Run())
}

const (
	tableFile = "ZIPREEL_FAULT_TABLE" // where the table is written; empty: nowhere
	someRows  = "ZIPREEL_FAULT_ROWS"  // rows to play, as "6a 6b"; empty: all
	atOnce    = 10                    // processes: they mostly wait
)

// turn is one row's, with one viewer.
type turn struct {
	row    row
	viewer viewer
	result result
}

// TestFaults plays every row with every viewer.
func TestFaults(t *testing.T) {
	var turns []*turn
	only := os.Getenv(someRows)
	for _, r := range rows() {
		for _, v := range r.who() {
			if only != "" && !slices.Contains(strings.Fields(only), r.id) {
				continue
			}
			turns = append(turns, &turn{row: r, viewer: v})
		}
	}
	if err := buildProgram(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	places := make(chan struct{}, atOnce)
	for _, x := range turns {
		work.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			x.result = x.row.inProcess(x.viewer)
		})
	}
	work.Wait()
	for _, x := range turns {
		t.Run(x.row.id+"/"+string(x.viewer), func(t *testing.T) {
			failed := strings.Join(x.result.Failures, "\n")
			switch {
			case x.row.pending != "" && failed == "":
				t.Logf("passes, though it is marked as pending: %s", x.row.pending)
			case x.row.pending != "":
				t.Logf("pending: %s:\n%s", x.row.pending, failed)
			case failed != "":
				t.Errorf("%s: %s\n%s", x.row.fault, x.row.must, failed)
			}
		})
	}
	if path := os.Getenv(tableFile); path != "" {
		if err := os.WriteFile(path, []byte(table(turns)), 0o666); err != nil {
			t.Error(err)
		}
	}
}

// who plays a row.
func (r row) who() []viewer {
	switch {
	case r.play != nil:
		return []viewer{"own"}
	case r.viewers != nil:
		return r.viewers
	}
	return viewers
}

// table is what came of all of it, in Markdown.
func table(turns []*turn) string {
	var b strings.Builder
	b.WriteString("| # | fault | what must happen | outcome | added latency | extra reads | extra KiB | leaked | |\n|---|---|---|---|---|---|---|---|---|\n")
	for i := 0; i < len(turns); {
		r := turns[i].row
		var outcome, added, reads, bytes []string
		verdict, leaks := "pass", "nothing"
		for ; i < len(turns) && turns[i].row.id == r.id; i++ {
			x := turns[i]
			outcome = append(outcome, strings.TrimPrefix(fmt.Sprintf("%s: %s", x.viewer, x.result.Played.Outcome), "own: "))
			if r.play == nil {
				added = append(added, x.result.Added.Round(10*time.Millisecond).String())
				reads = append(reads, fmt.Sprint(x.result.Reads))
				bytes = append(bytes, fmt.Sprint(x.result.Bytes>>10))
			}
			if len(x.result.Failures) > 0 {
				verdict = "FAIL"
			}
			if strings.Contains(strings.Join(x.result.Failures, "\n"), "leaked: ") {
				leaks = "something"
			}
		}
		if verdict == "FAIL" && r.pending != "" {
			verdict = "pending: " + r.pending
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", r.id, r.fault, r.must, strings.Join(outcome, "<br>"),
			strings.Join(added, "<br>"), strings.Join(reads, "<br>"), strings.Join(bytes, "<br>"), leaks, verdict)
	}
	return b.String()
}
