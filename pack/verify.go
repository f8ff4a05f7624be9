package pack

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"strings"

	"github.com/klauspost/compress/flate"

	"zipreel/playlist"
	"zipreel/zipindex"
)

// VerifyOptions say how to verify. The zero value is fine.
type VerifyOptions struct {
	Progress func(done, total int64) // now and then; nil for none
}

// Severities of a Finding.
const (
	Error   = "error"   // something of the archive cannot be played as its author meant it
	Warning = "warning" // it plays, but could be better
)

// Finding is something wrong.
type Finding struct {
	Severity string `json:"severity"`
	Code     string `json:"code"` // of docs/errors.md, or deflated, digest, missing-target
	Entry    string `json:"entry,omitempty"`
	Line     int    `json:"line,omitempty"` // of a playlist
	Offset   int64  `json:"offset"`         // of the archive
	Detail   string `json:"detail"`
}

// codeMissing is of a link to nothing.
const codeMissing = "missing-target"

// String is the finding on one line.
func (f Finding) String() string {
	where := ""
	if f.Entry != "" {
		where = f.Entry + ": "
	}
	if f.Line > 0 {
		where = fmt.Sprintf("%s:%d: ", f.Entry, f.Line)
	}
	return fmt.Sprintf("%s%s (%s, at byte %d)", where, f.Detail, f.Code, f.Offset)
}

// Report is what Verify found.
type Report struct {
	Refused   bool      `json:"refused"` // the archive as a whole
	Entries   int       `json:"entries"`
	Playlists int       `json:"playlists"`
	Links     int       `json:"links"`   // in playlists, to entries of the archive
	Digests   int       `json:"digests"` // entries whose SHA-256 was compared
	Bytes     int64     `json:"bytes"`
	Pin       string    `json:"pin,omitempty"` // SHA-256 of META-INF/SHA256SUMS
	Findings  []Finding `json:"findings"`
}

// OK says whether there is no finding worse than a warning.
func (r Report) OK() bool { return r.firstError() == nil }

func (r Report) firstError(but ...string) *Finding {
	for i := range r.Findings {
		if r.Findings[i].Severity == Error && !slices.Contains(but, r.Findings[i].Code) {
			return &r.Findings[i]
		}
	}
	return nil
}

const maxFindings = 10_000

func (r *Report) add(f Finding) {
	if len(r.Findings) < maxFindings {
		r.Findings = append(r.Findings, f)
	}
}

// Verify reads all of an archive of size bytes: what the directory says, local headers, CRCs, digests, and every link of every playlist. What is
// wrong with the archive is in the Report; the error is of reading it.
func Verify(ctx context.Context, r io.ReaderAt, size int64, o VerifyOptions) (Report, error) {
	v := &verifier{ctx: ctx, r: r, o: o, offsets: map[string]int64{}, texts: map[string][]byte{}, buf: make([]byte, chunk)}
	v.report.Bytes, v.report.Findings = size, []Finding{}
	x, err := zipindex.Read(r, size, zipindex.Limits{})
	var refused *zipindex.Error
	if errors.As(err, &refused) {
		v.report.Refused = true
		v.report.add(Finding{Severity: Error, Code: string(refused.Code), Offset: refused.Offset, Detail: refused.Detail})
		return v.report, nil
	}
	if err != nil {
		return v.report, err
	}
	v.x = x
	if err := v.readDigests(); err != nil {
		return v.report, err
	}
	for e := range x.All() {
		if err := v.entry(e); err != nil {
			return v.report, err
		}
	}
	for e := range x.All() {
		if text, ok := v.texts[e.Name]; ok {
			v.links(e, text)
		}
	}
	if v.report.Playlists == 0 {
		v.report.add(Finding{Severity: Warning, Code: "not-found-playlist", Detail: "no playlist in it (.m3u8 or .mpd): players find nothing to play"})
	}
	return v.report, nil
}

const chunk = 1 << 20

// verifier is one Verify under way.
type verifier struct {
	ctx     context.Context // of the whole
	r       io.ReaderAt
	o       VerifyOptions
	x       *zipindex.Index
	report  Report
	digests map[string]string
	offsets map[string]int64 // of each entry's data
	texts   map[string][]byte
	buf     []byte // for copying
	done    int64
}

// readDigests reads META-INF/SHA256SUMS where there is one.
func (v *verifier) readDigests() error {
	e, ok := v.x.Lookup(DigestsName)
	if !ok || e.Refused() != nil || e.Method != 0 || e.Size > 1<<30 {
		return nil
	}
	text := make([]byte, e.End-e.HeaderOffset)
	if _, err := v.r.ReadAt(text, e.HeaderOffset); err != nil && err != io.EOF {
		return err
	}
	off, err := e.CheckLocal(text)
	if err != nil {
		return nil // told when its turn comes
	}
	text = text[off-e.HeaderOffset:][:e.Size]
	sum := sha256.Sum256(text)
	v.report.Pin = hex.EncodeToString(sum[:])
	v.digests = map[string]string{}
	for line := range strings.Lines(string(text)) {
		if sum, name, ok := strings.Cut(strings.TrimRight(line, "\n"), "  "); ok {
			v.digests[name] = sum
		}
	}
	return nil
}

// entry reads one entry whole.
func (v *verifier) entry(e zipindex.Entry) error {
	found := func(code, detail string) {
		v.report.add(Finding{Severity: Error, Code: code, Entry: e.Name, Offset: e.HeaderOffset, Detail: detail})
	}
	if refused := e.Refused(); refused != nil {
		if refused.Code != zipindex.CodeDirectoryEntry {
			found(string(refused.Code), refused.Detail)
		}
		return nil
	}
	if e.Method != 0 && max(e.Size, e.CompressedSize) > zipindex.MaxInflated {
		found(string(zipindex.CodeMethod), fmt.Sprintf("the entry is deflated and larger than %d MiB, and no gateway serves it; store it", zipindex.MaxInflated>>20))
		return nil
	}
	v.report.Entries++
	off, err := v.dataOffset(e)
	var ze *zipindex.Error
	if errors.As(err, &ze) {
		found(string(ze.Code), ze.Detail)
		return nil
	}
	if err != nil {
		return err
	}
	v.offsets[e.Name] = off
	var content io.Reader = &progress{io.NewSectionReader(v.r, off, e.CompressedSize), v}
	if e.Method != 0 {
		v.report.add(Finding{Severity: Warning, Code: "deflated", Entry: e.Name, Offset: e.HeaderOffset,
			Detail: "the entry is deflated, so that ranges of it cannot be read from storage; store it"})
		content = io.LimitReader(flate.NewReader(content), e.Size+1)
	}
	sum, crc := sha256.New(), crc32.NewIEEE()
	ws := []io.Writer{sum, crc}
	kind := playlist.Detect(e.Name, nil)
	var text strings.Builder
	if kind != playlist.None && e.Size <= playlist.MaxBytes {
		ws = append(ws, &text)
	}
	n, err := io.CopyBuffer(io.MultiWriter(ws...), content, v.buf)
	var corrupt flate.CorruptInputError
	if errors.As(err, &corrupt) || e.Method != 0 && errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil // the CRC tells
	}
	if err != nil {
		return fmt.Errorf("read %q: %w", e.Name, err)
	}
	if n != e.Size || crc.Sum32() != e.CRC32 {
		found("checksum", fmt.Sprintf("the content has CRC-32 %08x, the directory says %08x", crc.Sum32(), e.CRC32))
		return nil
	}
	if want, ok := v.digests[e.Name]; ok {
		v.report.Digests++
		if got := hex.EncodeToString(sum.Sum(nil)); got != want {
			found("digest", "the content's SHA-256 is not the one in "+DigestsName)
		}
	}
	if kind != playlist.None {
		v.report.Playlists++
		if e.Size > playlist.MaxBytes {
			found("playlist-too-large", "the playlist is larger than 16 MiB")
			return nil
		}
		v.texts[e.Name] = []byte(text.String())
	}
	return nil
}

// dataOffset reads the local header.
func (v *verifier) dataOffset(e zipindex.Entry) (int64, error) {
	header := make([]byte, min(e.HeaderLen()+ones16, e.End-e.HeaderOffset))
	if _, err := v.r.ReadAt(header, e.HeaderOffset); err != nil && err != io.EOF {
		return 0, err
	}
	return e.CheckLocal(header)
}

// progress tells how far the reading is.
type progress struct {
	r io.Reader
	v *verifier
}

func (p *progress) Read(b []byte) (int, error) {
	if err := p.v.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := p.r.Read(b)
	p.v.done += int64(n)
	if p.v.o.Progress != nil {
		p.v.o.Progress(p.v.done, p.v.x.DirectoryOffset())
	}
	return n, err
}

// links looks at every link of a playlist.
func (v *verifier) links(e zipindex.Entry, text []byte) {
	if playlist.Detect(e.Name, nil) == playlist.HLS && playlist.Detect("", text) != playlist.HLS {
		v.report.add(Finding{Severity: Warning, Code: "playlist", Entry: e.Name, Line: 1, Offset: e.HeaderOffset, Detail: "it does not begin with #EXTM3U: players refuse it"})
		return
	}
	_, err := playlist.Rewrite(nil, text, playlist.Detect(e.Name, nil), func(l playlist.Link) (string, bool) {
		if !l.Local() || l.Template {
			return "", false
		}
		found := func(severity, code, detail string) {
			v.report.add(Finding{Severity: severity, Code: code, Entry: e.Name, Line: l.Line, Offset: e.HeaderOffset, Detail: detail})
		}
		switch l.State {
		case playlist.BadRange:
			found(Error, "link-outside-archive", fmt.Sprintf("the range of %q is not written as range=<offset>,<size>", l.URI))
		case playlist.Valid:
			v.report.Links++
			if !v.resolves(l.Off, l.N) {
				found(Error, "link-outside-archive", fmt.Sprintf("bytes %d,%d are no entry's data", l.Off, l.N))
			}
		default:
			name, ok := target(e.Name, l)
			if !ok {
				found(Error, codeMissing, fmt.Sprintf("names %q, which is no path in the archive", l.URI))
			}
			if !ok || name == "" || strings.HasSuffix(name, "/") {
				return "", false
			}
			v.report.Links++
			if _, ok := v.x.Lookup(name); !ok && l.Tag != "BaseURL" {
				found(Error, codeMissing, fmt.Sprintf("names %q, which the archive does not have", name))
			}
		}
		return "", false
	})
	if err != nil {
		v.report.add(Finding{Severity: Warning, Code: "playlist", Entry: e.Name, Offset: e.HeaderOffset, Detail: err.Error()})
	}
}

// resolves says whether a range is an entry's data, or a part of it.
func (v *verifier) resolves(off, n int64) bool {
	e, match := v.x.Locate(off, n)
	if match == zipindex.Whole {
		return true
	}
	start, ok := v.offsets[e.Name]
	return match == zipindex.Inside && ok && e.Method == 0 && off >= start && off+n <= start+e.CompressedSize
}
