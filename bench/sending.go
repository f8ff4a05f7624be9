package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// ways are how net/http can send a body that is cached, the first as the gateway does it.
var ways = []struct {
	name  string
	how   string // of bench/bare
	tmpfs bool   // the body's file is in memory, else on disk and in the page cache
}{
	{"memory, one write", "write", false},
	{"memory, writes of 64 KiB", "pieces", false},
	{"file in memory (tmpfs), sendfile", "sendfile", true},
	{"file in the page cache, sendfile", "sendfile", false},
	{"file in the page cache, read and written", "read", false},
}

// sending holds the ways to send a cached segment against each other, each in a net/http server that does nothing else.
func (b *bench) sending() (string, error) {
	c, err := b.startContenders()
	if err != nil {
		return "", err
	}
	defer c.stop()
	if err := os.CopyFS(filepath.Join(b.memory, "bare"), os.DirFS(filepath.Join(b.dir, "bare"))); err != nil {
		return "", err
	}
	cert := filepath.Join(b.dir, certificateFile)
	segment := c.objects[0]
	text := ""
	for k, protocol := range []struct {
		name, scheme string
		flags        []string
		turn         func(*process, string, object) (run, error)
	}{
		{"HTTP/1.1", "http", nil, b.wayTurn},
		{"HTTP/1.1 over TLS", "https", []string{"-cert", cert}, b.wayTurn},
		{"HTTP/2 without TLS", "http", nil, b.h2loadTurn},
	} {
		if protocol.name == "HTTP/2 without TLS" && !installed("h2load") {
			continue
		}
		one := contest{object: segment, how: protocol.name}
		for i, w := range ways {
			p, err := b.startWay(c, fmt.Sprintf("way %d.%d", k, i), w.how, w.tmpfs, protocol.scheme, segment, protocol.flags)
			if err != nil {
				return "", err
			}
			p.name = w.name
			one.all = append(one.all, p)
		}
		if err := one.play(protocol.turn); err != nil {
			return "", err
		}
		for _, who := range one.all {
			who.p.stop()
		}
		text += one.table(0, "one write")
	}
	return text + sendingNote, nil
}

const sendingNote = `zipreel keeps cached content in memory and sends it with one write: sendfile(2) is no faster here and is of no use to TLS and HTTP/2, and content that lies in files
which are written again can change while a slow viewer's kernel still holds pages of it.

`

func (b *bench) wayTurn(p *process, url string, _ object) (run, error) {
	return wrk(p, url, pick(b, 5*time.Second, time.Second))
}

// startWay starts net/http alone, sending in one way.
func (b *bench) startWay(c *contenders, purpose, how string, tmpfs bool, scheme string, o object, flags []string) (contender, error) {
	address, err := freePort()
	if err != nil {
		return contender{}, err
	}
	c.ports[purpose] = address
	from := filepath.Join(b.dir, "bare")
	if tmpfs {
		from = filepath.Join(b.memory, "bare")
	}
	argv := append([]string{filepath.Join(b.dir, "bin", "bare"), "-listen", address, "-send", how}, flags...)
	p, err := launch(b.dir, purpose, b.server, append(argv, from)...)
	if err != nil {
		return contender{}, err
	}
	url := c.at(scheme, purpose)
	return contender{"", p, url}, p.answers(url(o))
}
