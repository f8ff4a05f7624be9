package zipindex_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"zipreel/zipindex"
	"zipreel/zipindex/ziptest"
)

// header answers a central header of a stored entry of size bytes at offset, in ZIP64 where that is needed.
func header(name string, size, offset int64) []byte {
	const ones = 1<<32 - 1
	h := append([]byte("PK\x01\x02"), make([]byte, 42)...)
	var wide []uint64
	if size >= ones {
		wide = append(wide, uint64(size), uint64(size))
	}
	if offset >= ones {
		wide = append(wide, uint64(offset))
	}
	var extra []byte
	if wide != nil {
		extra = ziptest.Extra64(wide...)
	}
	small := uint32(min(size, ones))
	ziptest.Edits(
		ziptest.Put32(ziptest.CentralCompressed, small), ziptest.Put32(ziptest.CentralSize, small), ziptest.Put32(ziptest.CentralOffset, uint32(min(offset, ones))),
		ziptest.Put16(ziptest.CentralNameLen, uint16(len(name))), ziptest.Put16(30, uint16(len(extra))),
	)(h)
	return append(append(h, name...), extra...)
}

// TestParseBeyond100GB gives Parse the end of an archive that nobody stores.
func TestParseBeyond100GB(t *testing.T) {
	const size, entries = int64(5) << 30, 30
	var dir []byte
	var want []zipindex.Entry
	at := int64(0)
	for i := range entries {
		name := fmt.Sprintf("%02d.mp4", i)
		dir = append(dir, header(name, size, at)...)
		end := at + 30 + int64(len(name)) + size
		want = append(want, zipindex.Entry{Name: name, Size: size, CompressedSize: size, HeaderOffset: at, End: end})
		at = end
	}
	tail := append(dir, ziptest.Archive{Zip64: true}.Tail(at, int64(len(dir)), entries)...)
	x, err := zipindex.Parse(tail, at, at+int64(len(tail)), zipindex.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if at < 100<<30 || x.DirectoryOffset() != at || x.Size() != at+int64(len(tail)) || x.Len() != entries {
		t.Fatalf("directory at %d of %d bytes with %d entries, want it at %d", x.DirectoryOffset(), x.Size(), x.Len(), at)
	}
	for i, w := range want {
		got := x.Entry(i)
		if got.Name != w.Name || got.Size != w.Size || got.CompressedSize != w.CompressedSize || got.HeaderOffset != w.HeaderOffset || got.End != w.End || got.Refused() != nil {
			t.Errorf("Entry(%d) = %+v, want %+v", i, got, w)
		}
		checkFound(t, x, got, w.HeaderOffset+w.HeaderLen()+6)
	}
}

// TestParseBeyondOffsets wants archives refused whose offsets the index has no room for.
func TestParseBeyondOffsets(t *testing.T) {
	const at = int64(1) << 48
	dir := header("a.ts", 5, at-39)
	tail := append(dir, ziptest.Archive{Zip64: true}.Tail(at, int64(len(dir)), 1)...)
	if _, err := zipindex.Parse(tail, at, at+int64(len(tail)), zipindex.Limits{}); codeOf(err) != zipindex.CodeTooLarge {
		t.Errorf("Parse = %v, want %s", err, zipindex.CodeTooLarge)
	}
}

// TestLimits wants what is too large refused from the end records alone.
func TestLimits(t *testing.T) {
	const at = int64(1) << 40
	for _, c := range []struct {
		name          string
		size, entries int64
		lim           zipindex.Limits
		want          zipindex.Code // empty: asks for the directory
	}{
		{"2,000,000 entries", 60 * 2_000_000, 2_000_000, zipindex.Limits{}, ""},
		{"one entry more", 60 * 2_000_000, 2_000_001, zipindex.Limits{}, zipindex.CodeTooLarge},
		{"128 MiB", 128 << 20, 1_000_000, zipindex.Limits{}, ""},
		{"one byte more", 128<<20 + 1, 1_000_000, zipindex.Limits{}, zipindex.CodeTooLarge},
		{"own limits", 1 << 20, 100, zipindex.Limits{Directory: 1 << 20, Entries: 100}, ""},
		{"one entry over one's own", 1 << 20, 101, zipindex.Limits{Directory: 1 << 20, Entries: 100}, zipindex.CodeTooLarge},
		{"one byte over one's own", 1<<20 + 1, 100, zipindex.Limits{Directory: 1 << 20, Entries: 100}, zipindex.CodeTooLarge},
		{"more entries than fit", 46*1000 - 1, 1000, zipindex.Limits{}, zipindex.CodeDirectoryCount},
	} {
		t.Run(c.name, func(t *testing.T) {
			tail := ziptest.Archive{Zip64: true}.Tail(at, c.size, c.entries)
			_, err := zipindex.Parse(tail, at+c.size, at+c.size+int64(len(tail)), c.lim)
			var more *zipindex.NeedMore
			if errors.As(err, &more) != (c.want == "") || codeOf(err) != c.want {
				t.Fatalf("Parse = %v, want code %q", err, c.want)
			}
			if more != nil && more.Off != at {
				t.Errorf("NeedMore.Off = %d, want %d", more.Off, at)
			}
		})
	}
}

// TestMostEntries parses as many entries as may be.
func TestMostEntries(t *testing.T) {
	if testing.Short() {
		t.Skip("2,000,000 entries")
	}
	const entries = 2_000_000
	dir, at := manyHeaders(entries)
	tail := append(dir, ziptest.Archive{Zip64: true}.Tail(at, int64(len(dir)), entries)...)
	x, err := zipindex.Parse(tail, at, at+int64(len(tail)), zipindex.Limits{Directory: 256 << 20})
	if err != nil || x.Len() != entries {
		t.Fatalf("Parse = %v", err)
	}
	if got, ok := x.Lookup(segment(entries - 1)); !ok || got != x.Entry(entries-1) {
		t.Errorf("Lookup of the last = %+v, %v", got, ok)
	}
}

// TestCountModulo65536 wants no count that has lost its upper bits believed.
func TestCountModulo65536(t *testing.T) {
	for _, entries := range []int{1<<16 - 1, 1 << 16, 1<<16 + 1} {
		dir, at := manyHeaders(entries)
		tail := append(dir, ziptest.Archive{}.Tail(at, int64(len(dir)), int64(entries))...)
		_, err := zipindex.Parse(tail, at, at+int64(len(tail)), zipindex.Limits{})
		want := zipindex.CodeDirectoryCount
		if entries < 1<<16 {
			want = ""
		}
		if codeOf(err) != want {
			t.Errorf("Parse of %d entries without ZIP64 = %v, want code %q", entries, err, want)
		}
	}
}

func segment(i int) string { return fmt.Sprintf("720p/segments/seg_%09d.ts", i) }

// manyHeaders answers a directory of entries of 16 bytes, and where it starts.
func manyHeaders(entries int) (dir []byte, at int64) {
	h := header(segment(0), 16, 0)
	dir = make([]byte, 0, entries*len(h))
	for i := range entries {
		copy(h[ziptest.CentralName:], segment(i))
		binary.LittleEndian.PutUint32(h[ziptest.CentralOffset:], uint32(at))
		dir = append(dir, h...)
		at += 30 + int64(len(segment(i))) + 16
	}
	return dir, at
}
