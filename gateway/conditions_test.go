package gateway

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParseRange(t *testing.T) {
	whole := []span(nil)
	tests := []struct {
		header string
		size   int64
		want   []span
		ok     bool
	}{
		{"bytes=0-9", 100, []span{{0, 10}}, true},
		{"bytes=0-", 100, []span{{0, 100}}, true},
		{"bytes=99-", 100, []span{{99, 1}}, true},
		{"bytes=-1", 100, []span{{99, 1}}, true},
		{"bytes=-200", 100, []span{{0, 100}}, true},
		{"bytes=90-200", 100, []span{{90, 10}}, true},
		{"BYTES = 5-6 , 8-9", 100, []span{{5, 2}, {8, 2}}, true},
		{"bytes=5-6,,8-9,", 100, []span{{5, 2}, {8, 2}}, true},
		{"bytes=5-6,200-", 100, []span{{5, 2}}, true},
		{"bytes=100-", 100, nil, false},
		{"bytes=-0", 100, nil, false},
		{"bytes=100-,200-", 100, nil, false},
		{"bytes=99999999999999999999-", 100, nil, false},
		{"bytes=0-99999999999999999999", 100, []span{{0, 100}}, true},
		{"bytes=-99999999999999999999", 100, []span{{0, 100}}, true},
		{"bytes=9-5", 100, whole, true},
		{"bytes=a-b", 100, whole, true},
		{"bytes=+1-5", 100, whole, true},
		{"bytes=--5", 100, whole, true},
		{"bytes=5", 100, whole, true},
		{"bytes=-", 100, whole, true},
		{"bytes=", 100, whole, true},
		{"bytes", 100, whole, true},
		{"seconds=1-2", 100, whole, true},
		{"bytes=0-60,0-60", 100, whole, true},
		{"bytes=0-5", 0, whole, true},
		{"bytes=" + strings.Repeat("0-0,", 65), 100, whole, true},
	}
	for _, tt := range tests {
		got, ok := parseRange(tt.header, tt.size)
		if ok != tt.ok || !slices.Equal(got, tt.want) {
			t.Errorf("parseRange(%q, %d) = %v, %v, want %v, %v", tt.header, tt.size, got, ok, tt.want, tt.ok)
		}
	}
}

func FuzzParseRange(f *testing.F) {
	f.Add("bytes=0-9,-5,7-", int64(100))
	f.Add("bytes=18446744073709551616-", int64(1))
	f.Fuzz(func(t *testing.T, header string, size int64) {
		if size < 0 {
			return
		}
		spans, ok := parseRange(header, size)
		if !ok && spans != nil {
			t.Fatalf("parseRange(%q, %d) is not satisfiable and yet %v", header, size, spans)
		}
		for _, s := range spans {
			if s.off < 0 || s.n <= 0 || s.off > size-s.n {
				t.Fatalf("parseRange(%q, %d) has %v", header, size, s)
			}
		}
	})
}

func TestJudge(t *testing.T) {
	const etag = `"abc-1"`
	modified := time.Date(2026, 1, 2, 3, 4, 5, 999, time.UTC)
	at := func(d time.Duration) string { return modified.Add(d).Format(http.TimeFormat) }
	tests := []struct {
		name  string
		h     http.Header
		want  verdict
		noMod bool
	}{
		{"nothing", http.Header{}, deliver, false},
		{"none-match same", http.Header{"If-None-Match": {etag}}, notModified, false},
		{"none-match weak", http.Header{"If-None-Match": {"W/" + etag}}, notModified, false},
		{"none-match list", http.Header{"If-None-Match": {`"x", W/"y" ,` + etag}}, notModified, false},
		{"none-match two lines", http.Header{"If-None-Match": {`"x"`, etag}}, notModified, false},
		{"none-match star", http.Header{"If-None-Match": {"*"}}, notModified, false},
		{"none-match other", http.Header{"If-None-Match": {`"x"`}}, deliver, false},
		{"none-match wins over date", http.Header{"If-None-Match": {`"x"`}, "If-Modified-Since": {at(time.Hour)}}, deliver, false},
		{"none-match unquoted", http.Header{"If-None-Match": {"abc-1"}}, deliver, false},
		{"modified-since same", http.Header{"If-Modified-Since": {at(0)}}, notModified, false},
		{"modified-since earlier", http.Header{"If-Modified-Since": {at(-time.Second)}}, deliver, false},
		{"modified-since, node gives none", http.Header{"If-Modified-Since": {at(time.Hour)}}, deliver, true},
		{"modified-since garbage", http.Header{"If-Modified-Since": {"yesterday"}}, deliver, false},
		{"match same", http.Header{"If-Match": {etag}}, deliver, false},
		{"match weak", http.Header{"If-Match": {"W/" + etag}}, failed, false},
		{"match other", http.Header{"If-Match": {`"x"`}}, failed, false},
		{"match star", http.Header{"If-Match": {"*"}}, deliver, false},
		{"match before none-match", http.Header{"If-Match": {`"x"`}, "If-None-Match": {etag}}, failed, false},
		{"unmodified-since earlier", http.Header{"If-Unmodified-Since": {at(-time.Second)}}, failed, false},
		{"unmodified-since same", http.Header{"If-Unmodified-Since": {at(0)}}, deliver, false},
	}
	for _, tt := range tests {
		m := modified
		if tt.noMod {
			m = time.Time{}
		}
		if got := judge(tt.h, etag, m); got != tt.want {
			t.Errorf("%s: judge = %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestRangeHolds(t *testing.T) {
	const etag = `"abc-1"`
	modified := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	tests := []struct {
		ifRange string
		want    bool
	}{
		{"", true},
		{etag, true},
		{"W/" + etag, false},
		{`"x"`, false},
		{modified.Format(http.TimeFormat), true},
		{modified.Add(time.Second).Format(http.TimeFormat), false},
		{"garbage", false},
	}
	for _, tt := range tests {
		if got := rangeHolds(tt.ifRange, etag, modified); got != tt.want {
			t.Errorf("rangeHolds(%q) = %v, want %v", tt.ifRange, got, tt.want)
		}
	}
}
