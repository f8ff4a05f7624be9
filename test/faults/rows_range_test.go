package faults

import (
	"net/http"
	"time"
)

const badRange = "502 origin-bad-range"

// rangeRows are answers that are not what was asked for.
var rangeRows = []row{
	{
		id: "14a", fault: "200 with the whole file of 2.4 MB", must: "used: it can be skipped cheaply",
		arm: func(s *stage) { s.does(always(fault{whole: true})) }, want: "plays", reads: 12, bytes: 20 << 20,
	},
	{
		id: "14b", fault: "200 with the whole file of 12 MB", must: "closed at once, 502 origin-no-range",
		arm:  func(s *stage) { s.does(always(fault{whole: true, object: large(s.title)})) },
		want: "502 origin-no-range", adds: 10 * time.Second, reads: 20, bytes: 60 << 20,
	},
	{
		id: "14c", fault: "200 with the whole file of 12 MB at a node", must: "read from the other node", nodes: 2,
		arm: func(s *stage) { s.nodes[0].does(always(fault{whole: true, object: large(s.title)})) }, want: "plays", bytes: 20 << 20,
	},
	{
		id: "15a", fault: "206 with another range, the only node", must: badRange, warm: []string{index},
		arm: func(s *stage) { s.does(media(fault{shift: 7})) }, want: badRange, adds: 12 * time.Second, bytes: 8 << 20,
	},
	{
		id: "15b", fault: "206 with another range at a node", must: "read from the other node", nodes: 2, warm: []string{index},
		arm: func(s *stage) { s.nodes[0].does(media(fault{shift: 7})) }, want: "plays",
	},
	{
		id: "15c", fault: "206 with another total under the same ETag", must: badRange, warm: []string{index},
		arm: func(s *stage) { s.does(media(fault{total: "99999999"})) }, want: badRange, adds: 12 * time.Second, bytes: 8 << 20,
	},
	{
		id: "16a", fault: "206 without Content-Range, of the exact length", must: "taken", warm: []string{index},
		arm: func(s *stage) { s.does(media(fault{noContentRange: true})) }, want: "plays",
	},
	{
		id: "16b", fault: "206 with the total *", must: "taken: the length is exact", warm: []string{index},
		arm: func(s *stage) { s.does(media(fault{total: "*"})) }, want: "plays",
	},
	{
		id: "16c", fault: "206 without Content-Range, of another length", must: badRange, warm: []string{index},
		arm: func(s *stage) { s.does(media(fault{noContentRange: true, shift: 7})) }, want: badRange, adds: 12 * time.Second, bytes: 8 << 20,
	},
	{
		id: "17a", fault: "multipart/byteranges for one range, the only node", must: badRange, warm: []string{index},
		arm: func(s *stage) { s.does(media(fault{header: multipart})) }, want: badRange, adds: 12 * time.Second, bytes: 8 << 20,
	},
	{
		id: "17b", fault: "multipart/byteranges at a node", must: "read from the other node", nodes: 2,
		arm: func(s *stage) { s.nodes[0].does(always(fault{header: multipart})) }, want: "plays",
	},
	{
		id: "18a", fault: "Content-Encoding on a range, the only node", must: "identity is asked for; 502 origin-bad-range", warm: []string{index},
		arm: func(s *stage) { s.does(media(fault{header: coded})) }, want: badRange, adds: 12 * time.Second, bytes: 8 << 20,
		after: func(s *stage, _ viewer, _ played) {
			for _, q := range s.nodes[0].asked() {
				if q.coding != "identity" {
					s.errorf("Accept-Encoding %q", q.coding)
				}
			}
		},
	},
	{
		id: "18b", fault: "Content-Encoding on ranges at a node", must: "read from the other node", nodes: 2,
		arm: func(s *stage) { s.nodes[0].does(always(fault{header: coded})) }, want: "plays",
	},
	{
		id: "19a", fault: "416 without a size, the only node", must: "size asked again; 502 origin-bad-range", warm: []string{index},
		arm: func(s *stage) { s.does(unsatisfied) }, want: badRange, adds: 12 * time.Second, bytes: 8 << 20, reads: 12,
	},
	{
		id: "19b", fault: "416 at a node", must: "read from the other node", nodes: 2, warm: []string{index},
		arm: func(s *stage) { s.nodes[0].does(unsatisfied) }, want: "plays",
	},
	{
		id: "19c", fault: "416: the archive was replaced by a shorter one", must: "the new version", warm: []string{index},
		arm: func(s *stage) { s.nodes[0].put(archiveName, s.short.data, 3) }, want: "plays",
		wants: map[viewer]string{ranger: "plays|404 not-found-entry"},
	},
	{
		id: "19d", fault: "416 to the last n bytes", must: "size asked, then the bytes by their place",
		arm: func(s *stage) { s.does(always(fault{noSuffix: true})) }, want: "plays",
	},
	{
		id: "19e", fault: "no answer that HTTP knows", must: "503 origin-unavailable",
		arm: func(s *stage) { s.does(always(fault{raw: "ICY 200 OK\r\n\r\n" + string(noise(1, 2000))})) }, want: "503 origin-unavailable", adds: 20 * time.Second, reads: 24,
	},
	{
		id: "19f", fault: "a header of 1 MiB", must: "not read to its end; 503 origin-unavailable",
		arm: func(s *stage) { s.does(always(fault{header: hugeHeader})) }, want: "503 origin-unavailable", adds: 20 * time.Second, reads: 24,
	},
}

const (
	multipart = "Content-Type: multipart/byteranges; boundary=x\r\n"
	coded     = "Content-Encoding: gzip\r\n"
)

var hugeHeader = func() string {
	b := make([]byte, 1<<20)
	for i := range b {
		b[i] = 'x'
	}
	return "X-Long: " + string(b) + "\r\n"
}()

// large is the title's archive behind 10 MB of something else.
func large(t *title) *object {
	return &object{data: append(make([]byte, 10_000_000), t.data...), etag: `"large"`, modified: time.Unix(1_700_000_000, 0)}
}

// unsatisfied refuses media without saying how large the archive is. One byte, which asks for that, is answered.
func unsatisfied(q request) fault {
	if q.media() && q.end-q.off > 1 {
		return fault{unsatisfied: true}
	}
	return fault{}
}

// get asks once, as a viewer of its own.
func (s *stage) get(path string) answer {
	p := s.player()
	defer p.client.CloseIdleConnections()
	a := p.get(mountedAt+path, "", time.Minute)
	if a.status == http.StatusOK {
		p.check(mountedAt+path, a)
	}
	s.failures = append(s.failures, p.log.Wrong...)
	return a
}
