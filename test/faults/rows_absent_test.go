package faults

// absentRows are faults that are not played yet, so that the table has all forty.
var absentRows = []row{
	{id: "38", fault: "the clock jumps; a token expires while it is played", must: "monotonic timers; a running answer is not cut", play: notPlayed, pending: "there are no tokens, and setting the clock is the administrator's"},
}

func notPlayed(s *stage) played {
	s.errorf("not played")
	return played{Outcome: "not played"}
}
