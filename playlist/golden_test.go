package playlist

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write testdata/*.golden anew")

// corpus is every playlist of testdata by its name.
func corpus(tb testing.TB) map[string][]byte {
	tb.Helper()
	files, err := filepath.Glob("testdata/*.m[3p]*")
	if err != nil {
		tb.Fatal(err)
	}
	texts := make(map[string][]byte)
	for _, file := range files {
		if strings.HasSuffix(file, ".golden") {
			continue
		}
		if texts[file], err = os.ReadFile(file); err != nil {
			tb.Fatal(err)
		}
	}
	if len(texts) < 8 {
		tb.Fatalf("testdata holds %d playlists", len(texts))
	}
	return texts
}

// A golden file holds each link as it is reported, an empty line, and the text with
// each local range link replaced, so that a diff shows both what is found and
// what is written.
func TestGolden(t *testing.T) {
	for name, src := range corpus(t) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			var report bytes.Buffer
			out, err := Rewrite(nil, src, Detect(name, nil), func(l Link) (string, bool) {
				fmt.Fprintln(&report, describeLink(l))
				if l.State != Valid || !l.Local() {
					return "", false
				}
				return l.With(fmt.Sprintf("(%d,%d)", l.Off, l.N)), true
			})
			if err != nil {
				t.Fatal(err)
			}
			got := report.String() + "\n" + string(out)
			golden := name + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s differs (-want +got); -update accepts it:\n%s", golden, diff)
			}
		})
	}
}

func describeLink(l Link) string {
	roles := map[Role]string{Other: "other", Segment: "segment", Init: "init", Key: "key", Rendition: "rendition"}
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s@%s %s %q", l.Line, l.Tag, l.Attr, roles[l.Role], l.URI)
	switch l.State {
	case Valid:
		fmt.Fprintf(&b, " [%d,%d]", l.Off, l.N)
	case BadRange:
		b.WriteString(" bad-range")
	}
	if l.Base != "" {
		fmt.Fprintf(&b, " base=%q", l.Base)
	}
	for _, flag := range []struct {
		set  bool
		name string
	}{{l.Template, "template"}, {l.HasMap, "map"}, {!l.Local(), "elsewhere"}} {
		if flag.set {
			b.WriteString(" " + flag.name)
		}
	}
	return b.String()
}
