package origin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// check holds an answer against what was asked (RFC 9110 §15.3.7) and answers its body, which begins at the first byte wanted.
func (r *request) check(res *http.Response, w *httpBody) (*Body, error) {
	r.status = res.StatusCode
	if res.StatusCode == http.StatusRequestedRangeNotSatisfiable {
		return r.checkUnsatisfied(res, w)
	}
	if statusKind(res.StatusCode) != nil {
		w.clock.Reset(w.stall) // what it says may be read
		defer w.clock.Stop()
		return nil, r.checkStatus(res)
	}
	if c := res.Header.Get("Content-Encoding"); c != "" && !strings.EqualFold(c, "identity") {
		return nil, r.fail(ErrBadRange, errors.New("the answer is coded though identity was asked for"))
	}
	v := validatorOf(res.Header)
	var body *Body
	var err error
	switch {
	case res.StatusCode != http.StatusOK:
		body, err = r.checkPart(res, w)
	case r.exact:
		body, err = r.checkExact(res, w)
	default:
		body, err = r.checkWhole(res, w)
	}
	if err != nil {
		return nil, err
	}
	v.Size = body.Size
	body.Validator = v
	if r.exact && v.ETag == "" && v.Modified.IsZero() {
		return body, nil // what the size was asked with is held against the state wanted
	}
	return body, r.checkState(v)
}

// checkStatus sorts an answer that holds no bytes of the archive.
func (r *request) checkStatus(res *http.Response) *Error {
	kind := statusKind(res.StatusCode)
	if kind == nil {
		return nil
	}
	err := r.refusal(kind, nil, res)
	err.RetryAfter = retryAfter(res.Header.Get("Retry-After"), time.Now())
	return err
}

// refusal is the error of an answer that refuses. The node's kind may know better than the status what it says.
func (r *request) refusal(kind, cause error, res *http.Response) *Error {
	if r.o.cfg.explain != nil {
		k, c := r.o.cfg.explain(res)
		if k != nil {
			kind = k
		}
		if c != nil {
			cause = c
		}
	}
	return r.fail(kind, cause)
}

// validatorOf is what an answer says of the object's state, but for its size.
func validatorOf(h http.Header) Validator {
	v := Validator{ETag: h.Get("Etag")}
	v.Modified, _ = http.ParseTime(h.Get("Last-Modified"))
	return v
}

func statusKind(status int) error {
	switch {
	case status == http.StatusOK || status == http.StatusPartialContent:
		return nil
	case status == http.StatusPreconditionFailed:
		return ErrChanged
	case status == http.StatusNotFound || status == http.StatusGone:
		return ErrNotFound
	case status == http.StatusUnauthorized || status == http.StatusForbidden || status == http.StatusProxyAuthRequired:
		return ErrDenied
	case status == http.StatusBadRequest || status == http.StatusMethodNotAllowed, status >= 200 && status < 400:
		return ErrBadRange
	case status == http.StatusNotImplemented:
		return ErrNoRange
	}
	return ErrUnavailable
}

const maxRetryAfter = time.Hour

// retryAfter reads seconds or a date (RFC 9110 §10.2.3).
func retryAfter(h string, now time.Time) time.Duration {
	if s, ok := number(h); ok {
		return time.Duration(min(s, int64(maxRetryAfter/time.Second))) * time.Second
	}
	if t, err := http.ParseTime(h); err == nil {
		return min(max(t.Sub(now), 0), maxRetryAfter)
	}
	return 0
}

// checkState holds the object's state against the one that is wanted, as far as that is known. A total that differs under an unchanged strong ETag is a wrong answer, not a change.
func (r *request) checkState(v Validator) error {
	want := r.want
	if want == nil || want.Size == v.Size && (want.ETag == v.ETag || want.ETag == "") && (want.Modified.Equal(v.Modified) || want.Modified.IsZero()) {
		return nil
	}
	switch {
	case want.Strong() && v.ETag == want.ETag && v.Size != want.Size:
		return r.fail(ErrBadRange, errors.New("another size under the same ETag"))
	case want.Strong() && v.ETag == want.ETag:
		return nil
	case want.Strong() && v.ETag == "" && v.Size == want.Size && (v.Modified.IsZero() || v.Modified.Equal(want.Modified)):
		return nil // If-Match held; the answer does not repeat the ETag
	}
	return r.fail(ErrChanged, nil)
}

// checkUnsatisfied takes a 416, which may name the object's size (RFC 9110 §15.5.17). Another size than the one wanted is a change.
// The tail of an object of no bytes is answered, empty.
func (r *request) checkUnsatisfied(res *http.Response, w *httpBody) (*Body, error) {
	v := validatorOf(res.Header)
	v.Size = -1
	if total, ok := strings.CutPrefix(strings.ToLower(res.Header.Get("Content-Range")), "bytes */"); ok {
		if size, ok := number(total); ok {
			v.Size = size
		}
	}
	r.total = v.Size
	switch {
	case r.want != nil && v.Size >= 0 && v.Size != r.want.Size:
		return nil, r.checkState(v)
	case r.off == Tail && v.Size == 0:
		return &Body{ReadCloser: w, Validator: v}, nil
	}
	return nil, r.fail(ErrBadRange, nil)
}

// checkPart checks a 206.
func (r *request) checkPart(res *http.Response, w *httpBody) (*Body, error) {
	bad := func(why string) (*Body, error) { return nil, r.fail(ErrBadRange, errors.New(why)) }
	if strings.HasPrefix(strings.ToLower(res.Header.Get("Content-Type")), "multipart/byteranges") {
		return bad("several ranges for one")
	}
	off, n, size, ok := parseContentRange(res.Header.Get("Content-Range"))
	if !ok && res.Header.Get("Content-Range") != "" {
		return bad("a Content-Range that cannot be read")
	}
	if !ok { // taken only where the length leaves no doubt
		if r.off == Tail || res.ContentLength != r.n {
			return bad("no Content-Range")
		}
		off, n, size = r.off, r.n, -1
	}
	if size < 0 && r.want != nil {
		size = r.want.Size
	}
	if size < 0 || off+n > size {
		return bad("no total size")
	}
	wantOff, wantN, inside := clip(r.off, r.n, size)
	if !inside || off != wantOff || n != wantN {
		return bad(fmt.Sprintf("bytes %d+%d of %d instead", off, n, size))
	}
	if res.ContentLength >= 0 && res.ContentLength < n { // of a longer one, n bytes are taken
		return bad("a length that is less than the range's")
	}
	w.left, w.beyond = n, 1
	return &Body{ReadCloser: w, Off: off, N: n, Size: size}, nil
}

// checkWhole takes a 200 only where what is too much of it is little.
func (r *request) checkWhole(res *http.Response, w *httpBody) (*Body, error) {
	size := res.ContentLength
	if size < 0 {
		return nil, r.fail(ErrNoRange, errors.New("the whole file, of unknown length"))
	}
	off, n, ok := clip(r.off, r.n, size)
	if !ok {
		return nil, r.fail(ErrBadRange, nil)
	}
	if off+n > cheapSkip {
		return nil, r.fail(ErrNoRange, nil)
	}
	w.left, w.beyond = off+n, 1
	if _, err := io.CopyN(io.Discard, w, off); err != nil {
		return nil, err
	}
	return &Body{ReadCloser: w, Off: off, N: n, Size: size}, nil
}

// parseContentRange reads "bytes first-last/size" (RFC 9110 §14.4); size is -1 for "*".
func parseContentRange(h string) (off, n, size int64, ok bool) {
	unit, rest, ok := strings.Cut(h, " ")
	if !ok || !strings.EqualFold(unit, "bytes") {
		return 0, 0, 0, false
	}
	span, total, ok1 := strings.Cut(rest, "/")
	first, last, ok2 := strings.Cut(span, "-")
	off, ok3 := number(first)
	end, ok4 := number(last)
	if !ok1 || !ok2 || !ok3 || !ok4 || end < off || end == 1<<63-1 {
		return 0, 0, 0, false
	}
	size = -1
	if total != "*" {
		if size, ok = number(total); !ok || size <= end {
			return 0, 0, 0, false
		}
	}
	return off, end - off + 1, size, true
}

func number(s string) (int64, bool) {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// httpBody hands out exactly left bytes. A node that stalls, ends early or breaks is an *Error.
type httpBody struct {
	r      *request
	body   io.ReadCloser
	ctx    context.Context // of the request; ends with the body
	cancel context.CancelCauseFunc
	clock  *time.Timer // cancels when no byte comes
	stall  time.Duration
	left   int64
	beyond int64 // bytes that Close may read to see the answer's end
}

const (
	endWithin  = 100 * time.Millisecond // for the end of an answer whose bytes are all there
	refusalMax = 4 << 10                // bytes of a refusal that are read so that its connection can be used again
)

func (w *httpBody) Read(p []byte) (int, error) {
	if w.left == 0 {
		return 0, io.EOF
	}
	w.clock.Reset(w.stall) // only while somebody waits: a slow reader is not a slow node
	n, err := w.body.Read(p[:min(int64(len(p)), w.left)])
	w.clock.Stop()
	w.left -= int64(n)
	if err == nil || w.left == 0 {
		return n, nil
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, w.r.kindOf(w.ctx, err)
}

// Close gives the connection back where the body was read to its end, and drops it where more is to come.
func (w *httpBody) Close() error {
	if w.left == 0 && w.beyond > 0 {
		w.clock.Reset(min(w.stall, endWithin))
		io.CopyN(io.Discard, w.body, w.beyond)
		w.clock.Stop()
	}
	w.cancel(nil)
	return w.body.Close()
}
