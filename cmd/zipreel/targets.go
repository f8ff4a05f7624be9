package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"zipreel/gateway/origin"
)

// target is what a TARGET names: one archive, or a place with many.
type target struct {
	kind         targetKind
	written      string   // as it was given, without what may be secret, for messages
	path         string   // of a file or folder
	url          *url.URL // of a storage node
	base         string   // the same as it was given, with what may be secret
	spec         nodeSpec // how that node is asked
	name         string   // of the source; empty when none was given
	explicit     bool     // name was given
	allowPrivate bool     // addresses of this machine and of private networks may be reached
	immutable    bool     // archives never change under their names
}

type targetKind uint8

const (
	fileTarget   targetKind = iota // one archive on disk
	folderTarget                   // all archives below a folder
	urlTarget                      // one archive on a storage node
	prefixTarget                   // all archives below a URL that ends in "/"
)

// single says whether the target is one archive.
func (t target) single() bool { return t.kind == fileTarget || t.kind == urlTarget }

// archive is the archive's name; only of single targets.
func (t target) archive() string {
	if t.kind == fileTarget {
		return filepath.Base(t.path)
	}
	if name := path.Base(t.url.Path); name != "/" && name != "." {
		return name
	}
	return t.url.Hostname()
}

// nameRule is what a source's name looks like.
var nameRule = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]*$`)

func badName(name string) error {
	return usagef("bad source name %q: it takes lower-case letters, digits, '.', '_' and '-', and starts with a letter or digit, as in films=TARGET", name)
}

// parseTarget takes [NAME=]TARGET apart. What a command line names may be on a private network.
func parseTarget(arg string) (target, error) {
	name, rest, named := cutName(arg)
	if named && !nameRule.MatchString(name) {
		if _, err := os.Stat(arg); err != nil {
			return target{}, badName(name)
		}
		named, rest = false, arg // a file whose name has a "="
	}
	t, err := parseLocation(rest, "")
	t.allowPrivate = true
	if named {
		t.name, t.explicit = name, true
	}
	return t, err
}

// cutName finds the NAME of NAME=TARGET: what is before the first "=" and belongs to no URL and no path with folders.
func cutName(arg string) (name, rest string, ok bool) {
	name, rest, ok = strings.Cut(arg, "=")
	if !ok || strings.ContainsAny(name, `/\:?#`) {
		return "", arg, false
	}
	return name, rest, true
}

// parseLocation reads a path or a URL. Relative paths start at base.
func parseLocation(written, base string) (target, error) {
	if written == "" {
		return target{}, usagef("empty TARGET: name a file, a folder or a URL")
	}
	scheme, _, isURL := strings.Cut(written, ":")
	if !isURL || len(scheme) < 2 || strings.ContainsAny(scheme, `/\.`) {
		return parsePath(written, written, base)
	}
	switch strings.ToLower(scheme) {
	case "http", "https":
		return parseURL(written)
	case "file":
		return parseFileURL(written)
	case "s3":
		return parseS3(written)
	case "ipfs":
		return parseIPFS(written)
	}
	if _, err := os.Stat(written); err == nil {
		return parsePath(written, written, base)
	}
	if looksLikeHost.MatchString(written) {
		return parsePath(written, written, base)
	}
	return target{}, usagef("%s: unknown scheme %q; use http:, https:, s3:, ipfs:, file: or a path", withoutSecrets(written), scheme)
}

// parsePath looks at what is there, so that a mistake is told at once and not to the first viewer.
func parsePath(written, name, base string) (target, error) {
	if base != "" && !filepath.IsAbs(name) {
		name = filepath.Join(base, name)
	}
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return target{}, fmt.Errorf("%w%s", fileError("open", written, err), urlHint(written))
	case info.IsDir():
		return target{kind: folderTarget, written: written, path: name}, nil
	case !info.Mode().IsRegular():
		return target{}, fmt.Errorf("open %s: it is neither a file nor a folder", written)
	}
	f, err := os.Open(name)
	if err != nil {
		return target{}, fileError("open", written, err)
	}
	f.Close()
	return target{kind: fileTarget, written: written, path: name}, nil
}

var looksLikeHost = regexp.MustCompile(`^([a-z0-9-]+\.)+[a-z]{2,}(:[0-9]+)?/|^localhost[:/]`)

// urlHint helps who left out https://.
func urlHint(written string) string {
	if looksLikeHost.MatchString(written) {
		return fmt.Sprintf("; if it is a URL, write https://%s", withoutSecrets(written))
	}
	return ""
}

func parseFileURL(written string) (target, error) {
	u, err := url.Parse(written)
	switch {
	case err != nil:
		return target{}, notURL(written, err)
	case u.Host != "" && u.Host != "localhost":
		return target{}, usagef("%s: a file: URL names a file of this machine; write file:///path, with three slashes", written)
	case u.Opaque != "":
		return target{}, usagef("%s: a file: URL holds the whole path; write file:///path", written)
	}
	return parsePath(written, filepath.FromSlash(u.Path), "")
}

func parseURL(written string) (target, error) {
	u, err := url.Parse(written)
	if err != nil {
		return target{}, notURL(written, err)
	}
	short := withoutSecrets(written)
	if u.Hostname() == "" {
		return target{}, usagef("%s: the URL has no host; write https://host/path", short)
	}
	u.Fragment, u.RawFragment = "", ""
	if u.Path == "" {
		u.Path = "/"
	}
	base, _, _ := strings.Cut(written, "#")
	t := target{kind: urlTarget, written: short, url: u, base: base}
	if origin.IsTemplate(base) && strings.Contains(base, "{archive}") || !origin.IsTemplate(base) && strings.HasSuffix(u.Path, "/") {
		t.kind = prefixTarget
	}
	return t, nil
}

// parseS3 reads s3://bucket/key, where key is as it is: nothing in it is percent-encoded.
func parseS3(written string) (target, error) {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(written[len("s3:"):], "//"), "/")
	if bucket == "" || !strings.HasPrefix(written[len("s3:"):], "//") {
		return target{}, usagef("%s: write s3://bucket/film.zip for one archive, or s3://bucket/films/ for all below it", withoutSecrets(written))
	}
	t := target{kind: urlTarget, written: withoutSecrets(written), url: &url.URL{Scheme: "s3", Host: bucket, Path: "/" + key}, base: "s3://" + bucket + "/" + key}
	if key == "" || strings.HasSuffix(key, "/") {
		t.kind = prefixTarget
	}
	t.spec.s3.Bucket, t.spec.s3.Key = bucket, key
	return t, nil
}

// parseIPFS reads ipfs://CID, ipfs://CID/film.zip and ipfs://CID/folder/.
func parseIPFS(written string) (target, error) {
	u, err := url.Parse(written)
	if err != nil {
		return target{}, notURL(written, err)
	}
	if u.Host == "" {
		return target{}, usagef("%s: write ipfs://CID for one archive, ipfs://CID/film.zip for one in a folder, or ipfs://CID/ for all of a folder", withoutSecrets(written))
	}
	u.Scheme, u.User = "ipfs", nil
	t := target{kind: urlTarget, written: withoutSecrets(written), url: u, base: "ipfs://" + u.Host + u.Path, immutable: true}
	if strings.HasSuffix(u.Path, "/") {
		t.kind = prefixTarget
	}
	return t, nil
}

// notURL leaves out the URL that net/url would repeat, with its query.
func notURL(written string, err error) error {
	var e *url.Error
	if errors.As(err, &e) {
		err = e.Err
	}
	return usagef("%s: not a URL: %v", withoutSecrets(written), err)
}

// withoutSecrets leaves out a URL's query, which may be signed, and its password; a user without one may be a token.
func withoutSecrets(written string) string {
	short, _, _ := strings.Cut(written, "?")
	scheme, rest, isURL := strings.Cut(short, "://")
	host, _, _ := strings.Cut(rest, "/")
	if _, err := url.Parse(short); err != nil {
		host = rest // a password may hold what should have been encoded
	}
	at := strings.LastIndexByte(host, '@')
	if !isURL || at < 0 {
		return short
	}
	user, _, hasPassword := strings.Cut(host[:at], ":")
	if hasPassword {
		user += ":xxxxx"
	} else {
		user = "xxxxx"
	}
	return scheme + "://" + user + rest[at:]
}
