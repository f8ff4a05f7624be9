package players

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// browserCase is one URL for one player in the browser, and what came of it.
type browserCase struct {
	Player string `json:"player"`
	URL    string `json:"url"`

	Ended  bool     `json:"ended"`
	Frames int      `json:"frames"`
	Width  int      `json:"width"`
	Errors []string `json:"errors"`
}

// browserPlayers are the players, and the titles that each can play at all.
var browserPlayers = []struct {
	name  string
	plays []string
}{
	{"hls.js", []string{"ts", "fmp4", "single", "aes", "subs"}},
	{"native", []string{"ts", "fmp4"}}, // Chromium itself plays no byte ranges
	{"shaka", []string{"ts", "fmp4", "single", "aes", "dash"}},
	{"video.js", []string{"ts", "fmp4", "single", "aes", "dash"}},
	{"dash.js", []string{"dash"}},
}

// TestBrowsers plays every title to its end in Chromium; the archives must play as the plain files do.
func TestBrowsers(t *testing.T) {
	need(t, "chromium", "chromium")
	need(t, "node", "nodejs")
	if _, err := os.Stat(filepath.Join("..", "page", "node_modules", "playwright-core")); err != nil {
		if os.Getenv("ZIPREEL_TEST_TOOLS") == "1" {
			t.Fatal("test/page/node_modules is missing: run test/setup.sh")
		}
		t.Skip("test/page/node_modules is missing: run test/setup.sh")
	}
	n, g := stage(t)
	entries := map[string]string{}
	for _, title := range titles {
		entries[title.name] = title.entry
	}
	names := map[string]string{} // of the test, by player and URL
	var cases bytes.Buffer
	enc := json.NewEncoder(&cases)
	for _, from := range sources(n, g) {
		for _, p := range browserPlayers {
			for _, title := range p.plays {
				c := browserCase{Player: p.name, URL: from.base + entries[title]}
				names[c.Player+c.URL] = p.name + "/" + from.name + "/" + title
				enc.Encode(c)
			}
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", "play.mjs")
	cmd.Dir = filepath.Join("..", "page")
	cmd.Stdin = &cases
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("node play.mjs: %v\n%s", err, stderr.String())
	}
	for line := range bytes.Lines(out) {
		var c browserCase
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		t.Run(names[c.Player+c.URL], func(t *testing.T) {
			t.Logf("%d frames, %d wide", c.Frames, c.Width)
			if !c.Ended || len(c.Errors) > 0 || c.Width == 0 || c.Frames < 150 {
				t.Errorf("%s: ended %v, %d frames, %d wide, errors %q", c.URL, c.Ended, c.Frames, c.Width, c.Errors)
			}
		})
		delete(names, c.Player+c.URL)
	}
	for _, name := range names {
		t.Errorf("%s was not played", name)
	}
}
