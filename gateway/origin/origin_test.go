package origin_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"zipreel/gateway/origin"
	"zipreel/gateway/origin/origintest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newHTTP(t *testing.T, cfg origin.HTTPConfig) *origin.HTTP {
	t.Helper()
	cfg.AllowPrivate = true
	o, err := origin.NewHTTP(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	return o
}

func TestConformance(t *testing.T) {
	t.Run("memory", func(t *testing.T) {
		origintest.Run(t, func(*testing.T) origintest.Fixture {
			m, version := origin.NewMemory(), byte('a')
			return origintest.Fixture{Origin: m, Set: func(_ *testing.T, name string, data []byte) {
				version++
				m.Set(name, data, `"`+string(version)+`"`)
			}}
		})
	})
	t.Run("dir", func(t *testing.T) {
		origintest.Run(t, func(t *testing.T) origintest.Fixture {
			dir := t.TempDir()
			d, err := origin.NewDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { d.Close() })
			return origintest.Fixture{Origin: d, Set: func(t *testing.T, name string, data []byte) {
				writeFile(t, filepath.Join(dir, name), data)
			}}
		})
	})
	for name, fault := range map[string]origintest.Fault{
		"http":            {},
		"http, weak etag": {Weak: true},
		"http, no etag":   {NoETag: true},
		"http, no suffix": {NoSuffix: true},
		"http, no 412":    {IgnoreIfMatch: true},
		"http, whole":     {Whole: true},
	} {
		t.Run(name, func(t *testing.T) {
			origintest.Run(t, func(t *testing.T) origintest.Fixture {
				n := origintest.NewNode(t, nil)
				n.Set(fault)
				return origintest.Fixture{
					Origin: newHTTP(t, origin.HTTPConfig{Base: n.URL}),
					Set:    func(_ *testing.T, name string, data []byte) { n.Put(name, data) },
				}
			})
		})
	}
}

func writeFile(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".new", data, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// TestHTTPFaults: what a node does, what kind of error it is, and how many requests it costs.
func TestHTTPFaults(t *testing.T) {
	big := origintest.Data(0, 6<<20)
	tests := map[string]struct {
		fault    origintest.Fault
		want     error
		requests int
	}{
		"404":                {origintest.Fault{Status: 404}, origin.ErrNotFound, 1},
		"410":                {origintest.Fault{Status: 410}, origin.ErrNotFound, 1},
		"401":                {origintest.Fault{Status: 401}, origin.ErrDenied, 1},
		"403":                {origintest.Fault{Status: 403}, origin.ErrDenied, 1},
		"500":                {origintest.Fault{Status: 500}, origin.ErrUnavailable, 1},
		"503":                {origintest.Fault{Status: 503}, origin.ErrUnavailable, 1},
		"416":                {origintest.Fault{Status: 416}, origin.ErrBadRange, 1},
		"412":                {origintest.Fault{Status: 412}, origin.ErrChanged, 1},
		"whole, far in":      {origintest.Fault{Whole: true}, origin.ErrNoRange, 1},
		"another range":      {origintest.Fault{Shift: 1}, origin.ErrBadRange, 1},
		"another total":      {origintest.Fault{Total: 100}, origin.ErrBadRange, 1},
		"several ranges":     {origintest.Fault{Multipart: true}, origin.ErrBadRange, 1},
		"coded":              {origintest.Fault{Coded: true}, origin.ErrBadRange, 1},
		"no content range":   {origintest.Fault{NoContentRange: true}, origin.ErrBadRange, 1},
		"redirect loop":      {origintest.Fault{Redirect: "/big.zip"}, origin.ErrRedirect, 4},
		"redirect elsewhere": {origintest.Fault{Redirect: "ftp://x.example/"}, origin.ErrRedirect, 1},
		"cut":                {origintest.Fault{CutAt: 500}, origin.ErrUnavailable, 1},
		"stalled":            {origintest.Fault{StallAt: 500}, origin.ErrTimeout, 1},
		"headers never come": {origintest.Fault{HangHeaders: true}, origin.ErrTimeout, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			n := origintest.NewNode(t, map[string][]byte{"big.zip": big})
			n.Set(tt.fault)
			o := newHTTP(t, origin.HTTPConfig{Base: n.URL, HeaderWithin: 100 * time.Millisecond, StallAfter: 100 * time.Millisecond})
			body, err := o.Read(t.Context(), "big.zip", 5<<20, 100_000, nil)
			if err == nil {
				_, err = io.ReadAll(body)
				body.Close()
			}
			if !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			var oe *origin.Error
			if !errors.As(err, &oe) {
				t.Errorf("%T is no *origin.Error", err)
			}
			if got := len(n.Requests()); got != tt.requests {
				t.Errorf("%d requests, want %d", got, tt.requests)
			}
		})
	}
}

func TestHTTPAsksPlainly(t *testing.T) {
	n := origintest.NewNode(t, map[string][]byte{"a.zip": origintest.Data(0, 1000)})
	o := newHTTP(t, origin.HTTPConfig{Base: n.URL, Header: http.Header{"Authorization": {"Bearer x"}}})
	body, err := o.Read(t.Context(), "a.zip", origin.Tail, 100, nil)
	if err != nil {
		t.Fatal(err)
	}
	body.Close()
	v := body.Validator
	body, err = o.Read(t.Context(), "a.zip", 10, 20, &v)
	if err != nil {
		t.Fatal(err)
	}
	body.Close()
	want := []origintest.Request{
		{Method: "GET", Path: "/a.zip", Range: "bytes=-100", AcceptEncoding: "identity", Authorization: "Bearer x"},
		{Method: "GET", Path: "/a.zip", Range: "bytes=10-29", IfMatch: v.ETag, AcceptEncoding: "identity", Authorization: "Bearer x"},
	}
	got := n.Requests()
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("asked %+v, want %+v", got, want)
	}
}

func TestSuffixRefusalIsRemembered(t *testing.T) {
	n := origintest.NewNode(t, map[string][]byte{"a.zip": origintest.Data(0, 100_000)})
	n.Set(origintest.Fault{NoSuffix: true})
	o := newHTTP(t, origin.HTTPConfig{Base: n.URL})
	for i, want := range []int{3, 2, 2} {
		before := len(n.Requests())
		body, err := o.Read(t.Context(), "a.zip", origin.Tail, 1000, nil)
		if err != nil {
			t.Fatal(err)
		}
		body.Close()
		if got := len(n.Requests()) - before; got != want {
			t.Errorf("tail %d took %d requests, want %d", i, got, want)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	n := origintest.NewNode(t, nil)
	n.Set(origintest.Fault{Status: 429, RetryAfter: "17"})
	_, err := newHTTP(t, origin.HTTPConfig{Base: n.URL}).Read(t.Context(), "a.zip", 0, 1, nil)
	var oe *origin.Error
	if !errors.As(err, &oe) || oe.RetryAfter != 17*time.Second {
		t.Errorf("%v: Retry-After %v, want 17 s", err, oe.RetryAfter)
	}
}

// TestRedirectTargetIsKept until it is refused, or the archive is asked for whatever its state; credentials stay with their host.
func TestRedirectTargetIsKept(t *testing.T) {
	data := origintest.Data(0, 50_000)
	signed := origintest.NewNode(t, map[string][]byte{"signed": data})
	front := origintest.NewNode(t, nil)
	front.Set(origintest.Fault{Redirect: signed.URL + "signed?token=1"})
	o := newHTTP(t, origin.HTTPConfig{Base: front.URL, Header: http.Header{"Authorization": {"Bearer x"}}})
	var v *origin.Validator
	read := func() {
		t.Helper()
		body, err := o.Read(t.Context(), "a.zip", 100, 100, v)
		if err != nil {
			t.Fatal(err)
		}
		defer body.Close()
		v = &body.Validator
		if got, _ := io.ReadAll(body); !bytes.Equal(got, data[100:200]) {
			t.Error("other bytes")
		}
	}
	read()
	read()
	if f, s := len(front.Requests()), len(signed.Requests()); f != 1 || s != 2 {
		t.Errorf("%d requests to the front, %d to the target, want 1 and 2", f, s)
	}
	for _, r := range signed.Requests() {
		if r.Authorization != "" {
			t.Errorf("the credential crossed to another host: %+v", r)
		}
	}
	renewed := origintest.NewNode(t, map[string][]byte{"again": data})
	front.Set(origintest.Fault{Redirect: renewed.URL + "again"})
	signed.Set(origintest.Fault{Status: 403})
	loose := v.SizeOnly() // the other node has another ETag
	v = &loose
	read()
	if s := len(renewed.Requests()); s != 1 {
		t.Errorf("%d requests to the renewed target, want 1", s)
	}
}

func TestPrivateAddressesAreRefused(t *testing.T) {
	n := origintest.NewNode(t, map[string][]byte{"a.zip": origintest.Data(0, 1000)})
	o, err := origin.NewHTTP(origin.HTTPConfig{Base: n.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	if _, err := o.Read(t.Context(), "a.zip", 0, 10, nil); err == nil || !strings.Contains(err.Error(), "allow_private") {
		t.Errorf("error %v, want one that names allow_private", err)
	}
	if len(n.Requests()) != 0 {
		t.Error("it was asked all the same")
	}
}

func TestErrorsHoldNoSecret(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	url := strings.Replace(server.URL, "http://", "http://user:hunter2@", 1) + "/a.zip?signature=secret"
	o := newHTTP(t, origin.HTTPConfig{Base: url})
	if o.Name() != "a.zip" {
		t.Errorf("the archive is named %q", o.Name())
	}
	_, err := o.Read(t.Context(), "a.zip", 0, 10, nil)
	server.Close()
	_, err2 := o.Read(t.Context(), "a.zip", 0, 10, nil)
	for _, err := range []error{err, err2} {
		if err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("error %v", err)
		}
	}
	if !errors.Is(err2, origin.ErrUnavailable) {
		t.Errorf("a dead node: %v, want ErrUnavailable", err2)
	}
}

func TestTLSAndDNS(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	server.Config.ErrorLog = nil
	if _, err := newHTTP(t, origin.HTTPConfig{Base: server.URL + "/"}).Read(t.Context(), "a.zip", 0, 1, nil); !errors.Is(err, origin.ErrTLS) {
		t.Errorf("unknown certificate: %v, want ErrTLS", err)
	}
	if _, err := newHTTP(t, origin.HTTPConfig{Base: "http://no-such-host.invalid/"}).Read(t.Context(), "a.zip", 0, 1, nil); !errors.Is(err, origin.ErrDNS) {
		t.Errorf("unknown host: %v, want ErrDNS", err)
	}
}

func TestDir(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "secret.zip")
	writeFile(t, outside, []byte("secret"))
	for _, p := range []string{"b.zip", "sub/a.ZIP", "notes.txt", ".hidden/c.zip"} {
		writeFile(t, filepath.Join(dir, p), origintest.Data(0, 100))
	}
	os.Symlink(outside, filepath.Join(dir, "link.zip"))
	os.Symlink("b.zip", filepath.Join(dir, "inside.zip"))
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.zip"), 0o644); err != nil {
		t.Fatal(err)
	}
	d, err := origin.NewDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	list, err := d.List(t.Context(), "", 10)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, o := range list {
		names = append(names, o.Name)
	}
	if got := strings.Join(names, " "); got != "b.zip inside.zip sub/a.ZIP" {
		t.Errorf("listed %q", got)
	}
	if list, _ := d.List(t.Context(), "b.zip", 1); len(list) != 1 || list[0].Name != "inside.zip" || list[0].Size != 100 {
		t.Errorf("the page behind b.zip: %+v", list)
	}
	for _, name := range []string{"link.zip", "pipe.zip", "sub", "../" + filepath.Base(dir) + "/b.zip"} {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		if body, err := d.Read(ctx, name, 0, 1, nil); err == nil {
			body.Close()
			t.Errorf("%s was read", name)
		} else if !errors.Is(err, origin.ErrNotFound) {
			t.Errorf("%s: %v, want ErrNotFound", name, err)
		}
		cancel()
	}
}

func TestReaderAt(t *testing.T) {
	data := origintest.Data(0, 3_000_000)
	m := origin.NewMemory()
	m.Set("a.zip", data, `"1"`)
	r, size, err := origin.ReaderAt(t.Context(), m, "a.zip")
	if err != nil || size != 3_000_000 {
		t.Fatal(size, err)
	}
	got, err := io.ReadAll(io.NewSectionReader(r, 0, size))
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if n := len(m.Reads()); n > 4 {
		t.Errorf("read in order by %d reads, want at most 4", n)
	}
	m.Set("a.zip", data, `"2"`)
	if _, err := r.ReadAt(make([]byte, 10), 2_990_000-2_000_000); err != nil && !errors.Is(err, origin.ErrChanged) {
		t.Errorf("after a change: %v", err)
	}
}
