package web

import (
	"fmt"
	"math"
	"time"
)

// stripView is the recent past as a row of cells, drawn as SVG. A good cell is low, a
// bad one is higher the worse it was, and a gap is a dot, so that heights mean the same
// as colours.
type stripView struct {
	Cells []cellView
	Width float64 // of a cell
	Span  string  // "5 min", what the row covers
	Words string  // the row in words, for screen readers
}

type cellView struct {
	Class        string // good, bad, none
	X, Y, Height float64
}

const (
	stripCells  = 60 // at most
	stripWidth  = 240.0
	stripHeight = 24.0
)

// spans are the lengths that a strip may have. It has the shortest that contains
// everything known.
var spans = []time.Duration{5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour}

// newStrip divides the history into cells, none shorter than a step of the
// history. Each shows the mean of its points.
func newStrip(s LevelStatus, now time.Time) stripView {
	length := stripSpan(s.History, now)
	if length == 0 {
		return stripView{}
	}
	cells := stripCells
	if len(s.History) > 1 {
		step := s.History[1].At.Sub(s.History[0].At)
		cells = int(max(2, min(stripCells, length/max(step, 1))))
	}
	bad, n := make([]float64, cells), make([]float64, cells)
	for _, p := range s.History {
		i := cells - 1 - int(now.Sub(p.At)/(length/time.Duration(cells)))
		if p.Good.Known && !p.At.After(now) && i >= 0 {
			bad[i] += 1 - p.Good.Value
			n[i]++
		}
	}
	v := stripView{Span: span(length), Width: stripWidth / float64(cells) * 0.75}
	known, missed := 0, 0
	for i := range cells {
		share := -1.0
		if n[i] > 0 {
			known++
			share = bad[i] / n[i]
		}
		c := newCell(share, s.Level.ObjectiveBudget().Float64())
		c.X, c.Y = stripWidth/float64(cells)*float64(i), stripHeight-c.Height
		if c.Class == "bad" {
			missed++
		}
		v.Cells = append(v.Cells, c)
	}
	v.Words = fmt.Sprintf("Last %s: %d of %d measured steps within the objective", v.Span, known-missed, known)
	return v
}

// newCell judges a bad share, which is negative if unknown.
func newCell(share, budget float64) cellView {
	switch {
	case share < 0:
		return cellView{Class: "none", Height: 2}
	case share <= budget+noise:
		return cellView{Class: "good", Height: 8}
	}
	// The square root keeps one bad request in a hundred visible next to an outage.
	return cellView{Class: "bad", Height: math.Round(10*(10+14*math.Sqrt(min(1, share)))) / 10}
}

// stripSpan returns the shortest span that reaches back to the first known point;
// 0 if there is none.
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
