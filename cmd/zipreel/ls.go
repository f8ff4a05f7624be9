package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"zipreel/gateway"
	"zipreel/zipindex"
)

type lsCmd struct {
	Target string `arg:"" help:"An archive: a file, or an http(s), s3 or ipfs URL."`
	JSON   bool   `name:"json" help:"As a JSON array, one object for each entry."`

	Storage storageFlags `embed:""`
}

// Help is shown by the parser.
func (lsCmd) Help() string {
	return `Entries are listed in the order in which they lie in the archive. The offset is that of the first byte of an
entry's data: with the size it makes a range link, range=OFFSET,SIZE. An entry that is not served says why.

Examples:

    zipreel ls film.zip
    zipreel ls --json https://storage.example/film.zip | jq -r '.[] | select(.kind == "playlist") | .name'`
}

// Run is called by the parser.
func (c *lsCmd) Run() error {
	a, err := openArchive(context.Background(), "ls", c.Target, c.Storage)
	if err != nil {
		return err
	}
	defer a.Close()
	x, err := a.index()
	if err != nil {
		return err
	}
	out := bufio.NewWriter(os.Stdout)
	write := writeTable
	if c.JSON {
		write = writeJSON
	}
	if err := write(out, a, x); err != nil {
		return err
	}
	return out.Flush()
}

// listed is one entry as ls shows it.
type listed struct {
	Name           string `json:"name"`
	DataOffset     int64  `json:"dataOffset"` // -1: its local header contradicts the directory
	Size           int64  `json:"size"`
	CompressedSize int64  `json:"compressedSize"`
	CRC32          string `json:"crc32"`
	Kind           string `json:"kind"`
	Error          string `json:"error,omitempty"` // code of why it is not served
}

func (a *archive) listed(e zipindex.Entry) (listed, error) {
	l := listed{
		Name: e.Name, Size: e.Size, CompressedSize: e.CompressedSize,
		CRC32: fmt.Sprintf("%08x", e.CRC32), Kind: gateway.EntryKind(e),
	}
	if refused := e.Refused(); refused != nil && refused.Code != zipindex.CodeDirectoryEntry {
		l.Error = string(refused.Code)
	}
	var err error
	l.DataOffset, err = a.dataOffset(e)
	var bad *zipindex.Error
	if errors.As(err, &bad) {
		l.DataOffset, l.Error, err = -1, string(bad.Code), nil
	}
	return l, err
}

// maxNameColumn is where longer names push their row to the right.
const maxNameColumn = 60

// writeTable writes a row for each entry as it comes: an archive may have millions.
func writeTable(out io.Writer, a *archive, x *zipindex.Index) error {
	name, number := len("NAME"), max(len("OFFSET"), len(strconv.FormatInt(x.Size(), 10)))
	for e := range x.All() {
		name = max(name, min(maxNameColumn, utf8.RuneCountInString(printable(e.Name))))
	}
	row := func(cells ...any) error {
		_, err := fmt.Fprintf(out, "%-*s  %*v  %*v  %-8s  %s\n", append([]any{name, cells[0], number, cells[1], number}, cells[2:]...)...)
		return err
	}
	if err := row("NAME", "OFFSET", "SIZE", "CRC-32", "KIND"); err != nil {
		return err
	}
	for e := range x.All() {
		l, err := a.listed(e)
		if err != nil {
			return err
		}
		var offset any = l.DataOffset
		if l.DataOffset < 0 {
			offset = "?"
		}
		if l.Error != "" {
			l.Kind += " (not served: " + l.Error + ")"
		}
		if err := row(printable(l.Name), offset, l.Size, l.CRC32, l.Kind); err != nil {
			return err
		}
	}
	return nil
}

// printable keeps hostile names from writing to the terminal: characters that are not printed are escaped.
func printable(text string) string {
	quoted := strconv.Quote(text)
	return unquoter.Replace(quoted[1 : len(quoted)-1])
}

var unquoter = strings.NewReplacer(`\\`, `\`, `\"`, `"`)

func writeJSON(out io.Writer, a *archive, x *zipindex.Index) error {
	separator := "["
	for e := range x.All() {
		l, err := a.listed(e)
		if err != nil {
			return err
		}
		line, err := json.Marshal(l)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(out, "%s\n  %s", separator, line); err != nil {
			return err
		}
		separator = ","
	}
	if x.Len() == 0 {
		fmt.Fprint(out, "[")
	}
	_, err := fmt.Fprintln(out, "\n]")
	return err
}
