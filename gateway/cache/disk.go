package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"
)

// DiskConfig says where a Disk keeps its files, and how many bytes of them. Zero means the default.
type DiskConfig struct {
	Dir     string
	Bytes   int64        // of all files, the one being written included; default 10 GiB
	Reserve int64        // bytes of the volume that are left free; default 1 GiB. Where less is free, nothing is kept
	Logger  *slog.Logger // default: discards
}

// Disk keeps spans, and small things by name, in files that outlive the process. A file is written beside its place and renamed; its
// checksum is looked at whenever it is read, so that one which a crash left damaged is as good as none. What cannot be written is not kept, and
// nobody waits for it. While the volume does not answer, nothing is there. Safe for concurrent use; a nil *Disk keeps nothing.
//
// One goroutine, the writer, writes and removes files: so none is removed while it is written anew.
type Disk struct {
	cfg  DiskConfig
	root *os.Root
	lock *os.File
	idle sync.WaitGroup // the writer and the scan

	patience time.Duration // with a file that is read
	slots    chan struct{} // one is taken by each read that runs

	mu      sync.Mutex // guards following; a leaf, and no file is touched under it
	work    sync.Cond  // there is some for the writer
	closed  bool
	spans   *fifo[file, struct{}]
	blobs   *fifo[file, struct{}] // spans make room for them, up to their share
	scanned bool
	pending map[file][]byte // to be written
	order   []file          // keys of pending
	waiting int64           // bytes of pending
	writing file            // what the writer is at; zero when it was removed meanwhile
	gone    []file          // to be removed by the writer; stays here till it is
	sweeps  int             // how often the writer has removed some
	tardy   int             // reads that run for longer than patience
	until   time.Time       // nothing is written till then, after a failure; zero after a success
	stats   DiskStats
}

// DiskStats are totals since the start, and what is kept now.
type DiskStats struct {
	Files, Bytes                                      int64
	Hits, Writes, Evicted, Damaged, Failures, Skipped int64
	Failing                                           bool // writing failed lately and is tried again later, or a read takes too long and nothing is read meanwhile
}

const (
	maxQueued   = 1024             // files that wait to be written; more are not kept
	maxUnsaved  = 128 << 20        // bytes of them
	failedPause = 30 * time.Second // after a failure
	lowWater    = 95               // percent of Bytes that are left when room is made
	blobShare   = 8                // blobs have 1/blobShare of Bytes
	maxBlob     = 16 << 20

	readWithin  = 2 * time.Second  // a file; then storage is asked for what it holds
	closeWithin = 10 * time.Second // what is to be written
	maxReads    = 64               // at once: each takes a thread of the system's
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
	d := &Disk{cfg: cfg, root: root, pending: map[file][]byte{}, patience: readWithin, slots: make(chan struct{}, maxReads)}
	evicted := func(f file, _ struct{}) { d.stats.Evicted++; d.discard(f) }
	d.work.L = &d.mu
	d.spans = newFIFO(cfg.Bytes, evicted)
	d.blobs = newFIFO(cfg.Bytes/blobShare, evicted)
	if d.lock, err = lockFile(root, "lock"); err != nil {
		root.Close()
		return nil, fmt.Errorf("%s: %w", cfg.Dir, err)
	}
	d.idle.Go(d.scan)
	d.idle.Go(d.writer)
	return d, nil
}

// Close writes what waits, and lets go of the folder. It waits for a volume that does not answer, or is slow, for no longer than 10 s; the folder is let go then when
// that has ended.
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
	d.work.Signal()
	d.mu.Unlock()
	left := make(chan error, 1)
	go func() {
		d.idle.Wait()
		left <- errors.Join(d.lock.Close(), d.root.Close())
	}()
	select {
	case err := <-left:
		return err
	case <-time.After(closeWithin):
		d.cfg.Logger.Error("what was to be written to the cache folder is not waited for any longer", "dir", d.cfg.Dir)
		return fmt.Errorf("cache folder %s: %w", d.cfg.Dir, errTardy)
	}
}

// Stats answers the totals.
func (d *Disk) Stats() DiskStats {
	if d == nil {
		return DiskStats{}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.stats
	s.Files, s.Bytes, s.Failing = int64(len(d.spans.items)+len(d.blobs.items)), d.bytes(), time.Now().Before(d.until) || d.tardy > 0
	return s
}

// kept is the books of a file's kind. d.mu is held.
func (d *Disk) kept(f file) *fifo[file, struct{}] {
	if f.blob {
		return d.blobs
	}
	return d.spans
}

// bytes is what all files take. d.mu is held.
func (d *Disk) bytes() int64 { return d.spans.bytes + d.blobs.bytes }

// has says whether a file is there. While the folder is still being looked at, it may be; while the volume does not answer, none is.
func (d *Disk) has(f file) bool {
	if d == nil {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.tardy == 0 && (d.kept(f).has(f) || !d.scanned && !slices.Contains(d.gone, f))
}

// put has a file written, some time, if it is not there. data must not change any more.
func (d *Disk) put(f file, data []byte) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.kept(f).has(f) {
		d.enqueue(f, data)
	}
}

// enqueue hands a file to the writer, if it takes one more. d.mu is held.
func (d *Disk) enqueue(f file, data []byte) {
	if d.pending[f] != nil || d.writing == f {
		return
	}
	if d.closed || time.Now().Before(d.until) || len(d.order) == maxQueued || d.waiting+int64(len(data)) > maxUnsaved || f.size(len(data)) > d.kept(f).max {
		d.stats.Skipped++
		return
	}
	d.pending[f] = data
	d.order = append(d.order, f)
	d.waiting += int64(len(data))
	d.work.Signal()
}

// remove forgets a file, one that is still to be written included.
func (d *Disk) remove(f file) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drop(f)
}

// drop is remove. d.mu is held.
func (d *Disk) drop(f file) {
	if data := d.pending[f]; data != nil {
		d.waiting -= int64(len(data))
		delete(d.pending, f)
		i := slices.Index(d.order, f)
		d.order = slices.Delete(d.order, i, i+1)
	}
	if d.writing == f {
		d.writing = file{}
	}
	if kept := d.kept(f); kept.has(f) || !d.scanned {
		kept.remove(f)
		d.discard(f)
	}
}

// discard has a file removed that is not kept any more. d.mu is held.
func (d *Disk) discard(f file) {
	d.gone = append(d.gone, f)
	d.work.Signal()
}

// read fills buf with a file's data. Any error means that it is to be had elsewhere; with errLeft, buf may still be written to.
func (d *Disk) read(ctx context.Context, f file, buf []byte) error {
	data, err := d.load(ctx, f, int64(len(buf)), buf)
	if err == nil && len(data) != len(buf) {
		err = errDamaged
	}
	return err
}

// load reads a file of up to limit bytes of data, into buf where that is large enough.
func (d *Disk) load(ctx context.Context, f file, limit int64, buf []byte) ([]byte, error) {
	sweeps := d.swept()
	data, err := d.readFile(ctx, f, limit, buf)
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case err == nil:
		if !d.scanned {
			d.keepIf(f, f.size(len(data)), sweeps)
		}
		d.kept(f).get(f) // a use
		d.stats.Hits++
	case errors.Is(err, errTardy):
		d.failed(err)
	case errors.Is(err, errLeft):
	case errors.Is(err, fs.ErrNotExist):
		d.drop(f)
	case errors.Is(err, errDamaged):
		d.stats.Damaged++
		d.cfg.Logger.Warn("cache file dropped", "file", f.path(), "err", err)
		d.drop(f)
	default:
		d.failed(err)
		if !errors.Is(err, errOpen) { // it may be fine, and there are too many open files, say
			d.drop(f)
		}
	}
	return data, err
}

// keep takes a file into the books, or has it removed where it is larger than all may be. old says that another process left it. d.mu is held.
func (d *Disk) keep(f file, size int64, old bool) {
	kept := d.kept(f)
	add := kept.add
	if old {
		add = kept.restore
	}
	if !kept.has(f) && !add(f, struct{}{}, size) {
		d.discard(f)
	}
	d.spans.shrink(d.cfg.Bytes - d.blobs.bytes)
}

// PutBlob keeps a small thing by its name, some time, instead of what was kept by it before. data must not change any more.
func (d *Disk) PutBlob(name string, data []byte) {
	if d == nil || len(data) == 0 || len(data) > maxBlob {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drop(blobOf(name))
	d.enqueue(blobOf(name), data)
}

// Blob answers what PutBlob kept.
func (d *Disk) Blob(ctx context.Context, name string) ([]byte, bool) {
	if f := blobOf(name); d.has(f) {
		data, err := d.load(ctx, f, maxBlob, nil)
		return data, err == nil
	}
	return nil, false
}

// DropBlob forgets what PutBlob kept.
func (d *Disk) DropBlob(name string) { d.remove(blobOf(name)) }

// failed stops writing for a while. It says so once. d.mu is held.
func (d *Disk) failed(err error) {
	d.stats.Failures++
	now := time.Now()
	if d.until.IsZero() || now.Sub(d.until) > failedPause {
		d.cfg.Logger.Error("the cache folder fails; nothing is written to it for now", "dir", d.cfg.Dir, "err", err)
	}
	d.until = now.Add(failedPause)
}
