package rulegen

import (
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// Where possible the sums of a level are counted: the values of its counters at
// one step of the second layer, less those at the step before. A rate
// extrapolates, and misses what happens while the server is away and the first
// value of a counter that begins with its first error.
//
// Steps are at multiples of the second layer's interval in UTC, so that an event
// is in the same step whatever the level's name, and in the right month. Counters
// are read as they were settle before the step, when all scrapes of that time have
// ended.

// longestGap is for how long the server may be away without losing what is counted.
const longestGap = time.Hour

// settled is how long a server must have been running before a step for its counters
// to be read there: a server that has just come back may not have scraped all
// targets yet.
const settled = 2*time.Minute + settle

// countable is an indicator that is counted by its counters.
type countable struct {
	// all are the counters of all events; nil if a first value never counts, since
	// the counters begin at 0.
	all []promql.Selector
	// sums applies a function to each counter, and sums the results: over all
	// events, and over a part of them.
	sums func(of func(promql.Selector) promql.Expr) (total, part promql.Expr)
	// restBad says that the part is good, so that the rest is bad.
	restBad bool
	words   []string // explain the constants of the sums
}

// increases counts a level into the increases of the second layer.
type increases struct {
	counting
	countable
	ofAll, ofBad counted // the series that are recorded; in a level with masks those before anything is left out
	step         time.Duration
}

// countsIncreases reports whether the level is counted by increases. Judged minutes and
// states are not; nor is a level where missing data counts, since nobody knows which
// minutes of a gap were missing.
func (l level) countsIncreases() bool {
	return l.kind.increases != nil && !l.isCut() && !l.fills() && secondLayer*l.interval == sla.BaseWindow
}

// countsTally reports whether a tally is summed from counted increases; time is not.
func countsTally(l level, t metricnames.Tally) bool {
	return l.countsIncreases() && t != agreedTally && t != removedTally && t != metricnames.CappedTally
}

// increasesOf is how a level is counted by increases.
func increasesOf(l level) increases {
	all, bad, step := totalSeries, badSeries, secondLayer*l.interval
	if l.Masked() {
		all, bad = rawTotalSeries, rawBadSeries
	}
	c := counting{level: l, of: l.ID, into: source{all.increase, bad.increase, step, 0}}
	return increases{c, l.kind.increases(c), all, bad, step}
}

// rules record the increases of a step, and how much of them happened in a gap.
func (in increases) rules() []Rule {
	all, part := in.sums(in.live)
	allInGap, partInGap := in.sums(in.inGap)
	all, part = in.seen(all), in.seen(part)
	inBad := in.afterGap(partInGap)
	if in.restBad {
		inBad = in.rest("all", in.own(in.ofAll.inGap), "good", less(inBad))
	}
	total, bad := tallyWords(in.level, in.ofAll.tally()), tallyWords(in.level, in.ofBad.tally())
	rules := []Rule{
		in.record(metricnames.CountedMark, in.atStep(in.running())).
			says("1 where counters were read: at a step at which the server was running, and %s before.", sla.FormatDuration(settled)),
		in.ofGap(in.record(in.ofAll.inGap, promql.AndOn(in.afterGap(allInGap), in.rated(), in.groupLabels()...)), total),
		in.ofGap(in.record(in.ofBad.inGap, promql.AndOn(inBad, in.own(in.ofAll.inGap), in.groupLabels()...)), bad),
		in.ofStep(in.record(in.ofAll.increase, in.elseByRates(in.withGap(all, in.ofAll.inGap), in.rated(), in.ofAll.rate)), total),
		in.ofStep(in.record(in.ofBad.increase, in.elseByRates(in.badOf(part), in.own(in.ofAll.increase), in.ofBad.rate)), bad),
	}
	if in.Masked() {
		rules = append(rules, maskedIncreases{in, agreedTime{in.level}}.rules()...)
	}
	return rules
}

// ofGap and ofStep describe the rules.
func (in increases) ofGap(r Rule, what string) Rule {
	step := sla.FormatDuration(in.step)
	return r.says("After a gap of the server of at most %s: %s since the last step that was counted, less what was seen of them in the last %s.", sla.FormatDuration(longestGap), what, step).
		saysAll(in.constants())
}

func (in increases) ofStep(r Rule, what string) Rule {
	step := sla.FormatDuration(in.step)
	return r.says("%s of the %s up to the last step, which is a multiple of %s in UTC, and those of a gap before.", titled(what), step, step).
		says("By rates where no step was counted for %s. %s", sla.FormatDuration(in.memory()), perInterval(in.level)).saysAll(in.constants())
}

// constants explain the constants of both.
func (in increases) constants() []string {
	if in.all == nil {
		return in.words
	}
	return append(in.words, secondsOf(longestGap)+": the first value of a process that is younger counts")
}

// memory is how long ago the last counted step may be.
func (in increases) memory() time.Duration { return longestGap + 3*in.step }

// atStep is what e was at the last step.
func (in increases) atStep(e promql.Expr) promql.Expr { return promql.AtStep(e, in.step, tick) }

// running has a sample while the server evaluates rules, and so scrapes, and did so
// settled ago. While a server is away, what it scraped last would otherwise be read
// for five minutes as if it were scraped now, and less of it the longer the server is
// away.
func (in increases) running() promql.Expr {
	info, while := promql.Series(metricnames.LevelInfo, in.level.own...), 2*in.interval
	before := promql.Group(info.Ago(settled).LastOverTime(while), in.maskLabels()...)
	return promql.And(before, promql.Group(info.LastOverTime(while), in.maskLabels()...))
}

// marked has a sample if the step before was counted.
func (in increases) marked() promql.Expr {
	return in.recorded(metricnames.CountedMark).LastOverTime(in.step - tick)
}

// remembered has a sample if a step was counted within memory of now.
func (in increases) remembered() promql.Expr {
	return in.recorded(metricnames.CountedMark).Ago(tick).LastOverTime(in.memory())
}

// own is what an earlier rule has just recorded.
func (in increases) own(name string) promql.Expr { return in.recorded(name).LastOverTime(in.step / 2) }

// rateSum is the sum of what the first layer recorded since the last evaluation.
func (in increases) rateSum(name string) promql.Expr { return in.recorded(name).SumOverTime(in.step) }

// rated has a sample if a rate was recorded near the step. It looks back two steps: if the
// server was away between the step and now, no rate was recorded since the last evaluation.
func (in increases) rated() promql.Expr {
	return in.recorded(in.ofAll.rate).LastOverTime(2 * in.step)
}

// before is the value of a counter at the step before, if that step was counted.
func (in increases) before(s promql.Selector) promql.Expr {
	return promql.AndOn(s.Offset(in.step+settle), in.marked())
}

// last is the value of a counter at the last counted step.
func (in increases) last(s promql.Selector) promql.Expr {
	return promql.LastOverSteps(in.before(s), in.memory(), in.step)
}

// extrapolated is the increase that was seen of a counter in the step, for counters
// that were reset, began or ended in it.
func (in increases) extrapolated(s promql.Selector) promql.Expr {
	return s.Ago(settle).Increase(in.step)
}

// live is how much a counter has grown in the step. Resets are looked for a
// minute further back: one may lie between the step before and the first scrape
// after it.
func (in increases) live(s promql.Selector) promql.Expr {
	grown := promql.Ge(promql.Sub(s.Offset(settle), in.before(s)), promql.Num(zero))
	if in.all != nil {
		grown = promql.Or(grown, promql.AndOn(in.born(s, in.before), in.marked()))
	}
	reset := promql.Gt(s.Ago(settle).Resets(in.step+time.Minute), promql.Num(zero))
	return promql.Or(promql.Unless(grown, reset), in.extrapolated(s))
}

// inGap is how much a counter has grown since the last counted step, less what
// live sees of it. A counter that is less than it was has been reset.
func (in increases) inGap(s promql.Selector) promql.Expr {
	now := s.Offset(settle)
	grown := promql.Or(promql.Ge(promql.Sub(now, in.last(s)), promql.Num(zero)), promql.Lt(now, in.last(s)))
	if in.all != nil {
		grown = promql.Or(grown, in.born(s, in.last))
	}
	return promql.Sub(grown, promql.Or(in.extrapolated(s), promql.Mul(promql.Num(zero), now)))
}

// seen is e at the last step, if counters were read there.
func (in increases) seen(e promql.Expr) promql.Expr {
	return in.atStep(promql.AndOn(e, in.running()))
}

// afterGap is e at a step at which counters are read for the first time after a gap.
func (in increases) afterGap(e promql.Expr) promql.Expr {
	e = promql.AndOn(promql.AndOn(e, in.running()), in.recorded(metricnames.CountedMark).LastOverTime(in.memory()))
	return in.atStep(promql.UnlessOn(e, in.marked()))
}

// targetLabels identify a target, also one that another target reports on, as in a
// federation: such a target has no `up` of its own.
var targetLabels = []string{metricnames.Job, metricnames.Instance, metricnames.ExportedJob, metricnames.ExportedInstance}

// born is the value of a counter whose first value counts. Its target is scraped,
// and either had counters before, none of which has vanished, or is a young process
// that was not scraped before. If a target was away, moved or got other labels, its
// counters come with all they ever counted, which counts nowhere.
func (in increases) born(s promql.Selector, before func(promql.Selector) promql.Expr) promql.Expr {
	own := func(name string) promql.Selector { return s.Of(name, metricnames.Job, metricnames.Instance) }
	var known, now promql.Expr
	for i, a := range in.all {
		if i == 0 {
			known, now = before(a), a.Offset(settle)
		} else {
			known, now = promql.Or(known, before(a)), promql.Or(now, a.Offset(settle))
		}
	}
	young := promql.Gt(own(metricnames.ProcessStart).Offset(settle), promql.Sub(promql.Time(), promql.Num(sla.Seconds(longestGap))))
	young = promql.UnlessOn(young, before(own(metricnames.Up)), targetLabels...)
	ofKnown := promql.UnlessOn(promql.AndOn(s.Offset(settle), known, targetLabels...), promql.Unless(known, now), targetLabels...)
	first := promql.Or(ofKnown, promql.AndOn(s.Offset(settle), young, targetLabels...))
	return promql.AndOn(first, own(metricnames.Up).Offset(settle), targetLabels...)
}

// withGap adds what happened in a gap to what was seen.
func (in increases) withGap(seen promql.Expr, inGap string) promql.Expr {
	return promql.Sum(labelled("seen", seen, "in gap", in.own(inGap)), in.groupLabels()...)
}

// badOf is what is bad in a step, from the part that is counted.
func (in increases) badOf(part promql.Expr) promql.Expr {
	if !in.restBad {
		return in.withGap(part, in.ofBad.inGap)
	}
	return in.rest("all", in.own(in.ofAll.increase), "good", less(part), "all in gap", less(in.own(in.ofAll.inGap)), "bad in gap", in.own(in.ofBad.inGap))
}

func less(e promql.Expr) promql.Expr { return promql.Mul(number(-1), e) }

// rest is the sum of parts, never negative.
func (in increases) rest(parts ...any) promql.Expr {
	return promql.ClampMin(promql.Sum(labelled(parts...), in.groupLabels()...), zero)
}

// elseByRates is what was counted, where known says that there is something. It is
// 0 while counters are waited for after a gap, or no target has any. If no step was
// counted for long, as at the very first evaluation, it is calculated from rates.
func (in increases) elseByRates(counted, known promql.Expr, rate string) promql.Expr {
	byRates := promql.Mul(in.rateSum(rate), promql.Num(sla.Seconds(in.interval)))
	counted = promql.AndOn(promql.AndOn(counted, known, in.groupLabels()...), in.remembered())
	waited := promql.AndOn(promql.Mul(promql.Num(zero), in.rateSum(rate)), in.remembered())
	return promql.OrOn(promql.OrOn(counted, waited, in.groupLabels()...), byRates, in.groupLabels()...)
}

// labelled is the union of expressions, each after the value that tells it apart.
func labelled(parts ...any) promql.Expr {
	var union promql.Expr
	for i := 0; i < len(parts); i += 2 {
		e := promql.SetLabel(parts[i+1].(promql.Expr), partLabel, parts[i].(string))
		if i == 0 {
			union = e
		} else {
			union = promql.Or(union, e)
		}
	}
	return union
}
