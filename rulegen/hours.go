package rulegen

import (
	"fmt"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
)

// A sum over a month has 8,640 samples, and reading them every five minutes was
// two thirds of what a level cost. So the sums of a long period are kept in two
// parts: the third layer reads, twice an hour, all up to a whole hour; the second
// layer reads what it has recorded since then. Both read recorded increases and
// neither reads itself, so a pair of servers agrees, and a missed evaluation loses
// nothing.

const (
	// thirdLayer is how often sums up to an hour are read.
	thirdLayer = 30 * time.Minute
	// longPeriod is the shortest period whose sums are kept in two parts.
	longPeriod = 48 * time.Hour
	// hoursBack is how many hours ago the third layer may have been evaluated last: the
	// hours since then are read one by one.
	hoursBack = 2
	// olderSteps are the steps at which older increases are looked for.
	olderSteps = 6 * time.Hour
)

// byHour reports whether the sums of the period are kept in two parts.
func (p period) byHour() bool {
	return p.of.Longest() >= longPeriod && time.Hour%(secondLayer*p.interval) == 0
}

// partLabel tells the parts of a sum apart while they are joined.
const partLabel = "part"

// overTime is a function over the samples of a series, in three forms: of the
// current one, of a range, and of the steps of a subquery.
type overTime struct {
	now     func(s promql.Selector) promql.Expr
	samples func(s promql.Selector, window time.Duration) promql.Expr
	steps   func(e promql.Expr, window, step time.Duration) promql.Expr
}

var (
	sumOf   = overTime{promql.Selector.Now, promql.Selector.SumOverTime, promql.SumOverSteps}
	countOf = overTime{
		func(s promql.Selector) promql.Expr {
			return promql.Add(promql.Mul(promql.Num(zero), s.Now()), promql.Num(one))
		},
		promql.Selector.CountOverTime, promql.CountOverSteps,
	}
)

// toHour records what the second layer recorded of a series up to the last whole
// hour within the longest length of the period.
func (p period) toHour(name string, s promql.Selector, f overTime, what string) Rule {
	return p.record(name, promql.AtStep(f.samples(s.Ago(tick), p.of.Longest()), time.Hour, 0)).
		says("%s of %s up to the last whole hour.", titled(what), p.of.Words())
}

// hourRules are the rules of the third layer, none for a level without a long
// period: until when sums are recorded, and the sums of each of its periods.
func hourRules(l level) []Rule {
	var rules []Rule
	for _, of := range l.Periods() {
		p := period{l, of}
		if !p.byHour() {
			continue
		}
		for _, t := range p.allTallies() {
			rules = append(rules, p.toHour(t.ToHour, p.increase(t), sumOf, tallyWords(p.level, t)))
		}
		if !p.Masked() && !p.Aggregation.ByTime() {
			rules = append(rules, p.toHour(metricnames.MeasuredToHour, p.increase(totalTally), countOf, evaluationsWords))
		}
	}
	if len(rules) == 0 {
		return nil
	}
	return append([]Rule{l.record(metricnames.SummedUntil, promql.AtStep(promql.VectorOf(promql.Time()), time.Hour, 0)).
		says("The last whole hour in Unix seconds, up to which the rules below sum.")}, rules...)
}

// evaluationsWords name what coverage is measured in if events are counted, since
// having no traffic is known too.
const evaluationsWords = "evaluations with a total"

// allTallies are all tallies of the level, total and bad first.
func (l level) allTallies() []metricnames.Tally {
	return append([]metricnames.Tally{totalTally, badTally}, l.tallies()...)
}

// increase selects what the second layer records of a tally. In a calendar period
// it is labelled with the start of the period that it belongs to.
func (p period) increase(t metricnames.Tally) promql.Selector {
	if p.of.Calendar != "" {
		return p.figure(t.Tagged)
	}
	return p.recorded(t.Increase)
}

// sum records a tally of the period under a name; in a calendar period only the
// chosen part, labelled with the period's start.
func (p period) sum(name string, t metricnames.Tally, chosen func(promql.Expr) promql.Expr) []Rule {
	s := p.increase(t)
	if !p.byHour() {
		return []Rule{p.record(name, chosen(s.SumOverTime(p.of.Longest()))).says("%s of %s.", titled(tallyWords(p.level, t)), p.of.Words())}
	}
	return []Rule{
		p.record(t.SinceHour, p.sinceHour(s, sumOf)).says("%s since the last whole hour.", titled(tallyWords(p.level, t))).says(parityWords),
		p.record(name, chosen(p.summed(t.ToHour, t.SinceHour, s, sumOf))).
			says("%s of %s: those up to a whole hour, which another group sums, those since then, and up to %d hours between.", titled(tallyWords(p.level, t)), p.of.Words(), hoursBack).
			says("%s", secondsOf(time.Hour)),
	}
}

// evaluations is how many evaluations of the second layer had a total, and the
// rules that this needs.
func (p period) evaluations() ([]Rule, promql.Expr) {
	s := p.increase(totalTally)
	if !p.byHour() {
		return nil, s.CountOverTime(p.of.Longest())
	}
	const toHour, sinceHour = metricnames.MeasuredToHour, metricnames.MeasuredSinceHour
	since := p.record(sinceHour, p.sinceHour(s, countOf)).says("%s since the last whole hour.", titled(evaluationsWords)).says(parityWords)
	return []Rule{since}, p.summed(toHour, sinceHour, s, countOf)
}

// sinceHour is what the second layer recorded of a series since the last whole hour.
func (p period) sinceHour(s promql.Selector, f overTime) promql.Expr {
	return joined("now", f.now(s), "before", s.SinceMultiple(f.steps, time.Hour, secondLayer*p.interval))
}

// parityWords explain the constants of sums since an hour.
const parityWords = "3600 and 7200 are 1h and 2h in seconds: odd and even hours are told apart. What is recorded at a step counts 0.001 s later."

// evaluationWords explain the constants of evaluations.
func (p period) evaluationWords() []string {
	if !p.byHour() {
		return nil
	}
	return []string{secondsOf(time.Hour)}
}

// joined sums those of the expressions that exist. They have the same labels,
// and each follows a name that tells it apart.
func joined(parts ...any) promql.Expr {
	return promql.SumWithout(labelled(parts...), partLabel, metricnames.Period)
}

// summed is what the second layer recorded of a series within the longest length of
// the period, and up to an hour before that: the recorded sum up to an hour, the
// hours after it, and what came since. A series with nothing older than hoursBack
// does without the recorded sum.
func (p period) summed(toHour, sinceHour string, s promql.Selector, f overTime) promql.Expr {
	const seconds = int64(time.Hour / time.Second)
	recorded := p.figure(toHour).LastOverTime(hoursBack * time.Hour)
	until := p.recorded(metricnames.SummedUntil).LastOverTime(hoursBack * time.Hour)
	parts := []any{"to hour", recorded, "since", p.figure(sinceHour).Now()}
	for n := range hoursBack { // an hour that is over, and not in the record yet
		begun := promql.Sub(promql.Time(), promql.Mod(promql.Time(), number(seconds)))
		if n > 0 {
			begun = promql.Sub(begun, number(int64(n)*seconds))
		}
		hour := promql.AtStep(f.samples(s.Ago(tick), time.Hour), time.Hour, time.Duration(n)*time.Hour)
		parts = append(parts, fmt.Sprintf("hour %d", n+1), promql.AndOn(hour, promql.Lt(until, begun), p.maskLabels()...))
	}
	all := promql.AndIgnoring(joined(parts...), recorded, metricnames.Period)
	young := promql.SumWithout(f.samples(s, hoursBack*time.Hour), metricnames.Period)
	older := promql.LastOverStepsAgo(s.Now(), p.of.Longest(), olderSteps, hoursBack*time.Hour)
	return promql.Or(all, promql.UnlessIgnoring(young, older, metricnames.Period))
}
