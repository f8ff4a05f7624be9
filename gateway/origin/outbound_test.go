package origin

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
)

// outside is an HTTP whose node films.example stands for a public one: what is connected to anywhere else is under the outbound rules.
func outside(t *testing.T, scheme string, node http.Handler) *HTTP {
	t.Helper()
	server := httptest.NewUnstartedServer(node)
	var cfg HTTPConfig
	if scheme == "https" {
		server.StartTLS()
		cfg.TLS = &tls.Config{RootCAs: server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs, ServerName: "example.com"}
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	cfg.Base = scheme + "://user:secret@films.example/"
	o, err := NewHTTP(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	d := newDialer(false)
	o.client.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if strings.HasPrefix(address, "films.example:") {
			return net.Dial("tcp", server.Listener.Addr().String())
		}
		return d.dial(ctx, network, address)
	}
	return o
}

// TestRedirectsObeyTheRules: none to a private address, to plain HTTP or to another scheme, and not more than three.
func TestRedirectsObeyTheRules(t *testing.T) {
	var asked atomic.Int64
	private := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer private.Close()
	port := private.URL[strings.LastIndexByte(private.URL, ':'):]
	tests := map[string]struct {
		scheme, location string
		private          bool
	}{
		"loopback":          {"http", private.URL, true},
		"IPv4-mapped":       {"http", "http://[::ffff:127.0.0.1]" + port, true},
		"a name of it":      {"http", "http://localhost" + port, true},
		"metadata":          {"http", "http://169.254.169.254/latest/meta-data/", true},
		"NAT64":             {"http", "http://[64:ff9b::7f00:1]" + port, true},
		"6to4":              {"http", "http://[2002:7f00:1::]" + port, true},
		"Teredo":            {"http", "http://[2001:0:1::1]" + port, true},
		"loopback by https": {"https", strings.Replace(private.URL, "http:", "https:", 1), true},
		"plain HTTP":        {"https", "http://films.example/b.zip", false},
		"a file":            {"http", "file:///etc/passwd", false},
		"nowhere":           {"http", "", false},
		"a loop":            {"http", "/a.zip", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			o := outside(t, tt.scheme, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Location"] = []string{tt.location}
				if tt.private {
					w.Header()["Location"] = []string{tt.location + "/?signature=secret"}
				}
				w.WriteHeader(http.StatusFound)
			}))
			_, err := o.Read(t.Context(), "a.zip", 0, 10, nil)
			var oe *Error
			if !errors.As(err, &oe) || oe.Kind != ErrRedirect || errors.Is(err, ErrPrivate) != tt.private {
				t.Errorf("%v, want ErrRedirect, for a private address: %v", err, tt.private)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error holds a credential: %v", err)
			}
		})
	}
	if asked.Load() != 0 {
		t.Errorf("%d requests came through", asked.Load())
	}
}

// TestThreeRedirects are followed, and the credential goes to the node's own host alone: another port is another host.
func TestThreeRedirects(t *testing.T) {
	var authorized []string
	o := outside(t, "http", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, _, ok := r.BasicAuth(); ok {
			authorized = append(authorized, r.Host+r.URL.Path)
		}
		next := map[string]string{"/a.zip": "/1", "/1": "http://films.example:8080/2", "/2": "http://films.example/3"}[r.URL.Path]
		if next != "" {
			w.Header().Set("Location", next)
			w.WriteHeader(http.StatusTemporaryRedirect)
			return
		}
		http.ServeContent(w, r, "", epoch, strings.NewReader("0123456789"))
	}))
	body, err := o.Read(t.Context(), "a.zip", 2, 3, nil)
	if err != nil {
		t.Fatal(err)
	}
	body.Close()
	if got, want := fmt.Sprint(authorized), "[films.example/a.zip films.example/1 films.example/3]"; got != want {
		t.Errorf("the credential went to %s, want %s", got, want)
	}
}

// TestHugeHeaders of an answer are an error, not memory.
func TestHugeHeaders(t *testing.T) {
	o := outside(t, "http", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for i := range 100 {
			w.Header().Set(fmt.Sprintf("X-%d", i), strings.Repeat("x", 1000))
		}
	}))
	if _, err := o.Read(t.Context(), "a.zip", 0, 10, nil); !errors.Is(err, ErrUnavailable) {
		t.Errorf("error %v, want ErrUnavailable", err)
	}
}

// TestTargetsAreBounded: neither many redirects nor long ones are kept without end.
func TestTargetsAreBounded(t *testing.T) {
	o := outside(t, "http", http.NotFoundHandler())
	for i := range 2*maxTargets + 1 {
		o.setTarget(fmt.Sprint(i), &url.URL{Path: "/x"})
	}
	if len(o.targets) > maxTargets {
		t.Errorf("%d targets are kept", len(o.targets))
	}
	if o.setTarget("long", &url.URL{RawQuery: strings.Repeat("x", maxTargetBytes+1)}); o.target("long") != nil {
		t.Error("a long target is kept")
	}
}
