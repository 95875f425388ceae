package verdict_test

import (
	"math/big"
	"math/rand/v2"
	"time"

	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/sla"
)

// drawnTerms are when an agreement is in force, how long a period counts as, and how much
// bad time does.
type drawnTerms struct {
	month   bool // the period is the calendar month of the zone that contains focus
	force   [][2]time.Time
	partial string // pro_rata, assume_up, not_scored
	minutes int    // of a fixed period
	weighed []drawnWeight
}

type drawnWeight struct {
	from, to time.Time
	quarters int
}

// drawPeriod draws hours around a change, or a month that has just begun there or in
// whose last hours the agreement takes effect.
func (w *world) drawPeriod(r *rand.Rand, around time.Time) {
	w.focus = around.Add(-time.Duration(r.IntN(240)) * time.Minute)
	length := time.Duration(60+r.IntN(240)) * time.Minute
	w.start, w.end = w.focus, w.focus.Add(length)
	w.last, w.until = w.end, w.end
	w.terms.partial = "pro_rata"
	switch {
	case r.IntN(5) == 0:
		w.terms.month = true
		w.start, w.end = monthAround(around, w.loc)
		if r.IntN(2) == 0 {
			w.focus, w.until = w.start, w.start.Add(length)
			w.last = w.until
			break
		}
		w.focus, w.last, w.until = w.end.Add(-length), w.end, w.end
		w.terms.force = [][2]time.Time{{w.focus, w.end.Add(time.Hour)}}
	case r.IntN(4) == 0:
		w.until = w.start.Add(time.Duration(1+r.IntN(int(length/time.Minute))) * time.Minute)
	}
	w.origin = w.focus.Add(-3 * time.Hour)
	wall := w.origin.In(w.loc)
	w.origin = w.origin.Add(-time.Duration(wall.Minute()) * time.Minute) // no slot began before it
}

// monthAround walks to both ends of the month that contains an instant in a zone. Offsets
// are whole quarters of an hour.
func monthAround(t time.Time, loc *time.Location) (from, to time.Time) {
	month := func(at time.Time) time.Month { return at.In(loc).Month() }
	const pace = 15 * time.Minute
	from = t.Truncate(pace).UTC()
	for to = from; month(to) == month(t); to = to.Add(pace) {
	}
	for month(from.Add(-pace)) == month(t) {
		from = from.Add(-pace)
	}
	return from, to
}

func (w *world) drawTerms(r *rand.Rand) {
	t := &w.terms
	at := func() time.Time {
		return w.focus.Add(time.Duration(r.IntN(int(w.last.Sub(w.focus)/step)+360)-180) * step)
	}
	if weighs := w.method == "time" && w.tree == nil || w.method == "bad_minute" || w.method == "all_failed_minute"; weighs && r.IntN(3) == 0 {
		for from := at(); len(t.weighed) < 3; {
			to := from.Add(time.Duration(1+r.IntN(200)) * step)
			t.weighed = append(t.weighed, drawnWeight{from, to, r.IntN(5)})
			from = to.Add(time.Duration(r.IntN(20)) * step)
		}
	}
	if t.month {
		if len(t.force) > 0 {
			w.notSeen = "excluded" // what is before the drawn history is not in force
		}
		return
	}
	if r.IntN(3) == 0 {
		from := at()
		t.force = [][2]time.Time{{from, from.Add(time.Duration(1+r.IntN(600)) * step)}}
		if r.IntN(6) == 0 {
			t.force[0] = [2]time.Time{w.start, w.end}
		}
		t.partial = pick(r, "pro_rata", "assume_up", "assume_up", "not_scored")
	}
	if r.IntN(4) == 0 {
		t.minutes = pick(r, 60, 120, 240, 400)
	}
}

func (j *judging) inForce(i int) bool {
	if j.terms.force == nil || j.mutated("force is ignored") {
		return true
	}
	for _, f := range j.terms.force {
		from := f[0]
		if j.mutated("force begins a step late") {
			from = from.Add(step)
		}
		if !j.at(i).Before(from) && j.at(i).Before(f[1]) {
			return true
		}
	}
	return false
}

// serves returns whether a step is within what the agreement may promise.
func (j *judging) serves(i int) bool {
	return j.inService(i) && (j.inForce(i) || j.terms.partial == "assume_up" && !j.mutated("what is not in force is left out"))
}

// assume makes time good that is served before the agreement is in force.
func (j *judging) assume() {
	for i := range j.n {
		if j.in(i) && j.served[i] && !j.inForce(i) {
			j.is[i], j.share[i], j.measured[i] = stepKnown, new(big.Rat), true
		}
	}
}

// scored returns whether the period has a verdict, as far as the agreement was in force.
func (j *judging) scored() bool {
	if j.terms.force == nil {
		return true
	}
	whole, part := true, false
	for t := j.start; t.Before(j.end); t = t.Add(step) {
		in := false
		for _, f := range j.terms.force {
			in = in || !t.Before(f[0]) && t.Before(f[1])
		}
		whole, part = whole && in, part || in
	}
	return part && (whole || j.terms.partial != "not_scored" && !j.mutated("what is not in force is not scored"))
}

// fixed is a part of the period if it counts as so many minutes.
func (j *judging) fixed(part *big.Rat) *big.Rat {
	whole := 0
	for i := range j.n {
		if !j.at(i).Before(j.start) && j.at(i).Before(j.end) && j.served[i] && (!j.removed(i) || j.mutated("fixed minutes are those of all hours")) {
			whole++
		}
	}
	if j.terms.minutes == 0 || j.method == "request_ratio" || whole == 0 || j.mutated("fixed minutes are ignored") {
		return part
	}
	scale := new(big.Rat).SetFrac64(int64(time.Duration(j.terms.minutes)*time.Minute/step), int64(whole))
	return scale.Mul(scale, part)
}

// weight is the share that bad time of a step counts.
func (j *judging) weight(i int) *big.Rat {
	for _, x := range j.terms.weighed {
		if !j.at(i).Before(x.from) && j.at(i).Before(x.to) && !j.mutated("weights are ignored") {
			return big.NewRat(int64(x.quarters), 4)
		}
	}
	return big.NewRat(1, 1)
}

// listed returns whether an outage is in the list of the period: it lies in it, and some
// of it is within hours.
func (j *judging) listed(from, to int) bool {
	for i := from; i < to; i++ {
		if j.in(i) && (j.served[i] && j.inForce(i) || j.mutated("outages outside of hours are listed")) {
			return true
		}
	}
	return false
}

// bounded is the world with its period as a mutation has it.
func (w world) bounded(mutation string) *world {
	if w.terms.month {
		switch mutation {
		case "the month is that of UTC":
			w.start, w.end = monthAround(w.start.Add(w.end.Sub(w.start)/2), time.UTC)
			w.until = earlierOf(w.until, w.end)
		case "the month is 30 days":
			w.end = w.start.Add(30 * 24 * time.Hour)
			w.until = earlierOf(w.until, w.end)
		}
	}
	return &w
}

// addTerms puts them into a level and an input. The report is of the month in UTC.
func (w *world) addTerms(l *sla.ServiceLevel, in *verdict.Input) {
	if t := w.terms; t.month {
		l.Period = sla.Period{Calendar: sla.Month, Zone: w.zone}
		in.Period = sla.Period{Calendar: sla.Month, Zone: "UTC"}
		in.Start, in.End = monthAround(w.start.Add(w.end.Sub(w.start)/2), time.UTC)
	}
	l.Settlement.FixedMinutes = int64(w.terms.minutes)
	l.Settlement.Partial = map[string]sla.PartialPeriod{"pro_rata": sla.ProRata, "assume_up": sla.AssumeUp, "not_scored": sla.NotScored}[w.terms.partial]
	for _, f := range w.terms.force {
		in.InForce = append(in.InForce, sla.Span{From: f[0], To: f[1]})
	}
}

func (w *world) weights() []verdict.Weight {
	var all []verdict.Weight
	for _, x := range w.terms.weighed {
		all = append(all, verdict.Weight{From: x.from, To: x.to, Share: sla.NewDecimal(int64(x.quarters), 4)})
	}
	return all
}
