package players

import (
	"archive/zip"
	"bytes"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// packLinked packs a folder as a player with its own ZIP reader might want it: segments, init segments, keys and subtitles have names
// without an extension, playlists find them by range alone, with the comma percent-encoded, and bytes of a single file are
// links to parts of it, not byte ranges. Templates of DASH cannot carry ranges, so that what they name is packed as it is.
func packLinked(t testing.TB, dir, archive string) {
	t.Helper()
	l := &linker{t: t, places: map[string]place{}}
	l.zip = zip.NewWriter(&l.buf)
	var media, lists, masters []string
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, file)
		switch {
		case path.Base(name) == "master.m3u8":
			masters = append(masters, name)
		case path.Ext(name) == ".m3u8", path.Ext(name) == ".mpd":
			lists = append(lists, name)
		default:
			media = append(media, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(append(media, lists...), masters...) {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		l.add(name, b)
	}
	if err := l.zip.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(archive, l.buf.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// linker writes an archive and knows where its entries' data are.
type linker struct {
	t      testing.TB
	buf    bytes.Buffer
	zip    *zip.Writer
	places map[string]place
}

// place is where an entry's data lie in the archive.
type place struct{ off, n int64 }

// add stores an entry; playlists get their links first.
func (l *linker) add(name string, b []byte) {
	l.t.Helper()
	stored := name
	switch path.Ext(name) {
	case ".m3u8":
		b = l.linkHLS(name, string(b))
	case ".mpd":
		b = l.linkDASH(name, string(b))
	default:
		if !strings.HasPrefix(name, "dash/") {
			stored = strings.TrimSuffix(name, path.Ext(name))
		}
	}
	h := &zip.FileHeader{Name: stored, Method: zip.Store, CRC32: crc32.ChecksumIEEE(b), CompressedSize64: uint64(len(b)), UncompressedSize64: uint64(len(b))}
	w, err := l.zip.CreateRaw(h)
	if err == nil {
		err = l.zip.Flush()
	}
	if err != nil {
		l.t.Fatal(err)
	}
	l.places[name] = place{int64(l.buf.Len()), int64(len(b))}
	if _, err := w.Write(b); err != nil {
		l.t.Fatal(err)
	}
	if err := l.zip.Flush(); err != nil {
		l.t.Fatal(err)
	}
}

var (
	hlsPart    = regexp.MustCompile(`(?m)^#EXT-X-BYTERANGE:(\d+)@(\d+)\n([^#\n].*)$`)
	hlsMapPart = regexp.MustCompile(`URI="([^"]+)",BYTERANGE="(\d+)@(\d+)"`)
	hlsURI     = regexp.MustCompile(`URI="([^"?]+)"`)
	hlsLine    = regexp.MustCompile(`(?m)^[^#\n?]+$`)
	dashURI    = regexp.MustCompile(`(media|sourceURL)="([^"$?]+)"`)
)

// linkHLS writes byte ranges first, as parts, so that what is left names whole entries.
func (l *linker) linkHLS(name, text string) []byte {
	text = replace(hlsPart, text, func(m []string) string { return l.part(name, m[3], m[2], m[1]) })
	text = replace(hlsMapPart, text, func(m []string) string { return fmt.Sprintf("URI=%q", l.part(name, m[1], m[3], m[2])) })
	text = replace(hlsURI, text, func(m []string) string { return fmt.Sprintf("URI=%q", l.whole(name, m[1])) })
	return []byte(replace(hlsLine, text, func(m []string) string { return l.whole(name, m[0]) }))
}

func (l *linker) linkDASH(name, text string) []byte {
	return []byte(replace(dashURI, text, func(m []string) string { return fmt.Sprintf("%s=%q", m[1], l.whole(name, m[2])) }))
}

// whole is a link to an entry. Its path names nothing: the range alone decides.
func (l *linker) whole(from, uri string) string {
	p := l.place(from, uri)
	return fmt.Sprintf("by-range?range=%d%%2C%d", p.off, p.n)
}

// part is a link to n bytes of an entry.
func (l *linker) part(from, uri, off, n string) string {
	at, err := strconv.ParseInt(off, 10, 64)
	if err != nil {
		l.t.Fatal(err)
	}
	return fmt.Sprintf("by-range?range=%d,%s", l.place(from, uri).off+at, n)
}

func (l *linker) place(from, uri string) place {
	l.t.Helper()
	p, ok := l.places[path.Join(path.Dir(from), uri)]
	if !ok {
		l.t.Fatalf("%s names %s, which is not packed yet", from, uri)
	}
	return p
}

func replace(re *regexp.Regexp, text string, with func(m []string) string) string {
	return re.ReplaceAllStringFunc(text, func(s string) string { return with(re.FindStringSubmatch(s)) })
}

// TestLinkedPacking holds that the archive is what it says: no media with an extension, no byte ranges, no links by name.
func TestLinkedPacking(t *testing.T) {
	file := filepath.Join(t.TempDir(), "linked.zip")
	packLinked(t, mediaDir(t), file)
	z, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	links := 0
	for _, f := range z.File {
		ext := path.Ext(f.Name)
		if ext != ".m3u8" && ext != ".mpd" {
			if ext != "" && !strings.HasPrefix(f.Name, "dash/") {
				t.Errorf("%s has an extension", f.Name)
			}
			continue
		}
		b, err := fs.ReadFile(z, f.Name)
		if err != nil {
			t.Fatal(err)
		}
		links += bytes.Count(b, []byte("range="))
		if bytes.Contains(b, []byte("BYTERANGE")) || bytes.Contains(b, []byte("seg_0")) {
			t.Errorf("%s is not linked by ranges alone:\n%s", f.Name, b)
		}
	}
	if links < 60 {
		t.Errorf("%d range links, want at least 60", links)
	}
}
