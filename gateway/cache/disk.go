package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// DiskConfig says where a Disk keeps its files, and how many bytes of them. Zero means the default.
type DiskConfig struct {
	Dir     string
	Bytes   int64        // of all files; default 10 GiB
	Reserve int64        // bytes of the volume that are left free; default 1 GiB
	Logger  *slog.Logger // default: discards
}

// Disk keeps spans, and small things by name, in files that outlive the process. A file is written beside its place and renamed; its
// checksum is looked at whenever it is read, so that one which a crash left damaged is as good as none. What cannot be written is not kept, and
// nobody waits for it. Safe for concurrent use; a nil *Disk keeps nothing.
type Disk struct {
	cfg   DiskConfig
	root  *os.Root
	lock  *os.File
	queue chan job
	idle  sync.WaitGroup // the writer and the scan

	mu      sync.Mutex // guards following; a leaf
	closed  bool
	kept    *fifo[file, struct{}]
	scanned bool
	waiting int64     // bytes in the queue
	gone    []file    // to be removed by the writer
	until   time.Time // nothing is written till then, after a failure
	stats   DiskStats
}

// DiskStats are totals since the start, and what is kept now.
type DiskStats struct {
	Files, Bytes                                      int64
	Hits, Writes, Evicted, Damaged, Failures, Skipped int64
	Failing                                           bool // writing failed lately, and is tried again later
}

// job is a file to write; without data it only has the writer look for files to remove.
type job struct {
	file file
	data []byte
}

const (
	maxQueued   = 1024
	maxUnsaved  = 128 << 20        // bytes that wait to be written; more are not kept
	failedPause = 30 * time.Second // after a failure to write
	lowWater    = 95               // percent of Bytes that are left when room is made
	maxBlob     = 16 << 20
	checkEvery  = 64 << 20 // bytes written between two looks at the volume
)

// ErrInUse says that another process keeps its files in the folder.
var ErrInUse = errors.New("another process keeps its files there")

// OpenDisk opens or makes the folder. What is in it is found out in the background. Close ends it.
func OpenDisk(cfg DiskConfig) (*Disk, error) {
	setDefault(&cfg.Bytes, 10<<30)
	setDefault(&cfg.Reserve, 1<<30)
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(cfg.Dir)
	if err != nil {
		return nil, err
	}
	d := &Disk{cfg: cfg, root: root, queue: make(chan job, maxQueued)}
	d.kept = newFIFO[file, struct{}](cfg.Bytes, func(f file, _ struct{}) { d.stats.Evicted++; d.discard(f) })
	if d.lock, err = lockFile(root, "lock"); err != nil {
		root.Close()
		return nil, fmt.Errorf("cache folder %s: %w", cfg.Dir, err)
	}
	d.idle.Go(d.scan)
	d.idle.Go(d.work)
	return d, nil
}

// Close writes what waits, and lets go of the folder.
func (d *Disk) Close() error {
	if d == nil {
		return nil
	}
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return nil
	}
	d.closed = true
	close(d.queue)
	d.mu.Unlock()
	d.idle.Wait()
	return errors.Join(d.lock.Close(), d.root.Close())
}

// Stats answers the totals.
func (d *Disk) Stats() DiskStats {
	if d == nil {
		return DiskStats{}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.stats
	s.Files, s.Bytes, s.Failing = int64(len(d.kept.items)), d.kept.bytes, time.Now().Before(d.until)
	return s
}

// has says whether a file is there. While the folder is still being looked at, it may be.
func (d *Disk) has(f file) bool {
	if d == nil {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.kept.has(f) || !d.scanned
}

// put has a file written, some time. data must not change any more.
func (d *Disk) put(f file, data []byte) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.kept.has(f) {
		return
	}
	if time.Now().Before(d.until) || d.waiting+int64(len(data)) > maxUnsaved || !d.enqueue(job{f, data}) {
		d.stats.Skipped++
	}
}

// enqueue hands a job to the writer, if it takes one. d.mu is held.
func (d *Disk) enqueue(j job) bool {
	if d.closed {
		return false
	}
	select {
	case d.queue <- j:
		d.waiting += int64(len(j.data))
		return true
	default:
		return false
	}
}

// remove forgets a file.
func (d *Disk) remove(f file) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.kept.remove(f)
	d.discard(f)
}

// discard has a file removed that is not kept any more. d.mu is held.
func (d *Disk) discard(f file) {
	d.gone = append(d.gone, f)
	d.enqueue(job{}) // where the queue is full, the writer looks anyway
}

// read fills buf with a file's data. It is false where that is not there, damaged or of another length.
func (d *Disk) read(f file, buf []byte) bool {
	data, err := d.load(f, int64(len(buf)), buf)
	return err == nil && len(data) == len(buf)
}

// load reads a file of up to limit bytes of data, into buf where that is large enough.
func (d *Disk) load(f file, limit int64, buf []byte) ([]byte, error) {
	data, err := readFile(d.root, f, limit, buf)
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case err == nil:
		d.kept.get(f) // a use
		d.stats.Hits++
	case errors.Is(err, fs.ErrNotExist):
		d.kept.remove(f)
	default:
		d.stats.Damaged++
		d.kept.remove(f)
		d.root.Remove(f.path()) // at once: it may be written anew
		d.cfg.Logger.Warn("cache file dropped", "file", f.path(), "err", err)
	}
	return data, err
}

// PutBlob keeps a small thing by its name, some time. data must not change any more.
func (d *Disk) PutBlob(name string, data []byte) {
	if d == nil || len(data) > maxBlob {
		return
	}
	d.remove(blobOf(name))
	d.put(blobOf(name), data)
}

// Blob answers what PutBlob kept.
func (d *Disk) Blob(name string) ([]byte, bool) {
	if d == nil {
		return nil, false
	}
	f := blobOf(name)
	d.mu.Lock()
	look := d.kept.has(f) || !d.scanned
	d.mu.Unlock()
	if !look {
		return nil, false
	}
	data, err := d.load(f, maxBlob, nil)
	return data, err == nil
}

// DropBlob forgets what PutBlob kept.
func (d *Disk) DropBlob(name string) { d.remove(blobOf(name)) }

// work writes and removes files, one after the other.
func (d *Disk) work() {
	written := int64(0)
	defer d.sweep()
	for j := range d.queue {
		d.sweep()
		if j.data == nil {
			continue
		}
		size := j.file.size(len(j.data))
		if written += size; written > checkEvery {
			written = 0
			d.spare()
		}
		err := writeFile(d.root, j.file, j.data)
		d.mu.Lock()
		d.waiting -= int64(len(j.data))
		if err != nil {
			d.failed(err)
		} else if d.stats.Writes++; !d.kept.has(j.file) && !d.kept.add(j.file, struct{}{}, size) {
			d.discard(j.file) // larger than all may be
		}
		if d.kept.bytes > d.cfg.Bytes-size {
			d.kept.shrink(d.cfg.Bytes / 100 * lowWater)
		}
		d.mu.Unlock()
	}
}

// sweep removes the files that are not kept any more.
func (d *Disk) sweep() {
	d.mu.Lock()
	gone := slices.DeleteFunc(d.gone, d.kept.has)
	d.gone = nil
	d.mu.Unlock()
	for _, f := range gone { // nobody else writes files
		d.root.Remove(f.path())
	}
}

// failed stops writing for a while. It says so once. d.mu is held.
func (d *Disk) failed(err error) {
	d.stats.Failures++
	now := time.Now()
	if d.until.IsZero() || now.Sub(d.until) > failedPause {
		d.cfg.Logger.Error("nothing is written to the cache folder for now", "dir", d.cfg.Dir, "err", err)
	}
	d.until = now.Add(failedPause)
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
			d.found(path.Join(shard.Name(), e.Name()))
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.scanned = true
}

// found takes note of a file, if it is there still.
func (d *Disk) found(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	f, ok := parseFile(name)
	info, err := d.root.Lstat(name)
	switch {
	case err != nil:
	case ok && slices.Contains(d.gone, f):
	case ok:
		if !d.kept.has(f) && !d.kept.add(f, struct{}{}, info.Size()) {
			d.discard(f)
		}
	case strings.HasSuffix(name, half) && time.Since(info.ModTime()) > time.Minute:
		d.root.Remove(name)
	}
}

// spare makes room where the volume has less free bytes than the reserve.
func (d *Disk) spare() {
	free, ok := freeBytes(d.root)
	if !ok || free >= d.cfg.Reserve {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.kept.shrink(d.kept.bytes - (d.cfg.Reserve - free))
}
