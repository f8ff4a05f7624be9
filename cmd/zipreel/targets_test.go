package main

import (
	"archive/zip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"zipreel/gateway/origin"
)

// inFolder makes a folder with film.zip, a=b.zip, Films/ and clips/film.zip the working directory.
func inFolder(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	for _, name := range []string{"film.zip", "a=b.zip", "X=y.zip", "clips/film.zip", "Films/keep"} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := zip.NewWriter(f).Close(); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
}

func TestParseTarget(t *testing.T) {
	inFolder(t)
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		arg     string
		kind    targetKind
		name    string
		written string
		archive string // of single ones
	}{
		{"film.zip", fileTarget, "", "film.zip", "film.zip"},
		{"Films", folderTarget, "", "Films", ""},
		{"films=Films", folderTarget, "films", "Films", ""},
		{"./a=b.zip", fileTarget, "", "./a=b.zip", "a=b.zip"},
		{"X=y.zip", fileTarget, "", "X=y.zip", "X=y.zip"}, // X is no name, and there is such a file
		{"file://" + wd + "/film.zip", fileTarget, "", "file://" + wd + "/film.zip", "film.zip"},
		{"https://h.example/films/", prefixTarget, "", "https://h.example/films/", ""},
		{"https://h.example", prefixTarget, "", "https://h.example", ""},
		{"HTTP://h.example/a%20b.zip?sig=s%2Be#x", urlTarget, "", "HTTP://h.example/a%20b.zip", "a b.zip"},
		{"x=https://u:pw@h.example/f.zip?a=b", urlTarget, "x", "https://u:xxxxx@h.example/f.zip", "f.zip"},
		{"https://h.example/x.zip?films=1", urlTarget, "", "https://h.example/x.zip", "x.zip"},
		{"https://h.example/QmHash", urlTarget, "", "https://h.example/QmHash", "QmHash"},
		{"https://h.example/{archive}?range={offset},{size}", prefixTarget, "", "https://h.example/{archive}", ""},
		{"https://h.example/?file=1&range={offset},{size}", urlTarget, "", "https://h.example/", "h.example"},
		{"https://h.example/get/?name={archive}", prefixTarget, "", "https://h.example/get/", ""},
		{"s3://bucket", prefixTarget, "", "s3://bucket", ""},
		{"films=s3://bucket/a/b/", prefixTarget, "films", "s3://bucket/a/b/", ""},
		{"S3://bucket/a/b 100%.zip", urlTarget, "", "S3://bucket/a/b 100%.zip", "b 100%.zip"},
		{"ipfs://QmHash", urlTarget, "", "ipfs://QmHash", "QmHash"},
		{"ipfs://QmHash/a%20b.zip", urlTarget, "", "ipfs://QmHash/a%20b.zip", "a b.zip"},
		{"ipfs://QmHash/", prefixTarget, "", "ipfs://QmHash/", ""},
	}
	for _, tt := range tests {
		got, err := parseTarget(tt.arg)
		if err != nil {
			t.Errorf("parseTarget(%q): %v", tt.arg, err)
			continue
		}
		if got.kind != tt.kind || got.name != tt.name || got.explicit != (tt.name != "") || got.written != tt.written || !got.allowPrivate {
			t.Errorf("parseTarget(%q) = %+v, want kind %d, name %q, written %q", tt.arg, got, tt.kind, tt.name, tt.written)
		}
		if got.single() && got.archive() != tt.archive {
			t.Errorf("parseTarget(%q).archive() = %q, want %q", tt.arg, got.archive(), tt.archive)
		}
	}
}

func TestParseTargetKeepsSignature(t *testing.T) {
	got, err := parseTarget("https://h.example/a%2Fb.zip?X-Amz-Signature=a%2Bb&y=%20")
	if err != nil {
		t.Fatal(err)
	}
	if want := "https://h.example/a%2Fb.zip?X-Amz-Signature=a%2Bb&y=%20"; got.url.String() != want {
		t.Errorf("the URL became %q, want %q", got.url, want)
	}
}

func TestParseTargetMistakes(t *testing.T) {
	inFolder(t)
	tests := []struct {
		arg   string
		exit  int
		wants []string
	}{
		{"", exitUsage, []string{"empty TARGET"}},
		{"films=", exitUsage, []string{"empty TARGET"}},
		{"Films=film.zip", exitUsage, []string{`"Films"`, "lower-case"}},
		{"-x=film.zip", exitUsage, []string{`"-x"`}},
		{"=film.zip", exitUsage, []string{`""`}},
		{"gone.zip", exitFailed, []string{"gone.zip", "no such file", "check the path"}},
		{"storage.example/films/", exitFailed, []string{"https://storage.example/films/"}},
		{"localhost:9000/films/", exitFailed, []string{"https://localhost:9000/films/"}},
		{"s3://", exitUsage, []string{"s3://bucket/film.zip"}},
		{"s3:///film.zip?secret=1", exitUsage, []string{"s3://bucket/film.zip"}},
		{"ipfs://", exitUsage, []string{"ipfs://CID"}},
		{"ipfs:///a?secret=1", exitUsage, []string{"ipfs://CID"}},
		{"ipfs://[?secret=1", exitUsage, []string{"not a URL"}},
		{"ftp://h/x.zip", exitUsage, []string{`unknown scheme "ftp"`, "https:"}},
		{"https:///x.zip", exitUsage, []string{"no host"}},
		{"https://h.example/%zz.zip?sig=secret", exitUsage, []string{"not a URL"}},
		{"file://other/x.zip", exitUsage, []string{"file:///path"}},
		{"file:x.zip", exitUsage, []string{"file:///path"}},
		{os.DevNull, exitFailed, []string{"neither a file nor a folder"}},
	}
	for _, tt := range tests {
		_, err := parseTarget(tt.arg)
		if err == nil {
			t.Errorf("parseTarget(%q): no error", tt.arg)
			continue
		}
		if got := exitCode(err); got != tt.exit {
			t.Errorf("parseTarget(%q): exit code %d, want %d (%v)", tt.arg, got, tt.exit, err)
		}
		for _, want := range append(tt.wants, "") {
			if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("parseTarget(%q): error %q, want one with %q", tt.arg, err, want)
			}
		}
	}
}

func TestGroupTargets(t *testing.T) {
	inFolder(t)
	tests := []struct {
		args string
		want []string // name: archives that were named
	}{
		{"film.zip clips/film.zip ./a=b.zip", []string{"local: film.zip film-2.zip a=b.zip"}},
		{"Films films=clips", []string{"films-2:", "films:"}},
		{"clips ./clips https://h.example/clips/", []string{"clips:", "clips-2:", "clips-3:"}},
		{"https://h.example/a.zip https://h.example:8000/b.zip", []string{"h.example: a.zip", "h.example-2: b.zip"}},
		{"https://h.example https://h.example/A%20B%2Fc/", []string{"h.example:", "c:"}},
		{"https://h.example/Ä%20B%20%20c_/", []string{"b-c:"}},
		{"http://[::1]:80/x.zip", []string{"1: x.zip"}},
		{"local=clips film.zip", []string{"local:", "local-2: film.zip"}},
		{"film.zip x=clips/film.zip", []string{"local: film.zip", "x: film.zip"}},
		{"x=https://a.example/f/ y=clips x=https://b.example/", []string{"x:", "y:"}},
		{"x=https://a.example/f.zip x=https://b.example/other.zip x=s3://bucket/f.zip", []string{"x: f.zip"}},
		{"s3://bucket s3://bucket/films/ s3://bucket/f.zip", []string{"bucket:", "films:", "bucket-2: f.zip"}},
		{"https://h.example/{archive}?range={offset},{end}", []string{"h.example:"}},
	}
	for _, tt := range tests {
		var targets []target
		for arg := range strings.FieldsSeq(tt.args) {
			target, err := parseTarget(arg)
			if err != nil {
				t.Fatal(err)
			}
			targets = append(targets, target)
		}
		places, err := groupTargets(targets)
		if err != nil {
			t.Errorf("%s: %v", tt.args, err)
		}
		var got []string
		for _, p := range places {
			got = append(got, strings.TrimSpace(p.name+": "+strings.Join(p.archives(), " ")))
			if !nameRule.MatchString(p.name) {
				t.Errorf("%s: %q is no source's name", tt.args, p.name)
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: sources differ (-want +got):\n%s", tt.args, diff)
		}
	}
}

func TestWithoutSecrets(t *testing.T) {
	for written, want := range map[string]string{
		"https://h.example/a@b/c?sig=x":         "https://h.example/a@b/c",
		"https://user:hunter2@h.example/%zz":    "https://user:xxxxx@h.example/%zz",
		"https://user:hun@ter2@h.example":       "https://user:xxxxx@h.example",
		"https://hunter2@h.example/?x":          "https://xxxxx@h.example/",
		"https://u:hun/ter2@h.example/x":        "https://u:xxxxx@h.example/x",
		"https://u:hunter2@[::1":                "https://u:xxxxx@[::1",
		"s3://bucket/a@b.zip":                   "s3://bucket/a@b.zip",
		"films/a@b.zip":                         "films/a@b.zip",
		"https://h.example/{archive}?token=abc": "https://h.example/{archive}",
	} {
		if got := withoutSecrets(written); got != want {
			t.Errorf("withoutSecrets(%q) = %q, want %q", written, got, want)
		}
	}
}

// TestGroupTargetsTakesSoManyNodes and not more.
func TestGroupTargetsTakesSoManyNodes(t *testing.T) {
	var targets []target
	for i := range origin.MaxNodes + 1 {
		target, err := parseTarget(fmt.Sprintf("films=https://%d.example/", i))
		if err != nil {
			t.Fatal(err)
		}
		targets = append(targets, target)
	}
	places, err := groupTargets(targets[:origin.MaxNodes])
	if err != nil || len(places) != 1 || len(places[0].targets) != origin.MaxNodes {
		t.Errorf("%d places, %v", len(places), err)
	}
	if _, err := groupTargets(targets); exitCode(err) != exitUsage || !strings.Contains(err.Error(), "more than") {
		t.Errorf("error %v, want one of usage", err)
	}
}

// FuzzParseTarget holds that no argument is taken for a source with a name that the gateway would refuse, and that no
// query shows up in what is said of it.
func FuzzParseTarget(f *testing.F) {
	for _, s := range []string{"a=b", "films=https://h/f/?x", "https://u:p@h/a.zip?secret=1", "file:///x", "s3://b/k", "s3://b/k?x", "ipfs://Qm/x?y", "https://h/{archive}?{offset}", "C:\\x", "=", "https://[::1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, arg string) {
		if strings.ContainsRune(arg, 0) {
			return
		}
		target, err := parseTarget(arg)
		if err != nil {
			return
		}
		if target.explicit && !nameRule.MatchString(target.name) {
			t.Errorf("parseTarget(%q): name %q", arg, target.name)
		}
		if target.url != nil && strings.Contains(target.written, "?") {
			t.Errorf("parseTarget(%q): written %q holds a query", arg, target.written)
		}
		if name := defaultName(target); !nameRule.MatchString(name) || len(name) > maxSourceName {
			t.Errorf("parseTarget(%q): default name %q", arg, name)
		}
	})
}
