package players

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// need skips, or fails, where a tool is missing.
func need(t testing.TB, command, pkg string) {
	t.Helper()
	if _, err := exec.LookPath(command); err == nil {
		return
	}
	if os.Getenv("ZIPREEL_TEST_TOOLS") == "1" {
		t.Fatalf("%s is missing: install Debian's %s, or run test/setup.sh", command, pkg)
	}
	t.Skipf("%s is missing (Debian: %s)", command, pkg)
}

// run runs a command to its end, within a bound, and answers what it printed.
func run(t testing.TB, dir string, name string, args ...string) string {
	t.Helper()
	out, err := try(dir, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

func try(dir string, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestMain makes everything below one folder that other users, VLC's among them, can read.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "zipreel-players-")
	if err != nil {
		panic(err)
	}
	os.Chmod(dir, 0o755)
	work = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

var work string

// media makes the titles once: a folder for each form.
var media = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(work, "media")
	script := `
set -e
mkdir -p ts/240p ts/360p fmp4/240p fmp4/360p single/240p single/360p aes subs/240p dash
for v in 240:480x270:220:300k 360:640x360:440:600k; do IFS=: read -r n s f b <<< "$v"
  ffmpeg -nostdin -v error -f lavfi -i testsrc2=s=$s:r=25 -f lavfi -i sine=frequency=$f:sample_rate=48000 -t 8 \
    -c:v libx264 -pix_fmt yuv420p -preset ultrafast -b:v $b -g 50 -keyint_min 50 -sc_threshold 0 -c:a aac -b:a 64k v$n.mp4
done
both="-i v240.mp4 -i v360.mp4 -map 0:v -map 0:a -map 1:v -map 1:a -c copy -f hls -hls_time 2 -hls_playlist_type vod -hls_list_size 0 -master_pl_name master.m3u8"
map="v:0,a:0,name:240p v:1,a:1,name:360p"
ffmpeg -nostdin -v error $both -var_stream_map "$map" -hls_segment_filename ts/%v/seg_%05d.ts ts/%v/index.m3u8
ffmpeg -nostdin -v error $both -hls_segment_type fmp4 -hls_flags independent_segments -var_stream_map "$map" -hls_segment_filename fmp4/%v/seg_%05d.m4s fmp4/%v/index.m3u8
ffmpeg -nostdin -v error $both -hls_segment_type fmp4 -hls_flags single_file+independent_segments -var_stream_map "$map" single/%v/index.m3u8
head -c 16 /dev/urandom > aes/video.key; printf 'video.key\naes/video.key\n' > keyinfo
ffmpeg -nostdin -v error -i v240.mp4 -c copy -f hls -hls_time 2 -hls_playlist_type vod -hls_key_info_file keyinfo -hls_segment_filename aes/seg_%05d.ts aes/index.m3u8
printf 'WEBVTT\n\n00:00.500 --> 00:03.000\nFirst words\n\n00:04.000 --> 00:07.000\nLast words\n' > en.vtt
ffmpeg -nostdin -v error -i v240.mp4 -i en.vtt -map 0:v -map 0:a -map 1:s -c:v copy -c:a copy -c:s webvtt -f hls -hls_time 2 -hls_playlist_type vod -master_pl_name master.m3u8 -var_stream_map "v:0,a:0,s:0,sgroup:subs,language:en" -hls_segment_filename subs/240p/seg_%05d.ts subs/240p/index.m3u8
ffmpeg -nostdin -v error -i v240.mp4 -i v360.mp4 -map 0:v -map 1:v -map 0:a -c copy -f dash -seg_duration 2 -adaptation_sets "id=0,streams=v id=1,streams=a" dash/manifest.mpd
rm -f keyinfo v240.mp4 v360.mp4 en.vtt
`
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	out, err := try(dir, "bash", "-c", script)
	if err != nil {
		return "", fmt.Errorf("ffmpeg: %w\n%s", err, out)
	}
	return dir, nil
})

// program builds zipreel once, with the race detector.
var program = sync.OnceValues(func() (string, error) {
	bin := filepath.Join(work, "zipreel")
	out, err := exec.Command("go", "build", "-race", "-o", bin, "zipreel/cmd/zipreel").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return bin, nil
})

func mediaDir(t testing.TB) string {
	t.Helper()
	need(t, "ffmpeg", "ffmpeg")
	dir, err := media()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func zipreel(t testing.TB) string {
	t.Helper()
	bin, err := program()
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

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
  server { listen 127.0.0.1:%[3]d; root %[2]s/root; types { application/vnd.apple.mpegurl m3u8; video/mp2t ts; video/mp4 mp4 m4s; text/vtt vtt; application/dash+xml mpd; } add_header Access-Control-Allow-Origin *; }
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

// gateway is zipreel in front of a node.
type gateway struct {
	url string
}

func startGateway(t testing.TB, args ...string) *gateway {
	t.Helper()
	cmd := exec.Command(zipreel(t), append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stderr)
	g := &gateway{}
	var said strings.Builder
	for g.url == "" && lines.Scan() {
		said.WriteString(lines.Text() + "\n")
		if _, url, ok := strings.Cut(lines.Text(), "listening on "); ok {
			g.url = url
		}
	}
	if g.url == "" {
		cmd.Wait()
		t.Fatalf("zipreel did not listen:\n%s", said.String())
	}
	rest := make(chan string)
	go func() {
		b, _ := io.ReadAll(stderr)
		rest <- string(b)
	}()
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		text := <-rest
		if err := cmd.Wait(); err != nil {
			t.Errorf("zipreel ended with %v:\n%s", err, text)
		}
		if strings.Contains(text, "DATA RACE") {
			t.Errorf("data race:\n%s", text)
		}
	})
	return g
}

// get reads a URL to its end.
func get(t testing.TB, url string) (int, []byte) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("%s: %v", url, err)
	}
	return res.StatusCode, b
}
