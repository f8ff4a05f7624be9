package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"zipreel/gateway/cache"
	"zipreel/gateway/origin"
	"zipreel/zipindex"
)

// problem is a failure as viewers see it (RFC 9457). Its detail never holds a
// node's address, a credential, or the text of a Go error.
type problem struct {
	code   string
	detail string
	retry  time.Duration // Retry-After; zero: the code's own, if any
	cause  error         // for the log
}

func problemf(code, format string, args ...any) *problem {
	return &problem{code: code, detail: fmt.Sprintf(format, args...)}
}

func (p *problem) Error() string {
	if p.cause != nil {
		return p.code + ": " + p.cause.Error()
	}
	return p.code + ": " + p.detail
}

func (p *problem) Unwrap() error { return p.cause }

// codes is the contract's table: codes are stable, permanent faults are 4xx,
// passing ones 502, 503 and 504, since players retry only those.
var codes = map[string]struct {
	status int
	title  string
	retry  time.Duration
}{
	"not-found-source":     {404, "No such source", 0},
	"not-found-archive":    {404, "No such archive", 0},
	"not-found-entry":      {404, "No such entry in the archive", 0},
	"not-found-playlist":   {404, "No playlist in the archive", 0},
	"link-outside-archive": {404, "The range is no entry's data", 0},
	"bad-path":             {400, "Bad path", 0},
	"precondition":         {412, "Precondition failed", 0},
	"wrong-host":           {421, "Wrong host", 0},
	"method":               {405, "Method not allowed", 0},
	"range":                {416, "Range not satisfiable", 0},
	"zip-not-found":        {422, "Not a ZIP archive", 0},
	"zip-ambiguous-end":    {422, "The archive's end is ambiguous", 0},
	"zip-prefix-data":      {422, "The archive has data that shifts its offsets", 0},
	"zip-directory-count":  {422, "The archive's directory contradicts its end record", 0},
	"zip-zip64-mismatch":   {422, "The archive's ZIP64 records contradict its others", 0},
	"zip-multidisk":        {422, "The archive is split over disks", 0},
	"zip-too-large":        {422, "The archive's directory is too large", 0},
	"zip-overlap":          {422, "The archive's entries overlap", 0},
	"zip-duplicate-name":   {422, "The archive has one name twice", 0},
	"checksum":             {422, "The content does not fit the archive's checksum", 0},
	"playlist-too-large":   {422, "The playlist is too large", 0},
	"zip-encrypted":        {415, "The entry is encrypted", 0},
	"zip-method":           {415, "The entry is compressed in a way that is not served", 0},
	"zip-size-mismatch":    {415, "The entry's sizes contradict each other", 0},
	"zip-special-file":     {415, "The entry is no ordinary file", 0},
	"origin-no-range":      {502, "Storage does not answer ranges", 0},
	"origin-bad-range":     {502, "Storage answered another range", 0},
	"origin-denied":        {502, "Storage denied access", 0},
	"origin-redirect":      {502, "Storage redirected to where it may not", 0},
	"origin-tls":           {502, "No secure connection to storage", 0},
	"origin-dns":           {502, "Storage's name is not resolved", 0},
	"zip-local-mismatch":   {502, "The entry's header contradicts the directory", 0},
	"checksum-node":        {502, "Storage delivered wrong bytes", 0},
	"origin-unavailable":   {503, "Storage is unavailable", 2 * time.Second},
	"origin-slow":          {503, "Storage is slow", time.Second},
	"archive-changed":      {503, "The archive has just been replaced", time.Second},
	"archive-incomplete":   {503, "The archive is still being uploaded", 5 * time.Second},
	"overloaded":           {503, "Too much is being read at once", time.Second},
	"origin-timeout":       {504, "Storage did not answer in time", 0},
}

// errSlow is the cause of a context that ended by the 8 s rule.
var errSlow = errors.New("not there within the answer's time")

// originCodes maps what storage may fail with, in the order it is looked for.
var originCodes = []struct {
	kind   error
	code   string
	detail string
}{
	{errSlow, "origin-slow", "Storage has not answered yet; the read goes on. Ask again."},
	{origin.ErrNotFound, "not-found-archive", "Storage has no such archive."},
	{origin.ErrChanged, "archive-changed", "The archive was replaced while it was read. Ask again."},
	{origin.ErrNoRange, "origin-no-range", "The storage node answered a range with the whole file. Ranges have to be enabled there."},
	{origin.ErrBadRange, "origin-bad-range", "The storage node answered with other bytes than were asked for."},
	{origin.ErrDenied, "origin-denied", "The storage node refused the gateway's credentials."},
	{origin.ErrRedirect, "origin-redirect", "The storage node redirected in a loop, to plain HTTP or to an address that is not allowed."},
	{origin.ErrPrivate, "origin-denied", "The storage node's address is private. allow_private in the source's configuration allows it."},
	{origin.ErrTLS, "origin-tls", "The storage node's certificate or TLS version was not accepted."},
	{origin.ErrDNS, "origin-dns", "The storage node's name could not be resolved."},
	{origin.ErrTimeout, "origin-timeout", "The storage node did not answer in time."},
	{origin.ErrUnavailable, "origin-unavailable", "The storage node cannot be reached or is failing."},
	{cache.ErrChecksum, "checksum-node", "The bytes that storage delivered do not fit the archive's checksum."},
	{cache.ErrBusy, "overloaded", "Too much is being read from storage at once. Ask again."},
	{cache.ErrClosed, "overloaded", "The gateway is shutting down. Ask again."},
}

// problemOf maps every error of the layers below to what the viewer is told. It is the only place that does.
func problemOf(err error) *problem {
	var p *problem
	if errors.As(err, &p) {
		return p
	}
	var ze *zipindex.Error
	if errors.As(err, &ze) {
		return &problem{code: string(ze.Code), detail: "At byte " + strconv.FormatInt(ze.Offset, 10) + ": " + ze.Detail + ".", cause: err}
	}
	for _, o := range originCodes {
		if errors.Is(err, o.kind) {
			p = &problem{code: o.code, detail: o.detail, cause: err}
			var oe *origin.Error
			if errors.As(err, &oe) {
				p.retry = oe.RetryAfter
			}
			return p
		}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &problem{code: "origin-timeout", detail: "Storage did not answer in time.", cause: err}
	}
	return &problem{code: "origin-unavailable", detail: "The archive could not be read from storage.", cause: err}
}

// fail answers with a problem. Nothing of the body may have been sent. It logs what an operator must know, once.
func (g *Gateway) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		panic(http.ErrAbortHandler) // the viewer is gone: nobody reads an answer
	}
	p := problemOf(err)
	c := codes[p.code]
	if c.status >= 500 || p.code == "checksum" {
		g.log.Warn("request failed", "path", r.URL.Path, "code", p.code, "err", err)
	} else {
		g.log.Debug("request refused", "path", r.URL.Path, "code", p.code, "err", err)
	}
	g.metrics.failed(p.code)
	h := w.Header()
	contentRange := h["Content-Range"]
	dropContentHeaders(h)
	if c.status == 416 {
		h["Content-Range"] = contentRange // RFC 9110 §15.5.17
	}
	h["Content-Type"] = []string{"application/problem+json"}
	h["Cache-Control"] = []string{"no-store"}
	if c.status == 404 {
		h["Cache-Control"] = []string{"max-age=5"}
	}
	if retry := max(p.retry, c.retry); c.status == 503 {
		h["Retry-After"] = []string{strconv.Itoa(max(1, int((retry+time.Second-1)/time.Second)))}
	}
	body := problemJSON(p, c.status, c.title)
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(c.status)
	if r.Method != http.MethodHead {
		w.Write(body)
	}
}

func problemJSON(p *problem, status int, title string) []byte {
	body, _ := json.Marshal(struct {
		Type   string `json:"type"`
		Title  string `json:"title"`
		Status int    `json:"status"`
		Code   string `json:"code"`
		Detail string `json:"detail,omitempty"`
	}{"urn:zipreel:error:" + p.code, title, status, p.code, p.detail})
	return append(body, '\n')
}
