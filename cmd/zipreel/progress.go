package main

import (
	"fmt"
	"os"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/cwriter"
	"github.com/vbauerster/mpb/v8/decor"
)

// progress is a bar on standard error with the rate and the time left. It is nil, and shows nothing, where that is no
// terminal.
type progress struct {
	all *mpb.Progress
	bar *mpb.Bar
}

// unit is what a bar counts.
type unit uint8

const (
	bytesUnit unit = iota
	timeUnit       // microseconds of play
)

func newProgress(doing string, u unit) *progress {
	if !cwriter.IsTerminal(int(os.Stderr.Fd())) {
		return nil
	}
	count, rate := decor.CountersKibiByte("% .1f / % .1f"), decor.AverageSpeed(decor.SizeB1024(0), "% .1f")
	if u == timeUnit {
		count, rate = decor.Percentage(), decor.Any(timesReal())
	}
	all := mpb.New(mpb.WithOutput(os.Stderr))
	bar := all.AddBar(0,
		mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name(doing+" "), count),
		mpb.AppendDecorators(rate, decor.AverageETA(decor.ET_STYLE_GO, decor.WC{W: 8})),
	)
	return &progress{all, bar}
}

// timesReal is how many seconds of play are done in a second.
func timesReal() decor.DecorFunc {
	began := time.Now()
	return func(s decor.Statistics) string {
		return fmt.Sprintf("%.1fx", float64(s.Current)/float64(max(1, time.Since(began).Microseconds())))
	}
}

// set moves the bar to done of total.
func (p *progress) set(done, total int64) {
	if p != nil {
		p.bar.SetTotal(total, false)
		p.bar.SetCurrent(done)
	}
}

// end takes the bar away.
func (p *progress) end() {
	if p != nil {
		p.bar.Abort(true)
		p.all.Wait()
	}
}
