package gateway

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRanges is how many ranges of one request are answered; a request for more gets the whole (RFC 9110 §14.2 allows it).
const maxRanges = 64

// span is bytes [off, off+n) of a content.
type span struct{ off, n int64 }

// contentRange is the value of Content-Range (RFC 9110 §14.4).
func (s span) contentRange(size int64) string {
	return "bytes " + strconv.FormatInt(s.off, 10) + "-" + strconv.FormatInt(s.off+s.n-1, 10) + "/" + strconv.FormatInt(size, 10)
}

// parseRange reads a Range header (RFC 9110 §14.2). No spans and satisfiable: the header is to be
// ignored, since it is not well formed, of another unit, of an empty content, or asks for more than the whole.
func parseRange(header string, size int64) (spans []span, satisfiable bool) {
	unit, set, ok := strings.Cut(header, "=")
	if !ok || !strings.EqualFold(strings.TrimSpace(unit), "bytes") || size == 0 {
		return nil, true
	}
	asked, total := 0, int64(0)
	for spec := range strings.SplitSeq(set, ",") {
		if spec = strings.Trim(spec, " \t"); spec == "" {
			continue
		}
		s, ok := parseRangeSpec(spec, size)
		if asked++; !ok || asked > maxRanges {
			return nil, true
		}
		if s.n > 0 {
			spans = append(spans, s)
			total += s.n
		}
	}
	if asked == 0 || total > size && len(spans) > 1 {
		return nil, true
	}
	return spans, len(spans) > 0
}

// parseRangeSpec reads "first-last", "first-" or "-count". A span of no bytes lies outside.
func parseRangeSpec(spec string, size int64) (s span, ok bool) {
	first, last, ok := strings.Cut(spec, "-")
	if !ok || first == "" && last == "" {
		return span{}, false
	}
	if first == "" {
		n := rangeNumber(last)
		if n < 0 {
			return span{}, false
		}
		n = min(n, size)
		return span{size - n, n}, true
	}
	from, to := rangeNumber(first), size-1
	if last != "" {
		to = rangeNumber(last)
	}
	if from < 0 || to < 0 && last != "" || last != "" && to < from {
		return span{}, false
	}
	if from >= size {
		return span{}, true
	}
	return span{from, min(to, size-1) - from + 1}, true
}

// rangeNumber reads digits; a number too large to hold is as good as the largest. -1 for anything else.
func rangeNumber(s string) int64 {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return -1
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return maxInt64
	}
	return n
}

// verdict is what a request's conditions ask for.
type verdict uint8

const (
	deliver verdict = iota
	notModified
	failed
)

// judge evaluates the conditional headers in the order of RFC 9110 §13.2.2.
func judge(h http.Header, etag string, modified time.Time) verdict {
	if im := h.Values("If-Match"); len(im) > 0 {
		if !matchETag(im, etag, true) {
			return failed
		}
	} else if t, ok := httpTime(h.Get("If-Unmodified-Since")); ok && !modified.IsZero() && modified.Truncate(time.Second).After(t) {
		return failed
	}
	if inm := h.Values("If-None-Match"); len(inm) > 0 {
		if matchETag(inm, etag, false) {
			return notModified
		}
	} else if t, ok := httpTime(h.Get("If-Modified-Since")); ok && !modified.IsZero() && !modified.Truncate(time.Second).After(t) {
		return notModified
	}
	return deliver
}

// rangeHolds says whether If-Range lets the Range header count (RFC 9110 §13.1.5).
func rangeHolds(ifRange, etag string, modified time.Time) bool {
	if ifRange == "" {
		return true
	}
	if strings.HasPrefix(ifRange, `"`) || strings.HasPrefix(ifRange, "W/") {
		return ifRange == etag
	}
	t, ok := httpTime(ifRange)
	return ok && !modified.IsZero() && modified.Truncate(time.Second).Equal(t)
}

func httpTime(s string) (time.Time, bool) {
	if s == "" {
		return time.Time{}, false
	}
	t, err := http.ParseTime(s)
	return t, err == nil
}

// matchETag looks for etag, which is strong, in lists of entity tags (RFC 9110 §8.8.3). strong refuses weak ones.
func matchETag(lists []string, etag string, strong bool) bool {
	for _, list := range lists {
		for list != "" {
			list = strings.TrimLeft(list, " \t,")
			if strings.HasPrefix(list, "*") {
				return true
			}
			weak := strings.HasPrefix(list, "W/")
			list = strings.TrimPrefix(list, "W/")
			if !strings.HasPrefix(list, `"`) {
				break
			}
			end := strings.IndexByte(list[1:], '"')
			if end < 0 {
				break
			}
			if list[:end+2] == etag && !(strong && weak) {
				return true
			}
			list = list[end+2:]
		}
	}
	return false
}
