package players

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// node is nginx over a folder, as a storage node.
type node struct {
	t    testing.TB
	url  string
	root string
	log  string

	marks atomic.Int64
}

// logged is one request that the node answered.
type logged struct {
	Method, URI, Range string
	Status             int
	Bytes              int64
}

// first is the offset that the range asked for begins with, and -1 where it has none.
func (l logged) first() int64 {
	off := int64(-1)
	fmt.Sscanf(l.Range, "bytes=%d-", &off)
	return off
}

func startNode(t testing.TB) *node {
	t.Helper()
	need(t, "nginx", "nginx-light")
	dir, err := os.MkdirTemp(work, "node-")
	if err != nil {
		t.Fatal(err)
	}
	os.Chmod(dir, 0o755)
	n := &node{t: t, root: filepath.Join(dir, "root"), log: filepath.Join(dir, "access.log")}
	os.MkdirAll(n.root, 0o755)
	port := freePort(t)
	n.url = fmt.Sprintf("http://127.0.0.1:%d", port)
	user := ""
	if os.Getuid() == 0 {
		user = "user root;"
	}
	conf := fmt.Sprintf(`%s worker_processes 1; daemon off; pid %[2]s/pid; error_log %[2]s/error.log;
events { worker_connections 1024; }
http {
  log_format j escape=json '{"method":"$request_method","uri":"$uri","range":"$http_range","status":$status,"bytes":$body_bytes_sent}';
  access_log %[2]s/access.log j;
  client_body_temp_path %[2]s/t1; proxy_temp_path %[2]s/t2; fastcgi_temp_path %[2]s/t3; uwsgi_temp_path %[2]s/t4; scgi_temp_path %[2]s/t5;
  server { listen 127.0.0.1:%[3]d; root %[2]s/root; types { application/vnd.apple.mpegurl m3u8; video/mp2t ts; video/mp4 mp4 m4s; text/vtt vtt; application/dash+xml mpd; } add_header Access-Control-Allow-Origin *;
    location /slow/ { limit_rate 4m; limit_rate_after 128k; } }
}`, user, dir, port)
	path := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(path, []byte(conf), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("nginx", "-c", path, "-e", filepath.Join(dir, "error.log"))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Signal(syscall.SIGTERM); cmd.Wait() })
	waitFor(t, n.url)
	return n
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// waitFor asks until somebody listens.
func waitFor(t testing.TB, url string) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err == nil {
			c.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("nobody listens on %s: %v", url, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// requests answers what the node has answered so far at a path. nginx writes its log when a request has ended, so a last one
// of our own, once it is in the log, tells that all before it are.
func (n *node) requests(uri string) []logged {
	n.t.Helper()
	mark := fmt.Sprintf("/mark-%d", n.marks.Add(1))
	get(n.t, n.url+mark)
	for deadline := time.Now().Add(10 * time.Second); len(n.logged(mark)) == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			n.t.Fatal("nginx does not write its log")
		}
	}
	return n.logged(uri)
}

func (n *node) logged(uri string) []logged {
	n.t.Helper()
	b, err := os.ReadFile(n.log)
	if err != nil {
		n.t.Fatal(err)
	}
	var list []logged
	for line := range bytes.Lines(b) {
		if !bytes.HasSuffix(line, []byte("\n")) {
			break // still being written
		}
		var l logged
		if err := json.Unmarshal(line, &l); err != nil {
			n.t.Fatalf("%v in %q", err, line)
		}
		if l.URI == uri {
			list = append(list, l)
		}
	}
	return list
}
