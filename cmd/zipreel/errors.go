package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

const (
	exitFailed = 1
	exitUsage  = 2
)

// usageError is a mistake in how zipreel was called, rather than in what it worked on.
type usageError struct{ msg string }

func (e *usageError) Error() string { return e.msg }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...)}
}

// errShown is wrong usage that was explained already.
var errShown = &usageError{}

// report writes an error as one line on standard error and answers the exit code.
func report(err error) int {
	if err == nil {
		return 0
	}
	if !errors.Is(err, errShown) {
		warn("%v", err)
	}
	return exitCode(err)
}

func exitCode(err error) int {
	var usage *usageError
	if errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailed
}

// warn writes one line on standard error.
func warn(format string, args ...any) {
	msg := fmt.Sprintf(format, args...)
	fmt.Fprintf(os.Stderr, "zipreel: %s\n", strings.Join(strings.FieldsFunc(msg, isLineBreak), " "))
}

func isLineBreak(r rune) bool { return r == '\n' || r == '\r' }

var (
	unexpectedArgument = regexp.MustCompile(`^unexpected argument (\S+)(, did you mean .*)?$`)
	missingArgument    = regexp.MustCompile(`^expected "(.*)"$`)
	missingFlags       = regexp.MustCompile(`^missing flags: (.*)$`)
	missingValue       = regexp.MustCompile(`^(--\S+): (missing value|expected .* but got "EOL")`)
	fromEnvironment    = regexp.MustCompile(`^--\S+: (.*) \(from envar ([A-Z_]+)=.*\)$`)
)

// explainUsage says in zipreel's words what was wrong with the arguments. What the configuration file's reader says
// of it stays as it is.
func explainUsage(err error) error {
	var parse *kong.ParseError
	var explained *usageError
	var unread *configReadError
	if !errors.As(err, &parse) || errors.As(err, &explained) || errors.As(err, &unread) {
		return err
	}
	msg, command, help := err.Error(), "", "zipreel --help"
	if parse.Context != nil && parse.Context.Selected() != nil {
		command = parse.Context.Selected().Name
		help = "zipreel " + command + " --help"
	}
	if m := unexpectedArgument.FindStringSubmatch(msg); m != nil && command == "" {
		return usagef("unknown command %q%s", m[1], commandHint(m[1], m[2]))
	} else if m != nil {
		return usagef("%s takes no further argument, but %q was given; see %s", command, m[1], help)
	}
	if m := missingArgument.FindStringSubmatch(msg); m != nil {
		msg = "missing " + strings.ToUpper(strings.NewReplacer("<", "", ">", "", " ...", "").Replace(m[1]))
	} else if m := missingFlags.FindStringSubmatch(msg); m != nil {
		msg = "missing " + m[1]
	} else if m := missingValue.FindStringSubmatch(msg); m != nil {
		msg = m[1] + ": its value is missing"
	} else if m := fromEnvironment.FindStringSubmatch(msg); m != nil {
		msg = m[2] + ": " + m[1]
	}
	return usagef("%s; see %s", strings.TrimSuffix(msg, "?"), help)
}

// commandHint tells who forgot the command, or mistyped it, how to go on.
func commandHint(arg, suggestion string) string {
	if suggestion != "" {
		return suggestion
	}
	if _, err := os.Stat(arg); err == nil || strings.Contains(arg, "://") {
		return fmt.Sprintf("; to watch it, run: zipreel play %s", arg)
	}
	return "; zipreel help lists the commands"
}

// plural is a count and its noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// fileError says what cannot be done with a file, without the name of the system call.
func fileError(doing, name string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s %s: there is no such file; check the path", doing, name)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s %s: permission denied; run as a user who may read it, or change its mode", doing, name)
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return fmt.Errorf("%s %s: %w", doing, name, err)
}

// nearest answers those of the known words that a person who wrote word may have meant, the nearest first, three at most.
func nearest(word string, known []string) []string {
	type scored struct {
		word string
		far  int
	}
	var found []scored
	for _, k := range known {
		far := distance(strings.ToLower(word), strings.ToLower(k))
		if shorter := min(len(word), len(k)); far < shorter && far <= max(2, shorter/3) {
			found = append(found, scored{k, far})
		}
	}
	slices.SortStableFunc(found, func(a, b scored) int { return a.far - b.far })
	var words []string
	for _, f := range found[:min(3, len(found))] {
		words = append(words, f.word)
	}
	return words
}

// didYouMean is the end of an error's sentence, or nothing.
func didYouMean(words []string) string {
	if len(words) == 0 {
		return ""
	}
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = fmt.Sprintf("%q", w)
	}
	return "; did you mean " + strings.Join(quoted, " or ") + "?"
}

// distance is the number of bytes to insert, delete or change between a and b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
