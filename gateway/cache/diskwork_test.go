package cache

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
)

// TestReserveIsLeft: where a volume has less free bytes than others are to have, viewers are served and nothing is written.
func TestReserveIsLeft(t *testing.T) {
	dir := t.TempDir()
	var log bytes.Buffer
	d, err := OpenDisk(DiskConfig{Dir: dir, Reserve: 1 << 61, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	c, s := newCache(t, Config{Disk: d}), &storage{}
	for i := range 5 {
		wantRead(t, c, object(fmt.Sprint(i), 50_000), 0, 50_000, s, Miss)
	}
	c.Close()
	d.Close()
	if st := d.Stats(); !st.Failing || st.Writes != 0 || st.Skipped+st.Failures != 5 {
		t.Errorf("%+v, want 5 files not written", st)
	}
	if list, _ := files(t, dir); len(list) != 0 {
		t.Errorf("files %v, want none", list)
	}
	if n := strings.Count(log.String(), "\n"); n != 1 {
		t.Errorf("%d lines in the log, want 1:\n%s", n, &log)
	}
}

// TestBlobsOutliveSpans that run through the folder.
func TestBlobsOutliveSpans(t *testing.T) {
	dir := t.TempDir()
	const limit = 1_000_000
	d := openDisk(t, dir, limit)
	d.PutBlob("index", make([]byte, 50_000))
	for i := range 40 {
		obj := object(fmt.Sprint(i), 90_000)
		d.put(fileOf(spanKey{obj, 0}), content(0, obj.Size))
	}
	for i := range 40 {
		d.PutBlob(fmt.Sprint("index ", i), make([]byte, 1000))
	}
	d.Close()
	if _, n := files(t, dir); n > limit {
		t.Errorf("%d bytes, %d allowed", n, limit)
	}
	d = openDisk(t, dir, limit)
	for _, name := range []string{"index", "index 0", "index 39"} {
		if _, ok := d.Blob(t.Context(), name); !ok {
			t.Errorf("%s is gone", name)
		}
	}
}

// TestBlobsAreBounded by their share of the bytes.
func TestBlobsAreBounded(t *testing.T) {
	dir := t.TempDir()
	const limit = 800_000
	d := openDisk(t, dir, limit)
	for i := range 100 {
		d.PutBlob(fmt.Sprint(i), make([]byte, 10_000))
	}
	d.PutBlob("too large", make([]byte, limit/blobShare))
	d.Close()
	if _, n := files(t, dir); n > limit/blobShare || n < limit/blobShare/2 {
		t.Errorf("%d bytes, %d allowed", n, limit/blobShare)
	}
	if _, ok := openDisk(t, dir, limit).Blob(t.Context(), "too large"); ok {
		t.Error("a blob larger than all may be is kept")
	}
}

// TestLastPutWins, however far the writer is with those before.
func TestLastPutWins(t *testing.T) {
	dir := t.TempDir()
	d := openDisk(t, dir, 0)
	for i := range 300 {
		d.PutBlob("a", fmt.Append(nil, i))
		d.PutBlob("dropped", fmt.Append(nil, i))
	}
	d.DropBlob("dropped")
	d.Close()
	d = openDisk(t, dir, 0)
	if b, _ := d.Blob(t.Context(), "a"); string(b) != "299" {
		t.Errorf("%q, want the last", b)
	}
	if b, ok := d.Blob(t.Context(), "dropped"); ok {
		t.Errorf("%q was dropped", b)
	}
}

// TestDiskConcurrent: who reads gets what was written under that name, or nothing, while all is written, dropped and evicted.
func TestDiskConcurrent(t *testing.T) {
	dir := t.TempDir()
	const limit, size = 400_000, 20_000
	d := openDisk(t, dir, limit)
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			buf := make([]byte, size)
			for i := range 300 {
				obj := object(fmt.Sprint((g*7+i)%40), size)
				f, want := fileOf(spanKey{obj, 0}), bytes.Repeat([]byte(obj.Entry[:1]), size)
				switch i % 4 {
				case 0, 1:
					d.put(f, want)
				case 2:
					if d.read(t.Context(), f, buf) == nil && !bytes.Equal(buf, want) {
						t.Errorf("%s holds something else", obj.Entry)
					}
				case 3:
					d.remove(f)
				}
				d.Stats()
			}
		})
	}
	all.Wait()
	d.Close()
	st := d.Stats()
	if list, n := files(t, dir); n > limit || n != st.Bytes || int64(len(list)) != st.Files {
		t.Errorf("%d files of %d bytes, %d allowed; by the books %+v", len(list), n, limit, st)
	}
	if st.Damaged != 0 || st.Failures != 0 || st.Writes == 0 {
		t.Errorf("%+v", st)
	}
}

func TestParseFile(t *testing.T) {
	span, blob := fileOf(spanKey{object("a", 1), 0}), blobOf("a")
	for _, test := range []struct {
		path string
		want file
		ok   bool
	}{
		{span.path(), span, true},
		{blob.path(), blob, true},
		{span.path() + half, file{}, false},
		{blob.path() + half, file{}, false},
		{strings.ToUpper(span.path()), file{}, false},
		{"zz" + span.path()[2:], file{}, false},
		{span.path()[3:], file{}, false},
		{"lock", file{}, false},
		{"", file{}, false},
	} {
		if got, ok := parseFile(test.path); ok != test.ok || ok && got != test.want {
			t.Errorf("parseFile(%q) = %v, %v", test.path, got, ok)
		}
	}
}
