package main

import (
	"cmp"
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/klauspost/compress/flate"

	"zipreel/zipindex"
)

type catCmd struct {
	Target string `arg:"" help:"An archive: a file, or an http(s), s3 or ipfs URL."`
	Entry  string `arg:"" help:"The entry's name, as zipreel ls shows it."`

	Storage storageFlags `embed:""`
}

// Help is shown by the parser.
func (catCmd) Help() string {
	return `The entry's checksum is compared before its last bytes are written: where it is wrong the output stays short, and
the exit code is 1.

Examples:

    zipreel cat film.zip master.m3u8
    zipreel cat https://storage.example/film.zip 720p/seg_00001.ts > seg.ts`
}

// Run is called by the parser.
func (c *catCmd) Run() error {
	a, err := openArchive(context.Background(), "cat", c.Target, c.Storage)
	if err != nil {
		return c.swapped(err)
	}
	defer a.Close()
	x, err := a.index()
	if err != nil {
		return err
	}
	e, ok := x.Lookup(strings.TrimPrefix(c.Entry, "./"))
	if !ok {
		return fmt.Errorf("%s has no entry %q%s", a.title, c.Entry, orList(a.title, similarEntries(x, c.Entry)))
	}
	if refused := e.Refused(); refused != nil {
		return fmt.Errorf("%s: entry %q cannot be read: %w", a.title, e.Name, refused)
	}
	return a.copyEntry(os.Stdout, e)
}

// swapped notices arguments in the wrong order.
func (c *catCmd) swapped(err error) error {
	if _, missing := os.Stat(c.Target); missing != nil {
		if info, _ := os.Stat(c.Entry); info != nil && info.Mode().IsRegular() {
			return usagef("the archive comes first: zipreel cat %s %s", c.Entry, c.Target)
		}
	}
	return err
}

func orList(title string, names []string) string {
	if len(names) == 0 {
		return "; zipreel ls " + title + " lists what it has"
	}
	return didYouMean(names)
}

const (
	maxSimilar      = 3
	maxCompared     = 5000 // entries looked at for similar names
	maxComparedName = 256  // bytes; longer names are passed over
)

// similarEntries answers the names that somebody who wrote name may have meant: with the same last element, or nearly
// the same, or with name as a part.
func similarEntries(x *zipindex.Index, name string) []string {
	type scored struct {
		name string
		far  int
	}
	var found []scored
	for i := range min(x.Len(), maxCompared) {
		e := x.Entry(i)
		if e.Refused() != nil || max(len(e.Name), len(name)) > maxComparedName {
			continue
		}
		far := distance(strings.ToLower(name), strings.ToLower(e.Name))
		if strings.EqualFold(path.Base(e.Name), path.Base(name)) {
			far = 0
		}
		if far <= max(1, len(name)/4) || strings.Contains(strings.ToLower(e.Name), strings.ToLower(name)) {
			found = append(found, scored{e.Name, far})
		}
	}
	slices.SortStableFunc(found, func(a, b scored) int { return cmp.Compare(a.far, b.far) })
	var names []string
	for _, f := range found[:min(len(found), maxSimilar)] {
		names = append(names, f.name)
	}
	return names
}

// heldBack is how much of an entry's end is written only when all of it is proved.
const heldBack = 1 << 20

// copyEntry writes the entry's content, the last of it only when its checksum agrees.
func (a *archive) copyEntry(w io.Writer, e zipindex.Entry) error {
	off, err := a.checkLocal(e)
	if err != nil {
		return fmt.Errorf("%s: entry %q: %w", a.title, e.Name, err)
	}
	if off+e.CompressedSize > e.End {
		return fmt.Errorf("%s: entry %q: its %d bytes of data from byte %d on reach into the next entry", a.title, e.Name, e.CompressedSize, off)
	}
	var content io.Reader = io.NewSectionReader(a, off, e.CompressedSize)
	if e.Method != 0 {
		content = io.LimitReader(flate.NewReader(content), e.Size+1)
	}
	sum := crc32.NewIEEE()
	held := &holder{w: w}
	n, err := io.Copy(io.MultiWriter(sum, held), content)
	switch {
	case held.failed != nil:
		return fmt.Errorf("write entry %q: %w", e.Name, held.failed)
	case err != nil:
		return fmt.Errorf("%s: read entry %q at byte %d of it: %w", a.title, e.Name, n, explainNode(err))
	case n != e.Size:
		return fmt.Errorf("%s: entry %q has %d bytes, the directory says %d; the archive is damaged: restore it, or pack it again", a.title, e.Name, n, e.Size)
	case sum.Sum32() != e.CRC32:
		return fmt.Errorf("%s: entry %q: checksum is %08x, the directory says %08x; the archive is damaged: restore it, or pack it again", a.title, e.Name, sum.Sum32(), e.CRC32)
	}
	return held.flush()
}

// holder writes everything but the last heldBack bytes, until it is flushed.
type holder struct {
	w      io.Writer
	buf    []byte
	failed error // of a write
}

func (h *holder) Write(p []byte) (int, error) {
	h.buf = append(h.buf, p...)
	if len(h.buf) < 2*heldBack {
		return len(p), nil
	}
	proved := len(h.buf) - heldBack
	if _, h.failed = h.w.Write(h.buf[:proved]); h.failed != nil {
		return 0, h.failed
	}
	h.buf = append(h.buf[:0], h.buf[proved:]...)
	return len(p), nil
}

func (h *holder) flush() error {
	_, err := h.w.Write(h.buf)
	return err
}
