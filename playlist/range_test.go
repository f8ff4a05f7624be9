package playlist

import (
	"math"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

var rangeTests = []struct {
	query     string
	wantState RangeState
	wantOff   int64
	wantN     int64
}{
	{"", NoRange, 0, 0},
	{"x=1&y=2", NoRange, 0, 0},
	{"range=1,2", Valid, 1, 2},
	{"range=1%2C2", Valid, 1, 2},
	{"range=1%2c2", Valid, 1, 2},
	{"range=0,0", Valid, 0, 0},
	{"range=007,010", Valid, 7, 10},
	{"x=1&range=30,40&y=2", Valid, 30, 40},
	{"&&range=30,40&", Valid, 30, 40},
	{"range=9223372036854775807,0", Valid, math.MaxInt64, 0},
	{"range=0,9223372036854775807", Valid, 0, math.MaxInt64},
	{"range=9223372036854775806,1", Valid, math.MaxInt64 - 1, 1},

	{"range=9223372036854775807,1", BadRange, 0, 0},
	{"range=1,9223372036854775807", BadRange, 0, 0},
	{"range=9223372036854775808,0", BadRange, 0, 0},
	{"range=99999999999999999999999999,0", BadRange, 0, 0},
	{"range=18446744073709551617,1", BadRange, 0, 0},
	{"range", BadRange, 0, 0},
	{"range=", BadRange, 0, 0},
	{"range=1", BadRange, 0, 0},
	{"range=1,", BadRange, 0, 0},
	{"range=,2", BadRange, 0, 0},
	{"range=,", BadRange, 0, 0},
	{"range=-1,2", BadRange, 0, 0},
	{"range=1,-2", BadRange, 0, 0},
	{"range=+1,2", BadRange, 0, 0},
	{"range= 1,2", BadRange, 0, 0},
	{"range=1, 2", BadRange, 0, 0},
	{"range=1,2 ", BadRange, 0, 0},
	{"range=1,2,3", BadRange, 0, 0},
	{"range=1-2", BadRange, 0, 0},
	{"range=1%2B2", BadRange, 0, 0},
	{"range=%31,2", BadRange, 0, 0},
	{"range=0x1,2", BadRange, 0, 0},
	{"range=1_0,2", BadRange, 0, 0},
	{"range=1.0,2", BadRange, 0, 0},
	{"range=1e3,2", BadRange, 0, 0},
	{"range=١,٢", BadRange, 0, 0},
	{"range==1,2", BadRange, 0, 0},
	{"range=1,2&range=1,2", BadRange, 0, 0},
	{"range=1,2&x&range", BadRange, 0, 0},
	{"range=x&range=1,2", BadRange, 0, 0},

	{"Range=1,2", NoRange, 0, 0},
	{"r%61nge=1,2", NoRange, 0, 0},
	{"ranges=1,2", NoRange, 0, 0},
	{"xrange=1,2", NoRange, 0, 0},
	{"range%3D1,2", NoRange, 0, 0},
	{"x=range=1,2", NoRange, 0, 0},
	{"x=1;range=1,2", NoRange, 0, 0},
}

func TestParseRange(t *testing.T) {
	for _, tt := range rangeTests {
		off, n, state := ParseRange(tt.query)
		if off != tt.wantOff || n != tt.wantN || state != tt.wantState {
			t.Errorf("ParseRange(%q) = %d, %d, %d, want %d, %d, %d",
				tt.query, off, n, state, tt.wantOff, tt.wantN, tt.wantState)
		}
	}
}

// net/url and strconv, where they accept a query, must agree.
func FuzzParseRange(f *testing.F) {
	for _, tt := range rangeTests {
		f.Add(tt.query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		off, n, state := ParseRange(query)
		if off < 0 || n < 0 || off > math.MaxInt64-n {
			t.Fatalf("ParseRange(%q) = %d, %d: no range", query, off, n)
		}
		if state != Valid && (off != 0 || n != 0) {
			t.Fatalf("ParseRange(%q) = %d, %d, %d", query, off, n, state)
		}
		if kept := withoutRange(query); len(kept) > len(query) || stateOf(kept) != NoRange {
			t.Fatalf("withoutRange(%q) = %q", query, kept)
		}
		if state == NoRange && withoutRange(query) != query {
			t.Fatalf("withoutRange(%q) = %q, want it unchanged", query, withoutRange(query))
		}
		values, err := url.ParseQuery(query)
		if err != nil || state != Valid {
			return
		}
		first, second, _ := strings.Cut(values["range"][0], ",")
		wantOff, err1 := strconv.ParseInt(first, 10, 64)
		wantN, err2 := strconv.ParseInt(second, 10, 64)
		if err1 != nil || err2 != nil || off != wantOff || n != wantN {
			t.Fatalf("ParseRange(%q) = %d, %d, want %s", query, off, n, values["range"][0])
		}
	})
}

func stateOf(query string) RangeState {
	_, _, state := ParseRange(query)
	return state
}
