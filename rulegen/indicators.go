package rulegen

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// source names the two series that an indicator is counted into, as rates over
// a window of raw samples.
type source struct {
	total, bad string
	window     time.Duration
	cut        time.Duration // the window ends at the last whole multiple of it, in UTC; 0 for now
}

// count makes the two series of the indicator. This is the table over kinds.
func (c compiler) count() ([]Rule, sla.Findings) {
	switch ind := c.level.Indicator.(type) {
	case *sla.Probe:
		return c.probe(cmp.Or(c.probed, c.level.ID), ind, metricnames.ProbeResults, promql.Eq(metricnames.Outcome, metricnames.Bad), false), nil
	case *sla.SharedProbe:
		if ind.Probe == nil {
			return nil, nil // as below
		}
		return c.probe(ind.Of, ind.Probe, metricnames.ProbeResults, promql.Eq(metricnames.Outcome, metricnames.Bad), false), nil
	case *sla.ProbeLatency:
		if ind.Probe == nil {
			return nil, nil // a dangling reference, which the reader has reported
		}
		within := promql.Eq(metricnames.Threshold, FormatSeconds(ind.Threshold))
		return c.probe(ind.Of, ind.Probe, metricnames.ProbeWithin, within, true), nil
	case *sla.Events:
		return c.events(ind)
	case *sla.HistogramLatency:
		return c.histogram(ind)
	case *sla.NativeLatency:
		return c.native(ind)
	case *sla.Condition:
		return c.condition(ind.Expr)
	case *sla.Ratio:
		return c.takenOver(ind.Bad)
	case *sla.Blackbox:
		return c.blackbox(ind.Success)
	case *sla.Composite:
		return c.composite(ind)
	}
	return nil, sla.Findings{{
		Severity: sla.Error, Rule: "unsupported-indicator", Pos: c.level.Pos,
		Message: fmt.Sprintf("no rules are known for the indicator %q", c.level.Indicator.Kind()),
	}}
}

// FormatSeconds is a duration in seconds as the exporter and client libraries
// write it into labels: "0.3", "1".
func FormatSeconds(d time.Duration) string { return sla.Seconds(d).String() }

// totalRule records the total; every term of it counts, and it has no sample
// only if no term has one.
func (c compiler) totalRule(e promql.Expr) Rule { return c.record(c.into.total, e) }

func (c compiler) total() promql.Expr { return c.recorded(c.into.total).Now() }

// orZero is e, or 0 while there is a total, group by group: a series that was
// not born yet, as the error series of a service that never failed, counts
// nothing rather than making everything unknown.
func (c compiler) orZero(e promql.Expr) promql.Expr {
	return promql.OrOn(e, promql.Mul(promql.Num(zero), c.total()), c.groupLabels()...)
}

// badFromRest records bad as total - good, never negative: the two are scraped
// at once but extrapolated apart.
func (c compiler) badFromRest(good promql.Expr) Rule {
	return c.record(c.into.bad, promql.ClampMin(promql.SubOn(c.total(), good, c.groupLabels()...), zero))
}

// probe counts the conclusive probes of a level. Inconclusive, missed and
// maintenance results are in neither series: the prober's fault is not the
// target's downtime. What is counted is good if the rest is bad, else bad.
//
// Aggregated by time, a probe stands for the interval that it samples, and
// several exporters are averaged, so that the series are known and bad seconds
// per second and neither a change of the interval nor another exporter changes
// the weight of a minute.
func (c compiler) probe(of sla.ID, p *sla.Probe, metric string, matcher promql.Matcher, restIsBad bool) []Rule {
	if c.level.Slots.Quorum > 0 {
		return c.locations(of, metric, matcher, restIsBad)
	}
	join := promql.Sum
	if c.level.Aggregation == sla.Time {
		join = promql.Avg
	}
	judgeable := c.judgeable(of, metric, matcher)
	rate := func(name string, m promql.Matcher) promql.Expr {
		return c.scan(join(judgeable(c.rate(promql.Series(name, append(identity(of), m)...))), c.groupLabels()...))
	}
	scaled := func(e promql.Expr) promql.Expr {
		if c.level.Aggregation == sla.Time {
			return promql.Mul(e, promql.Num(sla.Seconds(p.Interval)))
		}
		return e
	}
	outcome := func(name string) promql.Expr {
		return rate(metricnames.ProbeResults, promql.Eq(metricnames.Outcome, name))
	}
	good := outcome(metricnames.Good)
	if metric == metricnames.ProbeWithin {
		good = timed(good, rate(metricnames.ProbeUntimed, matcher), c.groupLabels()...)
	}
	all := promql.Add(good, outcome(metricnames.Bad))
	total := c.totalRule(c.admitted(scaled(all), c.presentProbes(of, metric, matcher)))
	if restIsBad {
		return []Rule{total, c.badFromRest(scaled(rate(metric, matcher)))}
	}
	return []Rule{total, c.record(c.into.bad, c.orZero(c.ofAdmitted(scaled(rate(metric, matcher)))))}
}

// judgeable leaves out of the counters of a probe those of exporters that do not
// know the threshold, or have learnt it within the window: their results go on,
// and what of them was within it is not known. Without a threshold it is all.
func (c compiler) judgeable(of sla.ID, metric string, matcher promql.Matcher) func(promql.Expr) promql.Expr {
	if metric != metricnames.ProbeWithin {
		return func(e promql.Expr) promql.Expr { return e }
	}
	beside := []string{metricnames.Outcome, metricnames.Threshold}
	results := promql.Series(metricnames.ProbeResults, append(identity(of), promql.Eq(metricnames.Outcome, metricnames.Good))...)
	lacking := c.without(results, promql.Series(metric, append(identity(of), matcher)...), beside...)
	return func(e promql.Expr) promql.Expr { return promql.UnlessIgnoring(e, lacking, beside...) }
}

// timed leaves out the good probes that the exporter was too late to time: of
// those it is not known whether they took too long. The counter may be absent:
// exporters of other versions have none.
func timed(good, unknown promql.Expr, by ...string) promql.Expr {
	return promql.SubOn(good, promql.OrOn(unknown, promql.Mul(promql.Num(zero), good), by...), by...)
}

// events counts the service's own events.
func (c compiler) events(e *sla.Events) ([]Rule, sla.Findings) {
	counted := e.Bad
	if counted.Text == "" {
		counted = e.Good
	}
	total, findings := c.sumOfRates(e.Total)
	sum, more := c.sumOfRates(counted)
	if findings = append(findings, more...); findings.HasErrors() {
		return nil, findings
	}
	selectors := func(q sla.Query) []promql.Selector {
		all, _ := counterSelectors(q) // which has been read without an error
		return all
	}
	if e.Bad.Text == "" {
		return append(c.countedByGood(total, sum, selectors(e.Good)...), c.excess()...), findings
	}
	total = c.admitted(total, c.present(selectors(e.Total)...))
	return []Rule{c.totalRule(total), c.record(c.into.bad, c.orZero(c.ofAdmitted(sum)))}, findings
}

// histogram counts the requests that the bucket of the threshold does not hold.
// Only series that have this bucket are counted: while a service is given other
// bounds, pod by pod, what the others took is not known, and must not read as
// slow. Without any such series there is no total, as the level is unknown.
func (c compiler) histogram(h *sla.HistogramLatency) ([]Rule, sla.Findings) {
	s, findings := histogramSelector(h.Histogram)
	if findings.HasErrors() {
		return nil, findings
	}
	good, more := c.goodOf(s, h.Good)
	if findings = append(findings, more...); findings.HasErrors() {
		return nil, findings
	}
	bound, more := c.boundOf(h.Histogram, s, h.Unit, h.Threshold)
	if findings = append(findings, more...); findings.HasErrors() {
		return nil, findings
	}
	bucket := func(s promql.Selector) promql.Selector {
		return s.WithSuffix("_bucket", promql.Bound("le", bound.Float64()))
	}
	count := s.WithSuffix("_count")
	sum := func(e promql.Expr) promql.Expr {
		return c.scan(promql.Sum(promql.UnlessIgnoring(e, c.without(count, bucket(s), "le"), "le"), c.groupLabels()...))
	}
	total := sum(promql.AndIgnoring(c.rate(count), c.rate(bucket(s)), "le"))
	within := sum(c.rate(bucket(good)))
	if h.Good.Text != "" {
		return c.countedByGood(total, within, bucket(good)), findings
	}
	return []Rule{c.totalRule(c.admitted(total, c.present(bucket(s)))), c.badFromRest(within)}, findings
}

// without are the series of a whole that have no part beside them, with the same
// labels but for some, where the window begins, or where it ends. A target that
// keeps its labels when it is given other bounds has a count over the whole of a
// window and the bucket in a part of it.
func (c compiler) without(whole, part promql.Selector, but ...string) promql.Expr {
	alone := func(whole, part promql.Expr) promql.Expr { return promql.UnlessIgnoring(whole, part, but...) }
	return promql.Or(alone(whole.Now(), part.Now()), alone(whole.Offset(c.span()), part.Offset(c.span())))
}

// goodOf is the selector of those series of a histogram whose fast requests are
// good: the histogram's own, if nothing is said of it.
func (c compiler) goodOf(histogram promql.Selector, good sla.Query) (promql.Selector, sla.Findings) {
	if good.Text == "" {
		return histogram, nil
	}
	s, findings := histogramSelector(good)
	if !findings.HasErrors() && s.Name() != histogram.Name() {
		findings = append(findings, sla.Finding{
			Severity: sla.Error, Rule: "histogram-selector", Pos: good.Pos,
			Message: fmt.Sprintf("good selects %q, which is another histogram than %q", s.Name(), histogram.Name()),
			Remedy:  "select those of the same histogram's series that did not fail",
		})
	}
	return s, findings
}

// sumOfRates is the rate of a counter, or of the sum of several, without
// labels. Several are told apart by a label before they are joined, because
// "a or b" would drop what of b has the labels of a, and a + b would be empty
// where one of them is not born yet.
func (c compiler) sumOfRates(q sla.Query) (promql.Expr, sla.Findings) {
	selectors, findings := counterSelectors(q)
	if findings.HasErrors() {
		return promql.Expr{}, findings
	}
	if len(selectors) == 1 {
		return c.scan(promql.Sum(c.rate(selectors[0]), c.groupLabels()...)), findings
	}
	tag := "term"
	for slices.Contains(c.groupLabels(), tag) {
		tag += "_"
	}
	var union promql.Expr
	for i, s := range selectors {
		term := promql.SetLabel(promql.Sum(c.rate(s), c.groupLabels()...), tag, strconv.Itoa(i+1))
		if i == 0 {
			union = term
		} else {
			union = promql.Or(union, term)
		}
	}
	return c.scan(promql.Sum(union, c.groupLabels()...)), findings
}

func counterSelectors(q sla.Query) ([]promql.Selector, sla.Findings) {
	const remedy = `write the counter's selector alone, like http_requests_total{job="api"}, or a sum of such (a + b); rate and sum are added by the generator`
	expr, findings := parsed(q)
	if findings.HasErrors() {
		return nil, findings
	}
	selectors, err := expr.Selectors()
	if err != nil {
		return nil, sla.Findings{queryError(q, "not-a-selector", "", err, remedy)}
	}
	for _, s := range selectors {
		if s.Name() != "" && strings.HasPrefix(s.Name(), "sla:") {
			findings = append(findings, sla.Finding{
				Severity: sla.Error, Rule: "not-a-counter", Pos: q.Pos,
				Message: fmt.Sprintf("%s is a series that upheld records, not a counter", s.Name()), Remedy: remedy,
			})
		}
	}
	return selectors, findings
}

func histogramSelector(q sla.Query) (promql.Selector, sla.Findings) {
	selectors, findings := counterSelectors(q)
	if findings.HasErrors() {
		return promql.Selector{}, findings
	}
	wrong := func(message, remedy string) (promql.Selector, sla.Findings) {
		return promql.Selector{}, sla.Findings{{Severity: sla.Error, Rule: "histogram-selector", Pos: q.Pos, Message: message, Remedy: remedy}}
	}
	const base = `name the histogram by its base name, like http_request_duration_seconds{job="api"}`
	s := selectors[0]
	switch {
	case len(selectors) > 1:
		return wrong("a latency level reads one histogram, not a sum of several", "give each histogram a service level of its own")
	case s.Name() == "":
		return wrong("the histogram's selector has no metric name", base)
	case s.MatchesLabel("le"):
		return wrong(`the histogram's selector has a condition on "le"`, `remove it: "threshold" chooses the bucket`)
	}
	for _, suffix := range []string{"_bucket", "_count", "_sum"} {
		if name, ok := strings.CutSuffix(s.Name(), suffix); ok {
			return wrong(fmt.Sprintf("%q is one of the histogram's series, not the histogram", s.Name()), fmt.Sprintf("write %q", name))
		}
	}
	return s, findings
}

// parsed is a query as an expression, or why it is none.
func parsed(q sla.Query) (promql.Expr, sla.Findings) {
	expr, err := promql.Parse(q.Text)
	if err == nil {
		return expr, nil
	}
	if at, ok := errors.AsType[*promql.ParseError](err); ok && at.TooLarge {
		return expr, sla.Findings{queryError(q, "query-size", "", err, "select several series by one selector with =~, or have a rule of your own record a part of it")}
	}
	return expr, sla.Findings{queryError(q, "promql-syntax", "not valid PromQL: ", err, "correct the expression")}
}

func queryError(q sla.Query, rule, prefix string, err error, remedy string) sla.Finding {
	f := sla.Finding{Severity: sla.Error, Rule: rule, Pos: q.Pos, Message: prefix + err.Error(), Remedy: remedy}
	if at, ok := errors.AsType[*promql.ParseError](err); ok {
		f.Pos = q.At(at.Offset)
		if at.Instead != "" {
			f.Remedy = "write " + at.Instead
		}
	}
	return f
}
