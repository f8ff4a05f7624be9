package title_test

import (
	"archive/zip"
	"bytes"
	"io"
	"testing"

	"zipreel/bench/title"
	"zipreel/zipindex"
)

// TestReadersAgree holds archives of every shape against archive/zip and zipindex.
func TestReadersAgree(t *testing.T) {
	for _, test := range []struct {
		name     string
		segments int
		bytes    int64
	}{
		{"small", 3, 1000},
		{"empty segments", 2, 0},
		{"ZIP64 by count", 70_000, 10},
		{"ZIP64 by offset", 5000, 1 << 20},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := title.New(test.segments, test.bytes)
			r, err := zip.NewReader(a, a.Size())
			if err != nil {
				t.Fatal(err)
			}
			off, tail := a.Tail()
			x, err := zipindex.Parse(tail, off, a.Size(), zipindex.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if len(r.File) != test.segments+2 || x.Len() != test.segments+2 {
				t.Errorf("archive/zip finds %d entries, zipindex %d; want %d", len(r.File), x.Len(), test.segments+2)
			}
			last := test.segments - 1
			if off, n := a.Range(last); n != test.bytes {
				t.Errorf("segment %d has %d bytes, want %d", last, n, test.bytes)
			} else if e, match := x.Locate(off, n); n > 0 && (match != zipindex.Whole || e.Name != title.Name(last)) {
				t.Errorf("bytes %d,%d are %q (%v), want %q", off, n, e.Name, match, title.Name(last))
			}
			if got := content(t, r, title.Name(last)); !bytes.Equal(got, a.Segment()) {
				t.Errorf("segment %d differs", last)
			}
			if got := content(t, r, title.Multivariant); !bytes.Equal(got, a.Playlist()) || len(got) != title.MultivariantBytes {
				t.Errorf("%s has %d bytes, want %d", title.Multivariant, len(got), title.MultivariantBytes)
			}
		})
	}
}

func content(t *testing.T, r *zip.Reader, name string) []byte {
	t.Helper()
	f, err := r.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
