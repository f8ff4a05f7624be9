package gateway

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"zipreel/gateway/origin"
)

// nodeMetrics are the counters of every source's nodes, labelled by the node's place in its source and its scheme and host.
type nodeMetrics struct{ g *Gateway }

// nodeTotals are the metrics that each node has.
var nodeTotals = []nodeTotal{
	nodeMetric("reads_total", "Reads that the node was asked for.", prometheus.CounterValue, func(s origin.NodeStats) float64 { return float64(s.Reads) }),
	nodeMetric("failures_total", "Reads that failed there.", prometheus.CounterValue, func(s origin.NodeStats) float64 { return float64(s.Failures) }),
	nodeMetric("asked_bytes_total", "Bytes asked for.", prometheus.CounterValue, func(s origin.NodeStats) float64 { return float64(s.Asked) }),
	nodeMetric("received_bytes_total", "Bytes received.", prometheus.CounterValue, func(s origin.NodeStats) float64 { return float64(s.Received) }),
	nodeMetric("retries_total", "Reads asked because another one of the same bytes had failed.", prometheus.CounterValue, func(s origin.NodeStats) float64 { return float64(s.Retries) }),
	nodeMetric("hedges_total", "Reads asked because another node was slow.", prometheus.CounterValue, func(s origin.NodeStats) float64 { return float64(s.Hedges) }),
	nodeMetric("hedges_won_total", "Of these, those that answered first.", prometheus.CounterValue, func(s origin.NodeStats) float64 { return float64(s.HedgesWon) }),
	nodeMetric("resumes_total", "Reads asked for the rest of a body that broke.", prometheus.CounterValue, func(s origin.NodeStats) float64 { return float64(s.Resumes) }),
	nodeMetric("wrong_total", "Bodies that did not fit their checksum where another node's did.", prometheus.CounterValue, func(s origin.NodeStats) float64 { return float64(s.Wrong) }),
	nodeMetric("breaker", "State of the circuit breaker: 0 closed, 1 open, 2 half-open.", prometheus.GaugeValue, func(s origin.NodeStats) float64 { return float64(s.Breaker) }),
	nodeMetric("inflight", "Reads on their way.", prometheus.GaugeValue, func(s origin.NodeStats) float64 { return float64(s.Inflight) }),
	nodeMetric("first_byte_seconds", "95th percentile of the last first bytes.", prometheus.GaugeValue, func(s origin.NodeStats) float64 { return s.FirstByte.Seconds() }),
}

type nodeTotal struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(origin.NodeStats) float64
}

func nodeMetric(name, help string, kind prometheus.ValueType, value func(origin.NodeStats) float64) nodeTotal {
	return nodeTotal{prometheus.NewDesc("zipreel_node_"+name, help, []string{"source", "node", "url"}, nil), kind, value}
}

// Describe implements prometheus.Collector.
func (n nodeMetrics) Describe(descs chan<- *prometheus.Desc) {
	for _, t := range nodeTotals {
		descs <- t.desc
	}
}

// Collect implements prometheus.Collector.
func (n nodeMetrics) Collect(metrics chan<- prometheus.Metric) {
	for _, src := range n.g.sources {
		if src.nodes == nil {
			continue
		}
		for i, stats := range src.nodes.Stats() {
			for _, t := range nodeTotals {
				metrics <- prometheus.MustNewConstMetric(t.desc, t.kind, t.value(stats), src.Name, strconv.Itoa(i+1), stats.Name)
			}
		}
	}
}
