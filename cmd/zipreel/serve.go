package main

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"

	"zipreel/gateway"
)

type serveCmd struct {
	Targets []string `arg:"" optional:"" name:"target" help:"[NAME=]TARGET: an archive, a folder, or an http(s) URL; one that ends in / is a prefix."`

	ConfigFlag  configFlag  `embed:""`
	Check       bool        `help:"Check the configuration and every TARGET, and exit."`
	ListenFlags listenFlags `embed:""`
	Cache       cacheFlags  `embed:""`
	Log         logFlags    `embed:""`
}

// listenFlags say where viewers come in, and which.
type listenFlags struct {
	Listen         string   `group:"Listen:" default:"${listen}" placeholder:"HOST:PORT" help:"Address for viewers; port 0 takes a free one (default ${default})."`
	AdminListen    string   `group:"Listen:" placeholder:"HOST:PORT" help:"Address for /metrics and /debug/pprof. It has no access control: keep it private (default: none)."`
	Host           []string `group:"Listen:" placeholder:"NAME" help:"Host header answered besides this machine's own names, for proxies that pass theirs on. On an address that others reach all are answered unless some are named."`
	AllowOrigin    []string `group:"Listen:" placeholder:"ORIGIN" help:"Website whose pages may read from here, as https://www.example.com (default: all)."`
	MaxConnections int      `group:"Listen:" default:"10000" placeholder:"N" help:"Most connections of viewers; idle ones make room (default ${default})."`
}

// Validate is called by the parser.
func (f listenFlags) Validate() error {
	if f.MaxConnections < 1 {
		return fmt.Errorf("--max-connections: %d is too few: it must be at least 1", f.MaxConnections)
	}
	for _, o := range f.AllowOrigin {
		u, err := url.Parse(o)
		if o != "*" && (err != nil || u.Scheme == "" || u.Host == "" || u.Path != "") {
			return fmt.Errorf("--allow-origin: %q is no origin: write a scheme and a host, without a path, as in https://www.example.com", o)
		}
	}
	return nil
}

// origins are for gateway.Config, where none means all.
func (f listenFlags) origins() []string {
	if slices.Contains(f.AllowOrigin, "*") {
		return nil
	}
	return f.AllowOrigin
}

const howToStart = `zipreel: nothing to serve; name at least one archive, folder or URL:

  zipreel serve film.zip                               one archive
  zipreel serve ~/films                                all archives below a folder
  zipreel serve films=https://storage.example/films/   a prefix on a storage node
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
	if err != nil {
		return err
	}
	s := start(gw, l, cfg.Logger, c.Log.AccessLog, c.ListenFlags.MaxConnections)
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
