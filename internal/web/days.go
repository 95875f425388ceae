package web

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// daysView is the period as a row of days, drawn as SVG, and as a table.
type daysView struct {
	Paths []dayPath
	Width int
	Words string // the row in words, for screen readers
	First string // "12 February"
	Rows  []dayRow
}

// dayPath has all days of one class. The heights mean the same as the colours.
type dayPath struct{ Class, D string }

type dayRow struct {
	Date, ISO string
	Mark      mark
	Bad       string
	Achieved  string
}

// Sizes in the drawing of days.
const (
	dayWidth, dayGap, daysHeight = 8, 2, 24
	mostDays                     = 92
)

// dayKinds are the kinds of days: not measured, then from good to bad.
var dayKinds = [...]struct {
	class  string
	height int
	words  string
}{
	{"none", 3, "not measured"},
	{"good", 8, "nothing bad"},
	{"some", 12, "within the target share"},
	{"warn", 17, "below the target share"},
	{"bad", 24, "a tenth of the period's budget or more"},
}

// dayJudge judges days by the target share, and by how much of the period's budget they
// cost.
type dayJudge struct{ budget, tenth float64 }

func newDayJudge(l *sla.ServiceLevel) dayJudge {
	budget, days := l.TargetBudget().Float64(), float64(l.Period.Nominal()/(24*time.Hour))
	return dayJudge{budget, budget * max(days, 1) / 10}
}

// kind is the index of a day in dayKinds.
func (j dayJudge) kind(d Day) int {
	if !d.Total.Known || d.Total.Value <= 0 {
		return 0
	}
	switch share := d.Bad.Value / d.Total.Value; {
	case share <= noise:
		return 1
	case share <= j.budget+noise:
		return 2
	case share < j.tenth:
		return 3
	}
	return 4
}

// newDays draws the newest days, at most mostDays.
func newDays(s LevelStatus) daysView {
	days := s.Days
	if len(days) > mostDays {
		days = days[len(days)-mostDays:]
	}
	if len(days) == 0 {
		return daysView{}
	}
	judge := newDayJudge(s.Level)
	var drawn [len(dayKinds)]strings.Builder
	var counts [len(dayKinds)]int
	v := daysView{Width: len(days)*(dayWidth+dayGap) - dayGap, First: days[0].Start.Format("2 January")}
	for i, d := range days {
		k := judge.kind(d)
		counts[k]++
		fmt.Fprintf(&drawn[k], "M%d %dh%dV%dh-%dz", i*(dayWidth+dayGap), daysHeight-dayKinds[k].height, dayWidth, daysHeight, dayWidth)
	}
	var words []string
	for k, kind := range dayKinds {
		if counts[k] > 0 {
			v.Paths = append(v.Paths, dayPath{kind.class, drawn[k].String()})
			words = append(words, strconv.Itoa(counts[k])+" "+kind.words)
		}
	}
	v.Words = plural(len(days), "day", "days") + " up to today: " + strings.Join(words, ", ")
	return v
}

// withRows adds the table, the newest day first.
func (v daysView) withRows(s LevelStatus) daysView {
	judge := newDayJudge(s.Level)
	for _, d := range slices.Backward(s.Days) {
		kind := dayKinds[judge.kind(d)]
		row := dayRow{Date: d.Start.Format("Mon 2 January 2006"), ISO: d.Start.Format(time.DateOnly), Mark: mark{kind.class, kind.words}}
		if kind.class == "some" {
			row.Mark.Class = string(sla.ClassGood)
		}
		if d.Total.Known && d.Total.Value > 0 {
			row.Achieved = achievedPercent(1-d.Bad.Value/d.Total.Value, s.Level.Target)
			row.Bad = amount(s.Level, d.Bad.Value)
		}
		v.Rows = append(v.Rows, row)
	}
	return v
}

// amount formats an amount of time, or a number of events.
func amount(l *sla.ServiceLevel, n float64) string {
	if l.Aggregation.ByTime() {
		return span(time.Duration(n * float64(time.Second)))
	}
	return count(n, false)
}
