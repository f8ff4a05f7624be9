package cache

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// errReserve says that a file was not written so that others can use the volume.
var errReserve = errors.New("the volume has less free bytes than are to be left")

// writer writes and removes files, one after the other, until the Disk is closed and nothing waits.
func (d *Disk) writer() {
	for d.wait() {
		d.sweep()
		if f, data := d.begin(); data != nil {
			d.end(f, f.size(len(data)), d.write(f, data))
		}
	}
}

// wait is false when there is nothing more to do.
func (d *Disk) wait() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for !d.closed && len(d.order)+len(d.gone) == 0 {
		d.work.Wait()
	}
	return len(d.order)+len(d.gone) > 0
}

// begin answers what is to be written next, nil if nothing is.
func (d *Disk) begin() (file, []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.order) == 0 {
		return file{}, nil
	}
	f := d.order[0]
	d.order = slices.Delete(d.order, 0, 1)
	data := d.pending[f]
	delete(d.pending, f)
	d.waiting -= int64(len(data))
	if time.Now().Before(d.until) {
		d.stats.Skipped++
		return f, nil
	}
	d.writing = f
	return f, data
}

func (d *Disk) write(f file, data []byte) error {
	if !d.makeRoom(f.size(len(data))) {
		return errReserve
	}
	return writeFile(d.root, f, data)
}

// end takes note of what came of writing a file.
func (d *Disk) end(f file, size int64, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	removed := d.writing != f
	d.writing = file{}
	switch {
	case err != nil:
		d.failed(err)
	case removed:
		d.discard(f)
	default:
		if !d.until.IsZero() {
			d.cfg.Logger.Info("the cache folder is written to again", "dir", d.cfg.Dir)
		}
		d.until = time.Time{}
		d.stats.Writes++
		d.keep(f, size, false)
	}
}

// makeRoom removes files until one of so many bytes fits, both into Bytes and into what the volume has beyond the reserve. It is false where it does not.
func (d *Disk) makeRoom(size int64) bool {
	d.mu.Lock()
	if d.bytes() > d.cfg.Bytes-size {
		d.spans.shrink(min(d.cfg.Bytes/100*lowWater, d.cfg.Bytes-size) - d.blobs.bytes)
	}
	d.mu.Unlock()
	d.sweep()
	free, ok := freeBytes(d.root)
	if !ok || free-size >= d.cfg.Reserve {
		return true
	}
	d.mu.Lock()
	d.spans.shrink(d.spans.bytes - (d.cfg.Reserve + size - free))
	d.mu.Unlock()
	d.sweep()
	free, ok = freeBytes(d.root)
	return !ok || free-size >= d.cfg.Reserve
}

// sweep removes the files that are not kept any more.
func (d *Disk) sweep() {
	d.mu.Lock()
	gone := slices.Clone(d.gone)
	kept := make([]bool, len(gone))
	for i, f := range gone {
		kept[i] = d.kept(f).has(f)
	}
	d.mu.Unlock()
	if len(gone) == 0 {
		return
	}
	for i, f := range gone {
		if !kept[i] {
			d.root.Remove(f.path())
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.gone = slices.Delete(d.gone, 0, len(gone))
	d.sweeps++
}

// scan finds the files that are there, and removes what a crash left half written.
func (d *Disk) scan() {
	shards, err := fs.ReadDir(d.root.FS(), ".")
	if err != nil {
		d.cfg.Logger.Error("cache folder cannot be read", "dir", d.cfg.Dir, "err", err)
	}
	for _, shard := range shards {
		if !shard.IsDir() || len(shard.Name()) != 2 {
			continue
		}
		files, _ := fs.ReadDir(d.root.FS(), shard.Name())
		for _, e := range files {
			if !d.found(path.Join(shard.Name(), e.Name())) {
				return
			}
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.scanned = true
}

// found takes note of a file. It is false when the Disk is closed.
func (d *Disk) found(name string) bool {
	f, ok := parseFile(name)
	for {
		sweeps := d.swept()
		info, err := d.root.Lstat(name)
		if err == nil && !ok && strings.HasSuffix(name, half) && time.Since(info.ModTime()) > time.Minute {
			d.root.Remove(name) // of a process that was killed
		}
		d.mu.Lock()
		if !ok || err != nil || d.closed || d.keepIf(f, info.Size(), sweeps) {
			defer d.mu.Unlock()
			return !d.closed
		}
		d.mu.Unlock()
	}
}

func (d *Disk) swept() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.sweeps
}

// keepIf takes a file that was seen after so many sweeps into the books, unless it is to be removed. It is false where it may have been since. d.mu is held.
func (d *Disk) keepIf(f file, size int64, sweeps int) bool {
	if slices.Contains(d.gone, f) || d.kept(f).has(f) {
		return true
	}
	if d.sweeps != sweeps {
		return false
	}
	d.keep(f, size, true)
	return true
}
