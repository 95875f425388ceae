package web

import (
	"net/http"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// Month is what was counted in a month of the agreement's time zone.
type Month struct {
	Start  time.Time
	Levels []MonthLevel
}

// MonthLevel is what was counted of a level, in the unit of LevelStatus.Bad.
type MonthLevel struct {
	Level      *sla.ServiceLevel
	Bad, Total Figure
	From       time.Time // the first day in the month with any count
}

// monthsPage is what the template of the months of an agreement shows.
type monthsPage struct {
	page
	Name, Agreement string
	Months          []monthView
}

type monthView struct {
	Title   string // "November 2026"
	ID      string // "2026-11"
	SoFar   bool
	Rows    []monthRow
	Reports []ClosedPeriod // of periods that ended within the month, or at its end
}

type monthRow struct {
	Name, Path string
	Promised   string // "99.9 % over 30 d"
	Achieved   string // "" if nothing was counted
	Bad        string
	Measured   string // for levels by time
	Mark       mark
}

func (h *pages) months(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("sla")
	all := h.opts.Source.Agreements()
	i := slices.IndexFunc(all, func(a *sla.Agreement) bool { return a.Name == name })
	if i < 0 {
		h.noAgreement(w, name)
		return
	}
	months, err := h.opts.Source.Months(r.Context(), all[i])
	if err != nil {
		h.unavailable(w, r, err)
		return
	}
	closed, err := h.closedPeriods(r, name)
	if err != nil {
		h.unavailable(w, r, err)
		return
	}
	p := h.pageIn("Months of "+name, zoneOf(all[i]))
	v := monthsPage{page: p, Name: name, Agreement: agreementPath(name)}
	for _, m := range months {
		v.Months = append(v.Months, newMonth(m, closed, p.clock))
	}
	h.render(w, http.StatusOK, "months", v)
}

func newMonth(m Month, closed []ClosedPeriod, c clock) monthView {
	end := m.Start.AddDate(0, 1, 0)
	v := monthView{Title: m.Start.Format("January 2006"), ID: m.Start.Format("2006-01"), SoFar: end.After(c.now)}
	for _, l := range m.Levels {
		v.Rows = append(v.Rows, newMonthRow(l, m.Start))
	}
	for _, p := range closed {
		if p.End.After(m.Start) && !p.End.After(end) {
			v.Reports = append(v.Reports, p)
		}
	}
	return v
}

// lateStart is how late in a month the first count means a gap, and not just a night
// without traffic.
const lateStart = 2 * 24 * time.Hour

func newMonthRow(m MonthLevel, start time.Time) monthRow {
	l := m.Level
	row := monthRow{
		Name: l.ID.Service + " / " + l.ID.SLO, Path: levelPath(l.ID), Mark: mark{string(sla.ClassNone), "Not measured"},
		Promised: l.Target.String() + thin + "% over " + overWords(l.Period),
	}
	if !m.Total.Known || m.Total.Value <= 0 {
		return row
	}
	good := 1 - m.Bad.Value/m.Total.Value
	row.Achieved, row.Bad = achievedPercent(good, l.Target), amount(l, m.Bad.Value)
	if l.Aggregation.ByTime() {
		row.Measured = span(time.Duration(m.Total.Value*float64(time.Second))) + " measured"
	} else {
		row.Bad += " events"
	}
	row.Mark = mark{string(sla.ClassGood), "Within the target share"}
	switch {
	case below(good, l.TargetRatio().Float64()):
		row.Mark = mark{string(sla.ClassBad), "Below the target share"}
	case m.From.Sub(start) > lateStart: // nobody knows what happened before
		row.Mark = mark{string(sla.ClassNone), "Counted only from " + m.From.Format("2 January") + " on"}
	}
	return row
}
