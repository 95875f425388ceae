package rulegen

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/sla"
)

// The states of the levels that a composite is made of. The composite's own
// rules scan the raw series of each once more, over a slot, which costs a fifth
// of the level's base series. So every rule file loads and works alone, all
// states are of the same moment, no edge is smeared over the five minutes of the
// base series, and a component's maintenance and service hours, which are
// promises to others, excuse nothing here.

// state names the series that record a component's state.
type state struct{ total, rate, bad string }

var (
	componentState = state{metricnames.ComponentTotal, metricnames.ComponentRate, metricnames.ComponentBad}
	endToEndState  = state{metricnames.EndToEndTotal, metricnames.EndToEndRate, metricnames.EndToEndBad}
)

// stateOf records whether a level is down in each slot: 1 or 0, and nothing
// while that is not known.
func (t tree) stateOf(of *sla.ServiceLevel, label string, downAbove sla.Decimal, names state) ([]Rule, sla.Findings) {
	s := t.component(of, label, names)
	rules, findings := s.kind.count(s)
	if findings.HasErrors() || len(rules) == 0 {
		return nil, findings
	}
	down, words := s.down(downAbove)
	state := s.record(names.bad, down).says("%s1 while it is down, 0 while it is not, none while that is unknown.", s.whose()).saysAll(words)
	return append(rules, state), nil // warnings are the level's own
}

// component counts the state of another level under the composite's name, told
// apart by a label.
func (t tree) component(of *sla.ServiceLevel, label string, names state) counting {
	counted := *of
	counted.ID, counted.ServiceHours, counted.Exclusions = t.ID, nil, nil
	counted.Period, counted.MorePeriods = t.Period, t.MorePeriods
	if counted.Aggregation.Counts() == sla.CountsSeconds {
		counted.Aggregation = sla.RequestRatio // of probes: in a slot all weigh the same
	}
	extra := map[string]string{metricnames.Component: label}
	maps.Copy(extra, t.extra)
	return counting{
		level: level{
			ServiceLevel: &counted, interval: t.interval, extra: extra,
			own: slices.Concat(identity(t.ID), extraMatchers(extra)), masks: t.masks, kind: indicatorOf(of.Indicator),
		},
		of:   of.ID,
		into: source{names.total, names.rate, slotWindow(of), t.interval},
	}
}

// components count the states of all levels that a composite reads.
func (t tree) components() []counting {
	var all []counting
	for _, x := range t.Component {
		all = append(all, t.component(x.Level, x.Label, componentState))
	}
	if e := t.EndToEnd; e != nil {
		all = append(all, t.component(e.Level, componentLabel(t.ID, e.Level.ID), endToEndState))
	}
	return all
}

// slotWindow is how far back a slot's state is read: a minute, or for rare
// probes long enough to surely hold one of them between two scrapes.
func slotWindow(l *sla.ServiceLevel) time.Duration {
	const scrapes = 30 * time.Second // two scrapes of a window, which rate needs at its ends
	_, probe, _ := l.Probed()
	if probe == nil || probe.Interval+scrapes <= time.Minute {
		return time.Minute
	}
	return (probe.Interval + scrapes + time.Minute - 1).Truncate(time.Minute)
}

// longestSlot is the longest window that a component is read from. A composite
// counts as measured while any component does.
func longestSlot(of *sla.Composite) time.Duration {
	longest := time.Duration(0)
	for _, x := range of.Component {
		longest = max(longest, slotWindow(x.Level))
	}
	return longest
}

// tellComponents lets an alert of a composite say which components are down,
// and since when.
func tellComponents(l level, r Rule) {
	down := l.recorded(metricnames.DownSince).Now().String()
	r.Annotations["components_down"] = fmt.Sprintf("{{ range query %q | sortByLabel %q }}{{ .Labels.component }} is down since {{ .Value | humanizeTimestamp }}. "+
		"{{ else }}No component is down now.{{ end }}", down, metricnames.Component)
}

// linkComposites gives an alert of a component labels that name the composites
// it belongs to, as these choose. Kinds that a failing composite does not
// explain, such as a lost measurement, are not marked as inhibited.
func (al alerts) linkComposites(k *sla.AlertKind, r Rule) {
	var all, inhibited []string
	for _, p := range al.PartOf {
		all = append(all, p.Composite.String())
		if p.Alerts == sla.AlertsInhibited && k.Withheld {
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
