// Package doctor asks an HTTP storage node what zipreel needs of it, and says what does not work, what that costs, and how to mend it.
//
// It is a table of checks, each of one question, asked in order; what one of them learns (the size, how ranges are asked for) those after it
// use. All but one ask by HTTP requests of their own, since they want to see what the gateway's reads hide; the check "read"
// reads as the gateway does. It knows no ZIP: who calls it says what the last bytes are the end of. `zipreel doctor` prints its
// report.
//
// An examination ends within 30 s, takes about 4 MiB at most, and sends credentials to the node's own host alone. Nothing of
// them stands in the report.
package doctor

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"zipreel/gateway/origin"
)

// Config says what is examined. Zero values mean the default.
type Config struct {
	// URL is one archive's, http or https, or ends in "/": archives are named below it. A user and a password in it are sent as Basic
	// credentials; its query is part of every request.
	URL     string
	Archive string      // the one to ask for, below a URL that ends in "/"; no other URL takes one
	Header  http.Header // sent with every request to the node's own host
	SizeURL string      // where sizes are asked for by nodes whose URLs name the range; default: HEAD
	TLS     *tls.Config // with the node's own authority; default: the system's
	Reads   int         // whose latency is measured; default 5, at most 20
	// Directory says what archive the bytes [off, size) of an object are the end of. Nil: that is not looked at.
	Directory func(tail []byte, off, size int64) Archive

	now  func() time.Time // default time.Now
	dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Archive is what lies at the end of an object.
type Archive struct {
	From      int64  // the directory begins there, and more bytes are needed; else 0
	Entries   int    // of its directory
	Playlists int    // of the entries
	Unserved  int    // entries that are not served
	Code      string // why the archive is refused as a whole, by the gateway's error code; empty: it is not
	Why       string // the same for people
}

const (
	examineWithin = 30 * time.Second
	askWithin     = 5 * time.Second
	connectWithin = 2 * time.Second // as the gateway's own
	maxBytes      = 4 << 20         // of all bodies together
	defaultReads  = 5
	maxReads      = 20
)

// check is one question to the node.
type check struct {
	name string
	run  func(ctx context.Context, e *exam) Finding
}

// checks come in the order in which they build on each other; what decides whether the node can be used comes first.
var checks = []check{
	{"reachable", reachable},
	{"tls", secured},
	{"answer", answered},
	{"redirects", redirected},
	{"range", ranged},
	{"query", queried},
	{"head", headed},
	{"suffix", suffixed},
	{"beyond", beyondEnd},
	{"read", readAsGateway},
	{"archive", archived},
	{"validator", validated},
	{"if-match", matched},
	{"compression", compressed},
	{"keep-alive", keptAlive},
	{"latency", timed},
	{"throughput", measured},
	{"cors", shared},
}

// Examine asks the node. The error says what is wrong with the configuration; whatever the node does stands in the report.
func Examine(ctx context.Context, cfg Config) (*Report, error) {
	e, err := newExam(cfg)
	if err != nil {
		return nil, err
	}
	defer e.close()
	ctx, cancel := context.WithTimeout(ctx, examineWithin)
	defer cancel()
	begun := e.now()
	for _, c := range checks {
		f := e.run(ctx, c)
		f.Name = c.name
		e.report.Checks = append(e.report.Checks, f)
	}
	e.report.Seconds = e.now().Sub(begun).Seconds()
	e.conclude()
	return e.report, nil
}

// close lets go of connections.
func (e *exam) close() {
	e.transport.CloseIdleConnections()
	if e.node != nil {
		e.node.Close()
	}
}

// run asks one question, unless those before it left nothing to ask or no time.
func (e *exam) run(ctx context.Context, c check) Finding {
	switch {
	case e.stopped != "":
		return Finding{Mark: Skip, Seen: "not asked, since " + e.stopped, unasked: true}
	case ctx.Err() != nil:
		return Finding{Mark: Skip, Seen: "not asked: the time is over", unasked: true}
	}
	f := c.run(ctx, e)
	if f.Mark == Fail && f.last {
		e.stopped = "“" + c.name + "” failed"
	}
	return f
}

// exam is one examination, and what it has learnt of the node.
type exam struct {
	cfg       Config
	base      *url.URL      // without user
	user      *url.Userinfo // of the URL; may be nil
	transport *http.Transport
	now       func() time.Time
	dial      func(ctx context.Context, network, address string) (net.Conn, error)
	secrets   *strings.Replacer
	report    *Report

	stopped string       // why no more is asked; empty: it is
	size    int64        // the archive's; -1: not known
	first   *answer      // to the first request
	at      *url.URL     // where the Range header is answered, behind redirects
	way     way          // how ranges are asked for
	etags   []string     // that the archive's bytes came with, each once
	node    *origin.HTTP // as the gateway would make it; nil before it is
	tail    []byte       // of the archive, as the gateway reads it
}

// way is how a node is asked for ranges.
type way uint8

const (
	noWay    way = iota // as far as is known, not at all
	byHeader            // Range header
	byWhole             // it gives the whole archive, which is small
	byQuery             // range= in the URL's query
)

func newExam(cfg Config) (*exam, error) {
	u, err := url.Parse(cfg.URL)
	switch {
	case err != nil:
		return nil, errors.New("the URL cannot be read")
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, errors.New("no http or https URL with a host")
	case origin.IsTemplate(cfg.URL):
		return nil, errors.New("the URL is a template; give it without a range: how ranges are asked for is found out")
	}
	if err := nameArchive(u, cfg.Archive); err != nil {
		return nil, err
	}
	if cfg.Reads <= 0 {
		cfg.Reads = defaultReads
	}
	cfg.Reads = min(cfg.Reads, maxReads)
	e := &exam{cfg: cfg, base: u, now: cfg.now, dial: cfg.dial, size: -1, secrets: secretsOf(cfg, u)}
	if e.now == nil {
		e.now = time.Now
	}
	if e.dial == nil {
		e.dial = (&net.Dialer{Timeout: connectWithin}).DialContext
	}
	e.user = u.User
	e.report = &Report{URL: shown(u), Size: -1}
	u.User, u.Fragment, u.RawFragment = nil, "", ""
	e.transport = &http.Transport{
		DialContext:            e.dial,
		TLSClientConfig:        cfg.TLS,
		ForceAttemptHTTP2:      true,
		MaxResponseHeaderBytes: maxHeaderBytes,
		DisableCompression:     true,
		IdleConnTimeout:        examineWithin,
	}
	return e, nil
}

// nameArchive makes a prefix the URL of one archive below it.
func nameArchive(u *url.URL, name string) error {
	prefix := u.Path == "" || strings.HasSuffix(u.Path, "/")
	switch {
	case prefix && name == "":
		return errors.New("the URL ends in /: name an archive below it")
	case !prefix && name != "":
		return errors.New("the URL names an archive itself: leave the other name out, or end the URL in /")
	case !prefix:
		return nil
	case strings.ContainsFunc(name, unicode.IsControl) || strings.HasPrefix(name, "/") || slices.Contains(strings.Split(name, "/"), ".."):
		return fmt.Errorf("%q is no archive's name", name)
	}
	escaped := strings.Split(name, "/")
	for i, element := range escaped {
		escaped[i] = url.PathEscape(element)
	}
	path := cmp.Or(u.EscapedPath(), "/") + strings.Join(escaped, "/")
	u.Path, u.RawPath = cmp.Or(u.Path, "/")+name, path
	return nil
}
