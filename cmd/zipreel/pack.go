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
	Input string `arg:"" help:"A folder with HLS or DASH, or one media file, which ffmpeg makes HLS of."`

	Output    string `short:"o" required:"" placeholder:"ARCHIVE" help:"The archive to write; one that is there is replaced."`
	NoDigests bool   `help:"Leave META-INF/SHA256SUMS out, with which every entry can be proved."`
}

// Help is shown by the parser.
func (packCmd) Help() string {
	return `Entries are stored, not compressed, in playing order; links in playlists get the byte ranges of what they name. The
archive is read back and verified before it takes its place. The same folder gives the same bytes.

A media file is cut into segments by ffmpeg: H.264 and AAC are copied, anything else is encoded as such.

Examples:

    zipreel pack ./bbb -o bbb.zip
    zipreel pack holiday.mov -o holiday.zip
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
	folder, remove, err := c.folder(ctx)
	if err != nil {
		return fmt.Errorf("pack %s: %w", c.Input, explainRead(ctx, err))
	}
	defer remove()
	result, err := c.pack(ctx, folder)
	for _, w := range result.Warnings {
		warn("warning: %s", w)
	}
	if err != nil {
		return fmt.Errorf("pack %s: %w", c.Input, explainRead(ctx, err))
	}
	_, err = fmt.Printf("%s: %s, %s, %s with ranges\n", c.Output, formatBytes(result.Bytes), entries(result.Entries), plural(result.Links, "link"))
	return err
}

func (c *packCmd) pack(ctx context.Context, folder string) (pack.Result, error) {
	bar := newProgress("pack", bytesUnit)
	defer bar.end()
	return pack.Pack(ctx, pack.Options{Input: folder, Output: c.Output, NoDigests: c.NoDigests, Progress: bar.set})
}

// folder is the input, or a passing one beside the output with HLS of the input. remove takes that away.
func (c *packCmd) folder(ctx context.Context) (folder string, remove func(), err error) {
	if info, err := os.Stat(c.Input); err == nil && info.IsDir() {
		return c.Input, func() {}, nil
	}
	m, err := probeMedia(ctx, c.Input)
	if err != nil {
		return "", nil, err
	}
	folder, err = os.MkdirTemp(filepath.Dir(c.Output), ".zipreel-*.tmp")
	if err != nil {
		return "", nil, fileError("make a folder in", filepath.Dir(c.Output), err)
	}
	remove = func() { os.RemoveAll(folder) }
	bar := newProgress("ffmpeg", timeUnit)
	err = m.segment(ctx, folder, bar.set)
	bar.end()
	if err != nil {
		remove()
		return "", nil, err
	}
	return folder, remove, nil
}

// checkInput notices what cannot be meant, before any work.
func (c *packCmd) checkInput() error {
	info, err := os.Stat(c.Input)
	ext := strings.ToLower(filepath.Ext(c.Input))
	switch {
	case err != nil:
		return fileError("open", c.Input, err)
	case info.IsDir():
		return nil
	case !info.Mode().IsRegular():
		return fmt.Errorf("open %s: it is neither a file nor a folder", c.Input)
	case startsLikeZip(c.Input):
		return usagef("%s is an archive already; to watch it, run: zipreel play %s", c.Input, c.Input)
	case ext == ".m3u8" || ext == ".m3u" || ext == ".mpd":
		return usagef("%s is a playlist; give the folder that it is in: zipreel pack %s -o %s", c.Input, filepath.Dir(c.Input), c.Output)
	}
	return nil
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
