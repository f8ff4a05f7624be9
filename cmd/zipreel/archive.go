package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"zipreel/gateway/origin"
	"zipreel/zipindex"
)

// archive is one archive, opened for reading. Safe for concurrent use.
type archive struct {
	io.ReaderAt
	io.Closer
	title string // as it was named, for messages
	size  int64
}

// openArchive opens the one archive that arg names. ctx covers all reads.
func openArchive(ctx context.Context, command, arg string, flags storageFlags) (*archive, error) {
	t, err := parseLocation(arg, "")
	if err != nil {
		return nil, err
	}
	t.allowPrivate = true
	switch t.kind {
	case fileTarget:
		return openFile(t)
	case urlTarget:
		return openURL(ctx, flags.complete(t))
	}
	return nil, oneArchive(command, t)
}

// oneArchive says that a command reads one archive, and names one of those that are there.
func oneArchive(command string, t target) error {
	if t.kind == prefixTarget {
		return usagef("%s %s: a URL that ends in / is a prefix, and %s takes one archive; add its name, as in %sfilm.zip", command, t.written, command, t.written)
	}
	example := filepath.Join(t.path, "film.zip")
	if dir, err := origin.NewDir(t.path); err == nil {
		defer dir.Close()
		if list, err := dir.List(context.Background(), "", 1); err == nil && len(list) > 0 {
			example = filepath.Join(t.path, filepath.FromSlash(list[0].Name))
		}
	}
	return usagef("%s %s: that is a folder, and %s takes one archive, as in: zipreel %s %s", command, t.written, command, command, example)
}

func openFile(t target) (*archive, error) {
	f, err := os.Open(t.path)
	if err != nil {
		return nil, fileError("open", t.written, err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, fileError("open", t.written, err)
	}
	return &archive{f, f, t.written, info.Size()}, nil
}

func openURL(ctx context.Context, t target) (*archive, error) {
	nodes, err := openNodes([]target{t})
	if err != nil {
		return nil, err
	}
	r, size, err := origin.ReaderAt(ctx, nodes, t.archive())
	if err != nil {
		nodes.Close()
		return nil, fmt.Errorf("open %s: %w", t.written, explainNode(err))
	}
	return &archive{r, nodes, t.written, size}, nil
}

// nodeAdvice is what to tell people of a storage node's failures.
var nodeAdvice = []struct {
	kind error
	text string
}{
	{origin.ErrNotFound, "the server has no such archive; check the URL"},
	{origin.ErrDenied, "the server denies access; check the credentials, or whether the URL's signature has expired"},
	{origin.ErrNoRange, "the server does not answer byte ranges; turn them on there, or download the archive"},
	{origin.ErrBadRange, "the server answered other bytes than it was asked for; is there a proxy that compresses or rewrites?"},
	{origin.ErrRedirect, "the server redirects to where zipreel does not follow"},
	{origin.ErrTLS, "no secure connection; check the server's certificate"},
	{origin.ErrDNS, "the host's name is not found; check its spelling"},
	{origin.ErrChanged, "the archive was replaced while it was read; run this again"},
	{origin.ErrTimeout, "the server does not answer in time; try again later"},
	{origin.ErrUnavailable, "the server cannot be reached, or fails; is the address right?"},
}

// explainNode says what a storage node did wrong, what to do, and how it showed. Other errors stay as they are.
func explainNode(err error) error {
	var e *origin.Error
	if !errors.As(err, &e) {
		return err
	}
	for _, a := range nodeAdvice {
		if !errors.Is(e, a.kind) {
			continue
		}
		switch {
		case e.Err != nil:
			return fmt.Errorf("%s (%w)", a.text, e.Err)
		case e.Status != 0:
			return fmt.Errorf("%s (status %d)", a.text, e.Status)
		}
		return errors.New(a.text)
	}
	return err
}

// index reads the archive's directory.
func (a *archive) index() (*zipindex.Index, error) {
	x, err := zipindex.Read(a, a.size, zipindex.Limits{})
	return x, a.refused(err)
}

// refused says why the archive cannot be read.
func (a *archive) refused(err error) error {
	var e *zipindex.Error
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &e):
		return fmt.Errorf("read %s: %w", a.title, explainNode(err))
	case e.Code == zipindex.CodeNotFound:
		return fmt.Errorf("%s: %w; is it a ZIP archive, and complete?", a.title, err)
	case e.Code == zipindex.CodeIncomplete:
		return fmt.Errorf("%s: %w; copy it again", a.title, err)
	}
	return fmt.Errorf("%s: %w; pack it again, with zip -0 -r or zipreel pack", a.title, err)
}

// dataOffset is where the entry's data starts. Where the directory leaves doubt the local header is read.
func (a *archive) dataOffset(e zipindex.Entry) (int64, error) {
	if off, exact := e.DataOffset(); exact {
		return off, nil
	}
	return a.checkLocal(e)
}

// checkLocal reads the entry's local header, holds it against the directory and answers where the data starts.
func (a *archive) checkLocal(e zipindex.Entry) (int64, error) {
	header := make([]byte, min(e.HeaderLen(), e.End-e.HeaderOffset))
	if _, err := a.ReadAt(header, e.HeaderOffset); err != nil && !errors.Is(err, io.EOF) {
		return 0, fmt.Errorf("read %s: %w", a.title, explainNode(err))
	}
	return e.CheckLocal(header)
}
