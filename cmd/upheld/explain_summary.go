package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// agreementSummary is explain's output about an agreement as JSON. --brief prints the
// parts that people who answer for a service need.
type agreementSummary struct {
	Agreement   string         `json:"agreement"`
	Description string         `json:"description,omitempty"`
	Revision    int            `json:"revision,omitempty"`
	TimeZone    string         `json:"timeZone"`
	Provider    string         `json:"provider,omitempty"`
	Customers   []string       `json:"customers,omitempty"`
	Levels      []levelSummary `json:"levels"`
}

type levelSummary struct {
	Service     string            `json:"service"`
	Level       string            `json:"level"`
	Description string            `json:"description,omitempty"`
	Indicator   string            `json:"indicator"`
	Measured    string            `json:"measured"` // without queries
	Queries     []string          `json:"queries,omitempty"`
	Aggregation string            `json:"aggregation"`
	Counted     string            `json:"counted"`
	Target      string            `json:"target"`    // in per cent
	Objective   string            `json:"objective"` // in per cent
	Budgets     []budgetSummary   `json:"budgets"`
	Hours       string            `json:"serviceHours"`
	Excluded    []string          `json:"excluded,omitempty"`
	Credits     string            `json:"credits,omitempty"`
	MissingData string            `json:"missingData"`
	GroupBy     []string          `json:"groupBy,omitempty"`
	Components  []string          `json:"components,omitempty"`
	Recovery    []string          `json:"recovery,omitempty"`
	Tiers       []tierSummary     `json:"tiers,omitempty"`
	Alerts      []noticeSummary   `json:"alerts,omitempty"` // besides those of tiers
	Notified    []stepSummary     `json:"notified,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Defaults    map[string]string `json:"defaults,omitempty"`
}

// budgetSummary is how much a target allows to be bad in a period.
type budgetSummary struct {
	Period  string  `json:"period"`
	Share   float64 `json:"share"`             // of 1
	Seconds float64 `json:"seconds,omitempty"` // for levels by time
	Words   string  `json:"words"`
}

type tierSummary struct {
	Tier      string  `json:"tier"`
	Severity  string  `json:"severity"`
	BurnRate  float64 `json:"burnRate"`
	Threshold float64 `json:"threshold"` // a bad share, of 1
	Long      float64 `json:"longWindowSeconds"`
	Short     float64 `json:"shortWindowSeconds"`
	Detects   float64 `json:"totalOutageSeenAfterSeconds"`
}

type noticeSummary struct {
	Alert    string   `json:"alert"`
	Severity string   `json:"severity"`
	When     []string `json:"when"`
}

type stepSummary struct {
	After  float64  `json:"afterSeconds"`
	Notify []string `json:"notify"`
	Of     []string `json:"of"` // severities and tiers
	Hours  string   `json:"within,omitempty"`
}

func explainJSON(out io.Writer, agreements []*sla.Agreement, now time.Time) error {
	all := []agreementSummary{}
	for _, a := range agreements {
		all = append(all, summaryOf(a, now))
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(all)
}

func summaryOf(a *sla.Agreement, now time.Time) agreementSummary {
	s := agreementSummary{Agreement: a.Name, Description: a.Description, Revision: a.Terms.Revision, TimeZone: a.Location().String(), Provider: a.Terms.Provider.Name, Customers: a.Terms.Customers}
	for _, l := range a.Levels {
		s.Levels = append(s.Levels, levelSummaryOf(l, now))
	}
	return s
}

func levelSummaryOf(l *sla.ServiceLevel, now time.Time) levelSummary {
	s := levelSummary{
		Service: l.ID.Service, Level: l.ID.SLO, Description: l.Description, Indicator: l.Indicator.Kind(), Measured: measuredWords(l.Indicator),
		Aggregation: string(l.Aggregation), Counted: l.AggregationWords(), Target: l.Target.String(), Objective: l.Objective.String(),
		Hours: "around the clock", MissingData: string(l.MissingData), GroupBy: l.GroupBy.Labels, Labels: l.Labels, Defaults: map[string]string{},
	}
	for _, d := range l.Defaults {
		s.Defaults[d.Key] = d.Value
	}
	for _, q := range l.Indicator.Queries() {
		s.Queries = append(s.Queries, q.Text)
	}
	for _, p := range l.Periods() {
		s.Budgets = append(s.Budgets, budgetSummaryOf(l, p, now))
	}
	if l.ServiceHours != nil {
		s.Hours = l.ServiceHours.Words()
	}
	for _, e := range l.Exclusions {
		s.Excluded = append(s.Excluded, plainExclusion(e))
	}
	if l.Credits.Any() {
		s.Credits = l.Credits.CreditWords() + ", of " + l.CreditPeriod().Words()
	}
	if c, ok := l.Indicator.(*sla.Composite); ok {
		for _, x := range c.Component {
			s.Components = append(s.Components, x.Label)
		}
	}
	if l.Recovery != nil {
		for _, o := range l.Recovery.Objectives {
			s.Recovery = append(s.Recovery, o.Words())
		}
	}
	s.addAlerts(l, now)
	return s
}

func (s *levelSummary) addAlerts(l *sla.ServiceLevel, now time.Time) {
	budget, agreed := l.ObjectiveBudget(), l.AlertShare(now)
	for _, t := range l.Alerting.Tiers {
		threshold, _ := t.ThresholdWithin(agreed, budget)
		s.Tiers = append(s.Tiers, tierSummary{
			t.Name, t.Severity, threshold.Quo(budget).Float64(), threshold.Float64(), t.Long.Seconds(), t.Short.Seconds(), t.TimeToDetect(budget.Mul(agreed)).Round(time.Second).Seconds(),
		})
	}
	for _, a := range l.Alerts() {
		if when := a.Words(l); len(when) > 0 { // the others are those of tiers
			s.Alerts = append(s.Alerts, noticeSummary{a.Kind.Name, a.Severity, when})
		}
	}
	if len(l.Severities()) == 0 {
		return
	}
	for _, step := range l.Escalation {
		of := slices.DeleteFunc(slices.Clone(step.Severities), func(severity string) bool { return !slices.Contains(l.Severities(), severity) })
		if of = append(of, step.Tiers...); len(of) == 0 {
			continue
		}
		one := stepSummary{After: step.After.Seconds(), Notify: step.Notify, Of: of}
		if step.Hours != nil {
			one.Hours = step.Hours.Name
		}
		s.Notified = append(s.Notified, one)
	}
}

func budgetSummaryOf(l *sla.ServiceLevel, p sla.Period, now time.Time) budgetSummary {
	b := budgetSummary{Period: p.String(), Share: l.TargetBudget().Float64()}
	if l.Aggregation.ByTime() {
		allowed := l.BudgetTime(l.TargetBudget(), p, now)
		b.Seconds, b.Words = allowed.Seconds(), span(allowed)+" may be bad in "+budgetPeriod(p)
		return b
	}
	bad, of := l.TargetBudget().Fraction()
	b.Words = fmt.Sprintf("%s of every %s events may be bad, in %s", bad, of, budgetPeriod(p))
	return b
}

// kindWords say what a level counts if the indicator's own words would contain queries.
var kindWords = []struct{ kind, words string }{
	{"events", "events that the service counts, bad ones of all"},
	{"latency", "how long the service takes to answer, as it measures itself"},
	{"condition", "whether a condition on the service's metrics holds"},
	{"ratio", "a share that the service's metrics give"},
	{"blackbox", "probes by blackbox_exporter"},
}

// measuredWords says what is measured, without queries.
func measuredWords(i sla.Indicator) string {
	if len(i.Queries()) == 0 {
		return i.Words()
	}
	for _, k := range kindWords {
		if k.kind == i.Kind() {
			return k.words
		}
	}
	return i.Kind()
}

// plainExclusion says what an exclusion excuses, without queries and recurrence rules.
func plainExclusion(e *sla.Exclusion) string {
	words := strings.ReplaceAll(e.Name, "-", " ")
	if e.Name == sla.MaintenanceName {
		words = "maintenance"
	}
	switch once, recurring := countWindows(e); {
	case e.OnCondition():
		words += ", while its condition holds"
	case once > 0 && recurring > 0:
		words += ", in regular windows and " + plural(once, "single window")
	case recurring > 0:
		words += ", in regular windows"
	default:
		words += ", in " + plural(once, "single window")
	}
	if c := e.Cap; c != nil {
		length := max(c.WindowTime, c.Downtime)
		words += fmt.Sprintf(", at most %s a %s", sla.FormatDuration(length), c.Per.Calendar)
	}
	if e.Notice > 0 {
		words += ", announced " + sla.FormatDuration(e.Notice) + " before"
	}
	return words + ": " + e.Effect.Words()
}

func countWindows(e *sla.Exclusion) (once, recurring int) {
	for _, w := range e.Windows {
		if w.Recurs == nil {
			once++
		} else {
			recurring++
		}
	}
	return once, recurring
}
