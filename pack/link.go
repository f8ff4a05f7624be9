package pack

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	"zipreel/playlist"
)

// link lays the archive out and writes the ranges into the playlists. The digests' length is known before their values are, so that
// playlists, which come behind them, can be hashed into them.
func (p *packer) link() error {
	p.reorder()
	at := int64(0)
	for _, e := range p.files {
		switch {
		case e.class == digest:
			e.size = int64(len(p.digests()))
		case e.isText:
			text, err := p.rewrite(e)
			if err != nil {
				return fmt.Errorf("%s: %w", e.name, err)
			}
			e.setText(text)
		}
		e.header, e.placed = at, true
		at = e.dataOffset() + e.size
	}
	if e := p.byName[DigestsName]; e != nil && e.class == digest {
		e.setText(p.digests())
	}
	return nil
}

// rewrite gives the links of a playlist to what is placed already their ranges.
func (p *packer) rewrite(e *entry) ([]byte, error) {
	return playlist.Rewrite(nil, e.text, playlist.Detect(e.name, nil), func(l playlist.Link) (string, bool) {
		name, ok := target(e.name, l)
		if !ok {
			return "", false
		}
		t := p.byName[name]
		if t == nil && !strings.HasSuffix(name, "/") && (path.Ext(name) != "" || l.Role != playlist.Other) {
			p.result.Warnings = append(p.result.Warnings, fmt.Sprintf("%s:%d: names %s, which is %s", e.name, l.Line, name, p.whyNot(name)))
		}
		if t == nil || !t.placed {
			return l.With(l.Path()), l.State != playlist.NoRange // a range of another packing would be wrong
		}
		p.result.Links++
		return withRange(l.With(l.Path()), t.dataOffset(), t.size), true
	})
}

// whyNot says why a file is not packed.
func (p *packer) whyNot(name string) string {
	for _, skipped := range p.result.Skipped {
		if name == skipped || strings.HasPrefix(name, skipped+"/") {
			return "left out: what begins with a dot is; give it another name"
		}
	}
	return "not in the folder"
}

// withRange puts range=<offset>,<size> at the end of a URI's query.
func withRange(uri string, off, n int64) string {
	uri, fragment, hasFragment := strings.Cut(uri, "#")
	sep := "?"
	if strings.Contains(uri, "?") {
		sep = "&"
	}
	uri += sep + "range=" + strconv.FormatInt(off, 10) + "," + strconv.FormatInt(n, 10)
	if hasFragment {
		uri += "#" + fragment
	}
	return uri
}
