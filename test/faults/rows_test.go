package faults

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// rows is the table, in the order of the forty faults; what has a higher number is several of them.
func rows() []row {
	all := slices.Concat(connectionRows, headerRows, bodyRows, rangeRows, versionRows, viewerRows, programRows, diskRows, absentRows, playbackRows)
	slices.SortStableFunc(all, func(a, b row) int { return cmp.Or(cmp.Compare(a.number(), b.number()), strings.Compare(a.id, b.id)) })
	return all
}

// number is the row's in the table of forty faults.
func (r row) number() (n int) {
	fmt.Sscan(strings.TrimRight(r.id, "abcdefgh"), &n)
	return n
}

// index is a path that makes the gateway know the title, and keeps no media.
const index = "/720p/index.m3u8"

// media makes a script of a fault that every read of media has.
func media(f fault) func(request) fault { return firstMedia(1<<30, f) }

// firstMedia makes a script of a fault that the first n reads of media have.
func firstMedia(n int, f fault) func(request) fault {
	seen := 0
	return func(q request) fault {
		if !q.media() || seen >= n {
			return fault{}
		}
		seen++
		return f
	}
}

// always makes a script of a fault that every read has.
func always(f fault) func(request) fault { return func(request) fault { return f } }
