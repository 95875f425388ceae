package web

import (
	"fmt"
	"math"
	"time"
)

// stripView is the recent past as a row of cells, drawn as SVG: a good cell is
// low, a bad one is higher the worse it was, a gap is a dot. Heights carry what
// the colours say.
type stripView struct {
	Cells []cellView
	Span  string // "5 min", what the row covers
	Words string // the row for those who do not see it
}

type cellView struct {
	Class        string // good, bad, none
	X, Y, Height float64
}

const (
	stripCells  = 60
	stripHeight = 24.0
)

// spans are the lengths that a strip may have: the shortest that holds
// everything known.
var spans = []time.Duration{5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour}

// newStrip sorts the history into cells; each shows the mean of its points.
func newStrip(s LevelStatus, now time.Time) stripView {
	length := stripSpan(s.History, now)
	if length == 0 {
		return stripView{}
	}
	cell := length / stripCells
	var sum, n [stripCells]float64
	for _, p := range s.History {
		i := stripCells - 1 - int(now.Sub(p.At)/cell)
		if !p.Good.Known || p.At.After(now) || i < 0 {
			continue
		}
		sum[i] += 1 - p.Good.Value
		n[i]++
	}
	budget := s.Level.ObjectiveBudget().Float64()
	v := stripView{Span: span(length)}
	known, bad := 0, 0
	for i := range stripCells {
		c := cellView{Class: "none", X: float64(i) * 4, Height: 2}
		if n[i] > 0 {
			known++
			c.Class, c.Height = "good", 8
			if share := sum[i] / n[i]; share > budget+noise {
				bad++
				// The root lets one bad request in a hundred be seen beside an outage.
				c.Class, c.Height = "bad", math.Round(10*(10+14*math.Sqrt(min(1, share))))/10
			}
		}
		c.Y = stripHeight - c.Height
		v.Cells = append(v.Cells, c)
	}
	v.Words = fmt.Sprintf("Last %s: %d of %d measured steps within the objective", v.Span, known-bad, known)
	return v
}

// stripSpan is the shortest span that reaches back to the first known point, 0
// if there is none.
func stripSpan(history []Point, now time.Time) time.Duration {
	for _, p := range history {
		if !p.Good.Known {
			continue
		}
		for _, s := range spans {
			if now.Sub(p.At) < s {
				return s
			}
		}
		return spans[len(spans)-1]
	}
	return 0
}
