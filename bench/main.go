// Command bench measures zipreel side by side with other servers, and writes the tables to bench/results.md and plots to
// bench/plots. Every table is measured in one run in which the servers take turns, so that its ratios hold whatever the machine.
//
// It starts what it measures on loopback, the server on one core and the load on another, and ends it again. It installs nothing:
// bench/setup.sh does.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// bench is where and how the tables are measured.
type bench struct {
	dir     string // for everything that is written meanwhile
	memory  string // the same, in tmpfs
	zipreel string // the program
	plots   string // folder of plots
	quick   bool
	profile string // folder for profiles instead of tables
	server  int    // core of what is measured
	load    int    // core of the load, of storage nodes and of this program
}

// measurement is a table of the report.
type measurement struct {
	name, title string
	measure     func(*bench) (string, error)
}

var measurements = []measurement{
	{"cached", "Cached", (*bench).cached},
	{"tls", "Cached, over TLS", (*bench).secure},
	{"http2", "Cached, over HTTP/2", (*bench).multiplexed},
	{"sending", "Ways to send a cached body", (*bench).sending},
	{"collector", "Cached content and the garbage collector", (*bench).collector},
	{"miss", "Not cached", (*bench).miss},
	{"hits", "Hit ratio", (*bench).hits},
	{"crowd", "Many viewers of one cold segment", (*bench).crowd},
	{"reads", "Reads from storage", (*bench).reads},
	{"indexes", "Central directories", (*bench).indexes},
	{"viewers", "Growth: viewers", (*bench).viewers},
	{"archives", "Growth: archives", (*bench).archives},
	{"entries", "Growth: entries", (*bench).entries},
}

// names are those of all tables, in the order of the report.
func names() []string {
	var all []string
	for _, m := range measurements {
		all = append(all, m.name)
	}
	return all
}

func main() {
	if os.Getenv(pinned) == "" {
		fail(pin())
	}
	b := &bench{server: 0, load: cores() - 1}
	only := flag.String("only", "", "`TABLES` to measure, separated by commas, as in "+strings.Join(names(), ",")+" (default: all)")
	flag.StringVar(&b.zipreel, "zipreel", "", "`PROGRAM` to measure (default: built from the checkout)")
	flag.StringVar(&b.profile, "profile", "", "write CPU profiles and allocations of cached answers to `DIR` instead")
	results := flag.String("o", "bench/results.md", "`FILE` for the tables")
	flag.StringVar(&b.plots, "plots", "bench/plots", "`DIR` for the plots")
	flag.BoolVar(&b.quick, "quick", os.Getenv("BENCH_QUICK") == "1", "short turns: rough figures in five minutes ($BENCH_QUICK=1)")
	flag.Parse()
	fail(b.run(*only, *results))
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// pinned names the variable that is set in a process that pin has started, to the number of cores.
const pinned = "BENCH_PINNED_OF"

func cores() int {
	n, _ := strconv.Atoi(os.Getenv(pinned))
	return n
}

// pin replaces the process by itself on the load's core.
func pin() error {
	taskset, err := exec.LookPath("taskset")
	if err != nil || runtime.NumCPU() < 2 {
		return errors.New("two cores and taskset (Debian: util-linux) are needed: one core for the server, one for the load")
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	n := strconv.Itoa(runtime.NumCPU())
	argv := append([]string{"taskset", "-c", strconv.Itoa(runtime.NumCPU() - 1), self}, os.Args[1:]...)
	return syscall.Exec(taskset, argv, append(os.Environ(), pinned+"="+n))
}

// run measures the tables named, or all, and writes each when it is there.
func (b *bench) run(only, results string) error {
	if !installed("nginx") || !installed("wrk") {
		return errors.New("nginx and wrk are needed; bench/setup.sh installs them")
	}
	for name := range strings.SplitSeq(only, ",") {
		if only != "" && !slices.Contains(names(), name) {
			return fmt.Errorf("-only: no table is named %q; there are %s", name, strings.Join(names(), ", "))
		}
	}
	var err error
	if b.dir, err = os.MkdirTemp("", "zipreel-bench-"); err != nil {
		return err
	}
	if b.memory, err = os.MkdirTemp("/dev/shm", "zipreel-bench-"); err != nil {
		return err
	}
	remove := func() {
		os.RemoveAll(b.dir)
		os.RemoveAll(b.memory)
	}
	defer remove()
	defer endAll()
	go endOnSignal(remove)
	if err := b.build(); err != nil {
		return err
	}
	for _, dir := range []string{b.plots, b.profile} {
		if err := os.MkdirAll(dir, 0o755); dir != "" && err != nil {
			return err
		}
	}
	if b.profile != "" {
		return b.profiles()
	}
	for _, m := range measurements {
		if only != "" && !slices.Contains(strings.Split(only, ","), m.name) {
			continue
		}
		if err := b.report(m, results); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return nil
}

// report measures one table and writes it.
func (b *bench) report(m measurement, results string) error {
	load, began := loadAverage(), time.Now()
	fmt.Fprintf(os.Stderr, "%s …\n", m.name)
	text, err := m.measure(b)
	if err != nil {
		return err
	}
	fmt.Fprint(os.Stderr, text)
	return write(results, names(), m.name, "## "+m.title+"\n\n"+circumstances(load, time.Since(began), b.quick)+text)
}

// build makes the programs that are measured, on all cores.
func (b *bench) build() error {
	all := "0-" + strconv.Itoa(cores()-1)
	bin := filepath.Join(b.dir, "bin")
	builds := [][]string{{"go", "build", "-trimpath", "-o", bin + "/", "./bench/bare", "./bench/embedded", "./bench/collector"}}
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return err
	}
	if b.zipreel == "" {
		b.zipreel = filepath.Join(bin, "zipreel")
		builds = append(builds, []string{"go", "build", "-trimpath", "-o", b.zipreel, "./cmd/zipreel"})
	}
	for _, argv := range builds {
		if out, err := exec.Command("taskset", append([]string{"-c", all}, argv...)...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, out)
		}
	}
	return nil
}

// endOnSignal ends what was started, and the program.
func endOnSignal(remove func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	<-signals
	endAll()
	remove()
	os.Exit(1)
}

// pick answers one of two, by how long the run may take.
func pick[T any](b *bench, full, quick T) T {
	if b.quick {
		return quick
	}
	return full
}
