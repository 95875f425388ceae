package rulegen

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// Response times from histograms, classic and native.

func ofHistogram(h *sla.HistogramLatency) indicator {
	return indicator{
		count:     func(c counting) ([]Rule, sla.Findings) { return c.histogram(h) },
		lint:      func() sla.Findings { return lintOfHistogram(h.Good, h.Histogram) },
		saysGood:  h.Good.Text != "",
		bound:     boundWords(h),
		increases: func(c counting) countable { return countableHistogram(c, h) },
	}
}

func ofNative(n *sla.NativeLatency) indicator {
	of := ofHistogram((*sla.HistogramLatency)(n))
	of.count = func(c counting) ([]Rule, sla.Findings) { return c.native(n) }
	of.extrapolated, of.increases = true, nil
	of.inexact = "The share within the threshold is interpolated in its bucket of the histogram."
	return of
}

// histogram counts the requests that are not in the threshold's bucket. Only
// series that have this bucket are counted: while a service gets other buckets,
// pod by pod, nobody knows how long requests of the other pods took, and they
// must not read as slow. Without any such series there is no total, so the
// level is unknown.
func (c counting) histogram(h *sla.HistogramLatency) ([]Rule, sla.Findings) {
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
	bucket := func(s promql.Selector) promql.Selector { return bucketOf(s, bound) }
	total, within := sumsOfBucket(c, s, bucket(s), bucket(good), c.rate, c.rate)
	total, within = c.scan(total), c.scan(within)
	if h.Good.Text != "" {
		return c.countedByGood(total, within, goodWords(h.Threshold), bucket(good)), findings
	}
	return []Rule{
		c.limitsGroups(c.totalRule(c.admitted(total, c.present(bucket(s))), "requests per second, of series with the bucket of the threshold,")),
		c.badFromRest(within, "requests per second that took longer than "+sla.FormatDuration(h.Threshold)),
	}, findings
}

func bucketOf(histogram promql.Selector, bound sla.Decimal) promql.Selector {
	return histogram.WithSuffix("_bucket", promql.Bound("le", bound.Float64()))
}

// sumsOfBucket applies a function to a histogram's count, where another function
// finds its bucket too, and to the bucket of good requests, and sums each.
func sumsOfBucket(c counting, h, bucket, good promql.Selector, of, beside func(promql.Selector) promql.Expr) (total, within promql.Expr) {
	count := h.WithSuffix("_count")
	sum := func(e promql.Expr) promql.Expr {
		return promql.Sum(promql.UnlessIgnoring(e, c.without(count, bucket, "le"), "le"), c.groupLabels()...)
	}
	return sum(promql.AndIgnoring(of(count), beside(bucket), "le")), sum(of(good))
}

// countableHistogram are the counters of a histogram, whose mistakes have been
// reported where it is counted.
func countableHistogram(c counting, h *sla.HistogramLatency) countable {
	s, _ := histogramSelector(h.Histogram)
	good, _ := c.goodOf(s, h.Good)
	bound, _ := sla.HistogramBound(s.Name(), h.Unit, h.Threshold)
	bucket := bucketOf(s, bound)
	beside := func(s promql.Selector) promql.Expr { return s.Ago(settle).LastOverTime(c.into.window) }
	return countable{all: []promql.Selector{s.WithSuffix("_count")}, restBad: true, sums: func(of func(promql.Selector) promql.Expr) (total, part promql.Expr) {
		return sumsOfBucket(c, s, bucket, bucketOf(good, bound), of, beside)
	}}
}

// native counts the requests of a native histogram above the threshold. Without
// requests the fraction is NaN, which the comparison drops. Its rates are
// extrapolated in minutes and slots too: old servers have no differences of
// histograms.
func (c counting) native(n *sla.NativeLatency) ([]Rule, sla.Findings) {
	s, findings := histogramSelector(n.Histogram)
	if findings.HasErrors() {
		return nil, findings
	}
	fine, more := c.goodOf(s, n.Good)
	if findings = append(findings, more...); findings.HasErrors() {
		return nil, findings
	}
	bound, more := c.boundOf(n.Histogram, s, n.Unit, n.Threshold)
	if findings = append(findings, more...); findings.HasErrors() {
		return nil, findings
	}
	rate := func(s promql.Selector) promql.Expr { return promql.Sum(s.Rate(c.into.window), c.groupLabels()...) }
	within := promql.Mul(promql.HistogramFraction(zero, bound, rate(fine)), promql.HistogramCount(rate(fine)))
	total := c.atCut(promql.HistogramCount(rate(s)))
	if n.Good.Text != "" {
		none := promql.Mul(promql.Num(zero), promql.HistogramCount(rate(fine))) // which is known without traffic too
		good := promql.OrOn(promql.Ge(within, promql.Num(zero)), none, c.groupLabels()...)
		rules := c.countedByGood(total, c.atCut(good), goodWords(n.Threshold), fine)
		rules[0] = rules[0].says("%s", boundIs(bound, n.Threshold))
		return rules, findings
	}
	good := c.atCut(promql.Ge(within, promql.Num(zero)))
	return []Rule{
		c.limitsGroups(c.totalRule(c.admitted(total, c.present(s)), "requests per second")),
		c.badFromRest(c.orZero(good), "requests per second that took longer than "+sla.FormatDuration(n.Threshold)).
			says("%s", boundIs(bound, n.Threshold)),
	}, findings
}

// goodWords say what is good where requests must not fail either.
func goodWords(threshold time.Duration) string {
	return "requests per second that did not fail and took at most " + sla.FormatDuration(threshold)
}

func boundIs(bound sla.Decimal, threshold time.Duration) string {
	return fmt.Sprintf("%s = %s in the unit of the histogram", inRules(bound), sla.FormatDuration(threshold))
}

// goodOf selects the series of a histogram whose fast requests are good: all of
// them if the level does not say.
func (c counting) goodOf(histogram promql.Selector, good sla.Query) (promql.Selector, sla.Findings) {
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

// notTime are words that end the names of things that are no duration.
var notTime = []string{"bytes", "bits", "ratio", "percent", "celsius", "volts", "amperes", "joules", "grams", "meters"}

// boundOf is sla.HistogramBound of a level's histogram, with findings about a doubtful unit.
func (c counting) boundOf(q sla.Query, s promql.Selector, given sla.TimeUnit, threshold time.Duration) (sla.Decimal, sla.Findings) {
	bound, _ := sla.HistogramBound(s.Name(), given, threshold)
	if given != "" {
		return bound, nil
	}
	finding := func(severity sla.Severity, message, remedy string) sla.Findings {
		return sla.Findings{{Severity: severity, Rule: "histogram-unit", Pos: q.At(s.Place()), Message: fmt.Sprintf(message, s.Name()), Remedy: remedy}}
	}
	words := sla.MetricWords(strings.ToLower(s.Name()))
	switch last := words[max(0, len(words)-1)]; {
	case slices.Contains(notTime, last):
		return bound, finding(sla.Error, "%s is named as a histogram of "+last+", and a threshold is a duration",
			"name a histogram of durations; if it is one all the same, write what it counts in: unit: seconds")
	case last == "total":
		return bound, finding(sla.Warning, "%s is named as a counter is, not as a histogram of durations",
			"name a histogram by its base name; if it is one all the same, write what it counts in: unit: seconds")
	case sla.HistogramUnit(s.Name()) == "":
		return bound, finding(sla.Warning, "the name of %s does not say what it counts in, so that it is read as seconds",
			"write it: unit: seconds, or unit: milliseconds")
	}
	return bound, nil
}

// lintOfHistogram compares a histogram's series whose requests may be good with all its
// series.
func lintOfHistogram(good, histogram sla.Query) sla.Findings {
	part, all := countedOf(good), countedOf(histogram)
	findings := slices.Concat(contradictions(good, part), contradictions(histogram, all))
	if len(findings) == 0 && len(part) == 1 && len(all) > 0 {
		findings = meets("good", good, part[0], all)
	}
	return findings
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

func boundWords(h *sla.HistogramLatency) string {
	s, findings := histogramSelector(h.Histogram)
	if findings.HasErrors() {
		return ""
	}
	bound, unit := sla.HistogramBound(s.Name(), h.Unit, h.Threshold)
	if unit == sla.UnitSeconds {
		return ""
	}
	return fmt.Sprintf("%s is read as %s %s", sla.FormatDuration(h.Threshold), bound, unit)
}
