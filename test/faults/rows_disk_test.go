package faults

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"zipreel/gateway"
)

// diskRows are faults of the cache folder.
var diskRows = []row{
	{
		id: "34a", fault: "the disk takes no more bytes (EFBIG)", must: "served uncached, one log line, metric; recovers alone",
		gateway: withFolder, play: playFullDisk,
	},
	{
		id: "34b", fault: "the cache folder is removed while it is used", must: "the same",
		gateway: withFolder, play: playLostFolder,
	},
	{id: "34c", fault: "the disk does not answer: files of the cache hang when they are opened", must: "read from storage after 2 s; stops when told to", play: playHangingDisk},
	{id: "35a", fault: "kill -9 while the cache is written", must: "what is there is whole; right bytes after the restart", hold: longTitle, play: playKilled},
	{id: "35b", fault: "files that a crash left short, wrong and half written", must: "checked on read; a damaged file is a miss and is removed", play: playDamagedFiles},
}

// folder and errorLines are of the one gateway in this process.
var (
	folder     string
	errorLines atomic.Int64
)

// withFolder gives the gateway a cache folder, and counts what it logs as errors.
func withFolder(c *gateway.Config) {
	folder = newFolder()
	c.CacheDir, c.CacheReserve = folder, 1
	c.Logger = slog.New(countErrors{slog.NewTextHandler(io.Discard, nil)})
}

func newFolder() string {
	dir, err := os.MkdirTemp("", "zipreel-faults")
	must(err)
	return dir
}

// countErrors is a log that is counted.
type countErrors struct{ slog.Handler }

// Handle implements slog.Handler.
func (c countErrors) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelError {
		errorLines.Add(1)
	}
	return c.Handler.Handle(ctx, r)
}

// metric answers a number of the gateway's own counters.
func (s *stage) metric(name string) (value float64) {
	w := httptest.NewRecorder()
	s.gw.Admin().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for line := range strings.Lines(w.Body.String()) {
		if _, err := fmt.Sscanf(line, name+" %g", &value); err == nil {
			return value
		}
	}
	s.errorf("no metric %s", name)
	return 0
}

// playFullDisk plays under a limit on the size of files, and goes on without it.
func playFullDisk(s *stage) played {
	defer os.RemoveAll(folder)
	signal.Ignore(syscall.SIGXFSZ)
	var limit syscall.Rlimit
	must(syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit))
	full := limit
	full.Cur = 1024
	must(syscall.Setrlimit(syscall.RLIMIT_FSIZE, &full))
	got := s.playFailing()
	must(syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit))
	s.wantWrites()
	return got
}

// playLostFolder plays without the folder.
func playLostFolder(s *stage) played {
	defer os.RemoveAll(folder)
	s.warm(index)
	until(5*time.Second, func() bool { return len(files(folder)) > 0 })
	must(os.RemoveAll(folder))
	return s.playFailing()
}

// playFailing plays while nothing can be written.
func (s *stage) playFailing() played {
	got := hls.play(s.player())
	if got.Outcome != "plays" {
		s.errorf("outcome %s", got.Outcome)
	}
	if !until(5*time.Second, func() bool { return s.metric("zipreel_disk_failing") == 1 }) {
		s.errorf("the metric does not say that writing fails")
	}
	if again := curl.play(s.player()); again.Outcome != "plays" {
		s.errorf("again: %s", again.Outcome)
	}
	if n := errorLines.Load(); n != 1 {
		s.errorf("%d errors in the log, want 1", n)
	}
	return got
}

// wantWrites waits until the folder is used again.
func (s *stage) wantWrites() {
	n, before := 0, s.metric("zipreel_disk_writes_total")
	if !until(50*time.Second, func() bool {
		time.Sleep(time.Second)
		s.nodes[0].put(fmt.Sprintf("other%d.zip", n), s.title.data, 1)
		p := s.player()
		p.get(fmt.Sprintf("/v/films/other%d.zip/720p/seg0.ts", n), "", time.Minute)
		p.client.CloseIdleConnections()
		n++
		return s.metric("zipreel_disk_writes_total") > before && s.metric("zipreel_disk_failing") == 0
	}) {
		s.errorf("nothing is written though it can be again")
	}
}

// files answers the cache's files.
func files(dir string) []string {
	list, err := filepath.Glob(filepath.Join(dir, "??", "*"))
	must(err)
	return list
}

func playKilled(s *stage) played {
	dir := newFolder()
	defer os.RemoveAll(dir)
	p := s.serving("--cache-dir", dir, "--cache-reserve", "1", "--prefetch", "off")
	turn := make(chan played, 1)
	go func() { turn <- hls.play(&player{base: p.url, client: s.player().client, titles: s.titles()}) }()
	until(10*time.Second, func() bool { return len(files(dir)) >= 20 })
	p.signal(syscall.SIGKILL)
	p.exit(10 * time.Second)
	if got := <-turn; len(got.Wrong) > 0 {
		s.errorf("before the kill: %v", got.Wrong)
	}
	kept, before := len(files(dir)), len(s.nodes[0].asked())
	again := s.serving("--cache-dir", dir, "--cache-reserve", "1", "--prefetch", "off")
	got := hls.play(s.viewing(again))
	if got.Outcome != "plays" {
		s.errorf("after the restart: %s", got.Outcome)
	}
	reads := len(s.nodes[0].asked()) - before
	if most := longSegments + 6 - kept; kept < 20 || reads > most {
		s.errorf("%d files were kept, and %d reads needed, at most %d wanted", kept, reads, most)
	}
	got.Outcome = fmt.Sprintf("%s; %d files kept, %d reads", got.Outcome, kept, reads)
	return got
}

// playHangingDisk has pipes in place of files: whoever opens one waits for who writes to it.
func playHangingDisk(s *stage) played {
	dir := newFolder()
	defer os.RemoveAll(dir)
	for _, path := range s.filled(dir) {
		must(os.Remove(path))
		must(syscall.Mkfifo(path, 0o600))
	}
	p := s.serving("--cache-dir", dir, "--cache-reserve", "1", "--prefetch", "off")
	got := hls.play(s.viewing(p))
	if got.Outcome != "plays" || got.Took > 8*time.Second {
		s.errorf("%s, in %v", got.Outcome, got.Took)
	}
	p.signal(syscall.SIGTERM)
	if ended, how := p.exit(5 * time.Second); !ended || how.ExitCode() != 0 {
		s.errorf("ended: %v, %v", ended, how)
	}
	return got
}

// filled answers the files of a cache folder that a process which has ended played a title with.
func (s *stage) filled(dir string) []string {
	p := s.serving("--cache-dir", dir, "--cache-reserve", "1", "--prefetch", "off")
	if got := hls.play(s.viewing(p)); got.Outcome != "plays" {
		s.errorf("before: %s", got.Outcome)
	}
	until(5*time.Second, func() bool { return len(files(dir)) >= segments })
	p.signal(syscall.SIGTERM)
	p.exit(10 * time.Second)
	list := files(dir)
	if len(list) < segments {
		s.errorf("%d files", len(list))
	}
	return list
}

func playDamagedFiles(s *stage) played {
	dir := newFolder()
	defer os.RemoveAll(dir)
	list := s.filled(dir)
	damaged := map[string]string{}
	for i, path := range list {
		damaged[path] = damage(path, i)
	}
	again := s.serving("--cache-dir", dir, "--cache-reserve", "1", "--prefetch", "off")
	got := hls.play(s.viewing(again))
	if got.Outcome != "plays" {
		s.errorf("after: %s", got.Outcome)
	}
	second := ranger.play(s.viewing(again))
	if second.Outcome != "plays" || len(second.Wrong) > 0 {
		s.errorf("the film: %s %v", second.Outcome, second.Wrong)
	}
	if !until(5*time.Second, func() bool { return same(damaged) <= 2 }) { // the playlists come along with the directory, and are not looked at
		s.errorf("%d of %d damaged files are still there", same(damaged), len(list))
	}
	return got
}

// same is how many files hold what they did.
func same(contents map[string]string) (n int) {
	for path, content := range contents {
		if data, err := os.ReadFile(path); err == nil && string(data) == content {
			n++
		}
	}
	return n
}

// damage leaves a file short, empty or with a wrong bit, and answers what it holds then.
func damage(path string, way int) string {
	data, err := os.ReadFile(path)
	must(err)
	switch way % 4 {
	case 0:
		data = data[:len(data)/2]
	case 1:
		data[len(data)-1] ^= 1
	case 2:
		data = nil
	case 3:
		data[len(data)/2] ^= 0x80
	}
	must(os.WriteFile(path, data, 0o600))
	must(os.WriteFile(path+".part", data, 0o600))
	return string(data)
}
