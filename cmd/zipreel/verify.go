package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"zipreel/pack"
)

type verifyCmd struct {
	Target string `arg:"" help:"An archive: a file, or an http(s), s3 or ipfs URL."`
	JSON   bool   `name:"json" help:"As one JSON object."`

	Storage storageFlags `embed:""`
}

// Help is shown by the parser.
func (verifyCmd) Help() string {
	return `Reads all of the archive: its directory, every local header, every checksum, the digests in META-INF/SHA256SUMS, and
every link of every playlist. Exits with 0 when a gateway will play all of it, with 1 when there is an error. Warnings
do not count. docs/errors.md explains the codes.

Examples:

    zipreel verify film.zip
    zipreel verify --json https://storage.example/film.zip | jq .findings`
}

// Run is called by the parser.
func (c *verifyCmd) Run() error {
	ctx, stop := interruptible()
	defer stop()
	a, err := openArchive(ctx, "verify", c.Target, c.Storage)
	if err != nil {
		return err
	}
	defer a.Close()
	bar := newProgress("verify", bytesUnit)
	report, err := pack.Verify(ctx, a, a.size, pack.VerifyOptions{Progress: bar.set})
	bar.end()
	if err != nil {
		return fmt.Errorf("verify %s: %w", a.title, explainRead(ctx, err))
	}
	write := writeReport
	if c.JSON {
		write = writeReportJSON
	}
	if err := write(os.Stdout, a.title, report); err != nil {
		return err
	}
	if !report.OK() {
		return fmt.Errorf("%s: %s", a.title, verdict(report))
	}
	return nil
}

// interruptible is a context that ends on Ctrl-C or SIGTERM. After that a second one ends the program.
func interruptible() (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// explainRead is explainNode for work that may have been called off.
func explainRead(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	return explainNode(err)
}

// verdict says how many errors there are, and what to do.
func verdict(r pack.Report) string {
	if r.Refused {
		return "the archive cannot be read; copy it again, or pack it again with zip -0 -r or zipreel pack"
	}
	n := 0
	for _, f := range r.Findings {
		if f.Severity == pack.Error {
			n++
		}
	}
	return plural(n, "error") + " in it; restore the archive, or pack it again"
}

// writeReport writes a line for each finding and a summary.
func writeReport(w io.Writer, title string, r pack.Report) error {
	for _, f := range r.Findings {
		if _, err := fmt.Fprintf(w, "%s: %s\n", f.Severity, printable(f.String())); err != nil {
			return err
		}
	}
	state := "not ok"
	if r.OK() {
		state = "ok"
	}
	_, err := fmt.Fprintf(w, "%s: %s: %s, %s, %s, %s, %s\n", title, state, formatBytes(r.Bytes),
		entries(r.Entries), plural(r.Playlists, "playlist"), plural(r.Links, "link"), plural(r.Digests, "digest"))
	if err == nil && r.Pin != "" {
		_, err = fmt.Fprintf(w, "pin: %s\n", r.Pin)
	}
	return err
}

func entries(n int) string {
	if n == 1 {
		return "1 entry"
	}
	return fmt.Sprintf("%d entries", n)
}

func writeReportJSON(w io.Writer, title string, r pack.Report) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(struct {
		Archive string `json:"archive"`
		OK      bool   `json:"ok"`
		pack.Report
	}{title, r.OK(), r})
}
