package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"zipreel/gateway"
	"zipreel/gateway/origin"
)

// row is one fault, and what must come of it.
type row struct {
	id    string // of the table of forty faults, and a letter where one is made in several ways
	fault string
	must  string

	hold    func() *title // default: the one that most rows play
	nodes   int           // default 1
	tls     tlsConfig     // of the nodes; nil: plain HTTP
	origin  func(s *stage, node int, cfg *origin.HTTPConfig)
	gateway func(*gateway.Config)
	before  func(*stage) // before the gateway starts, with the nodes there
	warm    []string     // paths that are asked for before the fault, while the nodes are well
	arm     func(*stage) // makes the fault

	want    string              // what every viewer gets; alternatives are separated by |
	wants   map[viewer]string   // what one of them gets instead
	viewers []viewer            // default: all three
	play    func(*stage) played // instead of a viewer

	adds  time.Duration // most added latency; default 2 s
	reads int           // most extra reads of nodes; default 8
	bytes int64         // most extra bytes of nodes; default 2 MiB
	torn  bool          // what is cut off may have wrong bytes
	after func(s *stage, v viewer, got played)

	pending string // why the row does not pass yet
}

// result is what one viewer's turn at one row told.
type result struct {
	Played   played
	Added    time.Duration
	Reads    int   // more than healthy
	Bytes    int64 // likewise
	Failures []string
}

const (
	caseName = "ZIPREEL_FAULT"     // ROW/VIEWER: this process plays it and prints its result
	caseLog  = "ZIPREEL_FAULT_LOG" // not empty: with the gateway's log on standard error
)

// runCase plays one row with one viewer. It is all that its process does.
func runCase(name string) {
	id, v, _ := strings.Cut(name, "/")
	for _, r := range rows() {
		if r.id == id {
			res := r.run(viewer(v))
			must(json.NewEncoder(os.Stdout).Encode(res))
			return
		}
	}
	panic("no such row: " + id)
}

// run plays healthy nodes, then faulty ones.
func (r row) run(v viewer) result {
	if r.play != nil {
		return r.runOwn()
	}
	healthy := row{nodes: r.nodes, gateway: r.gateway, warm: r.warm, hold: r.hold}
	s := build(healthy)
	base, reads, bytes := s.perform(healthy, v)
	s.close()
	if base.Outcome != "plays" || len(base.Wrong) > 0 {
		return result{Failures: []string{fmt.Sprintf("without the fault: %s %v", base.Outcome, base.Wrong)}}
	}
	before := holds()
	s = build(r)
	got, faultyReads, faultyBytes := s.perform(r, v)
	res := result{Played: got, Added: max(0, got.Took-base.Took), Reads: faultyReads - reads, Bytes: faultyBytes - bytes}
	r.judge(s, v, res)
	if r.after != nil {
		r.after(s, v, got)
	}
	s.close()
	res.Failures = append(append(s.failures, got.Wrong...), leaked(before)...)
	return res
}

// runOwn is for rows with viewers of their own. They say themselves what is wrong.
func (r row) runOwn() result {
	warmUp := build(row{})
	warmUp.perform(row{}, curl)
	warmUp.close()
	before := holds()
	s := build(r)
	if r.before != nil {
		r.before(s)
	}
	s.run(r)
	got := r.play(s)
	s.close()
	return result{Played: got, Failures: append(append(s.failures, got.Wrong...), leaked(before)...)}
}

// perform starts the gateway and plays. It answers what the nodes were asked for by this viewer.
func (s *stage) perform(r row, v viewer) (got played, reads int, bytes int64) {
	if r.before != nil {
		r.before(s)
	}
	s.run(r)
	s.warm(r.warm...)
	if r.arm != nil {
		r.arm(s)
	}
	readsBefore, bytesBefore := s.traffic()
	p := s.player()
	p.torn = r.torn
	got = v.play(p)
	reads, bytes = s.traffic()
	return got, reads - readsBefore, bytes - bytesBefore
}

// judge holds a result against the row.
func (r row) judge(s *stage, v viewer, res result) {
	want := r.want
	if w, ok := r.wants[v]; ok {
		want = w
	}
	ok := false
	for alternative := range strings.SplitSeq(want, "|") {
		ok = ok || res.Played.Outcome == alternative
	}
	if !ok {
		s.errorf("outcome %q, want %q", res.Played.Outcome, want)
	}
	if most := orDefault(r.adds, 2*time.Second); res.Added > most {
		s.errorf("added latency %v, at most %v wanted", res.Added.Round(time.Millisecond), most)
	}
	if most := orDefault(r.reads, 8); res.Reads > most {
		s.errorf("%d extra reads, at most %d wanted", res.Reads, most)
	}
	if most := orDefault(r.bytes, 2<<20); res.Bytes > most {
		s.errorf("%d extra bytes, at most %d wanted", res.Bytes, most)
	}
}

func orDefault[T comparable](v, d T) T {
	var zero T
	if v == zero {
		return d
	}
	return v
}

const caseWithin = 150 * time.Second

// inProcess plays a row with a viewer in a process of its own.
func (r row) inProcess(v viewer) result {
	ctx, cancel := context.WithTimeout(context.Background(), caseWithin)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), caseName+"="+r.id+"/"+string(v))
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		said := errs.String()
		return result{Failures: []string{fmt.Sprintf("%v, hung or crashed: %.4000s", err, said)}}
	}
	var res result
	if err := json.Unmarshal([]byte(out.String()), &res); err != nil {
		return result{Failures: []string{fmt.Sprintf("%v: %s", err, out.String())}}
	}
	return res
}
