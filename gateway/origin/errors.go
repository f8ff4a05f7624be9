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
	if e.N > 0 {
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

var errNotSeekable = errors.New("not a regular file")
