package origin

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// namedConn is one end of a pipe that says where it is connected to.
type namedConn struct {
	net.Conn
	at net.Addr
}

func (c namedConn) RemoteAddr() net.Addr { return c.at }

// dnsDialer is a dialer whose names resolve to the address it is told; nil: the name server hangs for the dialer's whole time.
func dnsDialer(t *testing.T) (d *dialer, resolve func(ip net.IP), dialled *[]string) {
	d, dialled = newDialer(true), new([]string)
	var now net.IP
	d.connect = func(ctx context.Context, _, address string) (net.Conn, error) {
		*dialled = append(*dialled, address)
		host, _, _ := net.SplitHostPort(address)
		ip := net.ParseIP(host)
		if ip == nil {
			if ip = now; ip == nil {
				time.Sleep(dialWithin)
				return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "i/o timeout", Name: host, IsTimeout: true}}
			}
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		c, other := net.Pipe()
		t.Cleanup(func() { c.Close(); other.Close() })
		return namedConn{c, &net.TCPAddr{IP: ip, Port: 443}}, nil
	}
	return d, func(ip net.IP) { now = ip }, dialled
}

// TestKnownAddressesStandIn while name servers hang, for an hour, the latest first.
func TestKnownAddressesStandIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, resolve, dialled := dnsDialer(t)
		for _, ip := range []net.IP{net.IPv4(192, 0, 2, 1), net.IPv4(192, 0, 2, 2)} {
			resolve(ip)
			if _, err := d.dial(t.Context(), "tcp", "a.example:443"); err != nil {
				t.Fatal(err)
			}
		}
		resolve(nil)
		c, err := d.dial(t.Context(), "tcp", "a.example:443")
		if err != nil || c.RemoteAddr().String() != "192.0.2.2:443" {
			t.Errorf("while the name does not resolve: %v, %v, want 192.0.2.2:443", c, err)
		}
		var dns *net.DNSError
		if _, err := d.dial(t.Context(), "tcp", "b.example:443"); !errors.As(err, &dns) {
			t.Errorf("a name that was never connected: %v, want the DNS error", err)
		}
		time.Sleep(keepKnown)
		*dialled = nil
		if _, err := d.dial(t.Context(), "tcp", "a.example:443"); !errors.As(err, &dns) {
			t.Errorf("after an hour: %v, want the DNS error", err)
		}
		if want := []string{"a.example:443"}; !slices.Equal(*dialled, want) {
			t.Errorf("dialled %q, want %q", *dialled, want)
		}
	})
}

func TestKnownAddressesAreFew(t *testing.T) {
	d := newDialer(true)
	for i := range byte(10) {
		d.remember("a.example:443", net.IPv4(192, 0, 2, i).String())
	}
	d.remember("a.example:443", "192.0.2.8")
	if got, want := d.lastGood("a.example:443"), []string{"192.0.2.8", "192.0.2.9", "192.0.2.7", "192.0.2.6"}; !slices.Equal(got, want) {
		t.Errorf("last good %q, want %q", got, want)
	}
	for i := range maxNames + 10 {
		d.remember(string(rune('a'+i%26))+time.Duration(i).String(), "192.0.2.1")
	}
	if len(d.known) > maxNames {
		t.Errorf("%d names are remembered, want at most %d", len(d.known), maxNames)
	}
}

// TestRedirectToPrivateAddress: a public node may not send the gateway to where it could not be sent by its configuration.
func TestRedirectToPrivateAddress(t *testing.T) {
	for _, to := range []string{"http://127.0.0.1:1/", "http://[::1]:1/", "http://169.254.169.254/latest", "http://[::ffff:10.0.0.1]/", "http://0.0.0.0/"} {
		o, err := NewHTTP(HTTPConfig{Base: "http://films.example/"})
		if err != nil {
			t.Fatal(err)
		}
		real := o.client.Transport
		o.client.Transport = roundTrip(func(req *http.Request) (*http.Response, error) {
			if req.URL.Host != "films.example" {
				return real.RoundTrip(req)
			}
			return &http.Response{StatusCode: 302, Header: http.Header{"Location": {to}}, Body: http.NoBody, Request: req}, nil
		})
		if _, err := o.Read(t.Context(), "a.zip", 0, 1, nil); !errors.Is(err, ErrRedirect) || !errors.Is(err, ErrPrivate) {
			t.Errorf("redirect to %s: %v, want ErrRedirect for a private address", to, err)
		}
		o.Close()
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
