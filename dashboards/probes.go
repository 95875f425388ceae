package dashboards

import (
	"fmt"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/heatmap"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/sla"
)

// probed are the levels for which the exporter's probes are counted.
func probed(a *sla.Agreement) []*sla.ServiceLevel {
	var all []*sla.ServiceLevel
	for _, l := range a.Levels {
		if _, ok := probedBy(l); ok {
			all = append(all, l)
		}
	}
	return all
}

// probedBy returns the level with the probe that a level counts: itself, or another.
func probedBy(l *sla.ServiceLevel) (id sla.ID, ok bool) {
	switch i := l.Indicator.(type) {
	case *sla.Probe:
		return l.ID, true
	case *sla.SharedProbe:
		return i.Of, true
	case *sla.ProbeLatency:
		return i.Of, true
	}
	return sla.ID{}, false
}

// maxShared is for how many levels that count another level's probe a board has
// queries.
const maxShared = 100

// ofProbe is an expression of the exporter's series for the chosen level. If the level
// counts the probe of another level, the series have the other level's labels: each
// such level has its own term, with values only while it is chosen.
func (c chosen) ofProbe(expr func(probe selector) string) string {
	terms := []string{expr(c.selectorWithoutGroups())}
	for _, l := range probed(c.of) {
		of, _ := probedBy(l)
		if of == l.ID || len(terms) > maxShared {
			continue
		}
		guard := c.selectorWithoutGroups().with(eq(metricnames.Service, l.ID.Service), eq(metricnames.SLO, l.ID.SLO))
		terms = append(terms, fmt.Sprintf("(%s) and on () %s", expr(ofLevel(of)), guard.series(metricnames.TargetRatio)))
	}
	return strings.Join(terms, " or ")
}

// probePanels show the exporter's own metrics of the probe that the chosen level
// counts.
func probePanels(g *grid, c chosen) {
	g.section("probes")
	times := timePanel("Response time", "Quantiles of what the probes took, failed ones included. Dashed: the response times that levels demand of this probe.").minStep(evaluation).
		unit(unitSeconds, -1).noValue("no exporter is scraped")
	for _, q := range []struct{ quantile, name string }{{"0.5", "median"}, {"0.95", "95 %"}, {"0.99", "99 %"}} {
		times.query(c.ofProbe(func(s selector) string { return s.responseTime(q.quantile) }), q.name)
	}
	if demanded := c.demanded(); demanded != "" {
		times.query(demanded, "demanded").colored("demanded", colorBad).dashed("demanded")
	}
	within := timePanel("Within the threshold", "The share of the conclusive probes that were good and took at most the threshold.").minStep(evaluation).
		query(c.ofProbe(func(s selector) string {
			return fmt.Sprintf("sum by (%s) (rate(%s[$__rate_interval])) / on () group_left () sum(rate(%s[$__rate_interval]))", metricnames.Threshold,
				s.series(metricnames.ProbeWithin), s.with(oneOf(metricnames.Outcome, []string{metricnames.Good, metricnames.Bad})).series(metricnames.ProbeResults))
		}), "within {{threshold}} s").unit(unitRatio, -1).noValue("no level demands a response time").anyMinimum()
	g.add(9, sized{12, times}, sized{12, within})
	g.add(9, sized{14, heatmapPanel(c)}, sized{10, phasesPanel(c)})
	g.add(8, sized{10, outcomesPanel(c)}, sized{10, failuresPanel(c)}, sized{4, lastPanel(c)})
}

// demanded are the response times that the agreement's levels require of a probe.
func (c chosen) demanded() string {
	thresholds := map[sla.ID]string{}
	for _, t := range sla.ProbeTargets([]*sla.Agreement{c.of}) {
		if len(t.Thresholds) > 0 {
			thresholds[t.ID] = seconds(t.Thresholds[0])
		}
	}
	return c.whole().perLevel(func(l *sla.ServiceLevel) (string, bool) {
		if i, ok := l.Indicator.(*sla.ProbeLatency); ok {
			return seconds(i.Threshold), true
		}
		of, _ := probedBy(l)
		text, ok := thresholds[of]
		return text, ok
	})
}

// heatmapPanel shows how many probes took how long, from classic or native buckets.
func heatmapPanel(c chosen) *panel {
	o := heatmap.NewOptions()
	o.Calculate = cog.ToPtr(false)
	o.Exemplars.Color = colorBad
	o.Color.Scheme = "Blues"
	o.YAxis = heatmap.YAxisConfig{AxisPlacement: cog.ToPtr(common.AxisPlacementLeft), Unit: cog.ToPtr(unitSeconds)}
	o.Tooltip.Mode = common.TooltipDisplayModeSingle
	p := newPanel("heatmap", "Response times", "How many probes took how long. Each column is a step of time.", o).minStep(evaluation)
	p.unit(unitNumber, -1).noValue("no exporter is scraped")
	expr := c.ofProbe(func(s selector) string {
		return fmt.Sprintf("sum(rate(%s[$__rate_interval])) or sum by (le) (rate(%s[$__rate_interval]))",
			s.series(metricnames.ProbeDuration), s.series(metricnames.ProbeDuration+"_bucket"))
	})
	p.target(prometheus.Dataquery{Expr: expr, Format: cog.ToPtr(prometheus.PromQueryFormatHeatmap), LegendFormat: cog.ToPtr("{{le}}"), Range: cog.ToPtr(true)})
	return p
}

func phasesPanel(c chosen) *panel {
	return timePanel("Phases", "The mean of what each phase of a probe took: which of them is slow.").minStep(evaluation).stacked().
		query(c.ofProbe(func(s selector) string {
			classic := fmt.Sprintf("sum by (%s) (rate(%s[$__rate_interval])) / on () group_left () sum(rate(%s[$__rate_interval]))",
				metricnames.Phase, s.series(metricnames.ProbePhase+"_sum"), s.series(metricnames.ProbeDuration+"_count"))
			return classic + fmt.Sprintf(" or sum by (%s) (histogram_sum(rate(%s[$__rate_interval]))) / on () group_left () sum(histogram_count(rate(%s[$__rate_interval])))",
				metricnames.Phase, s.series(metricnames.ProbePhase), s.series(metricnames.ProbeDuration))
		}), "{{phase}}").unit(unitSeconds, -1).noValue("no phases are measured")
}

func outcomesPanel(c chosen) *panel {
	outcomes := timePanel("Probe outcomes", "Results a minute. Inconclusive and missed ones are the prober's own fault: they are neither good nor bad time of the service.").
		query(c.ofProbe(func(s selector) string { return s.perMinute(metricnames.ProbeResults, metricnames.Outcome) }), "{{outcome}}").
		unit(unitPerMinute, -1).noValue("no exporter is scraped").minStep(evaluation).stacked()
	for _, of := range []struct{ outcome, color string }{
		{metricnames.Good, colorGood},
		{metricnames.Bad, colorBad},
		{metricnames.Inconclusive, colorUnknown},
		{metricnames.Maintenance, colorNeutral},
		{metricnames.Missed, colorWorse},
	} {
		outcomes.colored(of.outcome, of.color)
	}
	return outcomes
}

func failuresPanel(c chosen) *panel {
	return timePanel("Failures by reason", "Bad and inconclusive results a minute, by what was wrong.").
		query(c.ofProbe(func(s selector) string { return s.perMinute(metricnames.ProbeFailures, metricnames.Reason) }), "{{reason}}").
		unit(unitPerMinute, -1).noValue("no failures, or no exporter is scraped").minStep(evaluation).stacked().shades(colorBad)
}

func lastPanel(c chosen) *panel {
	return statPanel("Last outcome", "What the latest conclusive probe found, from each location.").
		now(c.ofProbe(selector.lastOutcome), "{{location}}").noValue("never probed").unit(unitNumber, 0).
		thresholds(colorBad, step{1, colorGood}).
		states(stateWords{0, "bad", colorBad}, stateWords{1, "good", colorGood}).colorBackground()
}
