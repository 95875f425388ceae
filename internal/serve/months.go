package serve

import (
	"context"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/internal/web"
	"github.com/upheld-sla/upheld/sla"
)

// monthsWithin is how far back the page of months looks.
const monthsWithin = 400 * 24 * time.Hour

// Months are the months of an agreement in which anything was counted, the newest first.
func (src *source) Months(ctx context.Context, a *sla.Agreement) ([]web.Month, error) {
	d := src.months
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	if err := d.update(ctx, src.Agreements(), now); err != nil {
		return nil, err
	}
	zone := a.Location()
	sums, first := map[time.Time]map[sla.ID]dayCounts{}, map[time.Time]map[sla.ID]time.Time{}
	for _, l := range a.Levels {
		for day, c := range d.byDay[l.ID] {
			if c.total <= 0 {
				continue
			}
			date := time.Unix(int64(day)*24*60*60, 0).UTC()
			start := time.Date(date.Year(), date.Month(), 1, 0, 0, 0, 0, zone)
			if sums[start] == nil {
				sums[start], first[start] = map[sla.ID]dayCounts{}, map[sla.ID]time.Time{}
			}
			at := time.Date(date.Year(), date.Month(), date.Day(), 0, 0, 0, 0, zone)
			if known, ok := first[start][l.ID]; !ok || at.Before(known) {
				first[start][l.ID] = at
			}
			of := sums[start][l.ID]
			sums[start][l.ID] = dayCounts{bad: of.bad + c.bad, total: of.total + c.total}
		}
	}
	var months []web.Month
	for start, levels := range sums {
		m := web.Month{Start: start}
		for _, l := range a.Levels {
			of := web.MonthLevel{Level: l}
			if c, counted := levels[l.ID]; counted {
				of.Bad, of.Total, of.From = web.Known(c.bad), web.Known(c.total), first[start][l.ID]
			}
			m.Levels = append(m.Levels, of)
		}
		months = append(months, m)
	}
	slices.SortFunc(months, func(a, b web.Month) int { return b.Start.Compare(a.Start) })
	return months, nil
}
