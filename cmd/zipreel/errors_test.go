package main

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
)

func TestFileError(t *testing.T) {
	tests := []struct {
		err  error
		want string
	}{
		{&fs.PathError{Op: "open", Path: "x", Err: fs.ErrNotExist}, "open film.zip: there is no such file; check the path"},
		{&fs.PathError{Op: "open", Path: "x", Err: fs.ErrPermission}, "open film.zip: permission denied; run as a user who may read it, or change its mode"},
		{&fs.PathError{Op: "open", Path: "x", Err: errors.New("too many open files")}, "open film.zip: too many open files"},
	}
	for _, tt := range tests {
		if got := fileError("open", "film.zip", tt.err).Error(); got != tt.want {
			t.Errorf("fileError(%v) = %q, want %q", tt.err, got, tt.want)
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"listen", "admin_listen", "memory", "host", "url"}
	tests := []struct {
		word string
		want []string
	}{
		{"listn", []string{"listen"}},
		{"LISTEN", []string{"listen"}},
		{"ulr", []string{"url"}},
		{"hosts", []string{"host"}},
		{"x", nil},
		{"cache", nil},
	}
	for _, tt := range tests {
		if got := nearest(tt.word, known); !slices.Equal(got, tt.want) {
			t.Errorf("nearest(%q) = %q, want %q", tt.word, got, tt.want)
		}
	}
}

func TestDistance(t *testing.T) {
	tests := []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"a", "", 1}, {"", "ab", 2}, {"kitten", "sitting", 3}, {"same", "same", 0}, {"ab", "ba", 2},
	}
	for _, tt := range tests {
		if got := distance(tt.a, tt.b); got != tt.want {
			t.Errorf("distance(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
		if distance(tt.a, tt.b) != distance(tt.b, tt.a) {
			t.Errorf("distance(%q, %q) depends on the order", tt.a, tt.b)
		}
	}
}

func TestOverviewNamesEveryCommand(t *testing.T) {
	for _, command := range newParser().Model.Children {
		if !strings.Contains(overview, "\n  "+command.Name+" ") && !strings.Contains(overview, "· "+command.Name) {
			t.Errorf("the overview does not name %s", command.Name)
		}
		if command.Name != "version" && command.Name != "help" && command.Detail == "" {
			t.Errorf("zipreel %s --help has no examples", command.Name)
		}
	}
}

func TestPrintable(t *testing.T) {
	tests := []struct{ name, want string }{
		{"720p/seg 1.ts", "720p/seg 1.ts"},
		{"фильм.m3u8", "фильм.m3u8"},
		{"a\x1b[2Jb", `a\x1b[2Jb`},
		{"\u202etxt", `\u202etxt`},
		{"a\u0085b", `a\u0085b`},
		{"a\"b\\c\xff", `a"b\c\xff`},
	}
	for _, tt := range tests {
		if got := printable(tt.name); got != tt.want {
			t.Errorf("printable(%q) = %s, want %s", tt.name, got, tt.want)
		}
	}
}
