// Package pack writes archives as players and gateways want them, and verifies archives of any origin.
//
// Layout: the segments of each rendition in playing order, one rendition after the other; what players need else; the digests; the media
// playlists; DASH manifests and multivariant playlists; the directory. So one read before the directory brings every
// playlist along. Links carry the range of what they name. The same input gives the same bytes.
package pack

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Options say what to pack and where to.
type Options struct {
	Input     string // folder with HLS or DASH
	Output    string // archive; replaced when it is there
	NoDigests bool   // leave META-INF/SHA256SUMS out

	// Progress is called now and then with the bytes done and the bytes in all; nil for none.
	Progress func(done, total int64)
}

// Result is what was packed.
type Result struct {
	Entries  int      `json:"entries"`
	Bytes    int64    `json:"bytes"`    // of the archive
	Links    int      `json:"links"`    // that carry a range now
	Warnings []string `json:"warnings"` // links whose targets are not there, with file and line; no playlist
	Skipped  []string `json:"skipped"`  // hidden files
}

// DigestsName is the entry that holds the SHA-256 of every other one, in the format of sha256sum(1).
const DigestsName = "META-INF/SHA256SUMS"

// Pack writes the archive beside its place, reads it back, and puts it there when every byte and link is right. On an error nothing is left behind.
func Pack(ctx context.Context, o Options) (Result, error) {
	root, err := os.OpenRoot(o.Input)
	if err != nil {
		return Result{}, fmt.Errorf("open folder: %w", err)
	}
	defer root.Close()
	p := &packer{ctx: ctx, root: root, o: o, byName: map[string]*entry{}, buf: make([]byte, chunk)}
	if err := p.scan(); err != nil {
		return p.result, err
	}
	p.arrange()
	if len(p.playlists()) == 0 {
		p.result.Warnings = append(p.result.Warnings, "no playlist in it (.m3u8 or .mpd): players find nothing to play")
	}
	if err := p.measure(); err != nil {
		return p.result, err
	}
	if err := p.link(); err != nil {
		return p.result, err
	}
	return p.result, p.save()
}

// packer is one packing under way.
type packer struct {
	ctx    context.Context // of the whole packing
	root   *os.Root
	o      Options
	files  []*entry // in the archive's order, once arranged
	byName map[string]*entry
	result Result
	buf    []byte // for copying

	done, total int64
}

// entry is one file on its way into the archive.
type entry struct {
	name   string
	size   int64
	crc    uint32
	sum    [sha256.Size]byte
	header int64 // offset of the local header
	placed bool  // header is known
	text   []byte
	isText bool // a playlist, or the digests: written from text, not from the file
	class  class
}

// scan finds the files. Links are followed within the folder only.
func (p *packer) scan() error {
	out, _ := os.Stat(p.o.Output)
	err := fs.WalkDir(p.root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil {
			err = p.ctx.Err()
		}
		if err != nil || name == "." {
			return err
		}
		if base := filepath.Base(name); strings.HasPrefix(base, ".") || base == "Thumbs.db" {
			p.result.Skipped = append(p.result.Skipped, name)
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() || name == DigestsName {
			return nil // digests of an earlier packing
		}
		info, err := p.root.Stat(filepath.FromSlash(name))
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", name, err)
		case info.IsDir():
			return fmt.Errorf("%s: a link to a folder; put the folder itself there", name)
		case !info.Mode().IsRegular():
			return fmt.Errorf("%s: neither a file nor a folder; take it away", name)
		case out != nil && os.SameFile(out, info):
			return nil
		}
		e := &entry{name: name, size: info.Size()}
		p.files = append(p.files, e)
		p.byName[name] = e
		return nil
	})
	if err == nil && len(p.files) == 0 {
		err = fmt.Errorf("%s: no file in it", p.o.Input)
	}
	return err
}

// measure reads every file once, for its CRC and digest. Playlists are kept.
func (p *packer) measure() error {
	for _, e := range p.files {
		p.total += 3 * e.size // read, written, read back
	}
	for _, e := range p.files {
		if e.class == digest {
			continue
		}
		sum := sha256.New()
		crc := crc32.NewIEEE()
		ws := []io.Writer{sum, crc}
		var text bytes.Buffer
		if e.isText {
			ws = append(ws, &text)
		}
		if err := p.read(e, io.MultiWriter(ws...)); err != nil {
			return err
		}
		e.crc, e.text = crc.Sum32(), text.Bytes()
		sum.Sum(e.sum[:0])
	}
	return nil
}

// read copies a file of the input, which must have the size it had.
func (p *packer) read(e *entry, w io.Writer) error {
	f, err := p.root.Open(filepath.FromSlash(e.name))
	if err != nil {
		return fmt.Errorf("%s: %w", e.name, err)
	}
	defer f.Close()
	n, err := io.CopyBuffer(w, &counted{io.LimitReader(f, e.size+1), p}, p.buf)
	if err == nil && n != e.size {
		err = errors.New("its size changed while it was packed")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", e.name, err)
	}
	return nil
}

// counted tells progress, and ends when the packing is called off.
type counted struct {
	r io.Reader
	p *packer
}

func (c *counted) Read(b []byte) (int, error) {
	if err := c.p.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.r.Read(b)
	c.p.progress(int64(n))
	return n, err
}

func (p *packer) progress(n int64) {
	p.done += n
	if p.o.Progress != nil {
		p.o.Progress(min(p.done, p.total), p.total)
	}
}

// setText gives an entry the bytes it is written from.
func (e *entry) setText(text []byte) {
	e.text, e.size, e.crc, e.sum = text, int64(len(text)), crc32.ChecksumIEEE(text), sha256.Sum256(text)
}

// save writes the archive to a file beside its place, verifies it and renames it.
func (p *packer) save() (err error) {
	f, err := os.CreateTemp(filepath.Dir(p.o.Output), ".zipreel-*.tmp")
	if err != nil {
		return fmt.Errorf("write archive: %w", err)
	}
	defer func() {
		f.Close()
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	if p.result.Bytes, err = p.write(f); err != nil {
		return err
	}
	p.result.Entries = len(p.files)
	before := p.done
	report, err := Verify(p.ctx, f, p.result.Bytes, VerifyOptions{Progress: func(done, _ int64) {
		p.progress(before + done - p.done)
	}})
	if err != nil {
		return fmt.Errorf("read archive back: %w", err)
	}
	if bad := report.firstError(codeMissing); bad != nil {
		return fmt.Errorf("read archive back: %s", bad)
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write archive: %w", err)
	}
	return os.Rename(f.Name(), p.o.Output)
}

// digests answers a hash of every entry's bytes as they are stored.
func (p *packer) digests() []byte {
	var b bytes.Buffer
	for _, e := range p.files {
		if e.name != DigestsName {
			fmt.Fprintf(&b, "%x  %s\n", e.sum, e.name)
		}
	}
	return b.Bytes()
}
