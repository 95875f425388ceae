package report

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/internal/verdict"
)

// trendPeriods is how many periods a trend has at most, including the report's own.
const trendPeriods = 12

// trendView has the last periods of every level.
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

// newTrend returns nil if there is no earlier period. If a period was restated, its
// last version counts.
func newTrend(r *verdict.Report, history []*verdict.Report) *trendView {
	past := pastPeriods(r, history)
	if len(past) == 0 {
		return nil
	}
	all := append(past, r)
	v := &trendView{}
	levels := make([]map[levelKey]*verdict.Level, len(all))
	for i, p := range all {
		levels[i] = levelsByKey(p)
		v.Periods, v.Full = append(v.Periods, shortPeriod(p.Period)), append(v.Full, periodWords(p.Period))
		v.Overall = append(v.Overall, trendCell{
			Short: shortPeriod(p.Period), Full: periodWords(p.Period), Mark: markOf(p.Verdict, running(p.Period)), Now: p == r,
		})
	}
	for i := range r.Levels {
		l := &r.Levels[i]
		row := levelTrend{Name: levelName(l), Group: oneLine(labelWords(l.Group))}
		for j, p := range all {
			row.Cells = append(row.Cells, cellOf(p, levels[j][keyOf(l)], p == r))
		}
		v.Levels = append(v.Levels, row)
	}
	return v
}

func pastPeriods(r *verdict.Report, history []*verdict.Report) []*verdict.Report {
	return Past(r.Agreement, r.Period, history, func(h *verdict.Report) (string, verdict.ReportPeriod, int) { return h.Agreement, h.Period, h.Version })
}

// Past chooses what a report shows of earlier periods: the newest version of each of
// the last periods of the same kind, in their order. all may be reports, or summaries
// of reports that are not read yet.
func Past[T any](agreement string, period verdict.ReportPeriod, all []T, of func(T) (agreement string, period verdict.ReportPeriod, version int)) []T {
	type past struct {
		report  T
		start   time.Time
		version int
	}
	last := map[string]past{}
	for _, h := range all {
		a, p, version := of(h)
		if a != agreement || !p.Start.Before(period.Start) || !sameKind(p, period) {
			continue
		}
		if kept, ok := last[p.Name]; !ok || version > kept.version {
			last[p.Name] = past{h, p.Start, version}
		}
	}
	sorted := slices.SortedFunc(maps.Values(last), func(a, b past) int { return a.start.Compare(b.start) })
	var chosen []T
	for _, p := range sorted[max(0, len(sorted)-(trendPeriods-1)):] {
		chosen = append(chosen, p.report)
	}
	return chosen
}

// PartWord is between the name of a period and the revision that judges a part of it:
// "2026-10 revision 2".
const PartWord = " revision "

// sameKind returns whether both are months, or both 30 days, or parts of such periods.
func sameKind(a, b verdict.ReportPeriod) bool { return kindOf(a) == kindOf(b) }

// kindOf is what the names of all periods of a kind have in common: "0000-00" for
// months, "0000-Q0" for quarters, "30d" for 30 days.
func kindOf(p verdict.ReportPeriod) string {
	whole, _, _ := strings.Cut(p.Name, PartWord)
	if length, _, rolling := strings.Cut(whole, " to "); rolling {
		return length
	}
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return '0'
		}
		return r
	}, whole)
}

// levelKey identifies a level across the reports of several periods.
type levelKey struct{ service, slo, group string }

func keyOf(l *verdict.Level) levelKey { return levelKey{l.Service, l.SLO, labelWords(l.Group)} }

// levelsByKey indexes the levels of a report, which may have thousands of groups.
func levelsByKey(r *verdict.Report) map[levelKey]*verdict.Level {
	all := make(map[levelKey]*verdict.Level, len(r.Levels))
	for i := range r.Levels {
		all[keyOf(&r.Levels[i])] = &r.Levels[i]
	}
	return all
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
