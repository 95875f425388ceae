package verdict_test

import (
	"math/big"
	"strings"
)

// totals are the sums of a period, in the unit of the level.
type totals struct{ total, bad, removed, excused *big.Rat }

func newTotals() totals {
	return totals{new(big.Rat), new(big.Rat), new(big.Rat), new(big.Rat)}
}

func (j *judging) unit() *big.Rat {
	switch j.method {
	case "time":
		return big.NewRat(20, 1)
	case "mean_slot_error_rate", "slot_quantile":
		return big.NewRat(int64(step), int64(j.slot))
	}
	return big.NewRat(1, 3) // minutes
}

func (j *judging) time() totals {
	t := newTotals()
	for i := range j.n {
		if !j.in(i) || !j.served[i] {
			continue
		}
		if j.removed(i) {
			t.removed.Add(t.removed, j.unit())
			if !j.mutated("removed time stays agreed") {
				continue
			}
		}
		if j.is[i] != stepKnown {
			if j.mutated("unknown time counts as good") {
				t.total.Add(t.total, j.unit())
			}
			continue
		}
		if j.mutated("excused time is removed") && !j.kept(i) {
			continue
		}
		bad := new(big.Rat).Mul(j.share[i], j.unit())
		t.total.Add(t.total, j.unit())
		if !j.mutated("only what counts is weighed") || j.kept(i) {
			bad.Mul(bad, j.weight(i))
		}
		if j.kept(i) {
			t.bad.Add(t.bad, bad)
		} else if !j.removed(i) {
			t.excused.Add(t.excused, bad)
		}
	}
	return t
}

func (j *judging) events() totals {
	t := newTotals()
	for i := range j.n {
		for _, p := range j.places {
			if !j.in(i) || !j.served[i] || p[i].is != stepKnown {
				continue
			}
			total, bad := new(big.Rat).SetInt64(int64(p[i].total)), new(big.Rat).SetInt64(int64(p[i].bad))
			if !j.inForce(i) && !j.mutated("events count before the agreement is in force") {
				bad.SetInt64(0) // assumed to be good
			}
			switch {
			case j.removed(i):
				t.removed.Add(t.removed, total)
			case j.kept(i):
				t.total.Add(t.total, total)
				t.bad.Add(t.bad, bad)
			default:
				t.total.Add(t.total, total)
				t.excused.Add(t.excused, bad)
			}
		}
	}
	for i := range j.n { // coverage is that of any place
		j.measured[i] = false
		for _, p := range j.places {
			j.measured[i] = j.measured[i] || p[i].is == stepKnown
		}
	}
	j.assume()
	return t
}

// finish decides.
func (j *judging) finish(t totals, outages string) outcome {
	agreed, covered, unknown := 0, 0, 0
	for i := range j.n {
		if !j.in(i) || !j.agreed(i) {
			continue
		}
		agreed++
		if j.measured[i] || j.mutated("policies raise the coverage") && j.is[i] == stepKnown {
			covered++
		}
		if j.is[i] != stepKnown {
			unknown++
		}
	}
	t.total = j.fixed(t.total)
	o := outcome{bad: text(t.bad), removed: text(t.removed), excused: text(t.excused), outages: outages, coverage: "100"}
	in := func(steps int) string { return text(new(big.Rat).Mul(j.unit(), new(big.Rat).SetInt64(int64(steps)))) }
	o.unknown = in(unknown)
	if o.agreed = text(j.fixed(new(big.Rat).Mul(j.unit(), new(big.Rat).SetInt64(int64(agreed))))); j.method == "request_ratio" {
		o.agreed, o.unknown = text(t.total), ""
	}
	coverage := big.NewRat(1, 1)
	if agreed > 0 {
		coverage = big.NewRat(int64(covered), int64(agreed))
		o.coverage = floor8(new(big.Rat).Mul(coverage, big.NewRat(100, 1)))
	}
	o.verdict = j.decide(&o, t, agreed, covered, coverage)
	if good := goodOf(t.total, t.bad); good != nil {
		o.achieved = percentOf(good)
	}
	if j.view == "" {
		j.figures(&o, t, covered)
		o.recovery = j.restored(agreed, covered)
	}
	return o
}

func (j *judging) decide(o *outcome, t totals, agreed, covered int, coverage *big.Rat) string {
	if t.total.Sign() > 0 {
		good := new(big.Rat).Sub(big.NewRat(1, 1), new(big.Rat).Quo(t.bad, t.total))
		if good.Sign() < 0 && !j.mutated("a fixed period can be less than nothing") {
			good.SetInt64(0)
		}
		o.exact = good.RatString()
		if agreed == 0 || !j.scored() {
			return "not_applicable"
		}
		target, _ := new(big.Rat).SetString(j.target)
		target.Quo(target, big.NewRat(100, 1))
		if j.mutated("rounded before comparing") {
			rounded, _ := new(big.Rat).SetString(good.FloatString(3))
			good = rounded
		}
		met := good.Cmp(target) >= 0
		if j.mutated("the target itself is a breach") {
			met = good.Cmp(target) > 0
		}
		if met && covered == 0 {
			return "insufficient_data"
		}
		limit := big.NewRat(int64(j.floor), 100)
		if below := coverage.Cmp(limit); j.floor > 0 && (below < 0 || below == 0 && j.mutated("the floor itself is too little")) && !j.mutated("no floor of coverage") {
			return "insufficient_data"
		}
		if met {
			return "met"
		}
		return "breached"
	}
	if agreed == 0 || !j.scored() {
		return "not_applicable"
	}
	return "insufficient_data"
}

// text is a number with at most nine places.
func text(r *big.Rat) string { return trim(r.FloatString(9)) }

// floor8 is a number rounded down at the eighth place.
func floor8(r *big.Rat) string {
	scaled := new(big.Rat).Mul(r, big.NewRat(100_000_000, 1))
	whole := new(big.Int).Quo(scaled.Num(), scaled.Denom())
	return trim(new(big.Rat).SetFrac(whole, big.NewInt(100_000_000)).FloatString(8))
}

func trim(s string) string { return strings.TrimSuffix(strings.TrimRight(s, "0"), ".") }
