package main

import (
	"io"
	"net/http"
	"os"
	"sync"
)

// way is how a body is sent. The name is the body's file.
type way func(w http.ResponseWriter, name string, body []byte) error

const piece = 64 << 10

// ways are compared by the bench's table "sending".
var ways = map[string]way{
	"write":    writeWhole,
	"pieces":   writePieces,
	"sendfile": (&files{open: map[string]*sync.Pool{}}).sendfile,
	"read":     (&files{open: map[string]*sync.Pool{}}).read,
}

func writeWhole(w http.ResponseWriter, _ string, body []byte) error {
	_, err := w.Write(body)
	return err
}

func writePieces(w http.ResponseWriter, _ string, body []byte) error {
	for len(body) > 0 {
		n := min(piece, len(body))
		if _, err := w.Write(body[:n]); err != nil {
			return err
		}
		body = body[n:]
	}
	return nil
}

// files keeps files open, as many as there are answers at a time: sendfile(2) as net/http uses it goes by a file's own position.
type files struct {
	mu   sync.Mutex // guards following
	open map[string]*sync.Pool
}

func (f *files) pool(name string) *sync.Pool {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.open[name]
	if p == nil {
		p = &sync.Pool{New: func() any {
			file, err := os.Open(name)
			if err != nil {
				return err
			}
			return file
		}}
		f.open[name] = p
	}
	return p
}

// with lends an open file that stands at its start.
func (f *files) with(name string, do func(*os.File) error) error {
	p := f.pool(name)
	v := p.Get()
	file, ok := v.(*os.File)
	if !ok {
		return v.(error)
	}
	defer p.Put(file)
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return do(file)
}

// sendfile has net/http send the file, which on a plain TCP connection is sendfile(2).
func (f *files) sendfile(w http.ResponseWriter, name string, body []byte) error {
	return f.with(name, func(file *os.File) error {
		_, err := io.Copy(w, io.LimitReader(file, int64(len(body))))
		return err
	})
}

var buffers = sync.Pool{New: func() any { return new([256 << 10]byte) }}

// read copies the file through a buffer.
func (f *files) read(w http.ResponseWriter, name string, body []byte) error {
	return f.with(name, func(file *os.File) error {
		buf := buffers.Get().(*[256 << 10]byte)
		defer buffers.Put(buf)
		_, err := io.CopyBuffer(struct{ io.Writer }{w}, io.LimitReader(file, int64(len(body))), buf[:])
		return err
	})
}
