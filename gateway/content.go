package gateway

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"zipreel/gateway/cache"
)

// content is something that can be answered: an entry, a part of one, or a rewritten playlist.
type content struct {
	size         int64
	etag         string // strong, with quotes
	modified     time.Time
	mtype        mediaType
	cacheControl []string
	next         string // reference to the next segment, empty when not known
	stale        bool   // storage cannot be asked whether it is still the same
	open         func(ctx context.Context, off, n int64) reader
}

// reader hands out bytes in order, as *cache.Reader does.
type reader interface {
	Next(ctx context.Context) ([]byte, error)
	Outcome() cache.Outcome
	Close()
	Leave()
}

const (
	maxWrite     = 256 << 10        // bytes a viewer must take
	writeWithin  = 60 * time.Second // in this time, or it is dropped
	crlf         = "\r\n"
	boundaryRand = 15
)

// serveContent answers GET and HEAD with a content. ctx ends by the 8 s rule. An error is answered
// only while nothing has been sent; later failures cut the connection.
func (g *Gateway) serveContent(ctx context.Context, w http.ResponseWriter, r *http.Request, c *content) error {
	h := w.Header()
	h["Etag"] = []string{c.etag}
	h["Accept-Ranges"] = acceptBytes
	h["Cache-Control"] = c.cacheControl
	if !c.modified.IsZero() {
		h["Last-Modified"] = []string{c.modified.UTC().Format(http.TimeFormat)}
	}
	if c.next != "" {
		h["Link"] = []string{"<" + c.next + `>; rel="next"`}
	}
	switch judge(r.Header, c.etag, c.modified) {
	case failed:
		return problemf("precondition", "The entry is not the one that the request's conditions name.")
	case notModified:
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h["Content-Type"] = []string{c.mtype.name}
	if c.mtype.attachment {
		h["Content-Disposition"] = attachment
	}
	if r.Method == http.MethodHead {
		h["Content-Length"] = []string{strconv.FormatInt(c.size, 10)}
		w.WriteHeader(http.StatusOK)
		return nil
	}
	spans, err := c.spans(r)
	if err != nil {
		h["Content-Range"] = []string{"bytes */" + strconv.FormatInt(c.size, 10)}
		return err
	}
	return g.sendSpans(ctx, w, r, c, spans)
}

// spans answers what the request asks for; none for the whole.
func (c *content) spans(r *http.Request) ([]span, error) {
	header := r.Header.Get("Range")
	if header == "" || !rangeHolds(r.Header.Get("If-Range"), c.etag, c.modified) {
		return nil, nil
	}
	spans, ok := parseRange(header, c.size)
	if !ok {
		return nil, problemf("range", "The content has %d bytes; the range lies outside.", c.size)
	}
	return spans, nil
}

func (g *Gateway) sendSpans(ctx context.Context, w http.ResponseWriter, r *http.Request, c *content, spans []span) error {
	status, whole := http.StatusPartialContent, span{0, c.size}
	if len(spans) == 0 {
		status, spans = http.StatusOK, []span{whole}
	}
	began := time.Now()
	rd := c.open(ctx, spans[0].off, spans[0].n)
	defer func() { rd.Close() }()
	first, err := rd.Next(ctx)
	if err != nil && err != io.EOF {
		if errors.Is(err, errSlow) {
			rd.Leave()
		}
		return err
	}
	h := w.Header()
	h["Server-Timing"] = []string{serverTiming(rd.Outcome(), time.Since(began), c.stale)}
	v := viewer{g: g, w: w, r: r, rc: http.NewResponseController(w)}
	defer v.done()
	if len(spans) > 1 {
		mp := newMultipart(c, spans)
		h["Content-Type"] = []string{mp.contentType()}
		h["Content-Length"] = []string{strconv.FormatInt(mp.length(), 10)}
		w.WriteHeader(status)
		v.write([]byte(mp.header(0)))
		for i, s := range spans[1:] {
			v.send(rd, first)
			rd.Close()
			v.write([]byte(mp.header(i + 1)))
			rd, first = c.open(r.Context(), s.off, s.n), nil
		}
		v.send(rd, first)
		v.write([]byte(mp.end()))
		return nil
	}
	if status == http.StatusPartialContent {
		h["Content-Range"] = []string{spans[0].contentRange(c.size)}
	}
	h["Content-Length"] = []string{strconv.FormatInt(spans[0].n, 10)}
	w.WriteHeader(status)
	v.send(rd, first)
	return nil
}

func serverTiming(o cache.Outcome, took time.Duration, stale bool) string {
	if o == cache.Hit && stale {
		return "cache;desc=stale"
	}
	if o == cache.Hit {
		return "cache;desc=hit"
	}
	return "cache;desc=" + outcomeName(o) + ", origin;dur=" + strconv.FormatFloat(float64(took.Microseconds())/1000, 'f', 1, 64)
}

// viewer is who the body is sent to. A body that cannot be finished is cut off, never ended cleanly.
type viewer struct {
	g  *Gateway
	w  http.ResponseWriter
	r  *http.Request
	rc *http.ResponseController
}

// send writes first, then all that rd has.
func (v *viewer) send(rd reader, first []byte) {
	v.write(first)
	for {
		p, err := rd.Next(v.r.Context())
		v.write(p)
		if err == io.EOF {
			return
		}
		if err != nil {
			if v.r.Context().Err() == nil {
				v.g.log.Warn("body cut off", "path", v.r.URL.Path, "err", err)
				v.g.metrics.cut()
			}
			panic(http.ErrAbortHandler)
		}
	}
}

// write gives a viewer some seconds for every piece, however long the body is.
func (v *viewer) write(p []byte) {
	for len(p) > 0 {
		m := min(len(p), maxWrite)
		v.rc.SetWriteDeadline(time.Now().Add(writeWithin)) // an error means a ResponseWriter without deadlines
		if _, err := v.w.Write(p[:m]); err != nil {
			panic(http.ErrAbortHandler)
		}
		v.g.metrics.sent(m)
		p = p[m:]
	}
	if p != nil {
		v.rc.Flush()
	}
}

// done lifts the deadline, so that the connection can wait for its next request.
func (v *viewer) done() { v.rc.SetWriteDeadline(time.Time{}) }

// multipart is an answer to several ranges (RFC 9110 §14.6).
type multipart struct {
	c        *content
	spans    []span
	boundary string
}

func newMultipart(c *content, spans []span) multipart {
	b := make([]byte, boundaryRand)
	rand.Read(b)
	return multipart{c, spans, fmt.Sprintf("%x", b)}
}

func (m multipart) contentType() string { return "multipart/byteranges; boundary=" + m.boundary }

func (m multipart) header(i int) string {
	lead := crlf
	if i == 0 {
		lead = ""
	}
	return lead + "--" + m.boundary + crlf +
		"Content-Type: " + m.c.mtype.name + crlf +
		"Content-Range: " + m.spans[i].contentRange(m.c.size) + crlf + crlf
}

func (m multipart) end() string { return crlf + "--" + m.boundary + "--" + crlf }

func (m multipart) length() int64 {
	n := int64(len(m.end()))
	for i, s := range m.spans {
		n += int64(len(m.header(i))) + s.n
	}
	return n
}

// memoryReader reads what is in memory already.
type memoryReader struct {
	rest    []byte
	outcome cache.Outcome
}

func (m *memoryReader) Next(context.Context) ([]byte, error) {
	if len(m.rest) == 0 {
		return nil, io.EOF
	}
	p := m.rest
	m.rest = nil
	return p, nil
}

func (m *memoryReader) Outcome() cache.Outcome { return m.outcome }
func (*memoryReader) Close()                   {}
func (*memoryReader) Leave()                   {}

// etagOf makes a strong entity tag of its words.
func etagOf(words ...string) string { return `"` + strings.Join(words, "-") + `"` }
