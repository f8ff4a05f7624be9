package faults

import (
	"time"

	"zipreel/gateway"
)

// playbackRows are several faults in one playback, and faults of what is read ahead of it.
var playbackRows = []row{
	{
		id: "60", fault: "60 segments from three nodes: one is killed, one stalls every fourth body, one corrupts every fifth", must: "0 wrong bytes, 0 errors of the viewer",
		nodes: 3, hold: longTitle, arm: allAtOnce, want: "plays", viewers: []viewer{hls}, adds: 20 * time.Second, reads: 60, bytes: 20 << 20,
		after: func(s *stage, _ viewer, got played) {
			if got.Tries != 2+longSegments {
				s.errorf("the viewer needed %d requests for %d objects", got.Tries, 2+longSegments)
			}
		},
	},
	{
		id: "61", fault: "what is read ahead is cut, reset and refused at a node", must: "the viewer sees none of it", nodes: 2, hold: longTitle, gateway: readAhead,
		arm:  func(s *stage) { s.nodes[0].does(inTurn(fault{stop: 70_000}, fault{reset: true}, fault{status: 500})) },
		want: "plays", viewers: []viewer{hls}, adds: 5 * time.Second, reads: 60, bytes: 12 << 20,
	},
	{
		id: "62", fault: "the only node dies while it is read ahead of a viewer", must: "what was read plays; then 503", hold: longTitle, gateway: readAhead,
		arm: func(s *stage) {
			n := s.nodes[0]
			n.does(func(q request) fault {
				if q.n == 30 {
					n.work.Go(n.down)
				}
				return fault{}
			})
		},
		want: "503 origin-unavailable", viewers: []viewer{hls}, adds: 12 * time.Second, reads: 60,
	},
}

const longSegments = 60

func longTitle() *title { return newTitle(5, 0, longSegments) }

// readAhead is the default that other rows turn off.
func readAhead(c *gateway.Config) { c.Prefetch = 0 }

// inTurn gives every other read of media one of the faults, in turn.
func inTurn(faults ...fault) func(request) fault {
	n := 0
	return func(q request) fault {
		if n++; !q.media() || n%2 == 0 {
			return fault{}
		}
		return faults[n/2%len(faults)]
	}
}

// allAtOnce kills the first node, stalls the second and corrupts the third.
func allAtOnce(s *stage) {
	first := s.nodes[0]
	first.does(func(q request) fault {
		if q.n == 15 {
			first.work.Go(first.down)
		}
		return fault{}
	})
	stalls, wrong := 0, 0
	s.nodes[1].does(func(q request) fault {
		if stalls++; q.media() && stalls%4 == 0 {
			return fault{stop: 50_000, how: stall}
		}
		return fault{}
	})
	s.nodes[2].does(func(q request) fault {
		if wrong++; q.media() && wrong%5 == 0 {
			return fault{flip: q.end - 100}
		}
		return fault{}
	})
}
