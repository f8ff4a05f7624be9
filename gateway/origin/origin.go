// Package origin reads bytes of archives from storage: HTTP nodes and local
// files. It knows ranges, validators and failures; it knows nothing of ZIP,
// playlists or viewers.
package origin

import (
	"context"
	"errors"
	"io"
	"time"
)

// Tail as an offset asks for the last n bytes.
const Tail int64 = -1

// Origin is one place that archives are read from. It may be called
// concurrently.
type Origin interface {
	// Read answers the bytes [off, off+n) of the named archive, or its last n
	// bytes when off is Tail (all of it when it is shorter). n > 0. A non-nil want makes any other state of the
	// object an ErrChanged. The caller closes the Body; ctx covers the whole
	// body, not only the headers. Errors are *Error.
	Read(ctx context.Context, name string, off, n int64, want *Validator) (*Body, error)
}

// Lister is an Origin that can name its archives.
type Lister interface {
	// List answers up to max objects whose names come after the given one, in order of their names (byte-wise).
	List(ctx context.Context, after string, max int) ([]Object, error)
}

// Object is one archive of a listing.
type Object struct {
	Name     string
	Size     int64
	Modified time.Time
}

// Local is an Origin whose reads cost no more than a cache's would, so that
// nothing of it is kept in one.
type Local interface{ Local() bool }

// Body is the answer to a Read: exactly N bytes follow from Off, or Read on it returns an *Error
// (never a clean io.EOF early).
type Body struct {
	io.ReadCloser
	Off, N    int64
	Size      int64 // the archive's total
	Validator Validator
	From      *NodeSet // nodes that delivered bytes so far, for who reads it alone; nil where there is one place only
}

// Validator is one node's word for the state of an object.
type Validator struct {
	ETag     string // as the node wrote it, quotes and W/ included; may be empty
	Size     int64
	Modified time.Time // zero when the node gives none

	version *version // of an archive on several nodes, which each have a validator of their own; set by Nodes
	loose   bool     // by SizeOnly
}

// Strong says whether the ETag may stand in If-Match (RFC 9110 §8.8.3.2).
func (v Validator) Strong() bool { return len(v.ETag) >= 2 && v.ETag[0] == '"' }

// SizeOnly answers a Validator that any state of this size fits, for nodes whose word for the state cannot be relied on.
func (v Validator) SizeOnly() Validator {
	return Validator{Size: v.Size, version: v.version, loose: true}
}

// What may go wrong, for errors.Is.
var (
	ErrNotFound    = errors.New("no such archive")
	ErrChanged     = errors.New("archive changed")
	ErrNoRange     = errors.New("node does not answer ranges")
	ErrBadRange    = errors.New("node answered another range")
	ErrDenied      = errors.New("node denied access")
	ErrRedirect    = errors.New("redirect not followed")
	ErrTLS         = errors.New("TLS failed")
	ErrDNS         = errors.New("name not resolved")
	ErrUnavailable = errors.New("node unavailable")
	ErrTimeout     = errors.New("node timed out")
)

// Error is a failed read. It wraps one of the errors above and the cause.
type Error struct {
	Kind       error  // one of the sentinels above
	Node       string // for the log; never shown to viewers
	Archive    string
	Off, N     int64
	Status     int           // HTTP status, when there was one
	RetryAfter time.Duration // zero: none given
	Err        error         // cause, may be nil
}
