package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"zipreel/gateway/origin"
)

// address is the node's host and port.
func (e *exam) address() string {
	port := e.base.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[e.base.Scheme]
	}
	return net.JoinHostPort(e.base.Hostname(), port)
}

// reachable resolves the name and connects, once.
func reachable(ctx context.Context, e *exam) Finding {
	ctx, cancel := context.WithTimeout(ctx, connectWithin)
	defer cancel()
	begun := e.now()
	c, err := e.dial(ctx, "tcp", e.address())
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return noName.stop("%s is not resolved: %s", e.base.Hostname(), dns.Err)
	case err != nil && ctx.Err() != nil:
		return noConnection.stop("no connection to %s within %v", e.address(), connectWithin)
	case err != nil:
		return noConnection.stop("no connection to %s: %v", e.address(), cause(err))
	}
	c.Close()
	return ok("%s connected in %s", c.RemoteAddr(), ms(e.now().Sub(begun)))
}

const expiresSoon = 14 * 24 * time.Hour

// secured shakes hands, and looks at the certificate.
func secured(ctx context.Context, e *exam) Finding {
	if e.base.Scheme != "https" {
		if addr, err := netip.ParseAddr(e.base.Hostname()); err == nil && addr.IsLoopback() || e.base.Hostname() == "localhost" {
			return note("none, and none needed on this machine")
		}
		return plain.warn("none: the URL is http")
	}
	state, err := e.handshake(ctx, false)
	if err != nil {
		seen := fmt.Sprintf("no handshake: %v", cause(err))
		if unverified, again := e.handshake(ctx, true); again == nil {
			seen = fmt.Sprintf("%v; it is %s", cause(err), describe(unverified.PeerCertificates[0]))
		}
		return badTLS.stop("%s", seen)
	}
	leaf := state.PeerCertificates[0]
	seen := tls.VersionName(state.Version) + ", certificate " + describe(leaf)
	if left := leaf.NotAfter.Sub(e.now()); left < expiresSoon {
		return expires.warn("%s: in %d days", seen, int(left.Hours()/24))
	}
	return ok("%s", seen)
}

// handshake connects and shakes hands; without checks, only in order to look at the certificate: nothing is sent.
func (e *exam) handshake(ctx context.Context, unchecked bool) (tls.ConnectionState, error) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	c, err := e.dial(ctx, "tcp", e.address())
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer c.Close()
	cfg := &tls.Config{}
	if e.cfg.TLS != nil {
		cfg = e.cfg.TLS.Clone()
	}
	cfg.ServerName, cfg.InsecureSkipVerify = e.base.Hostname(), unchecked
	if unchecked {
		cfg.Certificates = nil
	}
	client := tls.Client(c, cfg)
	if err := client.HandshakeContext(ctx); err != nil {
		return tls.ConnectionState{}, err
	}
	return client.ConnectionState(), nil
}

const maxShownNames = 3

// describe says for whom a certificate is, and until when.
func describe(c *x509.Certificate) string {
	names := slices.Clone(c.DNSNames)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) > maxShownNames {
		names = append(names[:maxShownNames], fmt.Sprintf("%d more", len(names)-maxShownNames))
	}
	return fmt.Sprintf("for %s, until %s", strings.Join(names, ", "), c.NotAfter.UTC().Format(time.DateOnly))
}

// answered asks for the first byte, and looks at what comes at all.
func answered(ctx context.Context, e *exam) Finding {
	a, err := e.ask(ctx, question{span: "bytes=0-0", n: 1})
	var redirect *redirectError
	switch {
	case errors.As(err, &redirect):
		return badRedirect.stop("%v", err)
	case err != nil && isTimeout(err):
		return silent.stop("no answer within %v", askWithin)
	case err != nil:
		return noConnection.stop("no answer: %v", cause(err))
	}
	e.first, e.at = a, a.at
	seen := fmt.Sprintf("%s %d in %s", a.proto, a.status, ms(a.firstByte))
	switch a.status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired:
		return denied.stop("%s", seen)
	case http.StatusNotFound, http.StatusGone:
		return notFound.stop("%s", seen)
	case http.StatusOK, http.StatusPartialContent, http.StatusRequestedRangeNotSatisfiable,
		http.StatusBadRequest, http.StatusMethodNotAllowed, http.StatusNotImplemented: // what they say of ranges is seen next
		return ok("%s", seen)
	}
	return failing.stop("%s", seen)
}

// expiring are parts of names of parameters in links that are good for a time.
var expiring = []string{"expires", "expiry", "signature", "token", "x-amz-", "x-goog-", "policy", "until", "se", "sig"}

// redirected says where the first answer came from.
func redirected(_ context.Context, e *exam) Finding {
	if len(e.first.hops) == 0 {
		return ok("none")
	}
	var hosts, signed []string
	for _, to := range e.first.hops {
		hosts = append(hosts, to.Host)
		for name := range to.Query() {
			if expiringName(name) && !slices.Contains(signed, name) {
				signed = append(signed, name)
			}
		}
	}
	seen := fmt.Sprintf("%d, to %s", len(hosts), strings.Join(hosts, ", then "))
	if len(signed) > 0 {
		slices.Sort(signed)
		return signedLink.note("%s, by a link that looks as if it expires (%s)", seen, strings.Join(signed, ", "))
	}
	return redirects.note("%s", seen)
}

func expiringName(name string) bool {
	name = strings.ToLower(name)
	for _, part := range expiring {
		if name == part || len(part) > 3 && strings.Contains(name, part) {
			return true
		}
	}
	return false
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

// cause leaves out of an error what was asked for: it may be signed.
func cause(err error) error {
	if isTimeout(err) {
		return errors.New("no answer in time")
	}
	var ue *url.Error
	if errors.As(err, &ue) {
		err = ue.Err
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Err != nil {
		return op.Err
	}
	return err
}

// kinds are the gateway's error codes of failed reads.
var kinds = []struct {
	kind error
	code string
}{
	{origin.ErrRedirect, "origin-redirect"}, {origin.ErrPrivate, "origin-denied"}, {origin.ErrDenied, "origin-denied"},
	{origin.ErrNotFound, "not-found-archive"}, {origin.ErrNoRange, "origin-no-range"}, {origin.ErrBadRange, "origin-bad-range"},
	{origin.ErrTLS, "origin-tls"}, {origin.ErrDNS, "origin-dns"}, {origin.ErrTimeout, "origin-timeout"},
	{origin.ErrChanged, "archive-changed"}, {origin.ErrUnavailable, "origin-unavailable"},
}

func codeOf(err error) string {
	for _, k := range kinds {
		if errors.Is(err, k.kind) {
			return k.code
		}
	}
	return "origin-unavailable"
}

// ms writes a duration as a person would.
func ms(d time.Duration) string {
	switch {
	case d >= time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d >= 10*time.Millisecond:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}
