package origin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Nodes whose URLs name the range answer it with 200 and no total, so that the object's size has to be asked for: before the
// first read of a version, and again when the node's answers carry no validator and the last asking is old.

const (
	sizeWithin   = 15 * time.Second // for an answer to a question of size, or a page of a listing
	maxSizeBytes = 4 << 10          // of an answer of a size URL
)

// state is what an object was when the node was asked last.
type state struct {
	Validator
	asked time.Time
}

// setSize prepares the URLs of ranges and of sizes.
func (o *HTTP) setSize() error {
	if o.cfg.Dialect == RangeQuery && !o.at.ranged {
		if o.base.Query().Has("range") {
			return errors.New("the storage URL has a range= of its own; leave it out")
		}
		o.at.text, o.at.ranged = withQuery(o.at.text, "range={offset}%2C{size}"), true
	}
	text := o.cfg.SizeURL
	switch {
	case !o.at.ranged && text != "":
		return errors.New("a size URL is for nodes whose URLs name the range; a node that takes the Range header tells the size with every answer")
	case !o.at.ranged:
		return nil
	case text == "":
		whole, ok := o.at.whole()
		if !ok {
			return errors.New("where the range stands in the URL's path, the size needs a URL of its own: set size_url")
		}
		o.size = whole
		return nil
	case strings.HasPrefix(text, "/"):
		text = o.Node() + text
	case !strings.HasPrefix(text, "http://") && !strings.HasPrefix(text, "https://"):
		return errors.New("the size URL is neither a URL nor a path from the node's root")
	}
	size, err := parseTemplate(text)
	switch {
	case err != nil || size.ranged:
		return errors.New("the size URL may hold {archive}, and nothing else in braces")
	case o.at.prefix && !size.prefix:
		return errors.New("the size URL of a prefix has to hold {archive}")
	}
	if _, err := size.url("a", 0, 0); err != nil {
		return errors.New("the size URL cannot be read")
	}
	o.size = size
	return nil
}

// readExact is Read where the URL names the range.
func (o *HTTP) readExact(ctx context.Context, r *request) (*Body, error) {
	var now Validator
	if r.want != nil {
		now = *r.want
	} else {
		asked, err := o.askState(ctx, r)
		if err != nil {
			return nil, err
		}
		now = asked.Validator
	}
	off, n, ok := clip(r.off, r.n, now.Size)
	if !ok {
		return nil, r.fail(ErrBadRange, nil)
	}
	if n == 0 {
		return &Body{ReadCloser: http.NoBody, Validator: now}, nil
	}
	x := &request{o: o, name: r.name, off: off, n: n, want: r.want, exact: true, size: now.Size}
	body, err := x.send(ctx)
	if err != nil {
		return nil, x.changed(ctx, err)
	}
	return x.vouch(ctx, body)
}

// changed says of an answer that does not fit whether the object is another than the one wanted. Else the answer is at fault.
func (r *request) changed(ctx context.Context, refusal error) error {
	if r.want == nil || !errors.Is(refusal, ErrBadRange) && !errors.Is(refusal, ErrNoRange) {
		return refusal
	}
	now, err := r.o.askState(ctx, r)
	if err == nil && now.Size != r.want.Size {
		return r.fail(ErrChanged, refusal)
	}
	return refusal
}

// vouch gives a body the validator that the node asked for the size gave, where its own answer has none.
func (r *request) vouch(ctx context.Context, body *Body) (*Body, error) {
	if body.Validator.ETag != "" || !body.Validator.Modified.IsZero() {
		return body, nil
	}
	now, known := r.o.state(r.name)
	var err error
	if !known || time.Since(now.asked) > r.o.cfg.SizeFor {
		now, err = r.o.askState(ctx, r)
	}
	if err == nil {
		err = r.checkState(now.Validator)
	}
	if err != nil {
		body.Close()
		return nil, err
	}
	body.Validator = now.Validator
	return body, nil
}

// checkExact takes a 200 that is exactly what the URL named.
func (r *request) checkExact(res *http.Response, w *httpBody) (*Body, error) {
	switch {
	case res.ContentLength < 0:
		return nil, r.fail(ErrBadRange, errors.New("an answer of unknown length"))
	case res.ContentLength == r.size && r.n != r.size:
		return nil, r.fail(ErrNoRange, nil)
	case res.ContentLength != r.n:
		return nil, r.fail(ErrBadRange, fmt.Errorf("%d bytes instead", res.ContentLength))
	}
	w.left, w.beyond = r.n, 1
	return &Body{ReadCloser: w, Off: r.off, N: r.n, Size: r.size}, nil
}

func (o *HTTP) state(name string) (state, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	s, ok := o.states[name]
	return s, ok
}

// askState asks the node for an object's size, and what else it says of its state.
func (o *HTTP) askState(ctx context.Context, r *request) (state, error) {
	method := http.MethodHead
	if o.cfg.SizeURL != "" {
		method = http.MethodGet
	}
	q := &request{o: o, name: r.name, off: r.off, n: r.n, exact: true}
	u, err := o.size.url(r.name, 0, 0)
	if err != nil {
		return state{}, q.fail(ErrNotFound, nil)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, min(o.cfg.HeaderWithin, sizeWithin), errStalled)
	defer cancel()
	res, _, err := q.resolve(ctx, method, u)
	if err != nil {
		return state{}, q.kindOf(ctx, err)
	}
	defer res.Body.Close()
	v, err := q.readState(method, res)
	if err != nil {
		return state{}, q.kindOf(ctx, err)
	}
	s := state{v, time.Now()}
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.states) >= maxTargets {
		clear(o.states)
	}
	o.states[r.name] = s
	return s, nil
}

// readState reads the answer to a question of size.
func (r *request) readState(method string, res *http.Response) (Validator, error) {
	r.status = res.StatusCode
	if err := r.checkStatus(res); err != nil {
		if method == http.MethodHead && (errors.Is(err, ErrBadRange) || errors.Is(err, ErrNoRange) || errors.Is(err, ErrDenied)) {
			err.Err = errors.Join(errors.New("HEAD was asked for the size; size_url names another place for it"), err.Err)
		}
		return Validator{}, err
	}
	if method == http.MethodGet {
		size, err := parseSize(res.Body)
		if err != nil {
			return Validator{}, r.fail(ErrBadRange, err)
		}
		return Validator{Size: size}, nil
	}
	if c := res.Header.Get("Content-Encoding"); res.ContentLength < 0 || c != "" && !strings.EqualFold(c, "identity") {
		return Validator{}, r.fail(ErrBadRange, errors.New("HEAD does not tell the size; size_url names another place for it"))
	}
	v := validatorOf(res.Header)
	v.Size = res.ContentLength
	return v, nil
}

// parseSize reads a decimal number, or the number "size" of a JSON object.
func parseSize(body io.Reader) (int64, error) {
	data, err := io.ReadAll(io.LimitReader(body, maxSizeBytes+1))
	if err != nil {
		return 0, err
	}
	text := strings.TrimSpace(string(data))
	if strings.HasPrefix(text, "{") {
		var object struct{ Size json.Number }
		if json.Unmarshal(data, &object) == nil {
			text = object.Size.String()
		}
	}
	if size, ok := number(text); ok && len(data) <= maxSizeBytes {
		return size, nil
	}
	return 0, errors.New(`the size URL answered neither a number nor {"size": number}`)
}
