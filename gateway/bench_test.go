package gateway_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// nothingWriter is a viewer that takes everything and keeps nothing.
type nothingWriter struct{ h http.Header }

func (w *nothingWriter) Header() http.Header       { return w.h }
func (*nothingWriter) Write(p []byte) (int, error) { return len(p), nil }
func (*nothingWriter) WriteHeader(int)             {}

// BenchmarkCached is what an answer from memory costs, but for the server's own share.
func BenchmarkCached(b *testing.B) {
	archive, _ := makeZip(b,
		file{"v/seg_00001.m4s", pattern(1, 1<<20)},
		file{"v/index.m3u8", []byte("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nseg_00001.m4s\n#EXT-X-ENDLIST\n")},
	)
	f := newFixture(b)
	f.films.Set("bbb.zip", archive, `"1"`)
	for _, path := range []string{"/v/films/bbb.zip/v/index.m3u8", "/v/films/bbb.zip/v/seg_00001.m4s"} {
		b.Run(path[len(path)-4:], func(b *testing.B) {
			if res := f.get(path); res.StatusCode != 200 {
				b.Fatal(res.Status)
			}
			r := httptest.NewRequest("GET", "http://localhost"+path, nil)
			w := &nothingWriter{http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				clear(w.h)
				f.ServeHTTP(w, r)
			}
		})
	}
}
