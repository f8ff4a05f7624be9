package gateway

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"

	"github.com/klauspost/compress/flate"

	"zipreel/gateway/cache"
	"zipreel/gateway/origin"
	"zipreel/zipindex"
)

const (
	methodStored    = 0
	methodDeflated  = 8
	localHeaderLen  = 30 // APPNOTE 4.3.7, fixed part
	headerReadSlack = 1 << 10
	firstPiece      = 2 << 10 // bytes that are passed on before more is read: with the headers, one packet's worth for each of many viewers who wait
)

// errReplaced ends a fill whose archive was replaced by one in which the entry is another.
var errReplaced = problemf("archive-changed", "The archive was replaced while it was read. Ask again.")

// object is the cache's key for an entry's content.
func (a *archive) object(e zipindex.Entry) cache.Object {
	return cache.Object{Source: a.src.Name, Archive: a.name, Entry: e.Name, Size: e.Size, CRC: e.CRC32}
}

const (
	rereads     = 3 // reads of an entry whose bytes do not fit its CRC, each from another node where there are some
	rereadsSame = 2 // where there is one
)

// fill reads an entry's content from storage. Bytes that do not fit are read again, from another node where there is one: the nodes are at fault when
// another one's fit, and the archive when all have the same.
func (g *Gateway) fill(a *archive, e zipindex.Entry) cache.Fill {
	return func(ctx context.Context, off, n int64, w *cache.Sink) error {
		var bad origin.NodeSet // nodes that wrong bytes came from
		var sums []uint32      // of the bytes, each from other nodes than the one before
		for same := 0; ; {
			used, err := g.fillVersion(ctx, a, e, off, n, bad, w)
			sum, wrong := wrongBytes(err)
			if !wrong {
				if err == nil && a.src.nodes != nil {
					a.src.nodes.Blame(bad)
				}
				return err
			}
			g.log.Warn("wrong bytes", "source", a.src.Name, "archive", a.name, "entry", e.Name, "off", off, "n", n, "nodes", a.src.nodeNames(used), "err", err)
			elsewhere := used&^bad != 0 || a.src.oneNode()
			if elsewhere {
				sums = append(sums, sum)
			} else {
				same++ // no other node is well; this one may do better the second time
			}
			bad |= used
			if same > 1 || len(sums) >= a.src.rereads() || !w.Restart(err) {
				if g.archives.reject(a) {
					return errReplaced
				}
				if why := archiveAtFault(sums, err); why != nil {
					g.memos.condemn(a.object(e), why)
				}
				return err
			}
			if a.src.nodes != nil {
				a.src.nodes.Doubt(*a.validator.Load(), used)
			}
		}
	}
}

// oneNode says whether there is no other place to read the same bytes from.
func (s *source) oneNode() bool { return s.nodes == nil || s.nodes.Len() == 1 }

// nodeNames are the names of a set of the source's nodes, for the log.
func (s *source) nodeNames(set origin.NodeSet) []string {
	if s.nodes == nil {
		return nil
	}
	return s.nodes.Names(set)
}

func (s *source) rereads() int {
	if s.oneNode() {
		return rereadsSame
	}
	return min(s.nodes.Len(), rereads)
}

// wrongBytes says whether a fill failed because what storage delivered is not what the directory says; sum is the bytes' CRC, 0 where the local header is wrong.
func wrongBytes(err error) (sum uint32, wrong bool) {
	var ce *cache.ChecksumError
	if errors.As(err, &ce) {
		return ce.Got, true
	}
	var ze *zipindex.Error
	return 0, errors.As(err, &ze) && ze.Code == zipindex.CodeLocalMismatch
}

// archiveAtFault says what is wrong with the entry itself, when the bytes of several reads had these sums and the last of them failed with err; nil: nobody knows.
func archiveAtFault(sums []uint32, err error) error {
	if len(sums) < 2 || len(slices.Compact(slices.Clone(sums))) > 1 {
		return nil
	}
	var local *zipindex.Error
	switch {
	case errors.As(err, &local):
		return err
	case sums[0] != 0:
		return errWrongArchive
	}
	return nil // it does not inflate: that may be for another reason each time
}

// fillVersion reads an entry's content, from other nodes than those of avoid where it can, and answers from which. When the archive turns out to have been replaced, the new
// version is loaded, once, and the fill goes on if the entry is the same in it and no byte of the old was delivered.
func (g *Gateway) fillVersion(ctx context.Context, a *archive, e zipindex.Entry, off, n int64, avoid origin.NodeSet, w *cache.Sink) (origin.NodeSet, error) {
	want := a.validator.Load()
	r := &entryReader{g: g, a: a, e: e, ctx: ctx, want: want, avoid: avoid}
	sent, err := r.fill(off, n, w)
	if !errors.Is(err, origin.ErrChanged) {
		return r.used, err
	}
	now, again, err := g.renewed(ctx, a, e, want)
	if err != nil {
		return r.used, err
	}
	if now != a && sent > 0 {
		return r.used, errReplaced
	}
	next := &entryReader{g: g, a: now, e: again, ctx: ctx, want: now.validator.Load(), avoid: avoid}
	_, err = next.fill(off+sent, n-sent, w)
	if errors.Is(err, origin.ErrChanged) {
		err = errReplaced
	}
	return r.used | next.used, err
}

// renewed is called when storage refused the validator want of a. It answers the version that is there now, and the
// same entry in it; errReplaced when the entry is another there.
func (g *Gateway) renewed(ctx context.Context, a *archive, e zipindex.Entry, want *origin.Validator) (*archive, zipindex.Entry, error) {
	now, err := g.archives.refresh(ctx, a, want)
	if err != nil {
		return nil, e, err
	}
	again, ok := now.index.Lookup(e.Name)
	if !ok || again.Refused() != nil || now.object(again) != a.object(e) {
		return nil, e, errReplaced
	}
	return now, again, nil
}

// fill delivers [off, off+n) of the content, and answers how many bytes it delivered.
func (r *entryReader) fill(off, n int64, w *cache.Sink) (int64, error) {
	defer r.close()
	if r.e.Method == methodDeflated {
		return r.inflate(off, n, w)
	}
	if err := r.open(off, n); err != nil {
		return 0, err
	}
	return r.deliver(n, w)
}

// deliver hands on the next n bytes, and answers how many it delivered.
func (r *entryReader) deliver(n int64, w *cache.Sink) (int64, error) {
	var sent int64
	for sent < n {
		buf := w.Next()
		if sent == 0 {
			buf = buf[:min(len(buf), firstPiece)]
		}
		m, err := r.Read(buf[:min(int64(len(buf)), n-sent)])
		if r.suspect() {
			w.Hold()
		}
		if m > 0 {
			if werr := w.Wrote(m); werr != nil {
				return sent, werr
			}
			if sent == 0 {
				runtime.Gosched() // viewers send the first piece before more is read
			}
			sent += int64(m)
		}
		if err != nil && sent < n {
			return sent, unexpectedEOF(err)
		}
	}
	return sent, nil
}

func unexpectedEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// entryReader reads an entry's data as it lies in the archive. It reads the
// local header on its way to the data where that is not known yet, and refuses an entry whose header contradicts the directory.
type entryReader struct {
	g     *Gateway
	a     *archive
	e     zipindex.Entry
	ctx   context.Context // of one fill or one viewer; the reader lives no longer
	want  *origin.Validator
	avoid origin.NodeSet // nodes that come last
	used  origin.NodeSet // nodes that delivered bytes, as far as bodies are closed
	body  *origin.Body
	at    int64 // next byte of the archive that body delivers
	end   int64 // archive offset at which the reader ends
}

// open starts reading data bytes [off, off+n).
func (r *entryReader) open(off, n int64) error {
	start, known := r.g.memos.offset(r.a, r.e)
	if !known && off == 0 {
		return r.openAtHeader(n)
	}
	if !known {
		var err error
		if start, err = r.learn(); err != nil {
			return err
		}
	}
	r.end = start + off + n
	return r.request(start+off, r.end)
}

// openAtHeader reads local header and data in one.
func (r *entryReader) openAtHeader(n int64) error {
	from, whole := r.e.ReadRange()
	to := from + whole
	if n < r.e.CompressedSize {
		guess, _ := r.e.DataOffset()
		to = min(to, max(guess, from+r.e.HeaderLen()+headerReadSlack)+n)
	}
	if err := r.request(from, to); err != nil {
		return err
	}
	start, err := r.readHeader()
	if err != nil {
		return err
	}
	if n < r.e.CompressedSize {
		r.g.memos.setOffset(r.a, r.e, start) // more of it will be asked for
	}
	r.end = start + n
	return nil
}

// learn reads the local header alone, and keeps where the data starts.
func (r *entryReader) learn() (dataOffset int64, err error) {
	from := r.e.HeaderOffset
	if err := r.request(from, min(from+r.e.HeaderLen()+headerReadSlack, r.e.End)); err != nil {
		return 0, err
	}
	defer r.close()
	if dataOffset, err = r.readHeader(); err == nil {
		r.g.memos.setOffset(r.a, r.e, dataOffset)
	}
	return dataOffset, err
}

// readHeader consumes the local header from the body and checks it.
func (r *entryReader) readHeader() (dataOffset int64, err error) {
	header := make([]byte, localHeaderLen, r.e.HeaderLen()+headerReadSlack)
	if _, err := io.ReadFull(r.body, header); err != nil {
		return 0, unexpectedEOF(err)
	}
	rest := int(binary.LittleEndian.Uint16(header[26:])) + int(binary.LittleEndian.Uint16(header[28:]))
	if r.e.HeaderOffset+localHeaderLen+int64(rest) > r.e.End {
		rest = int(r.e.HeaderLen()) - localHeaderLen // CheckLocal says what is wrong
	}
	header = append(header, make([]byte, rest)...)
	r.at = r.e.HeaderOffset + localHeaderLen
	if r.end = r.at + int64(rest); r.end > r.at {
		if _, err := io.ReadFull(r, header[localHeaderLen:]); err != nil {
			return 0, unexpectedEOF(err)
		}
	}
	dataOffset, err = r.e.CheckLocal(header)
	if err != nil {
		return 0, fmt.Errorf("local header of %q in %q: %w", r.e.Name, r.a.src.title(r.a.name), err)
	}
	return dataOffset, nil
}

func (r *entryReader) request(from, to int64) error {
	r.close()
	if from >= to {
		return nil // an empty entry
	}
	body, err := r.g.readElsewhere(r.ctx, r.a.src, r.a.name, from, to-from, r.want, r.avoid)
	if err != nil {
		return err
	}
	r.body, r.at = body, from
	return nil
}

// Read answers the next bytes; where the first request proved too short, another one follows.
func (r *entryReader) Read(p []byte) (int, error) {
	if r.at >= r.end {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), r.end-r.at)]
	for {
		m, err := r.body.Read(p)
		r.at += int64(m)
		if err != io.EOF || r.at >= r.end {
			return m, err
		}
		if m > 0 {
			return m, nil
		}
		if r.at != r.body.Off+r.body.N {
			return 0, io.ErrUnexpectedEOF
		}
		if err := r.request(r.at, r.end); err != nil {
			return 0, err
		}
	}
}

// suspect says whether the body comes from a node that has delivered wrong bytes before.
func (r *entryReader) suspect() bool {
	return r.body != nil && r.body.From != nil && r.a.src.nodes.Suspects()&*r.body.From != 0
}

func (r *entryReader) close() {
	if r.body != nil {
		if r.body.From != nil {
			r.used |= *r.body.From
		}
		r.body.Close()
		r.body = nil
	}
}

// inflate delivers [off, off+n) of a deflated entry. Inflating starts at the beginning, always.
func (r *entryReader) inflate(off, n int64, w io.Writer) (int64, error) {
	if err := r.open(0, r.e.CompressedSize); err != nil {
		return 0, err
	}
	fr := flate.NewReader(r)
	defer fr.Close()
	if _, err := io.CopyN(io.Discard, fr, off); err != nil {
		return 0, r.inflateError(err)
	}
	sent, err := io.CopyN(w, fr, n)
	if err != nil {
		return sent, r.inflateError(err)
	}
	if off+n == r.e.Size {
		if m, _ := io.ReadFull(fr, make([]byte, 1)); m > 0 {
			return sent, r.inflateError(errors.New("entry inflates to more than its size"))
		}
	}
	return sent, nil
}

// inflateError tells a failed read from damaged data, which is as wrong as data that does not fit its CRC.
func (r *entryReader) inflateError(err error) error {
	var failed *origin.Error
	var sum *cache.ChecksumError // of what was inflated, by who took it
	if errors.As(err, &failed) || errors.As(err, &sum) || r.ctx.Err() != nil {
		return err
	}
	return fmt.Errorf("%w: inflate: %w", &cache.ChecksumError{Object: r.a.object(r.e)}, err)
}
