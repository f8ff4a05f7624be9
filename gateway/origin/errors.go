package origin

import (
	"errors"
	"fmt"
	"strings"
)

// Error says, for the log, what was asked of which node and what came of it. Node holds no credential and no query.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v", e.Kind)
	if e.Archive != "" {
		fmt.Fprintf(&b, ": archive %q", e.Archive)
	}
	if e.Node != "" {
		fmt.Fprintf(&b, " at %s", e.Node)
	}
	switch {
	case e.N > 0 && e.Off == Tail:
		fmt.Fprintf(&b, ", last %d bytes", e.N)
	case e.N > 0:
		fmt.Fprintf(&b, ", bytes %d+%d", e.Off, e.N)
	}
	if e.Status != 0 {
		fmt.Fprintf(&b, ", status %d", e.Status)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

// Unwrap answers the kind and the cause.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

// ErrPrivate is a storage node at an address that is not public, of a source that is not allowed such. It is an *Error's kind,
// or the cause of an ErrRedirect where the node redirected there.
var ErrPrivate = errors.New("address is not public; allow_private allows it for a source")

var errNotSeekable = errors.New("not a regular file")
