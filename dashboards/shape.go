package dashboards

import (
	"fmt"
	"slices"
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

// maxShapeLevels is up to how many levels agreements are looked for alike.
const maxShapeLevels = 10

// shapeOf is all that the agreement's dashboard shows beside names, as a key and
// as an agreement that holds nothing else: what is missing here is missing in
// every dashboard that is printed by shape, where tests see it. It is not ok if
// a name has to be escaped somewhere, or if the levels are of a rarer kind.
func shapeOf(a *sla.Agreement) (key string, bare *sla.Agreement, ok bool) {
	if len(a.Levels) > maxShapeLevels || !plainName(a.Name) || len(UID(a.Name)) != len(uidPrefix)+len(a.Name) {
		return "", nil, false
	}
	bare = &sla.Agreement{Name: placeholder(holeSLA, 0)}
	if a.Description != "" {
		bare.Description = placeholder(holeDescription, 0)
	}
	ids := make(map[sla.ID]sla.ID, len(a.Levels))
	for i, l := range a.Levels {
		if l.ID.SLA != a.Name || !plainName(l.ID.Service) || !plainName(l.ID.SLO) {
			return "", nil, false
		}
		ids[l.ID] = sla.ID{SLA: bare.Name, Service: placeholder(holeService, i), SLO: placeholder(holeSLO, i)}
	}
	k := fmt.Appendf(nil, "%t", a.Description != "")
	for _, l := range a.Levels {
		indicator := bareIndicator(l, ids)
		namesTiers := slices.ContainsFunc(l.Escalation, func(s sla.EscalationStep) bool { return len(s.Tiers) > 0 })
		if indicator == nil || namesTiers || len(l.GroupBy.Labels) > 0 || l.Masked() || len(l.Credits.Tiers) > 0 {
			return "", nil, false
		}
		b := &sla.ServiceLevel{
			ID: ids[l.ID], Indicator: indicator, Aggregation: l.Aggregation,
			Target: l.Target, Objective: l.Objective, Period: l.Period, MorePeriods: l.MorePeriods,
		}
		k = fmt.Appendf(k, "\n%T %q %s %s %#v %#v", indicator, l.Aggregation, exactly(l.Target), exactly(l.Objective), l.Period, l.MorePeriods)
		if latency, ok := indicator.(*sla.ProbeLatency); ok {
			k = fmt.Appendf(k, " %d %q", latency.Threshold, latency.Of)
		}
		if shared, ok := indicator.(*sla.SharedProbe); ok {
			k = fmt.Appendf(k, " %q", shared.Of)
		}
		for _, t := range l.Alerting.Tiers {
			if strings.Contains(t.Name, opening) {
				return "", nil, false
			}
			b.Alerting.Tiers = append(b.Alerting.Tiers, sla.Tier{
				Name: t.Name, Severity: t.Severity, Urgency: t.Urgency, Long: t.Long, Short: t.Short, Factor: t.Factor, For: t.For, Labels: t.Labels,
			})
			k = fmt.Appendf(k, " %q %q %d %d %d %s %d %q", t.Name, t.Severity, t.Urgency, t.Long, t.Short, exactly(t.Factor), t.For, t.Labels)
		}
		bare.Levels = append(bare.Levels, b)
	}
	return string(k), bare, true
}

func exactly(d sla.Decimal) string {
	num, den := d.Fraction()
	return num + "/" + den
}

// bareIndicator is what dashboards show of a level's source, nil if that is more
// than a shape holds.
func bareIndicator(l *sla.ServiceLevel, ids map[sla.ID]sla.ID) sla.Indicator {
	switch i := l.Indicator.(type) {
	case *sla.Events, *sla.HistogramLatency, *sla.NativeLatency, *sla.Condition, *sla.Ratio, *sla.Blackbox:
		if len(i.Queries()) == 0 {
			return nil
		}
		return &sla.Events{Total: sla.Query{Text: "any"}}
	case *sla.Probe:
		return &sla.Probe{}
	case *sla.SharedProbe:
		if of, ok := ids[i.Of]; ok {
			return &sla.SharedProbe{Of: of}
		}
	case *sla.ProbeLatency:
		if of, ok := ids[i.Of]; ok {
			return &sla.ProbeLatency{Of: of, Threshold: i.Threshold}
		}
	}
	return nil
}

// plainName tells the names that neither PromQL nor JSON nor Grafana, whose
// variables begin with a dollar sign, has to have escaped.
func plainName(name string) bool {
	for i := range len(name) {
		if c := name[i]; c < ' ' || c > '~' || strings.IndexByte(`"\$<>&`, c) >= 0 {
			return false
		}
	}
	return true
}
