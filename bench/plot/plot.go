// Package plot draws small charts as SVG: lines over a logarithmic axis, and bars. They have no background, and colours that read on
// light and dark pages.
package plot

import (
	"encoding/xml"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Point is a place on a line. X is > 0.
type Point struct{ X, Y float64 }

// Line is one line of a panel.
type Line struct {
	Name   string // shown where a panel has several
	Points []Point
}

// Panel is one coordinate system.
type Panel struct {
	Title string // what Y is, with its unit
	Lines []Line
}

const (
	panelWidth  = 250
	panelHeight = 150
	left        = 46 // of a panel, for numbers
	right       = 14
	top         = 74
	bottom      = 40
)

var colours = []string{"#3b82f6", "#e8833a", "#2f9e6e"}

const style = `<style>
text{font:11px system-ui,sans-serif;fill:#57606a} .t{font-size:14px;font-weight:600} .h{font-weight:600} .e{text-anchor:end} .m{text-anchor:middle}
.g{stroke:#8b949e;stroke-opacity:.3} .a{stroke:#8b949e} .o{fill:#8b949e;fill-opacity:.55}
@media(prefers-color-scheme:dark){text{fill:#9aa4ae}}
</style>
`

type drawing struct{ strings.Builder }

func begin(title string, width, height int) *drawing {
	d := &drawing{}
	fmt.Fprintf(d, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img">`+"\n", width, height, width, height)
	fmt.Fprintf(d, "<title>%s</title>\n%s", escape(title), style)
	d.text("t", 8, 20, title)
	return d
}

func (d *drawing) end() []byte {
	d.WriteString("</svg>\n")
	return []byte(d.String())
}

func (d *drawing) text(class string, x, y float64, s string) {
	fmt.Fprintf(d, `<text class="%s" x="%.1f" y="%.1f">%s</text>`+"\n", class, x, y, escape(s))
}

func (d *drawing) line(class string, x1, y1, x2, y2 float64) {
	fmt.Fprintf(d, `<line class="%s" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n", class, x1, y1, x2, y2)
}

// Lines draws panels side by side. X is logarithmic, Y starts at 0.
func Lines(title, x string, panels []Panel) []byte {
	d := begin(title, len(panels)*(left+panelWidth+right), top+panelHeight+bottom)
	loX, hiX := decades(panels)
	for i, p := range panels {
		d.panel(float64(i*(left+panelWidth+right)+left), loX, hiX, x, p)
	}
	return d.end()
}

// panel draws from 10^loX to 10^hiX.
func (d *drawing) panel(at, loX, hiX float64, x string, p Panel) {
	hiY := highest(p)
	step := nice(hiY / 4)
	hiY = step * math.Ceil(hiY/step)
	px := func(v float64) float64 { return at + panelWidth*(math.Log10(v)-loX)/(hiX-loX) }
	py := func(v float64) float64 { return top + panelHeight*(1-v/hiY) }
	d.text("h", at, top-32, p.Title)
	for i := range int(math.Round(hiY/step)) + 1 {
		v := float64(i) * step
		d.line("g", at, py(v), at+panelWidth, py(v))
		d.text("e", at-6, py(v)+4, Number(v))
	}
	for e := loX; e <= hiX+1e-9; e++ {
		v := math.Pow(10, e)
		d.line("a", px(v), top+panelHeight, px(v), top+panelHeight+4)
		d.text("m", px(v), top+panelHeight+16, Number(v))
	}
	d.text("m", at+panelWidth/2, top+panelHeight+32, x)
	for i, l := range p.Lines {
		d.path(colours[i%len(colours)], l.Points, px, py)
	}
	if len(p.Lines) > 1 {
		d.legend(at, p.Lines)
	}
}

// legend names lines, below the panel's title.
func (d *drawing) legend(at float64, lines []Line) {
	const letter, gap = 6.3, 24
	for i, l := range lines {
		fmt.Fprintf(d, `<circle cx="%.1f" cy="%d" r="4" fill="%s"/>`, at+4, top-18, colours[i%len(colours)])
		d.text("", at+12, top-14, l.Name)
		at += gap + letter*float64(len(l.Name))
	}
}

func (d *drawing) path(colour string, points []Point, px, py func(float64) float64) {
	var b strings.Builder
	for i, p := range points {
		b.WriteString(map[bool]string{true: "M", false: "L"}[i == 0])
		fmt.Fprintf(&b, "%.1f %.1f", px(p.X), py(p.Y))
	}
	fmt.Fprintf(d, `<path d="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", b.String(), colour)
	for _, p := range points {
		fmt.Fprintf(d, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`+"\n", px(p.X), py(p.Y), colour)
	}
}

// decades answers the exponents of the powers of ten around all X.
func decades(panels []Panel) (loX, hiX float64) {
	loX, hiX = math.Inf(1), math.Inf(-1)
	for _, p := range panels {
		for _, l := range p.Lines {
			for _, pt := range l.Points {
				loX, hiX = min(loX, math.Log10(pt.X)), max(hiX, math.Log10(pt.X))
			}
		}
	}
	if math.IsInf(loX, 0) {
		return 0, 1
	}
	loX, hiX = math.Floor(loX), math.Ceil(hiX-1e-9)
	return loX, max(hiX, loX+1)
}

// highest answers the largest Y, or 1 where none is above 0.
func highest(p Panel) float64 {
	most := 0.0
	for _, l := range p.Lines {
		for _, pt := range l.Points {
			most = max(most, pt.Y)
		}
	}
	if most == 0 {
		return 1
	}
	return most
}

// nice rounds up to 1, 2 or 5 times a power of ten. v is > 0.
func nice(v float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 5, 10} {
		if v <= m*unit*(1+1e-9) {
			return m * unit
		}
	}
	return 10 * unit
}

// Number writes a number short: 1.5k, 2M.
func Number(v float64) string {
	for _, u := range []struct {
		unit float64
		name string
	}{{1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if math.Abs(v) >= u.unit {
			return strconv.FormatFloat(v/u.unit, 'g', 3, 64) + u.name
		}
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// Bar is one bar.
type Bar struct {
	Name   string
	Value  float64 // ≥ 0
	Strong bool    // in colour
}

// Group is bars under one heading and on one scale.
type Group struct {
	Title string
	Bars  []Bar
}

// Bars draws groups below each other, the longest bar of each as long as the chart.
func Bars(title string, groups []Group) []byte {
	const width, names, numbers, row, heading = 640, 200, 60, 20, 34
	height := 30
	for _, g := range groups {
		height += heading + row*len(g.Bars)
	}
	d := begin(title, width, height)
	y := 30.0
	for _, g := range groups {
		most := 0.0
		for _, b := range g.Bars {
			most = max(most, b.Value)
		}
		d.text("h", 8, y+22, g.Title)
		y += heading
		for _, b := range g.Bars {
			class, long := `class="o"`, 0.0
			if b.Strong {
				class = `fill="` + colours[0] + `"`
			}
			if most > 0 {
				long = b.Value / most * (width - names - numbers)
			}
			d.text("e", names-8, y+11, b.Name)
			fmt.Fprintf(d, `<rect %s x="%d" y="%.1f" width="%.1f" height="14" rx="2"/>`+"\n", class, names, y, long)
			d.text("", names+long+6, y+11, Number(b.Value))
			y += row
		}
	}
	return d.end()
}

func escape(s string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(s)) // a Builder takes everything
	return b.String()
}
