package origin

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

var epoch = time.Unix(1_700_000_000, 0)

// FuzzTemplate holds that no archive's name leads to another host, out of its place in the URL, or into the range's.
func FuzzTemplate(f *testing.F) {
	for _, s := range []string{"a.zip", "a b+c&range=0,1#?.zip", "{offset}", "%2e%2e/x", "ü/\n", "//evil.example/x"} {
		f.Add(s, int64(5), int64(10))
	}
	t, err := parseTemplate("https://films.example/x/{archive}?a=b&name={archive}&range={offset}%2C{size}&end={end}")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(tt *testing.T, name string, off, n int64) {
		if off < 0 || n <= 0 || off > 1<<62 || n > 1<<62 {
			return
		}
		u, err := t.url(name, off, n)
		if err != nil {
			tt.Fatalf("url(%q): %v", name, err)
		}
		q, err := url.ParseQuery(u.RawQuery)
		if err != nil || u.Host != "films.example" || u.Path != "/x/"+name || u.Fragment != "" || u.User != nil ||
			len(q) != 4 || q.Get("name") != name || q.Get("a") != "b" || !strings.Contains(q.Get("range"), ",") {
			tt.Errorf("url(%q) = %q", name, u)
		}
	})
}

// FuzzParseTemplate holds that what is taken makes URLs, with their ranges where they were.
func FuzzParseTemplate(f *testing.F) {
	for _, s := range []string{"https://h.example/{archive}?range={offset},{size}", "http://u:p@h/{offset}-{end}/{archive}", "https://h/{x}", "https://{archive}/", "http://h/%zz{archive}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, base string) {
		o, err := NewHTTP(HTTPConfig{Base: base, SizeURL: ""})
		if err != nil {
			return
		}
		defer o.Close()
		u, err := o.at.url("a.zip", 1, 2)
		if err != nil {
			return
		}
		if u.Host != o.base.Host || u.Scheme != o.base.Scheme || u.User != nil {
			t.Errorf("%q asks %s, and is named %s", base, u, o.Node())
		}
	})
}

func FuzzParseSize(f *testing.F) {
	for _, s := range []string{"5", `{"size": 5}`, `{"size": 1e3}`, " 7\n", "{", "-1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if n, err := parseSize(strings.NewReader(s)); err == nil && n < 0 {
			t.Errorf("parseSize(%q) = %d", s, n)
		}
	})
}

// FuzzExplainS3 holds that what a store writes of a refusal never reaches a log but as a plain word.
func FuzzExplainS3(f *testing.F) {
	f.Add("<Error><Code>AccessDenied</Code><Region>eu-west-1</Region></Error>", "")
	f.Add("<Error><Code>\x1b[31m</Code></Error>", "eu west")
	f.Fuzz(func(t *testing.T, body, region string) {
		res := &http.Response{Header: http.Header{"X-Amz-Bucket-Region": {region}}, Body: io.NopCloser(strings.NewReader(body))}
		_, cause := explainS3(defaultRegion)(res)
		if cause != nil && (len(cause.Error()) > 200 || strings.ContainsFunc(cause.Error(), func(r rune) bool { return r < ' ' || r > '~' })) {
			t.Errorf("%q", cause)
		}
	})
}
