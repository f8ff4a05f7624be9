// Package playlist finds the URIs of HLS playlists and DASH manifests and
// replaces them in place: every other byte stays as it was. It also lists
// segments, and reads range links.
//
// It is pure, does no I/O, knows no archive, and never decodes and re-encodes.
package playlist

// Kind is the format of a playlist.
type Kind uint8

const (
	None Kind = iota
	HLS
	DASH
)

// MaxBytes is the largest playlist that is read; callers refuse larger ones.
const MaxBytes = 16 << 20

// Detect says which kind an entry is, by its name's extension or, where the
// name has no known extension, by the first bytes of its content (#EXTM3U, a BOM before it allowed).
// head may be empty when the extension decides.
func Detect(name string, head []byte) Kind { panic("stub") }

// RangeState says what the query of a URI holds.
type RangeState uint8

const (
	NoRange  RangeState = iota // no range parameter
	Valid                      // exactly one, well formed
	BadRange                   // missing value, repeated, negative, overflowing, not decimal
)

// Role says what a URI names.
type Role uint8

const (
	Other     Role = iota
	Segment        // EXTINF line, EXT-X-PART, PRELOAD-HINT part, SegmentURL@media …
	Init           // EXT-X-MAP, Initialization …
	Key            // EXT-X-KEY, EXT-X-SESSION-KEY
	Rendition      // another playlist: variant line, EXT-X-MEDIA, EXT-X-I-FRAME-STREAM-INF …
)

// Link is one URI as it stands in a playlist.
type Link struct {
	URI      string     // as its author meant it: XML entities and {$variables} resolved
	State    RangeState // of its query
	Off, N   int64      // the range, when State is Valid; off, n ≥ 0, off+n does not overflow
	Tag      string     // "EXTINF", "EXT-X-MAP", "SegmentURL", …
	Attr     string     // "URI", "media", …; empty for a URI line or element text
	Role     Role
	Line     int    // 1-based
	Base     string // DASH: the effective BaseURL, resolved; empty for HLS and where there is none
	Template bool   // DASH: holds $…$ identifiers
	HasMap   bool   // HLS: the playlist has an EXT-X-MAP
}

// Path is the URI's path as written (percent-encoded), without query and fragment.
func (l Link) Path() string { panic("stub") }

// Local says whether the URI is a relative or absolute path within the archive:
// false for URIs with a scheme or host, and for unresolved variables.
func (l Link) Local() bool { panic("stub") }

// With returns the URI with its path replaced by path and the range parameter
// taken out of its query; other parameters and the fragment stay as written.
func (l Link) With(path string) string { panic("stub") }

// Rewrite appends src to dst with the URIs for which link answers true
// replaced by what it answers (escaped for where they stand). link is called in order of the text, once
// for each URI. The answer is src unchanged, byte for byte, when link never answers true.
func Rewrite(dst, src []byte, kind Kind, link func(Link) (string, bool)) ([]byte, error) {
	panic("stub")
}

// ParseRange reads the range parameter of a raw query (without '?').
func ParseRange(rawQuery string) (off, n int64, state RangeState) { panic("stub") }

// Reference is the relative reference from the playlist (or other entry) named from to the
// entry named to, both names in one archive: percent-encoded by path element, never
// empty, never starting with '/', and with "./" before a first element that holds a colon.
func Reference(from, to string) string { panic("stub") }

// Resolve reads ref, a percent-encoded relative or absolute path, as it stands in the entry named from, and answers the
// name of the entry it means. ok is false when it leaves the archive or is no valid path.
func Resolve(from, ref string) (name string, ok bool) { panic("stub") }
