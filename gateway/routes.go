package gateway

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gorilla/mux"
)

// routes are all but those below /v/.
func (g *Gateway) routes() http.Handler {
	r := mux.NewRouter().UseEncodedPath().SkipClean(true)
	r.Path("/healthz").HandlerFunc(g.serveHealth)
	r.Path("/readyz").HandlerFunc(g.serveReady)
	r.Path("/api/v1/sources").HandlerFunc(g.serveSources)
	r.Path("/api/v1/archives").HandlerFunc(g.serveArchiveList)
	r.PathPrefix("/api/v1/archives/").HandlerFunc(g.serveArchiveInfo)
	r.PathPrefix("/api/v1/entries/").HandlerFunc(g.serveEntries)
	r.Path("/api/v1/stats").HandlerFunc(g.serveStats)
	r.Path("/api/v1/events").HandlerFunc(g.serveEvents)
	if g.cfg.Page != nil {
		r.PathPrefix("/api/").HandlerFunc(g.serveNothing)
		r.PathPrefix("/").Handler(g.cfg.Page)
	}
	r.NotFoundHandler = http.HandlerFunc(g.serveNothing)
	return r
}

func (g *Gateway) serveNothing(w http.ResponseWriter, r *http.Request) {
	g.fail(w, r, problemf("not-found-source", "Nothing is here. Archives are below /v/{source}/{archive}."))
}

// target is what a path below /v/ names.
type target struct {
	source  string
	archive string
	entry   string // empty: the archive itself
	slash   bool   // the archive's own URL ended in "/"
	dashed  bool   // the archive was written with "/-/"
	part    *part
}

// part is the marker ~/{crc32}/{from},{n}: bytes [from, from+n) of an entry's data.
type part struct {
	crc     uint32
	from, n int64
}

// parseTarget takes the escaped path after "/v/" (or an API's prefix) apart. The archive ends at the
// first element that ends in ".zip", or before the first element "-", whichever comes first.
func parseTarget(escaped string) (target, *problem) {
	source, rest, more := strings.Cut(escaped, "/")
	var t target
	var p *problem
	if t.source, p = unescape(source); p != nil || !more {
		return t, p
	}
	end, p := archiveEnd(rest)
	if p != nil {
		return target{}, p
	}
	t.archive, p = unescape(rest[:end])
	if p != nil {
		return target{}, p
	}
	t.archive = strings.TrimSuffix(t.archive, "/")
	if rest, more = strings.CutPrefix(rest[end:], "/"); !more {
		t.slash = strings.HasSuffix(escaped, "/")
		return t, nil
	}
	if after, ok := cutMarker(rest, "-"); ok {
		t.dashed, rest = true, after
	}
	if rest == "" {
		t.slash = strings.HasSuffix(escaped, "/")
		return t, nil
	}
	if after, ok := cutMarker(rest, "~"); ok {
		return t.withPart(after)
	}
	t.entry, p = unescape(rest)
	return t, p
}

// cutMarker takes the first element off a path when it is the marker, encoded or not.
func cutMarker(escaped, marker string) (rest string, ok bool) {
	first, rest, _ := strings.Cut(escaped, "/")
	e, p := unescape(first)
	return rest, p == nil && e == marker
}

// unescape decodes a piece of a path, and refuses what no name may hold.
func unescape(escaped string) (string, *problem) {
	s, err := url.PathUnescape(escaped)
	if err != nil {
		return "", problemf("bad-path", "The path has a percent sign that is followed by no two hexadecimal digits.")
	}
	return s, checkElement(s)
}

func checkElement(decoded string) *problem {
	if strings.ContainsAny(decoded, "\x00\\") {
		return problemf("bad-path", "The path holds a NUL or a backslash.")
	}
	for e := range strings.SplitSeq(decoded, "/") {
		if e == ".." {
			return problemf("bad-path", "The path holds the element \"..\".")
		}
	}
	return nil
}

// archiveEnd answers how many bytes of an escaped path name the archive.
func archiveEnd(escaped string) (int, *problem) {
	for start := 0; ; {
		n := strings.IndexByte(escaped[start:], '/')
		if n < 0 {
			n = len(escaped) - start
		}
		e, p := unescape(escaped[start : start+n])
		switch {
		case p != nil:
			return 0, p
		case e == "-" && start > 0:
			return start - 1, nil
		case len(e) >= 4 && strings.EqualFold(e[len(e)-4:], ".zip"), start+n == len(escaped):
			return start + n, nil
		}
		start += n + 1
	}
}

// withPart reads {crc32}/{from},{n}/{entry}.
func (t target) withPart(escaped string) (target, *problem) {
	bad := problemf("link-outside-archive", "The part is not written as ~/{crc32}/{from},{n}/{entry}.")
	rest, p := unescape(escaped)
	if p != nil {
		return t, p
	}
	sum, rest, _ := strings.Cut(rest, "/")
	place, entry, ok := strings.Cut(rest, "/")
	if !ok || len(sum) != 8 {
		return t, bad
	}
	crc, err := strconv.ParseUint(sum, 16, 32)
	from, n, ok := strings.Cut(place, ",")
	pt := part{crc: uint32(crc), from: decimal(from), n: decimal(n)}
	if err != nil || !ok || pt.from < 0 || pt.n < 0 || pt.from > maxInt64-pt.n {
		return t, bad
	}
	t.part, t.entry = &pt, entry
	return t, nil
}

const maxInt64 = 1<<63 - 1

// decimal reads digits only; -1 for anything else.
func decimal(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || s[0] < '0' || s[0] > '9' {
		return -1
	}
	return n
}
