package zipindex_test

import (
	"archive/zip"
	"bytes"
	"strings"
	"testing"

	"zipreel/zipindex"
	"zipreel/zipindex/ziptest"
)

func FuzzParse(f *testing.F) {
	for _, c := range ziptest.Cases() {
		if len(c.Data) < 16<<10 {
			f.Add(c.Data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := zipindex.Parse(data, 0, int64(len(data)), zipindex.Limits{})
		if _, asked, tailErr := parseTail(data, zipindex.Limits{}); asked > 3 || codeOf(tailErr) != codeOf(err) {
			t.Fatalf("Parse = %v, from its end %v after %d NeedMore", err, tailErr, asked)
		}
		if err != nil {
			if codeOf(err) == "" {
				t.Fatalf("Parse of everything = %v, want an *Error", err)
			}
			return
		}
		checkInvariants(t, x)
		checkOracle(t, x, data)
	})
}

// checkInvariants wants entries that do not overlap, and that are found by name and place.
func checkInvariants(t *testing.T, x *zipindex.Index) {
	t.Helper()
	at := int64(0)
	for i := range x.Len() {
		e := x.Entry(i)
		if e.HeaderOffset < at || e.End < e.HeaderOffset+e.HeaderLen()+e.CompressedSize || e.End > x.DirectoryOffset() {
			t.Errorf("entry %d, %+v, does not lie in [%d, %d)", i, e, at, x.DirectoryOffset())
		}
		at = e.End
		if got, ok := x.Lookup(e.Name); (!ok || got != e) && !strings.Contains(e.Name, "\ufffd") { // which may stand for what was no UTF-8
			t.Errorf("Lookup(%q) = %+v, %v, want %+v", e.Name, got, ok, e)
		}
		off, _ := e.DataOffset()
		if got, m := x.Locate(off, e.CompressedSize); m == zipindex.Outside || e.CompressedSize > 0 && got != e {
			t.Errorf("Locate(%d, %d) = %+v, %v, want %+v", off, e.CompressedSize, got, m, e)
		}
		if from, n := e.ReadRange(); from < 0 || n < 0 || from+n > x.DirectoryOffset() {
			t.Errorf("ReadRange of %+v = %d, %d", e, from, n)
		}
	}
}

// checkOracle wants archive/zip, where it reads the archive too, to see the same.
func checkOracle(t *testing.T, x *zipindex.Index, data []byte) {
	t.Helper()
	zr, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return
	}
	if len(zr.File) != x.Len() {
		t.Fatalf("%d entries, %d to archive/zip", x.Len(), len(zr.File))
	}
	for _, f := range zr.File {
		e, ok := x.Lookup(strings.TrimPrefix(f.Name, "./"))
		if !ok || e.Refused() != nil {
			continue // a name in CP437, or one that is not served
		}
		if e.Size != int64(f.UncompressedSize64) || e.CompressedSize != int64(f.CompressedSize64) || e.CRC32 != f.CRC32 || e.Method != f.Method {
			t.Errorf("%+v is %+v to archive/zip", e, f.FileHeader)
		}
		off, err := e.CheckLocal(data[e.HeaderOffset:e.End])
		if err != nil {
			continue
		}
		if want, err := f.DataOffset(); err != nil || off != want {
			t.Errorf("data of %q is at %d, to archive/zip %d, %v", e.Name, off, want, err)
		}
	}
}

func FuzzCheckLocal(f *testing.F) {
	for _, c := range ziptest.Cases() {
		x, err := zipindex.Parse(c.Data, 0, int64(len(c.Data)), zipindex.Limits{})
		if err != nil || x.Len() == 0 || len(c.Data) > 16<<10 {
			continue
		}
		e := x.Entry(0)
		f.Add(c.Data, c.Data[e.HeaderOffset:e.End])
	}
	f.Fuzz(func(t *testing.T, data, header []byte) {
		x, err := zipindex.Parse(data, 0, int64(len(data)), zipindex.Limits{})
		if err != nil {
			return
		}
		for e := range x.All() {
			off, err := e.CheckLocal(header)
			if err != nil {
				if codeOf(err) != zipindex.CodeLocalMismatch {
					t.Errorf("CheckLocal of %+v = %v", e, err)
				}
				continue
			}
			if off < e.HeaderOffset+e.HeaderLen() || off+e.CompressedSize > e.End {
				t.Errorf("CheckLocal of %+v = %d, which is not within", e, off)
			}
			if e.CompressedSize > 0 {
				if got, m := x.Locate(off, e.CompressedSize); m == zipindex.Outside || got != e {
					t.Errorf("Locate(%d, %d) = %+v, %v, want %+v", off, e.CompressedSize, got, m, e)
				}
			}
		}
	})
}
