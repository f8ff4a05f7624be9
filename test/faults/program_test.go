package faults

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const programPath = "ZIPREEL_FAULT_PROGRAM" // the program, built once for all rows

// buildProgram builds the program into a directory, for the rows' processes.
func buildProgram(dir string) error {
	path := filepath.Join(dir, "zipreel")
	out, err := exec.Command("go", "build", "-o", path, "zipreel/cmd/zipreel").CombinedOutput()
	if err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return os.Setenv(programPath, path)
}

// program is zipreel in a process of its own.
type program struct {
	cmd   *exec.Cmd
	url   string
	lines chan string // of standard error, after the one that names the URL
	ended chan struct{}
}

// startProgram runs zipreel serve before the stage's nodes. It ends with the stage.
func (s *stage) startProgram(args ...string) *program {
	cmd := exec.Command(os.Getenv(programPath), append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // it never outlives its row
	stderr, err := cmd.StderrPipe()
	must(err)
	must(cmd.Start())
	p := &program{cmd: cmd, lines: make(chan string, 1000), ended: make(chan struct{})}
	lines := bufio.NewScanner(stderr)
	for p.url == "" && lines.Scan() {
		_, p.url, _ = strings.Cut(lines.Text(), "listening on ")
		p.url = strings.Trim(p.url, `"`)
	}
	go func() {
		defer close(p.ended)
		defer cmd.Wait()
		defer close(p.lines)
		for lines.Scan() {
			select {
			case p.lines <- lines.Text():
			default: // nobody reads so many
			}
		}
	}()
	s.closers = append(s.closers, func() {
		cmd.Process.Kill()
		<-p.ended
	})
	if p.url == "" {
		panic("zipreel did not listen")
	}
	return p
}

// serving is startProgram over the stage's nodes.
func (s *stage) serving(args ...string) *program {
	for _, base := range s.bases {
		args = append(args, "films="+base)
	}
	return s.startProgram(args...)
}

// exit waits for the program's end, and answers how it ended.
func (p *program) exit(within time.Duration) (ended bool, how *os.ProcessState) {
	clock := time.NewTimer(within)
	defer clock.Stop()
	select {
	case <-p.ended:
		return true, p.cmd.ProcessState
	case <-clock.C:
		return false, nil
	}
}

func (p *program) signal(sig syscall.Signal) { must(p.cmd.Process.Signal(sig)) }

// descriptors is how many the program has open.
func (p *program) descriptors() int {
	dir, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid))
	must(err)
	return len(dir)
}

// viewing is a viewer of the program instead of the stage's own gateway.
func (s *stage) viewing(p *program) *player {
	v := s.player()
	v.base = p.url
	return v
}

// runProgram runs zipreel to its end and answers what it said, and its exit code.
func runProgram(args ...string) (said string, code int) {
	cmd := exec.Command(os.Getenv(programPath), args...)
	out, _ := cmd.CombinedOutput() // the code tells
	return string(out), cmd.ProcessState.ExitCode()
}
