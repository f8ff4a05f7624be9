package origin

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// HTTPConfig says where an HTTP storage node keeps archives and how it is asked. Zero values mean the default.
type HTTPConfig struct {
	// Base is a URL. One that ends in "/" is a prefix: archives are named below it. One with {archive} in its path or query is a
	// template for all archives. Any other is one archive's own URL, whose query is kept as it is. A user and a password in it are
	// sent as Basic credentials (RFC 7617).
	Base string
	// Name is the archive's name where Base is one archive's URL; default: the last element of its path.
	Name string

	// Dialect is how ranges are asked for. Where {offset}, {size} or {end} stands in Base, the URL names the range, whatever it says.
	Dialect Dialect
	// SizeURL is where an archive's size is asked for when URLs name ranges; {archive} may stand in it, and it may be relative to
	// Base. The answer is a decimal number, or a JSON object with the number "size". Default: HEAD of the archive's own URL.
	SizeURL string
	// SizeFor is how long an asked size vouches for an archive whose node gives no validator; default 5 s.
	SizeFor time.Duration

	Header        http.Header   // sent with every request, to Base's host alone
	Authorization Authorization // the same; default: Base's user and password
	Proxy         *url.URL      // http, https or socks5; its own address may be private. Default: none, whatever the environment says

	AllowPrivate bool          // loopback, private and other special addresses may be reached
	TLS          *tls.Config   // default: the system's. Its client certificates are shown to Base's host alone
	HeaderWithin time.Duration // for the response's header; default 60 s
	StallAfter   time.Duration // without a byte of the body; default 3 s

	signer  signer                                   // instead of Authorization
	explain func(*http.Response) (kind, cause error) // what a refusal says, nil where it is nothing; may be nil
}

// Dialect is how a storage node is asked for a range.
type Dialect uint8

const (
	// RangeHeader asks with the Range header, and takes a 206 (RFC 9110 §14).
	RangeHeader Dialect = iota
	// RangeQuery adds range=<offset>%2C<size> to the URL's query, and takes a 200 with exactly those bytes.
	RangeQuery
)

const (
	maxRedirects   = 3
	maxHeaderBytes = 64 << 10
	cheapSkip      = 4 << 20 // a whole file instead of a range is taken up to here
	idlePerHost    = 64
	pingAfter      = 5 * time.Second // without a frame on an HTTP/2 connection, which one silent failure else takes from all reads
	pingWithin     = 2 * time.Second
	maxTargets     = 4096    // redirect targets and sizes remembered
	maxTargetBytes = 4 << 10 // of a redirect target that is remembered
	targetFor      = time.Minute
)

// HTTP is an Origin over a node that answers ranges. Safe for concurrent use.
type HTTP struct {
	cfg      HTTPConfig
	base     *url.URL // without credentials; of a template, with its placeholders
	at       template // of ranges, or of whole archives where the Range header names the range
	size     template // where sizes are asked for
	signer   signer   // may be nil
	client   *http.Client
	away     *http.Client // for other hosts than Base's
	noSuffix atomic.Bool  // the node does not answer the last n bytes

	mu      sync.Mutex // guards following
	targets map[string]target
	states  map[string]state
}

// NewHTTP checks the configuration. Nothing is asked of the node.
func NewHTTP(cfg HTTPConfig) (*HTTP, error) {
	o := &HTTP{cfg: cfg, targets: map[string]target{}, states: map[string]state{}}
	if err := o.setBase(); err != nil {
		return nil, err
	}
	if err := o.setSize(); err != nil {
		return nil, err
	}
	o.setCredentials()
	setDefault(&o.cfg.HeaderWithin, 60*time.Second)
	setDefault(&o.cfg.StallAfter, 3*time.Second)
	setDefault(&o.cfg.SizeFor, 5*time.Second)
	o.client = newClient(cfg, cfg.TLS)
	o.away = o.client
	if cfg.TLS != nil && (len(cfg.TLS.Certificates) > 0 || cfg.TLS.GetClientCertificate != nil) {
		bare := cfg.TLS.Clone()
		bare.Certificates, bare.GetClientCertificate = nil, nil
		o.away = newClient(cfg, bare)
	}
	return o, nil
}

func setDefault(d *time.Duration, def time.Duration) {
	if *d <= 0 {
		*d = def
	}
}

func newClient(cfg HTTPConfig, tlsConfig *tls.Config) *http.Client {
	t := &http.Transport{
		DialContext:            newDialer(cfg.AllowPrivate || cfg.Proxy != nil).dial,
		TLSClientConfig:        tlsConfig,
		TLSHandshakeTimeout:    5 * time.Second,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    idlePerHost,
		MaxResponseHeaderBytes: maxHeaderBytes,
		ReadBufferSize:         64 << 10,
		IdleConnTimeout:        60 * time.Second,
		DisableCompression:     true,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingWithin},
	}
	if cfg.Proxy != nil {
		t.Proxy = http.ProxyURL(cfg.Proxy)
	}
	return &http.Client{
		Transport:     t,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// setBase takes Base apart.
func (o *HTTP) setBase() error {
	u, err := url.Parse(o.cfg.Base)
	if err != nil {
		return errors.New("storage URL cannot be read")
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("storage URL of scheme %q is no http or https URL with a host", u.Scheme)
	}
	if u.Path == "" {
		u.Path = "/"
	}
	if o.cfg.Authorization == nil && u.User != nil {
		password, _ := u.User.Password()
		o.cfg.Authorization = Basic(u.User.Username(), password)
	}
	u.User, u.Fragment, u.RawFragment = nil, "", ""
	o.base = u
	if !IsTemplate(o.cfg.Base) && strings.HasSuffix(u.Path, "/") {
		at := *u
		at.RawQuery = ""
		o.at.text = at.String() + "{archive}"
		if u.RawQuery != "" {
			o.at.text += "?" + u.RawQuery
		}
	} else {
		o.at.text = withoutUser(o.cfg.Base)
	}
	if o.at, err = parseTemplate(o.at.text); err != nil {
		return err
	}
	if !o.at.prefix && o.cfg.Name == "" {
		o.cfg.Name = u.Path[strings.LastIndexByte(u.Path, '/')+1:]
	}
	return nil
}

// withoutUser takes user and password out of a URL that may be a template, and its fragment.
func withoutUser(raw string) string {
	raw, _, _ = strings.Cut(raw, "#")
	scheme, rest, _ := strings.Cut(raw, "://")
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	return scheme + "://" + rest[strings.LastIndexByte(rest[:end], '@')+1:]
}

// Name is the one archive's name; empty for a prefix.
func (o *HTTP) Name() string { return o.cfg.Name }

// Prefix says whether archives are named below the node's URL.
func (o *HTTP) Prefix() bool { return o.at.prefix }

// Close lets go of idle connections.
func (o *HTTP) Close() error {
	o.client.CloseIdleConnections()
	o.away.CloseIdleConnections()
	return nil
}

// Node names the node in errors and logs: scheme and host, no credential.
func (o *HTTP) Node() string { return o.base.Scheme + "://" + o.base.Host }

// has says whether the node may have an archive of this name.
func (o *HTTP) has(name string) bool {
	if o.at.prefix {
		return isName(name)
	}
	return name == o.cfg.Name
}

// Read implements Origin.
func (o *HTTP) Read(ctx context.Context, name string, off, n int64, want *Validator) (*Body, error) {
	r := &request{o: o, name: name, off: off, n: n, want: want}
	switch {
	case n <= 0 || off < Tail:
		return nil, r.fail(ErrBadRange, nil)
	case !o.has(name):
		return nil, r.fail(ErrNotFound, nil)
	case o.at.ranged:
		return o.readExact(ctx, r)
	case off == Tail && o.noSuffix.Load():
		return o.readTail(ctx, r)
	}
	body, err := r.send(ctx)
	switch {
	case off == Tail && r.suffixRefused(err):
		return o.readTail(ctx, r)
	case want != nil && r.unsatisfied(err):
		return nil, o.readSize(ctx, r, err)
	}
	return body, err
}

// readTail asks for the size first, for nodes that do not answer the last n bytes.
func (o *HTTP) readTail(ctx context.Context, r *request) (*Body, error) {
	probe := &request{o: o, name: r.name, off: 0, n: 1, want: r.want}
	first, err := probe.send(ctx)
	if err != nil {
		return nil, err
	}
	io.Copy(io.Discard, first) // one byte, so that the connection can be used again
	first.Close()
	o.noSuffix.Store(true)
	off, n, _ := clip(Tail, r.n, first.Size)
	rest := &request{o: o, name: r.name, off: off, n: n, want: &first.Validator}
	return rest.send(ctx)
}

// readSize asks for the size again after a 416 that did not name it: the object may be another by now. Else the refusal stands.
func (o *HTTP) readSize(ctx context.Context, r *request, refusal error) error {
	probe := &request{o: o, name: r.name, off: 0, n: 1, want: r.want}
	body, err := probe.send(ctx)
	if err == nil {
		body.Close()
		return refusal
	}
	return err
}
