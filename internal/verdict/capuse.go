package verdict

import (
	"maps"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// capUses says how much the level used of each cap on downtime.
func (b *ledger) capUses() []CapUse {
	uses := []CapUse{}
	for _, u := range b.timetable.caps {
		left := sla.NewDecimal(int64(u.exclusion.Cap.Downtime), 1).Sub(u.used)
		uses = append(uses, CapUse{u.exclusion.Name, u.start.UTC(), u.end.UTC(), inSeconds(u.used), inSeconds(left)})
	}
	return uses
}

// usedBefore returns how much of a cap was used before from, in nanoseconds, by earlier
// reports of the cap's period that contains from. ok is false if the period began
// before from and no report that ends there has the figure.
func (in Input) usedBefore(l sla.ID, group map[string]string, e *sla.Exclusion, from time.Time) (used sla.Decimal, ok bool) {
	start, _ := e.Cap.Per.Bounds(from)
	if !start.Before(from) {
		return used, true
	}
	version := 0
	for _, r := range in.Previous {
		for _, v := range r.Levels {
			end := r.Period.End
			if v.Period != nil {
				end = v.Period.End
			}
			if !end.Equal(from) || r.Version <= version || v.Service != l.Service || v.SLO != l.SLO || !maps.Equal(v.Group, group) {
				continue
			}
			for _, u := range v.Caps {
				if d, err := sla.ParseDecimal(u.Used); err == nil && u.Exclusion == e.Name && u.Start.Equal(start) {
					used, ok, version = d.Mul(sla.NewDecimal(int64(time.Second), 1)), true, r.Version
				}
			}
		}
	}
	return used, ok
}

// leastLeft writes into the list of exclusions how much of each cap is left in its last
// period: the least of all levels.
func (r *Report) leastLeft() {
	for i := range r.Exclusions {
		var least sla.Decimal
		var last time.Time
		for _, l := range r.Levels {
			for _, u := range l.Caps {
				left, err := sla.ParseDecimal(u.Left)
				if u.Exclusion != r.Exclusions[i].Name || err != nil || u.Start.Before(last) {
					continue
				}
				if r.Exclusions[i].CapLeft == "" || u.Start.After(last) || left.Cmp(least) < 0 {
					least, last, r.Exclusions[i].CapLeft = left, u.Start, u.Left
				}
			}
		}
	}
}
