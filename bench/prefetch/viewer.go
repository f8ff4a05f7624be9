package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"path"
	"time"

	"zipreel/bench/title"
)

// viewer is a player: it keeps some seconds of video, and stands still when it has none.
type viewer struct {
	scene
	client *http.Client
	name   string
	base   string // of its archive's URLs
	rand   *rand.Rand
	chunk  []byte

	playing bool
	until   time.Time // what is held lasts till then, while playing

	firstBytes []time.Duration
	stalls     int
	stalled    time.Duration
	watched    int64 // bytes
}

func newViewer(s scene, i int, base string) *viewer {
	return &viewer{
		scene: s, client: &http.Client{Transport: &http.Transport{}}, name: fmt.Sprintf("viewer %d", i), base: base,
		rand: rand.New(rand.NewPCG(uint64(i), 1)), chunk: make([]byte, 16<<10),
	}
}

// watch plays the segments, and tells the first failure.
func (v *viewer) watch() error {
	defer v.client.CloseIdleConnections()
	if _, err := v.get(title.Media); err != nil {
		return err
	}
	at := 0
	for i := range v.segments {
		if v.seek > 0 && i > 0 && i%v.seek == 0 {
			at, v.playing = v.rand.IntN(titleLength-v.segments), false
		}
		if held := time.Until(v.until); v.playing && held > holds {
			time.Sleep(held - holds)
		}
		n, err := v.get(title.Name(at))
		if err != nil {
			return err
		}
		v.watched += n
		v.arrived()
		at++
	}
	return nil
}

// arrived notes that one more segment is held.
func (v *viewer) arrived() {
	now := time.Now()
	if late := now.Sub(v.until); v.playing && late > 0 {
		v.stalls++
		v.stalled += late
		v.until = now
	}
	if !v.playing {
		v.playing, v.until = true, now
	}
	v.until = v.until.Add(segmentPlays)
}

// get takes an entry as fast as the link does, and answers its bytes.
func (v *viewer) get(entry string) (int64, error) {
	r, err := http.NewRequest(http.MethodGet, v.base+entry, nil)
	if err != nil {
		return 0, err
	}
	r.Header.Set("User-Agent", v.name)
	began := time.Now()
	res, err := v.client.Do(r)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("%s: %s", entry, res.Status)
	}
	var n int64
	var first time.Time
	for {
		m, err := res.Body.Read(v.chunk)
		if n == 0 && m > 0 {
			first = time.Now()
			if path.Ext(entry) == ".ts" {
				v.firstBytes = append(v.firstBytes, first.Sub(began))
			}
		}
		n += int64(m)
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, fmt.Errorf("%s: %w", entry, err)
		}
		time.Sleep(time.Until(first.Add(time.Duration(float64(n) / linkRate * float64(time.Second)))))
	}
}
