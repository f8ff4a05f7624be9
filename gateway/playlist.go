package gateway

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"

	"zipreel/gateway/cache"
	"zipreel/playlist"
	"zipreel/zipindex"
)

// text is a playlist as it is sent.
type text struct {
	body         []byte
	etag         string
	multivariant bool
	empty        bool // names neither a variant nor a segment, or is no playlist at all
}

func (t *text) bytes() int64 { return int64(len(t.body)) + 256 }

// playlistContent is a playlist with its links rewritten. Its entity tag comes from the bytes sent.
func (g *Gateway) playlistContent(ctx context.Context, a *archive, e zipindex.Entry, kind playlist.Kind) (*content, error) {
	t, outcome, err := g.playlistText(ctx, a, e, kind)
	if err != nil {
		return nil, err
	}
	mtype := types[".m3u8"]
	if kind == playlist.DASH {
		mtype = types[".mpd"]
	}
	return &content{
		size:         int64(len(t.body)),
		etag:         t.etag,
		modified:     a.modified(),
		stale:        a.outdated(),
		mtype:        mtype,
		cacheControl: g.ages.playlists,
		open: func(_ context.Context, off, n int64) reader {
			return &memoryReader{t.body[off : off+n], outcome}
		},
	}, nil
}

// playlistText answers the rewritten playlist, from memory where it was rewritten before.
func (g *Gateway) playlistText(ctx context.Context, a *archive, e zipindex.Entry, kind playlist.Kind) (*text, cache.Outcome, error) {
	if e.Size > playlist.MaxBytes {
		return nil, cache.Miss, problemf("playlist-too-large", "The playlist %q has %d bytes; at most %d are read.", e.Name, e.Size, playlist.MaxBytes)
	}
	if t := g.memos.text(a, e); t != nil {
		return t, cache.Hit, nil
	}
	r, first, err := g.texts.do(ctx, keyOf(a, e), func(ctx context.Context) (rewriting, error) {
		if t := g.memos.text(a, e); t != nil {
			return rewriting{t, cache.Hit}, nil
		}
		return g.rewrite(ctx, a, e, kind)
	})
	if !first {
		r.outcome = cache.Shared
	}
	return r.text, r.outcome, err
}

// rewriting is a playlist that was rewritten, and where it came from.
type rewriting struct {
	text    *text
	outcome cache.Outcome
}

// rewrite reads the playlist, rewrites it, and keeps that.
func (g *Gateway) rewrite(ctx context.Context, a *archive, e zipindex.Entry, kind playlist.Kind) (rewriting, error) {
	src, outcome, err := g.readEntry(ctx, a, e)
	if err != nil {
		return rewriting{nil, outcome}, err
	}
	rw := rewriter{g: g, ctx: ctx, a: a, e: e, left: maxGrowth*int64(len(src)) + growthSpare}
	body, err := playlist.Rewrite(make([]byte, 0, len(src)), src, kind, rw.link)
	if err != nil {
		g.log.Warn("playlist sent as stored", "source", a.src.Name, "archive", a.name, "entry", e.Name, "err", err)
		body = src
	}
	if rw.err != nil {
		return rewriting{nil, outcome}, rw.err
	}
	sum := sha256.Sum256(body)
	t := &text{body: body, etag: etagOf("p", hex.EncodeToString(sum[:12])), empty: !rw.plays || kind == playlist.HLS && playlist.Detect("", src) != kind}
	t.multivariant = kind == playlist.HLS && playlist.Multivariant(src)
	rw.keepOrder(src)
	g.memos.setText(a, e, t)
	return rewriting{t, outcome}, nil
}

// A range link is short and an entry's name may be long, so that a playlist could grow without bound.
const (
	maxGrowth   = 4 // times the playlist as stored
	growthSpare = 1 << 20
	maxNextRef  = 512 // bytes of a reference to the next segment that is kept
)

// readEntry reads an entry whole; its CRC has been checked then.
func (g *Gateway) readEntry(ctx context.Context, a *archive, e zipindex.Entry) ([]byte, cache.Outcome, error) {
	rd := g.openEntry(ctx, a, e, 0, e.Size)
	defer rd.Close()
	var all []byte
	for {
		p, err := rd.Next(ctx)
		all = append(all, p...)
		if err == io.EOF {
			return all, rd.Outcome(), nil
		}
		if err != nil {
			if errors.Is(err, errSlow) {
				rd.Leave()
			}
			return nil, rd.Outcome(), err
		}
	}
}

// rewriter answers, link by link, what a playlist's links become.
type rewriter struct {
	g   *Gateway
	ctx context.Context // of the request that asked for the playlist
	a   *archive
	e   zipindex.Entry // the playlist

	plays bool   // a variant or a segment is named
	left  int64  // bytes that links may become still
	guess string // extension of extension-less segments, once the first was looked at
	order []placed
	err   error // what kept a link from being resolved; the playlist is not sent half rewritten
}

// placed is a segment in its playlist's order, the name it is linked with, and the line of the link.
type placed struct {
	e    zipindex.Entry
	name string
	line int
}

// link is called for every URI of the playlist.
func (rw *rewriter) link(l playlist.Link) (string, bool) {
	rw.plays = rw.plays || l.Role == playlist.Segment || l.Role == playlist.Rendition
	b, ok := rw.bases(l)
	if rw.err != nil || !ok || !l.Local() {
		return "", false
	}
	if l.State == playlist.Valid && !l.Template {
		return rw.ranged(l, b)
	}
	fromRoot := strings.HasPrefix(l.Path(), "/")
	name, ok := playlist.Resolve(b.from, l.Path())
	switch {
	case l.Template && fromRoot:
		return rw.moved(l, b.to, "", l.URI[1:])
	case l.Template, l.State == playlist.BadRange, !ok:
		return rw.carried(l, b)
	case name == "", strings.HasSuffix(name, "/"):
		if fromRoot && l.Tag == "BaseURL" {
			return rw.answer(l, playlist.Reference(b.to, name))
		}
		return rw.carried(l, b)
	}
	e, ok := rw.a.index.Lookup(name)
	if !ok || servable(e) != nil {
		return rw.carried(l, b)
	}
	linked := rw.linkedAs(l, e, nil)
	rw.note(l, e, linked)
	if linked == name && !fromRoot && b.dir() == b.newDir() {
		return "", false
	}
	return rw.answer(l, playlist.Reference(b.to, linked))
}

// bases are the names below the archive that a link and its answer are relative to. They differ below a BaseURL whose range link has become another folder's URL.
type bases struct{ from, to string }

func (b bases) dir() string    { return b.from[:strings.LastIndexByte(b.from, '/')+1] }
func (b bases) newDir() string { return b.to[:strings.LastIndexByte(b.to, '/')+1] }

// bases is false for a link that is relative to something outside the archive.
func (rw *rewriter) bases(l playlist.Link) (b bases, ok bool) {
	if b.from, ok = rw.base(l.Base); !ok {
		return b, false
	}
	b.to, ok = rw.base(l.Rebased)
	return b, ok
}

// base answers a name in the folder of an effective BaseURL: the playlist's own where there is none.
func (rw *rewriter) base(uri string) (string, bool) {
	if uri == "" {
		return rw.e.Name, true
	}
	if !(playlist.Link{URI: uri}).Local() {
		return "", false
	}
	dir := uri[:strings.LastIndexByte(uri, '/')+1]
	return playlist.Resolve(rw.e.Name, dir+"-")
}

// carried keeps a link that names nothing here pointing where it did.
func (rw *rewriter) carried(l playlist.Link, b bases) (string, bool) {
	if b.dir() == b.newDir() || strings.HasPrefix(l.URI, "/") {
		return "", false
	}
	return rw.moved(l, b.to, b.dir(), l.URI)
}

// moved is a URI that is relative to the folder dir, seen from another place.
func (rw *rewriter) moved(l playlist.Link, from, dir, uri string) (string, bool) {
	return rw.within(l, playlist.Reference(from, dir)+uri)
}

// ranged resolves a range link. One that lies outside every entry stays as it is: fetching it tells why.
func (rw *rewriter) ranged(l playlist.Link, b bases) (string, bool) {
	e, p, err := rw.g.locate(rw.ctx, rw.a, l.Off, l.N)
	if err != nil {
		if problemOf(err).code != "link-outside-archive" {
			rw.err = err
			return "", false
		}
		return rw.carried(l, b)
	}
	if servable(e) != nil {
		return rw.carried(l, b)
	}
	linked := rw.linkedAs(l, e, p)
	if p == nil {
		rw.note(l, e, linked)
		return rw.answer(l, playlist.Reference(b.to, linked))
	}
	return rw.answer(l, playlist.Reference(b.to, partName(*p, linked)))
}

// answer is the link with another path, and without a range.
func (rw *rewriter) answer(l playlist.Link, path string) (string, bool) {
	return rw.within(l, l.With(path))
}

// within is what the link becomes, unless that is too much with all before it.
func (rw *rewriter) within(l playlist.Link, to string) (string, bool) {
	if rw.left -= int64(len(to)); rw.left < 0 {
		rw.err = problemf("playlist-too-large", "The playlist %q becomes too large when its links are resolved: the names of entries are too long.", rw.e.Name)
		return "", false
	}
	return to, true
}

// partName is the path of a part, below the archive.
func partName(p part, name string) string {
	return "~/" + hex32(p.crc) + "/" + strconv.FormatInt(p.from, 10) + "," + strconv.FormatInt(p.n, 10) + "/" + name
}

// linkedAs answers the name that an entry is linked with: players refuse segments without an extension.
func (rw *rewriter) linkedAs(l playlist.Link, e zipindex.Entry, p *part) string {
	if hasExtension(e.Name) {
		return e.Name
	}
	switch l.Role {
	case playlist.Init:
		return rw.a.extended(e.Name, ".mp4")
	case playlist.Segment:
		if rw.guess == "" {
			rw.guess = rw.look(l, e, p)
		}
		return rw.a.extended(e.Name, rw.guess)
	}
	return e.Name
}

// look reads the first bytes of the first extension-less segment.
func (rw *rewriter) look(l playlist.Link, e zipindex.Entry, p *part) string {
	off, n := int64(0), e.Size
	if p != nil {
		off, n = p.from, p.n
	}
	head, err := rw.g.sniff(rw.ctx, rw.a, e, off, n)
	if err != nil {
		rw.err = err
	}
	if t, ok := sniffType(head); ok {
		return t.ext
	}
	if l.HasMap {
		return ".m4s"
	}
	return ".ts"
}

// note keeps the order of whole segments.
func (rw *rewriter) note(l playlist.Link, e zipindex.Entry, linked string) {
	if l.Role != playlist.Segment || len(rw.order) >= maxNext {
		return
	}
	if last := len(rw.order) - 1; last < 0 || rw.order[last].e.HeaderOffset != e.HeaderOffset {
		rw.order = append(rw.order, placed{e, linked, l.Line})
	}
}

// keepOrder remembers, for each segment of the playlist src, the one after it.
func (rw *rewriter) keepOrder(src []byte) {
	var timed []playlist.SegmentInfo // those of HLS; durations are not known elsewhere
	if len(rw.order) > 1 && playlist.Detect("", src) == playlist.HLS {
		timed, _ = playlist.Segments(src)
	}
	for i := 1; i < len(rw.order); i++ {
		s, next := rw.order[i-1], rw.order[i]
		for len(timed) > 0 && timed[0].Line < next.line {
			timed = timed[1:]
		}
		after := successor{ref: playlist.Reference(s.name, next.name), off: next.e.HeaderOffset, n: next.e.CompressedSize}
		if len(after.ref) > maxNextRef {
			after.ref = "" // read ahead, but not told
		}
		if len(timed) > 0 && timed[0].Line == next.line {
			after.lasts = timed[0].Duration
		}
		rw.g.memos.setSuccessor(rw.a, s.e, after)
	}
}

// mainPlaylist is the entry that an archive's bare URL leads to.
type mainPlaylist struct {
	name string
	kind playlist.Kind
}

const maxCandidates = 8 // playlists looked into for the main one

// main answers the archive's main playlist: HLS multivariant, else a media playlist, else a DASH
// manifest; the shallowest, then the first.
func (g *Gateway) main(ctx context.Context, a *archive) (*mainPlaylist, error) {
	if m := a.main.Load(); m != nil {
		return m, nil
	}
	hls, dash, bare, refused := candidates(a.index)
	m, empty, err := g.firstHLS(ctx, a, hls)
	switch {
	case err != nil:
		return nil, err
	case m != nil:
	case len(dash) > 0:
		m = &mainPlaylist{dash[0].Name, playlist.DASH}
	default:
		if m, _, err = g.firstHLS(ctx, a, bare); err != nil {
			return nil, err
		}
	}
	if m == nil {
		m = empty
	}
	if m == nil && refused != nil {
		return nil, refused
	}
	if m == nil {
		return nil, problemf("not-found-playlist", "The archive %s has no HLS playlist or DASH manifest.", a.src.title(a.name))
	}
	a.main.Store(m)
	return m, nil
}

// candidates answers at most maxCandidates of each sort, the shallowest first: HLS and DASH by their extension, and
// entries without any that may be HLS. refused is why the first playlist that is not served is not.
func candidates(x *zipindex.Index) (hls, dash, bare []zipindex.Entry, refused error) {
	for e := range x.All() {
		if err := servable(e); err != nil {
			if refused == nil && playlist.Detect(e.Name, nil) != playlist.None {
				refused = err
			}
			continue
		}
		switch playlist.Detect(e.Name, nil) {
		case playlist.HLS:
			hls = shallow(hls, e)
		case playlist.DASH:
			dash = shallow(dash, e)
		default:
			if !hasExtension(e.Name) && e.Size > 0 && e.Size <= playlist.MaxBytes {
				bare = shallow(bare, e)
			}
		}
	}
	return hls, dash, bare, refused
}

// shallow inserts e behind those that are no deeper, and keeps the first maxCandidates.
func shallow(kept []zipindex.Entry, e zipindex.Entry) []zipindex.Entry {
	depth := strings.Count(e.Name, "/")
	i := len(kept)
	for i > 0 && strings.Count(kept[i-1].Name, "/") > depth {
		i--
	}
	if i >= maxCandidates {
		return kept
	}
	kept = slices.Insert(kept, i, e)
	return kept[:min(len(kept), maxCandidates)]
}

// firstHLS looks into the candidates for a multivariant playlist; the first media playlist does where there is none.
// empty is the first that names nothing to play.
func (g *Gateway) firstHLS(ctx context.Context, a *archive, list []zipindex.Entry) (m, empty *mainPlaylist, err error) {
	for _, e := range list {
		_, kind, err := g.typeOf(ctx, a, e, "")
		if err == nil && kind != playlist.HLS {
			continue
		}
		var t *text
		if err == nil {
			t, _, err = g.playlistText(ctx, a, e, kind)
		}
		switch {
		case err != nil && codes[problemOf(err).code].status < 500:
			continue // this one is damaged or too large; another may do
		case err != nil:
			return nil, nil, err
		case t.multivariant && !t.empty:
			return &mainPlaylist{e.Name, kind}, nil, nil
		case t.empty && empty == nil:
			empty = &mainPlaylist{e.Name, kind}
		case !t.empty && m == nil:
			m = &mainPlaylist{e.Name, kind}
		}
	}
	return m, empty, nil
}

// redirectToMain answers an archive's bare URL. The Location is relative, so that it holds wherever the gateway is mounted.
func (g *Gateway) redirectToMain(ctx context.Context, w http.ResponseWriter, r *http.Request, a *archive, t target) error {
	m, err := g.main(ctx, a)
	if err != nil {
		return err
	}
	zipped := strings.EqualFold(path.Ext(t.archive), ".zip")
	to := m.name
	switch {
	case t.slash && (t.dashed || zipped):
		to = playlist.Reference("", to)
	case t.slash, t.dashed: // "-/" is missing, or its slash
		to = playlist.Reference("", "-/"+to)
	case zipped:
		to = lastElement(r) + "/" + playlist.Reference("", to)
	default:
		to = lastElement(r) + "/-/" + playlist.Reference("", to)
	}
	to = playlist.Link{URI: "?" + r.URL.RawQuery}.With(to) // a range would be one of another entry
	h := w.Header()
	h["Location"] = []string{to}
	h["Cache-Control"] = []string{g.cfg.CachePlaylists}
	h["Content-Length"] = []string{"0"}
	w.WriteHeader(http.StatusFound)
	return nil
}

// lastElement is the last element of a request's path as it was written: one may hold an encoded slash.
func lastElement(r *http.Request) string {
	raw := r.URL.EscapedPath()
	e := raw[strings.LastIndexByte(raw, '/')+1:]
	if strings.Contains(e, ":") {
		return "./" + e // else it reads as a scheme
	}
	return e
}
