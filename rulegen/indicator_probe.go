package rulegen

import (
	"fmt"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// Probes that the exporter runs: a level's own, or that of another level, by their
// outcome or by how long they took.

func ofProbe(p *sla.Probe) indicator {
	return probed(func(c counting) probeCount { return probeCount{counting: c, by: c.of, probe: p} })
}

func ofSharedProbe(s *sla.SharedProbe) indicator {
	return probed(func(c counting) probeCount { return probeCount{counting: c, by: s.Of, probe: s.Probe} })
}

func ofProbeLatency(l *sla.ProbeLatency) indicator {
	of := probed(func(c counting) probeCount {
		return probeCount{counting: c, by: l.Of, probe: l.Probe, threshold: l.Threshold}
	})
	of.byOutcome, of.results, of.probedBy = false, nil, nil // the last one may have been good and slow
	return of
}

func probed(by func(counting) probeCount) indicator {
	return indicator{
		byOutcome: true,
		count:     func(c counting) ([]Rule, sla.Findings) { return by(c).rules(), nil },
		increases: func(c counting) countable { return by(c).countable() },
		probedBy: func(l level) sla.ID {
			id, _, _ := l.Probed()
			return id
		},
		results: func(c counting) lastResults { return by(c).lastResults() },
	}
}

// probeCount counts the conclusive probes of a level. Inconclusive, missed and
// maintenance results are in neither series: the prober's fault is not the
// target's downtime.
//
// If aggregated by time, a probe stands for the interval that it samples, and
// several exporters are averaged. So the series are known and bad seconds per
// second, and neither a change of the interval nor another exporter changes the
// weight of a minute.
type probeCount struct {
	counting
	by        sla.ID // the level that defines the probe
	probe     *sla.Probe
	threshold time.Duration // how long a good one may take; 0: only the outcome counts
}

func (p probeCount) series(name string, m promql.Matcher) promql.Selector {
	return promql.Series(name, append(identity(p.by), m)...)
}

func (p probeCount) outcome(name string) promql.Selector {
	return p.series(metricnames.ProbeResults, promql.Eq(metricnames.Outcome, name))
}

// ofThreshold selects one of the series that exist for each threshold.
func (p probeCount) ofThreshold(name string) promql.Selector {
	return p.series(name, promql.Eq(metricnames.Threshold, FormatSeconds(p.threshold)))
}

func (p probeCount) timed() bool { return p.threshold > 0 }

// present are the groups that exporters report, by the counter that is read.
func (p probeCount) present() promql.Expr {
	if p.timed() {
		return p.counting.present(p.ofThreshold(metricnames.ProbeWithin))
	}
	return p.counting.present(p.outcome(metricnames.Good))
}

func (p probeCount) rules() []Rule {
	if p.Slots.Quorum > 0 {
		return p.locations()
	}
	all, part := p.sums(p.rate, p.scan)
	counted, failed := p.words(p.Aggregation.Counts() == sla.CountsSeconds)
	total := p.limitsGroups(p.totalRule(p.admitted(all, p.present()), counted))
	var rest Rule
	if p.timed() {
		rest = p.badFromRest(part, failed)
	} else {
		rest = p.badRule(p.orZero(p.ofAdmitted(part)), failed)
	}
	return []Rule{total.saysAll(p.standing()), rest.saysAll(p.standing())}
}

// sums applies a function to each counter, and sums the results: over all probes,
// and over the bad ones or those within the threshold.
func (p probeCount) sums(of func(promql.Selector) promql.Expr, scan func(promql.Expr) promql.Expr) (all, part promql.Expr) {
	join, scaled := promql.Sum, func(e promql.Expr) promql.Expr { return e }
	if p.Aggregation.Counts() == sla.CountsSeconds {
		join = promql.Avg
		scaled = func(e promql.Expr) promql.Expr { return promql.Mul(e, promql.Num(sla.Seconds(p.probe.Interval))) }
	}
	sum := func(s promql.Selector) promql.Expr {
		return scan(join(p.judgeable(of(s)), p.groupLabels()...))
	}
	good, bad := sum(p.outcome(metricnames.Good)), sum(p.outcome(metricnames.Bad))
	if !p.timed() {
		return scaled(promql.Add(good, bad)), scaled(bad)
	}
	good = p.known(good, sum(p.ofThreshold(metricnames.ProbeUntimed)))
	return scaled(promql.Add(good, bad)), scaled(sum(p.ofThreshold(metricnames.ProbeWithin)))
}

// standing explains the factor of results.
func (p probeCount) standing() []string {
	if p.Aggregation.Counts() != sla.CountsSeconds {
		return nil
	}
	return []string{fmt.Sprintf("%s = seconds that a result stands for, the interval of the probe", inRules(sla.Seconds(p.probe.Interval)))}
}

// countable are the counters of the probes. The exporter begins them at 0.
func (p probeCount) countable() countable {
	return countable{restBad: p.timed(), words: p.standing(), sums: func(of func(promql.Selector) promql.Expr) (all, part promql.Expr) {
		return p.sums(of, func(e promql.Expr) promql.Expr { return e })
	}}
}

// words say what is counted and what of it is bad.
func (p probeCount) words(byTime bool) (counted, failed string) {
	counted, failed = "probes with a result per second", "bad probes per second"
	if byTime {
		counted, failed = "known seconds per second", "bad seconds per second"
	}
	if p.timed() {
		failed += " (failed, or over " + sla.FormatDuration(p.threshold) + ")"
	}
	return counted, failed
}

// judgeable drops the counters of exporters that do not know the threshold, or
// learnt it within the window: nobody knows how many of their results were
// within it. Without a threshold nothing is dropped.
func (p probeCount) judgeable(e promql.Expr) promql.Expr {
	if !p.timed() {
		return e
	}
	beside := []string{metricnames.Outcome, metricnames.Threshold}
	lacking := p.without(p.outcome(metricnames.Good), p.ofThreshold(metricnames.ProbeWithin), beside...)
	return promql.UnlessIgnoring(e, lacking, beside...)
}

// known leaves out the good probes that the exporter was too late to time:
// nobody knows whether they took too long. Exporters of other versions may not
// have the counter.
func (p probeCount) known(good, untimed promql.Expr, by ...string) promql.Expr {
	by = append(by, p.groupLabels()...)
	return promql.SubOn(good, promql.OrOn(untimed, promql.Mul(promql.Num(zero), good), by...), by...)
}

// locations counts, instead of probes, the locations from which probes came in
// the last minute and, of these, the ones that found it bad by the level's rule.
func (p probeCount) locations() []Rule {
	rate := func(s promql.Selector) promql.Expr {
		return p.mean(promql.Sum(p.judgeable(p.rate(s)), append([]string{metricnames.Location}, p.groupLabels()...)...))
	}
	good, bad := rate(p.outcome(metricnames.Good)), rate(p.outcome(metricnames.Bad))
	if p.timed() {
		good = p.known(good, rate(p.ofThreshold(metricnames.ProbeUntimed)), metricnames.Location)
	}
	all := promql.Gt(promql.Add(good, bad), promql.Num(zero))
	share := promql.Div(bad, all)
	if p.timed() {
		share = promql.Sub(promql.Num(one), promql.Div(rate(p.ofThreshold(metricnames.ProbeWithin)), all))
	}
	beyond := p.aggregation().limit(p.Slots)
	bad = beyond.exceeding(share)
	return []Rule{
		p.limitsGroups(p.totalRule(p.admitted(p.atCut(promql.Count(all, p.groupLabels()...)), p.present()), "locations that probed")),
		p.badRule(p.orZero(p.ofAdmitted(p.atCut(promql.Count(bad, p.groupLabels()...)))), "locations that found it bad").says("%s", beyond.words),
	}
}

// quorum is 1 while a quorum of locations finds the minute bad, 0 while it does
// not, and no sample while fewer than a quorum report.
func (c counting) quorum() promql.Expr {
	quorum := promql.Num(sla.NewDecimal(c.Slots.Quorum, 1))
	return promql.AndOn(promql.GeBool(c.recorded(c.into.bad).Now(), quorum), promql.Ge(c.total(), quorum), c.groupLabels()...)
}

func (c counting) quorumWords() []string {
	return []string{fmt.Sprintf("%d = quorum: so many locations must find it bad, and so many must have probed", c.Slots.Quorum)}
}

// FormatSeconds is a duration in seconds as the exporter and client libraries
// write it into labels: "0.3", "1".
func FormatSeconds(d time.Duration) string { return sla.Seconds(d).String() }
