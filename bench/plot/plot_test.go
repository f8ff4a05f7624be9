package plot_test

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"zipreel/bench/plot"
)

func TestChartsAreWellFormed(t *testing.T) {
	for _, test := range []struct {
		name string
		svg  []byte
		want []string
	}{
		{"lines", plot.Lines("a < b", "viewers", []plot.Panel{
			{"CPU, %", []plot.Line{{"", []plot.Point{{1, 2}, {10, 5}, {10_000, 37}}}}},
			{"first byte, ms", []plot.Line{{"p50", []plot.Point{{1, 0.2}, {10_000, 0.4}}}, {"p99", []plot.Point{{1, 1}, {10_000, 1.5}}}}},
		}), []string{"a &lt; b", "10k", ">40<", ">p99<", "viewers"}},
		{"one point", plot.Lines("t", "x", []plot.Panel{{"y", []plot.Line{{"", []plot.Point{{1, 0}}}}}}), []string{">1<"}},
		{"no point", plot.Lines("t", "x", []plot.Panel{{"y", nil}}), nil},
		{"bars", plot.Bars("Cached", []plot.Group{{"req/s", []plot.Bar{{"zipreel", 1_500_000, true}, {"none", 0, false}}}}), []string{"1.5M", "zipreel"}},
		{"bars of nothing", plot.Bars("Cached", []plot.Group{{"req/s", []plot.Bar{{"none", 0, false}}}}), nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			dec := xml.NewDecoder(strings.NewReader(string(test.svg)))
			for {
				_, err := dec.Token()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if strings.Contains(string(test.svg), "NaN") || strings.Contains(string(test.svg), "Inf") {
				t.Error("a place is no number")
			}
			for _, want := range test.want {
				if !strings.Contains(string(test.svg), want) {
					t.Errorf("no %q in the chart", want)
				}
			}
		})
	}
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.25: "0.25", 999: "999", 1000: "1k", 1500: "1.5k", 2_000_000: "2M", 3.2e9: "3.2G"} {
		if got := plot.Number(v); got != want {
			t.Errorf("Number(%v) = %q, want %q", v, got, want)
		}
	}
}
