package rulegen

import (
	"fmt"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// minScrapes is how many scrapes a window of rate() must hold: with fewer, one
// failed scrape may leave it without the two samples that it needs.
const minScrapes = 4

// linter finds settings that are well formed but will not do what is meant, with
// the numbers and the remedy.
type linter struct {
	promises
	opts     Options
	findings sla.Findings
}

func lint(l level, opts Options) sla.Findings {
	of := linter{promises: promises{l}, opts: opts}
	of.scraping()
	for _, p := range l.Periods() {
		of.period(p)
	}
	of.caps()
	of.tiers()
	return of.findings
}

func (l *linter) warn(pos sla.Position, rule, remedy, message string, args ...any) {
	l.findings = append(l.findings, sla.Finding{Severity: sla.Warning, Rule: rule, Pos: pos, Message: fmt.Sprintf(message, args...), Remedy: remedy})
}

// scraping finds a window that too few scrapes fall into.
func (l *linter) scraping() {
	every := l.opts.ScrapeInterval
	if window, least := l.scrapes(); every > 0 && window > 0 && window < time.Duration(least)*every {
		l.warn(l.Pos, "few-scrapes", "scrape at least every "+sla.FormatDuration(window/time.Duration(least)),
			"the level %q is counted over %s, in which a scrape interval of %s leaves %d scrapes; %s", l.ID.SLO,
			sla.FormatDuration(window), sla.FormatDuration(every), window/every, Needed(least))
	}
}

// period finds a period that is longer than the server keeps, or that too few evaluations
// sum.
func (l *linter) period(p sla.Period) {
	l.retention(p)
	step := secondLayer * l.interval
	if p.Calendar == "" && p.Rolling < minSteps*step {
		most := (p.Rolling / minSteps / secondLayer).Truncate(time.Second)
		l.warn(l.PeriodPos, "coarse-period", "evaluate rules at least every "+sla.FormatDuration(most)+", or take a longer period",
			"the period of level %q is %s, which is summed in steps of %s, five times the interval of the rules: %d steps, and %d are needed",
			l.ID.SLO, p.Words(), sla.FormatDuration(step), p.Rolling/step, minSteps)
	}
}

// minSteps is how many evaluations of the second layer a period must hold: one
// that is missing or late shifts the figures by its share of the period.
const minSteps = 12

// retention finds a server that forgets a part of the period before it has ended, or
// before its report is made.
func (l *linter) retention(p sla.Period) {
	kept, needed := l.opts.Retention, sla.RetentionOf(p, sla.SettlingTime)
	if kept == 0 || kept >= needed {
		return
	}
	then := "its budget would forget everything older"
	if kept >= p.Longest() {
		then = "when its report is made, its first samples may be gone"
	}
	l.warn(l.PeriodPos, "short-retention", fmt.Sprintf("keep %s: the period, a day until its report is made, and two days in reserve (--storage.tsdb.retention.time=%[1]s)", sla.FormatDuration(needed)),
		"the period of level %q is %s and the server keeps %s: %s", l.ID.SLO, p.Words(), sla.FormatDuration(kept), then)
}

// tiers finds tiers that fire too late, for too little, or twice.
func (l *linter) tiers() {
	single := false
	for i, t := range l.Alerting.Tiers {
		pos := t.Pos
		if pos.File == "" {
			pos = l.TargetPos
		}
		l.late(t, pos)
		single = single || l.singleProbe(t, pos)
		for _, other := range l.Alerting.Tiers[:i] {
			if l.same(t, other) {
				l.warn(pos, "duplicate-tier", "turn one of them off, or give it other windows",
					"the tiers %q and %q of level %q fire at the same time: both above %s %% over %s and %s", other.Name, t.Name, l.ID.SLO,
					l.threshold(t).Mul(hundred), sla.FormatDuration(t.Long), sla.FormatDuration(t.Short))
			}
		}
	}
}

// late finds a tier that comes after the budget is gone.
func (l *linter) late(t sla.Tier, pos sla.Position) {
	burn := l.threshold(t).Quo(l.ObjectiveBudget())
	period := sla.Seconds(l.Period.Nominal())
	spent := burn.Mul(sla.Seconds(t.Long).Add(sla.Seconds(t.For))).Quo(period)
	if spent.Cmp(one) >= 0 {
		longest := period.Quo(burn).Duration().Truncate(5 * time.Minute)
		l.warn(pos, "late-tier", "shorten its long window, or for, to less than "+sla.FormatDuration(longest)+" together, or lower its factor",
			"the tier %q of level %q comes after the budget is gone: burning %s times too fast over %s%s spends %s %% of the budget of %s",
			t.Name, l.ID.SLO, round(burn), sla.FormatDuration(t.Long), forWords(t.For), round(spent.Mul(hundred)), l.Period)
	}
}

// singleProbe finds a tier that a single failed probe fires.
func (l *linter) singleProbe(t sla.Tier, pos sla.Position) (found bool) {
	_, p, _ := l.Probed()
	if !l.kind.byOutcome || p == nil || l.Aggregation.Counts() != sla.CountsSeconds || l.Alerting.MinimumBadEvents > 1 || t.For > 0 {
		return false
	}
	one := sla.Seconds(p.Interval).Quo(sla.Seconds(t.Long)).Quo(l.share())
	if one.Cmp(l.strictest(t)) <= 0 {
		return false
	}
	l.warn(pos, "single-probe", "write minimumBadEvents: 2 under alerting, or probe at least every "+sla.FormatDuration(finest(l.strictest(t).Mul(l.share()), t.Long)),
		"a single failed probe fires the tier %q of level %q: one of %s is %s %% of %s, and the threshold is %s %%",
		t.Name, l.ID.SLO, sla.FormatDuration(p.Interval), round(one.Mul(hundred)), sla.FormatDuration(t.Long), l.strictest(t).Mul(hundred))
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

// same reports whether two tiers have the same condition.
func (l *linter) same(a, b sla.Tier) bool {
	return a.Long == b.Long && a.Short == b.Short && a.For == b.For && l.threshold(a).Cmp(l.threshold(b)) == 0
}

// caps finds caps that no figure is compared with.
func (l *linter) caps() {
	for _, e := range l.Exclusions {
		switch {
		case e.Cap == nil || e.Cap.Downtime == 0:
		case !l.Aggregation.ByTime():
			l.warn(e.Cap.Pos, "unmeasured-cap", "bound its windowTime, or count the level by time or minutes",
				"the level %q counts events and no time, so the cap of %s on excluded downtime is compared with nothing there", l.ID.SLO, e.Name)
		case l.grouped():
			l.warn(e.Cap.Pos, "unmeasured-cap", "bound its windowTime, or give the groups levels of their own",
				"the level %q has groups, and the cap of %s on excluded downtime is not measured for each", l.ID.SLO, e.Name)
		case !slices.Contains(l.Periods(), e.Cap.Per):
			l.warn(e.Cap.Pos, "unmeasured-cap", fmt.Sprintf("judge it over that too: period: [%s, %s]", l.Period, e.Cap.Per.Calendar),
				"the cap of %s is of a %s, and the level %q is judged over %s: nothing is compared with it there", e.Name, CalendarName(e.Cap.Per), l.ID.SLO, l.periodNames())
		}
	}
}

// Scrapes are the window over which a level counts scraped samples, and how
// many scrapes it needs; no window if it counts none.
func Scrapes(l *sla.ServiceLevel) (window time.Duration, least int) {
	return newLevel(l, Options{}, nil).scrapes()
}

// Needed says in words that so many are needed.
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

// quotedNames finds label names that must be written in quotes: a server that
// does not read them refuses the whole rule file. Metric names do not matter,
// since every server reads {__name__="a.b"}.
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
