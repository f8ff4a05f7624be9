package doctor

import (
	"fmt"
	"maps"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
)

// conclude says whether the node can be used, and how.
func (e *exam) conclude() {
	r := e.report
	read := r.finding("read")
	r.Usable = r.count(Fail) == 0 && read.Mark != Skip
	if r.Usable {
		r.Serve, r.Config = e.command(), e.config()
	}
	r.Summary = r.sum()
	for i := range r.Checks {
		r.Checks[i].Seen = e.tidy(r.Checks[i].Seen)
	}
}

func (r *Report) sum() string {
	spent := fmt.Sprintf("%d requests, %s, %.1f s", r.Requests, size(r.Bytes), r.Seconds)
	if r.Requests == 1 {
		spent = strings.Replace(spent, "requests", "request", 1)
	}
	if r.Usable {
		use := "It can be used"
		if r.Dialect == "query" {
			use += ", with " + settingQuery
		}
		switch warned := r.count(Warn); warned {
		case 0:
			return fmt.Sprintf("%s: %d checks are fine. %s.", use, r.count(OK), spent)
		default:
			return fmt.Sprintf("%s: %d checks are fine, %d cost something. %s.", use, r.count(OK), warned, spent)
		}
	}
	var failed []string
	for _, f := range r.Checks {
		if f.Mark == Fail {
			failed = append(failed, f.Name)
		}
	}
	if len(failed) == 0 {
		return fmt.Sprintf("It cannot be used: it answers too slowly. %s.", spent)
	}
	return fmt.Sprintf("It cannot be used as it is: %s failed. %s.", strings.Join(failed, ", "), spent)
}

// place is the URL that a source is made of, without what is secret in it.
func (e *exam) place() string {
	u, err := url.Parse(e.cfg.URL)
	if err != nil {
		return ""
	}
	u.User = nil
	return shown(u)
}

// command serves from the node: on the command line alone where that says enough.
func (e *exam) command() string {
	if e.user != nil || len(e.cfg.Header) > 0 || e.cfg.SizeURL != "" || e.cfg.TLS != nil {
		return "zipreel serve --config zipreel.yaml"
	}
	at := e.place()
	if e.way == byQuery {
		at, query, signed := strings.Cut(at, "?")
		if e.cfg.Archive != "" {
			at += "{archive}"
		}
		if signed {
			query += "&"
		}
		return "zipreel serve '" + at + "?" + query + "range={offset}%2C{size}'"
	}
	if !plainWord.MatchString(at) {
		at = "'" + strings.ReplaceAll(at, "'", `'\''`) + "'"
	}
	return "zipreel serve " + at
}

var (
	plainWord = regexp.MustCompile(`^[A-Za-z0-9._~:/%+,@=-]+$`)
	nameRule  = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]*$`)
)

// config is the source for a configuration file. Secrets are named as variables of the environment.
func (e *exam) config() string {
	var b strings.Builder
	fmt.Fprintf(&b, "sources:\n  - name: %s\n    nodes:\n      - url: %q", e.sourceName(), e.place())
	if e.base.RawQuery != "" {
		b.WriteString("   # with its query in the place of …")
	}
	b.WriteString("\n")
	if e.user != nil {
		b.WriteString("        username: ${USERNAME}\n        password: ${PASSWORD}\n")
	}
	if len(e.cfg.Header) > 0 {
		b.WriteString("        headers:\n")
	}
	for _, name := range slices.Sorted(maps.Keys(e.cfg.Header)) {
		fmt.Fprintf(&b, "          %s: ${%s}\n", name, strings.ReplaceAll(strings.ToUpper(name), "-", "_"))
	}
	if e.cfg.TLS != nil {
		b.WriteString("        ca: ca.pem\n")
	}
	if e.way == byQuery {
		fmt.Fprintf(&b, "    %s\n", settingQuery)
	}
	if e.cfg.SizeURL != "" {
		size, _, _ := strings.Cut(e.cfg.SizeURL, "?")
		fmt.Fprintf(&b, "    size_url: %q\n", e.tidy(size))
	}
	if e.report.AllowPrivate {
		b.WriteString("    allow_private: true\n")
	}
	return b.String()
}

// sourceName is a name that the source may have: that of its folder or archive.
func (e *exam) sourceName() string {
	at, _, _ := strings.Cut(e.place(), "?")
	name := strings.ToLower(strings.TrimSuffix(path.Base(at), ".zip"))
	if !nameRule.MatchString(name) {
		return "films"
	}
	return name
}
