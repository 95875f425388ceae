package simulate

import (
	"bytes"
	"fmt"
	"html"
	"time"
)

// Sizes of the picture, in pixels.
const (
	svgNames  = 300
	svgBars   = 640
	svgLine   = 22
	svgMargin = 12
)

const svgStyle = `<style>
text{font:12px system-ui,sans-serif;fill:#1f2328}.title{font-weight:600}.axis{fill:#59636e}
.paper{fill:#fff}.grid{stroke:#d1d9e0}.step{fill:#6e7781}.pending{fill:#d4a72c}.page{fill:#cf222e}.ticket{fill:#0969da}
@media (prefers-color-scheme:dark){text{fill:#f0f6fc}.axis{fill:#9198a1}.paper{fill:#0d1117}.grid{stroke:#3d444d}
.step{fill:#9198a1}.pending{fill:#bb8009}.page{fill:#f85149}.ticket{fill:#4493f8}}
</style>
`

// SVG draws the timelines of results as one picture, for light and dark pages, without
// references to other files.
func SVG(results []*Result) []byte {
	var body bytes.Buffer
	y := svgMargin
	for _, r := range results {
		y = r.draw(&body, y) + svgLine
	}
	width, height := svgNames+svgBars+2*svgMargin, y
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img">`+"\n", width, height, width, height)
	b.WriteString(svgStyle)
	fmt.Fprintf(&b, `<rect class="paper" width="%d" height="%d"/>`+"\n", width, height)
	b.Write(body.Bytes())
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// draw draws one result below y, and returns its lower end.
func (r *Result) draw(b *bytes.Buffer, y int) int {
	end := r.End.Sub(r.At)
	x := func(d time.Duration) float64 {
		return svgMargin + svgNames + svgBars*float64(min(max(d, 0), end))/float64(end)
	}
	y += svgLine
	fmt.Fprintf(b, `<text class="title" x="%d" y="%d">%s</text>`+"\n", svgMargin, y-6, html.EscapeString(r.title()))
	lanes := r.lanes()
	bottom := y + svgLine*(len(lanes)+1)
	step := axisStep(end)
	for at := time.Duration(0); at <= end; at += step {
		fmt.Fprintf(b, `<line class="grid" x1="%.1f" y1="%d" x2="%.1f" y2="%d"/><text class="axis" x="%.1f" y="%d">%s</text>`+"\n", x(at), y+svgLine-4, x(at), bottom, x(at)+2, y+svgLine-8, Span(at))
	}
	y += svgLine
	for _, l := range lanes {
		fmt.Fprintf(b, `<g><title>%s</title><text x="%d" y="%d">%s</text>`, html.EscapeString(l.title), svgMargin, y+15, html.EscapeString(shortened(l.name)))
		for _, bar := range l.bars {
			class := "step"
			switch {
			case bar.firing && l.page:
				class = "page"
			case bar.firing:
				class = "ticket"
			case l.alert:
				class = "pending"
			}
			fmt.Fprintf(b, `<rect class="%s" x="%.1f" y="%d" width="%.1f" height="12" rx="2"/>`, class, x(bar.from), y+5, max(1, x(bar.to)-x(bar.from)))
		}
		b.WriteString("</g>\n")
		y += svgLine
	}
	return y
}

// axisStep is the time between two lines of the grid: at most nine fit.
func axisStep(end time.Duration) time.Duration {
	const day = 24 * time.Hour
	for _, step := range []time.Duration{
		time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
		time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, day, 2 * day, 7 * day,
	} {
		if end/step < 9 {
			return step
		}
	}
	return 14 * day
}

// shortened is a name cut to fit beside the bars.
func shortened(name string) string {
	const most = 40
	if r := []rune(name); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return name
}
