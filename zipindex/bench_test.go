package zipindex_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"testing"

	"zipreel/zipindex"
	"zipreel/zipindex/ziptest"
)

// manyEntries is the end of an archive of segments, and where it starts.
func manyEntries(entries int) (tail []byte, at int64) {
	dir, at := manyHeaders(entries)
	return append(dir, ziptest.Archive{Zip64: entries >= 1<<16}.Tail(at, int64(len(dir)), int64(entries))...), at
}

func BenchmarkParse(b *testing.B) {
	for _, entries := range []int{10, 1000, 100_000} {
		tail, at := manyEntries(entries)
		size := at + int64(len(tail))
		b.Run(fmt.Sprintf("zipindex/%d", entries), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(tail)))
			var held int64
			for b.Loop() {
				x, err := zipindex.Parse(tail, at, size, zipindex.Limits{})
				if err != nil {
					b.Fatal(err)
				}
				held = x.Bytes()
			}
			b.ReportMetric(float64(held)/float64(entries), "B/entry")
		})
		b.Run(fmt.Sprintf("archive-zip/%d", entries), func(b *testing.B) {
			data := make([]byte, size)
			copy(data[at:], tail)
			b.ReportAllocs()
			b.SetBytes(int64(len(tail)))
			for b.Loop() {
				if _, err := zip.NewReader(bytes.NewReader(data), size); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func benchIndex(b *testing.B) *zipindex.Index {
	tail, at := manyEntries(100_000)
	x, err := zipindex.Parse(tail, at, at+int64(len(tail)), zipindex.Limits{})
	if err != nil {
		b.Fatal(err)
	}
	return x
}

func BenchmarkLookup(b *testing.B) {
	x := benchIndex(b)
	names := make([]string, 1024)
	for i := range names {
		names[i] = segment(i * 7919 % 100_000)
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if _, ok := x.Lookup(names[i%len(names)]); !ok {
			b.Fatal("not found")
		}
		i++
	}
}

func BenchmarkLocate(b *testing.B) {
	x := benchIndex(b)
	region := x.Entry(1).HeaderOffset
	b.ReportAllocs()
	i := int64(0)
	for b.Loop() {
		off := i * 7919 % 100_000 * region
		if _, m := x.Locate(off+region-16, 16); m != zipindex.Whole {
			b.Fatal("not found")
		}
		i++
	}
}
