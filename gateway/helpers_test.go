package gateway_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"go.uber.org/goleak"

	"zipreel/gateway"
	"zipreel/gateway/origin"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// file is one entry of a test archive.
type file struct {
	name string
	data []byte
}

// makeZip stores files as packers do: sizes in the local headers, no descriptors. It answers where each file's data starts.
func makeZip(t testing.TB, files ...file) (archive []byte, offsets map[string]int64) {
	t.Helper()
	var buf bytes.Buffer
	zw := zip.NewWriter(&buf)
	for _, f := range files {
		w, err := zw.CreateRaw(&zip.FileHeader{
			Name: f.name, Method: zip.Store, CRC32: crc32.ChecksumIEEE(f.data),
			CompressedSize64: uint64(len(f.data)), UncompressedSize64: uint64(len(f.data)),
		})
		if err != nil {
			t.Fatal(err)
		}
		w.Write(f.data)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes(), dataOffsets(t, buf.Bytes())
}

func dataOffsets(t testing.TB, archive []byte) map[string]int64 {
	t.Helper()
	zr, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	offsets := map[string]int64{}
	for _, f := range zr.File {
		off, err := f.DataOffset()
		if err != nil {
			t.Fatal(err)
		}
		offsets[f.Name] = off
	}
	return offsets
}

// pattern is n bytes that differ by seed and place.
func pattern(seed, n int) []byte {
	b := make([]byte, n)
	x := uint32(seed)*2654435761 + 1
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return b
}

// transportStream is a segment that sniffs as one.
func transportStream(seed, packets int) []byte {
	b := pattern(seed, packets*188)
	for i := 0; i < len(b); i += 188 {
		b[i] = 0x47
	}
	return b
}

// fixture is a gateway over one source "films" in memory.
type fixture struct {
	*gateway.Gateway
	t     testing.TB
	films *origin.Memory
}

func newFixture(t testing.TB, change ...func(*gateway.Config)) *fixture {
	t.Helper()
	films := origin.NewMemory()
	cfg := gateway.Config{Sources: []gateway.Source{{Name: "films", Origin: films}}}
	for _, c := range change {
		c(&cfg)
	}
	g, err := gateway.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	return &fixture{g, t, films}
}

// get asks for a path; headers come in pairs.
func (f *fixture) get(path string, headers ...string) *http.Response {
	return f.do(http.MethodGet, path, headers...)
}

func (f *fixture) do(method, path string, headers ...string) *http.Response {
	f.t.Helper()
	r := httptest.NewRequest(method, "http://localhost"+path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	return w.Result()
}

func body(t testing.TB, res *http.Response) []byte {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// wantBody checks status and bytes.
func wantBody(t testing.TB, res *http.Response, status int, want []byte) {
	t.Helper()
	got := body(t, res)
	if res.StatusCode != status {
		t.Fatalf("status %d, want %d: %.300s", res.StatusCode, status, got)
	}
	if !bytes.Equal(got, want) {
		if len(want) < 2000 {
			t.Fatalf("body\n%s\nwant\n%s", got, want)
		}
		t.Fatalf("body of %d bytes differs from the %d bytes wanted", len(got), len(want))
	}
}

// wantProblem checks an error answer in all its parts.
func wantProblem(t testing.TB, res *http.Response, status int, code string) {
	t.Helper()
	var p struct {
		Type, Title, Code, Detail string
		Status                    int
	}
	b := body(t, res)
	if res.StatusCode != status {
		t.Fatalf("status %d, want %d %s: %.300s", res.StatusCode, status, code, b)
	}
	if err := json.Unmarshal(b, &p); err != nil {
		t.Fatalf("body is no JSON: %v: %.300s", err, b)
	}
	if p.Code != code || p.Status != status || p.Type == "" || p.Title == "" || p.Detail == "" {
		t.Errorf("problem %+v, want code %s, status %d and all members", p, code, status)
	}
	wantHeader(t, res, "Content-Type", "application/problem+json")
	wantHeader(t, res, "Access-Control-Allow-Origin", "*")
	if retry := res.Header.Get("Retry-After"); (retry != "") != (status == 503) {
		t.Errorf("Retry-After %q with status %d", retry, status)
	}
}

func wantHeader(t testing.TB, res *http.Response, key, want string) {
	t.Helper()
	if got := res.Header.Get(key); got != want {
		t.Errorf("%s: %q, want %q", key, got, want)
	}
}

// blockingOrigin holds every read back until it is released.
type blockingOrigin struct {
	origin.Origin
	release chan struct{}
}

func (b blockingOrigin) Read(ctx context.Context, name string, off, n int64, want *origin.Validator) (*origin.Body, error) {
	select {
	case <-b.release:
		return b.Origin.Read(ctx, name, off, n, want)
	case <-ctx.Done():
		return nil, &origin.Error{Kind: origin.ErrTimeout, Archive: name, Off: off, N: n, Err: context.Cause(ctx)}
	}
}

func rangeOf(off int64, n int) string { return fmt.Sprintf("range=%d,%d", off, n) }

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

func crcOf(b []byte) uint32 { return crc32.ChecksumIEEE(b) }
