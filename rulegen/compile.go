package rulegen

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// Compile makes the plan of an agreement. Findings are mistakes in the user's
// PromQL, each at its place, for every level whose indicator could be read;
// the plan holds the levels without an error.
func Compile(a *sla.Agreement, opts Options) (*Plan, sla.Findings) {
	plan := &Plan{Agreement: a}
	findings, _ := Each(a, opts, func(l LevelPlan) error {
		plan.Levels = append(plan.Levels, l)
		return nil
	})
	return plan, findings
}

// Each is Compile without holding more than one level at a time: use gets what
// each level without an error becomes, in the order of the agreement. An error
// of use ends it and is returned.
func Each(a *sla.Agreement, opts Options, use func(LevelPlan) error) (sla.Findings, error) {
	if opts.Interval == 0 {
		opts.Interval = DefaultInterval
	}
	if opts.Now.IsZero() {
		opts.Now = time.Now()
	}
	shared, masks := map[string]bool{}, newMasks(a, opts)
	findings := masks.lint()
	defer func() { findings.Sort() }()
	for _, l := range a.Levels {
		if l.Indicator == nil {
			continue // the reader has reported it
		}
		level, fs := compileLevel(l, opts, shared, masks)
		findings = append(findings, fs...)
		if fs.HasErrors() || level.Level == nil {
			continue
		}
		if err := use(level); err != nil {
			return findings, err
		}
	}
	return findings, nil
}

// compiler makes the rules of one level.
type compiler struct {
	level     *sla.ServiceLevel
	probed    sla.ID // whose probe is counted, if not the level's own
	interval  time.Duration
	into      source            // what the indicator is counted into
	raw       []promql.Selector // what it is counted from, where missing data counts
	dashboard string            // URL, or ""
	extra     map[string]string
	own       []promql.Matcher // of what the level records
	least     []least          // see minima
	masks     *masks
}

// compileLevel makes the rules of a level. shared are the groups that levels
// before it have brought and that it may read; those that it brings are added.
func compileLevel(l *sla.ServiceLevel, opts Options, shared map[string]bool, masks *masks) (LevelPlan, sla.Findings) {
	c := compiler{level: l, interval: opts.Interval, dashboard: opts.Dashboard, extra: opts.Labels, masks: masks}
	if of, composite := l.Indicator.(*sla.Composite); composite && of.Tree == nil {
		return LevelPlan{}, nil // a mistake in it, which the reader has reported
	}
	c.own, c.least = slices.Concat(identity(l.ID), extraMatchers(opts.Labels)), c.minima()
	base, findings := c.base()
	findings = append(findings, quotedNames(opts, append(l.Indicator.Queries(), l.Slots.Weight)...)...)
	findings = append(findings, c.lintEvents()...)
	if findings.HasErrors() || l.Period.IsZero() {
		return LevelPlan{}, findings // without a period, which the reader has reported, only queries are checked
	}
	if none := c.lintShare(); none.HasErrors() {
		return LevelPlan{}, append(findings, none...)
	}
	name := fmt.Sprintf(GroupPrefix+"%s:%s:%s", l.ID.SLA, l.ID.Service, l.ID.SLO)
	ofFirst, ofSecond := c.rest()
	first := Group{Name: name, Interval: opts.Interval, Rules: append(base, ofFirst...)}
	second := Group{Name: name + ":long", Interval: secondTier * opts.Interval, Rules: ofSecond}
	findings = append(append(findings, c.lint(opts)...), c.clashes()...)
	groups := c.calendarGroups(opts, shared)
	if l.Masked() {
		ofMasks, wrong := masks.group(shared)
		groups, findings = append(groups, ofMasks...), append(findings, wrong...)
	}
	return LevelPlan{Level: l, Groups: append(append(groups, first, second), c.rollupGroup(shared)...)}, findings
}

// rest makes what a level records and raises beside its base series, for the
// groups of the two tiers.
func (c compiler) rest() (first, second []Rule) {
	short, long := c.windows()
	first = slices.Concat(c.alertingMask(), c.ratios(short), c.constants())
	second = slices.Concat(c.increases(), c.goodSeen(), c.ratios(long), c.periods(), c.rollups())
	ofFirst, ofSecond := c.burns()
	first, second = append(first, ofFirst...), append(second, ofSecond...)
	ofFirst, ofSecond = c.notices()
	first, second = append(first, ofFirst...), append(second, ofSecond...)
	return append(first, c.escalations(first)...), append(second, c.escalations(second)...)
}

// labels are the level's own labels with more added.
func (c compiler) labels(more ...string) map[string]string {
	id := c.level.ID
	m := make(map[string]string, 3+len(c.extra)+len(more)/2)
	maps.Copy(m, c.extra)
	m[metricnames.SLA], m[metricnames.Service], m[metricnames.SLO] = id.SLA, id.Service, id.SLO
	for i := 0; i < len(more); i += 2 {
		m[more[i]] = more[i+1]
	}
	return m
}

// record is a recording rule with the level's labels and more.
func (c compiler) record(name string, e promql.Expr, more ...string) Rule {
	return Rule{Record: name, Expr: e, Labels: c.labels(more...)}
}

// recorded selects a series that the level records.
func (c compiler) recorded(name string, more ...promql.Matcher) promql.Selector {
	return promql.Series(name, append(slices.Clip(c.own), more...)...)
}

func identity(id sla.ID) []promql.Matcher {
	return []promql.Matcher{
		promql.Eq(metricnames.SLA, id.SLA), promql.Eq(metricnames.Service, id.Service), promql.Eq(metricnames.SLO, id.SLO),
	}
}

// groupLabels are those whose values are the groups of the level; none for a
// level without groups. Everything that is aggregated from raw series goes by
// them, and so does every join that a level without groups makes without
// labels: promql.Sum(e, c.groupLabels()...), promql.OrOn(a, b, c.groupLabels()...).
func (c compiler) groupLabels() []string { return c.level.GroupBy.Labels }

// joinLabels are those by which the recorded series of a level are told apart:
// its identity and its group labels. A join of recorded series is on them and on
// no others, so no label that a user edits can break one.
func (c compiler) joinLabels() []string {
	return append([]string{metricnames.SLA, metricnames.Service, metricnames.SLO}, c.groupLabels()...)
}

// constants record what the level promises, and a description of it as labels.
func (c compiler) constants() []Rule {
	l := c.level
	info := c.labels(infoIndicator, l.Indicator.Kind(), metricnames.Period, periodNames(l),
		infoTarget, l.Target.String(), infoObjective, l.Objective.String())
	for _, k := range slices.Sorted(maps.Keys(l.Labels)) {
		info[infoPrefix+k] = l.Labels[k]
	}
	described := Rule{Record: metricnames.LevelInfo, Expr: promql.Vector(one), Labels: info}
	if c.grouped() {
		info[infoGroupBy] = strings.Join(c.groupLabels(), ",")
		return []Rule{
			c.seenGroups(),
			c.record(metricnames.TargetRatio, c.promised(func(t sla.GroupTarget) sla.Decimal { return t.Target })),
			c.record(metricnames.ObjectiveRatio, c.promised(func(t sla.GroupTarget) sla.Decimal { return t.Objective })),
			c.worstGroups(),
			described,
		}
	}
	return []Rule{
		c.record(metricnames.TargetRatio, promql.Vector(l.TargetRatio())),
		c.record(metricnames.ObjectiveRatio, promql.Vector(l.ObjectiveRatio())),
		described,
	}
}

// periodNames are the names of a level's periods, joined by commas.
func periodNames(l *sla.ServiceLevel) string {
	var names []string
	for _, p := range l.Periods() {
		names = append(names, p.String())
	}
	return strings.Join(names, ",")
}

var (
	zero = sla.NewDecimal(0, 1)
	one  = sla.NewDecimal(1, 1)
)
