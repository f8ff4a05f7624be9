package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestMainPlaylist(t *testing.T) {
	gone := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v/s/film.zip":
			w.Header().Set("Location", "film.zip/a%20b/master.m3u8")
			w.WriteHeader(http.StatusFound)
		case "/v/s/none.zip":
			w.WriteHeader(http.StatusNotFound)
			io.WriteString(w, `{"status":404,"code":"not-found-playlist","detail":"No playlist."}`)
		case "/v/s/odd.zip":
			io.WriteString(w, "hello")
		case "/v/s/slow.zip":
			<-gone
		}
	}))
	defer server.Close()
	defer close(gone)
	tests := []struct {
		archive, want, wantErr string
		lasting                bool
		within                 time.Duration
	}{
		{"film.zip", "/v/s/film.zip/a%20b/master.m3u8", "", false, time.Minute},
		{"none.zip", "/v/s/none.zip", "No playlist. (not-found-playlist)", true, time.Minute},
		{"odd.zip", "/v/s/odd.zip", "the gateway answered 200 OK", false, time.Minute},
		{"slow.zip", "/v/s/slow.zip", "storage has not answered in time", false, time.Millisecond},
	}
	for _, tt := range tests {
		ctx, cancel := context.WithTimeout(t.Context(), tt.within)
		got, err := mainPlaylist(ctx, archiveURL(server.URL, "s", tt.archive))
		if got != server.URL+tt.want {
			t.Errorf("mainPlaylist(%s) = %q, want %q", tt.archive, got, server.URL+tt.want)
		}
		if (err == nil) != (tt.wantErr == "") || err != nil && !strings.HasPrefix(err.Error(), tt.wantErr) {
			t.Errorf("mainPlaylist(%s): error %v, want %q", tt.archive, err, tt.wantErr)
		}
		if isLasting(err) != tt.lasting {
			t.Errorf("isLasting(%v) = %v", err, !tt.lasting)
		}
		cancel()
	}
}

func TestURLsOfArchives(t *testing.T) {
	const name = "a b/c+d%e#f?.zip"
	if got, want := archiveURL("http://h", "s", name), "http://h/v/s/a%20b/c+d%25e%23f%3F.zip"; got != want {
		t.Errorf("archiveURL = %q, want %q", got, want)
	}
	if got, want := pageURL("http://h", "s", name), "http://h/#/s/a%20b/c+d%25e%23f%3F.zip"; got != want {
		t.Errorf("pageURL = %q, want %q", got, want)
	}
}
