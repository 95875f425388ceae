package report

import (
	"slices"

	"github.com/upheld-sla/upheld/internal/verdict"
)

// trendPeriods is how many periods a trend has at most, with the one of the report.
const trendPeriods = 12

// trendView is the last periods of every level.
type trendView struct {
	Periods []string // short names
	Full    []string
	Overall []trendCell
	Levels  []levelTrend
}

type levelTrend struct {
	Name, Href, Group string
	Cells             []trendCell
}

// trendCell is one period of one level.
type trendCell struct {
	Short, Full string
	Mark        mark
	Achieved    string
	Target      string
	Known       bool
	Height      float64 // of the column, 0 to 100; 80 is the whole budget
	Over        bool
	Now         bool
}

// newTrend is nil if there is no earlier period. Of a period that was restated the last
// version counts.
func newTrend(r *verdict.Report, history []*verdict.Report) *trendView {
	past := pastPeriods(r, history)
	if len(past) == 0 {
		return nil
	}
	all := append(past, r)
	v := &trendView{}
	for _, p := range all {
		v.Periods, v.Full = append(v.Periods, shortPeriod(p.Period)), append(v.Full, periodWords(p.Period))
		v.Overall = append(v.Overall, trendCell{
			Short: shortPeriod(p.Period), Full: periodWords(p.Period), Mark: markOf(p.Verdict, running(p.Period)), Now: p == r,
		})
	}
	for i := range r.Levels {
		l := &r.Levels[i]
		row := levelTrend{Name: levelName(l), Group: oneLine(labelWords(l.Group))}
		for _, p := range all {
			row.Cells = append(row.Cells, cellOf(p, sameLevel(p, l), p == r))
		}
		v.Levels = append(v.Levels, row)
	}
	return v
}

func pastPeriods(r *verdict.Report, history []*verdict.Report) []*verdict.Report {
	last := map[string]*verdict.Report{}
	for _, h := range history {
		if h.Agreement != r.Agreement || !h.Period.Start.Before(r.Period.Start) {
			continue
		}
		if kept, ok := last[h.Period.Name]; !ok || h.Version > kept.Version {
			last[h.Period.Name] = h
		}
	}
	var past []*verdict.Report
	for _, h := range last {
		past = append(past, h)
	}
	slices.SortFunc(past, func(a, b *verdict.Report) int { return a.Period.Start.Compare(b.Period.Start) })
	return past[max(0, len(past)-(trendPeriods-1)):]
}

// sameLevel finds a level in the report of another period, nil if it had none.
func sameLevel(r *verdict.Report, l *verdict.Level) *verdict.Level {
	for i := range r.Levels {
		o := &r.Levels[i]
		if o.Service == l.Service && o.SLO == l.SLO && labelWords(o.Group) == labelWords(l.Group) {
			return o
		}
	}
	return nil
}

func cellOf(r *verdict.Report, l *verdict.Level, now bool) trendCell {
	c := trendCell{Short: shortPeriod(r.Period), Full: periodWords(r.Period), Now: now, Mark: mark{"No such promise", "none"}}
	if l == nil {
		return c
	}
	c.Mark, c.Target = markOf(l.Verdict, running(periodOf(r, l))), allDigits(oneLine(l.Target))
	c.Achieved, c.Known = percentText(l.Achieved, l.Target), l.Achieved != ""
	if !c.Known {
		return c
	}
	used := share(l.Bad, l.Budget)
	c.Over = used > 1 || l.Verdict == verdict.Breached
	if c.Over && used <= 1 {
		used = 1.25 // a promise without budget
	}
	c.Height = max(3, min(100, used*80))
	return c
}
