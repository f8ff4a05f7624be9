package main

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// table is text in Markdown. The first column is left, the others right.
type table struct {
	head []string
	rows [][]string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// String is the table, followed by an empty line.
func (t *table) String() string {
	width := make([]int, len(t.head))
	for _, row := range append([][]string{t.head}, t.rows...) {
		for i, cell := range row {
			width[i] = max(width[i], utf8.RuneCountInString(cell), 3)
		}
	}
	var b strings.Builder
	line := func(row []string) {
		for i, cell := range row {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				b.WriteString("| " + cell + pad + " |")
			} else {
				b.WriteString(" " + pad + cell + " |")
			}
		}
		b.WriteString("\n")
	}
	line(t.head)
	for i, w := range width {
		if i == 0 {
			b.WriteString("|" + strings.Repeat("-", w+2) + "|")
		} else {
			b.WriteString(strings.Repeat("-", w+1) + ":|")
		}
	}
	b.WriteString("\n")
	for _, row := range t.rows {
		line(row)
	}
	return b.String() + "\n"
}

// count writes a number with three significant digits or whole, in groups of thousands.
func count(v float64) string {
	if v < 100 {
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	s := strconv.FormatInt(int64(math.Round(v)), 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

type bound bool

const (
	atLeast bound = true
	atMost  bound = false
)

// goal is a line that says whether a goal is met.
func goal(what string, got float64, b bound, want float64) string {
	sign, met := "≤", got <= want
	if b == atLeast {
		sign, met = "≥", got >= want
	}
	verdict := "met"
	if !met {
		verdict = "**missed**"
	}
	return fmt.Sprintf("- %s: %s (goal %s %s: %s)\n", what, short(got), sign, short(want), verdict)
}

func short(v float64) string {
	if math.Abs(v) >= 100 {
		return count(v)
	}
	return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64)
}

const (
	intro = `# Benchmarks

Written by ` + "`make bench`" + `; do not edit. Only ratios within one table count: its servers take turns, three times round, the server on one core
and the load on another, and each figure is the median of three. Differences below 20 % are noise.
`
	beginMark = "<!-- table %s -->\n"
	endMark   = "<!-- end %s -->\n"
)

// write puts a table's section into the results file; the others stay as they are, in the order of names.
func write(file string, names []string, name, section string) error {
	old, err := os.ReadFile(file)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	text := intro
	for _, n := range names {
		begin, end := fmt.Sprintf(beginMark, n), fmt.Sprintf(endMark, n)
		if n == name {
			text += "\n" + begin + section + end
			continue
		}
		kept := regexp.MustCompile("(?s)" + regexp.QuoteMeta(begin) + ".*?" + regexp.QuoteMeta(end))
		if found := kept.Find(old); found != nil {
			text += "\n" + string(found)
		}
	}
	return os.WriteFile(file, []byte(text), 0o644)
}
