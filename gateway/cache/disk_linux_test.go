package cache

import (
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
