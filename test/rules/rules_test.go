// Package rules holds the tests of what may import what.
package rules

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// rule says what a package, and all it is built on, may not import.
type rule struct {
	pkg    string
	never  []string // a final "/" means everything below
	reason string
}

var rules = []rule{
	{"zipreel/zipindex", []string{"net/http", "os", "zipreel/"}, "bytes in, index out: who calls it owns all I/O"},
	{"zipreel/playlist", []string{"net/http", "os/exec", "zipreel/"}, "text in, text out: it knows no archive and no viewer"},
	{"zipreel/gateway/origin", []string{"zipreel/zipindex", "zipreel/playlist", "zipreel/gateway", "zipreel/gateway/cache"}, "storage knows no formats and no viewers"},
	{"zipreel/gateway/origin/doctor", []string{"zipreel/zipindex", "zipreel/playlist", "zipreel/gateway", "zipreel/gateway/cache", "zipreel/pack"}, "it looks at a storage node; what lies there is for who calls it to say"},
	{"zipreel/gateway/cache", []string{"net/http", "zipreel/"}, "spans of bytes: where they come from is the fill's business"},
	{"zipreel/gateway/access", []string{"zipreel/"}, "who may ask is decided before anything is known of archives"},
	{"zipreel/gateway", []string{"zipreel/cmd/", "zipreel/pack"}, "the handler is embedded by others: no command line, no writing of archives"},
	{"zipreel/pack", []string{"zipreel/gateway", "zipreel/gateway/"}, "packing needs no gateway"},
	{"zipreel/web", []string{"zipreel/"}, "the page is files"},
}

type listed struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

// TestImportsGoDownOnly holds the direct imports of every package against the rules. Standard packages that only a
// dependency of ours pulls in do not count.
func TestImportsGoDownOnly(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,Deps", "zipreel/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	pkgs := map[string]listed{}
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs[p.ImportPath] = p
	}
	for _, r := range rules {
		p, ok := pkgs[r.pkg]
		if !ok {
			t.Errorf("%s: no such package; mend the rule", r.pkg)
			continue
		}
		imports := slices.Clone(p.Imports)
		for _, d := range p.Deps {
			if strings.HasPrefix(d, "zipreel/") {
				imports = append(imports, d)
			}
		}
		for _, im := range imports {
			for _, never := range r.never {
				if im == never || strings.HasSuffix(never, "/") && strings.HasPrefix(im, never) {
					t.Errorf("%s imports %s: %s", r.pkg, im, r.reason)
				}
			}
		}
	}
}
