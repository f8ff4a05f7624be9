package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"zipreel/pack"
	"zipreel/zipindex"
)

type packCmd struct {
	Input string `arg:"" help:"A folder with HLS or DASH."`

	Output    string `short:"o" required:"" placeholder:"ARCHIVE" help:"The archive to write; one that is there is replaced."`
	NoDigests bool   `help:"Leave META-INF/SHA256SUMS out, with which every entry can be proved."`
}

// Help is shown by the parser.
func (packCmd) Help() string {
	return `Entries are stored, not compressed, in playing order; links in playlists get the byte ranges of what they name. The
archive is read back and verified before it takes its place. The same input gives the same bytes.

Examples:

    zipreel pack ./bbb -o bbb.zip
    zipreel play bbb.zip`
}

// Run is called by the parser.
func (c *packCmd) Run() error {
	if err := c.checkInput(); err != nil {
		return err
	}
	if err := c.checkOutput(); err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	result, err := c.pack(ctx)
	for _, w := range result.Warnings {
		warn("warning: %s", w)
	}
	if err != nil {
		return fmt.Errorf("pack %s: %w", c.Input, explainRead(ctx, err))
	}
	_, err = fmt.Printf("%s: %s, %s, %s with ranges\n", c.Output, formatBytes(result.Bytes), entries(result.Entries), plural(result.Links, "link"))
	return err
}

func (c *packCmd) pack(ctx context.Context) (pack.Result, error) {
	bar := newProgress("pack")
	defer bar.end()
	return pack.Pack(ctx, pack.Options{Input: c.Input, Output: c.Output, NoDigests: c.NoDigests, Progress: bar.set})
}

func (c *packCmd) checkInput() error {
	info, err := os.Stat(c.Input)
	switch {
	case err != nil:
		return fileError("open", c.Input, err)
	case info.IsDir():
		return nil
	case startsLikeZip(c.Input):
		return usagef("%s is an archive already; to watch it, run: zipreel play %s", c.Input, c.Input)
	}
	return usagef("%s is not a folder; pack takes a folder with HLS or DASH", c.Input)
}

// checkOutput keeps a slip from replacing what is no archive.
func (c *packCmd) checkOutput() error {
	info, err := os.Stat(c.Output)
	if err == nil && info.IsDir() {
		return usagef("%s is a folder; name the archive to write, as in -o %s", c.Output, filepath.Join(c.Output, filepath.Base(c.Input)+".zip"))
	}
	if err == nil && !startsLikeZip(c.Output) {
		return usagef("%s is there and is no ZIP archive; it is not replaced: remove it, or name another with -o", c.Output)
	}
	if _, err := os.Stat(filepath.Dir(c.Output)); err != nil {
		return fileError("write to folder", filepath.Dir(c.Output), err)
	}
	if !strings.EqualFold(filepath.Ext(c.Output), ".zip") {
		warn("warning: %s does not end in .zip: folders will not list it, and its entries need /-/ in their URLs", c.Output)
	}
	return nil
}

// startsLikeZip says whether the file starts with a local header, or is an archive without entries.
func startsLikeZip(name string) bool {
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, 4)
	_, err = io.ReadFull(f, head)
	return err == nil && (zipindex.StartsLikeZip(head) || string(head) == "PK\x05\x06")
}
