package zipindex_test

import (
	"bytes"
	"crypto/sha256"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"zipreel/zipindex"
	"zipreel/zipindex/ziptest"
)

func mustParse(t *testing.T, data []byte) *zipindex.Index {
	t.Helper()
	x, err := zipindex.Parse(data, 0, int64(len(data)), zipindex.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// TestLookupAgainstMap asks for names that share much, there or not, in archives of any order.
func TestLookupAgainstMap(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	name := func() string {
		n := make([]byte, 1+rnd.IntN(9))
		for i := range n {
			n[i] = "ab"[rnd.IntN(2)]
		}
		return string(n)
	}
	for range 30 {
		in := map[string]bool{}
		var ar ziptest.Archive
		for range rnd.IntN(400) {
			if n := name(); !in[n] {
				in[n] = true
				ar.Files = append(ar.Files, ziptest.File{Name: n, Data: []byte(n)})
			}
		}
		x := mustParse(t, ar.Build())
		for range 2000 {
			n := name()
			if e, ok := x.Lookup(n); ok != in[n] || ok && (e.Name != n || e.Size != int64(len(n))) {
				t.Fatalf("Lookup(%q) = %+v, %v, want %v", n, e, ok, in[n])
			}
		}
		for i, f := range ar.Files {
			if got := x.Entry(i); got.Name != f.Name {
				t.Fatalf("Entry(%d) = %q, want %q", i, got.Name, f.Name)
			}
		}
	}
}

func TestLocate(t *testing.T) {
	// Entries of 10, 0, 0 and 5,000 bytes; then a gap that no header explains before the last one's.
	x := mustParse(t, ziptest.Archive{Prefix: make([]byte, 7), Files: []ziptest.File{
		{Name: "a", Data: make([]byte, 10)}, {Name: "b"}, {Name: "c"}, {Name: "d", Data: make([]byte, 5000), After: make([]byte, 3000)}, {Name: "e", Data: make([]byte, 4)},
	}}.Build())
	a, d, e := int64(7), int64(7+41+31+31), int64(7+41+31+31+8031)
	for _, c := range []struct {
		off, n int64
		want   zipindex.Match
		name   string
	}{
		{a + 31, 10, zipindex.Whole, "a"},
		{a, 10, zipindex.Whole, "a"},
		{a + 31, 9, zipindex.Inside, "a"},
		{a + 40, 1, zipindex.Inside, "a"},
		{a + 30, 10, zipindex.Outside, ""},
		{a + 31, 11, zipindex.Outside, ""},
		{a + 32, 10, zipindex.Outside, ""},
		{a + 31, 0, zipindex.Outside, ""},
		{a + 41 + 31, 0, zipindex.Whole, "b"},
		{a + 41 + 62, 0, zipindex.Whole, "c"},
		{d, 5000, zipindex.Whole, "d"},
		{d + 31, 5000, zipindex.Inside, "d"}, // or any other place before the gap's end: the header decides
		{d + 3031, 5000, zipindex.Inside, "d"},
		{d + 3032, 5000, zipindex.Outside, ""},
		{e + 31, 4, zipindex.Whole, "e"},
		{0, 7, zipindex.Outside, ""},
		{0, 1, zipindex.Outside, ""},
		{-1, 1, zipindex.Outside, ""},
		{a, -1, zipindex.Outside, ""},
		{x.DirectoryOffset(), 1, zipindex.Outside, ""},
		{1<<63 - 1, 1<<63 - 1, zipindex.Outside, ""},
		{0, 1<<63 - 1, zipindex.Outside, ""},
	} {
		if got, m := x.Locate(c.off, c.n); m != c.want || got.Name != c.name {
			t.Errorf("Locate(%d, %d) = %q, %v, want %q, %v", c.off, c.n, got.Name, m, c.name, c.want)
		}
	}
}

func TestDataOffset(t *testing.T) {
	data := []byte("some content")
	for _, c := range []struct {
		name  string
		f     ziptest.File
		want  int64
		exact bool
	}{
		{"nothing between", ziptest.File{}, 31, true},
		{"local extra field", ziptest.File{LocalExtra: ziptest.Extra(0x5455, make([]byte, 9))}, 44, true},
		{"descriptor", ziptest.File{Flags: 8, After: ziptest.Descriptor(data)}, 31, false},
		{"long gap", ziptest.File{After: make([]byte, 5000)}, 31, false},
	} {
		c.f.Name, c.f.Data = "a", data
		e := mustParse(t, ziptest.Archive{Files: []ziptest.File{c.f, {Name: "b"}}}.Build()).Entry(0)
		if off, exact := e.DataOffset(); off != c.want || exact != c.exact {
			t.Errorf("%s: DataOffset = %d, %v, want %d, %v", c.name, off, exact, c.want, c.exact)
		}
		if off, n := e.ReadRange(); off != 0 || n < c.want+int64(len(data)) || n > 31+int64(len(data))+1<<10 {
			t.Errorf("%s: ReadRange = %d, %d; header and data are of %d bytes", c.name, off, n, c.want+int64(len(data)))
		}
	}
}

// TestNamesInCP437 wants every name that is no UTF-8 found in its local header again.
func TestNamesInCP437(t *testing.T) {
	for c := 0x80; c < 0x100; c++ {
		for _, raw := range []string{"a" + string([]byte{byte(c)}), "./" + string([]byte{byte(c)}) + "\xff"} {
			data := ziptest.Archive{Files: []ziptest.File{{Name: raw, Data: []byte("x")}}}.Build()
			e := mustParse(t, data).Entry(0)
			if _, err := e.CheckLocal(data[:e.End]); err != nil || e.Refused() != nil || strings.Contains(e.Name, "\ufffd") {
				t.Errorf("%q is served as %q, %v; CheckLocal = %v", raw, e.Name, e.Refused(), err)
			}
		}
	}
}

// TestIndexKeepsNothing wants the index to outlive the bytes it was parsed from.
func TestIndexKeepsNothing(t *testing.T) {
	for _, c := range ziptest.Cases() {
		if c.Code != "" {
			continue
		}
		data := bytes.Clone(c.Data)
		x := mustParse(t, data)
		want := slices.Collect(mustParse(t, c.Data).All())
		clear(data)
		if got := slices.Collect(x.All()); !slices.Equal(got, want) {
			t.Errorf("%s: entries are %+v once the bytes are gone, want %+v", c.Name, got, want)
		}
	}
}

// TestDigestRange wants every byte behind the entries to be of the version, and no other.
func TestDigestRange(t *testing.T) {
	digest := func(ar ziptest.Archive) [sha256.Size]byte {
		data := ar.Build()
		x := mustParse(t, data)
		off, n := x.DigestRange()
		if off != x.DirectoryOffset() || off+n != int64(len(data)) {
			t.Errorf("DigestRange = %d, %d of %d bytes with the directory at %d", off, n, len(data), x.DirectoryOffset())
		}
		return sha256.Sum256(data[off:][:n])
	}
	ar := ziptest.Archive{Files: []ziptest.File{{Name: "a", Data: []byte("x")}}, Comment: []byte("one")}
	want := digest(ar)
	ar.Comment = []byte("two")
	if digest(ar) == want {
		t.Error("archives with other comments have one digest")
	}
	ar.Comment, ar.Files[0].Data = []byte("one"), []byte("y")
	if digest(ar) == want {
		t.Error("archives with other CRCs have one digest")
	}
	ar.Files[0].Data = []byte("x")
	if digest(ar) != want {
		t.Error("one archive has two digests")
	}
}

func TestStartsLikeZip(t *testing.T) {
	for head, want := range map[string]bool{"PK\x03\x04": true, "PK\x05\x06": true, "PK\x03\x04more": true, "PK\x01\x02": false, "PK\x03": false, "": false, "\x00PK\x03\x04": false} {
		if got := zipindex.StartsLikeZip([]byte(head)); got != want {
			t.Errorf("StartsLikeZip(%q) = %v, want %v", head, got, want)
		}
	}
}

func TestParseOfWrongLength(t *testing.T) {
	data := ziptest.Archive{}.Build()
	for _, c := range [][2]int64{{0, 21}, {0, 23}, {1, 22}, {-1, 21}, {0, -1}, {1<<63 - 1, -1 << 63}} {
		if x, err := zipindex.Parse(data, c[0], c[1], zipindex.Limits{}); codeOf(err) != zipindex.CodeNotFound {
			t.Errorf("Parse of 22 bytes as [%d, %d) = %v, %v, want %s", c[0], c[1], x, err, zipindex.CodeNotFound)
		}
	}
}
