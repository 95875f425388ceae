package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/sla"
)

// chart is the course of a level over its period, drawn in a box of 1000 × 200 that
// stretches with the page, with rows of events below it. Its texts are outside of the
// drawing, so that they stay readable at any width.
type chart struct {
	Line, Area string // paths
	Dot        string // the end of the line
	BudgetY    string // "" if the budget is outside of the drawing
	Over       bool
	Ticks      []tick
	NowX       string // now, in a running period; "" if it is over
	Rows       []row
	Used       string // a description for people who cannot see it
	Thing      string // time, slots, events
	BudgetText string
	BadText    string
	BudgetTop  float64 // position of the label, in per cent from the top
	EndTop     float64
	EndX       float64
	// EndFromLeft puts the label of the end to its right, where there is more space.
	EndFromLeft bool
	EndUnder    bool // the label of the end is below the line, because the budget's is above it
	Legend      string
}

// tick is a moment on the axis, at so many per cent of its length.
type tick struct {
	X     float64
	Label string
}

// Line is the position of the tick in the drawing.
func (t tick) Line() string { return number(t.X * 10) }

// row has the times of one kind, below the chart.
type row struct {
	Name  string
	Class string
	Bars  []bar
}

type bar struct {
	X, Width string
	Class    string // counts, excluded, unseen
	Title    string
}

const (
	chartWidth  = 1000.0
	chartHeight = 200.0
	chartRoom   = 12.0 // above the highest point
)

func tenth(f float64) float64 { return math.Round(f*10) / 10 }

func number(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }

// newChart returns nil for a level with nothing to draw: nothing bad, no outage, no gap
// in the measurement.
func newChart(r *verdict.Report, p verdict.ReportPeriod, l *verdict.Level, c clock) *chart {
	length := p.End.Sub(p.Start)
	if length <= 0 {
		return nil
	}
	x := func(t time.Time) float64 {
		return min(chartWidth, max(0, chartWidth*t.Sub(p.Start).Seconds()/length.Seconds()))
	}
	v := &chart{Ticks: ticksOf(p, c), Thing: thing(l.Unit), Legend: "A filled bar counts, a hollow one is excused, a thin one was not measured."}
	v.Rows = rowsOf(r, l, c, x)
	drawn := len(l.Course) > 1 && !isZero(l.Bad)
	if drawn {
		v.course(l, x)
	}
	if !drawn && len(v.Rows) == 0 {
		return nil
	}
	if running(p) {
		v.NowX = number(x(p.Until))
	}
	return v
}

// course draws how the bad time or events added up, compared with the budget.
func (v *chart) course(l *verdict.Level, x func(time.Time) float64) {
	top := max(parsed(l.Bad).Float64(), parsed(l.Budget).Float64(), parsed(l.Course[len(l.Course)-1].Bad).Float64())
	if top <= 0 {
		return
	}
	y := func(d sla.Decimal) float64 { return chartHeight - (chartHeight-chartRoom)*d.Float64()/top }
	var path strings.Builder
	var lastX, lastY float64
	for i, p := range l.Course {
		lastX, lastY = x(p.At), y(parsed(p.Bad))
		fmt.Fprintf(&path, "%s%s %s", []string{"M", "L"}[min(i, 1)], number(lastX), number(lastY))
	}
	v.Line = path.String()
	v.Area = fmt.Sprintf("%sL%s %sL%s %sZ", v.Line, number(lastX), number(chartHeight), number(x(l.Course[0].At)), number(chartHeight))
	v.Dot = fmt.Sprintf("M%s %sh0", number(lastX), number(lastY))
	if budget := parsed(l.Budget); budget.Sign() > 0 {
		v.BudgetY = number(y(budget))
	}
	v.Over = parsed(l.Bad).Cmp(parsed(l.Budget)) > 0
	v.Used = fmt.Sprintf("Bad over the period: %s in the end, of a budget of %s", quantity(l.Bad, l.Unit), orNone(quantity(l.Budget, l.Unit)))
	v.BudgetText, v.BadText = quantity(l.Budget, l.Unit), quantity(l.Bad, l.Unit)
	v.BudgetTop = tenth(100 * y(parsed(l.Budget)) / chartHeight)
	v.EndTop, v.EndX = tenth(100*lastY/chartHeight), tenth(100*lastX/chartWidth)
	v.EndFromLeft = v.EndX < 50
	v.EndUnder = v.EndTop > v.BudgetTop && v.EndTop-v.BudgetTop < 18
}

// maxBars bounds what one row draws. More could not be distinguished.
const maxBars = 500

func rowsOf(r *verdict.Report, l *verdict.Level, c clock, x func(time.Time) float64) []row {
	of := func(from, to time.Time, class, title string) bar {
		a, b, least := x(from), x(to), 2.0
		if class == "excluded" {
			least = 6 // so that it looks hollow
		}
		return bar{number(min(a, chartWidth-least)), number(max(least, b-a)), class, title}
	}
	span := func(from, to time.Time) string { return c.instant(from).Text + " to " + c.until(from, to).Text }
	outages := row{Name: "Outages"}
	for _, o := range l.Outages[:min(len(l.Outages), maxBars)] {
		class := "counts"
		if isZero(o.Counted) {
			class = "excluded"
		}
		outages.Bars = append(outages.Bars, of(o.Start, o.End, class, span(o.Start, o.End)+", "+quantity(o.Counted, "seconds")+" count"))
	}
	excluded := row{Name: "Excluded"}
	for _, e := range r.Exclusions {
		if !excuses(l, e.Name) {
			continue
		}
		for _, s := range e.Spans[:min(len(e.Spans), maxBars)] {
			excluded.Bars = append(excluded.Bars, of(s.From, s.To, "excluded", oneLine(e.Name)+": "+span(s.From, s.To)))
		}
	}
	unseen := row{Name: "Not measured"}
	for _, s := range l.NotMeasured[:min(len(l.NotMeasured), maxBars)] {
		unseen.Bars = append(unseen.Bars, of(s.From, s.To, "unseen", span(s.From, s.To)))
	}
	var rows []row
	for _, candidate := range []row{outages, excluded, unseen} {
		if len(candidate.Bars) > 0 {
			rows = append(rows, candidate)
		}
	}
	return rows
}

// excuses returns whether an exclusion excused anything of the level.
func excuses(l *verdict.Level, exclusion string) bool {
	for _, o := range l.Outages {
		for _, e := range o.Excluded {
			if e.Name == exclusion {
				return true
			}
		}
	}
	return false
}

// ticksOf marks an axis: hours of up to two days, days of up to two weeks, weeks of a
// month or a quarter, and months of longer periods.
func ticksOf(p verdict.ReportPeriod, c clock) []tick {
	start, end := p.Start.In(c.loc), p.End
	length := end.Sub(start)
	day := time.Date(start.Year(), start.Month(), start.Day(), 0, 0, 0, 0, c.loc)
	var step func(time.Time) time.Time
	layout := "2 Jan"
	switch days := length.Hours() / 24; {
	case days <= 2.5:
		step, layout = func(t time.Time) time.Time { return t.Add(6 * time.Hour) }, "15:04"
	case days <= 10:
		step, layout = func(t time.Time) time.Time { return t.AddDate(0, 0, 1) }, "Mon 2"
	case days <= 45:
		step = func(t time.Time) time.Time { return t.AddDate(0, 0, 7) }
	case days <= 130:
		step = func(t time.Time) time.Time { return t.AddDate(0, 0, 14) }
	case days <= 800:
		day = time.Date(start.Year(), start.Month(), 1, 0, 0, 0, 0, c.loc)
		step, layout = func(t time.Time) time.Time { return t.AddDate(0, 2, 0) }, "Jan"
	default:
		day = time.Date(start.Year(), 1, 1, 0, 0, 0, 0, c.loc)
		years := 1 + int(days/3650)
		step, layout = func(t time.Time) time.Time { return t.AddDate(years, 0, 0) }, "2006"
	}
	var ticks []tick
	for t := day; t.Before(end) && len(ticks) < 24; t = step(t) {
		if at := 100 * t.Sub(start).Seconds() / length.Seconds(); at >= 0 && at < 96 {
			ticks = append(ticks, tick{tenth(at), t.Format(layout)})
		}
	}
	return ticks
}
