package origin_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"zipreel/gateway/origin"
	"zipreel/gateway/origin/origintest"
)

var s3Rules = origintest.S3Rules{AccessKey: "AKIDEXAMPLE", SecretKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", Region: "eu-west-3"}

func newS3(t *testing.T, n *origintest.S3Node, change func(*origin.S3Config)) *origin.S3 {
	t.Helper()
	cfg := origin.S3Config{Bucket: "films", Endpoint: n.Endpoint, Region: s3Rules.Region, AccessKey: s3Rules.AccessKey, SecretKey: s3Rules.SecretKey}
	cfg.HTTP.AllowPrivate = true
	if change != nil {
		change(&cfg)
	}
	o, err := origin.NewS3(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	return o
}

func TestS3Conformance(t *testing.T) {
	token, public := s3Rules, s3Rules
	token.Token = "session//token=="
	public.Public = true
	tests := map[string]struct {
		rules  origintest.S3Rules
		change func(*origin.S3Config)
		prefix string
	}{
		"signed":          {s3Rules, nil, ""},
		"below a prefix":  {s3Rules, func(c *origin.S3Config) { c.Key = "a b/ü+%/" }, "a b/ü+%/"},
		"session":         {token, func(c *origin.S3Config) { c.SessionToken = token.Token }, ""},
		"anonymous":       {public, func(c *origin.S3Config) { c.AccessKey, c.SecretKey, c.Anonymous = "", "", true }, ""},
		"endpoint's path": {s3Rules, func(c *origin.S3Config) { c.Endpoint += "/" }, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			origintest.Run(t, func(t *testing.T) origintest.Fixture {
				n := origintest.NewS3Node(t, tt.rules)
				return origintest.Fixture{
					Origin: newS3(t, n, tt.change),
					Set:    func(_ *testing.T, name string, data []byte) { n.Put(tt.prefix+name, data) },
				}
			})
		})
	}
}

func TestS3OneObject(t *testing.T) {
	n := origintest.NewS3Node(t, s3Rules)
	n.Put("2024/a.zip", origintest.Data(0, 1000))
	o := newS3(t, n, func(c *origin.S3Config) { c.Key = "2024/a.zip" })
	readAll(t, o, 0, 100, nil)
	if o.Name() != "a.zip" || o.Prefix() {
		t.Errorf("named %q, prefix %v", o.Name(), o.Prefix())
	}
	if list, err := o.List(t.Context(), "", 10); err != nil || len(list) != 1 || list[0].Name != "a.zip" {
		t.Errorf("listed %v, %v", list, err)
	}
}

// TestS3VirtualStyle: the bucket is a part of the host.
func TestS3VirtualStyle(t *testing.T) {
	n := origintest.NewS3Node(t, s3Rules)
	n.Put("a.zip", origintest.Data(0, 1000))
	o := newS3(t, n, func(c *origin.S3Config) {
		c.Endpoint, c.Style, c.HTTP.Proxy = "http://s3.example", origin.S3Virtual, mustParse(t, n.Endpoint)
	})
	readAll(t, o, 0, 100, nil)
}

// TestS3URLs through a proxy that notes what it is asked for.
func TestS3URLs(t *testing.T) {
	tests := []struct {
		cfg  origin.S3Config
		want string
	}{
		{origin.S3Config{Bucket: "films", Endpoint: "http://s3.example"}, "http://s3.example/films/a.zip"},
		{origin.S3Config{Bucket: "films", Endpoint: "http://s3.example/v1/"}, "http://s3.example/v1/films/a.zip"},
		{origin.S3Config{Bucket: "films", Endpoint: "http://s3.example", Style: origin.S3Virtual}, "http://films.s3.example/a.zip"},
		{origin.S3Config{Bucket: "films", Key: "x y/", Endpoint: "http://s3.example", Style: origin.S3Path}, "http://s3.example/films/x%20y/a.zip"},
		{origin.S3Config{Bucket: "films"}, "films.s3.us-east-1.amazonaws.com:443"},
		{origin.S3Config{Bucket: "my.films", Region: "eu-west-1"}, "s3.eu-west-1.amazonaws.com:443"},
		{origin.S3Config{Bucket: "films", Region: "cn-north-1"}, "films.s3.cn-north-1.amazonaws.com.cn:443"},
	}
	for _, tt := range tests {
		asked := ""
		proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked = r.RequestURI
			w.WriteHeader(http.StatusNotFound)
		}))
		tt.cfg.Anonymous, tt.cfg.HTTP.Proxy = true, mustParse(t, proxy.URL)
		o, err := origin.NewS3(tt.cfg)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.Read(t.Context(), "a.zip", 0, 1, nil); err == nil || asked != tt.want {
			t.Errorf("%+v asks for %s, want %s", tt.cfg, asked, tt.want)
		}
		o.Close()
		proxy.Close()
	}
}

func TestS3Refusals(t *testing.T) {
	expired, elsewhere := s3Rules, s3Rules
	expired.Expired = true
	elsewhere.Region = "ap-south-1"
	tests := map[string]struct {
		rules  origintest.S3Rules
		change func(*origin.S3Config)
		want   error
		says   string
	}{
		"wrong secret":    {s3Rules, func(c *origin.S3Config) { c.SecretKey = "x" }, origin.ErrDenied, "SignatureDoesNotMatch"},
		"unknown key":     {s3Rules, func(c *origin.S3Config) { c.AccessKey = "x" }, origin.ErrDenied, "InvalidAccessKeyId"},
		"anonymous":       {s3Rules, func(c *origin.S3Config) { c.AccessKey, c.SecretKey, c.Anonymous = "", "", true }, origin.ErrDenied, "AccessDenied"},
		"expired":         {expired, nil, origin.ErrDenied, "ExpiredToken"},
		"another region":  {elsewhere, nil, origin.ErrDenied, "region ap-south-1: set region, or AWS_REGION"},
		"no such bucket":  {s3Rules, func(c *origin.S3Config) { c.Bucket = "filmz" }, origin.ErrNotFound, "NoSuchBucket"},
		"no such profile": {s3Rules, func(c *origin.S3Config) { c.AccessKey, c.SecretKey, c.Profile = "", "", "gone" }, origin.ErrDenied, `profile "gone"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			noCredentials(t)
			n := origintest.NewS3Node(t, tt.rules)
			n.Put("a.zip", origintest.Data(0, 1000))
			o := newS3(t, n, tt.change)
			_, err := o.Read(t.Context(), "a.zip", 0, 1, nil)
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), s3Rules.SecretKey) {
				t.Errorf("Read: %v, want %v that says %q", err, tt.want, tt.says)
			}
			if _, err := o.List(t.Context(), "", 1); !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("List: %v, want %v that says %q", err, tt.want, tt.says)
			}
		})
	}
}

// noCredentials leaves nothing to be found but what the test puts there.
func noCredentials(t *testing.T) (home string) {
	home = t.TempDir()
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE",
		"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN"} {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", home)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(home, "credentials"))
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(home, "config"))
	return home
}

// TestS3CredentialsAreFound in the environment, in files by profile, and from whoever issues them.
func TestS3CredentialsAreFound(t *testing.T) {
	file := fmt.Sprintf("[default]\naws_access_key_id = other\naws_secret_access_key = other\n\n[films]\naws_access_key_id = %s\naws_secret_access_key = %s\n",
		s3Rules.AccessKey, s3Rules.SecretKey)
	tests := map[string]func(t *testing.T, home string) (profile string){
		"environment": func(t *testing.T, _ string) string {
			t.Setenv("AWS_ACCESS_KEY_ID", s3Rules.AccessKey)
			t.Setenv("AWS_SECRET_ACCESS_KEY", s3Rules.SecretKey)
			return ""
		},
		"profile": func(t *testing.T, home string) string {
			writeFile(t, filepath.Join(home, "credentials"), []byte(file))
			return "films"
		},
		"profile of the environment": func(t *testing.T, home string) string {
			writeFile(t, filepath.Join(home, "credentials"), []byte(file))
			t.Setenv("AWS_PROFILE", "films")
			return ""
		},
		"container": func(t *testing.T, _ string) string {
			t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", issuer(t, s3Rules).URL)
			return ""
		},
	}
	for name, set := range tests {
		t.Run(name, func(t *testing.T) {
			profile := set(t, noCredentials(t))
			n := origintest.NewS3Node(t, s3Rules)
			n.Put("a.zip", origintest.Data(0, 1000))
			readAll(t, newS3(t, n, func(c *origin.S3Config) { c.AccessKey, c.SecretKey, c.Profile = "", "", profile }), 0, 100, nil)
		})
	}
}

// issuer issues keys that end in an hour, as a container's agent does.
func issuer(t *testing.T, rules origintest.S3Rules) *httptest.Server {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"AccessKeyId":%q,"SecretAccessKey":%q,"Token":%q,"Expiration":"2099-01-01T00:00:00Z"}`, rules.AccessKey, rules.SecretKey, rules.Token)
	}))
	t.Cleanup(server.Close)
	return server
}

// TestS3RefusedCredentialsAreRenewed: once, and with those that are there by then.
func TestS3RefusedCredentialsAreRenewed(t *testing.T) {
	home := noCredentials(t)
	path := filepath.Join(home, "credentials")
	keys := func(secret, token string) []byte {
		return fmt.Appendf(nil, "[default]\naws_access_key_id = %s\naws_secret_access_key = %s\naws_session_token = %s\n", s3Rules.AccessKey, secret, token)
	}
	writeFile(t, path, keys(s3Rules.SecretKey, "one"))
	rules := s3Rules
	rules.Token = "one"
	n := origintest.NewS3Node(t, rules)
	n.Put("a.zip", origintest.Data(0, 1000))
	o := newS3(t, n, func(c *origin.S3Config) { c.AccessKey, c.SecretKey = "", "" })
	readAll(t, o, 0, 100, nil)
	rules.Token = "two"
	n.SetRules(rules)
	writeFile(t, path, keys(s3Rules.SecretKey, "two"))
	readAll(t, o, 0, 100, nil)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	readAll(t, o, 0, 100, nil) // what is held is good
}

func TestS3List(t *testing.T) {
	rules := s3Rules
	rules.PageSize = 3
	n := origintest.NewS3Node(t, rules)
	for _, key := range []string{"films/b.zip", "films/a b+c%20.ZIP", "films/ü/x&y.zip", "films/notes.txt", "films/", "films/.zip", "films//x.zip", "other/z.zip", "films/c.zip", "filmsz.zip"} {
		n.Put(key, origintest.Data(0, 1000+len(key)))
	}
	for _, raw := range []bool{false, true} {
		rules.RawNames = raw
		n.SetRules(rules)
		o := newS3(t, n, func(c *origin.S3Config) { c.Key = "films/" })
		list, err := o.List(t.Context(), "", 10)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, o := range list {
			got = append(got, fmt.Sprint(o.Name, " ", o.Size, " ", o.Modified.IsZero()))
		}
		want := []string{"a b+c%20.ZIP 1018 false", "b.zip 1011 false", "c.zip 1011 false", "ü/x&y.zip 1016 false"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("listed (-want +got):\n%s", diff)
		}
		before := n.Lists()
		list, err = o.List(t.Context(), "b.zip", 1)
		if err != nil || len(list) != 1 || list[0].Name != "c.zip" || n.Lists() != before+1 {
			t.Errorf("the one after b.zip: %v, %v, with %d pages", list, err, n.Lists()-before)
		}
	}
}

// TestS3ListIsBounded: a store that never ends is left, and what is no listing is an error.
func TestS3ListIsBounded(t *testing.T) {
	pages, answer := 0, `<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>x</NextContinuationToken></ListBucketResult>`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		pages++
		io.WriteString(w, answer)
	}))
	defer server.Close()
	o, err := origin.NewS3(origin.S3Config{Bucket: "films", Endpoint: server.URL, Anonymous: true, HTTP: origin.HTTPConfig{AllowPrivate: true}})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	if list, err := o.List(t.Context(), "", 10); err != nil || len(list) != 0 || pages != 100 {
		t.Errorf("%v, %v after %d pages", list, err, pages)
	}
	for _, answer = range []string{"", "<html>", "no", "<a>" + strings.Repeat("x", 9<<20)} {
		if _, err := o.List(t.Context(), "", 10); !errors.Is(err, origin.ErrUnavailable) {
			t.Errorf("%.20q: %v, want ErrUnavailable", answer, err)
		}
	}
}

func TestS3ConfigMistakes(t *testing.T) {
	tests := map[string]origin.S3Config{
		"bucket":     {Bucket: "a/b"},
		"region":     {Bucket: "films", Region: "eu west"},
		"no URL":     {Bucket: "films", Endpoint: "http://%zz"},
		"host":       {Bucket: "films", Endpoint: "s3.example.com"},
		"user":       {Bucket: "films", Endpoint: "http://k:secret@s3.example"},
		"half":       {Bucket: "films", AccessKey: "x"},
		"choose one": {Bucket: "films", AccessKey: "x", SecretKey: "secret", Anonymous: true},
		"a profile":  {Bucket: "films", AccessKey: "x", SecretKey: "secret", Profile: "y"},
	}
	for want, cfg := range tests {
		if _, err := origin.NewS3(cfg); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret@") {
			t.Errorf("NewS3(%+v): %v, want an error that says %q", cfg, err, want)
		}
	}
}
