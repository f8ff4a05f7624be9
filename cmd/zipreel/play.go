package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"runtime"

	"zipreel/gateway"
)

type playCmd struct {
	Target string `arg:"" help:"An archive: a file, or an http(s), s3 or ipfs URL."`

	NoOpen  bool         `help:"Print the page's URL and open nothing."`
	Storage storageFlags `embed:""`
	Cache   cacheFlags   `embed:""`
	Log     logFlags     `embed:""`
}

// Help is shown by the parser.
func (playCmd) Help() string {
	return `Examples:

    zipreel play film.zip
    zipreel play 'https://storage.example/film.zip?sig=…'
    zipreel play --no-open film.zip

Only this machine reaches the page. End it with Ctrl-C.`
}

// Run is called by the parser.
func (c *playCmd) Run() error {
	p, err := c.place()
	if err != nil {
		return err
	}
	sources, err := openSources([]place{p})
	if err != nil {
		return err
	}
	l, err := listen("--listen", "127.0.0.1:0")
	if err != nil {
		return err
	}
	log := c.Log.logger()
	cfg := c.Cache.config(log)
	cfg.Sources, cfg.Hosts = sources, allowedHosts(l, nil)
	gw, err := gateway.New(cfg)
	if err != nil {
		return err
	}
	s := start(gw, l, log, c.Log.AccessLog, maxPlayConnections)
	c.Log.announce(log, "listening on http://"+l.Addr().String())
	base, archive := baseURL(l), p.archives()[0]
	if _, err := mainPlaylist(context.Background(), archiveURL(base, p.name, archive)); isLasting(err) {
		gw.Close()
		return fmt.Errorf("play %s: %w", p.targets[0].written, err)
	} else if err != nil {
		warn("%s: %v", p.targets[0].written, err)
	}
	page := pageURL(base, p.name, archive)
	fmt.Println(page)
	if !c.NoOpen {
		openBrowser(page)
	}
	return s.wait()
}

const maxPlayConnections = 256

// place is the one archive's.
func (c *playCmd) place() (place, error) {
	t, err := parseTarget(c.Target)
	if err != nil {
		return place{}, err
	}
	if !t.single() {
		return place{}, oneArchive("play", t)
	}
	places, err := groupTargets([]target{c.Storage.complete(t)})
	if err != nil {
		return place{}, err
	}
	return places[0], nil
}

// isLasting tells an archive that cannot be played from one that cannot be reached now.
func isLasting(err error) bool {
	var p *problem
	return errors.As(err, &p) && p.Status < http.StatusInternalServerError
}

// openBrowser hands the page to the desktop. Where there is none, the URL was printed.
func openBrowser(page string) {
	command := []string{"xdg-open", page}
	switch runtime.GOOS {
	case "darwin":
		command = []string{"open", page}
	case "windows":
		command = []string{"rundll32", "url.dll,FileProtocolHandler", page}
	}
	cmd := exec.Command(command[0], command[1:]...)
	if err := cmd.Start(); err != nil {
		warn("no browser was opened (%v); open the page yourself: %s", err, page)
		return
	}
	go func() {
		if err := cmd.Wait(); err != nil {
			warn("no browser was opened (%s: %v); open the page yourself: %s", command[0], err, page)
		}
	}()
}
