package verdict

import (
	"slices"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// mask says what counts in [from, to), in Unix nanoseconds.
type mask struct {
	from, to int64
	served   bool // within service hours, and in force or assumed to be up
	inForce  bool
	by       int  // the exclusion that takes the time out, as an index; -1 for none
	removes  bool // it removes the time, and does not only excuse
}

func (m mask) agreed() bool { return m.served && (m.by < 0 || !m.removes) }

// kept returns whether bad time counts.
func (m mask) kept() bool { return m.served && m.by < 0 }

// capUse is how much of a cap on downtime a level used in the cap's period.
type capUse struct {
	exclusion  *sla.Exclusion
	start, end time.Time
	used       sla.Decimal // nanoseconds
}

// timetable is when a level counts, over all of a period.
type timetable struct {
	unknownCaps []string // exclusions with caps of which nobody knows the use before the period
	exclusions  []exclusion
	masks       []mask // ascending, from the start of the period to its end
	spans       []sla.Spans
	caps        []capUse
}

// timetableOf finds when a level counts. down is its state, for caps on downtime.
func (in Input) timetableOf(l *sla.ServiceLevel, group map[string]string, from, to time.Time, down track, by view) timetable {
	served, inForce := l.Service(from, to), in.inForce(from, to)
	if l.Settlement.Partial != sla.AssumeUp {
		served = common(served, inForce, from, to)
	}
	t := timetable{exclusions: in.exclusionsOf(l, by)}
	var taken sla.Spans
	for _, x := range t.exclusions {
		e := x.Exclusion
		spans := e.Capped(x.spans, from, to)
		if !x.claim {
			spans = in.spansOf(e, from, to).Without(in.contested(e, l, by))
		}
		if e.Cap != nil && e.Cap.Downtime > 0 && l.Aggregation.ByTime() {
			c := capping{exclusion: e, down: down, counts: common(common(served, inForce, from, to), spans, from, to).Without(taken)}
			var known bool
			if c.used, known = in.usedBefore(l.ID, group, e, from); !known {
				t.unknownCaps = append(t.unknownCaps, e.Name)
			}
			spans = c.cut(spans, from, to)
			t.caps = append(t.caps, c.uses...)
		}
		t.spans = append(t.spans, spans)
		taken = sla.Union(slices.Concat(taken, spans)...)
	}
	t.masks = t.masksOf(served, inForce, from, to)
	return t
}

// inForce is when the agreement is in force.
func (in Input) inForce(from, to time.Time) sla.Spans {
	if in.InForce == nil {
		return sla.Union(sla.Span{From: from, To: to})
	}
	return in.InForce.Within(from, to)
}

// spansOf is the time in [from, to) that an exclusion excuses, before its cap on
// downtime.
func (in Input) spansOf(e *sla.Exclusion, from, to time.Time) sla.Spans {
	if e.OnCondition() {
		return sla.Union(in.Evidence.Conditions[e.Name]...).Within(from, to)
	}
	return e.Spans(from, to)
}

// common is the time in [from, to) that is in both a and b.
func common(a, b sla.Spans, from, to time.Time) sla.Spans {
	return a.Within(from, to).Without(b.Gaps(from, to))
}

// masksOf cuts [from, to) wherever it changes what counts. If several exclusions
// overlap, the first that removes time takes it out, or else the first.
func (t timetable) masksOf(served, inForce sla.Spans, from, to time.Time) []mask {
	edges := []int64{from.UnixNano(), to.UnixNano()}
	for _, s := range append([]sla.Spans{served, inForce}, t.spans...) {
		for _, span := range s {
			edges = append(edges, span.From.UnixNano(), span.To.UnixNano())
		}
	}
	edges = edgesOf(edges)
	masks := make([]mask, 0, len(edges))
	for i := 1; i < len(edges); i++ {
		m := mask{from: edges[i-1], to: edges[i], by: -1}
		m.served, m.inForce = served.Contain(instant(m.from)), inForce.Contain(instant(m.from))
		for j, e := range t.exclusions {
			if m.inForce && t.spans[j].Contain(instant(m.from)) && (m.by < 0 || e.Removes() && !m.removes) {
				m.by, m.removes = j, e.Removes()
			}
		}
		masks = append(masks, m)
	}
	return masks
}

// capping excuses downtime in order of time until a cap is used up. From then on the
// exclusion excuses nothing until the cap's next period.
type capping struct {
	exclusion *sla.Exclusion
	down      track
	counts    sla.Spans   // the time whose downtime uses the cap up: service hours that no earlier exclusion takes out
	used      sla.Decimal // before the period, in nanoseconds
	uses      []capUse
}

func (c *capping) cut(spans sla.Spans, from, to time.Time) sla.Spans {
	var kept sla.Spans
	for at := from; at.Before(to); {
		start, end := c.exclusion.Cap.Per.Bounds(at)
		use := capUse{exclusion: c.exclusion, start: start, end: end}
		if start.Before(from) {
			use.used = c.used
		}
		last := min(end.UnixNano(), to.UnixNano())
		over := c.spend(&use, at.UnixNano(), last)
		kept = append(kept, spans.Within(at, instant(over))...)
		c.uses = append(c.uses, use)
		at = end
	}
	return sla.Union(kept...)
}

// spend adds up the downtime in [from, to), and returns when the cap is used up,
// rounded up to the nanosecond, or to if it is not.
func (c *capping) spend(use *capUse, from, to int64) int64 {
	limit := sla.NewDecimal(int64(c.exclusion.Cap.Downtime), 1)
	if use.used.Cmp(limit) >= 0 {
		return from
	}
	for _, span := range c.counts.Within(instant(from), instant(to)) {
		for _, p := range c.down.over(span.From.UnixNano(), span.To.UnixNano()) {
			if !isBad(p) {
				continue
			}
			cost := p.bad.Mul(sla.NewDecimal(p.to-p.from, 1))
			if left := limit.Sub(use.used); cost.Cmp(left) >= 0 {
				use.used = limit
				return p.from + ceil(left.Quo(p.bad))
			}
			use.used = use.used.Add(cost)
		}
	}
	return to
}

// ceil is the next whole number of nanoseconds.
func ceil(d sla.Decimal) int64 {
	n := int64(d.Float64())
	for sla.NewDecimal(n, 1).Cmp(d) < 0 {
		n++
	}
	for sla.NewDecimal(n-1, 1).Cmp(d) >= 0 {
		n--
	}
	return n
}

// weightsOver is the weight of bad time as a track: 1 where none is given.
func weightsOver(weights []Weight, from, to int64) track {
	var t track
	at := from
	for _, w := range weights {
		begin, end := max(w.From.UnixNano(), from), min(w.To.UnixNano(), to)
		if begin >= end {
			continue
		}
		t = t.add(part{from: at, to: begin, is: known, bad: one})
		t = t.add(part{from: begin, to: end, is: known, bad: w.Share})
		at = end
	}
	return t.add(part{from: at, to: to, is: known, bad: one})
}
