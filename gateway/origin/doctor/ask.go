package doctor

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	maxRedirects   = 3 // as the gateway's own
	maxHeaderBytes = 64 << 10
	maxPageBytes   = 4 << 10 // of an error's page, so that the connection can be used again
)

// question is one request to the node.
type question struct {
	method string            // default GET
	span   string            // Range header; may be empty
	query  string            // added to the URL's
	header map[string]string // besides those of every request
	n      int64             // bytes of the body that are wanted; one more is read to see the end
	within time.Duration     // default askWithin
	at     *url.URL          // asked instead of the archive's URL; may be nil
}

// answer is what came of a question, behind redirects.
type answer struct {
	status    int
	proto     string
	header    http.Header
	length    int64 // as the header states it; -1: not
	body      []byte
	more      bool          // the body goes on
	broken    error         // why the body ended early
	firstByte time.Duration // from the request to its header, redirects included
	took      time.Duration // to the last byte that was read
	reused    bool          // an idle connection was used
	at        *url.URL
	hops      []*url.URL // where redirects led
}

// redirectError is a redirect that is not followed.
type redirectError struct{ why string }

func (e *redirectError) Error() string { return e.why }

// ask sends a question and follows redirects under the gateway's rules.
func (e *exam) ask(ctx context.Context, q question) (*answer, error) {
	if q.within == 0 {
		q.within = askWithin
	}
	ctx, cancel := context.WithTimeout(ctx, q.within)
	defer cancel()
	a := &answer{at: e.base}
	if q.at != nil {
		a.at = q.at
	}
	begun := e.now()
	for {
		res, err := e.send(ctx, q, a)
		if err != nil {
			return nil, err
		}
		to, err := target(res, a)
		if to != nil || err != nil {
			io.CopyN(io.Discard, res.Body, maxPageBytes)
			res.Body.Close()
		}
		if err != nil {
			return nil, err
		}
		if to == nil {
			a.firstByte = e.now().Sub(begun)
			e.take(res, q, a)
			a.took = e.now().Sub(begun)
			return a, nil
		}
		a.hops, a.at = append(a.hops, to), to
	}
}

// send sends one request to where the question has got to.
func (e *exam) send(ctx context.Context, q question, a *answer) (*http.Response, error) {
	at := *a.at
	if q.query != "" && len(a.hops) == 0 {
		at.RawQuery = strings.TrimPrefix(at.RawQuery+"&"+q.query, "&")
	}
	if q.method == "" {
		q.method = http.MethodGet
	}
	trace := &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) { a.reused = c.Reused }}
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, trace), q.method, at.String(), nil)
	if err != nil {
		return nil, errors.New("the URL cannot be asked for")
	}
	if at.Scheme == e.base.Scheme && at.Host == e.base.Host {
		for k, v := range e.cfg.Header {
			req.Header[k] = v
		}
		if e.user != nil {
			password, _ := e.user.Password()
			req.SetBasicAuth(e.user.Username(), password)
		}
	}
	req.Header.Set("Accept-Encoding", "identity")
	if q.span != "" {
		req.Header.Set("Range", q.span)
	}
	for k, v := range q.header {
		req.Header.Set(k, v)
	}
	e.report.Requests++
	return e.transport.RoundTrip(req)
}

// target is where an answer redirects to; nil when it does not.
func target(res *http.Response, a *answer) (*url.URL, error) {
	switch res.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return nil, nil
	}
	to, err := res.Location()
	switch {
	case err != nil:
		return nil, &redirectError{fmt.Sprintf("status %d without a Location that can be read", res.StatusCode)}
	case len(a.hops) >= maxRedirects:
		return nil, &redirectError{fmt.Sprintf("more than %d redirects; the last one leads to %s", maxRedirects, to.Host)}
	case to.Scheme != "http" && to.Scheme != "https":
		return nil, &redirectError{"it redirects to another scheme, " + strconv.Quote(to.Scheme)}
	case a.at.Scheme == "https" && to.Scheme == "http":
		return nil, &redirectError{"it redirects from https to http, at " + to.Host}
	}
	to.User, to.Fragment = nil, ""
	return to, nil
}

// take reads as much of the body as is wanted and may be had.
func (e *exam) take(res *http.Response, q question, a *answer) {
	defer res.Body.Close()
	a.status, a.proto, a.header, a.length = res.StatusCode, res.Proto, res.Header, res.ContentLength
	n := q.n
	if res.StatusCode >= 300 {
		n = maxPageBytes
	}
	n = min(n, maxBytes-e.report.Bytes)
	a.body, a.broken = io.ReadAll(io.LimitReader(res.Body, n+1))
	e.report.Bytes += int64(len(a.body))
	if int64(len(a.body)) > n {
		a.body, a.more = a.body[:n], true
	}
	if tag := a.header.Get("Etag"); a.status < 300 && tag != "" && !slices.Contains(e.etags, tag) && len(e.etags) < maxReads {
		e.etags = append(e.etags, tag)
	}
}

// part asks for bytes [off, off+n) in the way that the node understands.
func (e *exam) part(off, n int64) question {
	if e.way == byQuery {
		return question{query: fmt.Sprintf("range=%d%%2C%d", off, n), n: n}
	}
	return question{span: fmt.Sprintf("bytes=%d-%d", off, off+n-1), n: n}
}

// partStatus is that of a right answer to a part.
func (e *exam) partStatus() int {
	if e.way == byQuery {
		return http.StatusOK
	}
	return http.StatusPartialContent
}

var contentRange = regexp.MustCompile(`^(?i:bytes) ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)$`)

// stated reads the Content-Range of a 206: [off, off+n) of size, which is -1 where it is not told.
func (a *answer) stated() (off, n, size int64, ok bool) {
	m := contentRange.FindStringSubmatch(a.header.Get("Content-Range"))
	if m == nil {
		return 0, 0, -1, false
	}
	first, _ := strconv.ParseInt(m[1], 10, 64)
	last, _ := strconv.ParseInt(m[2], 10, 64)
	size, err := strconv.ParseInt(m[3], 10, 64)
	if err != nil {
		size = -1
	}
	return first, last - first + 1, size, last >= first && (size < 0 || last < size)
}

// coded answers the body's coding, empty when it has none.
func (a *answer) coded() string {
	c := a.header.Get("Content-Encoding")
	if strings.EqualFold(c, "identity") {
		return ""
	}
	return c
}

const minSecret = 4 // characters; less would be found everywhere

// secretsOf replaces whatever of the configuration may be secret: nodes repeat what they are sent.
func secretsOf(cfg Config, u *url.URL) *strings.Replacer {
	var pairs []string
	add := func(secret string) {
		if len(secret) >= minSecret {
			pairs = append(pairs, secret, "xxxxx")
		}
	}
	add(u.RawQuery)
	for _, values := range u.Query() {
		for _, v := range values {
			add(v)
			add(url.QueryEscape(v))
		}
	}
	if u.User != nil {
		password, has := u.User.Password()
		add(password)
		add(base64.StdEncoding.EncodeToString([]byte(u.User.Username() + ":" + password)))
		if !has {
			add(u.User.Username())
		}
	}
	for _, values := range cfg.Header {
		for _, v := range values {
			add(v)
			_, token, _ := strings.Cut(v, " ")
			add(token)
		}
	}
	return strings.NewReplacer(pairs...)
}

// shown is a URL without password and query; a user without a password may be a token.
func shown(u *url.URL) string {
	s := *u
	if s.User != nil {
		s.User = url.User("xxxxx")
		if _, has := u.User.Password(); has {
			s.User = url.UserPassword(u.User.Username(), "xxxxx")
		}
	}
	s.RawQuery, s.Fragment, s.RawFragment = "", "", ""
	if u.RawQuery != "" {
		s.RawQuery = "…"
	}
	return s.String()
}
