// Package gateway presents the entries of ZIP archives, kept on storage nodes
// that know only byte ranges, as ordinary URLs that unmodified players open.
package gateway

import (
	"log/slog"
	"net/http"
	"time"

	"zipreel/gateway/origin"
)

// Config is all a Gateway is made of. The zero value of a field means its default.
type Config struct {
	Sources []Source // at least one; names must differ

	Memory      int64 // bytes of entry content kept in memory; default 512 MiB
	IndexMemory int64 // bytes of parsed central directories kept; default 256 MiB
	Inflight    int64 // bytes being read from storage at once; default 512 MiB

	Revalidate time.Duration // age at which an index is checked again; default 60 s

	Hosts        []string // Host header values that are answered; empty: all. See LoopbackHosts
	AllowOrigins []string // origins that may read across sites; empty: all (*)

	CacheSegments  string // Cache-Control of segments and images; default "public, max-age=3600"
	CachePlaylists string // Cache-Control of playlists; default "public, max-age=60"

	MaxDirectory int64 // largest central directory accepted, bytes; default 128 MiB
	MaxEntries   int   // most entries of an archive; default 2,000,000

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

// Gateway is the handler. Safe for concurrent use.
type Gateway struct{}

// New checks the configuration and makes a Gateway.
func New(cfg Config) (*Gateway, error) { panic("stub") }

func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) { panic("stub") }

// Admin is the handler for the admin listener: /metrics, /debug/pprof, /healthz, /readyz.
func (g *Gateway) Admin() http.Handler { panic("stub") }

// Drain makes /readyz answer 503, so that load balancers turn away before Close.
func (g *Gateway) Drain() { panic("stub") }

// Close ends all fills and background work and waits for it. Requests still running are cut.
func (g *Gateway) Close() error { panic("stub") }

// LoopbackHosts is the Config.Hosts for a listener on a loopback address: what
// a browser sends for this machine, and nothing that a hostile name server could make it send.
func LoopbackHosts() []string { return []string{"localhost", "127.0.0.1", "[::1]"} }
