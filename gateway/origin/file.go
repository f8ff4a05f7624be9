package origin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	maxWalked = 100_000 // files looked at for a listing
	maxDepth  = 32      // folders below one another
)

// Dir is an Origin over the archives below a folder. Nothing outside of it is opened, whatever links say.
type Dir struct{ root *os.Root }

// NewDir opens a folder. Archives are named by their slash-separated path below it.
func NewDir(folder string) (*Dir, error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, err
	}
	return &Dir{root}, nil
}

// Close lets go of the folder.
func (d *Dir) Close() error { return d.root.Close() }

// Local implements Local.
func (d *Dir) Local() bool { return true }

// Read implements Origin.
func (d *Dir) Read(ctx context.Context, name string, off, n int64, want *Validator) (*Body, error) {
	return readFile(ctx, name, off, n, want, func() (*os.File, error) {
		if !isPath(name) {
			return nil, fs.ErrNotExist
		}
		return d.root.OpenFile(filepath.FromSlash(name), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	})
}

// List implements Lister: files whose names end in .zip, in any case.
func (d *Dir) List(ctx context.Context, after string, max int) ([]Object, error) {
	var list []Object
	walked := 0
	err := fs.WalkDir(d.root.FS(), ".", func(p string, e fs.DirEntry, err error) error {
		if walked++; walked > maxWalked || ctx.Err() != nil {
			return fs.SkipAll
		}
		if err != nil || e.IsDir() && strings.Count(p, "/") >= maxDepth {
			return skip(e)
		}
		if isHidden(p) || e.IsDir() && isArchive(p) {
			return skip(e)
		}
		if e.IsDir() || !isArchive(p) || !isPath(p) || p <= after {
			return nil
		}
		info, err := d.root.Stat(filepath.FromSlash(p)) // follows links that stay inside
		if err == nil && info.Mode().IsRegular() {
			list = append(list, Object{p, info.Size(), info.ModTime()})
		}
		return nil
	})
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, &Error{Kind: ErrUnavailable, Err: err}
	}
	slices.SortFunc(list, func(a, b Object) int { return cmp.Compare(a.Name, b.Name) })
	return list[:min(len(list), max)], nil
}

// isPath says whether a path below a folder names an archive in URLs.
func isPath(p string) bool { return fs.ValidPath(p) && !strings.ContainsAny(p, "\\\x00") }

func isArchive(p string) bool { return strings.EqualFold(path.Ext(p), ".zip") }

func isHidden(p string) bool { return p != "." && strings.HasPrefix(path.Base(p), ".") }

// skip leaves out a folder that cannot be read, or a file.
func skip(e fs.DirEntry) error {
	if e != nil && e.IsDir() {
		return fs.SkipDir
	}
	return nil
}

// Files is an Origin over single files, each under a name of its own.
type Files struct{ paths map[string]string }

// NewFiles takes the path of each archive's name.
func NewFiles(paths map[string]string) (*Files, error) {
	if len(paths) == 0 {
		return nil, errors.New("no file given")
	}
	return &Files{maps.Clone(paths)}, nil
}

// Local implements Local.
func (f *Files) Local() bool { return true }

// Read implements Origin.
func (f *Files) Read(ctx context.Context, name string, off, n int64, want *Validator) (*Body, error) {
	return readFile(ctx, name, off, n, want, func() (*os.File, error) {
		p, ok := f.paths[name]
		if !ok {
			return nil, fs.ErrNotExist
		}
		return os.OpenFile(p, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	})
}

// List implements Lister. A file that is gone is listed all the same: it was named.
func (f *Files) List(_ context.Context, after string, max int) ([]Object, error) {
	var list []Object
	for name, p := range f.paths {
		if name <= after {
			continue
		}
		o := Object{Name: name}
		if info, err := os.Stat(p); err == nil {
			o.Size, o.Modified = info.Size(), info.ModTime()
		}
		list = append(list, o)
	}
	slices.SortFunc(list, func(a, b Object) int { return cmp.Compare(a.Name, b.Name) })
	return list[:min(len(list), max)], nil
}

// readFile answers a range of an opened file. FIFOs and devices are not read: opening without blocking lets them be told.
func readFile(ctx context.Context, name string, off, n int64, want *Validator, open func() (*os.File, error)) (*Body, error) {
	fail := func(kind, err error) (*Body, error) {
		return nil, &Error{Kind: kind, Archive: name, Off: off, N: n, Err: err}
	}
	if ctx.Err() != nil {
		return fail(ErrTimeout, ended(ctx))
	}
	f, err := open()
	if err != nil {
		return fail(fileError(err), err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errNotSeekable
	}
	if err != nil {
		f.Close()
		return fail(ErrNotFound, err)
	}
	v := fileValidator(info)
	if want != nil && (want.ETag != v.ETag || want.Size != v.Size) {
		f.Close()
		return fail(ErrChanged, nil)
	}
	at, count, ok := clip(off, n, v.Size)
	if !ok {
		f.Close()
		return fail(ErrBadRange, nil)
	}
	r := &fileBody{f: f, at: at, end: at + count, name: name}
	return &Body{ReadCloser: r, Off: at, N: count, Size: v.Size, Validator: v}, nil
}

func fileError(err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return ErrDenied
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE), errors.Is(err, syscall.EIO):
		return ErrUnavailable
	}
	return ErrNotFound
}

// fileValidator changes when a file is replaced or written to.
func fileValidator(info fs.FileInfo) Validator {
	inode := inodeOf(info)
	etag := fmt.Sprintf(`"%x-%x-%x"`, inode, info.Size(), info.ModTime().UnixNano())
	return Validator{ETag: etag, Size: info.Size(), Modified: info.ModTime().Truncate(time.Second)}
}

// fileBody reads [at, end) of a file. A file cut short meanwhile is an *Error, not a clean end.
type fileBody struct {
	f       *os.File
	at, end int64
	name    string
}

func (b *fileBody) Read(p []byte) (int, error) {
	if b.at >= b.end {
		return 0, io.EOF
	}
	n, err := b.f.ReadAt(p[:min(int64(len(p)), b.end-b.at)], b.at)
	b.at += int64(n)
	if n > 0 {
		return n, nil
	}
	if err == io.EOF {
		return 0, &Error{Kind: ErrChanged, Archive: b.name, Off: b.at, N: b.end - b.at, Err: io.ErrUnexpectedEOF}
	}
	return 0, &Error{Kind: ErrUnavailable, Archive: b.name, Off: b.at, N: b.end - b.at, Err: err}
}

func (b *fileBody) Close() error { return b.f.Close() }
