package cache

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func openDisk(t testing.TB, dir string, max int64) *Disk {
	t.Helper()
	d, err := OpenDisk(DiskConfig{Dir: dir, Bytes: max, Reserve: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// files answers the folder's span files.
func files(t testing.TB, dir string) (names []string, bytes int64) {
	t.Helper()
	filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && e.Name() != "lock" {
			info, _ := e.Info()
			names, bytes = append(names, path), bytes+info.Size()
		}
		return nil
	})
	return names, bytes
}

// fillDisk puts objects into a folder through a cache of its own, and closes it.
func fillDisk(t testing.TB, dir string, cfg Config, objects ...Object) {
	t.Helper()
	d := openDisk(t, dir, 0)
	cfg.Disk = d
	c, s := New(cfg), &storage{}
	for _, obj := range objects {
		wantRead(t, c, obj, 0, obj.Size, s, Miss)
	}
	c.Close()
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestRestartIsWarm(t *testing.T) {
	dir := t.TempDir()
	small, large := object("seg", 100_000), object("movie", 1_050_000)
	cfg := Config{Whole: 200_000, Span: 100_000, Ahead: 300_000}
	fillDisk(t, dir, cfg, small, large)
	d := openDisk(t, dir, 0)
	cfg.Disk = d
	c, s := newCache(t, cfg), &storage{}
	wantRead(t, c, small, 0, small.Size, s, Hit)
	wantRead(t, c, large, 0, large.Size, s, Hit)
	wantRead(t, c, large, 450_000, 10, s, Hit)
	if f := s.fills(); len(f) != 0 {
		t.Errorf("storage was read: %v", f)
	}
	if !c.Has(small) || !c.Has(large) || !c.Proved(small) {
		t.Error("what is on disk is not there, or not proved")
	}
	c.Close()
	d.Close()
	if st := d.Stats(); st.Writes != 0 || st.Files != 12 {
		t.Errorf("%+v, want 12 files and none of them written again", st)
	}
}

// TestRestartKeepsItsPlace: what was kept before a restart is not pushed out by as much again that is asked for once.
func TestRestartKeepsItsPlace(t *testing.T) {
	dir := t.TempDir()
	const each = 10_000
	objects := func(prefix string, n int) (all []Object) {
		for i := range n {
			all = append(all, object(fmt.Sprint(prefix, i), each))
		}
		return all
	}
	before := objects("old", 40)
	fillDisk(t, dir, Config{}, before...)
	d := openDisk(t, dir, 45*each)
	waitScanned(t, d)
	c := newCache(t, Config{Memory: 1, Disk: d})
	for _, obj := range objects("new", 100) {
		wantRead(t, c, obj, 0, obj.Size, &storage{}, Miss)
	}
	c.Close()
	d.Close() // all is written
	kept := 0
	for _, obj := range before {
		if c.Has(obj) {
			kept++
		}
	}
	if kept < 30 {
		t.Errorf("%d of %d are left", kept, len(before))
	}
}

// TestDamagedFilesAreMisses: whatever is wrong with them, they are read from storage and removed.
func TestDamagedFilesAreMisses(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, path string){
		"flipped bit": func(t *testing.T, path string) {
			b, _ := os.ReadFile(path)
			b[len(b)/2] ^= 1
			os.WriteFile(path, b, 0o600)
		},
		"cut":    func(t *testing.T, path string) { os.Truncate(path, 5000) },
		"empty":  func(t *testing.T, path string) { os.Truncate(path, 0) },
		"longer": func(t *testing.T, path string) { b, _ := os.ReadFile(path); b[8] ^= 1; os.WriteFile(path, b, 0o600) },
		"gone":   func(t *testing.T, path string) { os.Remove(path) },
	} {
		t.Run(name, func(t *testing.T) {
			dir, obj := t.TempDir(), object("seg", 100_000)
			fillDisk(t, dir, Config{}, obj)
			list, _ := files(t, dir)
			if len(list) != 1 {
				t.Fatalf("files %v, want one", list)
			}
			damage(t, list[0])
			d := openDisk(t, dir, 0)
			c, s := newCache(t, Config{Disk: d}), &storage{}
			wantRead(t, c, obj, 0, obj.Size, s, Miss)
			if len(s.fills()) != 1 {
				t.Errorf("%d fills, want one from storage", len(s.fills()))
			}
			c.Close()
			d.Close()
			again := openDisk(t, dir, 0)
			c2 := newCache(t, Config{Disk: again})
			wantRead(t, c2, obj, 0, obj.Size, s, Hit)
		})
	}
}

func TestAnothersFileIsNone(t *testing.T) {
	dir, a, b := t.TempDir(), object("a", 50_000), object("b", 50_000)
	fillDisk(t, dir, Config{}, a)
	list, _ := files(t, dir)
	to := filepath.Join(dir, filepath.FromSlash(fileOf(spanKey{b, 0}).path()))
	os.MkdirAll(filepath.Dir(to), 0o700)
	if err := os.Rename(list[0], to); err != nil {
		t.Fatal(err)
	}
	c, s := newCache(t, Config{Disk: openDisk(t, dir, 0)}), &storage{}
	wantRead(t, c, b, 0, b.Size, s, Miss)
}

func TestDiskIsBounded(t *testing.T) {
	dir := t.TempDir()
	const limit = 1_000_000
	d := openDisk(t, dir, limit)
	c, s := New(Config{Memory: 1, Disk: d}), &storage{}
	for i := range 40 {
		wantRead(t, c, object(strings.Repeat("x", i+1), 90_000), 0, 90_000, s, Miss)
	}
	c.Close()
	stats := d.Stats()
	d.Close()
	names, n := files(t, dir)
	if n > limit || len(names) == 0 || d.Stats().Evicted == 0 {
		t.Errorf("%d files of %d bytes, %d allowed; %+v", len(names), n, limit, stats)
	}
	for _, name := range names {
		if strings.HasSuffix(name, half) {
			t.Errorf("%s is left", name)
		}
	}
	d = openDisk(t, dir, limit/2)
	waitScanned(t, d)
	d.Close()
	if _, n := files(t, dir); n > limit/2 {
		t.Errorf("%d bytes after the limit was halved", n)
	}
}

func TestTwoProcessesRefuse(t *testing.T) {
	dir := t.TempDir()
	d := openDisk(t, dir, 0)
	if _, err := OpenDisk(DiskConfig{Dir: dir}); !errors.Is(err, ErrInUse) {
		t.Errorf("%v, want ErrInUse", err)
	}
	d.Close()
	openDisk(t, dir, 0)
}

// TestFailingDiskServesOn: nothing is written for a while, nothing is refused, and writing starts again by itself.
func TestFailingDiskServesOn(t *testing.T) {
	dir := t.TempDir()
	d := openDisk(t, dir, 0)
	waitScanned(t, d)
	c, s := newCache(t, Config{Disk: d}), &storage{}
	obj := object("seg", 50_000)
	shard := filepath.Join(dir, fileOf(spanKey{obj, 0}).path()[:2])
	if err := os.WriteFile(shard, nil, 0o600); err != nil { // a file where the folder has to be
		t.Fatal(err)
	}
	wantRead(t, c, obj, 0, obj.Size, s, Miss)
	wantRead(t, c, obj, 0, obj.Size, s, Hit)
	waitFor(t, func() bool { return d.Stats().Failing })
	wantRead(t, c, object("other", 50_000), 0, 50_000, s, Miss)
	if st := d.Stats(); st.Failures != 1 || st.Skipped != 1 {
		t.Errorf("%+v, want one failure and one file skipped", st)
	}
	os.Remove(shard)
	d.mu.Lock()
	d.until = time.Now()
	d.mu.Unlock()
	wantRead(t, c, object("third", 50_000), 0, 50_000, s, Miss)
	waitFor(t, func() bool { return d.Stats().Writes == 1 })
}

// waitScanned waits until all files that are there are known.
func waitScanned(t *testing.T, d *Disk) {
	t.Helper()
	waitFor(t, func() bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		return d.scanned
	})
}

func waitFor(t *testing.T, is func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it did not come about in 10 s")
		}
	}
}

func TestBlobs(t *testing.T) {
	dir := t.TempDir()
	d := openDisk(t, dir, 0)
	d.PutBlob("a", []byte("one"))
	d.PutBlob("a", []byte("two"))
	d.PutBlob("large", make([]byte, maxBlob+1))
	d.Close()
	d = openDisk(t, dir, 0)
	if b, ok := d.Blob(t.Context(), "a"); !ok || string(b) != "two" {
		t.Errorf("%q, %v, want the last", b, ok)
	}
	if b, ok := d.Blob(t.Context(), "large"); ok {
		t.Errorf("%d bytes kept, more than may be", len(b))
	}
	if _, ok := d.Blob(t.Context(), "none"); ok {
		t.Error("what was never kept is there")
	}
	if _, ok := (*Disk)(nil).Blob(t.Context(), "a"); ok {
		t.Error("no disk keeps something")
	}
}

func BenchmarkDiskHit(b *testing.B) {
	dir, obj := b.TempDir(), object("seg", 1<<20)
	fillDisk(b, dir, Config{}, obj)
	list, _ := files(b, dir)
	for _, test := range []struct {
		name   string
		memory int64
	}{{"memory", 2 << 20}, {"disk", 1}} {
		b.Run(test.name, func(b *testing.B) {
			c := newCache(b, Config{Memory: test.memory, Disk: openDisk(b, dir, 0)})
			b.ReportAllocs()
			for b.Loop() {
				r := c.Open(obj, 0, obj.Size, nil)
				if p, err := r.Next(b.Context()); err != nil || len(p) == 0 {
					b.Fatal(len(p), err)
				}
				r.Close()
			}
		})
	}
	b.Run("ReadFile", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			p, err := os.ReadFile(list[0])
			if err != nil || !bytes.HasSuffix(p, content(obj.Size-10, 10)) {
				b.Fatal(err)
			}
		}
	})
}
