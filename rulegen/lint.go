package rulegen

import (
	"fmt"
	"time"

	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// minScrapes is how many scrapes a window of rate() must hold: with fewer, one that
// fails leaves it without the two samples that it needs, or nearly so.
const minScrapes = 4

// lint finds what is well formed and will not do what is meant: with the
// numbers, and what to do instead.
func (c compiler) lint(opts Options) sla.Findings {
	var findings sla.Findings
	warn := func(pos sla.Position, rule, remedy, message string, args ...any) {
		findings = append(findings, sla.Finding{Severity: sla.Warning, Rule: rule, Pos: pos, Message: fmt.Sprintf(message, args...), Remedy: remedy})
	}
	l := c.level
	if window, least := c.scrapes(); opts.ScrapeInterval > 0 && window > 0 && window < time.Duration(least)*opts.ScrapeInterval {
		warn(l.Pos, "few-scrapes", "scrape at least every "+sla.FormatDuration(window/time.Duration(least)),
			"the level %q is counted over %s, in which a scrape interval of %s leaves %d scrapes; %s", l.ID.SLO,
			sla.FormatDuration(window), sla.FormatDuration(opts.ScrapeInterval), window/opts.ScrapeInterval, Needed(least))
	}
	for _, p := range l.Periods() {
		c.lintPeriod(p, opts, warn)
	}
	c.lintCaps(warn)
	single := false
	for i, t := range l.Alerting.Tiers {
		pos := t.Pos
		if pos.File == "" {
			pos = l.TargetPos
		}
		warn := func(rule, remedy, message string, args ...any) { warn(pos, rule, remedy, message, args...) }
		c.lintTier(t, warn)
		single = single || c.lintProbe(t, warn)
		for _, other := range l.Alerting.Tiers[:i] {
			if c.same(t, other) {
				warn("duplicate-tier", "turn one of them off, or give it other windows",
					"the tiers %q and %q of level %q fire at the same time: both above %s %% over %s and %s", other.Name, t.Name, l.ID.SLO,
					c.threshold(t).Mul(hundred), sla.FormatDuration(t.Long), sla.FormatDuration(t.Short))
			}
		}
	}
	return findings
}

// lintPeriod finds a period that the server forgets, or looks at too seldom.
func (c compiler) lintPeriod(p sla.Period, opts Options, warn func(pos sla.Position, rule, remedy, message string, args ...any)) {
	l := c.level
	if needed := p.Longest(); opts.Retention > 0 && opts.Retention < needed {
		warn(l.PeriodPos, "short-retention", "keep at least "+sla.FormatDuration(needed)+": --storage.tsdb.retention.time="+sla.FormatDuration((needed+retentionSlack).Truncate(time.Hour)),
			"the period of level %q is %s and the server keeps %s: its budget would forget everything older", l.ID.SLO, p.Words(), sla.FormatDuration(opts.Retention))
	}
	step := secondTier * c.interval
	if p.Calendar == "" && p.Rolling < minSteps*step {
		most := (p.Rolling / minSteps / secondTier).Truncate(time.Second)
		warn(l.PeriodPos, "coarse-period", "evaluate rules at least every "+sla.FormatDuration(most)+", or take a longer period",
			"the period of level %q is %s, which is summed in steps of %s, five times the interval of the rules: %d steps, and %d are needed",
			l.ID.SLO, p.Words(), sla.FormatDuration(step), p.Rolling/step, minSteps)
	}
}

// minSteps is how many evaluations of the second tier a period must hold: one
// that is missing or late moves its figures by as much of it.
const minSteps = 12

// retentionSlack is kept beyond the period, so that the oldest blocks are not
// deleted before the last evaluation has read them.
const retentionSlack = 72 * time.Hour

// lintTier finds a tier that comes too late, or for too little.
func (c compiler) lintTier(t sla.Tier, warn func(rule, remedy, message string, args ...any)) {
	l := c.level
	budget := l.ObjectiveBudget()
	burn := c.threshold(t).Quo(budget)
	period := sla.Seconds(l.Period.Nominal())
	spent := burn.Mul(sla.Seconds(t.Long).Add(sla.Seconds(t.For))).Quo(period)
	if spent.Cmp(one) >= 0 {
		longest := period.Quo(burn).Duration().Truncate(5 * time.Minute)
		warn("late-tier", "shorten its long window, or for, to less than "+sla.FormatDuration(longest)+" together, or lower its factor",
			"the tier %q of level %q comes after the budget is gone: burning %s times too fast over %s%s spends %s %% of the budget of %s",
			t.Name, l.ID.SLO, round(burn), sla.FormatDuration(t.Long), forWords(t.For), round(spent.Mul(hundred)), l.Period)
	}
}

// lintProbe finds the first tier that a single failed probe fires.
func (c compiler) lintProbe(t sla.Tier, warn func(rule, remedy, message string, args ...any)) (found bool) {
	l := c.level
	_, p, _ := l.Probed()
	if _, latency := l.Indicator.(*sla.ProbeLatency); latency || p == nil || l.Aggregation != sla.Time || l.Alerting.MinimumBadEvents > 1 || t.For > 0 {
		return false
	}
	one := sla.Seconds(p.Interval).Quo(sla.Seconds(t.Long)).Quo(c.share())
	if one.Cmp(c.strictest(t)) <= 0 {
		return false
	}
	warn("single-probe", "write minimumBadEvents: 2 under alerting, or probe at least every "+sla.FormatDuration(finest(c.strictest(t).Mul(c.share()), t.Long)),
		"a single failed probe fires the tier %q of level %q: one of %s is %s %% of %s, and the threshold is %s %%",
		t.Name, l.ID.SLO, sla.FormatDuration(p.Interval), round(one.Mul(hundred)), sla.FormatDuration(t.Long), c.strictest(t).Mul(hundred))
	return true
}

func forWords(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return " and for another " + sla.FormatDuration(d)
}

// finest is a probe interval at which two failed probes reach a threshold and
// one does not.
func finest(threshold sla.Decimal, window time.Duration) time.Duration {
	d := threshold.Mul(sla.Seconds(window)).Duration()
	if d > time.Second {
		return d.Truncate(time.Second)
	}
	return d.Truncate(100 * time.Millisecond)
}

// same tells whether two tiers have the same condition.
func (c compiler) same(a, b sla.Tier) bool {
	return a.Long == b.Long && a.Short == b.Short && a.For == b.For && c.threshold(a).Cmp(c.threshold(b)) == 0
}

// Scrapes are how many scrapes a window needs over which a level counts what is
// scraped; no window where none is counted.
func Scrapes(l *sla.ServiceLevel) (window time.Duration, least int) {
	return newLevel(l, Options{}, nil).scrapes()
}

// Needed says in words that so many are.
func Needed(n int) string {
	if n == 1 {
		return "one is needed"
	}
	return fmt.Sprintf("%d are needed", n)
}

func (l level) scrapes() (window time.Duration, least int) {
	switch {
	case l.kind.components != nil:
		return time.Minute, 1 // of its components
	case sla.LookedAt(l.Indicator):
		return 0, 0
	case l.isCut() && !l.kind.extrapolated:
		return time.Minute, 1 // from which differences are taken
	}
	return l.source().window, minScrapes
}

// quotedNames finds label names that have to be written in quotes: a rule file
// with one is refused as a whole by servers that do not read them. Names of
// metrics are no matter, {__name__="a.b"} is read by all.
func quotedNames(opts Options, queries ...sla.Query) sla.Findings {
	if opts.QuotedNames {
		return nil
	}
	var findings sla.Findings
	for _, q := range queries {
		expr, err := promql.Parse(q.Text)
		if err != nil {
			continue // which is reported where the query is used
		}
		if name, at, found := expr.QuotedLabel(); found {
			findings = append(findings, sla.Finding{
				Severity: sla.Warning, Rule: "quoted-name", Pos: q.At(at),
				Message: fmt.Sprintf("rules with the label name %q load in Prometheus from 3.0 on: servers before it refuse the whole rule file", name),
				Remedy:  "if yours is older, give the series the label under another name when they are scraped (metric_relabel_configs)",
			})
		}
	}
	return findings
}
