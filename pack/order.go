package pack

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"zipreel/playlist"
)

// class is where an entry stands in the archive.
type class uint8

const (
	segment class = iota
	other
	digest
	mediaPlaylist
	mainPlaylist
)

// media are the extensions of what belongs to a rendition.
var media = []string{".ts", ".m4s", ".mp4", ".m4v", ".m4a", ".cmfv", ".cmfa", ".aac", ".mp3", ".ac3", ".ec3", ".webm", ".key"}

// arrange puts the files into the archive's order.
func (p *packer) arrange() {
	for _, e := range p.files {
		e.isText = playlist.Detect(e.name, nil) != playlist.None && e.size <= playlist.MaxBytes
		switch {
		case e.isText:
			e.class = mediaPlaylist
		case slices.Contains(media, strings.ToLower(path.Ext(e.name))) || path.Ext(e.name) == "":
			e.class = segment
		default:
			e.class = other
		}
	}
	if !p.o.NoDigests {
		e := &entry{name: DigestsName, class: digest, isText: true}
		p.files = append(p.files, e)
		p.byName[e.name] = e
	}
	slices.SortStableFunc(p.files, func(a, b *entry) int {
		return cmp.Or(cmp.Compare(a.class, b.class), strings.Compare(a.name, b.name))
	})
}

// reorder sorts by what the playlists say, once they have been read: segments as they are played, multivariant playlists and manifests last.
func (p *packer) reorder() {
	rank := map[string]int{}
	for _, e := range p.playlists() {
		kind := playlist.Detect(e.name, nil)
		if kind == playlist.DASH || playlist.Multivariant(e.text) {
			e.class = mainPlaylist
		}
	}
	// Those that a multivariant playlist names come in its order, the others by name.
	lists := p.playlists()
	for _, e := range lists {
		if e.class == mainPlaylist {
			p.rankLinks(e, rank)
		}
	}
	slices.SortStableFunc(lists, func(a, b *entry) int { return compareRank(rank, a.name, b.name) })
	for _, e := range lists {
		if e.class == mediaPlaylist {
			p.rankLinks(e, rank)
		}
	}
	slices.SortStableFunc(p.files, func(a, b *entry) int {
		byRank := 0
		if a.class == segment || a.class == mediaPlaylist {
			byRank = compareRank(rank, a.name, b.name)
		}
		return cmp.Or(cmp.Compare(a.class, b.class), byRank)
	})
}

func (p *packer) playlists() []*entry {
	var list []*entry
	for _, e := range p.files {
		if e.isText && e.class != digest {
			list = append(list, e)
		}
	}
	return list
}

// compareRank puts what has a rank before what has none.
func compareRank(rank map[string]int, a, b string) int {
	ra, oka := rank[a]
	rb, okb := rank[b]
	switch {
	case oka && okb:
		return cmp.Compare(ra, rb)
	case oka:
		return -1
	case okb:
		return 1
	}
	return 0
}

// rankLinks numbers what a playlist names, in its order.
func (p *packer) rankLinks(e *entry, rank map[string]int) {
	playlist.Rewrite(nil, e.text, playlist.Detect(e.name, nil), func(l playlist.Link) (string, bool) {
		if name, ok := target(e.name, l); ok {
			if _, seen := rank[name]; !seen {
				rank[name] = len(rank)
			}
		}
		return "", false
	})
}

// target answers the entry name that a link means, whatever range it carries.
func target(from string, l playlist.Link) (string, bool) {
	if !l.Local() || l.Template || l.Path() == "" {
		return "", false
	}
	if l.Base != "" {
		base, ok := playlist.Resolve(from, l.Base[:strings.LastIndexByte(l.Base, '/')+1]+"-")
		if !ok {
			return "", false
		}
		from = base
	}
	return playlist.Resolve(from, l.Path())
}
