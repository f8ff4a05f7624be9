package web

import (
	"bytes"
	"io/fs"
	"net/http"
	"strings"
	"time"
)

const (
	indexName = "index.html"
	// maxDepth is the most elements of an embed path; what is deeper names no archive.
	maxDepth = 64

	immutable  = "public, max-age=31536000, immutable" // asset names carry a hash of their content
	revalidate = "no-cache"
)

// notice stands in for the page in a build without it.
const notice = `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="dark light"><title>zipreel</title>
<h1>zipreel is running</h1>
<p>This build has no web page in it. To get the library and the player, run <code>make web</code> (it needs Node.js)
and build again.
<p>Everything else works: a player opens <code>v/{source}/{archive}</code>, and
<a href="api/v1/archives">api/v1/archives</a> lists what there is.
</html>
`

// page answers requests for the built files.
type page struct {
	index  []byte           // nil: built without
	assets map[string]*file // by path, "assets/…"
}

// newPage reads all of built once. Files that cannot be read are as if they were not there.
func newPage(built fs.FS) *page {
	p := &page{assets: map[string]*file{}}
	p.index, _ = fs.ReadFile(built, indexName)
	fs.WalkDir(built, "assets", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		if body, err := fs.ReadFile(built, name); err == nil {
			p.assets[name] = newFile(name, body)
		}
		return nil
	})
	return p
}

func (p *page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		problem(w, r, http.StatusMethodNotAllowed, "method", "The page is only read: use GET or HEAD.")
		return
	}
	path := r.URL.EscapedPath()
	asset, isAsset := p.assets[strings.TrimPrefix(path, "/")]
	up, isEmbed := embedBase(path)
	switch {
	case path == "/" || path == "/"+indexName:
		p.serveIndex(w, r, "", "'self'")
	case isEmbed:
		p.serveIndex(w, r, up, "*")
	case isAsset:
		h := w.Header()
		h.Set("Cache-Control", immutable)
		asset.serve(w, r)
	default:
		problem(w, r, http.StatusNotFound, "not-found-entry", "The page has no such file.")
	}
}

// embedBase answers whether an escaped path is /embed/{source}/{archive}, and the way from there to the mount: "../"
// for each element but the last.
func embedBase(path string) (up string, ok bool) {
	rest, ok := strings.CutPrefix(path, "/embed/")
	if !ok {
		return "", false
	}
	source, archive, _ := strings.Cut(rest, "/")
	depth := strings.Count(rest, "/") + 1
	if source == "" || archive == "" || depth > maxDepth {
		return "", false
	}
	return strings.Repeat("../", depth), true
}

// serveIndex answers the page's document, whose relative URLs start at base, or at itself when base is empty.
// ancestors says who may frame it.
func (p *page) serveIndex(w http.ResponseWriter, r *http.Request, base, ancestors string) {
	body := p.index
	if body == nil {
		body = []byte(notice)
	}
	if base != "" {
		// Before everything that has a URL (HTML §4.2.3).
		body = bytes.Replace(body, []byte("<head>"), []byte(`<head><base href="`+base+`">`), 1)
	}
	h := w.Header()
	h.Set("Cache-Control", revalidate)
	h.Set("Content-Security-Policy", contentPolicy+"; frame-ancestors "+ancestors)
	h.Set("Referrer-Policy", "same-origin")
	newFile(indexName, body).serve(w, r)
}

// contentPolicy lets the page load its own files and this gateway's archives, and nothing from anywhere else, whatever
// an archive's playlists say. Media Source streams are blob URLs; keys may stand in playlists as data URLs, and hls.js makes
// text tracks of one.
const contentPolicy = "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; img-src 'self'; " +
	"media-src 'self' blob: data:; connect-src 'self' data:; base-uri 'self'; form-action 'none'"

// zeroTime makes http.ServeContent send no Last-Modified: ETags are exact, embedded files have no times.
var zeroTime time.Time
