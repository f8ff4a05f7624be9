package cache

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// smallVolume is a folder on a volume of its own, of so many bytes.
func smallVolume(t *testing.T, bytes int) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("zipreel", dir, "tmpfs", 0, fmt.Sprintf("size=%d", bytes)); err != nil {
		t.Skipf("no volume for the test: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// TestReserveOfVolume: a folder that may have more bytes than its volume keeps what the reserve leaves it, and nothing fails.
func TestReserveOfVolume(t *testing.T) {
	const volume, reserve, size = 2 << 20, 512 << 10, 100_000
	dir := smallVolume(t, volume)
	d, err := OpenDisk(DiskConfig{Dir: dir, Reserve: reserve})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	c, s := New(Config{Disk: d}), &storage{}
	for i := range 40 {
		wantRead(t, c, object(fmt.Sprint(i), size), 0, size, s, Miss)
	}
	c.Close()
	d.Close()
	st := d.Stats()
	if _, n := files(t, dir); n > volume-reserve || n < (volume-reserve)*3/4 || n != st.Bytes {
		t.Errorf("%d bytes on a volume of %d of which %d are to be free; %+v", n, volume, reserve, st)
	}
	if st.Failures != 0 || st.Evicted == 0 {
		t.Errorf("%+v, want no failures", st)
	}
}

// TestFullVolume: while somebody else has all of it, viewers are served, and when it has room again it is written to.
func TestFullVolume(t *testing.T) {
	const volume, size = 1 << 20, 100_000
	dir := smallVolume(t, volume)
	other := filepath.Join(dir, "another's")
	d, err := OpenDisk(DiskConfig{Dir: dir, Reserve: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := os.WriteFile(other, make([]byte, volume-64<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	c, s := New(Config{Disk: d}), &storage{}
	defer c.Close()
	wantRead(t, c, object("a", size), 0, size, s, Miss)
	waitFor(t, func() bool { return d.Stats().Failing })
	wantRead(t, c, object("a", size), 0, size, s, Hit)
	if err := os.Remove(other); err != nil {
		t.Fatal(err)
	}
	d.mu.Lock()
	d.until = time.Now() // the pause is over
	d.mu.Unlock()
	wantRead(t, c, object("b", size), 0, size, s, Miss)
	waitFor(t, func() bool { st := d.Stats(); return st.Writes == 1 && !st.Failing })
}

// TestHangingVolume: viewers wait for a file that does not come for no longer than the Disk's patience, then for none until it has come, and closing does not wait for it.
func TestHangingVolume(t *testing.T) {
	dir := t.TempDir()
	lost, found, later := object("lost", 50_000), object("found", 50_000), object("later", 50_000)
	fillDisk(t, dir, Config{}, lost, found, later)
	path := filepath.Join(dir, fileOf(spanKey{lost, 0}).path())
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(path, 0o600); err != nil { // who opens it waits for who writes to it
		t.Fatal(err)
	}
	d := openDisk(t, dir, 0)
	d.patience = 20 * time.Millisecond
	waitScanned(t, d)
	tardy := func() int {
		d.mu.Lock()
		defer d.mu.Unlock()
		return d.tardy
	}
	c, s := newCache(t, Config{Disk: d}), &storage{}
	wantRead(t, c, lost, 0, lost.Size, s, Miss)
	waitFor(t, func() bool { return tardy() == 1 })
	wantRead(t, c, found, 0, found.Size, s, Miss)
	if n := len(s.fills()); n != 2 || !d.Stats().Failing {
		t.Errorf("%d fills from storage, want 2; %+v, want it failing", n, d.Stats())
	}
	w, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
	waitFor(t, func() bool { return tardy() == 0 })
	d.patience = time.Hour
	wantRead(t, c, later, 0, later.Size, s, Hit)
}

// TestHangingVolumeIsLeft: a viewer who leaves, and a cache that is closed, wait for no file. What comes of it late harms nobody.
func TestHangingVolumeIsLeft(t *testing.T) {
	dir := t.TempDir()
	obj := object("lost", 50_000)
	fillDisk(t, dir, Config{}, obj)
	path := filepath.Join(dir, fileOf(spanKey{obj, 0}).path())
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Remove(path), syscall.Mkfifo(path, 0o600)); err != nil {
		t.Fatal(err)
	}
	d := openDisk(t, dir, 0)
	d.patience = time.Hour
	waitScanned(t, d)
	c, s := New(Config{Disk: d}), &storage{}
	ctx, cancel := context.WithCancel(t.Context())
	r := c.Open(obj, 0, obj.Size, s.fill)
	gone := make(chan error)
	go func() {
		_, err := r.Next(ctx)
		gone <- err
	}()
	waitFor(t, func() bool { return len(d.slots) == 1 })
	cancel()
	if err := <-gone; err == nil {
		t.Error("bytes, of a file that did not come")
	}
	r.Close()
	c.Close()
	w, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(whole)
	w.Close()
	waitFor(t, func() bool { return len(d.slots) == 0 })
	if st := d.Stats(); st.Failing || st.Damaged != 0 {
		t.Errorf("%+v, want nothing wrong with the volume", st)
	}
}
