package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"zipreel/bench/title"
)

// object is what all contenders serve alike.
type object struct {
	name string // in tables
	file string // its path on every server but zipreel
	in   string // the entry's name in the archive
	body []byte
}

// contender is one server as it is asked for objects.
type contender struct {
	name string
	p    *process
	url  func(object) string
}

// contenders are servers side by side. In each list the first is zipreel, the second net/http alone: the limit.
type contenders struct {
	bench   *bench
	objects []object
	http1   []contender
	http2   []contender // without TLS
	tls     []contender // HTTP/1.1
	zipreel *zipreelServer

	ports map[string]string // address by purpose
	nginx *process
}

const (
	zipreelAt = 0 // in every list
	bareAt    = 1

	// largeWrites is nginx at its best on loopback, where sendfile of a file in the page cache is the slower way.
	largeWrites = "sendfile off; output_buffers 2 512k;"
)

// startContenders starts them all on the core of servers, and holds what they answer against the objects.
func (b *bench) startContenders() (*contenders, error) {
	t := title.New(4, 1<<20)
	c := &contenders{bench: b, ports: map[string]string{}, objects: []object{
		{"1 MiB segment", "seg.ts", title.Name(0), t.Segment()},
		{"400 B playlist", "master.m3u8", title.Multivariant, t.Playlist()},
	}}
	for _, purpose := range []string{"files", "large files", "cache", "large cache", "files h2", "cache h2", "files tls", "large files tls", "cache tls",
		"varnish", "bare", "bare tls", "embedded"} {
		address, err := freePort()
		if err != nil {
			return nil, err
		}
		c.ports[purpose] = address
	}
	for _, step := range []func(*title.Title) error{c.startNginx, c.startZipreel, c.startVarnish, c.startTLS, c.check} {
		if err := step(t); err != nil {
			c.stop()
			return nil, err
		}
	}
	return c, nil
}

func (c *contenders) stop() {
	for _, one := range slices.Concat(c.http1, c.http2, c.tls) {
		one.p.stop()
	}
	if c.nginx != nil {
		c.nginx.stop()
	}
}

// at answers the URLs of objects on a server of files.
func (c *contenders) at(scheme, purpose string) func(object) string {
	return func(o object) string { return scheme + "://" + c.ports[purpose] + "/" + o.file }
}

// startNginx starts one nginx with a server for every purpose, since only one of them is under load at a time.
func (c *contenders) startNginx(t *title.Title) error {
	files := filepath.Join(c.bench.dir, "files")
	if err := os.MkdirAll(files, 0o755); err != nil {
		return err
	}
	for _, o := range c.objects {
		if err := os.WriteFile(filepath.Join(files, o.file), o.body, 0o644); err != nil {
			return err
		}
	}
	if err := t.WriteFile(filepath.Join(files, "title.zip")); err != nil {
		return err
	}
	cert, err := writeCertificate(c.bench.dir)
	if err != nil {
		return err
	}
	tls := fmt.Sprintf("ssl_certificate %s; ssl_certificate_key %s;", cert, cert)
	a, node := c.ports, c.ports["files"]
	c.nginx, err = c.bench.startNginx("nginx", c.bench.server, c.at("http", "files")(c.objects[0]),
		nginxFiles(a["files"], files, "sendfile on;"), nginxFiles(a["large files"], files, largeWrites),
		nginxCache(a["cache"], node, "sendfile on;"), nginxCache(a["large cache"], node, largeWrites),
		nginxFiles(a["files h2"]+" http2", files, "sendfile on;"), nginxCache(a["cache h2"]+" http2", node, "sendfile on;"),
		nginxFiles(a["files tls"]+" ssl", files, "sendfile on;", tls), nginxFiles(a["large files tls"]+" ssl", files, largeWrites, tls),
		nginxCache(a["cache tls"]+" ssl", node, "sendfile on;", tls))
	return err
}

// startZipreel starts zipreel, and net/http alone with zipreel's own headers, and makes the lists.
func (c *contenders) startZipreel(*title.Title) error {
	z, err := c.bench.startZipreel(c.bench.server, "http://"+c.ports["files"]+"/")
	if err != nil {
		return err
	}
	zipreel := contender{"zipreel, memory hit", z.process, func(o object) string { return z.entry("title.zip", o.in) }}
	c.zipreel, c.http1 = z, []contender{zipreel}
	for _, o := range c.objects {
		if err := writeObject(filepath.Join(c.bench.dir, "bare"), zipreel.url(o), o); err != nil {
			return err
		}
	}
	bare, err := c.startBare("bare", "http")
	if err != nil {
		return err
	}
	c.http1 = append(c.http1, bare,
		contender{"nginx, files, sendfile", c.nginx, c.at("http", "files")},
		contender{"nginx, files, large writes", c.nginx, c.at("http", "large files")},
		contender{"nginx, cache hit, sendfile", c.nginx, c.at("http", "cache")},
		contender{"nginx, cache hit, large writes", c.nginx, c.at("http", "large cache")})
	c.http2 = []contender{zipreel, bare,
		{"nginx, files, sendfile", c.nginx, c.at("http", "files h2")},
		{"nginx, cache hit, sendfile", c.nginx, c.at("http", "cache h2")}}
	return nil
}

// startBare starts net/http alone.
func (c *contenders) startBare(purpose, scheme string, flags ...string) (contender, error) {
	argv := append([]string{filepath.Join(c.bench.dir, "bin", "bare"), "-listen", c.ports[purpose]}, flags...)
	p, err := launch(c.bench.dir, purpose, c.bench.server, append(argv, filepath.Join(c.bench.dir, "bare"))...)
	if err != nil {
		return contender{}, err
	}
	return contender{"net/http alone (the limit)", p, c.at(scheme, purpose)}, p.answers(c.at(scheme, purpose)(c.objects[0]))
}

// startVarnish is left out where varnish is not installed.
func (c *contenders) startVarnish(*title.Title) error {
	if !installed("varnishd") {
		return nil
	}
	url := c.at("http", "varnish")
	p, err := c.bench.startVarnish(c.bench.server, c.ports["varnish"], c.ports["files"], url(c.objects[0]))
	if err != nil {
		return err
	}
	one := contender{"varnish, memory hit", p, url}
	c.http1, c.http2 = append(c.http1, one), append(c.http2, one)
	return nil
}

// startTLS starts the gateway's handler in a program that listens with TLS, and net/http alone with TLS.
func (c *contenders) startTLS(*title.Title) error {
	cert := filepath.Join(c.bench.dir, certificateFile)
	bin := filepath.Join(c.bench.dir, "bin", "embedded")
	p, err := launch(c.bench.dir, "embedded", c.bench.server, bin, "-listen", c.ports["embedded"], "-cert", cert, "http://"+c.ports["files"]+"/")
	if err != nil {
		return err
	}
	base := "https://" + c.ports["embedded"]
	c.tls = []contender{{"zipreel's handler, memory hit", p, func(o object) string { return base + "/v/t/title.zip/" + o.in }}}
	if err := p.answers(base + "/healthz"); err != nil {
		return err
	}
	bare, err := c.startBare("bare tls", "https", "-cert", cert)
	if err != nil {
		return err
	}
	c.tls = append(c.tls, bare,
		contender{"nginx, files, sendfile", c.nginx, c.at("https", "files tls")},
		contender{"nginx, files, large writes", c.nginx, c.at("https", "large files tls")},
		contender{"nginx, cache hit, sendfile", c.nginx, c.at("https", "cache tls")})
	return nil
}

// writeObject writes what a cached answer of zipreel consists of, for the bare handler.
func writeObject(dir, url string, o object) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if _, _, err := fetch(url); err != nil {
		return err
	}
	header, body, err := fetch(url) // the second is a hit
	if err != nil {
		return err
	}
	header.Del("Date") // net/http writes it
	var head bytes.Buffer
	if err := header.Write(&head); err != nil {
		return err
	}
	base := filepath.Join(dir, o.file)
	if err := os.WriteFile(base+".head", head.Bytes(), 0o644); err != nil {
		return err
	}
	return os.WriteFile(base+".body", body, 0o644)
}

// check asks every contender for every object, twice, so that all have it cached.
func (c *contenders) check(*title.Title) error {
	for _, one := range slices.Concat(c.http1, c.tls) {
		for _, o := range c.objects {
			for range 2 {
				if _, body, err := fetch(one.url(o)); err != nil {
					return err
				} else if !bytes.Equal(body, o.body) {
					return fmt.Errorf("%s: answers %d bytes for the %s that are not its own", one.name, len(body), o.name)
				}
			}
		}
	}
	return nil
}
