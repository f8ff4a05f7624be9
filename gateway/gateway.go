// Package gateway presents the entries of ZIP archives, kept on storage nodes
// that know only byte ranges, as ordinary URLs that unmodified players open.
//
// The way of one request: routes.go takes the path apart; archive.go has the
// archive's index, or loads it; playlist.go rewrites playlists; entry.go opens
// the entry's bytes, which fill.go reads from storage into gateway/cache;
// content.go answers by the rules of RFC 9110. Every failure ends in errors.go.
package gateway

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"zipreel/gateway/access"
	"zipreel/gateway/cache"
	"zipreel/gateway/origin"
	"zipreel/zipindex"
)

// Config is all a Gateway is made of. The zero value of a field means its default.
type Config struct {
	Sources []Source // at least one; names must differ

	Memory      int64 // bytes of entry content kept in memory; default 512 MiB
	IndexMemory int64 // bytes of parsed central directories kept; default 256 MiB
	Inflight    int64 // bytes being read from storage at once; default 512 MiB

	// Prefetch is how many bytes are read ahead of a viewer who plays on, at most; default 16 MiB, negative: none. Local sources are never read ahead.
	Prefetch int64

	CacheDir     string // folder where content and indexes are kept over a restart; empty: nowhere. One process a folder
	CacheDisk    int64  // bytes kept there; default 10 GiB
	CacheReserve int64  // bytes of its volume that are left free; default 1 GiB

	Revalidate time.Duration // age at which an index is checked again; default 60 s

	Hosts        []string // Host header values that are answered; empty: all. See LoopbackHosts
	AllowOrigins []string // origins that may read across sites; empty: all (*)

	CacheSegments  string // Cache-Control of segments and images; default "public, max-age=3600"
	CachePlaylists string // Cache-Control of playlists; default "public, max-age=60"

	MaxDirectory int64 // largest central directory accepted, bytes; default 128 MiB
	MaxEntries   int   // most entries of an archive; default 2,000,000

	// ServerTimesWrites says that the http.Server's listener drops connections whose viewers take nothing, so that a Gateway
	// need not move each answer's write deadline on.
	ServerTimesWrites bool

	Page   http.Handler // the web page, at / ; nil: none
	Logger *slog.Logger // default: discards
}

// Source is a named place that archives are read from.
type Source struct {
	Name      string // [a-z0-9][a-z0-9._-]*
	Origin    origin.Origin
	Archives  []string // names of archives to show when Origin is no origin.Lister
	Immutable bool     // an archive's content never changes under its name: never revalidated
}

const (
	answerWithin = 8 * time.Second  // headers go out within this, whatever storage does
	lingerFor    = 60 * time.Second // a load or fill lives on this much longer, so that a retry finds it
)

// Gateway is the handler. Safe for concurrent use.
type Gateway struct {
	cfg        Config
	log        *slog.Logger
	sources    map[string]*source
	router     http.Handler
	hosts      access.Hosts
	cors       cors
	ages       struct{ segments, playlists []string } // Cache-Control, shared by all answers
	archives   *archives
	cache      *cache.Cache
	disk       *cache.Disk // nil: none
	memos      *memos
	offsets    *shared[entryKey, int64]     // of entries' data
	texts      *shared[entryKey, rewriting] // of playlists
	prefetch   *prefetch
	events     *events
	metrics    *metrics
	draining   atomic.Bool
	background *background
}

// source is a Source in use.
type source struct {
	Source
	local     bool          // reads cost no more than a cache's: nothing is kept
	nodes     *origin.Nodes // Origin's, or Origin as the only one; nil where it is local
	own       bool          // nodes were made here
	firstByte latency       // of reads
}

// newSource makes a remote Origin that is no Nodes one, so that its failures are met the same way.
func newSource(s Source) (*source, error) {
	if l, ok := s.Origin.(origin.Local); ok && l.Local() {
		return &source{Source: s, local: true}, nil
	}
	if nodes := origin.NodesOf(s.Origin); nodes != nil {
		return &source{Source: s, nodes: nodes}, nil
	}
	only := origin.Node{Name: s.Name, Origin: struct{ origin.Origin }{s.Origin}} // not closed with it
	nodes, err := origin.NewNodes([]origin.Node{only})
	return &source{Source: s, nodes: nodes, own: true}, err
}

// close lets go of what newSource made.
func (s *source) close() {
	if s.own {
		s.nodes.Close()
	}
}

var sourceName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]*$`)

// ErrCacheDir is New's error for a Config.CacheDir that cannot be used.
var ErrCacheDir = errors.New("gateway: cache folder")

// New checks the configuration and makes a Gateway.
func New(cfg Config) (*Gateway, error) {
	cfg = withDefaults(cfg)
	g := &Gateway{cfg: cfg, log: cfg.Logger, sources: map[string]*source{}}
	g.ages.segments, g.ages.playlists = []string{cfg.CacheSegments}, []string{cfg.CachePlaylists}
	if len(cfg.Sources) == 0 {
		return nil, errors.New("gateway: no source given")
	}
	for _, s := range cfg.Sources {
		if !sourceName.MatchString(s.Name) {
			return nil, fmt.Errorf("gateway: source name %q does not match [a-z0-9][a-z0-9._-]*", s.Name)
		}
		if s.Origin == nil {
			return nil, fmt.Errorf("gateway: source %q has no origin", s.Name)
		}
		if _, twice := g.sources[s.Name]; twice {
			return nil, fmt.Errorf("gateway: source %q is given twice", s.Name)
		}
		src, err := newSource(s)
		if err != nil {
			return nil, fmt.Errorf("gateway: source %q: %w", s.Name, err)
		}
		if src.nodes != nil {
			src.nodes.Notify(func(node string, works bool, why error) {
				if works {
					g.log.Info("storage node works again", "source", s.Name, "node", node)
				} else {
					g.log.Warn("storage node is left alone for a while", "source", s.Name, "node", node, "err", why)
				}
			})
		}
		g.sources[s.Name] = src
	}
	g.background = newBackground()
	g.hosts = access.NewHosts(cfg.Hosts)
	g.cors = newCORS(cfg.AllowOrigins)
	if cfg.CacheDir != "" {
		var err error
		if g.disk, err = cache.OpenDisk(cache.DiskConfig{Dir: cfg.CacheDir, Bytes: cfg.CacheDisk, Reserve: cfg.CacheReserve, Logger: cfg.Logger}); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrCacheDir, err)
		}
	}
	g.cache = cache.New(cache.Config{Memory: cfg.Memory, Inflight: cfg.Inflight, Disk: g.disk, Linger: lingerFor})
	g.memos = newMemos()
	g.offsets, g.texts = newShared[entryKey, int64](g.background), newShared[entryKey, rewriting](g.background)
	g.prefetch = newPrefetch(g)
	g.events = newEvents()
	g.archives = newArchives(g)
	g.metrics = newMetrics(g)
	g.router = g.routes()
	return g, nil
}

func withDefaults(c Config) Config {
	setDefault(&c.Memory, 512<<20)
	setDefault(&c.IndexMemory, 256<<20)
	setDefault(&c.Inflight, 512<<20)
	setDefault(&c.Prefetch, defaultPrefetch)
	setDefault(&c.Revalidate, 60*time.Second)
	setDefault(&c.CacheSegments, "public, max-age=3600")
	setDefault(&c.CachePlaylists, "public, max-age=60")
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

func setDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

func (g *Gateway) limits() zipindex.Limits {
	return zipindex.Limits{Directory: g.cfg.MaxDirectory, Entries: g.cfg.MaxEntries}
}

// ServeHTTP answers one request. It may be mounted under any prefix with http.StripPrefix.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	g.cors.set(h, r)
	switch {
	case !g.hosts.Allow(r.Host):
		g.fail(w, r, problemf("wrong-host", "Host %q is not one this gateway answers on a loopback address. Use localhost, or name the host with --host.", r.Host))
	case r.Method == http.MethodOptions:
		g.cors.preflight(h, r)
		w.WriteHeader(http.StatusNoContent)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		h["Allow"] = allowHeader
		g.fail(w, r, problemf("method", "%s is not answered here; GET, HEAD and OPTIONS are.", r.Method))
	case strings.HasPrefix(r.URL.Path, archivesPrefix):
		g.serveArchive(w, r) // players ask for nothing else: not through the router, which costs as much as all the rest
	default:
		g.router.ServeHTTP(w, r)
	}
}

const archivesPrefix = "/v/"

// Drain makes /readyz answer 503, so that load balancers turn away before Close, and ends event streams, which would not end by themselves.
func (g *Gateway) Drain() {
	g.draining.Store(true)
	g.events.close()
}

// Close ends all fills and background work and waits for it. Requests still running are cut.
func (g *Gateway) Close() error {
	g.Drain()
	g.background.close()
	g.cache.Close()
	g.disk.Close()
	for _, s := range g.sources {
		s.close()
	}
	return nil
}

// LoopbackHosts is the Config.Hosts for a listener on a loopback address: what
// a browser sends for this machine, and nothing that a hostile name server could make it send.
func LoopbackHosts() []string { return []string{"localhost", "127.0.0.1", "[::1]"} }

// title names an archive in errors and logs.
func (s *source) title(archive string) string {
	return strings.Join([]string{s.Name, archive}, "/")
}
