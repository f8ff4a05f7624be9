package players

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
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
	Notes  []string `json:"notes"` // what the player mended by itself
}

// key tells cases apart.
func (c browserCase) key() string { return c.Player + " " + c.URL }

// whole says whether it was played to the end with every frame. A change of rendition, or of place, decodes some frames twice.
func (c browserCase) whole() bool {
	least := frames
	if c.Player == "shaka" && strings.Contains(c.URL, "/single/") {
		least = frames * 3 / 4 // Shaka 5.2.12 ends one title in five of these a segment early, plain files as well
	}
	return c.Ended && c.Width > 0 && least <= c.Frames && c.Frames <= frames*5/4
}

// browserPlayers are the players, and the titles that each can play at all.
var browserPlayers = []struct {
	name  string
	plays []string
}{
	{"hls.js", []string{"ts", "fmp4", "single", "aes", "subs"}},
	{"native", []string{"ts", "fmp4", "aes", "subs"}},
	{"shaka", []string{"ts", "fmp4", "single", "aes", "subs", "dash", "list"}},
	{"video.js", []string{"ts", "fmp4", "single", "aes", "subs", "dash", "list"}},
	{"dash.js", []string{"dash", "list"}},
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
	cases := browserCases(stage(t))
	played := playInBrowser(t, cases, 3)
	// On a busy machine a player may miss the end at four times the speed. Where none complained, such a case gets a second turn,
	// alone, and that has to be right.
	again := map[string]string{}
	for _, c := range played {
		if len(c.Errors) == 0 && !c.whole() {
			t.Logf("once more: %+v", c)
			again[c.key()] = cases[c.key()]
		}
	}
	if len(again) > 0 {
		played = slices.DeleteFunc(played, func(c browserCase) bool { return again[c.key()] != "" })
		played = append(played, playInBrowser(t, again, 1)...)
	}
	for _, c := range played {
		t.Run(cases[c.key()], func(t *testing.T) {
			t.Logf("%d frames, %d wide %q", c.Frames, c.Width, c.Notes)
			if len(c.Errors) > 0 || !c.whole() {
				t.Errorf("%s: ended %v, %d frames, want %d; %d wide, errors %q", c.URL, c.Ended, c.Frames, frames, c.Width, c.Errors)
			}
		})
		delete(cases, c.key())
	}
	for _, name := range cases {
		t.Errorf("%s was not played", name)
	}
}

// browserCases answers the names of all cases, by player and URL.
func browserCases(n *node, g *gateway) map[string]string {
	cases := map[string]string{}
	for _, from := range sources(n, g) {
		for _, p := range browserPlayers {
			for _, title := range titles {
				// Chromium itself plays no byte ranges; parts need none.
				if slices.Contains(p.plays, title.name) || p.name == "native" && title.name == "single" && from.name == "linked" {
					cases[p.name+" "+from.base+title.entry] = p.name + "/" + from.name + "/" + title.name
				}
			}
		}
	}
	return cases
}

// playInBrowser plays cases in one browser, some tabs at a time.
func playInBrowser(t *testing.T, cases map[string]string, tabs int) []browserCase {
	t.Helper()
	var in bytes.Buffer
	enc := json.NewEncoder(&in)
	for key := range cases {
		player, url, _ := strings.Cut(key, " ")
		enc.Encode(browserCase{Player: player, URL: url})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", "play.mjs", strconv.Itoa(tabs))
	cmd.Dir = filepath.Join("..", "page")
	cmd.Stdin = &in
	cmd.WaitDelay = 5 * time.Second
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("node play.mjs: %v\n%s", err, stderr.String())
	}
	var played []browserCase
	for line := range bytes.Lines(out) {
		var c browserCase
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		played = append(played, c)
	}
	return played
}
