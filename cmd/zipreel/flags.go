package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"zipreel/gateway"
	"zipreel/web"
)

// cacheFlags say how much is kept, and how long viewers may keep it.
type cacheFlags struct {
	Memory                size      `group:"Memory:" default:"512MiB" placeholder:"SIZE" help:"Content kept in memory (default ${default})."`
	IndexMemory           size      `group:"Memory:" default:"256MiB" placeholder:"SIZE" help:"Directories of archives kept in memory (default ${default})."`
	Inflight              size      `group:"Memory:" default:"512MiB" placeholder:"SIZE" help:"Bytes being read from storage at once, and as many that slow viewers still take of what is kept no more (default ${default})."`
	Prefetch              sizeOrOff `group:"Memory:" default:"16MiB" placeholder:"SIZE" help:"Bytes read ahead of each viewer, at most; off: none (default ${default})."`
	CacheDir              string    `group:"Memory:" placeholder:"FOLDER" help:"Keep content and directories here as well, so that a restart is warm (default: nowhere)."`
	CacheDisk             size      `group:"Memory:" default:"10GiB" placeholder:"SIZE" help:"Bytes kept in that folder (default ${default})."`
	CacheReserve          size      `group:"Memory:" default:"1GiB" placeholder:"SIZE" help:"Bytes of its volume that are left free (default ${default})."`
	MaxDirectory          size      `group:"Memory:" default:"128MiB" placeholder:"SIZE" help:"Largest directory an archive may have (default ${default})."`
	MaxEntries            count     `group:"Memory:" default:"2000000" placeholder:"N" help:"Most entries an archive may have (default ${default})."`
	Revalidate            duration  `group:"Freshness:" default:"60s" placeholder:"TIME" help:"Age at which a kept directory is checked against storage (default ${default})."`
	CacheControlSegments  string    `group:"Freshness:" default:"public, max-age=3600" placeholder:"VALUE" help:"Cache-Control of segments and images (default \"${default}\")."`
	CacheControlPlaylists string    `group:"Freshness:" default:"public, max-age=60" placeholder:"VALUE" help:"Cache-Control of playlists (default \"${default}\")."`
}

// config is the part of the gateway's configuration that these flags decide.
func (f cacheFlags) config(log *slog.Logger) gateway.Config {
	return gateway.Config{
		Memory: int64(f.Memory), IndexMemory: int64(f.IndexMemory), Inflight: int64(f.Inflight), Prefetch: int64(f.Prefetch),
		CacheDir: f.CacheDir, CacheDisk: int64(f.CacheDisk), CacheReserve: int64(f.CacheReserve),
		MaxDirectory: int64(f.MaxDirectory), MaxEntries: int(f.MaxEntries),
		Revalidate:    time.Duration(f.Revalidate),
		CacheSegments: f.CacheControlSegments, CachePlaylists: f.CacheControlPlaylists,
		ServerTimesWrites: true, // viewerConn
		Page:              web.Handler(), Logger: log,
	}
}

const (
	heapSpare = 1 << 30  // bytes of heap besides what the flags bound: rewritten playlists, directories while they are read, code
	connHeap  = 40 << 10 // bytes that a connection takes
)

// limitHeap has the runtime collect before the heap is twice what is kept, as it else would: what is kept holds no pointers, so that collecting costs
// little. GOMEMLIMIT goes before it.
func (f cacheFlags) limitHeap(conns int) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(int64(f.Memory) + int64(f.IndexMemory) + 2*int64(f.Inflight) + heapSpare + int64(conns)*connHeap)
	}
}

// logFlags say what is logged on standard error, and how.
type logFlags struct {
	LogLevel  logLevel  `group:"Log:" default:"info" placeholder:"LEVEL" help:"Least level logged: debug, info, warn or error (default ${default})."`
	LogFormat logFormat `group:"Log:" default:"text" placeholder:"FORMAT" help:"How: text or json (default ${default})."`
	AccessLog bool      `group:"Log:" help:"Log every request."`
}

func (f logFlags) logger() *slog.Logger {
	opts := &slog.HandlerOptions{Level: slog.Level(f.LogLevel)}
	if f.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, opts))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, opts))
}

// announce tells the operator what is no event: a plain line, or a record where records are asked for. The level does
// not hold it back.
func (f logFlags) announce(log *slog.Logger, msg string) {
	if f.LogFormat == "json" {
		log.Handler().Handle(context.Background(), slog.NewRecord(time.Now(), slog.LevelInfo, msg, 0))
		return
	}
	fmt.Fprintln(os.Stderr, msg)
}

type logLevel slog.Level

// UnmarshalText reads a level's name.
func (l *logLevel) UnmarshalText(text []byte) error {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	v, ok := levels[string(text)]
	if !ok {
		return fmt.Errorf("%q is no log level: it must be debug, info, warn or error", text)
	}
	*l = logLevel(v)
	return nil
}

type logFormat string

// UnmarshalText reads a format's name.
func (l *logFormat) UnmarshalText(text []byte) error {
	if s := string(text); s != "text" && s != "json" {
		return fmt.Errorf("%q is no log format: it must be text or json", s)
	}
	*l = logFormat(text)
	return nil
}
