package serve

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/web"
	"github.com/upheld-sla/upheld/sla"
)

// days remembers what was counted on each day of each level, since a page cannot wait
// until a month of all levels is read. Samples are added once, after they were
// recorded.
type days struct {
	src    *source
	within time.Duration // how far back it looks

	mu    sync.Mutex
	until time.Time        // samples up to then are counted
	from  []*sla.Agreement // whose levels these are; when they change, days starts again
	zones map[sla.ID]*time.Location
	byDay map[sla.ID]map[int]*dayCounts // by days since the year 1 in the zone of the agreement
}

type dayCounts struct{ bad, total float64 }

// daysWithin is how much of a period is shown as days.
const daysWithin = 92 * 24 * time.Hour

// daySeries selects what is counted of days: the same series as for periods.
var daySeries = `{__name__=~"` + metricnames.BadIncrease + "|" + metricnames.TotalIncrease + `"}`

// update counts what was recorded since the last time.
func (d *days) update(ctx context.Context, agreements []*sla.Agreement, now time.Time) error {
	from := d.until
	if from.IsZero() || !slices.Equal(d.from, agreements) {
		d.from = agreements
		from = now.Add(-d.longestShown(agreements) - 24*time.Hour)
		d.byDay, d.zones = map[sla.ID]map[int]*dayCounts{}, map[sla.ID]*time.Location{}
		for _, a := range agreements {
			zone := a.Location()
			for _, l := range a.Levels {
				d.zones[l.ID] = zone
			}
		}
	}
	to := now.Add(-2 * d.src.s.RulesInterval) // later evaluations may not be stored yet
	err := d.src.read(ctx, daySeries, from.Add(time.Millisecond), to, func(ls labels.Labels, it chunkenc.Iterator) error {
		id := idOf(ls)
		zone, shown := d.zones[id]
		if !shown {
			return nil
		}
		byDay := d.byDay[id]
		if byDay == nil {
			byDay = map[int]*dayCounts{}
			d.byDay[id] = byDay
		}
		countDays(byDay, it, zone, ls.Get(model.MetricNameLabel) == metricnames.BadIncrease)
		return nil
	})
	if err != nil {
		d.until = time.Time{} // some samples may be counted, and others not
		return err
	}
	d.until = to
	return nil
}

// countDays adds the samples of a series to the days that they fall on.
func countDays(byDay map[int]*dayCounts, it chunkenc.Iterator, zone *time.Location, bad bool) {
	var counts *dayCounts
	var next time.Time // when the day of counts ends
	for it.Next() == chunkenc.ValFloat {
		t, v := it.At()
		if v != v { // a staleness marker, or another NaN
			continue
		}
		if at := time.UnixMilli(t); counts == nil || !at.Before(next) {
			local := at.In(zone)
			day := dayNumber(local)
			if counts = byDay[day]; counts == nil {
				counts = &dayCounts{}
				byDay[day] = counts
			}
			next = time.Date(local.Year(), local.Month(), local.Day()+1, 0, 0, 0, 0, zone)
		}
		if bad {
			counts.bad += v
		} else {
			counts.total += v
		}
	}
}

// dayNumber numbers days by their dates.
func dayNumber(local time.Time) int {
	return int(time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60))
}

// longestShown is how far back any level shows days, or months.
func (d *days) longestShown(agreements []*sla.Agreement) time.Duration {
	if d.within > daysWithin {
		return d.within
	}
	longest := time.Duration(0)
	for _, a := range agreements {
		for _, l := range a.Levels {
			longest = max(longest, l.Period.Longest())
		}
	}
	return min(longest, d.within)
}

// of returns the days of each level's period that are over, and today.
func (d *days) of(ctx context.Context, agreements []*sla.Agreement, now time.Time) (map[sla.ID][]web.Day, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.update(ctx, agreements, now); err != nil {
		return nil, err
	}
	all := map[sla.ID][]web.Day{}
	for _, a := range agreements {
		zone := a.Location()
		for _, l := range a.Levels {
			all[l.ID] = d.ofLevel(l, zone, now)
		}
	}
	return all, nil
}

func (d *days) ofLevel(l *sla.ServiceLevel, zone *time.Location, now time.Time) []web.Day {
	if l.Period.Nominal() < 2*24*time.Hour {
		return nil // so few days show nothing
	}
	from := periodStart(l.Period, now)
	if earliest := now.Add(-daysWithin); from.Before(earliest) {
		from = earliest
	}
	var shown []web.Day
	for at := from.In(zone); ; at = at.AddDate(0, 0, 1) {
		start := time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, zone)
		if start.After(now) {
			return shown
		}
		day := web.Day{Start: start}
		if c := d.byDay[l.ID][dayNumber(start)]; c != nil && c.total > 0 {
			day.Bad, day.Total = web.Known(c.bad), web.Known(c.total)
		}
		shown = append(shown, day)
	}
}
