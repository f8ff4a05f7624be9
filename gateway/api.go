package gateway

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"

	"zipreel/gateway/origin"
	"zipreel/playlist"
	"zipreel/zipindex"
)

const (
	maxListed  = 1000 // archives or entries of one answer
	defListed  = 100
	maxScanned = 50_000 // entries looked at for one answer of a search
)

// serveSources lists the sources.
func (g *Gateway) serveSources(w http.ResponseWriter, r *http.Request) {
	type item struct {
		Name     string `json:"name"`
		Archives int    `json:"archives"` // -1: not known
		Listable bool   `json:"listable"`
	}
	list := make([]item, 0, len(g.cfg.Sources))
	for _, s := range g.cfg.Sources {
		it := item{Name: s.Name, Archives: len(s.Archives)}
		if _, it.Listable = s.Origin.(origin.Lister); it.Listable || len(s.Archives) == 0 {
			it.Archives = -1
		}
		list = append(list, it)
	}
	g.writeJSON(w, r, map[string]any{"sources": list})
}

// archiveItem is an archive in a listing. Its URL is relative to where the gateway is mounted.
type archiveItem struct {
	Source string `json:"source"`
	Name   string `json:"name"`
	URL    string `json:"url"`
	Size   int64  `json:"size,omitempty"`
}

// serveArchiveList lists the archives of one source, by pages, or the first of every source.
func (g *Gateway) serveArchiveList(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	limit := listLimit(q.Get("limit"))
	sources := g.cfg.Sources
	if name := q.Get("source"); name != "" {
		s := g.sources[name]
		if s == nil {
			g.fail(w, r, problemf("not-found-source", "No source is named %q.", name))
			return
		}
		sources = []Source{s.Source}
	}
	items, next := []archiveItem{}, ""
	for _, s := range sources {
		objects, err := listArchives(r.Context(), s, q.Get("after"), limit+1)
		if err != nil {
			g.fail(w, r, err)
			return
		}
		if len(objects) > limit {
			objects = objects[:limit]
			next = objects[limit-1].Name
		}
		for _, o := range objects {
			items = append(items, archiveItem{s.Name, o.Name, archiveURL(s.Name, o.Name), o.Size})
		}
	}
	if len(sources) > 1 {
		next = ""
	}
	g.writeJSON(w, r, map[string]any{"archives": items, "next": next})
}

func listLimit(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return defListed
	}
	return min(n, maxListed)
}

func listArchives(ctx context.Context, s Source, after string, limit int) ([]origin.Object, error) {
	if l, ok := s.Origin.(origin.Lister); ok {
		return l.List(ctx, after, limit)
	}
	names := slices.Sorted(slices.Values(s.Archives))
	var list []origin.Object
	for _, n := range names {
		if n > after && len(list) < limit {
			list = append(list, origin.Object{Name: n})
		}
	}
	return list, nil
}

// archiveURL is the path of an archive below the gateway, without the leading slash.
func archiveURL(source, archive string) string {
	return "v/" + playlist.Reference("", source+"/"+archive)
}

// archiveInfo is what the page shows of one archive. Names are names of entries.
type archiveInfo struct {
	Source          string `json:"source"`
	Name            string `json:"name"`
	URL             string `json:"url"`
	Base            string `json:"base"` // what entries' URLs start with
	Size            int64  `json:"size"`
	Entries         int    `json:"entries"`
	Playable        bool   `json:"playable"`
	Playlist        string `json:"playlist"`
	Kind            string `json:"kind"`
	Poster          string `json:"poster"`
	Preview         string `json:"preview"`
	Thumbnails      string `json:"thumbnails"`
	DirectoryOffset int64  `json:"directoryOffset"`
	Version         string `json:"version"`
}

// serveArchiveInfo describes one archive.
func (g *Gateway) serveArchiveInfo(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeoutCause(r.Context(), answerWithin, errSlow)
	defer cancel()
	a, err := g.apiArchive(ctx, r, "/api/v1/archives/")
	if err != nil {
		g.fail(w, r, err)
		return
	}
	info, err := g.describe(ctx, a)
	if err != nil {
		g.fail(w, r, err)
		return
	}
	g.writeJSON(w, r, info)
}

func (g *Gateway) apiArchive(ctx context.Context, r *http.Request, prefix string) (*archive, error) {
	t, p := parseTarget(strings.TrimPrefix(r.URL.EscapedPath(), prefix))
	if p != nil {
		return nil, p
	}
	if t.entry != "" || t.part != nil {
		return nil, problemf("not-found-archive", "The path names more than an archive.")
	}
	return g.openArchive(ctx, t)
}

func (g *Gateway) describe(ctx context.Context, a *archive) (*archiveInfo, error) {
	digest := a.proof.SHA256
	info := &archiveInfo{
		Source: a.src.Name, Name: a.name, URL: archiveURL(a.src.Name, a.name),
		Size: a.index.Size(), Entries: a.index.Len(),
		DirectoryOffset: a.index.DirectoryOffset(), Version: hex.EncodeToString(digest[:]),
	}
	info.Base = info.URL + "/"
	if !strings.EqualFold(path.Ext(a.name), ".zip") {
		info.Base += "-/"
	}
	m, err := g.main(ctx, a)
	if p := problemOf(err); err != nil && p.code != "not-found-playlist" {
		return nil, p
	}
	if m != nil {
		info.Playable, info.Playlist, info.Kind = true, m.name, "hls"
		if m.kind == playlist.DASH {
			info.Kind = "dash"
		}
	}
	pic := a.pictures()
	info.Poster, info.Preview, info.Thumbnails = pic.poster, pic.preview, pic.thumbnails
	return info, nil
}

// pictures are the entries that the page shows of an archive before it plays; empty where there are none.
type pictures struct{ poster, preview, thumbnails string }

// pictures looks for them by their names, once per version. The first in the archive counts.
func (a *archive) pictures() *pictures {
	if p := a.pics.Load(); p != nil {
		return p
	}
	p := &pictures{}
	for e := range a.index.All() {
		if e.Refused() != nil {
			continue
		}
		base := strings.ToLower(path.Base(e.Name))
		t, _ := typeByName(base)
		switch stem := strings.TrimSuffix(base, path.Ext(base)); {
		case t.image && p.poster == "" && (stem == "cover" || stem == "poster"):
			p.poster = e.Name
		case t.image && p.preview == "" && stem == "preview":
			p.preview = e.Name
		case t.ext == ".vtt" && p.thumbnails == "" && strings.HasPrefix(stem, "thumb"):
			p.thumbnails = e.Name
		}
	}
	a.pics.Store(p)
	return p
}

// entryItem is an entry in a listing.
type entryItem struct {
	I          int    `json:"i"`
	Name       string `json:"name"`
	Offset     int64  `json:"offset"` // of the local header
	End        int64  `json:"end"`
	Size       int64  `json:"size"`
	Compressed int64  `json:"compressed"`
	CRC32      string `json:"crc32"`
	Kind       string `json:"kind"`
	Error      string `json:"error,omitempty"` // why it is not served
}

// serveEntries lists an archive's entries in order of their offset, by pages; q is a part of their names. A search
// looks at a bounded number of entries for each page, so that a page may be empty and yet not the last.
func (g *Gateway) serveEntries(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeoutCause(r.Context(), answerWithin, errSlow)
	defer cancel()
	a, err := g.apiArchive(ctx, r, "/api/v1/entries/")
	if err != nil {
		g.fail(w, r, err)
		return
	}
	q := r.URL.Query()
	first, _ := strconv.Atoi(q.Get("after"))
	limit, part := listLimit(q.Get("limit")), strings.ToLower(q.Get("q"))
	i, total := max(first, 0), a.index.Len()
	stop := min(total, i+maxScanned)
	items := []entryItem{}
	for ; i < stop && len(items) < limit; i++ {
		if e := a.index.Entry(i); part == "" || strings.Contains(strings.ToLower(e.Name), part) {
			items = append(items, describeEntry(i, e))
		}
	}
	next := i
	if i >= total {
		next = -1
	}
	g.writeJSON(w, r, map[string]any{"entries": items, "next": next, "total": total})
}

func describeEntry(i int, e zipindex.Entry) entryItem {
	it := entryItem{
		I: i, Name: e.Name, Offset: e.HeaderOffset, End: e.End, Size: e.Size, Compressed: e.CompressedSize,
		CRC32: hex32(e.CRC32), Kind: EntryKind(e),
	}
	if err := servable(e); err != nil {
		it.Error = problemOf(err).code
	}
	return it
}

// serveStats answers totals since the start, for the page's numbers.
func (g *Gateway) serveStats(w http.ResponseWriter, r *http.Request) {
	n, b := g.archives.stats()
	c := g.cache.Stats()
	g.writeJSON(w, r, map[string]int64{
		"sources": int64(len(g.cfg.Sources)), "indexes": int64(n), "indexBytes": b,
		"cacheBytes": c.Bytes, "hits": c.Hits, "misses": c.Misses, "shared": c.Shared,
		"originReads": g.metrics.totalReads.Load(), "originBytes": g.metrics.totalReceived.Load(),
		"sentBytes": g.metrics.totalSent.Load(),
	})
}

func (g *Gateway) writeJSON(w http.ResponseWriter, r *http.Request, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		g.fail(w, r, err)
		return
	}
	h := w.Header()
	h["Content-Type"] = []string{"application/json"}
	h["Cache-Control"] = []string{"no-store"}
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	if r.Method != http.MethodHead {
		w.Write(body)
	}
}
