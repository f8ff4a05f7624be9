package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"zipreel/gateway/origin"
)

const (
	firstTail    = 68 << 10 // that the gateway's first read asks for
	maxDirectory = 2 << 20  // of a directory that is looked at
	stallAfter   = 3 * time.Second
)

// readAsGateway reads the archive's end, just as the gateway does: first as a source that may not reach private addresses.
func readAsGateway(ctx context.Context, e *exam) Finding {
	if e.way == noWay {
		return skip("not asked: there are no ranges")
	}
	err := e.open(ctx, false)
	if errors.Is(err, origin.ErrPrivate) {
		e.report.AllowPrivate = true
		err = e.open(ctx, true)
	}
	if err != nil {
		a := unread
		a.code = codeOf(err)
		return a.stop("the gateway's own read fails: %v", readError(err))
	}
	e.report.Size = e.size
	if e.report.AllowPrivate {
		return private.note("the gateway reads it, at an address that is not public")
	}
	return ok("the gateway reads it")
}

// readError is what a failed read is told as: kind, status and cause. Archive and node are known.
func readError(err error) error {
	var e *origin.Error
	if !errors.As(err, &e) {
		return err
	}
	return &origin.Error{Kind: e.Kind, Status: e.Status, Err: e.Err}
}

// open makes the node that the gateway would, and reads the archive's end.
func (e *exam) open(ctx context.Context, allowPrivate bool) error {
	cfg := origin.HTTPConfig{
		Base: e.cfg.URL, SizeURL: e.cfg.SizeURL, Header: e.cfg.Header, TLS: e.cfg.TLS,
		AllowPrivate: allowPrivate, HeaderWithin: askWithin, StallAfter: stallAfter,
	}
	if e.way == byQuery {
		cfg.Dialect = origin.RangeQuery
	}
	node, err := origin.NewHTTP(cfg)
	if err != nil {
		return err
	}
	if e.node != nil {
		e.node.Close()
	}
	e.node = node
	return e.read(ctx, origin.Tail, firstTail)
}

// read takes bytes of the archive as the gateway does, for its end.
func (e *exam) read(ctx context.Context, off, n int64) error {
	ctx, cancel := context.WithTimeout(ctx, 2*askWithin)
	defer cancel()
	body, err := e.node.Read(ctx, cmp.Or(e.node.Name(), e.cfg.Archive), off, n, nil)
	if errors.Is(err, origin.ErrPrivate) {
		return err // nothing was sent
	}
	e.report.Requests++
	if err != nil {
		return err
	}
	defer body.Close()
	tail, err := io.ReadAll(body)
	e.report.Bytes += int64(len(tail))
	if e.way == byWhole {
		e.report.Bytes += body.Off
	}
	if err != nil {
		return err
	}
	e.tail, e.size = tail, body.Size
	return nil
}

// archived asks who called what the bytes at the end are the end of.
func archived(ctx context.Context, e *exam) Finding {
	if e.cfg.Directory == nil {
		return skip("not looked at")
	}
	if e.size == 0 {
		return empty.stop("the object is empty")
	}
	a := e.cfg.Directory(e.tail, e.size-int64(len(e.tail)), e.size)
	if a.From > 0 && a.From < e.size-int64(len(e.tail)) {
		n := e.size - a.From
		if n > maxDirectory || e.way == byWhole {
			return note("a ZIP whose directory, of %s, is not looked at here; zipreel verify does", size(n))
		}
		if err := e.read(ctx, a.From, n); err != nil {
			f := unread
			f.code = codeOf(err)
			return f.fail("its directory, of %s: %v", size(n), readError(err))
		}
		a = e.cfg.Directory(e.tail, e.size-int64(len(e.tail)), e.size)
	}
	seen := fmt.Sprintf("%d entries, %d of them playlists", a.Entries, a.Playlists)
	switch {
	case a.Code != "":
		f := noArchive
		f.code = a.Code
		return f.fail("%s", a.Why)
	case a.From > 0:
		return note("a ZIP whose directory is not looked at here; zipreel verify does")
	case a.Playlists == 0:
		return noPlaylist.warn("%s", seen)
	case a.Unserved > 0:
		return unserved.warn("%s; %d are not served", seen, a.Unserved)
	}
	return ok("%s", seen)
}
