package playlist

import (
	"math"
	"strings"
)

// rangeParam is the name of the query parameter that makes a URI a range link.
const rangeParam = "range"

// RangeState says what the query of a URI holds.
type RangeState uint8

const (
	NoRange  RangeState = iota // no range parameter
	Valid                      // exactly one, well formed
	BadRange                   // missing value, repeated, negative, overflowing, not decimal
)

// ParseRange reads the range parameter of a raw query (without '?'):
// range=<offset>,<size>, both in bytes, in decimal digits only (leading zeros
// are allowed), with ',' or "%2C" between them. The parameter's name is taken
// literally: an encoded one (r%61nge) is another parameter, as is Range.
// off and n are 0 unless state is Valid; then off+n does not overflow.
func ParseRange(rawQuery string) (off, n int64, state RangeState) {
	for rest, more := rawQuery, rawQuery != ""; more; {
		param := rest
		i := strings.IndexByte(rest, '&')
		if more = i >= 0; more {
			param, rest = rest[:i], rest[i+1:]
		}
		if !isRangeParam(param) {
			continue
		}
		if state != NoRange {
			return 0, 0, BadRange
		}
		var ok bool
		if off, n, ok = parseRangeValue(strings.TrimPrefix(param[len(rangeParam):], "=")); ok {
			state = Valid
		} else {
			state = BadRange
		}
	}
	return off, n, state
}

// isRangeParam says whether one parameter of a query is range, with or without
// a value.
func isRangeParam(param string) bool {
	name, ok := strings.CutPrefix(param, rangeParam)
	return ok && (name == "" || name[0] == '=')
}

// withoutRange is a raw query without its range parameters.
func withoutRange(rawQuery string) string {
	if !strings.Contains(rawQuery, rangeParam) {
		return rawQuery
	}
	var kept []byte
	first := true
	for rest, more := rawQuery, true; more; {
		var param string
		param, rest, more = strings.Cut(rest, "&")
		if isRangeParam(param) {
			continue
		}
		if !first {
			kept = append(kept, '&')
		}
		kept = append(kept, param...)
		first = false
	}
	return string(kept)
}

func parseRangeValue(value string) (off, n int64, ok bool) {
	off, rest, ok := parseDigits(value)
	if !ok {
		return 0, 0, false
	}
	switch {
	case strings.HasPrefix(rest, ","):
		rest = rest[1:]
	case strings.HasPrefix(rest, "%2C"), strings.HasPrefix(rest, "%2c"):
		rest = rest[3:]
	default:
		return 0, 0, false
	}
	n, rest, ok = parseDigits(rest)
	if !ok || rest != "" || n > math.MaxInt64-off {
		return 0, 0, false
	}
	return off, n, true
}

// parseDigits reads the decimal digits that s starts with. It is not ok when
// there are none or they do not fit an int64.
func parseDigits(s string) (v int64, rest string, ok bool) {
	i := 0
	for ; i < len(s) && i < 18; i++ { // 18 digits fit
		d := s[i] - '0'
		if d > 9 {
			return v, s[i:], i > 0
		}
		v = v*10 + int64(d)
	}
	for ; i < len(s) && s[i]-'0' <= 9; i++ {
		if v > math.MaxInt64/10 {
			return 0, "", false
		}
		if v = v*10 + int64(s[i]-'0'); v < 0 { // one digit past MaxInt64
			return 0, "", false
		}
	}
	return v, s[i:], i > 0
}
