package verdict

import (
	"slices"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// outsideHours names the part of an outage that lies outside of service hours.
const outsideHours = "outside service hours"

// outages lists the outages of the period. It leaves out those that lie wholly outside
// of service hours, or before the agreement is in force.
func (b *ledger) outages() []Outage {
	all := []Outage{}
	start, until := b.from.UnixNano(), b.until.UnixNano()
	next := 0
	for _, o := range b.spans {
		if o.to <= start || o.from >= until {
			continue
		}
		from, to := max(o.from, start), min(o.to, until)
		x := Outage{
			Start: instant(from), End: instant(to), Seconds: seconds(to - from),
			Ongoing: o.to > until || o.to == until && o.open, Excluded: []ExcludedPart{}, Cause: b.causeOf(from, to),
		}
		if o.from < from {
			began := instant(o.from)
			x.Began = &began
		}
		for next > 0 && b.pieces[next-1].to > from {
			next--
		}
		if b.weigh(&x, &next, from, to) {
			all = append(all, x)
		}
	}
	return all
}

// unknownCause is the cause of an outage if nobody has named one.
const unknownCause = "unknown"

// weigh adds up how much of an outage counts and how much does not. first is the first
// piece that ends after from; served is whether any of the outage is within service
// hours.
func (b *ledger) weigh(x *Outage, first *int, from, to int64) (served bool) {
	var counted sum
	excluded := map[string]*sum{}
	var names []string
	for ; *first < len(b.pieces) && b.pieces[*first].from < to; *first++ {
		p := b.pieces[*first]
		length := min(p.to, to) - max(p.from, from)
		if length <= 0 {
			continue
		}
		served = served || p.mask.served && p.mask.inForce
		bad := p.weighed(b.badOf(p))
		if p.mask.kept() {
			counted.addShare(length, bad)
			continue
		}
		name := outsideHours
		if p.mask.served {
			name = b.timetable.exclusions[p.mask.by].Name
		}
		if excluded[name] == nil {
			excluded[name] = &sum{}
			names = append(names, name)
		}
		excluded[name].addShare(length, bad)
	}
	x.Counted = inSeconds(counted.value())
	slices.Sort(names)
	for _, name := range names {
		x.Excluded = append(x.Excluded, ExcludedPart{name, inSeconds(excluded[name].value())})
	}
	return served
}

// badOf is how bad a piece within an outage is: wholly for levels that count events,
// which are either down or not.
func (b *ledger) badOf(p piece) sla.Decimal {
	switch {
	case b.unit.of == 0:
		return one
	case p.mask.kept():
		return p.counted.bad
	}
	return p.raw.bad
}

func seconds(ns int64) string { return sla.Seconds(time.Duration(ns)).Rounded(9) }

func inSeconds(ns sla.Decimal) string {
	return ns.Quo(sla.NewDecimal(int64(time.Second), 1)).Rounded(9)
}
