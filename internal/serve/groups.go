package serve

import (
	"cmp"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/rules"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/web"
	"github.com/upheld-sla/upheld/sla"
)

// statusOf returns the status of a level. If it has groups, it has all their statuses,
// and the state of the worst.
func statusOf(l *sla.ServiceLevel, samples []promql.Sample, alerts []*rules.AlertingRule, since firingSince) web.LevelStatus {
	all := describe(alerts, since, func(labels.Labels) bool { return true })
	if len(l.GroupBy.Labels) == 0 {
		return newStatus(l, seriesOf(samples), all)
	}
	status := web.LevelStatus{Level: l, Alerts: all, State: sla.StateUnknown, Recovery: web.Recovery{Ages: seriesOf(samples).ages(l)}}
	for _, g := range groupsOf(l, samples) {
		status.Groups = append(status.Groups, g.status(l, alerts, since))
	}
	slices.SortStableFunc(status.Groups, worstFirst)
	for i, g := range status.Groups {
		if i == 0 || g.State.WorseThan(status.State) {
			status.State = g.State
		}
	}
	return status
}

func seriesOf(samples []promql.Sample) series {
	s := series{}
	for _, sample := range samples {
		of := sample.Metric
		s[seriesKey{of.Get(model.MetricNameLabel), of.Get(metricnames.Period), cmp.Or(of.Get(metricnames.Tier), of.Get(metricnames.Recovery))}] = sample
	}
	return s
}

// group is one of a level's groups with its samples.
type group struct {
	values  []string // of the level's group labels, in their order
	samples []promql.Sample
}

// groupsOf returns the groups of the samples, in the order of their values.
func groupsOf(l *sla.ServiceLevel, samples []promql.Sample) []*group {
	var groups []*group
	for _, sample := range samples {
		values := valuesOf(l, sample.Metric)
		i, found := slices.BinarySearchFunc(groups, values, func(g *group, v []string) int { return slices.Compare(g.values, v) })
		if !found {
			groups = slices.Insert(groups, i, &group{values: values})
		}
		groups[i].samples = append(groups[i].samples, sample)
	}
	return groups
}

func valuesOf(l *sla.ServiceLevel, ls labels.Labels) []string {
	values := make([]string, len(l.GroupBy.Labels))
	for i, label := range l.GroupBy.Labels {
		values[i] = ls.Get(label)
	}
	return values
}

// status is the group's status, measured against what is promised to it.
func (g *group) status(l *sla.ServiceLevel, alerts []*rules.AlertingRule, since firingSince) web.GroupStatus {
	own, words := map[string]string{}, make([]string, len(g.values))
	for i, label := range l.GroupBy.Labels {
		own[label] = g.values[i]
		words[i] = label + " " + cmp.Or(g.values[i], "(none)")
	}
	promise := l.PromiseTo(own)
	level := *l
	level.Target, level.Objective = promise.Target, promise.Objective
	return web.GroupStatus{
		Name: strings.Join(words, ", "),
		LevelStatus: newStatus(&level, seriesOf(g.samples), describe(alerts, since, func(ls labels.Labels) bool {
			return slices.Equal(valuesOf(l, ls), g.values)
		})),
	}
}

// worstFirst orders groups by the budget left, the least first. Groups with unknown
// budget come last.
func worstFirst(a, b web.GroupStatus) int {
	if a.BudgetRemaining.Known != b.BudgetRemaining.Known {
		if a.BudgetRemaining.Known {
			return -1
		}
		return 1
	}
	return cmp.Compare(a.BudgetRemaining.Value, b.BudgetRemaining.Value)
}

// worse is the worse value at each step of two histories with the same steps.
func worse(a, b []web.Point) []web.Point {
	if a == nil {
		return b
	}
	for i, p := range b {
		if p.Good.Known && (!a[i].Good.Known || p.Good.Value < a[i].Good.Value) {
			a[i].Good = p.Good
		}
	}
	return a
}
