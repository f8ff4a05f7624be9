// Package playlist finds the URIs of HLS playlists and DASH manifests and
// replaces them in place: every other byte stays as it was. It also lists
// segments, and reads range links.
//
// The text goes one way: a scanner (hls.go, or dash.go on top of xml.go) walks
// over it once and reports every URI with the place it stands in; Rewrite
// asks its caller about each and splices the answers in (splice.go). Segments
// listens to the same scanner.
//
// It is pure, does no I/O, knows no archive, and never decodes and re-encodes.
// It is no validator: what it does not understand it leaves alone, and only a
// manifest that is not XML at all is an error. The gateway, pack and the
// verify command call it. All functions may be called concurrently.
//
// Sources: RFC 8216 and draft-pantos-hls-rfc8216bis (cited as rfc8216bis) for
// HLS, ISO/IEC 23009-1 for DASH, RFC 3986 for URIs.
package playlist

import (
	"errors"
	"path"
	"strings"
)

// Kind is the format of a playlist.
type Kind uint8

const (
	None Kind = iota
	HLS
	DASH
)

// MaxBytes is the largest playlist that is read; callers refuse larger ones.
const MaxBytes = 16 << 20

// maxSegments bounds what Segments and Describe keep of one playlist: six
// days of two-second segments.
const maxSegments = 1 << 18

var (
	// ErrTooLarge means that a playlist is longer than MaxBytes or holds
	// more than this package is willing to keep.
	ErrTooLarge = errors.New("playlist too large")

	// ErrSyntax means that a manifest is not well-formed XML, or that a
	// playlist is not what the function reads.
	ErrSyntax = errors.New("playlist malformed")
)

const (
	byteOrderMark = "\ufeff"
	hlsMagic      = "#EXTM3U" // RFC 8216 §4.3.1.1
)

// otherExtensions are the names of media, images and text that are no
// playlists, whatever their content starts with.
var otherExtensions = map[string]bool{
	".ts": true, ".m4s": true, ".mp4": true, ".cmfv": true, ".m4a": true,
	".cmfa": true, ".aac": true, ".mp3": true, ".ac3": true, ".ec3": true,
	".webm": true, ".vtt": true, ".jpg": true, ".jpeg": true, ".png": true,
	".webp": true, ".avif": true, ".gif": true, ".key": true, ".json": true,
}

// Detect says which kind an entry is, by its name's extension (in any case)
// or, where the name has no known extension, by the first bytes of its content
// (#EXTM3U, a BOM before it allowed). head may be empty when the extension
// decides. What a Mac puts beside a playlist (AppleDouble: "._" and its name) is none.
func Detect(name string, head []byte) Kind {
	ext := strings.ToLower(path.Ext(name))
	switch {
	case strings.HasPrefix(path.Base(name), "._"):
		return None
	case ext == ".m3u8" || ext == ".m3u":
		return HLS
	case ext == ".mpd":
		return DASH
	case otherExtensions[ext]:
		return None
	}
	const enough = len(byteOrderMark) + len(hlsMagic)
	start := strings.TrimPrefix(string(head[:min(len(head), enough)]), byteOrderMark)
	if strings.HasPrefix(start, hlsMagic) {
		return HLS
	}
	return None
}
