package verdict

import (
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// ledger collects the figures of a level, or of one group of it, in a period.
type ledger struct {
	level     *sla.ServiceLevel
	from, to  time.Time
	until     time.Time
	unit      unit
	timetable timetable
	down      track // the state that counts, also around the period
	spans     []outageSpan
	pieces    []piece // of time, from the start to until
	entries   []entry // what pieces, or events, add to the figures
	target    sla.Decimal
	zone      *time.Location
	by        view
	group     map[string]string
	causes    func(sla.Span) string // the causes that the parties wrote down
	serves    func(sla.Span) bool   // whether any of a span, which may begin before the period, is within hours and in force
	blames    []blameSpan           // of a composite, around the period
	ages      []Age
	figures
	agreed, known int64 // nanoseconds of agreed time up to until, and the measured part of it
	unknown       int64 // nanoseconds that were not measured, if no policy counts them
	rest          int64 // agreed time that is still to come
	served        int64 // of the whole period, before exclusions
	inForce       bool  // in all of the period
	anyForce      bool  // in some of it
}

// unit is what a level counts.
type unit struct {
	name string
	of   int64 // nanoseconds, 0 for events
}

func unitOf(l *sla.ServiceLevel) unit {
	switch l.Aggregation.Counts() {
	case sla.CountsEvents:
		return unit{"events", 0}
	case sla.CountsMinutes:
		return unit{"minutes", int64(time.Minute)}
	case sla.CountsSlots:
		return unit{"slots", int64(l.Slots.Width)}
	}
	return unit{"seconds", int64(time.Second)}
}

// measure fills the ledger from the state of the level as it was measured.
func (b *ledger) measure(in Input, measured track, places []Place, weights []Weight) {
	measured = measured.reaching(b.from.UnixNano(), b.until.UnixNano())
	down, _ := outagesOf(b.fill(measured), b.level.Settlement.Outage)
	b.timetable = in.timetableOf(b.level, b.group, b.from, b.to, down, b.by)
	b.measureWith(measured, places, weights)
}

// measureWith fills the ledger by a known timetable.
func (b *ledger) measureWith(measured track, places []Place, weights []Weight) {
	b.down, b.spans = outagesOf(b.fill(measured), b.level.Settlement.Outage)
	if b.level.Settlement.Outage.Confirms() {
		b.blames = holdBlame(b.blames, b.down)
	}
	masks, until := b.timetable.masks, b.until.UnixNano()
	s := alike(measured, b.down)
	switch b.level.Aggregation.Counts() {
	case sla.CountsEvents:
		s = alike(presence(places), presence(places))
	case sla.CountsSlots:
		s = b.slotStates(places)
	}
	b.pieces = s.pieces(masks, weights, until)
	if b.unit.of == 0 {
		b.entries = eventEntries(places, masks, until)
	} else {
		b.entries = timeEntries(b.pieces)
	}
	b.sum()
}

// slotStates are the states of slots that are judged by the events that count: those in
// removed time are left out, and failures that an exclusion excuses are good.
func (b *ledger) slotStates(places []Place) states {
	r, until := ruleOf(b.level.Aggregation), b.until.UnixNano()
	by := func(takes func(mask) (total, bad bool)) track {
		return judgedCells(masked(places, b.timetable.masks, until, takes), r, sla.CountedSlots(b.level), b.zone).reaching(b.from.UnixNano(), until)
	}
	agreed := by(takesAgreed)
	return states{measured: agreed, raw: b.fill(by(takesServed)), agreed: b.fill(agreed), counted: b.fill(by(takesKept)), excused: true}
}

// fill counts unmeasured time by the policy of the level.
func (b *ledger) fill(t track) track {
	return policyOf(b.level).fill(t, b.from.UnixNano(), b.until.UnixNano())
}

func policyOf(l *sla.ServiceLevel) policy {
	return policy{missing: l.MissingData, unseen: l.Settlement.NotSeen}
}

// presence is known while any place was measured, with whatever result.
func presence(places []Place) track {
	var edges []int64
	for _, p := range places {
		for _, s := range p.Stretches {
			edges = append(edges, s.From.UnixNano(), s.To.UnixNano())
		}
	}
	edges = edgesOf(edges)
	next := make([]int, len(places))
	var t track
	for i := 1; i < len(edges); i++ {
		p := part{from: edges[i-1], to: edges[i]}
		for j := range places {
			if s, ok := stretchAt(places[j].Stretches, &next[j], p.from); ok && s.State == Known {
				p.is = known
			} else if ok {
				p.is = max(p.is, missing)
			}
		}
		t = t.add(p)
	}
	return t
}

// sum adds up everything.
func (b *ledger) sum() {
	b.inForce = true
	for _, e := range b.entries {
		b.add(e.figures)
	}
	for _, p := range b.pieces {
		if !p.mask.agreed() {
			continue
		}
		length := p.to - p.from
		b.agreed += length
		if p.measured {
			b.known += length
		}
		if p.counted.is != known {
			b.unknown += length
		}
	}
	for _, m := range b.timetable.masks {
		b.inForce, b.anyForce = b.inForce && m.inForce, b.anyForce || m.inForce
		if m.served {
			b.served += m.to - m.from
		}
		if from := max(m.from, b.until.UnixNano()); m.agreed() && from < m.to {
			b.rest += m.to - from
		}
	}
}

// achieved is the good share of what counts; ok is false if nothing does.
func (b *ledger) achieved() (share sla.Decimal, ok bool) {
	return goodShare(b.fixed(b.total.value(), b.agreed+b.rest), b.bad)
}

// raw is the good share if nothing were excluded.
func (b *ledger) raw() (share sla.Decimal, ok bool) {
	return goodShare(b.fixed(b.rawTotal.value(), b.served), b.rawBad)
}

// goodShare is at least 0. If a period of fixed length has more bad minutes than
// minutes, it would be below.
func goodShare(total sla.Decimal, bad sum) (share sla.Decimal, ok bool) {
	if total.Sign() <= 0 {
		return share, false
	}
	if share = one.Sub(bad.value().Quo(total)); share.Sign() < 0 {
		share = sla.Decimal{}
	}
	return share, true
}

// fixed scales time that counts to a period that counts as a fixed number of minutes:
// whole is all time of the period that counts by the clock, in nanoseconds.
func (b *ledger) fixed(part sla.Decimal, whole int64) sla.Decimal {
	minutes := b.level.Settlement.FixedMinutes
	if minutes == 0 || b.unit.of == 0 || whole == 0 {
		return part
	}
	return part.Mul(sla.NewDecimal(minutes, 1)).Mul(sla.NewDecimal(int64(time.Minute), whole))
}

// atEnd is the expected total at the end of the period, if events go on at the rate so
// far.
func (b *ledger) atEnd() sla.Decimal {
	total := b.total.value()
	if b.unit.of != 0 {
		return b.fixed(total.Add(sla.NewDecimal(b.rest, 1)), b.agreed+b.rest)
	}
	if b.known == 0 {
		return total
	}
	return total.Mul(sla.NewDecimal(b.known+b.rest, b.known))
}

// best is the good share at the end of the period if nothing more is bad.
func (b *ledger) best() (share sla.Decimal, ok bool) {
	return goodShare(b.atEnd(), b.bad)
}

// coverage is the share of agreed time so far that was measured; 1 without any.
func (b *ledger) coverage() sla.Decimal {
	if b.agreed == 0 {
		return one
	}
	return sla.NewDecimal(b.known, b.agreed)
}

// inUnit is a number of nanoseconds, or of events, in the unit of the level.
func (b *ledger) inUnit(d sla.Decimal) sla.Decimal {
	if b.unit.of == 0 {
		return d
	}
	return d.Quo(sla.NewDecimal(b.unit.of, 1))
}
