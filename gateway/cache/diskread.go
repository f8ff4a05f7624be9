package cache

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// errLeft says that a file is not waited for any more, though it may still be read.
var errLeft = errors.New("left")

// errTardy is the errLeft of a volume that does not answer.
var errTardy = fmt.Errorf("the volume does not answer: %w", errLeft)

// reading is one file being read. Its flags are guarded by Disk.mu.
type reading struct {
	done        chan struct{} // closed when data and err are set
	data        []byte
	err         error
	over, tardy bool
}

// readFile is the function of that name, waited for no longer than ctx and the Disk's patience allow. No more than maxReads run at once, those that are waited for no
// more included.
func (d *Disk) readFile(ctx context.Context, f file, limit int64, buf []byte) ([]byte, error) {
	patience := time.NewTimer(d.patience)
	defer patience.Stop()
	select {
	case d.slots <- struct{}{}:
	case <-patience.C:
		return nil, errLeft // a busy volume, or one that is found out by those who have a slot
	case <-ctx.Done():
		return nil, errLeft
	}
	r := &reading{done: make(chan struct{})}
	go d.run(r, f, limit, buf)
	why := errLeft
	select {
	case <-r.done:
	case <-patience.C:
		why = errTardy
	case <-ctx.Done():
	}
	select {
	case <-r.done: // both were ready
		return r.data, r.err
	default:
		return nil, why
	}
}

// run reads the file, however long it takes. As soon as that is too long, nothing is taken from the folder until it has ended.
func (d *Disk) run(r *reading, f file, limit int64, buf []byte) {
	defer close(r.done)
	late := time.AfterFunc(d.patience, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if !r.over {
			r.tardy = true
			d.tardy++
		}
	})
	defer late.Stop()
	r.data, r.err = readFile(d.root, f, limit, buf)
	<-d.slots
	d.mu.Lock()
	defer d.mu.Unlock()
	if r.over = true; r.tardy {
		d.tardy--
	}
}
