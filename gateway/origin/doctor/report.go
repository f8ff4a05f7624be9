package doctor

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Mark is what a check came to.
type Mark string

const (
	OK   Mark = "ok"
	Note Mark = "note" // costs nothing; good to know
	Warn Mark = "warn" // works, and costs something
	Fail Mark = "fail" // zipreel cannot read from there
	Skip Mark = "skip" // not asked
)

var signs = map[Mark]string{OK: "✓", Note: "·", Warn: "!", Fail: "✗", Skip: "–"}

// Finding is what one check saw.
type Finding struct {
	Name    string   `json:"name"`
	Mark    Mark     `json:"mark"`
	Seen    string   `json:"seen"`              // one line
	Code    string   `json:"code,omitempty"`    // the error that viewers would get
	Cost    string   `json:"cost,omitempty"`    // what it means in zipreel
	Mend    []string `json:"mend,omitempty"`    // each "SERVER: what to do"
	Setting string   `json:"setting,omitempty"` // of zipreel, that gets along with it

	last    bool // when it failed, nothing more need be asked
	unasked bool // since one before it was the last
}

// Report is what an examination found. Durations are in the unit that their names say.
type Report struct {
	URL          string    `json:"url"`     // without password and query
	Usable       bool      `json:"usable"`  // zipreel can serve from there
	Dialect      string    `json:"dialect"` // range or query; empty: neither works
	AllowPrivate bool      `json:"allowPrivate"`
	Size         int64     `json:"size"` // of the archive; -1: not known
	LatencyP50   float64   `json:"latencyP50Ms"`
	LatencyP95   float64   `json:"latencyP95Ms"`
	Throughput   float64   `json:"bytesPerSecond"` // 0: not measured
	Requests     int       `json:"requests"`
	Bytes        int64     `json:"bytes"` // of all answers' bodies
	Seconds      float64   `json:"seconds"`
	Checks       []Finding `json:"checks"`
	Summary      string    `json:"summary"`
	Serve        string    `json:"serve,omitempty"`  // the command to serve from there
	Config       string    `json:"config,omitempty"` // the same for the configuration file, YAML
}

// advice is what is to be said of a fault, wherever it is seen.
type advice struct {
	code, cost, setting string
	mend                []string
}

func ok(format string, args ...any) Finding {
	return Finding{Mark: OK, Seen: fmt.Sprintf(format, args...)}
}

func note(format string, args ...any) Finding {
	return Finding{Mark: Note, Seen: fmt.Sprintf(format, args...)}
}

func skip(why string) Finding { return Finding{Mark: Skip, Seen: why} }

func (a advice) note(format string, args ...any) Finding { return a.finding(Note, format, args) }
func (a advice) warn(format string, args ...any) Finding { return a.finding(Warn, format, args) }
func (a advice) fail(format string, args ...any) Finding { return a.finding(Fail, format, args) }

// stop is a failure after which nothing more need be asked.
func (a advice) stop(format string, args ...any) Finding {
	f := a.finding(Fail, format, args)
	f.last = true
	return f
}

func (a advice) finding(m Mark, format string, args []any) Finding {
	return Finding{Mark: m, Seen: fmt.Sprintf(format, args...), Code: a.code, Cost: a.cost, Mend: a.mend, Setting: a.setting}
}

// finding answers what a check found; nil when it has not run yet.
func (r *Report) finding(name string) *Finding {
	for i := range r.Checks {
		if r.Checks[i].Name == name {
			return &r.Checks[i]
		}
	}
	return nil
}

// count is how many findings have a mark.
func (r *Report) count(m Mark) (n int) {
	for _, f := range r.Checks {
		if f.Mark == m {
			n++
		}
	}
	return n
}

const nameColumn = 12

// WriteText writes the report for people: a line for each check, more below those that need something done.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", r.URL)
	for i, f := range r.Checks {
		if f.unasked {
			fmt.Fprintf(&b, "%s %-*s %s\n", signs[f.Mark], nameColumn, fmt.Sprintf("%d more", len(r.Checks)-i), f.Seen)
			break
		}
		fmt.Fprintf(&b, "%s %-*s %s\n", signs[f.Mark], nameColumn, f.Name, f.Seen)
		if f.Code != "" {
			detail(&b, "viewers", f.Code)
		}
		detail(&b, "cost", f.Cost)
		detail(&b, "mend", f.Mend...)
		detail(&b, "setting", f.Setting)
	}
	fmt.Fprintf(&b, "\n%s\n", r.Summary)
	if r.Serve != "" {
		fmt.Fprintf(&b, "\n  %s\n", r.Serve)
	}
	if r.Config != "" {
		fmt.Fprintf(&b, "\nIn zipreel.yaml:\n\n%s", indent(r.Config))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// detail writes lines below a check, if there are any.
func detail(b *strings.Builder, label string, lines ...string) {
	for i, line := range lines {
		if line == "" {
			continue
		}
		if i > 0 {
			label = ""
		}
		fmt.Fprintf(b, "%*s%-8s %s\n", nameColumn+3, "", label, line)
	}
}

func indent(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n  ") + "\n"
}

const maxSeen = 300 // characters of a line that may hold what the node sent

// tidy keeps what a node sends from writing to the terminal, and secrets out of it.
func (e *exam) tidy(s string) string {
	s = e.secrets.Replace(s)
	if utf8.RuneCountInString(s) > maxSeen {
		s = string([]rune(s)[:maxSeen]) + "…"
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}
