package origin

import (
	"net/netip"
	"testing"
	"time"
)

func TestPublic(t *testing.T) {
	tests := map[string]bool{
		"93.184.216.34": true, "2606:2800:220:1::1": true, "8.8.8.8": true,
		"127.0.0.1": false, "10.1.2.3": false, "172.16.0.1": false, "172.31.255.255": false, "192.168.1.1": false,
		"169.254.169.254": false, "100.64.0.1": false, "0.0.0.0": false, "224.0.0.1": false, "255.255.255.255": false,
		"::1": false, "::": false, "fe80::1": false, "fc00::1": false, "fd12::1": false, "ff02::1": false,
		"::ffff:10.0.0.1": false, "::ffff:8.8.8.8": false, "64:ff9b::a00:1": false, "2002:a00:1::": false, "2001:0:1::": false, "2001:2::1": false, "3fff::1": false, "5f00::1": false, "2001:200::1": true,
		"172.32.0.1": true, "100.128.0.1": true,
	}
	for s, want := range tests {
		if got := public(netip.MustParseAddr(s)); got != want {
			t.Errorf("public(%s) = %v, want %v", s, got, want)
		}
	}
}

func TestParseContentRange(t *testing.T) {
	tests := []struct {
		h            string
		off, n, size int64
		ok           bool
	}{
		{"bytes 0-9/100", 0, 10, 100, true},
		{"Bytes 5-5/6", 5, 1, 6, true},
		{"bytes 0-9/*", 0, 10, -1, true},
		{"bytes 9-0/100", 0, 0, 0, false},
		{"bytes 0-100/100", 0, 0, 0, false},
		{"bytes */100", 0, 0, 0, false},
		{"bytes 0-9223372036854775807/*", 0, 0, 0, false},
		{"bytes 0-99999999999999999999/*", 0, 0, 0, false},
		{"bytes -1-5/9", 0, 0, 0, false},
		{"items 0-9/100", 0, 0, 0, false},
		{"", 0, 0, 0, false},
	}
	for _, tt := range tests {
		off, n, size, ok := parseContentRange(tt.h)
		if ok != tt.ok || ok && (off != tt.off || n != tt.n || size != tt.size) {
			t.Errorf("parseContentRange(%q) = %d, %d, %d, %v", tt.h, off, n, size, ok)
		}
	}
}

func FuzzParseContentRange(f *testing.F) {
	f.Add("bytes 0-9/100")
	f.Add("bytes 0-9/*")
	f.Fuzz(func(t *testing.T, h string) {
		off, n, size, ok := parseContentRange(h)
		if ok && (off < 0 || n <= 0 || size >= 0 && off+n > size || off+n < 0) {
			t.Errorf("parseContentRange(%q) = %d, %d, %d", h, off, n, size)
		}
	})
}

func TestRetryAfterForms(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for h, want := range map[string]time.Duration{
		"5": 5 * time.Second, "0": 0, "-5": 0, "": 0, "soon": 0, "99999999": time.Hour, "99999999999999999999": 0, "+5": 0,
		"Fri, 02 Jan 2026 03:04:15 GMT": 10 * time.Second, "Fri, 02 Jan 2026 03:00:00 GMT": 0, "Fri, 02 Jan 2099 03:00:00 GMT": time.Hour,
	} {
		if got := retryAfter(h, now); got != want {
			t.Errorf("retryAfter(%q) = %v, want %v", h, got, want)
		}
	}
}
