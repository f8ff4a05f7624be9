package pack

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zipreel/playlist"
	"zipreel/zipindex"
)

// tree writes files below a new folder.
func tree(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// title is a small one with two renditions, whose segments are not in the order of their names.
func title() map[string]string {
	return map[string]string{
		"master.m3u8":         "#EXTM3U\n#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"s\",NAME=\"en\",URI=\"subs/i.m3u8\"\n#EXT-X-STREAM-INF:BANDWIDTH=2\nhi/index.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlo/index.m3u8?x=1\n",
		"hi/index.m3u8":       "#EXTM3U\r\n#EXT-X-MAP:URI=\"init.mp4\"\r\n#EXTINF:2,\r\nseg10.m4s\r\n#EXTINF:2,\r\nseg9.m4s#frag\r\n#EXTINF:2,\r\nhttps://cdn.example/x.m4s\r\n#EXT-X-ENDLIST",
		"hi/init.mp4":         "init",
		"hi/seg9.m4s":         strings.Repeat("nine", 100),
		"hi/seg10.m4s":        strings.Repeat("ten", 100),
		"lo/index.m3u8":       "#EXTM3U\n#EXTINF:2,\nseg ü.ts?range=1,2\n#EXTINF:2,\ngone.ts\n",
		"lo/seg ü.ts":         "low",
		"subs/i.m3u8":         "#EXTM3U\n#EXTINF:4,\nen.vtt\n",
		"subs/en.vtt":         "WEBVTT\n",
		"cover.jpg":           "jpeg",
		".DS_Store":           "junk",
		"META-INF/SHA256SUMS": "stale",
	}
}

func packed(t testing.TB, dir string) (archive []byte, r Result) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "title.zip")
	r, err := Pack(context.Background(), Options{Input: dir, Output: out})
	if err != nil {
		t.Fatal(err)
	}
	archive, err = os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return archive, r
}

func index(t testing.TB, archive []byte) *zipindex.Index {
	t.Helper()
	x, err := zipindex.Parse(archive, 0, int64(len(archive)), zipindex.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func content(t testing.TB, archive []byte, name string) string {
	t.Helper()
	e, ok := index(t, archive).Lookup(name)
	if !ok {
		t.Fatalf("no entry %q", name)
	}
	off, err := e.CheckLocal(archive[e.HeaderOffset:e.End])
	if err != nil {
		t.Fatal(err)
	}
	return string(archive[off : off+e.Size])
}

func TestPackOrder(t *testing.T) {
	archive, r := packed(t, tree(t, title()))
	var names []string
	for e := range index(t, archive).All() {
		names = append(names, e.Name)
		if e.Method != 0 || e.Flags&8 != 0 {
			t.Errorf("%s: method %d, flags %#x, want stored and no descriptor", e.Name, e.Method, e.Flags)
		}
	}
	want := "hi/init.mp4 hi/seg10.m4s hi/seg9.m4s lo/seg ü.ts cover.jpg subs/en.vtt META-INF/SHA256SUMS subs/i.m3u8 hi/index.m3u8 lo/index.m3u8 master.m3u8"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("order\n%s\nwant\n%s", got, want)
	}
	if len(r.Warnings) != 1 || !strings.HasPrefix(r.Warnings[0], "lo/index.m3u8:5: ") || strings.Join(r.Skipped, " ") != ".DS_Store" || r.Bytes != int64(len(archive)) {
		t.Errorf("result %+v", r)
	}
}

func TestLinksToWhatIsLeftOut(t *testing.T) {
	_, r := packed(t, tree(t, map[string]string{
		"m.m3u8": "#EXTM3U\n#EXTINF:2,\n.s/1.ts\n#EXTINF:2,\n.2.ts\n#EXTINF:2,\n3.ts\n", ".s/1.ts": "one", ".2.ts": "two",
	}))
	want := []string{
		"m.m3u8:3: names .s/1.ts, which is left out: what begins with a dot is; give it another name",
		"m.m3u8:5: names .2.ts, which is left out: what begins with a dot is; give it another name",
		"m.m3u8:7: names 3.ts, which is not in the folder",
	}
	if !slices.Equal(r.Warnings, want) {
		t.Errorf("warnings\n%s\nwant\n%s", strings.Join(r.Warnings, "\n"), strings.Join(want, "\n"))
	}
}

// TestPackLinks: each link carries exactly the data of what it names, and nothing else of a playlist changes.
func TestPackLinks(t *testing.T) {
	archive, r := packed(t, tree(t, title()))
	x := index(t, archive)
	links := 0
	for _, list := range []string{"hi/index.m3u8", "lo/index.m3u8", "subs/i.m3u8", "master.m3u8"} {
		plain, err := playlist.Rewrite(nil, []byte(content(t, archive, list)), playlist.HLS, func(l playlist.Link) (string, bool) {
			if l.State == playlist.NoRange {
				return "", false
			}
			links++
			e, m := x.Locate(l.Off, l.N)
			name, _ := target(list, l)
			if m != zipindex.Whole || e.Name != name {
				t.Errorf("%s:%d: %s is %v of %q, want all of %q", list, l.Line, l.URI, m, e.Name, name)
			}
			return l.With(l.Path()), true
		})
		if err != nil {
			t.Fatal(err)
		}
		if want := strings.Replace(title()[list], "?range=1,2", "", 1); string(plain) != want {
			t.Errorf("%s without its ranges is\n%q\nwant\n%q", list, plain, want)
		}
	}
	if links != 8 || r.Links != 8 {
		t.Errorf("%d links with ranges, %d told, want 8", links, r.Links)
	}
}

func TestPackIsReproducible(t *testing.T) {
	a, _ := packed(t, tree(t, title()))
	b, _ := packed(t, tree(t, title()))
	if !bytes.Equal(a, b) {
		t.Error("the same input gave other bytes")
	}
}

func TestPackDigests(t *testing.T) {
	archive, _ := packed(t, tree(t, title()))
	sums := content(t, archive, DigestsName)
	for e := range index(t, archive).All() {
		line := fmt.Sprintf("%x  %s\n", sha256.Sum256([]byte(content(t, archive, e.Name))), e.Name)
		if strings.Contains(sums, line) == (e.Name == DigestsName) {
			t.Errorf("%s: wrong or missing in\n%s", e.Name, sums)
		}
	}
}

// TestPackManyEntries needs ZIP64 for their count.
func TestPackManyEntries(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 66,000 files")
	}
	dir := t.TempDir()
	for i := range 66_000 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%05d.ts", i)), []byte{byte(i)}, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	archive, _ := packed(t, dir)
	if n := index(t, archive).Len(); n != 66_001 {
		t.Errorf("%d entries, want 66,001", n)
	}
	readByOthers(t, archive)
}

func TestPackIsReadByOthers(t *testing.T) {
	archive, _ := packed(t, tree(t, title()))
	readByOthers(t, archive)
}

func readByOthers(t *testing.T, archive []byte) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "a.zip")
	if err := os.WriteFile(file, archive, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		pkg  string
		args []string
	}{
		{"unzip", []string{"unzip", "-tq", file}},
		{"python3", []string{"python3", "-c", "import zipfile,sys; sys.exit(zipfile.ZipFile(sys.argv[1]).testzip() is not None)", file}},
		{"libarchive-tools", []string{"bsdtar", "-tf", file}},
	} {
		if _, err := exec.LookPath(c.args[0]); err != nil {
			if os.Getenv("ZIPREEL_TEST_TOOLS") == "1" {
				t.Errorf("%s is missing (Debian: %s)", c.args[0], c.pkg)
			}
			continue
		}
		if out, err := exec.Command(c.args[0], c.args[1:]...).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%.2000s", c.args[0], err, out)
		}
	}
}

func TestPackRefuses(t *testing.T) {
	out := func(t *testing.T) string { return filepath.Join(t.TempDir(), "o.zip") }
	t.Run("nothing there", func(t *testing.T) {
		if _, err := Pack(t.Context(), Options{Input: t.TempDir(), Output: out(t)}); err == nil {
			t.Error("an empty folder was packed")
		}
	})
	t.Run("link out of the folder", func(t *testing.T) {
		dir := tree(t, map[string]string{"a.ts": "a"})
		os.Symlink("/etc/hostname", filepath.Join(dir, "b.ts"))
		o := out(t)
		if _, err := Pack(t.Context(), Options{Input: dir, Output: o}); err == nil {
			t.Error("a link out of the folder was followed")
		}
		if left, _ := os.ReadDir(filepath.Dir(o)); len(left) != 0 {
			t.Errorf("left behind: %v", left)
		}
	})
	t.Run("called off", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		o := out(t)
		_, err := Pack(ctx, Options{Input: tree(t, title()), Output: o, Progress: func(done, total int64) {
			if done > total/2 {
				cancel()
			}
		}})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want context.Canceled", err)
		}
		if left, _ := os.ReadDir(filepath.Dir(o)); len(left) != 0 {
			t.Errorf("left behind: %v", left)
		}
	})
	t.Run("names that are not served", func(t *testing.T) {
		if _, err := Pack(t.Context(), Options{Input: tree(t, map[string]string{"~/a.ts": "a"}), Output: out(t)}); err == nil || !strings.Contains(err.Error(), "bad-path") {
			t.Errorf("error %v, want one of bad-path", err)
		}
	})
	t.Run("output in the input", func(t *testing.T) {
		dir := tree(t, title())
		o := filepath.Join(dir, "o.zip")
		for range 2 {
			if _, err := Pack(t.Context(), Options{Input: dir, Output: o}); err != nil {
				t.Fatal(err)
			}
		}
		archive, _ := os.ReadFile(o)
		if _, ok := index(t, archive).Lookup("o.zip"); ok {
			t.Error("the archive was packed into itself")
		}
	})
}

func verify(t *testing.T, archive []byte) Report {
	t.Helper()
	r, err := Verify(t.Context(), bytes.NewReader(archive), int64(len(archive)), VerifyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestVerifyFinds(t *testing.T) {
	good, _ := packed(t, tree(t, title()))
	if r := verify(t, good); r.OK() || r.firstError(codeMissing) != nil || len(r.Findings) != 1 || r.Entries != 11 || r.Playlists != 4 || r.Digests != 10 || r.Pin == "" {
		t.Errorf("an archive with one link to nothing: %+v", r)
	}
	tests := map[string]struct {
		change func(b []byte) []byte
		code   string
		entry  string
		line   int
	}{
		"a flipped bit": {func(b []byte) []byte {
			b[bytes.Index(b, []byte("ninenine"))] ^= 1
			return b
		}, "checksum", "hi/seg9.m4s", 0},
		"a wrong range": {func(b []byte) []byte {
			return withText(t, b, "hi/index.m3u8", func(s string) string { return strings.Replace(s, ",300", ",301", 1) })
		}, "link-outside-archive", "hi/index.m3u8", 4},
		"another local name": {func(b []byte) []byte {
			b[bytes.Index(b, []byte("hi/seg9.m4s"))] = 'x'
			return b
		}, "zip-local-mismatch", "hi/seg9.m4s", 0},
		"cut off": {func(b []byte) []byte { return b[:len(b)-5] }, "archive-incomplete", "", 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := verify(t, tt.change(bytes.Clone(good)))
			for _, f := range r.Findings {
				if f.Severity == Error && f.Code == tt.code && f.Entry == tt.entry && f.Line == tt.line {
					return
				}
			}
			t.Errorf("findings %v, want %s of %q, line %d", r.Findings, tt.code, tt.entry, tt.line)
		})
	}
}

// withText changes an entry of the archive in place, its CRC with it, by writing the archive again.
func withText(t *testing.T, archive []byte, name string, change func(string) string) []byte {
	t.Helper()
	p := &packer{ctx: t.Context()}
	for e := range index(t, archive).All() {
		text := content(t, archive, e.Name)
		if e.Name == name {
			text = change(text)
		}
		f := &entry{name: e.Name, isText: true, header: e.HeaderOffset}
		f.setText([]byte(text))
		p.files = append(p.files, f)
	}
	var b bytes.Buffer
	if _, err := p.write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestDemo holds the committed demo title to what the README says of it.
func TestDemo(t *testing.T) {
	archive, err := os.ReadFile("../testdata/demo/aurora.zip")
	if err != nil {
		t.Fatal(err)
	}
	if len(archive) > 2<<20 {
		t.Errorf("%d bytes, want at most 2 MiB", len(archive))
	}
	r := verify(t, archive)
	if len(r.Findings) > 0 || r.Links < 15 {
		t.Errorf("%+v", r)
	}
	info, err := playlist.Describe([]byte(content(t, archive, "360p/index.m3u8")))
	if err != nil || info.Duration.Seconds() < 20 {
		t.Errorf("duration %v, %v", info.Duration, err)
	}
	main, err := playlist.Describe([]byte(content(t, archive, "master.m3u8")))
	if err != nil || len(main.Variants) != 2 {
		t.Errorf("%+v, %v, want two variants", main, err)
	}
}

// TestVerifyOfOtherZippers: what a gateway plays is no error, and what it refuses is one.
func TestVerifyOfOtherZippers(t *testing.T) {
	const media = "#EXTM3U\n#EXTINF:2,\ns.ts\n"
	for name, tt := range map[string]struct {
		file     string // beside s.ts and a.m3u8
		content  []byte
		deflated bool
		want     []string // severity, code and entry of what is found
	}{
		"AppleDouble":              {file: "__MACOSX/._a.m3u8", content: []byte("\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        \n\x00/x.ts")},
		"no playlist by its text":  {file: "b.m3u8", content: []byte("s.ts\nnothing.ts\n"), want: []string{"warning playlist b.m3u8"}},
		"deflated":                 {file: "b.vtt", content: bytes.Repeat([]byte("WEBVTT\n"), 1000), deflated: true, want: []string{"warning deflated b.vtt"}},
		"deflated and very large":  {file: "b.ts", content: make([]byte, zipindex.MaxInflated+1), deflated: true, want: []string{"error zip-method b.ts"}},
		"deflated, just not large": {file: "b.ts", content: make([]byte, zipindex.MaxInflated), deflated: true, want: []string{"warning deflated b.ts"}},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			w := zip.NewWriter(&b)
			add := func(name string, content []byte, method uint16) {
				f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: method})
				if err == nil {
					_, err = f.Write(content)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			add("s.ts", []byte("a segment"), zip.Store)
			add("a.m3u8", []byte(media), zip.Store)
			method := zip.Store
			if tt.deflated {
				method = zip.Deflate
			}
			add(tt.file, tt.content, method)
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range verify(t, b.Bytes()).Findings {
				got = append(got, fmt.Sprintf("%s %s %s", f.Severity, f.Code, f.Entry))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}
