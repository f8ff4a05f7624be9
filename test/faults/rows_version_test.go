package faults

import (
	"bytes"
	"fmt"
	"time"

	"zipreel/gateway"
)

// versionRows are archives that change, differ or are damaged.
var versionRows = []row{
	{
		id: "20a", fault: "the archive is replaced between viewers", must: "new viewers get the new one", warm: []string{index},
		arm: func(s *stage) { s.nodes[0].put(archiveName, s.next.data, 2) }, want: "plays",
		after: func(s *stage, v viewer, got played) {
			if got.Version != 2 {
				s.errorf("version %d, want 2", got.Version)
			}
		},
	},
	{
		id: "20b", fault: "the same, and everything is cached", must: "seen by revalidation, in the background", warm: everything,
		gateway: func(c *gateway.Config) { c.Revalidate = 50 * time.Millisecond }, want: "plays", reads: 12, bytes: 3 << 20,
		arm: func(s *stage) {
			s.nodes[0].put(archiveName, s.next.data, 2)
			if !until(5*time.Second, func() bool { return bytes.Equal(s.get(index).body, s.next.entries["720p/index.m3u8"]) && s.isNew() }) {
				s.errorf("the old version was still there after 5 s")
			}
		},
		after: func(s *stage, v viewer, got played) {
			if got.Version != 2 {
				s.errorf("version %d, want 2", got.Version)
			}
		},
	},
	{
		id: "21a", fault: "the archive is replaced in the middle of a segment", must: "never mixed: cut off; the next request gets the new one", warm: []string{index},
		arm: replaceInBody(fault{stop: 90_000}), want: "plays", wants: map[viewer]string{curl: "cut", ranger: "another version|plays"},
		after: wantNew,
	},
	{
		id: "21b", fault: "the same at a node that ignores If-Match and gives no ETag", must: "the same: Last-Modified tells", warm: []string{index},
		before: func(s *stage) { s.does(always(fault{etag: "-"})) },
		arm:    replaceInBody(fault{stop: 90_000, ignoreIfMatch: true, etag: "-"}),
		want:   "plays", wants: map[viewer]string{curl: "cut", ranger: "another version|plays|cut"}, adds: 5 * time.Second, reads: 12, bytes: 4 << 20,
		after: wantNew,
	},
	{
		id: "21c", fault: "the same at a node that gives no validator at all; both archives have one size", must: "never mixed: the checksum tells; then the new one", warm: []string{index}, torn: true,
		before: func(s *stage) { s.does(always(silent)) },
		arm:    replaceInBody(fault{stop: 90_000, ignoreIfMatch: true, etag: "-", noModified: true}),
		want:   "plays", wants: map[viewer]string{curl: "cut|422 checksum|502 checksum-node", ranger: "another version|plays|cut"}, adds: 5 * time.Second, reads: 12, bytes: 4 << 20,
		after: wantNew,
	},
	{
		id: "22a", fault: "no validators", must: "size and CRC",
		before: func(s *stage) { s.does(always(silent)) }, arm: cutsToo(silent), want: "plays", reads: 16, // each body that goes on needs two: the directory first
	},
	{
		id: "22b", fault: "weak ETags", must: "never sent in If-Match",
		before: func(s *stage) { s.does(always(weak)) }, arm: cutsToo(weak), want: "plays", reads: 16,
		after: func(s *stage, _ viewer, _ played) {
			for _, q := range s.nodes[0].asked() {
				if q.ifMatch != "" {
					s.errorf("If-Match: %s", q.ifMatch)
				}
			}
		},
	},
	{
		id: "22c", fault: "another ETag with every answer", must: "directory digest, then size and CRC",
		arm: func(s *stage) {
			s.does(func(q request) fault { return fault{etag: fmt.Sprintf(`"%d"`, q.n), ignoreIfMatch: true} })
		}, want: "plays", reads: 16, bytes: 6 << 20,
	},
	{
		id: "22d", fault: "two nodes with ETags and times of their own; bodies are cut", must: "one version: resumed on the other node", nodes: 2,
		before: func(s *stage) { s.nodes[1].put(archiveName, s.title.data, 7) },
		arm:    func(s *stage) { s.does(media(fault{stop: 120_000})) }, want: "plays", reads: 24,
	},
	{
		id: "22e", fault: "If-Match is ignored and the archive replaced", must: "detected by the answer's ETag", warm: []string{index},
		arm: func(s *stage) {
			s.nodes[0].put(archiveName, s.next.data, 2)
			s.does(always(fault{ignoreIfMatch: true}))
		}, want: "plays",
		after: wantNew,
	},
	{
		id: "23a", fault: "one node of three holds another archive of the same size", must: "set aside by its directory's digest", nodes: 3,
		before: func(s *stage) { s.nodes[0].put(archiveName, s.next.data, 1) }, want: "plays",
		after: wantOld,
	},
	{
		id: "23b", fault: "the same, and the other two cut bodies", must: "never continued on the odd one", nodes: 3,
		before: func(s *stage) { s.nodes[0].put(archiveName, s.next.data, 1) }, want: "plays", reads: 24,
		arm: func(s *stage) {
			s.nodes[1].does(media(fault{stop: 120_000}))
			s.nodes[2].does(media(fault{stop: 120_000}))
		},
		after: wantOld,
	},
	{
		id: "24a", fault: "the upload is still in progress", must: "503 archive-incomplete",
		before: func(s *stage) { s.nodes[0].put(archiveName, s.title.data[:1_000_000], 1) }, want: "503 archive-incomplete", adds: 10 * time.Second,
	},
	{
		id: "24b", fault: "the upload ends", must: "remembered for at most 5 s",
		before: func(s *stage) { s.nodes[0].put(archiveName, s.title.data[:1_000_000], 1) }, want: "plays", bytes: 3 << 20,
		arm: func(s *stage) {
			if a := s.get("/master.m3u8"); a.String() != "503 archive-incomplete" {
				s.errorf("before its end: %v", a)
			}
			s.nodes[0].put(archiveName, s.title.data, 2)
			if !until(6*time.Second, func() bool { return s.get("/master.m3u8").String() == "plays" }) {
				s.errorf("not there after 6 s")
			}
		},
	},
	{
		id: "25", fault: "garbage instead of an archive", must: "422 and code, all waiters released at once",
		before: func(s *stage) { s.nodes[0].put(archiveName, noise(9, 500_000), 1) }, want: "422 zip-not-found",
		after: func(s *stage, _ viewer, _ played) { wantRemembered(s, 422) },
	},
	{
		id: "25b", fault: "the same, while 50 wait and the node takes a second", must: "all waiters are released at once",
		before: func(s *stage) { s.nodes[0].put(archiveName, noise(9, 500_000), 1) }, play: playWaiting,
	},
	{
		id: "26a", fault: "a flipped bit at the end of every segment, all nodes alike", must: "never delivered whole; 422 checksum", nodes: 2, torn: true,
		before: func(s *stage) { s.putDamaged(0, lateIn); s.putDamaged(1, lateIn) },
		want:   "422 checksum", wants: map[viewer]string{curl: "cut|422 checksum"}, adds: 12 * time.Second, reads: 16, bytes: 12 << 20,
	},
	{
		id: "26b", fault: "a flipped bit at the end of every segment at a node", must: "read again elsewhere", nodes: 2, torn: true,
		before: func(s *stage) {
			s.putDamaged(0, lateIn)
			s.nodes[1].late = 300 * time.Millisecond // a busy machine's first measurements do not turn the choice
		},
		want: "plays", wants: map[viewer]string{curl: "cut|plays"}, adds: 8 * time.Second, bytes: 4 << 20,
		after: func(s *stage, v viewer, _ played) {
			if stats := s.source.Stats(); stats[0].Wrong == 0 || stats[1].Wrong > 0 {
				s.errorf("wrong bodies counted: %d and %d, want them at the first node", stats[0].Wrong, stats[1].Wrong)
			}
		},
	},
	{
		id: "26c", fault: "a flipped bit once, the only node", must: "never delivered whole; read again", torn: true, warm: []string{index},
		arm:  func(s *stage) { s.does(flipOnce(s)) },
		want: "plays", wants: map[viewer]string{curl: "cut|plays"}, adds: 5 * time.Second, bytes: 4 << 20,
	},
	{
		id: "27a", fault: "a flipped bit in the directory, the only node", must: "refused",
		before: func(s *stage) { s.putDamagedDirectory(0) }, want: "422 zip-not-found|422 zip-directory-count|422 zip-overlap|422 checksum|502 zip-local-mismatch|404 not-found-entry|404 not-found-playlist|cut", adds: 10 * time.Second, torn: true, bytes: 20 << 20,
		reads: 24,
	},
	{
		id: "27b", fault: "a flipped bit in the directory of a node", must: "read elsewhere", nodes: 2, torn: true,
		before: func(s *stage) { s.putDamagedDirectory(0) }, want: "plays", adds: 5 * time.Second, bytes: 8 << 20, reads: 16,
	},
	{
		id: "39a", fault: "all nodes down", must: "cached content plays on, marked stale", nodes: 2, warm: everything, want: "plays",
		arm: func(s *stage) {
			for _, n := range s.nodes {
				n.down()
			}
			s.get("/extras.bin") // what is not cached shows that they are
		},
		after: func(s *stage, _ viewer, got played) {
			if !got.Stale {
				s.errorf("not marked stale")
			}
		},
	},
}

var (
	silent = fault{etag: "-", noModified: true}
	weak   = fault{etag: `W/"1"`}
)

// isNew says whether the whole of a new version is what viewers get.
func (s *stage) isNew() bool {
	return bytes.Equal(s.get("/720p/seg0.ts").body, s.next.entries["720p/seg0.ts"])
}

func wantNew(s *stage, _ viewer, _ played) {
	if !s.isNew() {
		s.errorf("the next viewer did not get the new version")
	}
}

func wantOld(s *stage, _ viewer, got played) {
	if got.Version != 1 {
		s.errorf("version %d, want the one of most nodes", got.Version)
	}
}

// replaceInBody breaks the first body of media, and has another archive from then on.
func replaceInBody(f fault) func(*stage) {
	return func(s *stage) {
		n, then := s.nodes[0], f
		then.stop = 0
		seen := false
		n.does(func(q request) fault {
			if !q.media() || seen {
				if f.etag == "" {
					return fault{}
				}
				return then
			}
			seen = true
			n.work.Go(func() { n.put(archiveName, s.next.data, 2) })
			return f
		})
	}
}

// cutsToo makes bodies that break, besides.
func cutsToo(f fault) func(*stage) {
	return func(s *stage) {
		s.does(func(q request) fault {
			g := f
			if q.media() {
				g.stop = 200_000
			}
			return g
		})
	}
}

// lateIn is the place of an entry's wrong bit: in its last bytes, but one.
func lateIn(size int) int64 { return int64(size) - 100 }

// putDamaged puts the title there with a wrong bit in every segment and in the film.
func (s *stage) putDamaged(node int, at func(size int) int64) {
	b := bytes.Clone(s.title.data)
	for name, off := range s.title.offsets {
		if n := len(s.title.entries[name]); n >= segmentSize {
			b[off+at(n)] ^= 1
		}
	}
	s.nodes[node].put(archiveName, b, 1)
}

// putDamagedDirectory flips a bit of each CRC in the directory (APPNOTE 4.3.12: 16 bytes from a header's start).
func (s *stage) putDamagedDirectory(node int) {
	b := bytes.Clone(s.title.data)
	for at := 0; ; at += 4 {
		i := bytes.Index(b[at:], []byte("PK\x01\x02"))
		if i < 0 {
			break
		}
		at += i
		b[at+16] ^= 1
	}
	s.nodes[node].put(archiveName, b, 1)
}

// flipOnce gives the first read of each entry a wrong bit near its end.
func flipOnce(s *stage) func(request) fault {
	seen := map[int64]bool{}
	return func(q request) fault {
		if !q.media() || seen[q.off] {
			return fault{}
		}
		seen[q.off] = true
		return fault{flip: q.end - 100}
	}
}

// playWaiting asks with many viewers for what turns out to be no archive.
func playWaiting(s *stage) played {
	s.does(nth(1, fault{wait: time.Second}))
	began := time.Now()
	answers := s.crowdOf(50, "/720p/seg0.ts")
	for _, a := range answers {
		if a.String() != "422 zip-not-found" {
			s.errorf("%v", a)
			break
		}
	}
	took := time.Since(began)
	if reads, _ := s.traffic(); reads > 3 || took > 2*time.Second {
		s.errorf("%d reads in %v", reads, took)
	}
	return played{Outcome: answers[0].String(), Took: took}
}
