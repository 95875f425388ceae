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

// The states of the levels that a composite is made of. The composite's own
// rules scan the raw series of each once more, over a slot: a fifth of what the
// level's base series cost. So every rule file loads and works alone, all states
// are of the same moment, no edge is smeared over the five minutes of the base
// series, and a component's maintenance and service hours, which are promises to
// others, excuse nothing here.

// state are the names that a component's state is recorded by.
type state struct{ total, rate, bad string }

var (
	componentState = state{metricnames.ComponentTotal, metricnames.ComponentRate, metricnames.ComponentBad}
	endToEndState  = state{metricnames.EndToEndTotal, metricnames.EndToEndRate, metricnames.EndToEndBad}
)

// stateOf records whether a level is down in each slot: 1 or 0, and nothing
// while that is not known.
func (c compiler) stateOf(of *sla.ServiceLevel, label string, downAbove sla.Decimal, names state) ([]Rule, sla.Findings) {
	s := c.component(of, label, names)
	rules, findings := s.count()
	if findings.HasErrors() || len(rules) == 0 {
		return nil, findings
	}
	return append(rules, s.record(names.bad, s.down(of, downAbove))), nil // warnings are the level's own
}

// component is a compiler that counts the state of another level.
func (c compiler) component(of *sla.ServiceLevel, label string, names state) compiler {
	s := c.within(of, label)
	s.into = source{names.total, names.rate, slotWindow(of), c.interval}
	return s
}

// within is a compiler that counts another level under the composite's name,
// told apart by a label.
func (c compiler) within(of *sla.ServiceLevel, label string) compiler {
	counted := *of
	counted.ID, counted.ServiceHours, counted.Exclusions = c.level.ID, nil, nil
	counted.Period, counted.MorePeriods = c.level.Period, c.level.MorePeriods
	if counted.Aggregation == sla.Time {
		counted.Aggregation = sla.RequestRatio // of probes: in a slot all weigh the same
	}
	l := level{ServiceLevel: &counted, interval: c.interval, extra: map[string]string{metricnames.Component: label}, masks: c.masks}
	maps.Copy(l.extra, c.extra)
	l.own = slices.Concat(identity(c.level.ID), extraMatchers(l.extra))
	s := newCompiler(l)
	s.probed = of.ID
	return s
}

// slotWindow is how much a slot's state is read from: a minute, and for probes
// that come seldom as much as surely holds one of them between two scrapes.
func slotWindow(l *sla.ServiceLevel) time.Duration {
	const scrapes = 30 * time.Second // two scrapes of a window, which rate needs at its ends
	_, probe, _ := l.Probed()
	if probe == nil || probe.Interval+scrapes <= time.Minute {
		return time.Minute
	}
	return (probe.Interval + scrapes + time.Minute - 1).Truncate(time.Minute)
}

// down is 1 while the level is down by its own rule for minutes, or by the share
// of its events that are bad.
func (c compiler) down(of *sla.ServiceLevel, downAbove sla.Decimal) promql.Expr {
	if of.Slots.Quorum > 0 {
		return c.agreed()
	}
	judged := promql.GtBool(c.slotShare(), promql.Num(downAbove.Quo(hundred)))
	switch of.Aggregation {
	case sla.AllFailedMinute:
		judged = promql.GeBool(c.slotShare(), promql.Num(almostAll))
	case sla.BadMinute, sla.QualifiedRun:
		judged = promql.GtBool(c.slotShare(), promql.Num(of.Slots.ErrorThreshold.Quo(hundred)))
	case sla.SlotQuantile: // which is above the threshold if more than the rest of the requests are
		judged = promql.GtBool(c.slotShare(), promql.Num(one.Sub(of.Slots.Quantile)))
	}
	if of.EmptySlotIsGood() {
		return c.orZero(judged)
	}
	return judged
}

// measuredBy is the series that is there while the level is measured. What a
// composite's policy makes of unknown components is no measurement.
func (c compiler) measuredBy() string {
	if _, composite := c.level.Indicator.(*sla.Composite); composite {
		return metricnames.ComponentBad
	}
	if c.fills() { // then the base series are always there
		if methods[c.level.Aggregation].slots == nil && !sla.LookedAt(c.level.Indicator) {
			return metricnames.KnownTotalRate
		}
		return metricnames.SlotBad
	}
	return metricnames.TotalRate
}

// tellComponents has an alert of a composite say which components are down, and
// since when.
func (c compiler) tellComponents(r Rule) {
	if _, composite := c.level.Indicator.(*sla.Composite); !composite || r.Alert == sla.AlertMeasurementLost.Name {
		return
	}
	down := c.recorded(metricnames.DownSince).Now().String()
	r.Annotations["components_down"] = fmt.Sprintf("{{ range query %q | sortByLabel %q }}{{ .Labels.component }} is down since {{ .Value | humanizeTimestamp }}. "+
		"{{ else }}No component is down now.{{ end }}", down, metricnames.Component)
}

// linkComposites gives an alert of a component the labels that lead to the
// composites that it is a part of, by their choice. That nobody knows how a
// component is, is no consequence of a composite's failing.
func (c compiler) linkComposites(r Rule) {
	var all, inhibited []string
	for _, p := range c.level.PartOf {
		all = append(all, p.Composite.String())
		if p.Alerts == sla.AlertsInhibited && r.Alert != sla.AlertMeasurementLost.Name {
			inhibited = append(inhibited, p.Composite.String())
		}
	}
	if len(all) > 0 {
		r.Labels[metricnames.PartOf] = strings.Join(all, ",")
	}
	if len(inhibited) > 0 {
		r.Labels[metricnames.InhibitedBy] = strings.Join(inhibited, ",")
	}
}
