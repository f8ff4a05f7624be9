package gateway_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"zipreel/playlist"
	"zipreel/zipindex"
	"zipreel/zipindex/ziptest"
)

// TestHostileArchives asks the gateway for every entry of every odd, broken and hostile archive there is.
func TestHostileArchives(t *testing.T) {
	status := map[zipindex.Code]int{
		zipindex.CodeIncomplete: 503, zipindex.CodeBadPath: 400, zipindex.CodeDirectoryEntry: 404, zipindex.CodeLocalMismatch: 502,
		zipindex.CodeMethod: 415, zipindex.CodeSizeMismatch: 415, zipindex.CodeEncrypted: 415, zipindex.CodeSpecialFile: 415,
	}
	for _, c := range ziptest.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			f := newFixture(t)
			f.films.Set("x.zip", c.Data, `"v1"`)
			if c.Code != "" {
				res := f.get("/v/films/x.zip/a.ts")
				got, wantStatus := problemCode(t, res), 422
				if s, ok := status[c.Code]; ok {
					wantStatus = s
				}
				if got == "archive-incomplete" && c.Code == zipindex.CodeNotFound {
					wantStatus = 503 // the index alone does not see how the object starts
				} else if got != string(c.Code) {
					t.Errorf("code %s, want %s", got, c.Code)
				}
				if res.StatusCode != wantStatus {
					t.Errorf("status %d, want %d", res.StatusCode, wantStatus)
				}
				return
			}
			for name, code := range c.Hidden {
				ask(t, f, name, status[code], string(code))
			}
			for _, name := range c.Served {
				if code, ok := c.Local[name]; ok {
					ask(t, f, name, status[code], string(code))
					continue
				}
				ask(t, f, name, 200, "")
			}
		})
	}
}

// ask wants an entry answered whole, or refused with a code. Names that are no paths cannot be asked for as they are.
func ask(t *testing.T, f *fixture, name string, status int, code string) {
	t.Helper()
	res := f.get("/v/films/x.zip/" + strings.TrimPrefix(playlist.Reference("", name), "./"))
	if status == 200 {
		if res.StatusCode != 200 || int64(len(body(t, res))) != res.ContentLength {
			t.Errorf("%q: status %d, want all of it", name, res.StatusCode)
		}
		return
	}
	if res.StatusCode == 200 {
		t.Errorf("%q: served, want %d %s", name, status, code)
		return
	}
	if got := problemCode(t, res); code != string(zipindex.CodeBadPath) && (got != code || res.StatusCode != status) {
		t.Errorf("%q: %d %s, want %d %s", name, res.StatusCode, got, status, code)
	}
}

func problemCode(t *testing.T, res *http.Response) string {
	t.Helper()
	var p struct{ Code string }
	b := body(t, res)
	if err := json.Unmarshal(b, &p); err != nil {
		t.Fatalf("status %d, no problem: %.200s", res.StatusCode, b)
	}
	return p.Code
}
