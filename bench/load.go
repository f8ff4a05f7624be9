package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// client is for single requests; load comes from wrk and h2load.
var client = &http.Client{Timeout: 60 * time.Second, Transport: &http.Transport{
	MaxIdleConnsPerHost: 64,
	DisableCompression:  true,
	TLSClientConfig:     &tls.Config{InsecureSkipVerify: true}, // servers of this program's own, on loopback
}}

// fetch answers a whole response.
func fetch(url string) (http.Header, []byte, error) {
	res, err := client.Get(url)
	if err != nil {
		return nil, nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK && res.StatusCode != http.StatusPartialContent {
		err = fmt.Errorf("%s: %s", url, res.Status)
	}
	return res.Header, b, err
}

// run is one turn of load on one server.
type run struct {
	rate float64 // requests a second
	cpu  float64 // the server's CPU seconds for one request
}

var (
	wrkTotal    = regexp.MustCompile(`(\d+) requests in`)
	wrkRate     = regexp.MustCompile(`Requests/sec:\s+([\d.]+)`)
	wrkFailed   = regexp.MustCompile(`(?m)(Socket errors:.*|Non-2xx.*)$`)
	h2loadTotal = regexp.MustCompile(`requests: \d+ total, \d+ started, (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored`)
	h2loadRate  = regexp.MustCompile(`finished in [\d.]+m?s, ([\d.]+) req/s`)
)

// wrk loads a server for a while over 32 connections of HTTP/1.1.
func wrk(p *process, url string, d time.Duration) (run, error) {
	before := p.usage()
	out, err := exec.Command("wrk", "-t1", "-c32", "-d"+seconds(d), url).CombinedOutput()
	if err != nil {
		return run{}, fmt.Errorf("wrk %s: %w: %s", url, err, out)
	}
	if f := wrkFailed.Find(out); f != nil {
		return run{}, fmt.Errorf("wrk %s: %s", url, f)
	}
	return measured(p, before, out, wrkTotal, wrkRate)
}

// h2load loads a server with requests over HTTP/2 without TLS: 8 connections, 4 streams each.
func h2load(p *process, url string, requests int) (run, error) {
	before := p.usage()
	out, err := exec.Command("h2load", "-t1", "-c8", "-m4", "-w20", "-W24", "-n"+strconv.Itoa(requests), url).CombinedOutput()
	if err != nil {
		return run{}, fmt.Errorf("h2load %s: %w: %s", url, err, out)
	}
	if m := h2loadTotal.FindSubmatch(out); m == nil || string(m[1]) != string(m[2]) {
		return run{}, fmt.Errorf("h2load %s: not all succeeded: %s", url, out)
	}
	return measured(p, before, out, h2loadTotal, h2loadRate)
}

func measured(p *process, before usage, out []byte, total, rate *regexp.Regexp) (run, error) {
	after := p.usage()
	t, r := total.FindSubmatch(out), rate.FindSubmatch(out)
	if t == nil || r == nil {
		return run{}, fmt.Errorf("no figures in %q", out)
	}
	n, _ := strconv.ParseFloat(string(t[1]), 64)
	perSecond, _ := strconv.ParseFloat(string(r[1]), 64)
	if n == 0 {
		return run{}, fmt.Errorf("no request was answered: %s", out)
	}
	return run{rate: perSecond, cpu: (after.cpu - before.cpu).Seconds() / n}, nil
}

func seconds(d time.Duration) string {
	return strconv.Itoa(max(1, int(d.Round(time.Second)/time.Second))) + "s"
}

// quantile answers the q-th (0 ≤ q ≤ 1) of values, which are not empty; 0.5 is the median.
func quantile[T int64 | float64 | time.Duration](values []T, q float64) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[int(q*float64(len(sorted)-1)+0.5)]
}

func median[T int64 | float64 | time.Duration](values []T) T { return quantile(values, 0.5) }
