package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"

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
	h2   func(object) string // over HTTP/2 without TLS; nil: not
}

// largeWrites is nginx at its best on loopback, where sendfile of a file in the page cache is the slower way.
const largeWrites = "sendfile off; output_buffers 2 512k;"

// contenders are servers side by side. The first is zipreel, the second the bare handler: the limit.
type contenders struct {
	bench   *bench
	objects []object
	all     []contender
	zipreel *zipreelServer
}

// startContenders starts them all on the core of servers, and holds what they answer against the objects.
func (b *bench) startContenders() (*contenders, error) {
	t := title.New(4, 1<<20)
	c := &contenders{bench: b, objects: []object{
		{"1 MiB segment", "seg.ts", title.Name(0), t.Segment()},
		{"400 B playlist", "master.m3u8", title.Multivariant, t.Playlist()},
	}}
	for _, start := range []func(*title.Title) error{c.startNginx, c.startVarnish, c.startZipreel} {
		if err := start(t); err != nil {
			c.stop()
			return nil, err
		}
	}
	if err := c.check(); err != nil {
		c.stop()
		return nil, err
	}
	return c, nil
}

func (c *contenders) stop() {
	for _, one := range c.all {
		one.p.stop()
	}
}

func (c *contenders) files() string { return filepath.Join(c.bench.dir, "files") }

// at answers the URLs of objects on a server of files.
func at(address string) func(object) string {
	return func(o object) string { return "http://" + address + "/" + o.file }
}

// startNginx makes five contenders of one nginx, since only one is under load at a time.
func (c *contenders) startNginx(t *title.Title) error {
	if err := os.MkdirAll(c.files(), 0o755); err != nil {
		return err
	}
	for _, o := range c.objects {
		if err := os.WriteFile(filepath.Join(c.files(), o.file), o.body, 0o644); err != nil {
			return err
		}
	}
	if err := t.WriteFile(filepath.Join(c.files(), "title.zip")); err != nil {
		return err
	}
	var a [6]string
	for i := range a {
		var err error
		if a[i], err = freePort(); err != nil {
			return err
		}
	}
	p, err := c.bench.startNginx("nginx", c.bench.server, at(a[0])(c.objects[0]),
		nginxFiles(a[0], c.files(), "sendfile on;"), nginxFiles(a[1], c.files(), largeWrites),
		nginxCache(a[2], a[0], "sendfile on;"), nginxCache(a[3], a[0], largeWrites),
		nginxFiles(a[4]+" http2", c.files(), "sendfile on;"), nginxCache(a[5]+" http2", a[0], "sendfile on;"))
	if err != nil {
		return err
	}
	c.all = []contender{
		{"nginx, files, sendfile", p, at(a[0]), at(a[4])},
		{"nginx, files, large writes", p, at(a[1]), nil},
		{"nginx, cache hit, sendfile", p, at(a[2]), at(a[5])},
		{"nginx, cache hit, large writes", p, at(a[3]), nil},
	}
	return nil
}

// startVarnish is left out where varnish is not installed.
func (c *contenders) startVarnish(*title.Title) error {
	if !installed("varnishd") {
		return nil
	}
	address, err := freePort()
	if err != nil {
		return err
	}
	node := strings.TrimPrefix(strings.TrimSuffix(c.all[0].url(object{}), "/"), "http://")
	p, err := c.bench.startVarnish(c.bench.server, address, node, at(address)(c.objects[0]))
	if err != nil {
		return err
	}
	c.all = append(c.all, contender{"varnish, memory hit", p, at(address), at(address)})
	return nil
}

// startZipreel starts zipreel and then the bare handler with zipreel's own headers.
func (c *contenders) startZipreel(*title.Title) error {
	z, err := c.bench.startZipreel(c.bench.server, c.all[0].url(object{}))
	if err != nil {
		return err
	}
	c.zipreel = z
	zipreel := func(o object) string { return z.entry("title.zip", o.in) }
	c.all = append([]contender{{"zipreel, memory hit", z.process, zipreel, zipreel}}, c.all...)
	dir := filepath.Join(c.bench.dir, "bare")
	for _, o := range c.objects {
		if err := writeObject(dir, zipreel(o), o); err != nil {
			return err
		}
	}
	address, err := freePort()
	if err != nil {
		return err
	}
	p, err := launch(c.bench.dir, "bare", c.bench.server, filepath.Join(c.bench.dir, "bin", "bare"), "-listen", address, dir)
	if err != nil {
		return err
	}
	bare := contender{"net/http alone (the limit)", p, at(address), at(address)}
	c.all = append(c.all[:1], append([]contender{bare}, c.all[1:]...)...)
	return p.answers(at(address)(c.objects[0]))
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
	if err := http.Header(header).Write(&head); err != nil {
		return err
	}
	base := filepath.Join(dir, o.file)
	if err := os.WriteFile(base+".head", head.Bytes(), 0o644); err != nil {
		return err
	}
	return os.WriteFile(base+".body", body, 0o644)
}

// check asks every contender for every object, twice, so that all have it cached.
func (c *contenders) check() error {
	for _, one := range c.all {
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
