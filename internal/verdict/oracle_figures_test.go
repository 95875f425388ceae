package verdict_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/sla"
)

// drawnObjective limits something of outages, or the age of something.
type drawnObjective struct {
	metric    sla.RecoveryMetric
	statistic sla.Statistic
	limit     int // steps, or outages
	percent   int // of a share of outages
	age       verdict.Age
}

// drawnCredits are what a level owes: by tiers, in proportion, or hours that are free.
type drawnCredits struct {
	kind   string // "", tiers, proportional, hours
	below  []string
	atMost bool
	above  int // steps in an hour
}

func (w *world) drawFigures(r *rand.Rand) {
	for range r.IntN(4) {
		o := drawnObjective{
			metric: pick(r, sla.TimeToRestore, sla.TimeToRestore, sla.TimeBetweenFailures, sla.OutageCount, sla.LongestOutage, sla.RecoveryPoint),
			limit:  1 + r.IntN(pick(r, 4, 12, 60)), percent: pick(r, 25, 50, 75),
		}
		switch o.metric {
		case sla.TimeToRestore:
			o.statistic = sla.Statistics[r.IntN(len(sla.Statistics))]
		case sla.TimeBetweenFailures:
			o.limit *= 10
		case sla.RecoveryPoint:
			near := func() sla.Decimal { return sla.Seconds(time.Duration(o.limit+r.IntN(3)-1) * step) }
			o.age = verdict.Age{Query: "age", Measured: r.IntN(4) > 0, Late: r.IntN(4) == 0, Greatest: near(), Possible: near()}
			if o.age.Possible.Cmp(o.age.Greatest) < 0 {
				o.age.Possible = o.age.Greatest
			}
		}
		if o.metric != sla.RecoveryPoint || w.groups == nil && w.tree == nil && len(w.ages()) == 0 {
			w.recovery = append(w.recovery, o)
		}
	}
	w.credits = drawnCredits{kind: pick(r, "", "tiers", "tiers", "proportional", "hours"), below: pick(r, []string{"99.5", "90", "50"}, []string{"75"}, []string{"100", "80", "60"}), atMost: r.IntN(2) == 0, above: pick(r, 3, 6, 30, 60)}
	if good, ok := new(big.Rat).SetString(w.judgeBy("", "bare").exact); ok && w.credits.kind == "tiers" && r.IntN(2) == 0 { // a tier at just what comes out
		percent := good.Mul(good, big.NewRat(100, 1))
		if places, exact := percent.FloatPrec(); exact && places < 8 && percent.Sign() > 0 {
			w.credits.below = []string{trim(percent.FloatString(max(places, 1)))}
		}
	}
	if w.method == "request_ratio" && w.credits.kind == "hours" {
		w.credits.kind = "" // events are in no hour
	}
}

func (w *world) ages() []verdict.Age {
	var all []verdict.Age
	for _, o := range w.recovery {
		if o.metric == sla.RecoveryPoint {
			all = append(all, o.age)
		}
	}
	return all
}

// addFigures puts what was drawn into a level.
func (w *world) addFigures(l *sla.ServiceLevel) {
	for _, o := range w.recovery {
		x := sla.RecoveryObjective{Metric: o.metric, Statistic: o.statistic, Limit: time.Duration(o.limit) * step, Percent: sla.NewDecimal(int64(o.percent), 1)}
		switch o.metric {
		case sla.OutageCount:
			x.Count = o.limit
		case sla.RecoveryPoint:
			x.Age.Text = o.age.Query
		}
		if l.Recovery == nil {
			l.Recovery = &sla.Recovery{}
		}
		l.Recovery.Objectives = append(l.Recovery.Objectives, x)
	}
	switch c := w.credits; c.kind {
	case "tiers":
		for i, below := range c.below {
			l.Credits.Tiers = append(l.Credits.Tiers, sla.CreditTier{Below: sla.MustDecimal(below), AtMost: c.atMost, Percent: sla.NewDecimal(int64(10*i+10), 1)})
		}
	case "proportional":
		l.Credits.Schemes = []sla.CreditScheme{sla.Proportional{Multiplier: sla.NewDecimal(1, 1)}}
	case "hours":
		l.Credits.Schemes = []sla.CreditScheme{sla.FreeHours{Above: time.Duration(c.above) * step}}
	}
}

// rest is how many steps of agreed time are still to come. What is drawn ends long before
// a month does; from there on nothing is excluded, and hours begin and end on the minute.
func (j *judging) rest() int {
	rest := 0
	for i := range j.n {
		if !j.at(i).Before(j.until) && j.at(i).Before(j.end) && j.agreed(i) {
			rest++
		}
	}
	for i := j.n; j.at(i).Before(j.end); i += 3 {
		if j.serves(i) {
			rest += 3
		}
	}
	return rest
}

// figures fills in what a period can still come to, and what it owes.
func (j *judging) figures(o *outcome, t totals, covered int) {
	rest := j.rest()
	if j.mutated("nothing is still to come") {
		rest = 0
	}
	end := new(big.Rat).Mul(j.unit(), new(big.Rat).SetInt64(int64(rest)))
	if j.method == "request_ratio" {
		end.SetInt64(0)
		if covered > 0 && !j.mutated("events stop coming") {
			end.Mul(t.total, big.NewRat(int64(rest), int64(covered)))
		}
	} else {
		end = j.fixed(end)
	}
	end.Add(end, t.total)
	allowed, _ := new(big.Rat).SetString(j.target)
	allowed.Sub(big.NewRat(100, 1), allowed).Quo(allowed, big.NewRat(100, 1))
	if j.mutated("the budget is that of the time so far") {
		o.budget = text(allowed.Mul(allowed, t.total))
	} else {
		o.budget = text(allowed.Mul(allowed, end))
	}
	best := goodOf(end, t.bad)
	if best != nil {
		o.best = percentOf(best)
	}
	o.credit = j.credit(o, t, best, end)
}

// goodOf is the good share, nil of nothing.
func goodOf(total, bad *big.Rat) *big.Rat {
	if total.Sign() <= 0 {
		return nil
	}
	good := new(big.Rat).Sub(big.NewRat(1, 1), new(big.Rat).Quo(bad, total))
	if good.Sign() < 0 {
		good.SetInt64(0)
	}
	return good
}

func percentOf(share *big.Rat) string {
	return floor8(new(big.Rat).Mul(share, big.NewRat(100, 1)))
}

// credit is what the level owes, in per cent.
func (j *judging) credit(o *outcome, t totals, best, end *big.Rat) string {
	known := o.verdict == "met" || o.verdict == "breached" || j.mutated("credits are owed for what is not known")
	if j.credits.kind == "" {
		return ""
	}
	owed := new(big.Rat)
	switch {
	case !known || best == nil:
	case j.credits.kind == "tiers":
		if good := goodOf(t.total, t.bad); good != nil && j.mutated("credits are those so far") {
			best = good
		}
		for i, below := range j.credits.below {
			limit, _ := new(big.Rat).SetString(below)
			side := new(big.Rat).Mul(best, big.NewRat(100, 1)).Cmp(limit)
			if side < 0 || side == 0 && j.credits.atMost != j.mutated("the tier itself is the other thing") {
				owed.SetInt64(int64(10*i + 10))
			}
		}
	case j.credits.kind == "proportional" && j.method == "request_ratio":
		owed.Sub(big.NewRat(100, 1), best.Mul(best, big.NewRat(100, 1)))
	case j.credits.kind == "proportional":
		owed.Quo(t.bad, end).Mul(owed, big.NewRat(100, 1))
	default:
		owed.SetFrac64(int64(100*j.freeHours()*180), int64(j.reported()/step))
	}
	return trim(owed.FloatString(6))
}

// reported is the length of the period of the report.
func (w *world) reported() time.Duration {
	if w.terms.month {
		from, to := monthAround(w.start.Add(w.end.Sub(w.start)/2), time.UTC)
		return to.Sub(from)
	}
	return w.end.Sub(w.start)
}

// freeHours are the hours of the clock of the zone in which too much was bad.
func (j *judging) freeHours() int {
	hour := func(i int) [2]int64 {
		wall, offset := j.wall(i)
		if j.mutated("hours of credits begin in UTC") {
			wall, offset = j.at(i).Unix(), 0
		}
		return [2]int64{wall / 3600, int64(offset)}
	}
	free := 0
	for _, steps := range groups(j.n, hour) {
		bad := new(big.Rat)
		for _, i := range steps {
			if j.in(i) && j.agreed(i) && j.is[i] == stepKnown && (j.kept(i) || j.slotted()) {
				bad.Add(bad, new(big.Rat).Mul(j.share[i], j.weight(i)))
			}
		}
		if side := bad.Cmp(new(big.Rat).SetInt64(int64(j.credits.above))); side > 0 || side == 0 && j.mutated("an hour with just as much is free") {
			free++
		}
	}
	return free
}

// slotted returns whether slots are judged, which know by themselves what counts.
func (j *judging) slotted() bool {
	return j.method == "mean_slot_error_rate" || j.method == "slot_quantile"
}

// byPlace is what each place measured by itself. What is excluded is that of the level.
func (j *judging) byPlace() string {
	if j.tree != nil || j.locations[0] == "?" {
		return ""
	}
	var all []string
	for p := range j.places {
		alone := *j.world
		alone.places, alone.locations = j.places[p:p+1], j.locations[p:p+1]
		if !j.mutated("a place needs a quorum") {
			alone.quorum = 0
		}
		own := &judging{world: &alone, mutation: j.mutation, n: j.n, served: j.served, by: j.by, taken: j.taken, view: "alone"}
		own.state()
		own.outages()
		if j.mutated("places have caps of their own") {
			own.exclude()
		}
		t := own.sums()
		covered := 0
		for i := range j.n {
			if own.in(i) && own.agreed(i) && own.measured[i] {
				covered++
			}
		}
		known := new(big.Rat).Mul(own.unit(), new(big.Rat).SetInt64(int64(covered)))
		if own.method == "request_ratio" {
			known = t.total
		}
		achieved := ""
		if good := goodOf(own.fixed(t.total), t.bad); good != nil {
			achieved = percentOf(good)
		}
		all = append(all, fmt.Sprintf("%s/%d: %s %% good, %s bad of %s", j.locations[p], p, achieved, text(t.bad), text(known)))
	}
	return strings.Join(all, ", ")
}

// restored is what became of each objective of recovery.
func (j *judging) restored(agreed, covered int) string {
	var ended []int // steps
	for _, o := range j.found {
		from, to := j.at(o.from), j.at(o.to)
		here := to.After(j.start) && !to.After(j.until)
		if j.mutated("outages count where they begin") {
			here = !from.Before(j.start) && from.Before(j.until)
		}
		if j.mutated("outages of which nobody knows the end have ended") {
			o.open = false
		}
		serves := j.mutated("outages outside of hours have to be restored")
		for i := o.from; i < o.to; i++ {
			serves = serves || j.served[i] && j.inForce(i) && (j.in(i) || !j.mutated("outages are served by what the period has of them"))
		}
		if length := o.to - o.from; here && !o.open && serves {
			if j.mutated("outages last from the start of the period") {
				length = int(to.Sub(later(from, j.start)) / step)
			}
			ended = append(ended, length)
		}
	}
	var all []string
	for _, o := range j.recovery {
		all = append(all, strings.TrimSpace(j.objective(o, ended, agreed, covered)))
	}
	return strings.Join(all, ", ")
}

func (j *judging) objective(o drawnObjective, ended []int, agreed, covered int) string {
	if o.metric == sla.RecoveryPoint {
		return j.age(o)
	}
	if covered == 0 {
		return "insufficient_data"
	}
	if len(ended) == 0 && o.metric != sla.OutageCount {
		return "met"
	}
	sum, most, within := 0, 0, 0
	for _, length := range ended {
		if sum, most = sum+length, max(most, length); length < o.limit || length == o.limit && !j.mutated("the limit of recovery itself is too much") {
			within++
		}
	}
	limit, value, least := big.NewRat(20*int64(o.limit), 1), big.NewRat(20*int64(most), 1), false
	switch {
	case o.metric == sla.OutageCount:
		limit.SetInt64(int64(o.limit))
		value.SetInt64(int64(len(ended)))
	case o.metric == sla.TimeBetweenFailures:
		value, least = j.up(agreed), true
		value.Quo(value, new(big.Rat).SetInt64(int64(len(ended))))
	case o.statistic == sla.MeanOfOutages:
		value.SetFrac64(20*int64(sum), int64(len(ended)))
	case o.statistic == sla.ShareOfOutages:
		limit.SetInt64(int64(o.percent))
		value.SetFrac64(100*int64(within), int64(len(ended)))
		least = true
	}
	side := value.Cmp(limit)
	if least {
		side = -side
	}
	if side > 0 || side == 0 && j.mutated("the limit of recovery itself is too much") && o.statistic != sla.ShareOfOutages {
		return "breached " + text(value)
	}
	return "met " + text(value)
}

// up is the agreed time that was not down, in seconds.
func (j *judging) up(agreed int) *big.Rat {
	up := new(big.Rat).SetInt64(int64(agreed))
	for i := range j.n {
		counts := j.kept(i) || j.slotted() || j.mutated("excused downtime is time of failures")
		if j.in(i) && j.agreed(i) && j.is[i] == stepKnown && counts {
			up.Sub(up, j.share[i])
		}
	}
	return up.Mul(up, big.NewRat(20, 1))
}

func (j *judging) age(o drawnObjective) string {
	limit := sla.Seconds(time.Duration(o.limit) * step)
	switch {
	case !o.age.Measured:
		return "insufficient_data"
	case o.age.Greatest.Cmp(limit) > 0:
		return "breached " + o.age.Greatest.String()
	case o.age.Late || o.age.Possible.Cmp(limit) > 0 && !j.mutated("an age that nobody saw did not grow"):
		return "insufficient_data " + o.age.Greatest.String()
	}
	return "met " + o.age.Greatest.String()
}
