package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"time"
)

func installed(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}

// loadAverage is the system's of the last minute.
func loadAverage() string {
	b, _ := os.ReadFile("/proc/loadavg")
	one, _, _ := strings.Cut(string(b), " ")
	return one
}

// circumstances say where, when and of what a table was made, and how busy the machine was before.
func circumstances(load string, took time.Duration, quick bool) string {
	how := "full"
	if quick {
		how = "quick (BENCH_QUICK=1: short turns)"
	}
	return fmt.Sprintf("%s, commit %s, %s, took %s, load average before %s.\n%s\n\n", time.Now().UTC().Format("2006-01-02 15:04 MST"), commit(), how,
		took.Round(time.Second), load, machine())
}

// commit is the checkout's, with a plus where files of the program differ from it.
func commit() string {
	out, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	plus := ""
	if changed, err := exec.Command("git", "status", "--porcelain", "--untracked-files=no", "--", "*.go", "go.mod", ":!bench").Output(); err != nil || len(changed) > 0 {
		plus = "+"
	}
	return strings.TrimSpace(string(out)) + plus
}

func machine() string {
	cpu := firstMatch("/proc/cpuinfo", `model name\s*:\s*(.*)`)
	memory := firstMatch("/proc/meminfo", `MemTotal:\s*(\d+)`)
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	var kib int
	fmt.Sscan(memory, &kib)
	return fmt.Sprintf("%s, %d cores, %d GB, Linux %s, %s.", cpu, cores(), (kib+500_000)/1_000_000, strings.TrimSpace(string(kernel)), strings.Join(versions(), ", "))
}

func firstMatch(file, pattern string) string {
	b, _ := os.ReadFile(file)
	m := regexp.MustCompile(pattern).FindSubmatch(b)
	if m == nil {
		return "unknown"
	}
	return strings.TrimSpace(string(m[1]))
}

// versions are those of the programs measured and measured with.
func versions() []string {
	all := []string{runtime.Version()}
	for _, v := range []struct{ program, flag, pattern string }{
		{"nginx", "-v", `nginx/([\d.]+)`},
		{"varnishd", "-V", `varnish-([\d.]+)`},
		{"wrk", "-v", `wrk ([\w./-]+)`},
		{"h2load", "--version", `nghttp2/([\d.]+)`},
	} {
		out, _ := exec.Command(v.program, v.flag).CombinedOutput() // wrk -v exits 1
		if m := regexp.MustCompile(v.pattern).FindSubmatch(out); m != nil {
			all = append(all, v.program+" "+string(m[1]))
		}
	}
	return all
}
