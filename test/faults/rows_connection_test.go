package faults

import "time"

// connectionRows are faults below HTTP.
var connectionRows = []row{
	{
		id: "1a", fault: "the only node resets two connections", must: "tried again; the viewer sees only delay",
		arm: func(s *stage) { s.nodes[0].onAccept = func(n int) bool { return n > 2 } }, want: "plays",
	},
	{
		id: "1b", fault: "a node refuses connections", must: "read from another node", nodes: 2,
		arm: func(s *stage) { s.nodes[0].down() }, want: "plays",
	},
	{
		id: "1c", fault: "the only node dies while it is played", must: "503 origin-unavailable", warm: []string{index},
		arm: func(s *stage) { s.nodes[0].down() }, want: "503 origin-unavailable", adds: 12 * time.Second,
	},
}
