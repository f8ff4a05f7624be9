package main

import (
	"errors"
	"testing"

	"zipreel/gateway/origin"
)

func TestExplainNode(t *testing.T) {
	other := errors.New("other")
	tests := []struct {
		err  error
		want string
	}{
		{&origin.Error{Kind: origin.ErrNotFound, Node: "https://h", Status: 404}, "the server has no such archive; check the URL (status 404)"},
		{&origin.Error{Kind: origin.ErrDNS, Err: other}, "the host's name is not found; check its spelling (other)"},
		{&origin.Error{Kind: origin.ErrNoRange}, "the server does not answer byte ranges; turn them on there, or download the archive"},
		{other, "other"},
	}
	for _, tt := range tests {
		if got := explainNode(tt.err).Error(); got != tt.want {
			t.Errorf("explainNode(%v) = %q, want %q", tt.err, got, tt.want)
		}
	}
}

// TestNodeAdviceIsWhole holds that there is advice for every failure that storage knows.
func TestNodeAdviceIsWhole(t *testing.T) {
	for _, kind := range []error{
		origin.ErrNotFound, origin.ErrChanged, origin.ErrNoRange, origin.ErrBadRange, origin.ErrDenied,
		origin.ErrRedirect, origin.ErrTLS, origin.ErrDNS, origin.ErrUnavailable, origin.ErrTimeout,
	} {
		if got := explainNode(&origin.Error{Kind: kind}); errors.Is(got, kind) {
			t.Errorf("no advice for %v", kind)
		}
	}
}
