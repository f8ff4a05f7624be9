package origintest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// S3Node is a bucket "films" of an S3 store that checks every signature itself (AWS Signature Version 4), and misbehaves as its Node
// does. Archives are named by their keys.
type S3Node struct {
	*Node
	Endpoint string

	mu     sync.Mutex // guards following
	rules  S3Rules
	server *httptest.Server
	lists  int
}

// S3Rules say who may read.
type S3Rules struct {
	AccessKey, SecretKey, Token string // Token is the session's; empty for none
	Region                      string
	Public                      bool // requests without a signature are answered too
	Expired                     bool // everything signed is refused with ExpiredToken
	PageSize                    int  // of listings; default 1,000
	RawNames                    bool // encoding-type is ignored
}

// NewS3Node starts an empty bucket. It ends with the test.
func NewS3Node(t testing.TB, rules S3Rules) *S3Node {
	n := &S3Node{Node: NewNode(t, nil), rules: rules}
	n.server = httptest.NewServer(http.HandlerFunc(n.serveS3))
	n.Endpoint = n.server.URL
	t.Cleanup(func() {
		n.server.CloseClientConnections()
		n.server.Close()
	})
	return n
}

// SetRules changes who may read.
func (n *S3Node) SetRules(rules S3Rules) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.rules = rules
}

// Lists is how many pages of listings were answered.
func (n *S3Node) Lists() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.lists
}

func (n *S3Node) serveS3(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	rules := n.rules
	n.mu.Unlock()
	if status, code := rules.check(r); code != "" {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		fmt.Fprintf(w, "<?xml version=\"1.0\"?>\n<Error><Code>%s</Code><Message>no</Message><Region>%s</Region></Error>", code, rules.Region)
		return
	}
	key, inPath := strings.CutPrefix(r.URL.Path, "/films/")
	if strings.HasPrefix(r.Host, "films.") {
		key, inPath = strings.TrimPrefix(r.URL.Path, "/"), true
	}
	switch {
	case !inPath:
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, "<Error><Code>NoSuchBucket</Code></Error>")
	case key == "" && r.URL.Query().Get("list-type") == "2":
		n.list(w, r.URL.Query(), rules)
	default:
		r.URL.Path = "/" + key
		n.ServeHTTP(w, r)
	}
}

// check answers what is wrong with a request's signature; an empty code: nothing.
func (s S3Rules) check(r *http.Request) (status int, code string) {
	auth := r.Header.Get("Authorization")
	if auth == "" && s.Public {
		return 0, ""
	}
	fields := map[string]string{}
	for f := range strings.SplitSeq(strings.TrimPrefix(auth, "AWS4-HMAC-SHA256 "), ", ") {
		k, v, _ := strings.Cut(f, "=")
		fields[k] = v
	}
	scope := strings.Split(fields["Credential"], "/")
	when, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	switch {
	case auth == "" || len(scope) != 5:
		return http.StatusForbidden, "AccessDenied"
	case scope[2] != s.Region:
		return http.StatusBadRequest, "AuthorizationHeaderMalformed"
	case scope[0] != s.AccessKey:
		return http.StatusForbidden, "InvalidAccessKeyId"
	case s.Expired || r.Header.Get("X-Amz-Security-Token") != s.Token:
		return http.StatusBadRequest, "ExpiredToken"
	case err != nil || time.Since(when).Abs() > 15*time.Minute:
		return http.StatusForbidden, "RequestTimeTooSkewed"
	case fields["Signature"] != s.signature(r, scope, strings.Split(fields["SignedHeaders"], ";")):
		return http.StatusForbidden, "SignatureDoesNotMatch"
	}
	return 0, ""
}

// signature is what a request must carry.
func (s S3Rules) signature(r *http.Request, scope, signed []string) string {
	var headers strings.Builder
	for _, h := range signed {
		v := strings.Join(r.Header.Values(h), ",")
		if h == "host" {
			v = r.Host
		}
		fmt.Fprintf(&headers, "%s:%s\n", h, v)
	}
	var params []string
	for k, vs := range r.URL.Query() {
		for _, v := range vs {
			params = append(params, awsEscape(k, "")+"="+awsEscape(v, ""))
		}
	}
	slices.Sort(params)
	canonical := strings.Join([]string{r.Method, awsEscape(r.URL.Path, "/"), strings.Join(params, "&"), headers.String(),
		strings.Join(signed, ";"), r.Header.Get("X-Amz-Content-Sha256")}, "\n")
	digest := sha256.Sum256([]byte(canonical))
	text := strings.Join([]string{"AWS4-HMAC-SHA256", r.Header.Get("X-Amz-Date"), strings.Join(scope[1:], "/"), hex.EncodeToString(digest[:])}, "\n")
	key := []byte("AWS4" + s.SecretKey)
	for _, part := range append(scope[1:], text) {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	return hex.EncodeToString(key)
}

// awsEscape encodes all but unreserved characters and those that are kept.
func awsEscape(s, keep string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~"+keep, c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

type s3Listing struct {
	XMLName               xml.Name `xml:"ListBucketResult"`
	EncodingType          string   `xml:",omitempty"`
	IsTruncated           bool
	NextContinuationToken string `xml:",omitempty"`
	Contents              []s3Object
}

type s3Object struct {
	Key          string
	LastModified time.Time
	Size         int
}

// list answers ListObjectsV2.
func (n *S3Node) list(w http.ResponseWriter, q url.Values, rules S3Rules) {
	n.mu.Lock()
	n.lists++
	n.mu.Unlock()
	n.Node.mu.Lock()
	defer n.Node.mu.Unlock()
	after := max(q.Get("start-after"), q.Get("continuation-token"))
	page := s3Listing{}
	if !rules.RawNames {
		page.EncodingType = q.Get("encoding-type")
	}
	size := rules.PageSize
	if size == 0 {
		size = 1000
	}
	var keys []string
	for key := range n.archives {
		if strings.HasPrefix(key, q.Get("prefix")) && key > after {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	if len(keys) > size {
		keys, page.IsTruncated, page.NextContinuationToken = keys[:size], true, keys[size-1]
	}
	for _, key := range keys {
		o := s3Object{Key: key, Size: len(n.archives[key].data), LastModified: n.archives[key].modified}
		if page.EncodingType == "url" {
			o.Key = url.QueryEscape(key)
		}
		page.Contents = append(page.Contents, o)
	}
	w.Header().Set("Content-Type", "application/xml")
	xml.NewEncoder(w).Encode(page)
}
