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
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// HTTPConfig says where an HTTP storage node keeps archives. Zero values mean the default.
type HTTPConfig struct {
	// Base is a URL. One that ends in "/" is a prefix: archives are named below it. Any other is one archive's own URL, whose query is kept as it is.
	Base string
	// Name is the archive's name where Base is one archive's URL; default: the last element of its path.
	Name string

	Header       http.Header   // sent with every request, to Base's host alone
	AllowPrivate bool          // loopback, private and other special addresses may be reached
	TLS          *tls.Config   // default: the system's
	HeaderWithin time.Duration // for the response's header; default 60 s
	StallAfter   time.Duration // without a byte of the body; default 3 s
}

const (
	maxRedirects   = 3
	maxHeaderBytes = 64 << 10
	cheapSkip      = 4 << 20 // a whole file instead of a range is taken up to here
	idlePerHost    = 64
	maxTargets     = 4096 // redirect targets remembered
)

// HTTP is an Origin over a node that answers Range requests (RFC 9110 §14). Safe for concurrent use.
type HTTP struct {
	cfg      HTTPConfig
	base     *url.URL
	prefix   bool
	client   *http.Client
	noSuffix atomic.Bool // the node does not answer the last n bytes

	mu      sync.Mutex // guards following
	targets map[string]*url.URL
}

// NewHTTP checks the configuration. Nothing is asked of the node.
func NewHTTP(cfg HTTPConfig) (*HTTP, error) {
	u, err := url.Parse(cfg.Base)
	if err != nil {
		return nil, errors.New("storage URL cannot be read")
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("storage URL of scheme %q is no http or https URL with a host", u.Scheme)
	}
	o := &HTTP{cfg: cfg, base: u, prefix: strings.HasSuffix(u.Path, "/"), targets: map[string]*url.URL{}}
	if u.Path == "" {
		u.Path, o.prefix = "/", true
	}
	if !o.prefix && cfg.Name == "" {
		o.cfg.Name = u.Path[strings.LastIndexByte(u.Path, '/')+1:]
	}
	if o.cfg.HeaderWithin <= 0 {
		o.cfg.HeaderWithin = 60 * time.Second
	}
	if o.cfg.StallAfter <= 0 {
		o.cfg.StallAfter = 3 * time.Second
	}
	o.client = &http.Client{
		Transport: &http.Transport{
			DialContext:            newDialer(cfg.AllowPrivate).dial,
			TLSClientConfig:        cfg.TLS,
			TLSHandshakeTimeout:    5 * time.Second,
			ForceAttemptHTTP2:      true,
			MaxIdleConnsPerHost:    idlePerHost,
			MaxResponseHeaderBytes: maxHeaderBytes,
			ReadBufferSize:         64 << 10,
			IdleConnTimeout:        60 * time.Second,
			DisableCompression:     true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return o, nil
}

// Name is the one archive's name; empty for a prefix.
func (o *HTTP) Name() string { return o.cfg.Name }

// Close lets go of idle connections.
func (o *HTTP) Close() error { o.client.CloseIdleConnections(); return nil }

// node names the node in errors: no credential, no query.
func (o *HTTP) node() string { return o.base.Scheme + "://" + o.base.Host }

// Read implements Origin.
func (o *HTTP) Read(ctx context.Context, name string, off, n int64, want *Validator) (*Body, error) {
	r := &request{o: o, name: name, off: off, n: n, want: want}
	if n <= 0 || off < Tail {
		return nil, r.fail(ErrBadRange, nil)
	}
	u, ok := o.url(name)
	if !ok {
		return nil, r.fail(ErrNotFound, nil)
	}
	if off == Tail && o.noSuffix.Load() {
		return o.readTail(ctx, r, u)
	}
	body, err := r.send(ctx, u)
	switch {
	case off == Tail && r.suffixRefused(err):
		return o.readTail(ctx, r, u)
	case want != nil && r.unsatisfied(err):
		return nil, o.readSize(ctx, r, u, err)
	}
	return body, err
}

// url answers the URL of an archive.
func (o *HTTP) url(name string) (*url.URL, bool) {
	if !o.prefix {
		return o.base, name == o.cfg.Name
	}
	for e := range strings.SplitSeq(name, "/") {
		if e == "" || e == "." || e == ".." || strings.ContainsAny(e, "\\\x00") {
			return nil, false
		}
	}
	u := *o.base
	u.RawPath = u.EscapedPath() + escapePath(name)
	u.Path += name
	return &u, true
}

// escapePath encodes a name by path element.
func escapePath(name string) string {
	elems := strings.Split(name, "/")
	for i, e := range elems {
		elems[i] = url.PathEscape(e)
	}
	return strings.Join(elems, "/")
}

// readTail asks for the size first, for nodes that do not answer the last n bytes.
func (o *HTTP) readTail(ctx context.Context, r *request, u *url.URL) (*Body, error) {
	probe := &request{o: o, name: r.name, off: 0, n: 1, want: r.want}
	first, err := probe.send(ctx, u)
	if err != nil {
		return nil, err
	}
	io.Copy(io.Discard, first) // one byte, so that the connection can be used again
	first.Close()
	o.noSuffix.Store(true)
	off, n, _ := clip(Tail, r.n, first.Size)
	rest := &request{o: o, name: r.name, off: off, n: n, want: &first.Validator}
	return rest.send(ctx, u)
}

// readSize asks for the size again after a 416 that did not name it: the object may be another by now. Else the refusal stands.
func (o *HTTP) readSize(ctx context.Context, r *request, u *url.URL, refusal error) error {
	probe := &request{o: o, name: r.name, off: 0, n: 1, want: r.want}
	body, err := probe.send(ctx, u)
	if err == nil {
		body.Close()
		return refusal
	}
	return err
}

// request is one read on its way to the node.
type request struct {
	o      *HTTP
	name   string
	off, n int64
	want   *Validator
	status int
	total  int64 // the object's size as a 416 named it; -1 when it did not
}

func (r *request) fail(kind, cause error) *Error {
	return &Error{Kind: kind, Node: r.o.node(), Archive: r.name, Off: r.off, N: r.n, Status: r.status, Err: cause}
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
func (r *request) send(ctx context.Context, u *url.URL) (*Body, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	clock := time.AfterFunc(r.o.cfg.HeaderWithin, func() { cancel(errStalled) })
	res, err := r.follow(ctx, u)
	clock.Stop()
	if err != nil {
		err = r.kindOf(ctx, err)
		cancel(nil)
		return nil, err
	}
	w := &httpBody{r: r, body: res.Body, cancel: cancel, stall: r.o.cfg.StallAfter, ctx: ctx, beyond: refusalMax}
	w.clock = time.AfterFunc(w.stall, func() { cancel(errStalled) })
	w.clock.Stop() // until somebody waits for bytes
	body, err := r.check(res, w)
	if err != nil {
		w.Close()
		return nil, err
	}
	return body, nil
}

// follow sends the request to where the archive was last found, and then to where the node says it is.
func (r *request) follow(ctx context.Context, u *url.URL) (*http.Response, error) {
	at := r.o.target(u)
	if at != nil {
		res, err := r.do(ctx, at, u)
		if err == nil && (res.StatusCode < 300 || res.StatusCode == http.StatusPreconditionFailed || res.StatusCode == http.StatusRequestedRangeNotSatisfiable) {
			return res, nil
		}
		if err == nil {
			res.Body.Close()
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		r.o.setTarget(u, nil) // an expired link: resolved anew
	}
	at = u
	for range maxRedirects + 1 {
		res, err := r.do(ctx, at, u)
		if err != nil || !isRedirect(res.StatusCode) {
			if err == nil && at != u && res.StatusCode < 300 {
				r.o.setTarget(u, at)
			}
			return res, err
		}
		to, err := res.Location()
		res.Body.Close()
		if err != nil || to.Scheme != "http" && to.Scheme != "https" || at.Scheme == "https" && to.Scheme != "https" {
			r.status = res.StatusCode
			return nil, r.fail(ErrRedirect, errors.New("to another scheme or to nowhere"))
		}
		at = to
	}
	return nil, r.fail(ErrRedirect, fmt.Errorf("more than %d", maxRedirects))
}

func isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

func (o *HTTP) target(u *url.URL) *url.URL {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.targets[u.Path]
}

func (o *HTTP) setTarget(u, to *url.URL) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if to == nil {
		delete(o.targets, u.Path)
		return
	}
	if len(o.targets) >= maxTargets {
		clear(o.targets)
	}
	o.targets[u.Path] = to
}

// do sends one request, once.
func (r *request) do(ctx context.Context, at, u *url.URL) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return nil, err
	}
	if at.Host == u.Host && at.Scheme == u.Scheme {
		for k, v := range r.o.cfg.Header {
			req.Header[k] = v
		}
	}
	req.Header.Set("Accept-Encoding", "identity")
	req.Header.Set("Range", r.rangeHeader())
	if r.want != nil && r.want.Strong() {
		req.Header.Set("If-Match", r.want.ETag)
	}
	res, err := r.o.client.Do(req)
	if at != u && errors.Is(err, errPrivate) {
		return nil, r.fail(ErrRedirect, errPrivate)
	}
	return res, err
}

func (r *request) rangeHeader() string {
	if r.off == Tail {
		return "bytes=-" + strconv.FormatInt(r.n, 10)
	}
	return "bytes=" + strconv.FormatInt(r.off, 10) + "-" + strconv.FormatInt(r.off+r.n-1, 10)
}

// errStalled is the cause of a context that ended because no bytes came.
var errStalled = errors.New("no byte came in time")

// kindOf sorts a failed request. The text of a *url.Error, which holds the whole URL, is not kept.
func (r *request) kindOf(ctx context.Context, err error) error {
	var mine *Error
	if errors.As(err, &mine) {
		return mine
	}
	var ue *url.Error
	if errors.As(err, &ue) {
		err = ue.Err
	}
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case context.Cause(ctx) == errStalled:
		return r.fail(ErrTimeout, errStalled)
	case ctx.Err() != nil:
		return r.fail(ErrTimeout, ended(ctx))
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
