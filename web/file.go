package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

// types are the page's own: the machine's table is not asked, since it may say anything.
var types = map[string]string{
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".svg":  "image/svg+xml",
	".png":  "image/png",
}

// file is one file of the page. Immutable.
type file struct {
	body   []byte
	gzip   func() []byte // nil result: not worth it
	kind   string
	digest string
}

func newFile(name string, body []byte) *file {
	sum := sha256.Sum256(body)
	kind, ok := types[path.Ext(name)]
	if !ok {
		kind = "application/octet-stream"
	}
	f := &file{body: body, kind: kind, digest: hex.EncodeToString(sum[:12])}
	f.gzip = sync.OnceValue(f.compress)
	return f
}

// compress is worth it for text; small files fit one packet anyway.
func (f *file) compress() []byte {
	if len(f.body) < 1400 || f.kind == types[".png"] {
		return nil
	}
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	z.Write(f.body) // a bytes.Buffer does not fail
	z.Close()
	return buf.Bytes()
}

// serve answers the file, compressed where the client takes it, with a strong ETag for each form (RFC 9110 §8.8.3.3).
// Caching and security policy are the caller's to set before.
func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Vary", "Accept-Encoding")
	body, tag := f.body, f.digest
	if takesGzip(r.Header.Get("Accept-Encoding")) {
		if z := f.gzip(); z != nil {
			body, tag = z, tag+"-gzip"
			h.Set("Content-Encoding", "gzip")
		}
	}
	h.Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, "", zeroTime, bytes.NewReader(body))
}

// takesGzip reads Accept-Encoding (RFC 9110 §12.5.3) as far as it matters: gzip named, and not with weight 0.
func takesGzip(accept string) bool {
	for coding := range strings.SplitSeq(accept, ",") {
		name, weight, _ := strings.Cut(coding, ";")
		if !strings.EqualFold(strings.TrimSpace(name), "gzip") {
			continue
		}
		q, found := strings.CutPrefix(strings.ToLower(strings.TrimSpace(weight)), "q=")
		v, err := strconv.ParseFloat(q, 64)
		return !found || err == nil && v > 0
	}
	return false
}

// problem answers an error as the gateway does (RFC 9457).
func problem(w http.ResponseWriter, r *http.Request, status int, code, detail string) {
	body, _ := json.Marshal(map[string]any{
		"type": "urn:zipreel:error:" + code, "title": http.StatusText(status), "status": status, "code": code, "detail": detail,
	}) // strings and an int always encode
	body = append(body, '\n')
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	if status == http.StatusNotFound {
		h.Set("Cache-Control", "max-age=5")
	}
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(body)
	}
}
