package main

import (
	"archive/zip"
	"bufio"
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// patience bounds everything that a script waits for.
const patience = 20 * time.Second

func zipFolder(ts *testscript.TestScript, neg bool, args []string) {
	deflate := len(args) > 0 && args[0] == "-deflate"
	if deflate {
		args = args[1:]
	}
	if neg || len(args) != 2 {
		ts.Fatalf("usage: zip [-deflate] ARCHIVE DIR")
	}
	var buf bytes.Buffer
	zw := zip.NewWriter(&buf)
	root := os.DirFS(ts.MkAbs(args[1]))
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		return addEntry(zw, name, data, deflate)
	})
	ts.Check(err)
	ts.Check(zw.Close())
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), buf.Bytes(), 0o644))
}

// addEntry writes stored entries as zip -0 does, with their sizes in the local header, and deflated ones as streams.
func addEntry(zw *zip.Writer, name string, data []byte, deflate bool) error {
	h := &zip.FileHeader{Name: name, Method: zip.Store}
	create := zw.CreateRaw
	if deflate {
		h.Method, create = zip.Deflate, zw.CreateHeader
	} else {
		h.CRC32 = crc32.ChecksumIEEE(data)
		h.CompressedSize64, h.UncompressedSize64 = uint64(len(data)), uint64(len(data))
	}
	w, err := create(h)
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}

func flip(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: flip FILE TEXT")
	}
	path := ts.MkAbs(args[0])
	data, err := os.ReadFile(path)
	ts.Check(err)
	at := bytes.Index(data, []byte(args[1]))
	if at < 0 {
		ts.Fatalf("%s holds no %q", args[0], args[1])
	}
	data[at] ^= 1
	ts.Check(os.WriteFile(path, data, 0o644))
}

func startNode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: node DIR")
	}
	node := httptest.NewServer(http.FileServer(http.Dir(ts.MkAbs(args[0]))))
	ts.Defer(node.Close)
	ts.Setenv("NODE", node.URL)
}

func request(ts *testscript.TestScript, args []string) *http.Response {
	if len(args) == 0 {
		ts.Fatalf("usage: get URL [HEADER: VALUE …]")
	}
	req, err := http.NewRequest(http.MethodGet, args[0], nil)
	ts.Check(err)
	for _, header := range args[1:] {
		name, value, _ := strings.Cut(header, ": ")
		req.Header.Set(name, value)
		if name == "Host" {
			req.Host = value
		}
	}
	transport := &http.Transport{ResponseHeaderTimeout: patience}
	ts.Defer(transport.CloseIdleConnections)
	res, err := transport.RoundTrip(req)
	ts.Check(err)
	return res
}

func get(ts *testscript.TestScript, _ bool, args []string) {
	res := request(ts, args)
	defer res.Body.Close()
	fmt.Fprintln(ts.Stdout(), res.Proto, res.Status)
	var header strings.Builder
	ts.Check(res.Header.Write(&header))
	fmt.Fprintln(ts.Stdout(), strings.ReplaceAll(header.String(), "\r\n", "\n"))
	_, err := io.Copy(ts.Stdout(), res.Body)
	ts.Check(err)
}

func hold(ts *testscript.TestScript, _ bool, args []string) {
	res := request(ts, args)
	ts.Defer(func() { res.Body.Close() })
	_, err := io.ReadFull(res.Body, make([]byte, 1))
	ts.Check(err)
}

// process is the zipreel that a script has started.
type process struct {
	cmd    *exec.Cmd
	lines  chan string // of standard output
	stdout bytes.Buffer

	read chan struct{} // closed at standard error's end

	mu     sync.Mutex // guards following
	stderr bytes.Buffer
}

type processKey struct{}

func started(ts *testscript.TestScript) *process { return ts.Value(processKey{}).(*process) }

var listening = regexp.MustCompile(`^(?:.*"msg":")?listening on (http://[^"\s]+)`)

func startProcess(ts *testscript.TestScript, neg bool, args []string) {
	p := started(ts)
	if neg || len(args) == 0 || p.cmd != nil {
		ts.Fatalf("usage: start COMMAND ARGS…, once")
	}
	path, err := exec.LookPath(args[0])
	ts.Check(err)
	p.cmd = exec.Command(path, args[1:]...)
	p.cmd.Dir = ts.MkAbs(".")
	p.cmd.Env = []string{"PATH=" + ts.Getenv("PATH"), "GORACE=" + ts.Getenv("GORACE")}
	out, err := p.cmd.StdoutPipe()
	ts.Check(err)
	errs, err := p.cmd.StderrPipe()
	ts.Check(err)
	ts.Check(p.cmd.Start())
	ts.Defer(func() {
		p.cmd.Process.Kill() // an error, when it has ended already
		p.cmd.Wait()
	})
	p.lines = make(chan string, 64)
	go func() {
		defer close(p.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			p.lines <- s.Text()
		}
	}()
	url := make(chan string, 1)
	p.read = make(chan struct{})
	go p.readErrors(errs, url)
	select {
	case u := <-url:
		ts.Setenv("URL", u)
		ts.Setenv("HOST", strings.TrimPrefix(u, "http://"))
	case <-time.After(patience):
	}
	if ts.Getenv("URL") == "" {
		ts.Fatalf("it does not listen: %s", p.errors())
	}
}

// readErrors sends the URL once it stands there, or nothing when standard error ended before.
func (p *process) readErrors(errs io.Reader, url chan<- string) {
	for s := bufio.NewScanner(errs); s.Scan(); {
		p.mu.Lock()
		fmt.Fprintln(&p.stderr, s.Text())
		p.mu.Unlock()
		if m := listening.FindStringSubmatch(s.Text()); m != nil {
			select {
			case url <- m[1]:
			default:
			}
		}
	}
	close(url)
	close(p.read)
}

func (p *process) errors() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stderr.String()
}

func nextLine(ts *testscript.TestScript, _ bool, _ []string) {
	p := started(ts)
	select {
	case line, ok := <-p.lines:
		if !ok {
			ts.Fatalf("its standard output has ended; on standard error: %s", p.errors())
		}
		ts.Setenv("LINE", line)
		fmt.Fprintln(&p.stdout, line)
		fmt.Fprintln(ts.Stdout(), line)
	case <-time.After(patience):
		ts.Fatalf("no line on standard output")
	}
}

func sendSignal(ts *testscript.TestScript, _ bool, args []string) {
	signals := map[string]os.Signal{"TERM": syscall.SIGTERM, "INT": os.Interrupt}
	if len(args) != 1 || signals[args[0]] == nil {
		ts.Fatalf("usage: signal TERM|INT")
	}
	ts.Check(started(ts).cmd.Process.Signal(signals[args[0]]))
}

func quitProcess(ts *testscript.TestScript, neg bool, args []string) {
	p := started(ts)
	if !slices.Contains(args, "-wait") {
		ts.Check(p.cmd.Process.Signal(syscall.SIGTERM))
	}
	for line := range p.lines {
		fmt.Fprintln(&p.stdout, line)
	}
	<-p.read
	err := p.cmd.Wait()
	io.Copy(ts.Stdout(), &p.stdout)
	io.WriteString(ts.Stderr(), p.errors())
	if (err != nil) != neg {
		ts.Fatalf("it ended with: %v", err)
	}
}

func substitute(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		text := os.Expand(ts.ReadFile(name), ts.Getenv)
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o644))
	}
}

func blank(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: blank FILE SIZE")
	}
	size, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	path := ts.MkAbs(args[0])
	ts.Check(os.WriteFile(path, nil, 0o644))
	ts.Check(os.Truncate(path, size))
}
