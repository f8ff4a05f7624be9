package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"

	"zipreel/gateway/cache"
	"zipreel/gateway/origin"
	"zipreel/playlist"
	"zipreel/zipindex"
)

// serveArchive answers everything below /v/.
func (g *Gateway) serveArchive(w http.ResponseWriter, r *http.Request) {
	w.Header()["Content-Security-Policy"] = sandbox
	t, p := parseTarget(strings.TrimPrefix(r.URL.EscapedPath(), archivesPrefix))
	if p != nil {
		g.fail(w, r, p)
		return
	}
	ctx := newAnswerContext(r.Context())
	defer ctx.end()
	err := g.serveTarget(ctx, w, r, t)
	if isPassing(err) {
		err = g.serveTarget(ctx, w, r, t) // nothing was sent yet: once more, with what storage holds now
	}
	if err != nil {
		g.fail(w, r, err)
	}
}

// isPassing says whether asking again at once may do better: the archive was replaced, or wrong bytes came.
func isPassing(err error) bool {
	return errors.Is(err, errReplaced) || errors.Is(err, cache.ErrChecksum)
}

// serveTarget answers one request, or an error while nothing has been sent.
func (g *Gateway) serveTarget(ctx context.Context, w http.ResponseWriter, r *http.Request, t target) error {
	a, err := g.openArchive(ctx, t)
	if err != nil {
		return err
	}
	if t.entry == "" && t.part == nil {
		return g.redirectToMain(ctx, w, r, a, t)
	}
	e, added, p, err := g.entryOf(ctx, r, a, t)
	if err != nil {
		return err
	}
	var c *content
	if p != nil {
		c, err = g.partContent(ctx, a, e, *p, added)
		if t.part == nil && c != nil {
			c.cacheControl = g.ages.segments // its URL would stay the same in another version of the archive
		}
	} else {
		c, err = g.entryContent(ctx, a, e, added)
	}
	if err != nil {
		return err
	}
	return g.serveContent(ctx, w, r, c)
}

func (g *Gateway) openArchive(ctx context.Context, t target) (*archive, error) {
	src := g.sources[t.source]
	if src == nil {
		return nil, problemf("not-found-source", "No source is named %q.", t.source)
	}
	if t.archive == "" || t.archive[0] == '/' { // "//" would be another name of the same archive
		return nil, problemf("not-found-archive", "The path names no archive: /v/{source}/{archive}/{entry}.")
	}
	return g.archives.get(ctx, src, t.archive)
}

// lookup finds an entry by the name in its URL. An entry without an extension is also found by a name that extended gave it; the extension is answered.
func lookup(a *archive, name string) (e zipindex.Entry, added string, err error) {
	e, ok := a.index.Lookup(name)
	if !ok {
		e, added, ok = a.unextended(name)
	}
	if !ok {
		return e, "", problemf("not-found-entry", "The archive %s has no entry %q.", a.src.title(a.name), name)
	}
	if err := servable(e); err != nil {
		return e, "", err
	}
	return e, added, nil
}

// extended is the name of an entry that has no extension with one added, and added again as long as that is another entry's name.
func (a *archive) extended(name, ext string) string {
	for name += ext; ; name += ext {
		if _, taken := a.index.Lookup(name); !taken {
			return name
		}
	}
}

// unextended finds the entry that extended gave a name which is no entry's.
func (a *archive) unextended(name string) (e zipindex.Entry, ext string, ok bool) {
	ext = path.Ext(name)
	if types[strings.ToLower(ext)].ext == "" {
		return e, "", false
	}
	for {
		if name, ok = strings.CutSuffix(name, ext); !ok {
			return e, "", false
		}
		if e, ok = a.index.Lookup(name); !ok || !hasExtension(name) {
			return e, ext, ok
		}
	}
}

// servable says why an entry is not served.
func servable(e zipindex.Entry) error {
	if refused := e.Refused(); refused != nil {
		if refused.Code == zipindex.CodeDirectoryEntry {
			return problemf("not-found-entry", "%q is a folder.", e.Name)
		}
		return fmt.Errorf("entry %q: %w", e.Name, refused)
	}
	if e.Method == methodDeflated && max(e.Size, e.CompressedSize) > zipindex.MaxInflated {
		return problemf("zip-method", "%q is deflated and larger than %d MiB; it has to be stored uncompressed.", e.Name, zipindex.MaxInflated>>20)
	}
	return nil
}

// entryOf answers the entry, and the part of it, that a request names. Where it carries ?range=<offset>,<size>, as a player's does
// that got the playlist elsewhere, the range decides and not the name.
func (g *Gateway) entryOf(ctx context.Context, r *http.Request, a *archive, t target) (e zipindex.Entry, added string, p *part, err error) {
	if t.part == nil && strings.Contains(r.URL.RawQuery, "range=") {
		off, n, state := playlist.ParseRange(r.URL.RawQuery)
		switch state {
		case playlist.BadRange:
			return e, "", nil, problemf("link-outside-archive", "The link's range is not written as range=<offset>,<size>.")
		case playlist.Valid:
			if e, p, err = g.locate(ctx, a, off, n); err == nil {
				err = servable(e)
			}
			if ext := path.Ext(t.entry); err == nil && !hasExtension(e.Name) && types[strings.ToLower(ext)].ext != "" {
				added = ext
			}
			return e, added, p, err
		}
	}
	e, added, err = lookup(a, t.entry)
	return e, added, t.part, err
}

// locate answers the entry whose data the archive's bytes [off, off+n) are, and which part of it when they are not all.
func (g *Gateway) locate(ctx context.Context, a *archive, off, n int64) (zipindex.Entry, *part, error) {
	outside := problemf("link-outside-archive", "Bytes %d,%d of the archive are no entry's data.", off, n)
	e, match := a.index.Locate(off, n)
	switch match {
	case zipindex.Whole:
		return e, nil, nil
	case zipindex.Outside:
		return e, nil, outside
	}
	if e.Refused() != nil {
		return e, nil, outside
	}
	start, err := g.dataOffset(ctx, a, e)
	if err != nil {
		return e, nil, err
	}
	from := off - start
	switch {
	case from == 0 && n == e.CompressedSize:
		return e, nil, nil
	case from < 0 || from > e.CompressedSize-n || e.Method != methodStored:
		return e, nil, outside
	}
	return e, &part{crc: e.CRC32, from: from, n: n}, nil
}

// dataOffset answers where an entry's data starts, by its local header.
func (g *Gateway) dataOffset(ctx context.Context, a *archive, e zipindex.Entry) (int64, error) {
	if off, ok := g.memos.offset(a, e); ok {
		return off, nil
	}
	off, _, err := g.offsets.do(ctx, keyOf(a, e), func(ctx context.Context) (int64, error) {
		if off, ok := g.memos.offset(a, e); ok {
			return off, nil
		}
		want := a.validator.Load()
		r := entryReader{g: g, a: a, e: e, ctx: ctx, want: want}
		off, err := r.learn()
		if errors.Is(err, origin.ErrChanged) {
			if _, _, err = g.renewed(ctx, a, e, want); err == nil {
				err = errReplaced // the request is looked at once more, from the start
			}
		}
		return off, err
	})
	return off, err
}

// sniff answers up to the first 512 bytes of [off, off+n) of an entry's content.
func (g *Gateway) sniff(ctx context.Context, a *archive, e zipindex.Entry, off, n int64) ([]byte, error) {
	n = min(n, 512)
	if n == 0 {
		return nil, nil
	}
	r := g.openEntry(ctx, a, e, off, n)
	defer r.Leave() // who sniffs a segment plays it next
	var head bytes.Buffer
	for {
		p, err := r.Next(ctx)
		head.Write(p)
		if err == io.EOF {
			return head.Bytes(), nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// entryContent is an entry as it is answered whole or by ranges.
func (g *Gateway) entryContent(ctx context.Context, a *archive, e zipindex.Entry, added string) (*content, error) {
	t, kind, err := g.typeOf(ctx, a, e, added)
	if err != nil {
		return nil, err
	}
	if kind != playlist.None {
		return g.playlistContent(ctx, a, e, kind)
	}
	next := g.memos.successor(a, e)
	return &content{
		size:         e.Size,
		etag:         etagOf(hex32(e.CRC32), strconv.FormatInt(e.Size, 16)),
		modified:     a.modified(),
		stale:        a.outdated(),
		mtype:        t,
		cacheControl: g.ages.segments,
		next:         next.ref,
		step:         g.prefetch.step(a, e, next),
		open: func(ctx context.Context, off, n int64) reader {
			return g.openEntry(ctx, a, e, off, n)
		},
	}, nil
}

// partContent is bytes [p.from, p.from+p.n) of an entry as a resource of their own.
func (g *Gateway) partContent(ctx context.Context, a *archive, e zipindex.Entry, p part, added string) (*content, error) {
	if p.crc != e.CRC32 || p.from > e.Size-p.n {
		return nil, problemf("link-outside-archive", "%q is not the entry that this part was made of, or has no such part.", e.Name)
	}
	t, known := typeByName(e.Name + added)
	if !known {
		head, err := g.sniff(ctx, a, e, p.from, p.n)
		if err != nil {
			return nil, err
		}
		if t, known = sniffType(head); !known {
			t = mediaType{name: octetStream, attachment: true}
		}
	}
	return &content{
		size:         p.n,
		etag:         etagOf(hex32(e.CRC32), strconv.FormatInt(e.Size, 16), strconv.FormatInt(p.from, 16), strconv.FormatInt(p.n, 16)),
		modified:     a.modified(),
		stale:        a.outdated(),
		mtype:        t,
		cacheControl: cacheParts,
		open: func(ctx context.Context, off, n int64) reader {
			return g.openEntry(ctx, a, e, p.from+off, n)
		},
	}, nil
}

// typeOf answers how an entry is presented: by its extension, else by its first bytes.
func (g *Gateway) typeOf(ctx context.Context, a *archive, e zipindex.Entry, added string) (mediaType, playlist.Kind, error) {
	if t, ok := typeByName(e.Name + added); ok {
		return t, playlist.Detect(e.Name+added, nil), nil
	}
	obj := a.object(e)
	t, ok := g.memos.mediaType(obj)
	if !ok {
		head, err := g.sniff(ctx, a, e, 0, e.Size)
		if err != nil {
			return t, playlist.None, err
		}
		switch t, ok = sniffType(head); {
		case e.Size <= playlist.MaxBytes && playlist.Detect(e.Name, head) == playlist.HLS:
			t = types[".m3u8"]
		case !ok || hasExtension(e.Name):
			t = mediaType{name: octetStream, attachment: true}
		}
		g.memos.setMediaType(obj, t)
	}
	if t == types[".m3u8"] {
		return t, playlist.HLS, nil
	}
	return t, playlist.None, nil
}

// openEntry opens bytes [off, off+n) of an entry's content.
func (g *Gateway) openEntry(ctx context.Context, a *archive, e zipindex.Entry, off, n int64) reader {
	if a.src.local && e.Method == methodStored {
		return g.events.watch(newLocalReader(g, a, e, off, n), a, e, off)
	}
	obj := a.object(e)
	if err := g.memos.wrongWhy(obj); err != nil {
		return failedReader{err}
	}
	rd := &entryBytes{Reader: g.cache.Open(obj, off, n, g.fill(a, e)), g: g, obj: obj, oneNode: a.src.oneNode()}
	return g.events.watch(rd, a, e, off)
}

// errWrongArchive is answered for an entry whose bytes are wrong wherever they are read.
var errWrongArchive = problemf("checksum", "The entry's bytes do not fit the archive's own checksum, however often they are read.")

// entryBytes reads through the cache, and notes bytes that do not fit the entry's CRC.
type entryBytes struct {
	*cache.Reader
	g       *Gateway
	obj     cache.Object
	oneNode bool
}

func (b *entryBytes) Next(ctx context.Context) ([]byte, error) {
	p, err := b.Reader.Next(ctx)
	var sum *cache.ChecksumError
	if !errors.As(err, &sum) {
		return p, err
	}
	why := b.g.memos.wrongWhy(b.obj)
	if why == nil && b.oneNode {
		why = b.g.memos.sawWrong(b.obj, sum)
	}
	if why != nil {
		err = why
	}
	return p, err
}

// failedReader answers an error that is known before anything is read.
type failedReader struct{ err error }

func (f failedReader) Next(context.Context) ([]byte, error) { return nil, f.err }
func (failedReader) Outcome() cache.Outcome                 { return cache.Hit }
func (failedReader) Close()                                 {}
func (failedReader) Leave()                                 {}

func hex32(v uint32) string { return fmt.Sprintf("%08x", v) }
