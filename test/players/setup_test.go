package players

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
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

// client keeps connections for as many viewers as a test has.
var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}, Timeout: time.Minute}

// fetch answers the body of a 200.
func fetch(url string) ([]byte, error) {
	res, err := client.Get(url)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = errors.New(res.Status)
	}
	return b, err
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
