package verdict

import (
	"cmp"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// course returns, for each midnight of the period's zone and for the period's end, how
// much counted and how much of it was bad since the start.
func (b *ledger) course() []Point {
	points := []Point{}
	entries := slices.Clone(b.entries)
	slices.SortStableFunc(entries, func(x, y entry) int { return cmp.Compare(x.from, y.from) })
	until := b.until.UnixNano()
	var total, bad sum
	next := 0
	var open []entry // entries that continued at the midnight before
	for at := b.from; ; {
		midnight := nextMidnight(at, b.zone)
		to := min(midnight.UnixNano(), until)
		for ; next < len(entries) && entries[next].from < to; next++ {
			open = append(open, entries[next])
		}
		var rest []entry
		for _, e := range open {
			from, end := max(e.from, at.UnixNano()), min(e.to, to)
			total.addSum(e.total.part(end-from, e.to-e.from))
			bad.addSum(e.bad.part(end-from, e.to-e.from))
			if e.to > to {
				rest = append(rest, e)
			}
		}
		open = rest
		points = append(points, Point{At: instant(to), Agreed: b.amount(total.value()), Bad: b.amount(bad.value())})
		if to >= until {
			return points
		}
		at = midnight
	}
}

// nextMidnight is the first instant of the day after t in a zone.
func nextMidnight(t time.Time, zone *time.Location) time.Time {
	day := sla.DateOf(t.In(zone))
	next := sla.Instant(time.Date(day.Year, day.Month, day.Day+1, 0, 0, 0, 0, time.UTC), zone.String())
	if !next.After(t) { // the clock went back over midnight
		next = t.Add(24 * time.Hour)
	}
	return next
}

// places returns each place's own result, by the rule of the level but without its
// quorum.
func (b *ledger) places(all []Place, weights []Weight) []PlaceResult {
	results := []PlaceResult{}
	for _, p := range all {
		if len(p.Labels) == 0 {
			continue
		}
		own := *b
		alone := *b.level
		alone.Slots.Quorum = 0
		own.level, own.figures, own.agreed, own.known, own.unknown, own.rest = &alone, figures{}, 0, 0, 0, 0
		measured := stateOf(&alone, []Place{p}, b.zone).reaching(b.from.UnixNano(), b.until.UnixNano())
		own.measureWith(measured, []Place{p}, weights)
		r := PlaceResult{Labels: p.Labels, Bad: b.amount(own.bad.value()), Known: b.amount(sla.NewDecimal(own.known, 1))}
		if b.unit.of == 0 {
			r.Known = b.amount(own.total.value())
		}
		if share, ok := own.achieved(); ok {
			r.Achieved = percent(share)
		}
		results = append(results, r)
	}
	return results
}
