package cache

import (
	"bytes"
	"context"
	"fmt"
	"testing"
)

// TestAheadIsNoUse: what was filled ahead of its viewer makes room as soon as what a viewer filled himself.
func TestAheadIsNoUse(t *testing.T) {
	const size = 1000
	for _, test := range []struct {
		name  string
		ahead bool
		reads int
		want  bool
	}{
		{"asked once", false, 1, false},
		{"asked twice", false, 2, true},
		{"ahead, asked never", true, 0, false},
		{"ahead, asked once", true, 1, false},
		{"ahead, asked twice", true, 2, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := New(Config{Memory: 20 * size, Whole: size})
			defer c.Close()
			s := &storage{}
			obj := object("watched", size)
			if test.ahead {
				if _, err := readAll(t, c.Ahead(obj, s.fill)); err != nil {
					t.Fatal(err)
				}
				if !c.Has(obj) {
					t.Fatal("a reader of the last byte did not fill the object")
				}
			}
			for range test.reads {
				if got, err := readAll(t, c.Open(obj, 0, size, s.fill)); err != nil || !bytes.Equal(got, content(0, size)) {
					t.Fatalf("%d bytes, %v", len(got), err)
				}
			}
			if st := c.Stats(); st.Hits+st.Misses+st.Shared != int64(test.reads) {
				t.Errorf("%+v, want %d readers counted", st, test.reads)
			}
			for i := range 30 {
				if _, err := readAll(t, c.Open(object(fmt.Sprint("passes ", i), size), 0, size, s.fill)); err != nil {
					t.Fatal(err)
				}
			}
			if got := c.Has(obj); got != test.want {
				t.Errorf("kept after 30 others passed: %v, want %v", got, test.want)
			}
		})
	}
}

// TestAheadIsJoined by a viewer, who counts as any.
func TestAheadIsJoined(t *testing.T) {
	c := New(Config{})
	defer c.Close()
	s := &storage{gate: make(chan struct{}), step: 100}
	obj := object("next", 40_000)
	ahead := c.Ahead(obj, s.fill)
	defer ahead.Close()
	ended, end := context.WithCancel(context.Background())
	end()
	ahead.Next(ended)
	viewer := c.Open(obj, 0, obj.Size, s.fill)
	defer viewer.Close()
	viewer.Next(ended)
	close(s.gate)
	if got, err := readAll(t, viewer); err != nil || !bytes.Equal(got, content(0, obj.Size)) {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	if ahead.Outcome() != Miss || viewer.Outcome() != Shared || len(s.fills()) != 1 {
		t.Errorf("outcomes %v and %v of %d fills", ahead.Outcome(), viewer.Outcome(), len(s.fills()))
	}
}
