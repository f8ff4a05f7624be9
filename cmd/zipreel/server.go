package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	stdlog "log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"zipreel/gateway"
)

const (
	defaultListen  = "127.0.0.1:8080"
	headerWithin   = 10 * time.Second
	maxHeaderBytes = 32 << 10
	idleFor        = 2 * time.Minute
	stopWithin     = 30 * time.Second // running answers may take this long after SIGTERM
)

// server answers viewers until a signal comes.
type server struct {
	gw       *gateway.Gateway
	log      *slog.Logger
	listener net.Listener
	http     *http.Server
	admin    *http.Server // nil: none
	failed   chan error   // a listener that ended by itself
	signals  chan os.Signal
}

// listen opens the address. It says what to do where that fails.
func listen(flag, address string) (net.Listener, error) {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, usagef("%s: %q is no address; write HOST:PORT, as in 127.0.0.1:8080, or :8080 for all of this machine's", flag, address)
	}
	if _, err := net.LookupPort("tcp", port); err != nil {
		return nil, usagef("%s: %q is no port; it is a number from 0 to 65535", flag, port)
	}
	l, err := net.Listen("tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("listen on %s: the port is in use; end the other program, or choose another with %s (port 0 takes a free one)", address, flag)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("listen on %s: permission denied; ports below 1024 are the administrator's: choose another with %s", address, flag)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return nil, fmt.Errorf("listen on %s: this machine has no such address; choose another with %s", address, flag)
	case err != nil:
		var op *net.OpError
		if errors.As(err, &op) {
			err = op.Err
		}
		return nil, fmt.Errorf("listen on %s: %w; choose another with %s", address, err, flag)
	}
	return l, nil
}

// start answers on the listener. From then on signals are wait's; SIGHUP is among them where the caller asks for it.
func start(gw *gateway.Gateway, l net.Listener, log *slog.Logger, accessLog bool, maxConns int) *server {
	s := &server{gw: gw, log: log, listener: l, failed: make(chan error, 2), signals: make(chan os.Signal, 2)}
	stdlog.SetFlags(0)
	stdlog.SetOutput(libraryLog{log})
	signal.Notify(s.signals, os.Interrupt, syscall.SIGTERM)
	var handler http.Handler = gw
	if accessLog {
		handler = logRequests(log, handler)
	}
	s.http = newHTTPServer(handler, log)
	s.http.ConnState = newConnLimit(maxConns).change
	go s.serve(s.http, viewerListener{l})
	return s
}

// libraryLog takes what net/http has to say of nodes to the standard logger, their bytes among it: for who debugs, and not all of it.
type libraryLog struct{ log *slog.Logger }

// Write implements io.Writer.
func (l libraryLog) Write(p []byte) (int, error) {
	l.log.Debug("net/http", "says", string(bytes.TrimSpace(p[:min(len(p), 200)])))
	return len(p), nil
}

// startAdmin answers operators on a listener of their own.
func (s *server) startAdmin(l net.Listener) {
	s.admin = newHTTPServer(s.gw.Admin(), s.log)
	go s.serve(s.admin, l)
}

func (s *server) serve(h *http.Server, l net.Listener) {
	if err := h.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		s.failed <- err
	}
}

// newHTTPServer has no write timeout: the connections of viewers see to it.
func newHTTPServer(h http.Handler, log *slog.Logger) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler:           boundBodies(h),
		ReadHeaderTimeout: headerWithin,
		IdleTimeout:       idleFor,
		MaxHeaderBytes:    maxHeaderBytes,
		Protocols:         protocols,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// boundBodies gives a request's body, which nobody here reads, as long to arrive as its header had. A connection would
// wait for it without end else.
func boundBodies(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			http.NewResponseController(w).SetReadDeadline(time.Now().Add(headerWithin)) // else the limit on connections holds
		}
		h.ServeHTTP(w, r)
	})
}

// wait returns after SIGINT or SIGTERM, when running answers have ended. A second signal cuts them. SIGHUP has the configuration looked at, and ends nothing.
func (s *server) wait() error {
	defer signal.Stop(s.signals)
	for {
		select {
		case err := <-s.failed:
			s.gw.Close()
			return fmt.Errorf("stopped listening on %s: %w", s.listener.Addr(), err)
		case sig := <-s.signals:
			if sig == syscall.SIGHUP {
				go checkAgain(s.log)
				continue
			}
			s.log.Info("stopping; running answers have 30 s, a second signal cuts them", "signal", sig.String())
			return s.stop()
		}
	}
}

// checkAgain says what a restart would make of the configuration as it is now. The one that was read at the start stays.
func checkAgain(log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	self, err := os.Executable()
	if err == nil {
		var out []byte
		if out, err = exec.CommandContext(ctx, self, append(slices.Clone(os.Args[1:]), "--check")...).CombinedOutput(); err == nil {
			log.Info("SIGHUP: the configuration is good; it takes a restart to use it")
			return
		}
		err = errors.New(strings.TrimSpace(string(out)))
	}
	log.Error("SIGHUP: the configuration is bad; the one from the start stays", "err", err)
}

// stop ends in at most stopWithin, or at the next signal.
func (s *server) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	s.gw.Drain()
	ended := make(chan error, 1)
	go func() {
		err := s.http.Shutdown(ctx)
		if s.admin != nil {
			s.admin.Close()
		}
		ended <- err
	}()
	for waiting := true; waiting; {
		select {
		case sig := <-s.signals:
			if sig != syscall.SIGHUP {
				return fmt.Errorf("stopped at once by a second signal (%v); running answers were cut", sig)
			}
		case err := <-ended:
			if err != nil {
				s.log.Warn("answers still running after 30 s were cut")
				s.http.Close()
			}
			waiting = false
		}
	}
	return s.gw.Close()
}

// loopback says whether only this machine can reach the listener.
func loopback(l net.Listener) bool {
	a, ok := l.Addr().(*net.TCPAddr)
	return ok && a.IP.IsLoopback()
}

// baseURL is where a player on this machine finds the listener.
func baseURL(l net.Listener) string {
	a, ok := l.Addr().(*net.TCPAddr)
	if ok && a.IP.IsUnspecified() {
		return fmt.Sprintf("http://127.0.0.1:%d", a.Port)
	}
	return "http://" + l.Addr().String()
}

// allowedHosts are the Host values answered: all where others than this machine reach the listener, unless some are
// named. This machine's own are always among them, for health checks.
func allowedHosts(l net.Listener, named []hostName) []string {
	if !loopback(l) && len(named) == 0 {
		return nil
	}
	hosts := gateway.LoopbackHosts()
	for _, h := range named {
		hosts = append(hosts, string(h))
	}
	return hosts
}
