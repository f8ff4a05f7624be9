package main

import (
	"context"
	"fmt"
	"path"
	"path/filepath"
	"strings"
	"time"

	"zipreel/gateway"
	"zipreel/gateway/origin"
)

// localName is the source that bare files share.
const localName = "local"

// maxSourceName bounds the names that are made of folders' and hosts'.
const maxSourceName = 64

// place is one source and the targets it is made of: several where bare files share one, and where URLs are its nodes.
type place struct {
	name    string
	targets []target
}

// groupTargets gives every target its source. Names that were given come first, so that a default one never takes theirs.
func groupTargets(targets []target) ([]place, error) {
	var places []place
	taken := map[string]bool{}
	for _, t := range targets {
		if t.explicit {
			taken[t.name] = true
		}
	}
	given := map[string]int{} // places of names that were given
	local := -1               // place of the bare files
	for _, t := range targets {
		switch {
		case t.explicit:
			if i, ok := given[t.name]; ok {
				if err := places[i].addNode(t); err != nil {
					return nil, err
				}
				continue
			}
			given[t.name] = len(places)
		case t.kind == fileTarget && local >= 0:
			places[local].targets = append(places[local].targets, t)
			continue
		case t.kind == fileTarget:
			local = len(places)
			fallthrough
		default:
			t.name = free(defaultName(t), taken)
		}
		places = append(places, place{t.name, []target{t}})
	}
	return places, nil
}

// defaultName is the name of a source that was given none.
func defaultName(t target) string {
	var name string
	switch t.kind {
	case fileTarget:
		return localName
	case folderTarget:
		if abs, err := filepath.Abs(t.path); err == nil {
			name = filepath.Base(abs)
		}
	case prefixTarget:
		if !origin.IsTemplate(t.base) {
			name = path.Base(t.url.Path) // "/" where there is no element
		}
	}
	if name = allowed(name); name == "" && t.url != nil {
		name = allowed(t.url.Hostname())
	}
	if name == "" {
		name = localName
	}
	return name
}

// allowed makes a word a source's name: lower case, and "-" for each run of what a name may not hold. It may be empty.
func allowed(word string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(word) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '.', r == '_', r == '-':
			b.WriteRune(r)
		case !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	name := strings.Trim(b.String(), ".-_")
	return name[:min(len(name), maxSourceName)]
}

// free takes name, or the first of name-2, name-3, … that is not taken.
func free(name string, taken map[string]bool) string {
	unique := name
	for i := 2; taken[unique]; i++ {
		unique = fmt.Sprintf("%s-%d", name, i)
	}
	taken[unique] = true
	return unique
}

// source opens the place's storage. Nothing is asked of nodes.
func (p place) source() (gateway.Source, error) {
	t := p.targets[0]
	s := gateway.Source{Name: p.name, Immutable: p.immutable()}
	var err error
	switch t.kind {
	case fileTarget:
		s.Origin, err = origin.NewFiles(p.files())
	case folderTarget:
		s.Origin, err = origin.NewDir(t.path)
		if err != nil {
			err = fileError("open folder", t.written, err)
		}
	default:
		s.Origin, err = openNodes(p.targets)
	}
	if err != nil {
		return s, fmt.Errorf("source %q: %w", p.name, err)
	}
	s.Archives = p.archives()
	return s, nil
}

// files gives every file of the place an archive's name of its own: a second film.zip is film-2.zip.
func (p place) files() map[string]string {
	files := map[string]string{}
	for i, name := range p.archives() {
		files[name] = p.targets[i].path
	}
	return files
}

// archives are the names of the archives that were named one by one, in their order.
func (p place) archives() []string {
	var names []string
	taken := map[string]bool{}
	for i, t := range p.targets {
		if !t.single() || i > 0 && t.url != nil { // a further node holds the same archive
			continue
		}
		name := t.archive()
		if taken[name] {
			ext := path.Ext(name)
			stem := strings.TrimSuffix(name, ext)
			for i := 2; taken[name]; i++ {
				name = fmt.Sprintf("%s-%d%s", stem, i, ext)
			}
		}
		taken[name] = true
		names = append(names, name)
	}
	return names
}

// openSources makes the gateway's sources. A folder without archives is worth a warning: it may be the wrong one.
func openSources(places []place) ([]gateway.Source, error) {
	var sources []gateway.Source
	for _, p := range places {
		s, err := p.source()
		if err != nil {
			return nil, err
		}
		if t := p.targets[0]; t.kind == folderTarget && isEmpty(s.Origin) {
			warn("%s: no archive (*.zip) is in this folder yet; those put there later are served too", t.written)
		}
		sources = append(sources, s)
	}
	return sources, nil
}

func isEmpty(o origin.Origin) bool {
	lister, ok := o.(origin.Lister)
	if !ok {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	list, err := lister.List(ctx, "", 1)
	return err == nil && len(list) == 0
}
