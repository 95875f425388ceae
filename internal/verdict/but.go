package verdict

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// Bounds from which on a level that is met deserves a remark.
var (
	badHour       = sla.NewDecimal(1, 10) // share of an hour, or of its events, that was bad
	fullCoverage  = sla.NewDecimal(99, 100)
	muchExcluded  = sla.NewDecimal(1, 20) // of what is agreed
	manyOutages   = 10
	shortOutage   = 5 * time.Minute
	mostOfOutages = 2 // one of so many outages is short
)

// buts are remarks that a reader of "met" should know.
func (b *ledger) buts(places []PlaceResult, outages []Outage) []But {
	all := []But{}
	for _, but := range []But{b.worstHour(), b.onePlace(places), short(outages), b.thinData(), b.muchExcluded()} {
		if but.Words != "" {
			all = append(all, but)
		}
	}
	return all
}

// worstHour is the clock hour with the greatest bad share.
func (b *ledger) worstHour() But {
	hours := map[int64]*figures{}
	for _, e := range b.entries {
		for at := e.from; at < e.to; {
			hour := instant(at).Truncate(time.Hour)
			to := min(e.to, hour.Add(time.Hour).UnixNano())
			f := hours[hour.Unix()]
			if f == nil {
				f = &figures{}
				hours[hour.Unix()] = f
			}
			f.total.addSum(e.total.part(to-at, e.to-e.from))
			f.bad.addSum(e.bad.part(to-at, e.to-e.from))
			at = to
		}
	}
	var worst sla.Decimal
	first := int64(0)
	for hour, f := range hours {
		if total := f.total.value(); total.Sign() > 0 {
			share := f.bad.value().Quo(total)
			if c := share.Cmp(worst); c > 0 || c == 0 && share.Sign() > 0 && hour < first {
				worst, first = share, hour
			}
		}
	}
	if worst.Cmp(badHour) < 0 {
		return But{}
	}
	return But{"worst_hour", fmt.Sprintf("In the hour from %s, %s %% was bad.", time.Unix(first, 0).In(b.zone).Format("2 January 15:04 MST"), worst.Mul(hundred).Rounded(2))}
}

// onePlace reports places that alone would have missed the target.
func (b *ledger) onePlace(places []PlaceResult) But {
	var below []PlaceResult
	for _, p := range places {
		if d, err := sla.ParseDecimal(p.Achieved); err == nil && d.Cmp(b.target) < 0 {
			below = append(below, p)
		}
	}
	if len(below) == 0 || len(places) < 2 {
		return But{}
	}
	worst := slices.MinFunc(below, func(x, y PlaceResult) int {
		return cmp.Compare(sla.MustDecimal(x.Achieved).Cmp(sla.MustDecimal(y.Achieved)), 0)
	})
	return But{"one_place", fmt.Sprintf("%d of %d places by themselves are below the target; the worst is %v with %s %%.", len(below), len(places), worst.Labels, worst.Achieved)}
}

// short reports many short outages, which few people notice one by one.
func short(outages []Outage) But {
	n := 0
	for _, o := range outages {
		if o.End.Sub(o.Start) < shortOutage {
			n++
		}
	}
	if n < manyOutages || n*mostOfOutages < len(outages) {
		return But{}
	}
	return But{"many_outages", fmt.Sprintf("There were %d outages shorter than %s.", n, sla.FormatDuration(shortOutage))}
}

func (b *ledger) thinData() But {
	if b.coverage().Cmp(fullCoverage) >= 0 {
		return But{}
	}
	return But{"thin_data", fmt.Sprintf("Only %s %% of the agreed time was measured.", percent(b.coverage()))}
}

// muchExcluded reports exclusions without which the target would be missed, or that
// take out more than a part of what is agreed.
func (b *ledger) muchExcluded() But {
	raw, ok := b.raw()
	if !ok {
		return But{}
	}
	if raw.Cmp(b.target.Quo(hundred)) < 0 {
		return But{"excluded_share", fmt.Sprintf("Without exclusions it would be %s %%, which is below the target.", percent(raw))}
	}
	served := b.rawTotal.value()
	if served.Sign() == 0 {
		return But{}
	}
	if share := b.removed.value().Add(b.excused.value()).Quo(served); share.Cmp(muchExcluded) > 0 {
		return But{"excluded_share", fmt.Sprintf("%s %% of what was served is excluded.", share.Mul(hundred).Rounded(2))}
	}
	return But{}
}
