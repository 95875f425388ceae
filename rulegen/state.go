package rulegen

import (
	"fmt"
	"strings"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// stating records the state of a level in one series, so that pages, boards, alerts and
// the terminal say the same thing of the same moment. docs/rules.md has the definitions.
// It reads what earlier rules of its evaluation have recorded, the agreement's masks,
// and the last results of probes.
type stating struct{ promises }

// leastDown is the bad share of the last five minutes from which a level is down.
var leastDown = sla.NewDecimal(1, 2)

// lastResults are the last results of a level's targets, a series for each: 1 for a good
// one, 0 for a bad one.
type lastResults struct {
	of promql.Expr
	// counted has a sample while results are counted and no target reports its last one,
	// as in stored samples without that series. Then counts decide the state.
	counted promql.Expr
}

// lastResults are the last results of a probe, as long as new ones come. An exporter that
// cannot know the state, by its own fault, goes on reporting the last one that it knew. A
// result is such a leftover if its count is the same as five minutes ago; a new target
// has no count from then.
func (p probeCount) lastResults() lastResults {
	conclusive := p.series(metricnames.ProbeResults, promql.Re(metricnames.Outcome, metricnames.Good+"|"+metricnames.Bad))
	count := func(e promql.Expr) promql.Expr { return promql.SumWithout(e, metricnames.Outcome) }
	last := promql.Series(metricnames.ProbeLastState, identity(p.by)...)
	return lastResults{
		of:      promql.Unless(last.Now(), promql.Equal(count(conclusive.Now()), count(conclusive.Offset(sla.BaseWindow)))),
		counted: promql.UnlessOn(p.present(), last.Now(), p.groupLabels()...),
	}
}

// rules record the state.
func (s stating) rules() []Rule {
	state, words := s.measured()
	if s.grouped() {
		state = s.ofGroups(state)
	} else {
		state = promql.OrOn(state, promql.Vector(codeOf(sla.StateUnknown)))
		if closed := s.closed(); !closed.IsZero() {
			state = promql.OrOn(closed, state)
		}
	}
	return []Rule{s.record(metricnames.ServiceState, state).says("%s", codeWords()).saysAll(words)}
}

// ofGroups is the state of each group that is measured or required, and of the level as
// a whole only while nothing of it is measured. Masks hold for all groups.
func (s stating) ofGroups(measured promql.Expr) promql.Expr {
	lost := s.withGroupsLost(promql.Absent(s.recorded(s.measuredBy())))
	state := promql.OrOn(measured, inState(sla.StateUnknown, lost), s.groupLabels()...)
	closed := s.closed()
	if closed.IsZero() {
		return state
	}
	closed = promql.Or(closed, promql.Vector(zero))
	open := promql.LeBool(closed, promql.Num(zero))
	return promql.AddLeft(times(state, open), closed)
}

// closed is the state outside service hours and in maintenance windows; none
// otherwise, nor while nobody knows that: then what is measured counts, as it does
// for alerts.
func (s stating) closed() promql.Expr {
	var closed promql.Expr
	if s.ServiceHours != nil {
		mask := s.masks.series(metricnames.ServiceHoursMask, metricnames.Calendar, s.ServiceHours.Name)
		closed = inState(sla.StateOutOfHours, promql.Lt(promql.Max(mask.Now()), promql.Num(one)))
	}
	var names []string
	for _, e := range byWindows(s.ServiceLevel, func(*sla.Exclusion) bool { return true }) {
		names = append(names, e.Name)
	}
	if len(names) == 0 {
		return closed
	}
	open := promql.Max(s.masks.selected(metricnames.ExclusionMask, among(metricnames.Exclusion, names)).Now())
	return union(closed, inState(sla.StateMaintenance, promql.Gt(open, promql.Num(zero))))
}

// measured is the state by measurement, none where there is none, and words
// that explain its constants.
func (s stating) measured() (promql.Expr, []string) {
	c := counting{level: s.level, of: s.ID, into: s.source()}
	if s.kind.results == nil {
		return s.byShare(c)
	}
	last := s.kind.results(c)
	state, words := s.byResults(last.of)
	if s.grouped() {
		total, _ := s.measuredPair()
		state = promql.AndOn(state, total.Now(), s.groupLabels()...)
	}
	if last.counted.IsZero() {
		return state, words
	}
	counted, more := s.byShare(c)
	return promql.OrOn(state, promql.AndOn(counted, last.counted, s.groupLabels()...), s.groupLabels()...), append(words, more...)
}

// byResults is the state by the last results: down if none is good, or a quorum of
// locations has no good one; degraded if some are bad.
func (s stating) byResults(last promql.Expr) (promql.Expr, []string) {
	bad := func(e promql.Expr) promql.Expr { return promql.LeBool(e, promql.Num(zero)) }
	degraded := promql.Mul(promql.Num(codeOf(sla.StateDegraded)), bad(promql.Min(last, s.groupLabels()...)))
	const words = "By the last results: any that is bad is 4, and 1 more if none is good."
	if s.Slots.Quorum == 0 {
		return promql.Add(degraded, bad(promql.Max(last, s.groupLabels()...))), []string{words}
	}
	quorum := promql.Num(sla.NewDecimal(s.Slots.Quorum, 1))
	best := promql.Max(last, append([]string{metricnames.Location}, s.groupLabels()...)...)
	down := promql.GeBool(promql.Sum(bad(best), s.groupLabels()...), quorum)
	enough := promql.Ge(promql.Count(best, s.groupLabels()...), quorum)
	return promql.AndOn(promql.Add(degraded, down), enough, s.groupLabels()...), []string{
		"By the last results: any that is bad is 4, and 1 more if a quorum of locations has no good one.",
		fmt.Sprintf("%d = quorum: while fewer locations have a result it is unknown", s.Slots.Quorum),
	}
}

// byShare is the state by the bad share: of the last five minutes, or of the last
// look at a state.
func (s stating) byShare(c counting) (promql.Expr, []string) {
	share, idle := s.badShare(c)
	least, words := leastDown, []string{inRules(leastDown) + ": half of it is bad"}
	if s.kind.whole != nil {
		share, words = s.kind.whole(s.level)
		least, words = almostAll, append(words, inRules(almostAll)+": all of it, as exactly as sums can tell")
	}
	down, degraded := promql.Ge(share, promql.Num(least)), promql.Gt(share, s.objectiveBudget())
	state := promql.Or(inState(sla.StateDown, down), inState(sla.StateDegraded, degraded))
	state = promql.Or(state, inState(sla.StateUp, share))
	if !s.ownTargets() {
		words = append(words, budgetWords(s.ObjectiveBudget(), s.Objective)+", what the objective allows")
	}
	if !idle.IsZero() {
		state = promql.Or(state, inState(sla.StateUp, idle))
		words = append(words, "Without events it is up.")
	}
	return state, words
}

// badShare is the bad share of what is known, none where nothing is; idle has a
// sample where it is known that no event could be bad, since there was none.
func (s stating) badShare(c counting) (share, idle promql.Expr) {
	switch {
	case sla.LookedAt(s.Indicator):
		return s.recorded(c.into.bad).Now(), idle
	case s.aggregation().base != nil:
		return s.ofJudged(), idle
	}
	total, bad := s.measuredPair()
	if s.CountsOwnEvents() {
		idle = total.Now()
	}
	if total.Name() == metricnames.TotalRate {
		return s.recorded(ratioName(sla.BaseWindow)).Now(), idle
	}
	return promql.Div(bad.Now(), promql.Gt(total.Now(), promql.Num(zero))), idle
}

// measuredPair are total and bad of what is known of the last five minutes, before
// exclusions and without missing data.
func (s stating) measuredPair() (total, bad promql.Selector) {
	totalName, badName := s.level.measured()
	if s.fills() && !s.isCut() {
		totalName, badName = metricnames.KnownTotalRate, metricnames.KnownBadRate
	}
	return s.recorded(totalName), s.recorded(badName)
}

// ofJudged is the share of the last five minutes that was judged bad, whatever runs and
// weights make of it; or how bad the last slot was.
func (s stating) ofJudged() promql.Expr {
	name := metricnames.SlotJudged
	if s.fills() {
		name = metricnames.SlotKnown
	}
	switch {
	case s.Aggregation.Counts() == sla.CountsSlots:
		return s.recorded(name).Now()
	case s.aggregation().runs:
		name = metricnames.SlotBadMinute
	case s.Slots.Weight.Text != "":
		bad := promql.GtBool(s.recorded(name).Now(), promql.Num(zero))
		return promql.AvgOverSteps(bad, sla.BaseWindow, s.interval)
	}
	return s.recorded(name).AvgOverTime(s.samples(sla.BaseWindow))
}

// inState is the number of a state where e has a sample.
func inState(state sla.State, e promql.Expr) promql.Expr {
	e = promql.Mul(promql.Num(zero), e)
	if state == sla.StateUp {
		return e
	}
	return promql.Add(e, promql.Num(codeOf(state)))
}

func codeOf(s sla.State) sla.Decimal { return sla.NewDecimal(int64(s.Code()), 1) }

// codeWords say what the numbers mean.
func codeWords() string {
	var words []string
	for _, s := range sla.States() {
		words = append(words, fmt.Sprintf("%d %s", s.Code(), strings.ToLower(s.Words())))
	}
	return "How the service is: " + strings.Join(words, ", ") + "."
}
