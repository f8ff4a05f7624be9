package faults

import "time"

// bodyRows are faults in the middle of a body.
var bodyRows = []row{
	{
		id: "6a", fault: "the only node's body stalls", must: "after 3 s resumed at the next byte", warm: []string{index},
		arm: func(s *stage) { s.does(firstMedia(1, fault{stop: 50_000, how: stall})) }, want: "plays", adds: 5 * time.Second, reads: 1,
	},
	{
		id: "6b", fault: "a node's bodies stall", must: "resumed at the next byte on the other node", nodes: 2, warm: []string{index},
		arm: func(s *stage) { s.nodes[0].does(media(fault{stop: 50_000, how: stall})) }, want: "plays", adds: 5 * time.Second,
	},
	{
		id: "6c", fault: "the network goes silent on a node's connections (toxiproxy timeout)", must: "the same", nodes: 2, warm: []string{index},
		before: poisonFirst(`{"type":"timeout","attributes":{"timeout":0}}`), arm: (*stage).toxic, want: "plays", adds: 5 * time.Second,
	},
	{
		id: "7a", fault: "the only node cuts every body after 200,000 bytes", must: "resumed; bytes identical", warm: []string{index},
		arm: func(s *stage) { s.does(media(fault{stop: 200_000})) }, want: "plays", reads: 24,
	},
	{
		id: "7b", fault: "the only node resets every body after 500,000 bytes", must: "the same", warm: []string{index},
		arm: func(s *stage) { s.does(media(fault{stop: 500_000, how: rst})) }, want: "plays", adds: 10 * time.Second, reads: 40, bytes: 12 << 20,
	},
	{
		id: "7c", fault: "every connection ends after 300,000 bytes (toxiproxy limit_data)", must: "the same",
		before: poisonFirst(`{"type":"limit_data","attributes":{"bytes":300000}}`), arm: (*stage).toxic, want: "plays", reads: 24, bytes: 12 << 20, adds: 4 * time.Second,
	},
	{
		id: "7d", fault: "a node cuts bodies after 5,000 bytes", must: "resumed on the other node", nodes: 2, warm: []string{index},
		arm: func(s *stage) { s.nodes[0].does(media(fault{stop: 5_000})) }, want: "plays",
	},
	{
		id: "7e", fault: "the only node's bodies never get further than 100,000 bytes of a segment", must: "cut off, never ended cleanly", warm: []string{index},
		arm: func(s *stage) { s.does(deadEnd(s)) }, want: "cut|503 origin-unavailable", adds: 25 * time.Second, reads: 60,
	},
	{
		id: "7f", fault: "the only node cuts every body after 70,000 bytes", must: "resumed as long as it gets on", warm: []string{index},
		arm: func(s *stage) { s.does(media(fault{stop: 70_000})) }, want: "plays", reads: 24, adds: 5 * time.Second, viewers: []viewer{ranger},
	},
	{
		id: "8a", fault: "bodies are longer than asked, and say so", must: "exactly n bytes are taken",
		arm: func(s *stage) { s.does(media(fault{longer: 5000})) }, want: "plays",
	},
	{
		id: "8b", fault: "bytes follow a body that its length does not tell of", must: "the connection is dropped",
		arm: func(s *stage) { s.does(media(fault{extra: 5000})) }, want: "plays",
	},
	{
		id: "8c", fault: "an answer to nothing follows a body", must: "the connection is dropped; no answer is taken for another's",
		arm: func(s *stage) { s.does(smuggle) }, want: "plays",
	},
	{
		id: "9a", fault: "a node's bodies come at 4 KiB/s", must: "changed to the other node at the byte reached", nodes: 2, warm: []string{index},
		arm: func(s *stage) { s.nodes[0].does(media(fault{stop: 20_000, how: trickle, pace: 4 << 10})) }, want: "plays", adds: 6 * time.Second,
	},
	{
		id: "9b", fault: "a node's bytes come in crumbs (toxiproxy slicer: 60 bytes each 5 ms)", must: "the same", nodes: 2, warm: []string{index},
		before: poisonFirst(`{"type":"slicer","attributes":{"average_size":60,"size_variation":20,"delay":5000}}`), arm: (*stage).toxic, want: "plays", adds: 8 * time.Second,
	},
}

// poisonFirst puts toxiproxy before the first node; its toxic is for toxic to add.
func poisonFirst(toxic string) func(*stage) {
	return func(s *stage) { s.toxin = s.poison(0, toxic) }
}

// toxic begins what poisonFirst has prepared.
func (s *stage) toxic() { s.toxin() }

// deadEnd cuts every body at the same byte of its entry.
func deadEnd(s *stage) func(request) fault {
	return func(q request) fault {
		for _, at := range s.title.offsets {
			if end := at + 100_000; q.media() && q.off < end && end < q.end && q.end-q.off <= filmSize+2<<10 {
				return fault{stop: end - q.off}
			}
			if end := at + 100_000; q.media() && q.off == end {
				return fault{reset: true}
			}
		}
		return fault{}
	}
}

// smuggle lets a whole second answer follow each body.
func smuggle(q request) fault {
	if !q.media() {
		return fault{}
	}
	return fault{after: "HTTP/1.1 206 Partial Content\r\nContent-Length: 5\r\nContent-Range: bytes 0-4/5\r\n\r\nwrong"}
}
