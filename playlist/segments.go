package playlist

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// SegmentInfo is one segment of an HLS media playlist.
type SegmentInfo struct {
	Link                   // of its URI line
	Duration time.Duration // of its EXTINF; 0 when that is missing or no number
	Gap      bool          // marked by EXT-X-GAP: there is nothing to load
}

// Segments lists the segments of an HLS media playlist in playing order, one
// for each URI line: parts, maps and keys are not among them, and a resource
// of which byte ranges are played is there once for each range. Variables in
// URIs are resolved as for Rewrite.
//
// The error is ErrTooLarge, or ErrSyntax for a multivariant playlist.
func Segments(src []byte) ([]SegmentInfo, error) {
	if len(src) > MaxBytes {
		return nil, ErrTooLarge
	}
	text := string(src)
	if multivariant(text) {
		return nil, fmt.Errorf("%w: a multivariant playlist has no segments", ErrSyntax)
	}
	list := segmentList{}
	scan := newHLSScan(text, list.visit)
	scan.onTag = list.tag
	scan.run()
	if list.full {
		return nil, ErrTooLarge
	}
	return list.segments, nil
}

// segmentList listens to an hlsScan.
type segmentList struct {
	segments []SegmentInfo
	next     SegmentInfo // what the tags so far say of the next URI line
	full     bool
}

func (s *segmentList) visit(l *Link, at place) {
	if at.syntax != hlsLine || s.full {
		return
	}
	if len(s.segments) == maxSegments {
		s.full = true
		return
	}
	s.next.Link = *l
	s.segments = append(s.segments, s.next)
	s.next = SegmentInfo{}
}

func (s *segmentList) tag(tag *hlsTag, value string) {
	switch tag.name {
	case tagInf:
		seconds, _, _ := strings.Cut(value, ",")
		s.next.Duration = parseSeconds(seconds)
	case tagGap:
		s.next.Gap = true
	}
}

// parseSeconds reads a decimal number of seconds (RFC 8216 §4.3.2.1), 0 when
// it is none, negative, or beyond a time.Duration.
func parseSeconds(text string) time.Duration {
	seconds, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil {
		return 0
	}
	return secondsDuration(seconds)
}

func secondsDuration(seconds float64) time.Duration {
	nanoseconds := seconds * float64(time.Second)
	if !(nanoseconds >= 0 && nanoseconds < math.MaxInt64) { // NaN too
		return 0
	}
	return time.Duration(math.Round(nanoseconds))
}
