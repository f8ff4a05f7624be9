package zipindex_test

import (
	"archive/zip"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"zipreel/zipindex"
)

// zippers are programs that users make archives with. Each is run in a directory of files and writes ../out.zip.
var zippers = []struct {
	name, tool, debian, script string
}{
	{"zip stored", "zip", "zip", `zip -q -0 -X -r ../out.zip .`},
	{"zip deflated", "zip", "zip", `zip -q -r ../out.zip .`},
	{"zip ZIP64", "zip", "zip", `zip -q -0 -fz -r ../out.zip .`},
	{"zip into a pipe", "zip", "zip", `zip -q -0 -r - . | cat >../out.zip`},
	{"zip with a comment", "zip", "zip", `zip -q -0 -r ../out.zip . && echo hello | zip -q -z ../out.zip`},
	{"7z", "7z", "p7zip-full", `7z a -tzip -mx=0 ../out.zip . >/dev/null`},
	{"7z UTF-8", "7z", "p7zip-full", `7z a -tzip -mx=0 -mcu=on ../out.zip . >/dev/null`},
	{"bsdtar", "bsdtar", "libarchive-tools", `bsdtar --format=zip --options zip:compression=store -cf ../out.zip .`},
	{"bsdtar ZIP64", "bsdtar", "libarchive-tools", `bsdtar --format=zip --options zip:compression=store,zip:zip64 -cf ../out.zip .`},
	{"jar", "jar", "default-jdk-headless", `jar c0f ../out.zip .`},
	{"Python", "python3", "python3", `python3 -m zipfile -c ../out.zip a.ts sub empty`},
	{"Python ZIP64", "python3", "python3", `python3 -c "
import zipfile
z = zipfile.ZipFile('../out.zip', 'w')
with z.open('x', mode='w', force_zip64=True) as f: f.write(b'x' * 99)
z.write('a.ts')
z.close()"`},
	{"Python into a pipe", "python3", "python3", `python3 -c "
import sys, zipfile
z = zipfile.ZipFile(sys.stdout.buffer, 'w')
z.write('a.ts')
z.writestr('e', '')
z.close()" | cat >../out.zip`},
}

func TestZippers(t *testing.T) {
	for _, z := range zippers {
		t.Run(z.name, func(t *testing.T) {
			if _, err := exec.LookPath(z.tool); err != nil {
				if os.Getenv("ZIPREEL_TEST_TOOLS") == "1" {
					t.Fatalf("%s is missing: install the Debian package %s", z.tool, z.debian)
				}
				t.Skipf("%s is missing: install the Debian package %s", z.tool, z.debian)
			}
			dir := inputs(t)
			cmd := exec.CommandContext(t.Context(), "sh", "-c", z.script)
			cmd.Dir = filepath.Join(dir, "in")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%s: %v\n%s", z.script, err, out)
			}
			data, err := os.ReadFile(filepath.Join(dir, "out.zip"))
			if err != nil {
				t.Fatal(err)
			}
			compareWithOracle(t, data)
		})
	}
}

// inputs makes a directory that holds "in" with files to archive.
func inputs(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range map[string][]byte{
		"a.ts": bytes.Repeat([]byte("a"), 1000), "sub/ü b.ts": bytes.Repeat([]byte("b"), 3000), "empty": nil, "sub/deep/er.m4s": bytes.Repeat([]byte("e"), 100<<10),
	} {
		path := filepath.Join(dir, "in", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestGoZipper(t *testing.T) {
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for _, h := range []zip.FileHeader{
		{Name: "a.ts", Method: zip.Store}, {Name: "ü.ts", Method: zip.Store}, {Name: "d.m3u8", Method: zip.Deflate}, {Name: "gr\x81n", NonUTF8: true}, {Name: "dir/"},
	} {
		f, err := w.CreateHeader(&h)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(h.Name, "/") {
			if _, err := f.Write(bytes.Repeat([]byte(h.Name), 50)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	compareWithOracle(t, buf.Bytes())
}

// compareWithOracle wants each file of a good archive to be where archive/zip finds it.
func compareWithOracle(t *testing.T, data []byte) {
	t.Helper()
	x, asked, err := parseTail(data, zipindex.Limits{})
	if err != nil || asked > 3 {
		t.Fatalf("Parse = %v after %d NeedMore", err, asked)
	}
	zr, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if x.Len() != len(zr.File) {
		t.Errorf("Len = %d, want %d", x.Len(), len(zr.File))
	}
	byOffset := map[int64]*zip.File{}
	for _, f := range zr.File {
		off, err := f.DataOffset()
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(f.Name, "/") {
			byOffset[off] = f
		}
	}
	for e := range x.All() {
		if e.Refused() != nil {
			if e.Refused().Code != zipindex.CodeDirectoryEntry && e.Name != "./" {
				t.Errorf("%q is hidden: %v", e.Name, e.Refused())
			}
			continue
		}
		off, err := e.CheckLocal(data[e.HeaderOffset:e.End])
		if err != nil {
			t.Errorf("CheckLocal of %q: %v", e.Name, err)
			continue
		}
		f := byOffset[off]
		if f == nil {
			t.Errorf("data of %q is at %d, where archive/zip has none", e.Name, off)
			continue
		}
		delete(byOffset, off)
		if e.Size != int64(f.UncompressedSize64) || e.CompressedSize != int64(f.CompressedSize64) || e.CRC32 != f.CRC32 || e.Method != f.Method ||
			!f.NonUTF8 && e.Name != strings.TrimPrefix(f.Name, "./") {
			t.Errorf("%+v is %+v to archive/zip", e, f.FileHeader)
		}
		checkFound(t, x, e, off)
	}
	if len(byOffset) > 0 {
		t.Errorf("files that archive/zip alone has: %v", byOffset)
	}
}

// checkFound wants the index to find e by its name and by its place, and by no place one byte off.
func checkFound(t *testing.T, x *zipindex.Index, e zipindex.Entry, dataOffset int64) {
	t.Helper()
	if got, ok := x.Lookup(e.Name); !ok || got != e {
		t.Errorf("Lookup(%q) = %+v, %v, want %+v", e.Name, got, ok, e)
	}
	for _, off := range []int64{dataOffset, e.HeaderOffset} {
		if got, m := x.Locate(off, e.CompressedSize); m != zipindex.Whole || off == dataOffset && got != e {
			t.Errorf("Locate(%d, %d) = %q, %v, want %q whole", off, e.CompressedSize, got.Name, m, e.Name)
		}
	}
	for _, r := range [][2]int64{
		{dataOffset - 1, e.CompressedSize}, {dataOffset + 1, e.CompressedSize}, {dataOffset, e.CompressedSize + 1}, {dataOffset, e.CompressedSize - 1},
		{e.HeaderOffset + 1, e.CompressedSize}, {e.HeaderOffset, e.CompressedSize + 1},
	} {
		if got, m := x.Locate(r[0], r[1]); m == zipindex.Whole && got.Name == e.Name {
			t.Errorf("Locate(%d, %d) = %q whole; its %d bytes are at %d", r[0], r[1], got.Name, e.CompressedSize, dataOffset)
		}
	}
}
