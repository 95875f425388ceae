package web

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// burnDownView is how much of the budget was left over the course of the period, as a
// line in SVG.
type burnDownView struct {
	Line, Even string // paths: the budget left, and what steady spending would leave; Even is for calendar periods
	Zero       float64
	From, To   string
	Low        string // the lowest value of the drawing, in words
	Words      string // for screen readers
	Days       daysView
}

// Size of the drawing.
const burnWidth, burnHeight = 640.0, 160.0

func newBurnDown(s LevelStatus, c clock) burnDownView {
	v := burnDownView{Days: newDays(s).withRows(s)}
	var known []Point
	for _, p := range s.Left {
		if p.Good.Known {
			known = append(known, p)
		}
	}
	if len(known) < 2 {
		return v
	}
	from, to := known[0].At, c.now
	low := 0.0
	for _, p := range known {
		low = min(low, p.Good.Value)
	}
	low = math.Max(low, -4) // lower values would not make the drawing any clearer
	x := func(at time.Time) float64 { return burnWidth * float64(at.Sub(from)) / float64(max(to.Sub(from), 1)) }
	y := func(left float64) float64 {
		return burnHeight * (1 - math.Max(left, low)) / (1 - low)
	}
	var line strings.Builder
	for i, p := range known {
		move := "L"
		if i == 0 || p.At.Sub(known[i-1].At) > 3*known[1].At.Sub(known[0].At)+time.Minute {
			move = "M"
		}
		fmt.Fprintf(&line, "%s%.1f %.1f", move, x(p.At), y(p.Good.Value))
	}
	v.Line, v.Zero = line.String(), math.Round(10*y(0))/10
	if p := s.Level.Period; p.Calendar != "" {
		start, end := p.Bounds(c.now)
		length := float64(end.Sub(start))
		even := func(at time.Time) float64 { return 1 - float64(at.Sub(start))/length }
		v.Even = fmt.Sprintf("M%.1f %.1fL%.1f %.1f", x(from), y(even(from)), x(to), y(even(to)))
	}
	v.From, v.To, v.Low = from.In(c.zone).Format("2 January 2006"), "now", budgetLeft(low)
	last := known[len(known)-1].Good.Value
	v.Words = fmt.Sprintf("Budget left from %s until now: it began with %s, the least was %s, now it is %s", v.From, budgetLeft(known[0].Good.Value), budgetLeft(leastOf(known)), budgetLeft(last))
	return v
}

func leastOf(points []Point) float64 {
	least := points[0].Good.Value
	for _, p := range points {
		least = min(least, p.Good.Value)
	}
	return least
}
