package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	ticksPerSecond = 100 // of /proc: USER_HZ, 100 on every Linux that Go runs on
	startWithin    = 20 * time.Second
	stopWithin     = 5 * time.Second
)

// process is a server that was started, with its children. It ends with this program.
type process struct {
	name string
	cmd  *exec.Cmd
	log  *os.File
	done chan struct{} // closed when it has ended
}

// launch starts a program on one core, its output going to a file in dir.
func launch(dir, name string, core int, argv ...string) (*process, error) {
	log, err := os.Create(filepath.Join(dir, name+".log"))
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("taskset", append([]string{"-c", strconv.Itoa(core)}, argv...)...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		log.Close()
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p := &process{name: name, cmd: cmd, log: log, done: make(chan struct{})}
	running.add(p)
	go func() {
		cmd.Wait()
		log.Close()
		close(p.done)
	}()
	return p, nil
}

// stop ends the process and its children.
func (p *process) stop() {
	select {
	case <-p.done:
		return // its id may be another's by now
	default:
	}
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		syscall.Kill(-p.cmd.Process.Pid, s)
		select {
		case <-p.done:
			return
		case <-time.After(stopWithin):
		}
	}
}

// started is all that was started: nothing of it outlives this program.
type started struct {
	mu  sync.Mutex // guards following
	all []*process
}

var running started

func (s *started) add(p *process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, p)
}

// endAll ends all that still runs.
func endAll() {
	running.mu.Lock()
	defer running.mu.Unlock()
	for _, p := range running.all {
		p.stop()
	}
}

// answers waits until url answers 200.
func (p *process) answers(url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), startWithin)
	defer cancel()
	last := errors.New("not asked")
	for ctx.Err() == nil {
		select {
		case <-p.done:
			return fmt.Errorf("%s ended; see %s:\n%s", p.name, p.log.Name(), tailOf(p.log.Name()))
		case <-time.After(20 * time.Millisecond):
		}
		res, err := client.Get(url)
		if err != nil {
			last = err
			continue
		}
		res.Body.Close()
		if res.StatusCode == http.StatusOK || res.StatusCode == http.StatusPartialContent {
			return nil
		}
		last = fmt.Errorf("%s answers %s", url, res.Status)
	}
	return fmt.Errorf("%s does not answer within %v: %w\n%s", p.name, startWithin, last, tailOf(p.log.Name()))
}

func tailOf(name string) string {
	b, _ := os.ReadFile(name)
	return string(b[max(0, len(b)-2000):])
}

// usage is what a process and its children have used so far, and hold now.
type usage struct {
	cpu time.Duration
	rss int64 // bytes
}

// usage reads /proc.
func (p *process) usage() usage {
	var u usage
	for _, pid := range family(p.cmd.Process.Pid) {
		f := statOf(pid)
		if f == nil {
			continue
		}
		ticks := 0
		for _, s := range f[11:15] { // utime, stime, and those of children that ended
			n, _ := strconv.Atoi(s)
			ticks += n
		}
		u.cpu += time.Duration(ticks) * time.Second / ticksPerSecond
		pages, _ := strconv.ParseInt(f[21], 10, 64)
		u.rss += pages * int64(os.Getpagesize())
	}
	return u
}

// statOf answers the fields of /proc/PID/stat after the command's name.
func statOf(pid int) []string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	_, rest, ok := strings.Cut(string(b), ") ")
	f := strings.Fields(rest)
	if !ok || len(f) < 22 {
		return nil
	}
	return f
}

// family is a process and all below it.
func family(root int) []int {
	children := map[int][]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		if f := statOf(pid); f != nil {
			parent, _ := strconv.Atoi(f[1])
			children[parent] = append(children[parent], pid)
		}
	}
	all := []int{root}
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all
}

// freePort answers an address on loopback that nobody listens on.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
