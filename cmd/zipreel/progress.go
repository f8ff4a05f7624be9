package main

import (
	"os"

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

func newProgress(doing string) *progress {
	if !cwriter.IsTerminal(int(os.Stderr.Fd())) {
		return nil
	}
	all := mpb.New(mpb.WithOutput(os.Stderr))
	bar := all.AddBar(0,
		mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name(doing+" "), decor.CountersKibiByte("% .1f / % .1f")),
		mpb.AppendDecorators(decor.AverageSpeed(decor.SizeB1024(0), "% .1f"), decor.AverageETA(decor.ET_STYLE_GO, decor.WC{W: 8})),
	)
	return &progress{all, bar}
}

// set moves the bar to done of total bytes.
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
