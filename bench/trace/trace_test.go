package trace

import (
	"math"
	"slices"
	"testing"
)

func TestRequests(t *testing.T) {
	c := Catalogue{Archives: 50, Segments: 20, Zipf: 0.9, Viewers: 1, Requests: 40_000, Mean: 1000, Spread: 0.5, Seed: 7}
	tr := New(c)
	all := slices.Collect(tr.Requests())
	if !slices.Equal(all, slices.Collect(New(c).Requests())) {
		t.Error("the same catalogue gives other requests")
	}
	if len(all) != c.Requests {
		t.Fatalf("%d requests, want %d", len(all), c.Requests)
	}
	starts := make([]int, c.Archives)
	for i, r := range all[1:] {
		switch before := all[i]; {
		case r.Segment == 0 && before.Segment == c.Segments-1:
			starts[r.Archive]++
		case r.Archive != before.Archive || r.Segment != before.Segment+1:
			t.Fatalf("request %d is for %+v after %+v", i+1, r, before)
		}
	}
	if got, want := float64(starts[0])/float64(starts[9]), math.Pow(10, c.Zipf); got < want/1.5 || got > want*1.5 {
		t.Errorf("the first title is watched %.1f times as often as the tenth, want about %.1f", got, want)
	}
	if mean := float64(tr.Bytes()) / float64(c.Archives*c.Segments); math.Abs(mean-1000) > 60 {
		t.Errorf("segments have %.0f bytes on average, want about 1000", mean)
	}
}

func TestResume(t *testing.T) {
	c := Default()
	c.Requests = 100_000
	begun := 0
	last := map[int]int{}
	for r := range New(c).Requests() {
		if before, ok := last[r.Archive]; r.Segment > 0 && (!ok || r.Segment < before) {
			begun++
		}
		last[r.Archive] = r.Segment
	}
	if begun < 500 {
		t.Errorf("%d titles were begun in their middle, want more", begun)
	}
	for range New(c).Requests() {
		break // stops
	}
}
