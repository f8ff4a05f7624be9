package origintest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// QueryNode is a storage node that is asked for ranges in the URL's query, range=<offset>,<size>, and sends whoever asks to another
// host, by a link that is signed for that one range and expires. It keeps the rules strictly: a range that is not inside the archive
// is a 400, and a link that is used for anything else, or late, a 403.
type QueryNode struct {
	URL string // ends in "/": archives are below it

	mu       sync.Mutex // guards following
	archives map[string]stored
	fault    QueryFault
	requests []string
	front    *httptest.Server
	store    *httptest.Server
}

// QueryFault is how a QueryNode differs from a plain one. The zero value does not.
type QueryFault struct {
	Direct       bool          // no redirect: the range is answered at once
	Status       int           // of the redirect; default 302
	Expired      bool          // links have expired when they are given out
	NoValidators bool          // ranges come with neither ETag nor Last-Modified
	NoHead       bool          // HEAD is answered 405
	Bare         bool          // and HEAD has none either
	Whole        bool          // ranges are answered with the whole archive
	Short        int64         // this many bytes less are answered, and stated
	Chunked      bool          // ranges come without their length
	LinkLife     time.Duration // default a minute
	Credential   string        // Authorization that the front asks for
}

// NewQueryNode starts a node without archives. It ends with the test. Sizes stand at URL + "size/" + name, too.
func NewQueryNode(t testing.TB) *QueryNode {
	n := &QueryNode{archives: map[string]stored{}}
	n.front = httptest.NewServer(http.HandlerFunc(n.serveFront))
	n.store = httptest.NewServer(http.HandlerFunc(n.serveStore))
	n.URL = n.front.URL + "/"
	t.Cleanup(func() {
		n.front.Close()
		n.store.Close()
	})
	return n
}

// Put puts an archive there, or another in its place.
func (n *QueryNode) Put(name string, data []byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	modified := time.Unix(1_700_000_000, 0)
	if old, ok := n.archives[name]; ok {
		modified = old.modified.Add(time.Minute)
	}
	n.archives[name] = stored{data, fmt.Sprintf(`"%d-%d"`, len(name), modified.Unix()), modified}
}

// Set makes the node differ from now on.
func (n *QueryNode) Set(f QueryFault) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fault = f
}

// Requests answers what was asked so far, as "front GET /a.zip?range=0,5" or "store …".
func (n *QueryNode) Requests() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.requests)
}

// look notes the request and finds the archive.
func (n *QueryNode) look(host string, r *http.Request, name string) (QueryFault, stored, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.requests = append(n.requests, host+" "+r.Method+" "+r.URL.String())
	a, ok := n.archives[name]
	return n.fault, a, ok
}

func (n *QueryNode) serveFront(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/")
	size, isSize := strings.CutPrefix(name, "size/")
	if isSize {
		name = size
	}
	f, a, ok := n.look("front", r, name)
	off, end, inside := queryRange(r.URL.Query().Get("range"), len(a.data))
	switch {
	case f.Credential != "" && r.Header.Get("Authorization") != f.Credential:
		w.WriteHeader(http.StatusUnauthorized)
	case !ok:
		w.WriteHeader(http.StatusNotFound)
	case isSize:
		fmt.Fprintf(w, "{\"name\": %q, \"size\": %d}\n", name, len(a.data))
	case r.Method == http.MethodHead && f.NoHead:
		w.WriteHeader(http.StatusMethodNotAllowed)
	case r.Method == http.MethodHead:
		a.describe(w, f.Bare)
		w.Header().Set("Content-Length", strconv.Itoa(len(a.data)))
	case !inside:
		w.WriteHeader(http.StatusBadRequest)
	case f.Direct:
		answerRange(w, f, a, off, end)
	default:
		w.Header().Set("Location", n.link(r.URL.EscapedPath(), off, end, f))
		w.WriteHeader(max(f.Status, http.StatusFound))
	}
}

// link is good for one range of one archive, and for a time.
func (n *QueryNode) link(path string, off, end int, f QueryFault) string {
	life := f.LinkLife
	if life == 0 {
		life = time.Minute
	}
	if f.Expired {
		life = -time.Minute
	}
	until := strconv.FormatInt(time.Now().Add(life).UnixNano(), 10)
	span := fmt.Sprintf("%d-%d", off, end)
	return n.store.URL + path + "?span=" + span + "&until=" + until + "&signature=" + signature(path, span, until)
}

func signature(parts ...string) string {
	mac := hmac.New(sha256.New, []byte("query node"))
	mac.Write([]byte(strings.Join(parts, "\n")))
	return hex.EncodeToString(mac.Sum(nil))
}

func (n *QueryNode) serveStore(w http.ResponseWriter, r *http.Request) {
	f, a, ok := n.look("store", r, strings.TrimPrefix(r.URL.Path, "/"))
	q := r.URL.Query()
	until, _ := strconv.ParseInt(q.Get("until"), 10, 64)
	var off, end int
	_, err := fmt.Sscanf(q.Get("span"), "%d-%d", &off, &end)
	switch {
	case r.Method != http.MethodGet, r.Header.Get("Authorization") != "", err != nil, time.Now().UnixNano() > until,
		q.Get("signature") != signature(r.URL.EscapedPath(), q.Get("span"), q.Get("until")):
		w.WriteHeader(http.StatusForbidden)
	case !ok || end > len(a.data):
		w.WriteHeader(http.StatusNotFound)
	default:
		answerRange(w, f, a, off, end)
	}
}

func answerRange(w http.ResponseWriter, f QueryFault, a stored, off, end int) {
	if f.Whole {
		off, end = 0, len(a.data)
	}
	end -= int(f.Short)
	a.describe(w, f.NoValidators)
	if f.Chunked {
		w.(http.Flusher).Flush()
	} else {
		w.Header().Set("Content-Length", strconv.Itoa(end-off))
	}
	w.Write(a.data[off:end])
}

func (a stored) describe(w http.ResponseWriter, bare bool) {
	if bare {
		return
	}
	w.Header().Set("ETag", a.etag)
	w.Header().Set("Last-Modified", a.modified.UTC().Format(http.TimeFormat))
}

// queryRange reads "offset,size"; [off, end).
func queryRange(s string, length int) (off, end int, ok bool) {
	first, count, found := strings.Cut(s, ",")
	off, err1 := strconv.Atoi(first)
	n, err2 := strconv.Atoi(count)
	ok = found && err1 == nil && err2 == nil && off >= 0 && n > 0 && n <= length && off <= length-n
	return off, off + n, ok
}
