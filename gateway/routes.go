package gateway

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gorilla/mux"
)

// routes puts /v/ first: mux tries in order, and players ask for nothing else.
func (g *Gateway) routes() http.Handler {
	r := mux.NewRouter().UseEncodedPath().SkipClean(true)
	r.PathPrefix("/v/").HandlerFunc(g.serveArchive)
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
	raw := strings.Split(escaped, "/")
	elems := make([]string, len(raw))
	for i, e := range raw {
		d, err := url.PathUnescape(e)
		if err != nil {
			return target{}, problemf("bad-path", "The path has a percent sign that is followed by no two hexadecimal digits.")
		}
		if p := checkElement(d); p != nil {
			return target{}, p
		}
		elems[i] = d
	}
	t := target{source: elems[0]}
	end := archiveEnd(elems[1:]) + 1
	t.archive = strings.Trim(strings.Join(elems[1:end], "/"), "/")
	rest := elems[end:]
	if len(rest) > 0 && rest[0] == "-" {
		t.dashed = true
		rest = rest[1:]
	}
	if len(rest) == 0 || len(rest) == 1 && rest[0] == "" {
		t.slash = len(rest) == 1
		return t, nil
	}
	if rest[0] == "~" {
		return t.withPart(rest[1:])
	}
	t.entry = strings.Join(rest, "/")
	return t, nil
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

// archiveEnd answers how many elements name the archive.
func archiveEnd(elems []string) int {
	for i, e := range elems {
		if e == "-" && i > 0 {
			return i
		}
		if len(e) >= 4 && strings.EqualFold(e[len(e)-4:], ".zip") {
			return i + 1
		}
	}
	return len(elems)
}

func (t target) withPart(rest []string) (target, *problem) {
	bad := problemf("link-outside-archive", "The part is not written as ~/{crc32}/{from},{n}/{entry}.")
	if len(rest) < 3 || len(rest[0]) != 8 {
		return t, bad
	}
	crc, err := strconv.ParseUint(rest[0], 16, 32)
	from, n, ok := strings.Cut(rest[1], ",")
	p := part{crc: uint32(crc), from: decimal(from), n: decimal(n)}
	if err != nil || !ok || p.from < 0 || p.n < 0 || p.from > maxInt64-p.n {
		return t, bad
	}
	t.part, t.entry = &p, strings.Join(rest[2:], "/")
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
