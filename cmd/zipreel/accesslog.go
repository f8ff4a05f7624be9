package main

import (
	"log/slog"
	"net/http"
	"time"
)

// logRequests logs every request when its answer has ended. Queries are left out: they may be signed.
func logRequests(log *slog.Logger, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		counted := &countedWriter{ResponseWriter: w}
		ended := false
		defer func() {
			log.LogAttrs(r.Context(), slog.LevelInfo, "request",
				slog.String("remote", r.RemoteAddr), slog.String("method", r.Method), slog.String("path", r.URL.EscapedPath()),
				slog.String("range", r.Header.Get("Range")), slog.Int("status", counted.status), slog.Int64("bytes", counted.bytes),
				slog.Float64("ms", float64(time.Since(began).Microseconds())/1000), slog.Bool("cut", !ended))
		}()
		h.ServeHTTP(counted, r)
		ended = true
	})
}

// countedWriter remembers what was answered.
type countedWriter struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *countedWriter) WriteHeader(status int) {
	if w.status == 0 || w.status < 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *countedWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// Unwrap is for http.ResponseController.
func (w *countedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
