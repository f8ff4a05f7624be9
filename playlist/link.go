package playlist

import "strings"

// Role says what a URI names.
type Role uint8

const (
	Other     Role = iota
	Segment        // EXTINF line, EXT-X-PART, PRELOAD-HINT part, SegmentURL@media …
	Init           // EXT-X-MAP, Initialization …
	Key            // EXT-X-KEY, EXT-X-SESSION-KEY
	Rendition      // another playlist: variant line, EXT-X-MEDIA, EXT-X-I-FRAME-STREAM-INF …
)

// Link is one URI as it stands in a playlist. Its strings may share the
// memory of the whole playlist: clone what is kept for long.
type Link struct {
	URI      string     // as its author meant it: XML entities and {$variables} resolved
	State    RangeState // of its query
	Off, N   int64      // the range, when State is Valid; off, n ≥ 0, off+n does not overflow
	Tag      string     // "EXTINF", "EXT-X-MAP", "SegmentURL", …; of a URI line the EXTINF or EXT-X-STREAM-INF above it, if any
	Attr     string     // "URI", "media", …; empty for a URI line or element text
	Role     Role
	Line     int    // 1-based
	Base     string // DASH: the effective BaseURL, resolved, without query; empty for HLS and where there is none
	Rebased  string // DASH: Base with what has become of the BaseURLs, which is what an answer is relative to
	Template bool   // DASH: holds $…$ identifiers
	HasMap   bool   // HLS: the playlist has an EXT-X-MAP

	unresolved bool // holds, or is relative to, something this playlist does not define
}

// Path is the URI's path as written (percent-encoded), without scheme, host,
// query and fragment.
func (l Link) Path() string {
	path, _, _ := splitURI(l.URI)
	return path[pathStart(path):]
}

// Local says whether the URI is a relative or absolute path within the archive:
// false for URIs with a scheme or host, for URIs below a BaseURL with a scheme
// or host, and for unresolved variables and entities.
func (l Link) Local() bool {
	return !l.unresolved && pathStart(l.URI) == 0 && pathStart(l.Base) == 0
}

// With returns the URI with its path (and scheme and host, if any) replaced by
// path and the range parameter taken out of its query; other parameters and
// the fragment stay as written. A query that is empty then loses its '?'.
func (l Link) With(path string) string {
	_, query, fragment := splitURI(l.URI)
	query = withoutRange(query)
	if query == "" && fragment == "" {
		return path
	}
	if query == "" {
		return path + fragment
	}
	return path + "?" + query + fragment
}

// splitURI cuts a URI (RFC 3986 §3) before its query and its fragment. The
// query comes without '?', the fragment with its '#'.
func splitURI(uri string) (path, query, fragment string) {
	if i := strings.IndexByte(uri, '#'); i >= 0 {
		uri, fragment = uri[:i], uri[i:]
	}
	if i := strings.IndexByte(uri, '?'); i >= 0 {
		return uri[:i], uri[i+1:], fragment
	}
	return uri, "", fragment
}

// pathStart is the number of bytes that scheme and authority take at the start
// of a URI: 0 for relative references and absolute paths.
func pathStart(uri string) int {
	n := schemeLen(uri)
	if !strings.HasPrefix(uri[n:], "//") {
		return n
	}
	n += len("//")
	if i := strings.IndexAny(uri[n:], "/?#"); i >= 0 {
		return n + i
	}
	return len(uri)
}

// schemeLen is the length of a URI's scheme with its colon (RFC 3986 §3.1), 0
// when there is none.
func schemeLen(uri string) int {
	for i := range len(uri) {
		c := uri[i]
		switch {
		case 'a' <= c|0x20 && c|0x20 <= 'z':
		case i > 0 && ('0' <= c && c <= '9' || c == '+' || c == '-' || c == '.'):
		case i > 0 && c == ':':
			return i + 1
		default:
			return 0
		}
	}
	return 0
}

// joinBase resolves the path of ref against base (RFC 3986 §5.2) without
// query and fragment: base is only ever the start of a further reference. Dot
// segments stay, but a last one gets its '/', since it names a directory.
func joinBase(base, ref string) string {
	ref, _, _ = splitURI(ref)
	if ref == "" {
		return base
	}
	if ref == "." || ref == ".." || strings.HasSuffix(ref, "/.") || strings.HasSuffix(ref, "/..") {
		ref += "/"
	}
	if pathStart(ref) > 0 || base == "" {
		return ref
	}
	start := pathStart(base)
	if ref[0] == '/' {
		return base[:start] + ref
	}
	if i := strings.LastIndexByte(base[start:], '/'); i >= 0 {
		return base[:start+i+1] + ref
	}
	if start > 0 { // RFC 3986 §5.2.3: an authority and an empty path
		return base[:start] + "/" + ref
	}
	return ref
}
