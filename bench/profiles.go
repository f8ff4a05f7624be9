package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

const profileFor = 6 * time.Second

// profiles writes for each object a CPU profile of zipreel under load, and its summary with allocations per request.
func (b *bench) profiles() error {
	c, err := b.startContenders()
	if err != nil {
		return err
	}
	defer c.stop()
	z := c.http1[zipreelAt]
	admin := c.zipreel.admin
	for _, o := range c.objects {
		before, err := allocated(admin)
		if err != nil {
			return err
		}
		type loaded struct {
			run
			err error
		}
		done := make(chan loaded)
		go func() {
			r, err := wrk(z.p, z.url(o), profileFor)
			done <- loaded{r, err}
		}()
		_, profile, err := fetch(fmt.Sprintf("%s/debug/pprof/profile?seconds=%d", admin, int(profileFor/time.Second)-2))
		l := <-done
		if err != nil || l.err != nil {
			return fmt.Errorf("profile under load: %v, %v", err, l.err)
		}
		after, err := allocated(admin)
		if err != nil {
			return err
		}
		base := filepath.Join(b.profile, o.file)
		if err := os.WriteFile(base+".pprof", profile, 0o644); err != nil {
			return err
		}
		top, err := exec.Command("go", "tool", "pprof", "-top", "-nodecount=30", b.zipreel, base+".pprof").CombinedOutput()
		if err != nil {
			return fmt.Errorf("go tool pprof: %w: %s", err, top)
		}
		requests := l.rate * profileFor.Seconds()
		text := fmt.Sprintf("%s: %.0f req/s, %.1f µs CPU, %.1f allocations, %.0f bytes allocated for each; load %s\n\n%s\n", o.name, l.rate, l.cpu*1e6,
			float64(after.objects-before.objects)/requests, float64(after.bytes-before.bytes)/requests, loadAverage(), top)
		if err := os.WriteFile(base+".txt", []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

type allocations struct{ objects, bytes int64 }

var (
	mallocs    = regexp.MustCompile(`# Mallocs = (\d+)`)
	totalAlloc = regexp.MustCompile(`# TotalAlloc = (\d+)`)
)

// allocated answers what a program has allocated since its start.
func allocated(admin string) (allocations, error) {
	_, text, err := fetch(admin + "/debug/pprof/heap?debug=1")
	if err != nil {
		return allocations{}, err
	}
	m, t := mallocs.FindSubmatch(text), totalAlloc.FindSubmatch(text)
	if m == nil || t == nil {
		return allocations{}, fmt.Errorf("%s tells no allocations", admin)
	}
	objects, _ := strconv.ParseInt(string(m[1]), 10, 64)
	bytes, _ := strconv.ParseInt(string(t[1]), 10, 64)
	return allocations{objects, bytes}, nil
}
