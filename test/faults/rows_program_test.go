package faults

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// programRows need the program itself: its listener, its signals, its configuration.
var programRows = []row{
	{id: "32a", fault: "300 connections that send a header byte by byte", must: "header timeout; others unaffected", play: playSlowloris},
	{id: "32b", fault: "a header of 1 MiB", must: "431, and the connection is closed", play: playHugeHeader},
	{id: "32c", fault: "200 idle connections where 50 may be", must: "idle ones make room; others unaffected", play: playIdle},
	{id: "37a", fault: "SIGTERM while an answer runs", must: "accepting stops, the answer ends, exit 0", hold: largeTitle, play: playTerminated},
	{id: "37b", fault: "a second SIGTERM", must: "exits at once", hold: largeTitle, play: playTerminatedTwice},
	{id: "40a", fault: "bad configuration at the start", must: "the error is shown with its line; exit 2", play: playBadConfig},
	{id: "40b", fault: "bad configuration on reload (SIGHUP)", must: "the old one stays, the error is shown", play: playBadReload},
}

// playSlowloris opens connections whose headers never end.
func playSlowloris(s *stage) played {
	const count = 300
	p := s.serving()
	first := curl.play(s.viewing(p))
	before := p.descriptors()
	began := time.Now()
	conns := dial(p, count)
	defer closeAll(conns)
	stop := make(chan struct{})
	defer close(stop)
	for _, c := range conns {
		go slowHeader(c, stop)
	}
	second := s.viewing(p).timed("/720p/seg3.ts")
	if first.Outcome != "plays" || second.Outcome != "plays" || second.Took > time.Second {
		s.errorf("others: %s before, %s in %v meanwhile", first.Outcome, second.Outcome, second.Took)
	}
	if !until(20*time.Second, func() bool { return p.descriptors() <= before+5 }) {
		s.errorf("%d descriptors after %v, %d before", p.descriptors(), time.Since(began), before)
	}
	return played{Outcome: fmt.Sprintf("others play; closed after %v", time.Since(began).Round(time.Second)), Took: second.Took}
}

// timed is one path, once.
func (p *player) timed(path string) played {
	began := time.Now()
	p.log.Outcome = p.once(mountedAt + path)
	p.log.Took = time.Since(began)
	p.client.CloseIdleConnections()
	return p.log
}

func dial(p *program, n int) []net.Conn {
	var conns []net.Conn
	for range n {
		c, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
		must(err)
		conns = append(conns, c)
	}
	return conns
}

func closeAll(conns []net.Conn) {
	for _, c := range conns {
		c.Close()
	}
}

// slowHeader sends a byte of a header each second.
func slowHeader(c net.Conn, stop chan struct{}) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	io.WriteString(c, "GET / HTTP/1.1\r\nX: ")
	for {
		select {
		case <-tick.C:
			if _, err := io.WriteString(c, "x"); err != nil {
				return
			}
		case <-stop:
			return
		}
	}
}

func playHugeHeader(s *stage) played {
	p := s.serving()
	c := dial(p, 1)[0]
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	go fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n%s\r\n", hugeHeader)
	answer, _ := io.ReadAll(c)
	status, _, _ := strings.Cut(string(answer), "\r\n")
	if !strings.Contains(status, " 431 ") {
		s.errorf("%q, want 431", status)
	}
	if got := s.viewing(p).timed("/720p/seg3.ts"); got.Outcome != "plays" {
		s.errorf("others: %s", got.Outcome)
	}
	return played{Outcome: strings.TrimPrefix(status, "HTTP/1.1 ")}
}

func playIdle(s *stage) played {
	p := s.serving("--max-connections", "50")
	var conns []net.Conn
	defer func() { closeAll(conns) }()
	for range 200 {
		c := dial(p, 1)[0]
		conns = append(conns, c)
		c.SetDeadline(time.Now().Add(5 * time.Second))
		fmt.Fprintf(c, "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
		c.Read(make([]byte, 4096)) // answered, and idle from now on
	}
	got := s.viewing(p).timed("/720p/seg3.ts")
	if got.Outcome != "plays" || got.Took > time.Second {
		s.errorf("others: %s in %v", got.Outcome, got.Took)
	}
	if n := p.descriptors(); n > 100 {
		s.errorf("%d descriptors open", n)
	}
	return got
}

// running is an answer that has begun.
func (s *stage) running(p *program) (rest chan answer) {
	s.does(paced(12 << 20))
	rest = make(chan answer, 1)
	v := s.viewing(p)
	go func() {
		rest <- v.get(mountedAt+"/film.mp4", "", time.Minute)
		v.client.CloseIdleConnections()
	}()
	until(10*time.Second, func() bool { _, sent := s.traffic(); return sent > 1<<20 })
	return rest
}

func playTerminated(s *stage) played {
	p := s.serving()
	rest := s.running(p)
	p.signal(syscall.SIGTERM)
	refused := until(2*time.Second, func() bool {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		res, err := client.Get(p.url + "/readyz")
		if err == nil {
			res.Body.Close()
		}
		return err != nil || res.StatusCode == http.StatusServiceUnavailable
	})
	if !refused {
		s.errorf("ready after SIGTERM")
	}
	a := <-rest
	if a.String() != "plays" || whose(s.titles(), "film.mp4", a.body) < 0 {
		s.errorf("the running answer: %v, %d bytes", a, len(a.body))
	}
	began := time.Now()
	_, code := p.exit(35 * time.Second)
	if took := time.Since(began); code.ExitCode() != 0 || took > 5*time.Second {
		s.errorf("%v, %v after the last answer", code, took)
	}
	return played{Outcome: fmt.Sprintf("%v; %v", a, code)}
}

func playTerminatedTwice(s *stage) played {
	p := s.serving()
	rest := s.running(p)
	p.signal(syscall.SIGTERM)
	for line := range p.lines {
		if strings.Contains(line, "stopping") {
			break
		}
	}
	began := time.Now()
	p.signal(syscall.SIGTERM)
	ended, code := p.exit(10 * time.Second)
	if took := time.Since(began); !ended || took > time.Second {
		s.errorf("%v after %v", code, took)
	}
	a := <-rest
	if a.String() == "plays" && len(a.body) < largeSize {
		s.errorf("a short body ended cleanly")
	}
	return played{Outcome: fmt.Sprintf("%v; %v", a, code)}
}

// badConfig has a key that there is not, in line 3.
const badConfig = "listen: 127.0.0.1:0\nsources:\n  - {name: films, nodez: []}\n"

func playBadConfig(s *stage) played {
	dir, err := os.MkdirTemp("", "zipreel-faults")
	must(err)
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "zipreel.yaml")
	must(os.WriteFile(path, []byte(badConfig), 0o666))
	out, code := runProgram("serve", "--config", path)
	if code != 2 || !strings.Contains(out, "nodez") || !strings.Contains(out, "3") {
		s.errorf("exit code %d: %s", code, out)
	}
	return played{Outcome: fmt.Sprintf("exit %d", code)}
}

func playBadReload(s *stage) played {
	dir, err := os.MkdirTemp("", "zipreel-faults")
	must(err)
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "zipreel.yaml")
	good := fmt.Sprintf("sources:\n  - {name: films, nodes: [{url: %q}], allow_private: true}\n", s.bases[0])
	must(os.WriteFile(path, []byte(good), 0o666))
	p := s.startProgram("--config", path)
	if got := s.viewing(p).timed("/720p/seg2.ts"); got.Outcome != "plays" {
		s.errorf("before: %s", got.Outcome)
	}
	must(os.WriteFile(path, []byte(badConfig), 0o666))
	p.signal(syscall.SIGHUP)
	if ended, state := p.exit(2 * time.Second); ended {
		s.errorf("ended: %v", state)
		return played{Outcome: "ended"}
	}
	got := s.viewing(p).timed("/720p/seg3.ts")
	if got.Outcome != "plays" {
		s.errorf("after: %s", got.Outcome)
	}
	for {
		select {
		case line := <-p.lines:
			if strings.Contains(line, "nodez") {
				return got
			}
			continue
		case <-time.After(5 * time.Second):
			s.errorf("the error is not shown")
		}
		return got
	}
}
