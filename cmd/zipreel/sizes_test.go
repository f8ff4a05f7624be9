package main

import (
	"strings"
	"testing"
	"time"
)

func TestSize(t *testing.T) {
	tests := []struct {
		in      string
		want    size
		wantErr string // part of it
	}{
		{in: "512MiB", want: 512 << 20},
		{in: "2GB", want: 2e9},
		{in: "1.5GiB", want: 3 << 29},
		{in: "64 kib", want: 64 << 10},
		{in: "1TiB", want: 1 << 40},
		{in: "65536", want: 65536},
		{in: "1B", want: 1},
		{in: "0.5KiB", want: 512},
		{in: "512M", wantErr: "its unit must be"},
		{in: "5 bananas", wantErr: "its unit must be"},
		{in: "", wantErr: "write a number"},
		{in: "MiB", wantErr: "write a number"},
		{in: "-1MiB", wantErr: "write a number"},
		{in: "1e3MiB", wantErr: "write a number"},
		{in: "0x10", wantErr: "write a number"},
		{in: "1.2.3GB", wantErr: "write a number"},
		{in: "0", wantErr: "at least 1 byte"},
		{in: "0.1B", wantErr: "at least 1 byte"},
		{in: "9000000TiB", wantErr: "less than 8 EiB"},
		{in: "inf", wantErr: "its unit must be"},
	}
	for _, tt := range tests {
		var got size
		err := got.UnmarshalText([]byte(tt.in))
		if (err == nil) != (tt.wantErr == "") || err != nil && !strings.Contains(err.Error(), tt.wantErr) {
			t.Errorf("size %q: error %v, want one with %q", tt.in, err, tt.wantErr)
		}
		if err == nil && got != tt.want {
			t.Errorf("size %q = %d, want %d", tt.in, got, tt.want)
		}
	}
}

func TestDuration(t *testing.T) {
	tests := []struct {
		in      string
		want    time.Duration
		wantErr bool
	}{
		{in: "1.5s", want: 1500 * time.Millisecond},
		{in: "6h", want: 6 * time.Hour},
		{in: "1h30m", want: 90 * time.Minute},
		{in: "60", wantErr: true},
		{in: "0s", wantErr: true},
		{in: "-1s", wantErr: true},
		{in: "soon", wantErr: true},
		{in: "", wantErr: true},
	}
	for _, tt := range tests {
		var got duration
		err := got.UnmarshalText([]byte(tt.in))
		if (err != nil) != tt.wantErr {
			t.Errorf("duration %q: error %v, want one: %v", tt.in, err, tt.wantErr)
		}
		if err == nil && time.Duration(got) != tt.want {
			t.Errorf("duration %q = %v, want %v", tt.in, time.Duration(got), tt.want)
		}
	}
}

func TestFormatBytes(t *testing.T) {
	tests := []struct {
		n    int64
		want string
	}{
		{0, "0 B"}, {1023, "1023 B"}, {1024, "1.00 KiB"}, {1 << 20, "1.00 MiB"}, {15 << 20, "15.0 MiB"},
		{512 << 20, "512 MiB"}, {3 << 29, "1.50 GiB"}, {1 << 40, "1.00 TiB"}, {5000 << 40, "5000 TiB"},
	}
	for _, tt := range tests {
		if got := formatBytes(tt.n); got != tt.want {
			t.Errorf("formatBytes(%d) = %q, want %q", tt.n, got, tt.want)
		}
	}
}

func TestSizeOrOff(t *testing.T) {
	for text, want := range map[string]sizeOrOff{"off": -1, "16MiB": 16 << 20, "1": 1} {
		var got sizeOrOff
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%q is %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "0", "-1", "on", "OFF "} {
		var got sizeOrOff
		if err := got.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is %d, want an error", text, got)
		}
	}
}
