package origin_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"zipreel/gateway/origin"
	"zipreel/gateway/origin/origintest"
)

func TestQueryConformance(t *testing.T) {
	tests := map[string]struct {
		fault origintest.QueryFault
		cfg   origin.HTTPConfig // Base and SizeURL follow the node's URL
	}{
		"query":                {origintest.QueryFault{}, origin.HTTPConfig{Dialect: origin.RangeQuery}},
		"307":                  {origintest.QueryFault{Status: http.StatusTemporaryRedirect}, origin.HTTPConfig{Dialect: origin.RangeQuery}},
		"direct":               {origintest.QueryFault{Direct: true}, origin.HTTPConfig{Dialect: origin.RangeQuery}},
		"size URL":             {origintest.QueryFault{NoHead: true}, origin.HTTPConfig{Dialect: origin.RangeQuery, SizeURL: "/size/{archive}"}},
		"no validators":        {origintest.QueryFault{NoValidators: true}, origin.HTTPConfig{Dialect: origin.RangeQuery, SizeFor: 1}},
		"size alone":           {origintest.QueryFault{NoValidators: true, Bare: true}, origin.HTTPConfig{Dialect: origin.RangeQuery, SizeFor: 1}},
		"size URL, size alone": {origintest.QueryFault{NoValidators: true, NoHead: true}, origin.HTTPConfig{Dialect: origin.RangeQuery, SizeURL: "/size/{archive}", SizeFor: 1}},
		"template":             {origintest.QueryFault{}, origin.HTTPConfig{Base: "{archive}?range={offset},{size}"}},
		"template, more query": {origintest.QueryFault{}, origin.HTTPConfig{Base: "{archive}?a=b&range={offset}%2C{size}&end={end}"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			origintest.Run(t, func(t *testing.T) origintest.Fixture {
				n := origintest.NewQueryNode(t)
				n.Set(tt.fault)
				cfg := tt.cfg
				cfg.Base = n.URL + cfg.Base
				return origintest.Fixture{Origin: newHTTP(t, cfg), Set: func(_ *testing.T, name string, data []byte) { n.Put(name, data) }}
			})
		})
	}
	t.Run("template with the Range header", func(t *testing.T) {
		origintest.Run(t, func(t *testing.T) origintest.Fixture {
			n := origintest.NewNode(t, nil)
			return origintest.Fixture{
				Origin: newHTTP(t, origin.HTTPConfig{Base: n.URL + "{archive}?version=1"}),
				Set:    func(_ *testing.T, name string, data []byte) { n.Put(name, data) },
			}
		})
	})
}

func queryNode(t *testing.T, f origintest.QueryFault, data []byte) *origintest.QueryNode {
	n := origintest.NewQueryNode(t)
	n.Put("a.zip", data)
	n.Set(f)
	return n
}

// readAll reads a range to its end.
func readAll(t *testing.T, o origin.Origin, off, n int64, want *origin.Validator) (*origin.Body, []byte) {
	t.Helper()
	body, err := o.Read(t.Context(), "a.zip", off, n, want)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	got, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return body, got
}

// TestQueryAsks: the size once for each version, every range at the node itself, no link twice.
func TestQueryAsks(t *testing.T) {
	data := origintest.Data(0, 10_000)
	n := queryNode(t, origintest.QueryFault{}, data)
	o := newHTTP(t, origin.HTTPConfig{Base: n.URL, Dialect: origin.RangeQuery})
	body, _ := readAll(t, o, origin.Tail, 100, nil)
	v := body.Validator
	if _, got := readAll(t, o, 5, 10, &v); !bytes.Equal(got, data[5:15]) {
		t.Error("other bytes")
	}
	readAll(t, o, 5, 10, &v)
	var got []string
	for _, r := range n.Requests() {
		r, _, _ = strings.Cut(r, "&until")
		got = append(got, r)
	}
	want := []string{
		"front HEAD /a.zip",
		"front GET /a.zip?range=9900%2C100", "store GET /a.zip?span=9900-10000",
		"front GET /a.zip?range=5%2C10", "store GET /a.zip?span=5-15",
		"front GET /a.zip?range=5%2C10", "store GET /a.zip?span=5-15",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("asked\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestQuerySizeVouches: where ranges carry no validator, an asked size does, for a time.
func TestQuerySizeVouches(t *testing.T) {
	n := queryNode(t, origintest.QueryFault{NoValidators: true, Direct: true}, origintest.Data(0, 10_000))
	o := newHTTP(t, origin.HTTPConfig{Base: n.URL, Dialect: origin.RangeQuery, SizeFor: time.Hour})
	body, _ := readAll(t, o, 0, 100, nil)
	for range 5 {
		readAll(t, o, 5, 10, &body.Validator)
	}
	if got := len(n.Requests()); got != 7 {
		t.Errorf("%d requests, want one for the size and six for ranges", got)
	}
}

func TestQueryFaults(t *testing.T) {
	tests := map[string]struct {
		fault origintest.QueryFault
		want  error
		says  string
	}{
		"a whole archive instead":    {origintest.QueryFault{Whole: true}, origin.ErrNoRange, ""},
		"fewer bytes":                {origintest.QueryFault{Short: 1}, origin.ErrBadRange, "999 bytes instead"},
		"no length":                  {origintest.QueryFault{Chunked: true}, origin.ErrBadRange, "unknown length"},
		"links that have expired":    {origintest.QueryFault{Expired: true}, origin.ErrDenied, ""},
		"no HEAD":                    {origintest.QueryFault{NoHead: true}, origin.ErrBadRange, "size_url"},
		"a credential that is asked": {origintest.QueryFault{Credential: "Bearer x"}, origin.ErrDenied, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			n := queryNode(t, tt.fault, origintest.Data(0, 100_000))
			o := newHTTP(t, origin.HTTPConfig{Base: n.URL, Dialect: origin.RangeQuery})
			body, err := o.Read(t.Context(), "a.zip", 50, 1000, nil)
			if err == nil {
				body.Close()
			}
			var oe *origin.Error
			if !errors.Is(err, tt.want) || !errors.As(err, &oe) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %v, want %v that says %q", err, tt.want, tt.says)
			}
		})
	}
}

// TestQueryShrunk: an archive that is shorter now is another one.
func TestQueryShrunk(t *testing.T) {
	n := queryNode(t, origintest.QueryFault{NoValidators: true}, origintest.Data(0, 10_000))
	o := newHTTP(t, origin.HTTPConfig{Base: n.URL, Dialect: origin.RangeQuery})
	body, _ := readAll(t, o, 0, 100, nil)
	n.Put("a.zip", origintest.Data(1, 5_000))
	if body, err := o.Read(t.Context(), "a.zip", 9_000, 100, &body.Validator); !errors.Is(err, origin.ErrChanged) {
		if err == nil {
			body.Close()
		}
		t.Errorf("error %v, want ErrChanged", err)
	}
}

func TestSizeURLAnswers(t *testing.T) {
	tests := map[string]int64{ // -1: refused
		"1000": 1000, " 1000\n": 1000, `{"size":1000}`: 1000, `{"size": 1000, "name": "x"}`: 1000, `{"Size":1000}`: 1000,
		"": -1, "-5": -1, "1e3": -1, `{"size":"x"}`: -1, `{"size":-1}`: -1, "{}": -1, "[]": -1, "99999999999999999999": -1,
		strings.Repeat(" ", 5000) + "1": -1,
	}
	for answer, want := range tests {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/size" {
				io.WriteString(w, answer)
				return
			}
			io.WriteString(w, "0123456789")
		}))
		o := newHTTP(t, origin.HTTPConfig{Base: server.URL + "/get?range={offset},{end}&of=a.zip", Name: "a.zip", SizeURL: server.URL + "/size"})
		body, err := o.Read(t.Context(), "a.zip", 0, 10, nil)
		switch {
		case err == nil && body.Size != want:
			t.Errorf("%.40q: size %d, want %d", answer, body.Size, want)
		case err != nil && (want >= 0 || !errors.Is(err, origin.ErrBadRange)):
			t.Errorf("%.40q: %v", answer, err)
		}
		if err == nil {
			body.Close()
		}
		server.Close()
	}
}

func TestHTTPConfigMistakes(t *testing.T) {
	tests := map[string]origin.HTTPConfig{
		"{name}":          {Base: "https://h.example/{name}.zip"},
		"{size} or {end}": {Base: "https://h.example/{archive}?from={offset}"},
		"{offset}":        {Base: "https://h.example/{archive}?n={size}"},
		"size_url":        {Base: "https://h.example/{archive}/{offset}-{end}"},
		"range=":          {Base: "https://h.example/a.zip?range=0,1", Dialect: origin.RangeQuery},
		"{archive}":       {Base: "https://h.example/films/", Dialect: origin.RangeQuery, SizeURL: "/size"},
		"braces":          {Base: "https://h.example/films/", Dialect: origin.RangeQuery, SizeURL: "/{archive}/{offset}{size}"},
		"neither a URL":   {Base: "https://h.example/films/", Dialect: origin.RangeQuery, SizeURL: "size/{archive}"},
		"Range header":    {Base: "https://h.example/films/", SizeURL: "/size/{archive}"},
		"cannot be read":  {Base: "https://{archive}.example/"},
		"no http":         {Base: "ftp://h.example/"},
	}
	for want, cfg := range tests {
		o, err := origin.NewHTTP(cfg)
		if err == nil {
			o.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("NewHTTP(%q, %q): %v, want an error that says %q", cfg.Base, cfg.SizeURL, err, want)
		}
	}
}

// TestCredentials: what is sent, to whom, and that a refusal has them renewed once.
func TestCredentials(t *testing.T) {
	n := queryNode(t, origintest.QueryFault{Credential: "Bearer new"}, origintest.Data(0, 1000))
	asked, token := 0, "Bearer old"
	o := newHTTP(t, origin.HTTPConfig{Base: n.URL, Dialect: origin.RangeQuery, Authorization: func(renew bool) (string, error) {
		if renew {
			asked++
			token = "Bearer new"
		}
		return token, nil
	}})
	readAll(t, o, 0, 100, nil) // the store refuses whoever sends it a credential
	if asked != 1 {
		t.Errorf("renewed %d times, want once", asked)
	}
	n.Set(origintest.QueryFault{Credential: "Bearer newest"})
	before := len(n.Requests())
	for range 5 {
		if _, err := o.Read(t.Context(), "a.zip", 0, 100, nil); !errors.Is(err, origin.ErrDenied) {
			t.Errorf("error %v, want ErrDenied", err)
		}
	}
	if got := len(n.Requests()) - before; asked != 1 || got != 5 {
		t.Errorf("renewed %d times, with %d requests for 5 reads; want no storm", asked, got)
	}
}

func TestUserAndPasswordOfTheURL(t *testing.T) {
	n := queryNode(t, origintest.QueryFault{Credential: "Basic dXNlcjpwYXNz"}, origintest.Data(0, 1000))
	for _, rest := range []string{"", "{archive}?range={offset},{size}"} {
		base := strings.Replace(n.URL, "http://", "http://user:pass@", 1) + rest
		readAll(t, newHTTP(t, origin.HTTPConfig{Base: base, Dialect: origin.RangeQuery}), 0, 100, nil)
	}
}

func mustParse(t *testing.T, rawURL string) *url.URL {
	t.Helper()
	u, err := url.Parse(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// TestProxy: everything goes through it; what it is asked for is under the outbound rules all the same.
func TestProxy(t *testing.T) {
	n := origintest.NewNode(t, map[string][]byte{"a.zip": origintest.Data(0, 1000)})
	proxied := 0
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		proxied++
		n.ServeHTTP(w, r)
	}))
	defer proxy.Close()
	o, err := origin.NewHTTP(origin.HTTPConfig{Base: "http://storage.example/", Proxy: mustParse(t, proxy.URL)})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	readAll(t, o, 0, 100, nil)
	if proxied != 1 {
		t.Errorf("%d requests through the proxy, want 1", proxied)
	}
	for _, location := range []string{"http://127.0.0.1/x", "http://localhost/x", "http://[::ffff:10.0.0.1]/x"} {
		n.Set(origintest.Fault{Redirect: location})
		before := proxied
		if _, err := o.Read(t.Context(), "b.zip", 0, 100, nil); !errors.Is(err, origin.ErrRedirect) || proxied != before+1 {
			t.Errorf("redirect to %s: %v, %d requests; want ErrRedirect after one", location, err, proxied-before)
		}
	}
}
