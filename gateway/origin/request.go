package origin

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// request is one read on its way to the node.
type request struct {
	o      *HTTP
	name   string
	off, n int64
	want   *Validator
	exact  bool  // the URL names the range
	size   int64 // with exact: the object's
	status int
	total  int64 // the object's size as a 416 named it; -1 when it did not
}

func (r *request) fail(kind, cause error) *Error {
	return &Error{Kind: kind, Node: r.o.Node(), Archive: r.name, Off: r.off, N: r.n, Status: r.status, Err: cause}
}

// suffixRefused says whether the node may answer the same bytes when they are asked for by their place.
func (r *request) suffixRefused(err error) bool {
	if err == nil {
		return false
	}
	switch r.status {
	case http.StatusOK, http.StatusBadRequest, http.StatusRequestedRangeNotSatisfiable, http.StatusNotImplemented:
		return true
	}
	return r.status == http.StatusPartialContent && errors.Is(err, ErrBadRange)
}

// unsatisfied says whether the node refused the range without naming the object's size.
func (r *request) unsatisfied(err error) bool {
	return r.status == http.StatusRequestedRangeNotSatisfiable && r.total < 0 && errors.Is(err, ErrBadRange)
}

// send asks the node, follows redirects, and checks the answer.
func (r *request) send(ctx context.Context) (*Body, error) {
	u, err := r.o.at.url(r.name, r.off, r.n)
	if err != nil {
		return nil, r.fail(ErrNotFound, nil) // the cause would hold the URL
	}
	ctx, cancel := context.WithCancelCause(ctx)
	clock := time.AfterFunc(r.o.cfg.HeaderWithin, func() { cancel(errStalled) })
	res, err := r.follow(ctx, u)
	if err != nil {
		clock.Stop()
		err = r.kindOf(ctx, err)
		cancel(nil)
		return nil, err
	}
	w := &httpBody{r: r, body: res.Body, cancel: cancel, stall: r.o.cfg.StallAfter, ctx: ctx, beyond: refusalMax}
	w.clock = time.AfterFunc(w.stall, func() { cancel(errStalled) })
	w.clock.Stop() // until somebody waits for bytes
	body, err := r.check(res, w)
	clock.Stop()
	if err != nil {
		w.Close()
		r.o.setTarget(r.name, nil) // wherever it led to
		return nil, err
	}
	return body, nil
}

// follow sends the request to where the archive was last found, and then to where the node says it is. A link for one exact
// range is of no use for another, so none is kept.
func (r *request) follow(ctx context.Context, u *url.URL) (*http.Response, error) {
	if at := r.o.target(r.name); at != nil && r.want != nil {
		res, err := r.do(ctx, http.MethodGet, at)
		if err == nil && (res.StatusCode < 300 || res.StatusCode == http.StatusPreconditionFailed || res.StatusCode == http.StatusRequestedRangeNotSatisfiable) {
			return res, nil
		}
		if err == nil {
			res.Body.Close()
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		r.o.setTarget(r.name, nil) // an expired link: resolved anew
	}
	res, at, err := r.resolve(ctx, http.MethodGet, u)
	if err == nil && at != u && res.StatusCode < 300 && !r.exact {
		r.o.setTarget(r.name, at)
	}
	return res, err
}

// resolve sends the request to u and from there to where redirects lead, and answers where that was.
func (r *request) resolve(ctx context.Context, method string, u *url.URL) (*http.Response, *url.URL, error) {
	at := u
	for range maxRedirects + 1 {
		res, err := r.do(ctx, method, at)
		if err != nil || !isRedirect(res.StatusCode) {
			return res, at, err
		}
		to, err := res.Location()
		if err == nil && (to.Scheme != "http" && to.Scheme != "https" || at.Scheme == "https" && to.Scheme != "https") {
			err = errors.New("to another scheme")
		} else if err != nil {
			err = errors.New("to nowhere")
		}
		if err != nil {
			r.status = res.StatusCode
			err = r.refusal(ErrRedirect, err, res)
		}
		res.Body.Close()
		if err != nil {
			return nil, nil, err
		}
		at = to
	}
	return nil, nil, r.fail(ErrRedirect, fmt.Errorf("more than %d", maxRedirects))
}

func isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// target is where a node last redirected to for an archive. It is asked anew after a while: the node may redirect to another version by then, while the old
// one still answers.
type target struct {
	at    *url.URL
	until time.Time
}

func (o *HTTP) target(name string) *url.URL {
	o.mu.Lock()
	defer o.mu.Unlock()
	if t := o.targets[name]; time.Now().Before(t.until) {
		return t.at
	}
	return nil
}

func (o *HTTP) setTarget(name string, to *url.URL) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if to == nil {
		delete(o.targets, name)
		return
	}
	if len(o.targets) >= maxTargets {
		clear(o.targets)
	}
	if len(to.Path)+len(to.RawPath)+len(to.RawQuery) <= maxTargetBytes {
		o.targets[name] = target{to, time.Now().Add(targetFor)}
	}
}

// own says whether a URL is of the node's own host, which alone gets its credentials.
func (o *HTTP) own(u *url.URL) bool { return u.Scheme == o.base.Scheme && u.Host == o.base.Host }

// do sends one request, once; once more with other credentials where the node refused those it got and there are others.
func (r *request) do(ctx context.Context, method string, at *url.URL) (*http.Response, error) {
	res, req, err := r.try(ctx, method, at)
	sign := r.o.signer
	if err != nil || sign == nil || !r.o.own(at) || !sign.refuses(res.StatusCode) || !sign.renew(req) {
		return res, err
	}
	io.CopyN(io.Discard, res.Body, refusalMax)
	res.Body.Close()
	res, _, err = r.try(ctx, method, at)
	return res, err
}

func (r *request) try(ctx context.Context, method string, at *url.URL) (*http.Response, *http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, at.String(), nil)
	if err != nil {
		return nil, nil, err
	}
	client := r.o.away
	if r.o.own(at) {
		client = r.o.client
		for k, v := range r.o.cfg.Header {
			req.Header[k] = v
		}
	}
	req.Header.Set("Accept-Encoding", "identity")
	if method == http.MethodGet && !r.exact && r.n > 0 {
		req.Header.Set("Range", r.rangeHeader())
	}
	if r.want != nil && r.want.Strong() {
		req.Header.Set("If-Match", r.want.ETag)
	}
	if r.o.signer != nil && r.o.own(at) {
		if err := r.o.signer.sign(req); err != nil && ctx.Err() == nil {
			return nil, nil, r.fail(ErrDenied, err)
		} else if err != nil {
			return nil, nil, err
		}
	}
	err = r.o.mayReach(at)
	var res *http.Response
	if err == nil {
		res, err = client.Do(req)
	}
	if errors.Is(err, ErrPrivate) && !r.o.own(at) {
		return nil, nil, r.fail(ErrRedirect, withoutURL(err))
	}
	return res, req, err
}

// withoutURL leaves out the URL that net/http puts into its errors, which may be signed.
func withoutURL(err error) error {
	var ue *url.Error
	if errors.As(err, &ue) {
		return ue.Err
	}
	return err
}

// mayReach holds an address in a URL against the outbound rules where a proxy connects and not the dialer. Names are the
// proxy's to resolve.
func (o *HTTP) mayReach(u *url.URL) error {
	if o.cfg.Proxy == nil || o.cfg.AllowPrivate {
		return nil
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	ip, err := netip.ParseAddr(host)
	if err == nil && !public(ip) || host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return fmt.Errorf("%s: %w", host, ErrPrivate)
	}
	return nil
}

func (r *request) rangeHeader() string {
	if r.off == Tail {
		return "bytes=-" + strconv.FormatInt(r.n, 10)
	}
	return "bytes=" + strconv.FormatInt(r.off, 10) + "-" + strconv.FormatInt(r.off+r.n-1, 10)
}

// errStalled is the cause of a context that ended because no bytes came.
var errStalled = errors.New("no byte came in time")

// kindOf sorts a failed request.
func (r *request) kindOf(ctx context.Context, err error) error {
	var mine *Error
	if errors.As(err, &mine) {
		return mine
	}
	err = withoutURL(err)
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case context.Cause(ctx) == errStalled:
		return r.fail(ErrTimeout, errStalled)
	case ctx.Err() != nil:
		return r.fail(ErrTimeout, ended(ctx))
	case errors.Is(err, ErrPrivate):
		return r.fail(ErrPrivate, err)
	case errors.As(err, &dns):
		return r.fail(ErrDNS, err)
	case isTLS(err), errors.Is(err, http.ErrSchemeMismatch):
		return r.fail(ErrTLS, err)
	case errors.As(err, &timeout) && timeout.Timeout():
		return r.fail(ErrTimeout, err)
	}
	return r.fail(ErrUnavailable, err)
}

// ended says why a context ended, in the words of whoever ended it too.
func ended(ctx context.Context) error {
	if cause := context.Cause(ctx); cause != ctx.Err() {
		return fmt.Errorf("%w: %w", ctx.Err(), cause)
	}
	return ctx.Err()
}

func isTLS(err error) bool {
	var (
		alert   tls.AlertError
		record  tls.RecordHeaderError
		verify  *tls.CertificateVerificationError
		unknown x509.UnknownAuthorityError
		host    x509.HostnameError
		invalid x509.CertificateInvalidError
	)
	return errors.As(err, &alert) || errors.As(err, &record) || errors.As(err, &verify) ||
		errors.As(err, &unknown) || errors.As(err, &host) || errors.As(err, &invalid) || strings.Contains(err.Error(), "tls: ")
}
