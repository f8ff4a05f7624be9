package gateway

import (
	"bytes"
	"encoding/binary"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"zipreel/playlist"
	"zipreel/zipindex"
)

// mediaType is how an entry is presented.
type mediaType struct {
	name       string // Content-Type
	ext        string // what an entry without an extension is linked with
	image      bool
	attachment bool // not from the table: never shown, only saved
}

const octetStream = "application/octet-stream"

// types is the project's own table; the system's is never asked, and names in archives are never trusted beyond it.
var types = map[string]mediaType{
	".m3u8": {name: "application/vnd.apple.mpegurl"},
	".m3u":  {name: "application/vnd.apple.mpegurl"},
	".mpd":  {name: "application/dash+xml"},
	".ts":   {name: "video/mp2t", ext: ".ts"},
	".m4s":  {name: "video/mp4", ext: ".m4s"},
	".mp4":  {name: "video/mp4", ext: ".mp4"},
	".cmfv": {name: "video/mp4", ext: ".cmfv"},
	".m4a":  {name: "audio/mp4", ext: ".m4a"},
	".cmfa": {name: "audio/mp4", ext: ".cmfa"},
	".aac":  {name: "audio/aac", ext: ".aac"},
	".mp3":  {name: "audio/mpeg", ext: ".mp3"},
	".ac3":  {name: "audio/ac3", ext: ".ac3"},
	".ec3":  {name: "audio/eac3", ext: ".ec3"},
	".webm": {name: "video/webm", ext: ".webm"},
	".vtt":  {name: "text/vtt", ext: ".vtt"},
	".jpg":  {name: "image/jpeg", ext: ".jpg", image: true},
	".jpeg": {name: "image/jpeg", ext: ".jpeg", image: true},
	".png":  {name: "image/png", ext: ".png", image: true},
	".webp": {name: "image/webp", ext: ".webp", image: true},
	".avif": {name: "image/avif", ext: ".avif", image: true},
	".gif":  {name: "image/gif", ext: ".gif", image: true},
	".key":  {name: octetStream},
	".json": {name: "application/json"},
}

// typeByName answers the type that a name's extension stands for.
func typeByName(name string) (mediaType, bool) {
	t, ok := types[strings.ToLower(path.Ext(name))]
	return t, ok
}

// EntryKind sorts an entry by its name: playlist, segment, image, subtitles, key, json, directory or other.
func EntryKind(e zipindex.Entry) string {
	if refused := e.Refused(); refused != nil && refused.Code == zipindex.CodeDirectoryEntry {
		return "directory"
	}
	t, ok := typeByName(e.Name)
	switch {
	case playlist.Detect(e.Name, nil) != playlist.None:
		return "playlist"
	case t.image:
		return "image"
	case t.ext == ".vtt":
		return "subtitles"
	case t.ext != "":
		return "segment"
	case ok:
		return strings.TrimPrefix(strings.ToLower(path.Ext(e.Name)), ".") // key, json
	}
	return "other"
}

// hasExtension says whether the last element of a name has any extension at all.
func hasExtension(name string) bool {
	ext := path.Ext(name)
	return len(ext) > 1 && ext != path.Base(name)
}

// sniffType tells media from their first bytes. ok is false where they tell nothing (encrypted segments, mostly).
func sniffType(head []byte) (t mediaType, ok bool) {
	ext := ""
	switch {
	case isTransportStream(head):
		ext = ".ts"
	case isFragment(head):
		ext = ".m4s"
	case bytes.HasPrefix(bytes.TrimPrefix(head, bom), []byte("WEBVTT")):
		ext = ".vtt"
	case bytes.HasPrefix(head, []byte("\xff\xd8\xff")):
		ext = ".jpg"
	case bytes.HasPrefix(head, []byte("\x89PNG\r\n\x1a\n")):
		ext = ".png"
	case bytes.HasPrefix(head, []byte("GIF8")):
		ext = ".gif"
	case len(head) >= 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "WEBP":
		ext = ".webp"
	case bytes.HasPrefix(head, []byte("\x1a\x45\xdf\xa3")):
		ext = ".webm"
	case len(head) >= 2 && head[0] == 0xff && head[1]&0xf6 == 0xf0, isTaggedAudio(head):
		ext = ".aac"
	case len(head) >= 2 && head[0] == 0x0b && head[1] == 0x77:
		ext = ".ac3"
	}
	t, ok = types[ext]
	return t, ok
}

var bom = []byte("\xef\xbb\xbf")

// isTransportStream looks for the sync byte of the first packets (ISO/IEC 13818-1, 188 bytes each).
func isTransportStream(head []byte) bool {
	if len(head) < 188 || head[0] != 0x47 {
		return false
	}
	return len(head) < 189 || head[188] == 0x47
}

// isFragment looks for the box types that a segment or init segment of ISO BMFF starts with.
func isFragment(head []byte) bool {
	if len(head) < 8 {
		return false
	}
	return slices.Contains([]string{"ftyp", "styp", "moof", "sidx", "moov", "emsg", "prft"}, string(head[4:8]))
}

// isTaggedAudio recognises packed audio that starts with an ID3 tag, as HLS asks for (RFC 8216 §3.4).
func isTaggedAudio(head []byte) bool {
	return len(head) > 10 && string(head[:3]) == "ID3" && binary.BigEndian.Uint32(head[6:10])&0x80808080 == 0
}

// Header values are shared by all answers: net/http only reads them.
var (
	nosniff       = []string{"nosniff"}
	sandbox       = []string{"sandbox; default-src 'none'; media-src 'self'; img-src 'self'; style-src 'unsafe-inline'"}
	crossOrigin   = []string{"cross-origin"}
	attachment    = []string{"attachment"}
	acceptBytes   = []string{"bytes"}
	anyOrigin     = []string{"*"}
	varyOrigin    = []string{"Origin"}
	allowHeader   = []string{"GET, HEAD, OPTIONS"}
	allowHeaders  = []string{"Range, Content-Type, Accept-Encoding, If-None-Match"}
	aDay          = []string{"86400"}
	exposeHeaders = []string{"Content-Length, Content-Range, Accept-Ranges, ETag, Age, Date, Server-Timing"}
	timingHit     = []string{"cache;desc=hit"}
	timingStale   = []string{"cache;desc=stale"}
	cacheParts    = []string{"public, max-age=31536000, immutable"}
)

// A CDN that reads ahead says so, and is told the path of the next object (Akamai's CDN-Origin-Assist prefetching).
const (
	assistEnabled = "Cdn-Origin-Assist-Prefetch-Enabled"
	assistPath    = "Cdn-Origin-Assist-Prefetch-Path"
)

// absolutePath answers the path of a reference, relative to the request's own URL, as the viewer or proxy asked for it: where the gateway is mounted is part of it.
func absolutePath(r *http.Request, ref string) string {
	own, _, _ := strings.Cut(r.RequestURI, "?")
	base, err := url.Parse(own)
	if err != nil || !strings.HasPrefix(base.Path, "/") {
		base = r.URL
	}
	to, err := base.Parse(ref)
	if err != nil {
		return ref
	}
	return to.EscapedPath()
}

// dropContentHeaders takes out what describes a body that is not sent after all.
func dropContentHeaders(h http.Header) {
	for _, k := range []string{"Content-Range", "Content-Disposition", "Etag", "Last-Modified", "Accept-Ranges", "Link", assistPath, "Server-Timing"} {
		delete(h, k)
	}
}

// cors writes who may read across sites: everybody, or a configured list.
type cors struct{ allowed map[string]bool }

func newCORS(origins []string) cors {
	if len(origins) == 0 || slices.Contains(origins, "*") {
		return cors{}
	}
	c := cors{allowed: make(map[string]bool, len(origins))}
	for _, o := range origins {
		c.allowed[strings.TrimSuffix(o, "/")] = true
	}
	return c
}

// set writes the headers that every answer has, errors too.
func (c cors) set(h http.Header, r *http.Request) {
	h["X-Content-Type-Options"] = nosniff
	h["Cross-Origin-Resource-Policy"] = crossOrigin
	h["Access-Control-Expose-Headers"] = exposeHeaders
	if c.allowed == nil {
		h["Access-Control-Allow-Origin"] = anyOrigin
		h["Timing-Allow-Origin"] = anyOrigin
		return
	}
	h["Vary"] = varyOrigin
	if o := r.Header.Get("Origin"); c.allowed[o] {
		h["Access-Control-Allow-Origin"] = []string{o}
		h["Timing-Allow-Origin"] = []string{o}
	}
}

// preflight answers OPTIONS.
func (c cors) preflight(h http.Header, r *http.Request) {
	h["Allow"] = allowHeader
	if r.Header.Get("Access-Control-Request-Method") != "" {
		h["Access-Control-Allow-Methods"] = allowHeader
		h["Access-Control-Allow-Headers"] = allowHeaders
		h["Access-Control-Max-Age"] = aDay
	}
}
