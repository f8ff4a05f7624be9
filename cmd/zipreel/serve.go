package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"zipreel/gateway"
)

type serveCmd struct {
	Targets []string `arg:"" optional:"" name:"target" help:"[NAME=]TARGET: an archive, a folder, or an http(s), s3 or ipfs URL; one that ends in / is a prefix. A NAME given twice: nodes of one source."`

	ConfigFlag  configFlag   `embed:""`
	Check       bool         `help:"Check the configuration and how every TARGET is written, and exit; storage is not asked (doctor and verify do)."`
	ListenFlags listenFlags  `embed:""`
	Storage     storageFlags `embed:""`
	Cache       cacheFlags   `embed:""`
	Log         logFlags     `embed:""`
}

// listenFlags say where viewers come in, and which.
type listenFlags struct {
	Listen         string      `group:"Listen:" default:"${listen}" placeholder:"HOST:PORT" help:"Address for viewers; port 0 takes a free one (default ${default})."`
	AdminListen    string      `group:"Listen:" placeholder:"HOST:PORT" help:"Address for /metrics and /debug/pprof. It has no access control: keep it private (default: none)."`
	Host           []hostName  `group:"Listen:" placeholder:"NAME" help:"Host header answered besides this machine's own names, for proxies that pass theirs on. On an address that others reach all are answered unless some are named."`
	AllowOrigin    []webOrigin `group:"Listen:" placeholder:"ORIGIN" help:"Website whose pages may read from here, as https://www.example.com (default: all)."`
	MaxConnections count       `group:"Listen:" default:"10000" placeholder:"N" help:"Most connections of viewers; idle ones make room (default ${default})."`
}

// origins are for gateway.Config, where none means all.
func (f listenFlags) origins() []string {
	var list []string
	for _, o := range f.AllowOrigin {
		if o == "*" {
			return nil
		}
		list = append(list, string(o))
	}
	return list
}

// hostName is what a Host header may hold (RFC 9110 §7.2).
type hostName string

// UnmarshalText reads a host, with or without a port.
func (h *hostName) UnmarshalText(text []byte) error {
	name := strings.TrimSpace(string(text)) // after the comma of a list
	u, err := url.Parse("//" + name)
	if err != nil || u.Hostname() == "" || u.Host != name {
		return fmt.Errorf("%q is no host: write a name or an address alone, as in www.example.com", text)
	}
	*h = hostName(name)
	return nil
}

// webOrigin is a website as browsers name it in the header Origin (RFC 6454 §6.1), or "*".
type webOrigin string

// UnmarshalText reads an origin.
func (o *webOrigin) UnmarshalText(text []byte) error {
	u, err := url.Parse(string(text))
	if string(text) != "*" && (err != nil || u.Host == "" || u.Scheme+"://"+u.Host != strings.ToLower(string(text))) {
		return fmt.Errorf("%q is no origin: write a scheme and a host, without a path, as in https://www.example.com", text)
	}
	*o = webOrigin(strings.ToLower(string(text)))
	return nil
}

const howToStart = `zipreel: nothing to serve; name at least one archive, folder or URL:

  zipreel serve film.zip                               one archive
  zipreel serve ~/films                                all archives below a folder
  zipreel serve films=https://storage.example/films/   a prefix on a storage node
  zipreel serve films=s3://bucket/films/               a prefix in a bucket, with the environment's credentials
  zipreel serve --config zipreel.yaml                  what a configuration file names

zipreel serve --help shows the flags.
`

// Run is called by the parser.
func (c *serveCmd) Run() error {
	places, err := c.places()
	if err != nil {
		return err
	}
	if len(places) == 0 {
		fmt.Fprint(os.Stderr, howToStart)
		return errShown
	}
	cfg := c.Cache.config(c.Log.logger())
	cfg.AllowOrigins = c.ListenFlags.origins()
	if cfg.Sources, err = openSources(places); err != nil {
		return err
	}
	if c.Check {
		cfg.CacheDir = "" // a running gateway may have it
		return check(cfg)
	}
	return c.serve(cfg, places)
}

// serve opens the listeners and answers until a signal comes.
func (c *serveCmd) serve(cfg gateway.Config, places []place) error {
	l, err := listen("--listen", c.ListenFlags.Listen)
	if err != nil {
		return err
	}
	var admin net.Listener
	if c.ListenFlags.AdminListen != "" {
		if admin, err = listen("--admin-listen", c.ListenFlags.AdminListen); err != nil {
			return err
		}
	}
	cfg.Hosts = allowedHosts(l, c.ListenFlags.Host)
	gw, err := gateway.New(cfg)
	if errors.Is(err, gateway.ErrCacheDir) {
		return fmt.Errorf("%w; --cache-dir must name a folder that may be written to and that no other process uses", err)
	}
	if err != nil {
		return err
	}
	c.Cache.limitHeap(int(c.ListenFlags.MaxConnections))
	s := start(gw, l, cfg.Logger, c.Log.AccessLog, int(c.ListenFlags.MaxConnections))
	signal.Notify(s.signals, syscall.SIGHUP)
	if admin != nil {
		s.startAdmin(admin)
		c.Log.announce(cfg.Logger, "admin listening on http://"+admin.Addr().String())
	}
	c.Log.announce(cfg.Logger, "listening on http://"+l.Addr().String())
	go printURLs(baseURL(l), places)
	return s.wait()
}

// places are the configuration file's sources and then the command line's.
func (c *serveCmd) places() ([]place, error) {
	targets, err := c.ConfigFlag.file.targets()
	if err != nil {
		return nil, err
	}
	for _, arg := range c.Targets {
		t, err := parseTarget(arg)
		if err != nil {
			return nil, err
		}
		targets = append(targets, t)
	}
	for i, t := range targets {
		targets[i] = c.Storage.complete(t)
	}
	return groupTargets(targets)
}

// check makes a gateway and throws it away.
func check(cfg gateway.Config) error {
	gw, err := gateway.New(cfg)
	if err != nil {
		return err
	}
	if err := gw.Close(); err != nil {
		return err
	}
	fmt.Printf("configuration is valid: %s\n", plural(len(cfg.Sources), "source"))
	return nil
}
