package rulegen

import (
	"fmt"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// Time of which nobody knows how the service was is in neither sum, unless the
// agreement says that missing data counts as bad, or as good. Then all levels
// follow one order: what counters know counts; else time is missing if the
// server scraped the jobs that measure the level and the level had nothing; else
// the server did not see it, and it is in neither sum.
//
// No rule here reads itself, so that a pair of servers agrees and rules can be
// replayed over old samples.

// A level remembers which jobs it comes from for as long as its longest period,
// but at most a month: what has had no result for longer is no longer missing.
// The last hour is read as it was recorded, the rest at hourly steps.
const (
	sourceStep    = time.Hour
	sourceRecent  = sourceStep + sla.BaseWindow
	sourceLongest = 32 * 24 * time.Hour
)

// remembered is how long a level remembers its jobs.
func (m missingData) remembered() time.Duration {
	longest := time.Duration(0)
	for _, p := range m.Periods() {
		longest = max(longest, p.Longest())
	}
	return min(longest, sourceLongest)
}

// scrapedBefore and scrapedAtLeast bound the time before an evaluation in which
// the server must have scraped too, for the level to be missing now. A server
// that has just started scrapes one target after the other, and the first
// target of a job may be there before the one that measures the level. The time
// ends within the server's lookback, in which what was scraped before a restart
// is still seen.
const scrapedBefore, scrapedAtLeast = 5 * time.Minute, 2 * time.Minute

// sources are the raw series that the rules count.
func sources(rules []Rule) []promql.Selector {
	var own, seen []string
	for _, r := range rules {
		own = append(own, r.Record)
	}
	var all []promql.Selector
	for _, r := range rules {
		for _, s := range r.Expr.Reads() {
			s = s.Plain()
			if text := s.Now().String(); !slices.Contains(own, s.Name()) && !slices.Contains(seen, text) {
				seen, all = append(seen, text), append(all, s)
			}
		}
	}
	return all
}

// anyOf is the samples of some selectors now.
func anyOf(all []promql.Selector) promql.Expr {
	var e promql.Expr
	for _, s := range all {
		e = union(e, s.Now())
	}
	return e
}

// missingData makes the rules that count missing time.
type missingData struct {
	counting
	raw []promql.Selector // the series that are counted
}

// watch records which jobs the level's series come from, while there is a result;
// whether the server scrapes one of these jobs; and whether the level then has no
// series. known has a sample while there is a result.
//
// A scrape stores up together with what it read, and marks what it no longer
// reads, so that up and the series always belong to the same scrape. An expression
// that reads no series comes from no job, and is never missing.
func (m missingData) watch(known promql.Expr) []Rule {
	if len(m.raw) == 0 {
		return nil
	}
	const job = metricnames.Job
	jobs := func(more ...promql.Matcher) promql.Expr {
		return m.recorded(metricnames.SourceJobPeriod, more...).Now()
	}
	ofJob, longest := m.recorded(metricnames.SourceJob), m.remembered()
	up := promql.Series(metricnames.Up).Now()
	// Series without a job, such as recorded ones, have no up: then any scrape
	// shows that the server was there.
	scraped := promql.OrOn(
		promql.Group(promql.AndOn(up, jobs(), job)),
		promql.Group(promql.AndOn(up, jobs(promql.Eq(job, "")))))
	before := m.recorded(metricnames.SourceScraped).Ago(scrapedAtLeast).LastOverTime(scrapedBefore - scrapedAtLeast)
	// Both sides are raw: servers may see recorded series for longer.
	dark := promql.UnlessOn(promql.AndOn(scraped, before), anyOf(m.raw))
	if m.into.cut > 0 && m.into.cut <= time.Minute {
		dark = m.atCut(dark) // as of the end of the minute without a judgement
	}
	return []Rule{
		m.record(metricnames.SourceJob, promql.AndOn(promql.Group(anyOf(m.raw), job), known)).
			says("%s1 for each job that its series come from, while there is a result.", m.whose()),
		m.record(metricnames.SourceJobPeriod, promql.Or(ofJob.LastOverTime(min(sourceRecent, longest)), promql.LastOverSteps(ofJob.Now(), longest, sourceStep))).
			says("%s1 for each job that its series came from in the last %s.", m.whose(), sla.FormatDuration(longest)),
		m.record(metricnames.SourceScraped, scraped).
			says("%s1 while the server scrapes one of these jobs, whether or not that succeeds.", m.whose()),
		m.record(metricnames.SourceDark, promql.OrOn(dark, promql.Mul(promql.Num(zero), scraped))).
			says("%s1 while the server scrapes them, and did %s ago, and there is no series to count; else 0.", m.whose(), sla.FormatDuration(scrapedAtLeast)),
	}
}

// countsUnknown reports whether a composite, or one in it, counts what is unknown.
func countsUnknown(of *sla.Composite) bool {
	return of.Unknown != sla.UnknownExcluded || policyWithin(of.Tree)
}

func policyWithin(n *sla.Node) bool {
	return n.Unknown == sla.UnknownBad || n.Unknown == sla.UnknownGood || slices.ContainsFunc(n.Members, policyWithin)
}

// componentMissing records whether a component of unknown state is missing; rules
// are those that make its state from its series.
func (t tree) componentMissing(x *sla.Component, rules []Rule) []Rule {
	s := missingData{t.component(x.Level, x.Label, componentState), sources(rules)}
	known := s.recorded(componentState.bad).Now()
	return append(s.watch(known), s.record(metricnames.ComponentMissing, promql.UnlessOn(is1(s.nothing()), known)).
		says("%s1 while its state is unknown because its data are missing.", s.whose()).saysAll(s.nothingWords()))
}

// is1 is 1 where e has a sample.
func is1(e promql.Expr) promql.Expr {
	return promql.Add(promql.Mul(promql.Num(zero), e), promql.Num(one))
}

// judgedOrMissing records the judgement of minutes or slots, filled in where it
// is missing.
func (m missingData) judgedOrMissing(by judgement) []Rule {
	what := "the last whole minute"
	if m.into.cut > time.Minute {
		what = "the last whole slot of " + sla.FormatDuration(m.into.window)
	}
	judged := func(name string, how string) []Rule {
		if name == m.into.bad {
			return nil // it was counted into this series
		}
		return []Rule{m.record(name, by.bad).says("How bad %s was%s: 0 not at all, 1 all of it.", what, how).saysAll(by.words)}
	}
	if !m.fills() {
		return judged(metricnames.SlotJudged, "")
	}
	known := m.recorded(metricnames.SlotKnown).Now()
	rules := append(judged(metricnames.SlotKnown, ", where that is known"), m.watch(known)...)
	missing := m.recorded(metricnames.MissingRate).Now()
	return append(rules,
		m.record(metricnames.MissingRate, promql.Or(promql.Mul(promql.Num(zero), known), is1(m.nothing()))).
			says("Missing seconds per second: 1 while the server scrapes the job and the level has nothing, 0 while it has.").saysAll(m.nothingWords()),
		m.record(metricnames.SlotJudged, promql.Or(known, promql.Mul(promql.Gt(missing, promql.Num(zero)), promql.Num(m.missingCounts())))).
			says("How bad %s was, what is missing counted as %s.", what, m.MissingData),
	)
}

// nothing has a sample where a minute or slot without a judgement is missing: while
// there are no series, and while they were counted without a result, like an empty
// slot that is unknown. A state that is looked at, with series but no answer, is
// missing once the server has been there for the whole base window, since such
// expressions may look back that far.
func (m missingData) nothing() promql.Expr {
	scraped, dark := m.recorded(metricnames.SourceScraped), m.recorded(metricnames.SourceDark)
	unanswered := promql.AndOn(m.total(), scraped.Now())
	switch {
	case m.into.cut > time.Minute:
		slot := m.atCut(scraped.CountOverTime(m.into.window))
		return promql.Or(promql.Ge(slot, promql.Num(m.mostOfSlot())), unanswered)
	case sla.LookedAt(m.Indicator):
		looks := number(int64(sla.BaseWindow / m.interval))
		unanswered = promql.Ge(scraped.CountOverTime(m.samples(sla.BaseWindow)), looks)
	}
	return promql.Or(promql.Gt(dark.Now(), promql.Num(zero)), unanswered)
}

// nothingWords explain the constants of nothing.
func (m missingData) nothingWords() []string {
	switch {
	case m.into.cut > time.Minute:
		return []string{fmt.Sprintf("%s = three quarters of the evaluations in %s", inRules(m.mostOfSlot()), sla.FormatDuration(m.into.window))}
	case sla.LookedAt(m.Indicator):
		return []string{m.evaluationsIn(sla.BaseWindow)}
	}
	return nil
}

// mostOfSlot is in how many evaluations the server must have scraped for a slot to be
// missing.
func (m missingData) mostOfSlot() sla.Decimal {
	return sla.NewDecimal(int64(m.into.window), int64(m.interval)).Mul(sla.NewDecimal(3, 4))
}

// jitter is how much of five minutes may be unknown before it is missing. Probes
// and scrapes are not exactly as far apart as they should be, so a window may hold
// one probe more or less, and one alone must not count as bad.
func (m missingData) jitter() sla.Decimal {
	if _, p, _ := m.Probed(); p != nil {
		if probes := sla.Seconds(p.Interval).Mul(sla.NewDecimal(3, 2)).Quo(sla.Seconds(sla.BaseWindow)); probes.Cmp(leastJitter) > 0 {
			return probes
		}
	}
	return leastJitter
}

var leastJitter = sla.NewDecimal(1, 10)

func (m missingData) jitterWords() string {
	if _, p, _ := m.Probed(); p != nil && m.jitter().Cmp(leastJitter) > 0 {
		return fmt.Sprintf("%s = 1.5 probes x %s s / 300 s: less may be missing by chance", inRules(m.jitter()), inRules(sla.Seconds(p.Interval)))
	}
	return inRules(leastJitter) + ": less may be missing by chance"
}

// timeOrMissing makes the base series of a level that counts known seconds: those
// and the missing ones together, and the bad ones among them.
func (m missingData) timeOrMissing() []Rule {
	if !m.fills() {
		return nil
	}
	totalName, badName := m.measured()
	known, bad := m.recorded(metricnames.KnownTotalRate).Now(), m.recorded(metricnames.KnownBadRate).Now()
	missing, total := m.recorded(metricnames.MissingRate).Now(), m.recorded(totalName).Now()
	slots := promql.Num(sla.NewDecimal(int64(sla.BaseWindow), int64(m.interval)))
	dark := promql.Div(promql.SumOverSteps(m.recorded(metricnames.SourceDark).Now(), sla.BaseWindow, m.interval), slots)
	zeroOf := func(e promql.Expr) promql.Expr { return promql.Mul(promql.Num(zero), e) }
	none := promql.Or(missing, zeroOf(total))
	rest := promql.Sub(promql.Num(one), none)
	lost, ofGap := dark, []string{m.evaluationsIn(sla.BaseWindow)}
	if of, p, probed := m.Probed(); probed {
		ofGap = append(ofGap, fmt.Sprintf("%s = seconds that a result stands for, the interval of the probe", inRules(sla.Seconds(p.Interval))), m.jitterWords())
		lost = promql.Add(dark, promql.Or(m.inconclusive(of, p), zeroOf(dark)))
	}
	// What is known and what is missing are both of the last five minutes, and
	// together no more than that.
	counted := promql.Mul(bad, promql.ClampMax(promql.Div(rest, promql.Gt(known, promql.Num(zero))), one))
	return append(m.watch(promql.Gt(known, promql.Num(zero))),
		m.record(metricnames.MissingRate, promql.ClampMax(lost, one)).
			says("Missing seconds per second: the share of the last 5m that the server saw and in which the level had no result.").saysAll(ofGap),
		m.record(totalName, promql.ClampMax(promql.Add(
			promql.Or(known, zeroOf(promql.Gt(missing, promql.Num(zero)))), promql.Or(missing, zeroOf(known))), one)).
			says("Seconds per second that are known or missing."),
		m.record(badName, promql.Add(promql.Or(counted, zeroOf(total)), promql.Mul(none, promql.Num(m.missingCounts())))).
			says("Bad seconds per second, what is missing counted as %s.", m.MissingData),
	)
}

// inconclusive is the share of the last five minutes for which, by the exporter's own
// counters, results were scheduled and none is conclusive. Nothing while no scrape has
// been seen. The counter has its former name here until the next release, since
// exporters may be older than the rules.
func (m missingData) inconclusive(of sla.ID, p *sla.Probe) promql.Expr {
	owed := promql.Mul(promql.Avg(promql.Series(metricnames.ProbeOwed, identity(of)...).Rate(m.into.window)), promql.Num(sla.Seconds(p.Interval)))
	known := promql.AndOn(m.recorded(metricnames.KnownTotalRate).Now(), m.recorded(metricnames.SourceScraped).Now())
	gap := promql.ClampMin(promql.AddLeft(promql.Sub(promql.Num(zero), known), owed), zero)
	return promql.Mul(gap, promql.GtBool(gap, promql.Num(m.jitter())))
}
