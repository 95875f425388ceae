package rulegen

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// level is a service level as all of its rules see it: what is promised, what
// its series are called and selected by, and how often rules are evaluated. It is
// never changed. Every step that makes rules holds one, and depends on that alone
// and on the series that the steps before it record.
type level struct {
	*sla.ServiceLevel
	interval  time.Duration // of the first layer of rules
	dashboard string        // URL that alerts link, or ""
	links     Links
	extra     map[string]string // labels of everything that is recorded
	own       []promql.Matcher  // select what the level records
	masks     *masks            // of the agreement
	kind      indicator         // what sets the kind of indicator apart
}

func newLevel(l *sla.ServiceLevel, opts Options, masks *masks) level {
	return level{
		ServiceLevel: l, interval: opts.Interval, dashboard: opts.Dashboard, links: opts.Links, extra: opts.Labels,
		own: slices.Concat(identity(l.ID), extraMatchers(opts.Labels)), masks: masks, kind: indicatorOf(l.Indicator),
	}
}

// labels are the level's own labels with more added.
func (l level) labels(more ...string) map[string]string {
	id := l.ID
	m := make(map[string]string, 3+len(l.extra)+len(more)/2)
	maps.Copy(m, l.extra)
	m[metricnames.SLA], m[metricnames.Service], m[metricnames.SLO] = id.SLA, id.Service, id.SLO
	for i := 0; i < len(more); i += 2 {
		m[more[i]] = more[i+1]
	}
	return m
}

// record is a recording rule with the level's labels and more.
func (l level) record(name string, e promql.Expr, more ...string) Rule {
	return Rule{Record: name, Expr: e, Labels: l.labels(more...)}
}

// recorded selects a series that the level records.
func (l level) recorded(name string, more ...promql.Matcher) promql.Selector {
	return promql.Series(name, append(slices.Clip(l.own), more...)...)
}

func identity(id sla.ID) []promql.Matcher {
	return []promql.Matcher{
		promql.Eq(metricnames.SLA, id.SLA), promql.Eq(metricnames.Service, id.Service), promql.Eq(metricnames.SLO, id.SLO),
	}
}

// groupLabels are the labels whose values are the level's groups; none for a level
// without groups. Everything that is aggregated from raw series keeps them, and a
// join that needs no labels without groups is on them: promql.Sum(e,
// l.groupLabels()...), promql.OrOn(a, b, l.groupLabels()...).
func (l level) groupLabels() []string { return l.GroupBy.Labels }

// joinLabels are those by which the recorded series of a level are told apart:
// its identity and its group labels. A join of recorded series is on them and on
// no others, so no label that a user edits can break one.
func (l level) joinLabels() []string {
	return append([]string{metricnames.SLA, metricnames.Service, metricnames.SLO}, l.groupLabels()...)
}

// maskLabels are the labels of a level's masks, which have no groups.
func (l level) maskLabels() []string {
	return []string{metricnames.SLA, metricnames.Service, metricnames.SLO}
}

func (l level) grouped() bool { return len(l.groupLabels()) > 0 }

// measured names the base series from before masks leave anything out.
func (l level) measured() (total, bad string) {
	if l.Masked() {
		return metricnames.RawTotalRate, metricnames.RawBadRate
	}
	return metricnames.TotalRate, metricnames.BadRate
}

// isCut reports whether the level is judged by minutes or slots.
func (l level) isCut() bool {
	counts := l.Aggregation.Counts()
	return counts == sla.CountsMinutes || counts == sla.CountsSlots || sla.LookedAt(l.Indicator)
}

// fills reports whether missing data counts.
func (l level) fills() bool { return l.MissingData != sla.MissingExcluded }

// missingCounts is how bad a missing minute counts.
func (l level) missingCounts() sla.Decimal {
	if l.MissingData == sla.MissingBad {
		return one
	}
	return zero
}

// samples is the range that holds exactly the evaluations of d.
func (l level) samples(d time.Duration) time.Duration { return d - l.interval/2 }

// slotsOf is the number of slots in a time, rounded up.
func (l level) slotsOf(d time.Duration) int { return int((d + l.interval - 1) / l.interval) }

// steps is a window that holds exactly n steps of the interval, whether or not a
// server counts its left edge.
func (l level) steps(n int) time.Duration { return time.Duration(n)*l.interval - tick }

// bridged is the last sample of a series, unless that is two intervals old: so
// it bridges one missed evaluation. Where a state has become unknown the series
// has ended, and has no sample.
func (l level) bridged(s promql.Selector) promql.Expr {
	return promql.And(s.Now(), s.LastOverTime(2*l.interval))
}

// always is 1 while a series of 0 and 1 was 1 in each of the last n evaluations,
// this one included; 0 while it was not, and no sample if it has none now.
func (l level) always(name string, n int, more ...promql.Matcher) promql.Expr {
	last := promql.GtBool(l.recorded(name, more...).Now(), promql.Num(zero))
	if n < 2 {
		return last
	}
	before := l.bridged(l.recorded(name, more...).Ago(tick))
	bad := promql.GtBool(promql.MinOverSteps(before, l.steps(n-1), l.interval), promql.Num(zero))
	all := promql.GeBool(promql.CountOverSteps(before, l.steps(n-1), l.interval), number(int64(n-1)))
	return promql.Or(promql.Mul(promql.Mul(last, bad), all), promql.Mul(promql.Num(zero), last))
}

// alwaysWords explain the constants of always.
func alwaysWords(n int) []string {
	if n < 2 {
		return nil
	}
	return []string{fmt.Sprintf("%d = evaluations before this one", n-1)}
}

// keptMask is the mask of the minutes whose failures count.
func (l level) keptMask() string {
	if slices.ContainsFunc(l.Exclusions, treatsAsUp) {
		return metricnames.SlotKept
	}
	return metricnames.SlotAgreed
}

// measuredBy names the series that exists while the level is measured.
func (l level) measuredBy() string {
	switch {
	case l.kind.measured != "":
		return l.kind.measured
	case !l.fills():
		return metricnames.TotalRate
	case l.isCut(): // where missing data counts the base series are always there
		return l.source().bad
	}
	return metricnames.KnownTotalRate
}

// counters count the raw series of the level: its own, or those of the components
// of a composite.
func (l level) counters() []counting {
	if l.kind.components != nil {
		return l.kind.components(l)
	}
	return []counting{{level: l, of: l.ID, into: l.source()}}
}

// share is the share of all time that is agreed service time.
func (l level) share() sla.Decimal { return l.masks.share(l.ServiceLevel) }

// removesOnCondition reports whether a condition may remove time from the level.
func (l level) removesOnCondition() bool { return slices.ContainsFunc(l.Exclusions, removesUnforeseen) }

// tallies are those beside total and bad.
func (l level) tallies() []metricnames.Tally {
	var all []metricnames.Tally
	all = append(all, l.kind.tallies...)
	if l.fills() {
		all = append(all, metricnames.TallyOf("missing", metricnames.MissingRate))
	}
	if !l.Masked() {
		return all
	}
	all = append(all, rawTotalTally, rawBadTally)
	if len(l.Exclusions) > 0 {
		all = append(all, excludedTotalTally, excludedBadTally)
	}
	if len(l.MeasuredCaps()) > 0 {
		all = append(all, metricnames.CappedTally)
	}
	if !l.Aggregation.ByTime() {
		all = append(all, agreedTally)
	}
	if l.removesOnCondition() {
		all = append(all, removedTally)
	}
	return all
}

var (
	totalTally         = metricnames.TallyOf("total", metricnames.TotalRate)
	badTally           = metricnames.TallyOf("bad", metricnames.BadRate)
	rawTotalTally      = metricnames.TallyOf("raw_total", metricnames.RawTotalRate)
	rawBadTally        = metricnames.TallyOf("raw_bad", metricnames.RawBadRate)
	excludedTotalTally = metricnames.TallyOf("excluded_total", metricnames.ExcludedTotalRate)
	excludedBadTally   = metricnames.TallyOf("excluded_bad", metricnames.ExcludedBadRate)
	agreedTally        = metricnames.TallyOf("agreed", metricnames.AgreedMask)
	removedTally       = metricnames.TallyOf("removed", metricnames.RemovedMask)
)
