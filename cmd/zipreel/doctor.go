package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"zipreel/gateway"
	"zipreel/gateway/origin/doctor"
	"zipreel/zipindex"
)

type doctorCmd struct {
	URL     string   `arg:"" name:"url" help:"An archive's http or https URL, or with --archive a prefix that ends in /."`
	Archive string   `placeholder:"NAME" help:"The archive to ask for below a URL that ends in /."`
	Header  []string `sep:"none" placeholder:"'NAME: VALUE'" help:"Header to send with every request, to the URL's host alone; $${NAME} in it is the environment's. May be repeated."`
	SizeURL string   `name:"size-url" placeholder:"URL" help:"Where sizes are asked for that HEAD does not tell; {archive} may stand in it."`
	CA      string   `name:"ca" placeholder:"FILE" help:"Certificates (PEM) of authorities to trust besides the system's."`
	Reads   count    `default:"5" placeholder:"N" help:"Reads that latency is measured with, at most 20 (default ${default})."`
	JSON    bool     `name:"json" help:"As one JSON object."`
}

// Help is shown by the parser.
func (doctorCmd) Help() string {
	return `Asks a storage node what zipreel needs of it: ranges, validators, latency. A line for each check; for what does not work, what that costs,
how to mend it in common servers, and the setting that gets along with it. It takes 30 s and about 4 MiB at most, and changes nothing.

Exits with 0 when zipreel can serve from there, with 1 when it cannot.

Examples:

    zipreel doctor https://storage.example/films/bbb.zip
    zipreel doctor https://storage.example/films/ --archive bbb.zip
    zipreel doctor --header 'Authorization: Bearer ${TOKEN}' https://storage.example/bbb.zip
    zipreel doctor --json "$(aws s3 presign s3://bucket/bbb.zip)" | jq -r '.checks[] | select(.mark == "fail") | .name'`
}

// Run is called by the parser.
func (c *doctorCmd) Run() error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	report, err := doctor.Examine(context.Background(), cfg)
	if err != nil {
		return usagef("doctor %s: %v", withoutSecrets(c.URL), err)
	}
	if err := c.write(report); err != nil {
		return err
	}
	if !report.Usable {
		return fmt.Errorf("doctor %s: zipreel cannot serve from there; the report says why", withoutSecrets(c.URL))
	}
	return nil
}

// target is the URL to examine.
func (c *doctorCmd) target() (target, error) {
	t, err := parseLocation(c.URL, "")
	switch {
	case err != nil:
		return t, err
	case t.url == nil:
		return t, usagef("doctor %s: that is on this machine, and needs no storage node; zipreel verify reads it", t.written)
	case t.url.Scheme == "s3":
		return t, usagef("doctor %s: it asks by http or https; sign a URL: aws s3 presign %s", t.written, t.written)
	case t.url.Scheme == "ipfs":
		return t, usagef("doctor %s: it asks by http or https; give the gateway's URL, as in http://127.0.0.1:8081/ipfs/%s%s", t.written, t.url.Host, t.url.Path)
	case t.kind == prefixTarget && c.Archive == "":
		return t, usagef("doctor %s: a URL that ends in / is a prefix; name an archive below it, as in --archive film.zip", t.written)
	}
	return t, nil
}

func (c *doctorCmd) config() (doctor.Config, error) {
	t, err := c.target()
	if err != nil {
		return doctor.Config{}, err
	}
	headers := map[string]string{}
	for _, h := range c.Header {
		name, value, ok := strings.Cut(h, ":")
		if !ok {
			return doctor.Config{}, usagef("--header takes a name and a value, as in --header 'X-Key: ${KEY}'")
		}
		headers[name] = strings.TrimSpace(value)
	}
	node := nodeConfig{Headers: headers, CA: c.CA}
	cfg := doctor.Config{URL: t.base, Archive: c.Archive, SizeURL: c.SizeURL, Reads: int(c.Reads), Directory: lookAt}
	if cfg.Header, err = node.header(); err != nil {
		return cfg, usagef("--header: %v", err)
	}
	if cfg.TLS, err = node.tls(""); err != nil {
		return cfg, usagef("--%v", err)
	}
	return cfg, nil
}

func (c *doctorCmd) write(r *doctor.Report) error {
	if !c.JSON {
		return r.WriteText(os.Stdout)
	}
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false)
	return out.Encode(r)
}

// lookAt says what archive ends with the bytes [off, size).
func lookAt(tail []byte, off, size int64) (a doctor.Archive) {
	x, err := zipindex.Parse(tail, off, size, zipindex.Limits{})
	var more *zipindex.NeedMore
	var bad *zipindex.Error
	switch {
	case errors.As(err, &more):
		a.From = more.Off
	case errors.As(err, &bad):
		a.Code, a.Why = string(bad.Code), fmt.Sprintf("at byte %d: %s", bad.Offset, bad.Detail)
	case err != nil:
		a.Code, a.Why = string(zipindex.CodeNotFound), err.Error()
	}
	if err != nil {
		return a
	}
	for e := range x.All() {
		refused := e.Refused()
		if refused != nil && refused.Code == zipindex.CodeDirectoryEntry {
			continue
		}
		a.Entries++
		if refused != nil {
			a.Unserved++
		} else if gateway.EntryKind(e) == "playlist" {
			a.Playlists++
		}
	}
	return a
}
