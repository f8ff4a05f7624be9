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
	etag         string        // strong, with quotes
	modified     *modification // nil: not known
	mtype        mediaType
	cacheControl []string
	next         string // reference to the next segment, empty when not known
	step         *step  // of a viewer through a playlist; nil: none that is followed
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
	maxWrite     = 1 << 20          // bytes of one Write
	maxStall     = 256 << 10        // bytes a viewer must take
	writeWithin  = 60 * time.Second // in this time, or it is dropped
	crlf         = "\r\n"
	boundaryRand = 15
)

// serveContent answers GET and HEAD with a content. ctx ends by the 8 s rule. An error is answered
// only while nothing has been sent; later failures cut the connection.
func (g *Gateway) serveContent(ctx context.Context, w http.ResponseWriter, r *http.Request, c *content) error {
	h := answerHeader{Header: w.Header()}
	h.set("Etag", c.etag)
	h.Header["Accept-Ranges"] = acceptBytes
	h.Header["Cache-Control"] = c.cacheControl
	var modified time.Time
	if c.modified != nil && c.modified.header != nil {
		modified = c.modified.Time
		h.Header["Last-Modified"] = c.modified.header
	}
	if c.next != "" {
		h.set("Link", "<"+c.next+`>; rel="next"`)
		if r.Header.Get(assistEnabled) == "1" {
			h.set(assistPath, absolutePath(r, c.next))
		}
	}
	switch judge(r.Header, c.etag, modified) {
	case failed:
		return problemf("precondition", "The entry is not the one that the request's conditions name.")
	case notModified:
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.set("Content-Type", c.mtype.name)
	if c.mtype.attachment {
		h.Header["Content-Disposition"] = attachment
	}
	if r.Method == http.MethodHead {
		h.set("Content-Length", strconv.FormatInt(c.size, 10))
		w.WriteHeader(http.StatusOK)
		return nil
	}
	spans, err := c.spans(r, modified)
	if err != nil {
		h.set("Content-Range", "bytes */"+strconv.FormatInt(c.size, 10))
		return err
	}
	return g.sendSpans(ctx, w, r, c, spans, &h)
}

// answerHeader sets a response's own header values, which take one allocation together.
type answerHeader struct {
	http.Header
	values []string
}

func (h *answerHeader) set(key, value string) {
	if len(h.values) == cap(h.values) {
		h.values = make([]string, 0, 8)
	}
	n := len(h.values)
	h.values = append(h.values, value)
	h.Header[key] = h.values[n : n+1 : n+1]
}

// spans answers what the request asks for; none for the whole.
func (c *content) spans(r *http.Request, modified time.Time) ([]span, error) {
	header := r.Header.Get("Range")
	if header == "" || !rangeHolds(r.Header.Get("If-Range"), c.etag, modified) {
		return nil, nil
	}
	spans, ok := parseRange(header, c.size)
	if !ok {
		return nil, problemf("range", "The content has %d bytes; the range lies outside.", c.size)
	}
	return spans, nil
}

func (g *Gateway) sendSpans(ctx context.Context, w http.ResponseWriter, r *http.Request, c *content, spans []span, h *answerHeader) error {
	status, s := http.StatusOK, span{0, c.size}
	if len(spans) > 0 {
		status, s = http.StatusPartialContent, spans[0]
	}
	began := time.Now()
	c.step.asked(r)
	rd := c.open(ctx, s.off, s.n)
	defer func() { rd.Close() }()
	first, err := rd.Next(ctx)
	if err != nil && err != io.EOF {
		if errors.Is(err, errSlow) {
			rd.Leave()
		}
		return err
	}
	c.step.began()
	switch o := rd.Outcome(); {
	case o != cache.Hit:
		h.set("Server-Timing", "cache;desc="+outcomeName(o)+", origin;dur="+strconv.FormatFloat(float64(time.Since(began).Microseconds())/1000, 'f', 1, 64))
	case c.stale:
		h.Header["Server-Timing"] = timingStale
	default:
		h.Header["Server-Timing"] = timingHit
	}
	v := viewer{g: g, w: w, r: r}
	defer v.done()
	if len(spans) > 1 {
		mp := newMultipart(c, spans)
		h.set("Content-Type", mp.contentType())
		h.set("Content-Length", strconv.FormatInt(mp.length(), 10))
		w.WriteHeader(status)
		v.write([]byte(mp.header(0)))
		for i, s := range spans[1:] {
			v.send(rd, first, spans[i].n)
			rd.Close()
			v.write([]byte(mp.header(i + 1)))
			rd, first = c.open(r.Context(), s.off, s.n), nil
		}
		v.send(rd, first, spans[len(spans)-1].n)
		v.write([]byte(mp.end()))
		return nil
	}
	if status == http.StatusPartialContent {
		h.set("Content-Range", s.contentRange(c.size))
	}
	h.set("Content-Length", strconv.FormatInt(s.n, 10))
	w.WriteHeader(status)
	v.send(rd, first, s.n)
	return nil
}

// viewer is who the body is sent to. A body that cannot be finished is cut off, never ended cleanly.
type viewer struct {
	g     *Gateway
	w     http.ResponseWriter
	r     *http.Request
	rc    *http.ResponseController // nil until it is needed
	timed bool                     // a deadline stands
}

// send writes first, then all that rd has, n bytes in all.
func (v *viewer) send(rd reader, first []byte, n int64) {
	for p := first; ; {
		v.write(p)
		if n -= int64(len(p)); n > 0 && len(p) > 0 {
			v.controller().Flush() // what has arrived goes out while the rest is on its way
		}
		var err error
		p, err = rd.Next(v.r.Context())
		if err == io.EOF {
			v.write(p)
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

// write gives a viewer some time for every piece, however long the body is.
func (v *viewer) write(p []byte) {
	for len(p) > 0 {
		m := min(len(p), maxWrite)
		if !v.g.cfg.ServerTimesWrites {
			m = min(m, maxStall)
			v.controller().SetWriteDeadline(time.Now().Add(writeWithin)) // an error means a ResponseWriter without deadlines
			v.timed = true
		}
		if _, err := v.w.Write(p[:m]); err != nil {
			panic(http.ErrAbortHandler)
		}
		v.g.metrics.sent(m)
		p = p[m:]
	}
}

func (v *viewer) controller() *http.ResponseController {
	if v.rc == nil {
		v.rc = http.NewResponseController(v.w)
	}
	return v.rc
}

// done lifts the deadline, so that the connection can wait for its next request.
func (v *viewer) done() {
	if v.timed {
		v.rc.Flush() // what net/http holds back still falls under it
		v.rc.SetWriteDeadline(time.Time{})
	}
}

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
