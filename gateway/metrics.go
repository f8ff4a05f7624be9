package gateway

import (
	"net/http"
	"net/http/pprof"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are counters on a registry of the gateway's own. No label holds an archive, an entry or a viewer.
type metrics struct {
	registry *prometheus.Registry
	reads    *prometheus.CounterVec
	readErrs *prometheus.CounterVec
	readSize *prometheus.CounterVec
	failures *prometheus.CounterVec
	cuts     prometheus.Counter

	totalReads, totalReceived, totalSent atomic.Int64
}

func newMetrics(g *Gateway) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		reads:    counters("zipreel_origin_reads_total", "Reads from storage that were answered.", "source"),
		readErrs: counters("zipreel_origin_read_errors_total", "Reads from storage that failed.", "source"),
		readSize: counters("zipreel_origin_received_bytes_total", "Bytes read from storage.", "source"),
		failures: counters("zipreel_failures_total", "Requests answered with a problem, by its code.", "code"),
		cuts:     prometheus.NewCounter(prometheus.CounterOpts{Name: "zipreel_bodies_cut_total", Help: "Bodies cut off because they could not be finished correctly."}),
	}
	m.registry.MustRegister(m.reads, m.readErrs, m.readSize, m.failures, m.cuts,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.gauge("zipreel_indexes", "Indexes kept in memory.", func() float64 { n, _ := g.archives.stats(); return float64(n) })
	m.gauge("zipreel_index_bytes", "Bytes of indexes kept in memory.", func() float64 { _, b := g.archives.stats(); return float64(b) })
	m.gauge("zipreel_cache_bytes", "Bytes of entry content kept in memory.", func() float64 { return float64(g.cache.Stats().Bytes) })
	m.gauge("zipreel_cache_inflight_bytes", "Bytes of entry content being read.", func() float64 { return float64(g.cache.Stats().Inflight) })
	m.gauge("zipreel_cache_pinned_bytes", "Bytes of entry content kept no more that slow viewers still take.", func() float64 { return float64(g.cache.Stats().Pinned) })
	m.counter("zipreel_cache_hits_total", "Readers whose first bytes were kept.", func() float64 { return float64(g.cache.Stats().Hits) })
	m.counter("zipreel_cache_misses_total", "Readers that started a read from storage.", func() float64 { return float64(g.cache.Stats().Misses) })
	m.counter("zipreel_cache_shared_total", "Readers that joined a read under way.", func() float64 { return float64(g.cache.Stats().Shared) })
	m.counter("zipreel_cache_evicted_total", "Spans that made room for others.", func() float64 { return float64(g.cache.Stats().Evicted) })
	m.gauge("zipreel_disk_bytes", "Bytes kept in the cache folder.", func() float64 { return float64(g.disk.Stats().Bytes) })
	m.gauge("zipreel_disk_failing", "1 while nothing is written there after a failure, or nothing read because it does not answer.", func() float64 { return map[bool]float64{true: 1}[g.disk.Stats().Failing] })
	m.counter("zipreel_disk_hits_total", "Files read there.", func() float64 { return float64(g.disk.Stats().Hits) })
	m.counter("zipreel_disk_writes_total", "Files written there.", func() float64 { return float64(g.disk.Stats().Writes) })
	m.counter("zipreel_disk_skipped_total", "Files not written: too many waited, or writing had failed.", func() float64 { return float64(g.disk.Stats().Skipped) })
	m.counter("zipreel_disk_damaged_total", "Files found damaged, and removed.", func() float64 { return float64(g.disk.Stats().Damaged) })
	m.counter("zipreel_disk_failures_total", "Files that could not be written, or read in time.", func() float64 { return float64(g.disk.Stats().Failures) })
	m.counter("zipreel_checksum_errors_total", "Contents read that did not fit their CRC-32.", func() float64 { return float64(g.cache.Stats().ChecksumErrors) })
	m.counter("zipreel_sent_bytes_total", "Bytes of bodies sent to viewers.", func() float64 { return float64(m.totalSent.Load()) })
	m.registry.MustRegister(g.prefetch.read, g.prefetch.used, g.prefetch.wasted)
	m.registry.MustRegister(nodeMetrics{g})
	return m
}

func counters(name, help, label string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label})
}

func (m *metrics) gauge(name, help string, f func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, f))
}

func (m *metrics) counter(name, help string, f func() float64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, f))
}

func (m *metrics) read(source string) {
	m.totalReads.Add(1)
	m.reads.WithLabelValues(source).Inc()
}

func (m *metrics) readFailed(source string) { m.readErrs.WithLabelValues(source).Inc() }

func (m *metrics) received(source string, n int) {
	m.totalReceived.Add(int64(n))
	m.readSize.WithLabelValues(source).Add(float64(n))
}

func (m *metrics) failed(code string) { m.failures.WithLabelValues(code).Inc() }
func (m *metrics) cut()               { m.cuts.Inc() }
func (m *metrics) sent(n int)         { m.totalSent.Add(int64(n)) }

// Admin is the handler for the admin listener: /metrics, /debug/pprof, /healthz, /readyz. It has no access control: the listener must be private.
func (g *Gateway) Admin() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(g.metrics.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", g.serveHealth)
	mux.HandleFunc("GET /readyz", g.serveReady)
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}

// serveHealth says that the process answers.
func (g *Gateway) serveHealth(w http.ResponseWriter, _ *http.Request) {
	plain(w, http.StatusOK, "ok\n")
}

// serveReady says whether new viewers may be sent here.
func (g *Gateway) serveReady(w http.ResponseWriter, _ *http.Request) {
	if g.draining.Load() {
		plain(w, http.StatusServiceUnavailable, "draining\n")
		return
	}
	if g.cache.Busy() {
		plain(w, http.StatusServiceUnavailable, "overloaded\n")
		return
	}
	plain(w, http.StatusOK, "ready\n")
}

func plain(w http.ResponseWriter, status int, body string) {
	w.Header()["Content-Type"] = []string{"text/plain; charset=utf-8"}
	w.Header()["Cache-Control"] = []string{"no-store"}
	w.WriteHeader(status)
	w.Write([]byte(body))
}
