package origin

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// template makes the URLs of archives, and of ranges of them where the URL names the range.
type template struct {
	text   string
	prefix bool // {archive} stands in it
	ranged bool // the range stands in it
}

// placeholders are what a template may hold: the archive's name, percent-encoded by path element, and a range's first byte,
// its length and its last byte.
var placeholders = []string{"{archive}", "{offset}", "{size}", "{end}"}

var placeholder = regexp.MustCompile(`\{[a-zA-Z]+\}`)

// IsTemplate says whether a URL holds one of the placeholders {archive}, {offset}, {size} and {end}.
func IsTemplate(rawURL string) bool {
	return slices.ContainsFunc(placeholders, func(p string) bool { return strings.Contains(rawURL, p) })
}

func parseTemplate(text string) (template, error) {
	t := template{text: text, prefix: strings.Contains(text, "{archive}")}
	for _, p := range placeholder.FindAllString(text, -1) {
		if !slices.Contains(placeholders, p) {
			return t, fmt.Errorf("the URL holds %s; what it may hold is {archive}, {offset}, {size} and {end}", p)
		}
	}
	offset, size, end := strings.Contains(text, "{offset}"), strings.Contains(text, "{size}"), strings.Contains(text, "{end}")
	t.ranged = offset || size || end
	if t.ranged && (!offset || !size && !end) {
		return t, errors.New("the URL holds a part of a range; it takes {offset}, and {size} or {end}")
	}
	return t, nil
}

// url is the URL of a range of an archive.
func (t template) url(name string, off, n int64) (*url.URL, error) {
	text := t.text
	if t.ranged {
		text = strings.NewReplacer("{offset}", strconv.FormatInt(off, 10), "{size}", strconv.FormatInt(n, 10),
			"{end}", strconv.FormatInt(off+n-1, 10)).Replace(text)
	}
	if t.prefix {
		text = strings.ReplaceAll(text, "{archive}", escapePath(name))
	}
	return url.Parse(text)
}

// whole is the template of the archive itself: without the parameters of the query that name a range. ok is false where
// the range stands in the path.
func (t template) whole() (template, bool) {
	path, query, _ := strings.Cut(t.text, "?")
	var kept []string
	for param := range strings.SplitSeq(query, "&") {
		if p, _ := parseTemplate(param); param != "" && !p.ranged {
			kept = append(kept, param)
		}
	}
	if len(kept) > 0 {
		path += "?" + strings.Join(kept, "&")
	}
	w, err := parseTemplate(path)
	return w, err == nil && !w.ranged
}

// withQuery adds a parameter.
func withQuery(text, param string) string {
	if strings.Contains(text, "?") {
		return strings.TrimSuffix(text, "&") + "&" + param
	}
	return text + "?" + param
}

// escapePath encodes a name by path element. Only what no server reads in two ways is left as it is (RFC 3986 §2.3).
func escapePath(name string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~/", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.Write([]byte{'%', hex[c>>4], hex[c&15]})
	}
	return b.String()
}

// isName says whether a name may stand below a prefix.
func isName(name string) bool {
	for e := range strings.SplitSeq(name, "/") {
		if e == "" || e == "." || e == ".." || strings.ContainsAny(e, "\\\x00") {
			return false
		}
	}
	return true
}
