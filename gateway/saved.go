package gateway

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"time"

	"zipreel/gateway/origin"
	"zipreel/zipindex"
)

// saved is what is kept on disk of an archive's index, before the directory's own bytes: they are the most compact form there is, and are checked by the same
// parser as the first time.
type saved struct {
	Name  string // of source and archive
	Off   int64  // of the directory
	Size  int64  // of the archive
	At    time.Time
	Nodes map[string]origin.Validator // origin.Nodes.Known
}

const maxSaved = 8 << 20 // bytes of a directory that is kept

func (a *archive) blob() string { return "index\x00" + a.src.Name + "\x00" + a.name }

// save keeps an archive's index over a restart. end is the archive's end, from off on.
func (g *Gateway) save(a *archive, end []byte, off int64) {
	if g.disk == nil || a.src.nodes == nil || a.proof.N > maxSaved {
		return
	}
	s := saved{a.src.title(a.name), a.proof.Off, a.index.Size(), time.Now(), a.src.nodes.Known(*a.validator.Load())}
	head, err := json.Marshal(s)
	if err != nil || len(s.Nodes) == 0 {
		return
	}
	blob := binary.AppendUvarint(nil, uint64(len(head)))
	blob = append(blob, head...)
	g.disk.PutBlob(a.blob(), append(blob, end[a.proof.Off-off:]...))
}

// restore answers an archive as it was saved, without asking storage; nil where it was not. It is as old as it is: the first use later on has it checked.
func (g *Gateway) restore(ctx context.Context, src *source, name string) *archive {
	if g.disk == nil || src.nodes == nil {
		return nil
	}
	a := &archive{src: src, name: name}
	blob, ok := g.disk.Blob(ctx, a.blob())
	if !ok {
		return nil
	}
	var s saved
	n, k := binary.Uvarint(blob)
	if k <= 0 || n > uint64(len(blob)-k) || json.Unmarshal(blob[k:k+int(n)], &s) != nil || s.Name != src.title(name) {
		return nil
	}
	dir := blob[k+int(n):]
	index, err := zipindex.Parse(dir, s.Off, s.Size, g.limits())
	if err != nil || s.Size-s.Off != int64(len(dir)) || index.DirectoryOffset() != s.Off {
		return nil
	}
	a = g.newArchive(src, name, index, origin.Validator{})
	a.proof = proofOf(index, dir, s.Off)
	v := src.nodes.Restore(name, a.proof, s.Nodes)
	a.validator.Store(&v)
	a.age = max(time.Since(s.At), 0)
	return a
}
