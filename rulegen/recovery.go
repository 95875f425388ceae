package rulegen

import (
	"fmt"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// Rules of a level whose recovery limits outages or ages. A minute is down by the same
// rule as in a verdict (docs/verdict.md). The beginning and the end of an outage are
// recorded once, when they are first seen, so that sums over a period read few
// samples. No rule reads itself, and what was known before a gap still holds after it.

// recovery makes the rules about recovery, except those of periods.
type recovery struct{ level }

// begunWithin is how far back the beginning of an outage is looked for. There is one
// sample for each outage, so it costs little.
const begunWithin = 32 * 24 * time.Hour

// failing is the share of bad events, in per cent, above which a minute is down if
// the level counts events: docs/verdict.md.
var failing = sla.NewDecimal(50, 1)

// queries are those that the user writes for ages.
func (r recovery) queries() []sla.Query {
	var all []sla.Query
	for _, o := range r.Recovery.Ages() {
		all = append(all, o.Age)
	}
	return all
}

func limitsOutages(l level) bool { return len(l.Recovery.FromOutages()) > 0 }

func (r recovery) rules() ([]Rule, sla.Findings) {
	rules, findings := r.ages()
	if !limitsOutages(r.level) {
		return rules, findings
	}
	down, wrong := r.down()
	if findings = append(findings, wrong...); findings.HasErrors() {
		return nil, findings
	}
	return slices.Concat(rules, down, r.spans()), findings
}

// ages record the results of the queries for ages.
func (r recovery) ages() ([]Rule, sla.Findings) {
	var rules []Rule
	var findings sla.Findings
	for _, o := range r.Recovery.Ages() {
		e, wrong := parsed(o.Age)
		if wrong.HasErrors() {
			continue // which Each reports once, also where several levels have the objective
		}
		if !e.IsVector() {
			findings = append(findings, sla.Finding{
				Severity: sla.Error, Rule: "not-an-age", Pos: o.Age.Pos,
				Message: "this is a number or a range, and no series", Remedy: "write an expression whose series are ages in seconds, like time() - backup_completed_timestamp_seconds",
			})
		}
		if findings.HasErrors() {
			continue
		}
		known := promql.Ge(promql.ClampMin(promql.Max(e), zero), promql.Num(zero))
		rules = append(rules, r.record(metricnames.RecoveryAge, known, metricnames.Recovery, o.Name).
			says("Seconds, the greatest of its series: %s.", o.Words()).says("A clock that is ahead makes no age below 0, and no number is none."))
	}
	return rules, findings
}

// slot is how long the minute or slot is that a state describes, and how long before an
// evaluation it ended at the latest.
func (r recovery) slot() (length, lag time.Duration) {
	length = time.Minute
	if r.isCut() {
		length = r.source().cut
	}
	return length, min(settle, length)
}

// counting counts the minutes of a level that does not judge minutes or slots.
func (r recovery) counting() counting {
	counted := *r.ServiceLevel
	if counted.Aggregation.Counts() == sla.CountsSeconds {
		counted.Aggregation = sla.RequestRatio // in a minute all probes weigh the same
	}
	of := r.level
	of.ServiceLevel = &counted
	return counting{level: of, of: r.ID, into: source{metricnames.OutageTotal, metricnames.OutageBad, slotWindow(r.ServiceLevel), time.Minute}}
}

// down records whether the last minute or slot was down.
func (r recovery) down() ([]Rule, sla.Findings) {
	if r.isCut() {
		judged := promql.GtBool(r.recorded(metricnames.SlotJudged).Now(), promql.Num(zero))
		rule := r.record(metricnames.OutageDown, judged).says("1 if any of the last minute or slot was bad, else 0.")
		if r.aggregation().runs {
			rule.Expr = promql.Unless(judged, promql.Gt(r.recorded(metricnames.SlotBadMinute).Now(), r.recorded(metricnames.SlotQualified).Now()))
			rule = rule.says("None while minutes are bad and nobody knows whether they become a run: what was before goes on.")
		}
		return []Rule{rule}, nil
	}
	c := r.counting()
	rules, findings := c.kind.count(c)
	if findings.HasErrors() {
		return nil, findings
	}
	above := zero // of a level that counts time: whatever is bad
	if r.Aggregation.Counts() == sla.CountsEvents {
		above = failing
	}
	down, words := c.down(above)
	if r.fills() {
		missing := promql.Gt(r.recorded(metricnames.MissingRate).Now(), promql.Num(zero))
		down = promql.Or(down, promql.Add(promql.Mul(promql.Num(zero), missing), promql.Num(r.missingCounts())))
		words = append(words, fmt.Sprintf("What is missing counts as %s.", r.MissingData))
	}
	rule := r.record(metricnames.OutageDown, down).says("1 if the last minute was down, 0 if it was not, none while that is unknown.").saysAll(words)
	return append(rules, rule), nil // warnings are the level's own
}

// slotStart is when the minute or slot of a state began, or some time before that.
func (r recovery) slotStart(before time.Duration) promql.Expr {
	length, lag := r.slot()
	read := promql.Sub(promql.Time(), promql.Num(sla.Seconds(lag)))
	into := promql.Mod(read, promql.Num(sla.Seconds(length)))
	return promql.Sub(promql.Sub(promql.Time(), into), promql.Num(sla.Seconds(lag+length+before)))
}

func (r recovery) slotWords(before time.Duration, why string) []string {
	length, lag := r.slot()
	all := lag + length
	words := []string{fmt.Sprintf("%s = %s in seconds: what is judged at once. It is read %s after its end.", inRules(sla.Seconds(length)), sla.FormatDuration(length), inRules(sla.Seconds(lag)))}
	if before > 0 {
		return append(words, fmt.Sprintf("%s = %s + %s + %s, %s", inRules(sla.Seconds(all+before)), inRules(sla.Seconds(lag)), inRules(sla.Seconds(length)), inRules(sla.Seconds(before)), why))
	}
	return append(words, fmt.Sprintf("%s = %s + %s", inRules(sla.Seconds(all)), inRules(sla.Seconds(lag)), inRules(sla.Seconds(length))))
}

// spans record since when an outage has been going on, and how long ended ones were.
func (r recovery) spans() []Rule {
	state := r.recorded(metricnames.OutageDown)
	before := state.Ago(tick).LastOverTime(sinceWithin) // the last known state before this one
	wasDown := promql.Gt(before, promql.Num(zero))
	day := sla.FormatDuration(sinceWithin)

	first := time.Duration(0) // the bad minutes before a run is long enough count too
	if r.aggregation().runs {
		first = r.Slots.MinRun - time.Minute
	}
	begins := promql.Unless(promql.Gt(state.Now(), promql.Num(zero)), wasDown)
	begun := r.record(metricnames.OutageBegun, promql.Add(promql.Mul(promql.Num(zero), begins), r.slotStart(first))).
		says("When an outage began, in Unix seconds: the start of the first minute or slot that is down after one that is not, or after %s without any.", day).
		saysAll(r.slotWords(first, "since a run is long enough when its last minute is"))

	goesOn := promql.Gt(state.LastOverTime(sinceWithin), promql.Num(zero))
	since := r.record(metricnames.OutageSince, promql.And(r.recorded(metricnames.OutageBegun).LastOverTime(begunWithin), goesOn)).
		says("Since when an outage has been going on: until it is seen good, for up to %s without a measurement.", day)

	age, last := promql.Sub(promql.Time(), r.recorded(metricnames.OutageSince).Now()), time.Duration(0)
	if w := slotWindow(r.ServiceLevel); !r.isCut() {
		last = w - time.Minute // how long after its own minute a bad probe is still seen
	}
	was := r.recorded(metricnames.OutageSince).Ago(tick).LastOverTime(sinceWithin)
	length := promql.Sub(r.slotStart(last), was)
	ends := promql.And(promql.Le(state.Now(), promql.Num(zero)), wasDown)
	ended := promql.ClampMin(promql.And(length, ends), sla.Seconds(time.Minute))

	rules := []Rule{begun, since}
	if r.ServiceHours != nil {
		served := r.recorded(metricnames.OutageInHours).LastOverTime(begunWithin)
		age = promql.And(age, promql.Ge(served, r.recorded(metricnames.OutageSince).Now()))
		ended = promql.And(ended, promql.Ge(served, was))
		within := times(promql.Gt(state.Now(), promql.Num(zero)), agreedTime(r).inService(now)...)
		rules = append(rules, r.record(metricnames.OutageInHours, promql.Add(promql.Mul(promql.Num(zero), promql.Gt(within, promql.Num(zero))), promql.Time())).
			says("Now, in Unix seconds, while it is down within service hours: an outage outside of them does not count."))
	}
	rules = append(rules,
		r.record(metricnames.OutageAge, age).says("For how long the outage has been going on, in seconds."),
		r.record(metricnames.OutageEnded, ended).
			says("How long an outage was, in seconds, when its end is first seen: from its start to that of the first minute or slot that is not down, at least a minute.").
			saysAll(r.slotWords(last, "since a bad probe is seen in so much more than its own minute")))
	return append(rules, r.byStart()...)
}

// byStart records ended outages by the calendar period in which they ended. If the
// calendar's own rules were not evaluated yet, as after a restart, it is the last known
// period.
func (r recovery) byStart() []Rule {
	var rules []Rule
	for _, of := range r.Periods() {
		if of.Calendar == "" {
			continue
		}
		c := period{r.level, of}.inCalendar()
		starts := c.clock.selector(metricnames.CalendarStartDate)
		running := promql.CountValues(metricnames.Start, promql.Or(starts.Now(), starts.LastOverTime(sinceWithin)))
		once := r.recorded(metricnames.OutageEnded).LastOverTime(r.steps(1)) // once, and not for as long as its sample is seen
		rules = append(rules, c.record(metricnames.OutageByStart, promql.MulLeft(once, running, nil, []string{metricnames.Start})).
			says("The same, by the start of the %s in which it ended.", of.Calendar))
	}
	return rules
}

// outages are the figures of the outages that ended in the period.
func (p period) outages() []Rule {
	if !limitsOutages(p.level) {
		return nil
	}
	events, window := p.recorded(metricnames.OutageEnded), p.of.Rolling
	of := func(e promql.Expr) promql.Expr { return e }
	if p.of.Calendar != "" {
		events, window, of = p.figure(metricnames.OutageByStart), p.of.Longest(), p.inCalendar().ofRunning
	}
	none := promql.Mul(promql.Num(zero), p.figure(metricnames.TotalPeriod).Now())
	return []Rule{
		p.record(metricnames.OutageCount, promql.OrOn(of(events.CountOverTime(window)), none, p.joinLabels()...)).
			says("How many outages have ended in %s.", p.of.Words()),
		p.record(metricnames.OutageLongest, of(events.MaxOverTime(window))).says("The longest of these, in seconds; none without outages."),
		p.record(metricnames.OutageMean, of(events.AvgOverTime(window))).says("Their mean, in seconds; none without outages."),
	}
}
