package players

import (
	"bufio"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// program builds zipreel once, with the race detector.
var program = sync.OnceValues(func() (string, error) {
	bin := filepath.Join(work, "zipreel")
	out, err := exec.Command("go", "build", "-race", "-o", bin, "zipreel/cmd/zipreel").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return bin, nil
})

func zipreel(t testing.TB) string {
	t.Helper()
	bin, err := program()
	if err != nil {
		t.Fatal(err)
	}
	return bin
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
