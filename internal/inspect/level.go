package inspect

import (
	"fmt"
	"slices"
	"strings"
	"time"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// level is the level being checked.
type level struct {
	*Server
	of       *sla.ServiceLevel
	measured int // groups of it, 1 without groups
	findings sla.Findings
}

// Level compares a level with the server's series, and adds its rules to the cost.
// Findings are warnings if the server may just not have seen the service yet.
func (s *Server) Level(p rulegen.LevelPlan) sla.Findings {
	l := &level{Server: s, of: p.Level, measured: 1}
	l.indicator()
	if s.err == nil {
		s.add(p, l.measured)
	}
	if s.Err() != nil {
		return nil //nolint:nilerr // Err says why; half of the findings would mislead
	}
	return l.findings
}

func (l *level) warn(pos sla.Position, rule, remedy, message string, args ...any) {
	l.findings = append(l.findings, sla.Finding{Severity: sla.Warning, Rule: rule, Pos: pos, Message: fmt.Sprintf(message, args...), Remedy: remedy})
}

// indicator checks what the kind of indicator needs. This is the table of kinds; for
// other kinds it checks the selectors.
func (l *level) indicator() {
	switch ind := l.of.Indicator.(type) {
	case *sla.Probe:
		l.probed(l.of.ID)
	case *sla.SharedProbe:
		l.probed(ind.Of)
	case *sla.ProbeLatency:
		l.probed(ind.Of)
	case *sla.Events:
		total := l.counters(ind.Total)
		l.counted(ind.Bad)
		l.good(ind.Good, selectors(ind.Good), len(total) > 0)
		l.doubled(ind.Total, total)
		l.scraped(ind.Total, total)
		l.groups(ind.Total, total)
	case *sla.HistogramLatency:
		l.histogram(ind)
	case *sla.NativeLatency:
		l.native(ind)
	default:
		for _, q := range ind.Queries() {
			for _, s := range selectors(q) {
				l.there(q, s, s)
			}
		}
	}
}

// selectors returns the selectors of a query, which the rule generator has already
// read.
func selectors(q sla.Query) []promql.Selector {
	e, err := promql.Parse(q.Text)
	if err != nil {
		return nil
	}
	return e.Reads()
}

// probed checks that the level has results from an exporter.
func (l *level) probed(of sla.ID) {
	s := promql.Series(metricnames.ProbeResults, promql.Eq(metricnames.SLA, of.SLA), promql.Eq(metricnames.Service, of.Service), promql.Eq(metricnames.SLO, of.SLO))
	if l.renamed(of, s) {
		return
	}
	if l.number(promql.Count(s.Now())) == 0 && l.err == nil {
		l.warn(l.of.Pos, "no-series", "run upheld-exporter on this specification and let the server scrape it; prometheus/scrape.yaml of upheld generate has the job",
			"no exporter's results of %s/%s are there", of.Service, of.SLO)
		return
	}
	l.often(l.of.Pos, s)
}

// renamed checks whether a scrape has renamed the exporter's own labels. Prometheus
// does that if the scraped target has a label of that name (each target of a
// ServiceMonitor has "service") and the job has no honor_labels. Rules then find no
// results.
func (l *level) renamed(of sla.ID, results promql.Selector) bool {
	const prefix = "exported_" // of labels without honor_labels, documented by Prometheus
	named := func(label, value string) promql.Selector {
		return promql.Series(metricnames.ProbeResults, promql.Eq(prefix+label, value))
	}
	for _, asked := range []struct {
		label string
		of    promql.Selector
	}{
		{metricnames.SLA, named(metricnames.SLA, of.SLA)},
		{metricnames.Service, named(metricnames.Service, of.Service)},
		{metricnames.SLO, named(metricnames.SLO, of.SLO)},
		{metricnames.Target, results.With(promql.Ne(prefix+metricnames.Target, ""))},
		{metricnames.Location, results.With(promql.Ne(prefix+metricnames.Location, ""))},
		{metricnames.Outcome, results.With(promql.Ne(prefix+metricnames.Outcome, ""))},
	} {
		if l.number(promql.Count(asked.of.Now())) == 0 {
			continue
		}
		l.findings = append(l.findings, sla.Finding{
			Severity: sla.Error, Rule: "renamed-label", Pos: l.of.Pos,
			Message: fmt.Sprintf("the exporter's results of %s/%s have %s%s in place of %s, because the scraped target has a label %s of its own; the rules measure nothing",
				of.Service, of.SLO, prefix, asked.label, asked.label, asked.label),
			Remedy: "write honor_labels: true into the scrape job, or honorLabels: true into the ServiceMonitor (docs/scraping.md)",
		})
		return true
	}
	return false
}

// counters checks the selectors of a total and returns those that find series.
func (l *level) counters(q sla.Query) []promql.Selector {
	var found []promql.Selector
	for _, s := range selectors(q) {
		if l.there(q, s, s) {
			found = append(found, s)
			l.isCounter(q, s)
		}
	}
	return found
}

// counted checks what is counted of a total. Its series may be missing, like the errors
// of a service that never failed; its metric and labels may not.
func (l *level) counted(q sla.Query) {
	for _, s := range selectors(q) {
		if l.number(promql.Count(s.Now())) > 0 {
			l.isCounter(q, s)
			continue
		}
		if s.Name() != "" && l.exists(q, s) {
			l.labelled(q, s)
		}
	}
}

// exists checks for any series of the selector's metric.
func (l *level) exists(q sla.Query, s promql.Selector) bool {
	if l.number(promql.Count(promql.Series(s.Name()).Now())) > 0 || l.err != nil {
		return true
	}
	remedy := "look for it where the service is scraped; its counters may also be born with their first event"
	if near := spec.Nearest(s.Name(), l.metrics()); near != "" {
		remedy = fmt.Sprintf("did you mean %q?", near)
	}
	l.warn(q.At(s.Place()), "no-series", remedy, "the server has no series called %s", s.Name())
	return false
}

// labelled checks for each label that the selector needs, and reports whether all
// exist.
func (l *level) labelled(q sla.Query, s promql.Selector) bool {
	for _, label := range s.Wants() {
		if l.number(promql.Count(promql.Series(s.Name(), promql.Ne(label, "")).Now())) == 0 && l.err == nil {
			l.warn(q.At(s.Place()), "no-label", "look at one of them: "+l.one(s.Name()), "no series of %s has a label %q", s.Name(), label)
			return false
		}
	}
	return true
}

// there checks for the series of a selector. found selects the series that are counted,
// which differ for a histogram.
func (l *level) there(q sla.Query, s, found promql.Selector) bool {
	if l.number(promql.Count(found.Now())) > 0 || l.err != nil {
		return l.err == nil
	}
	if found.Name() == "" {
		l.warn(q.At(s.Place()), "no-series", "", "the server has no series that this selects")
		return false
	}
	if l.exists(q, found) && l.labelled(q, found) {
		remedy := "look at one of them: " + l.one(found.Name())
		if other := l.other(found); other.text != "" {
			remedy = other.remedy()
		}
		l.warn(q.At(s.Place()), "no-series", remedy, "the server has series called %s, and none with these labels", found.Name())
	}
	return false
}

// one returns an example series of a metric.
func (l *level) one(metric string) string {
	v := l.vector(promql.TopOne(promql.Series(metric).Now()))
	if len(v) == 0 {
		return metric
	}
	series := promql.Metric{}
	for name, value := range v[0].Metric {
		series[string(name)] = string(value)
	}
	return series.String()
}

// isCounter checks the type of the metric, or its name if the type is unknown.
func (l *level) isCounter(q sla.Query, s promql.Selector) {
	const remedy = "rates are of counters, which only grow; for a state write a condition"
	switch kind := l.kind(s.Name()); {
	case kind == v1.MetricTypeCounter, kind == v1.MetricTypeHistogram, kind == v1.MetricTypeSummary, kind == v1.MetricTypeGaugeHistogram, l.err != nil:
	case kind != "":
		l.warn(q.At(s.Place()), "not-a-counter", remedy, "%s is a %s", s.Name(), kind)
	case !slices.ContainsFunc([]string{"_total", "_count", "_sum", "_bucket"}, func(suffix string) bool { return strings.HasSuffix(s.Name(), suffix) }):
		l.warn(q.At(s.Place()), "not-a-counter", remedy, "the server does not know what %s is, and it is not called like a counter (…_total)", s.Name())
	}
}

// scraped checks how often the counted series are scraped.
func (l *level) scraped(q sla.Query, of []promql.Selector) {
	for _, s := range of {
		l.often(q.At(s.Place()), s)
	}
}

// often counts the samples in five minutes. It tolerates half a sample less for edges,
// and a quarter if one is enough.
func (l *level) often(pos sla.Position, s promql.Selector) {
	n := l.perWindow(s)
	window, least := rulegen.Scrapes(l.of)
	if window == 0 || n == 0 {
		return
	}
	if in := n * float64(window) / float64(sla.BaseWindow); in+min(0.5, float64(least)/4) < float64(least) {
		l.warn(pos, "few-scrapes", "scrape at least every "+sla.FormatDuration(window/time.Duration(least)),
			"%s has about %.1f samples in %s, over which the level %q counts; %s", s.Name(), in, sla.FormatDuration(window), l.of.ID.SLO, rulegen.Needed(least))
	}
}

// perWindow is how many samples a series of the selector has in five minutes.
func (s *Server) perWindow(sel promql.Selector) float64 {
	return s.number(promql.Max(sel.CountOverTime(sla.BaseWindow)))
}

// groups checks for the group labels, and counts the groups.
func (l *level) groups(q sla.Query, of []promql.Selector) {
	by := l.of.GroupBy.Labels
	for _, s := range of {
		missing := false
		for _, label := range by {
			if l.number(promql.Count(s.With(promql.Ne(label, "")).Now())) == 0 && l.err == nil {
				missing = true
				l.warn(q.At(s.Place()), "no-label", "look at one of them: "+l.one(s.Name()), "no series of %s that this selects has the label %q, by which the level %q is grouped", s.Name(), label, l.of.ID.SLO)
			}
		}
		if len(by) == 0 || missing {
			continue
		}
		n := int(l.number(promql.Count(promql.CountBy(s.Now(), by...))))
		l.measured = max(l.measured, min(n, l.of.GroupBy.Limit))
		if n > l.of.GroupBy.Limit {
			l.warn(q.At(s.Place()), "many-groups", "raise the limit of groupBy, or group by less",
				"%s has %d groups by %s, and the level %q measures at most %d", s.Name(), n, strings.Join(by, ", "), l.of.ID.SLO, l.of.GroupBy.Limit)
		}
	}
}

// native checks for a native histogram.
func (l *level) native(n *sla.NativeLatency) {
	for _, s := range selectors(n.Histogram) {
		if l.number(promql.Count(promql.HistogramCount(s.Now()))) > 0 {
			l.good(n.Good, selectors(n.Good), true)
			l.doubled(n.Histogram, []promql.Selector{s})
			l.scraped(n.Histogram, []promql.Selector{s})
			l.groups(n.Histogram, []promql.Selector{s})
			continue
		}
		if l.number(promql.Count(s.WithSuffix("_bucket").Now())) > 0 {
			l.warn(n.Histogram.At(s.Place()), "classic-histogram", "leave out native, or let the server keep native histograms", "the server has %s as a classic histogram only", s.Name())
			continue
		}
		l.there(n.Histogram, s, s)
	}
}

// Cost is the load of rules on a server.
type Cost struct {
	Series  int     // recorded series
	Touched float64 // samples that the rules read per second
	Raw     float64 // the part of these that rules do not record
	ADay    float64 // samples recorded per day
}

// Cost is the cost of all levels so far.
func (s *Server) Cost() Cost { return s.cost }

// recordedEvery is how often each recorded series has a sample.
func recordedEvery(p rulegen.LevelPlan) map[string]time.Duration {
	every := map[string]time.Duration{}
	for _, g := range p.Groups {
		for _, r := range g.Rules {
			every[r.Record] = g.Interval
		}
	}
	return every
}

// add counts what the rules of a level read and record: for every selector, as many
// samples per series as its range contains, at every evaluation.
func (s *Server) add(p rulegen.LevelPlan, groups int) {
	every := recordedEvery(p)
	for _, g := range p.Groups {
		for _, r := range g.Rules {
			if r.Record != "" && r.Record != metricnames.BurnTier { // BurnTier only exists in outages
				s.cost.Series += groups
				s.cost.ADay += float64(groups) * (24 * time.Hour).Seconds() / g.Interval.Seconds()
			}
			r.Expr.Scans(func(sel promql.Selector, window time.Duration, times float64) {
				if sel.Name() == rulegen.FiringAlerts { // which is there in outages only
					return
				}
				samples, raw := times, !strings.HasPrefix(sel.Name(), "sla:")
				switch {
				case raw && window > 0:
					samples *= s.number(promql.Count(sel.Now())) * s.perWindow(sel) * float64(window) / float64(sla.BaseWindow)
				case raw:
					samples *= s.number(promql.Count(sel.Now()))
				default:
					samples *= float64(groups)
					if step := every[sel.Name()]; window > 0 && step > 0 {
						samples *= float64(window) / float64(step)
					}
				}
				s.cost.Touched += samples / g.Interval.Seconds()
				if raw {
					s.cost.Raw += samples / g.Interval.Seconds()
				}
			})
		}
	}
}
