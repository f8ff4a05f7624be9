package stores

import (
	"context"
	"path/filepath"
	"testing"

	"zipreel/gateway/origin/doctor"
	"zipreel/gateway/origin/origintest"
)

// TestDoctorKnowsNginx examines nginx as it is, as a proxy, sending on, and with what takes ranges away.
func TestDoctorKnowsNginx(t *testing.T) {
	needNginx(t)
	address, root := startNginx(t)
	writeFile(t, filepath.Join(root, "film.zip"), origintest.Data(0, 5<<20))
	tests := map[string]struct {
		usable bool
		marks  map[string]doctor.Mark
	}{
		"/": {true, map[string]doctor.Mark{"range": doctor.OK, "suffix": doctor.OK, "beyond": doctor.OK, "validator": doctor.OK, "if-match": doctor.OK,
			"head": doctor.OK, "compression": doctor.OK, "keep-alive": doctor.OK, "redirects": doctor.OK, "throughput": doctor.OK}},
		"/proxied/":    {true, map[string]doctor.Mark{"range": doctor.OK, "if-match": doctor.OK}},
		"/redirected/": {true, map[string]doctor.Mark{"range": doctor.OK, "redirects": doctor.Note}},
		"/rangeless/":  {false, map[string]doctor.Mark{"range": doctor.Fail, "query": doctor.Fail}},
		"/compressed/": {true, map[string]doctor.Mark{"range": doctor.OK, "compression": doctor.Warn}},
		"/tagless/":    {true, map[string]doctor.Mark{"validator": doctor.Warn, "if-match": doctor.Skip}},
		"/closing/":    {true, map[string]doctor.Mark{"keep-alive": doctor.Warn}},
	}
	for path, tt := range tests {
		t.Run(path, func(t *testing.T) {
			r, err := doctor.Examine(context.Background(), doctor.Config{URL: "http://" + address + path, Archive: "film.zip"})
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range r.Checks {
				if want, ok := tt.marks[f.Name]; ok && f.Mark != want {
					t.Errorf("%s: %s (%s), want %s", f.Name, f.Mark, f.Seen, want)
				}
			}
			if r.Usable != tt.usable {
				t.Errorf("usable: %v; %s", r.Usable, r.Summary)
			}
		})
	}
}
