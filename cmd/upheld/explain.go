package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

func newExplain() *cobra.Command {
	var files spec.Files
	var brief bool
	var format string
	cmd := &cobra.Command{
		Use:   "explain SPEC...",
		Short: "Say in words and numbers what specifications mean",
		Long: `Explain prints what each service level promises: what is measured and how it is
counted, every default, the error budget in minutes or events, and the alerts with
the time after which each detects a total outage.

With --brief it is a screen for people who answer for the service and read no PromQL:
what is promised, how much may be bad, hours, what does not count, credits, and who is
notified when. --format=json has both for programs (docs/explain.md).

The time to detect is for a total outage at constant traffic. Scraping and evaluating
add up to one scrape and one evaluation interval; for windows above 6h, which are
evaluated more seldom, five evaluation intervals.`,
		Example: `  upheld explain specs/shop.yaml

  # for a meeting
  upheld explain specs/shop.yaml --brief`,
		Args: atLeastOneSpec,
		RunE: func(cmd *cobra.Command, args []string) error {
			if brief && format == jsonFormat {
				return usageError{errors.New("--brief is text; --format=json has what it says, too: leave one out")}
			}
			agreements, err := mustLoad(cmd.ErrOrStderr(), files, args)
			if err != nil {
				return err
			}
			if format == jsonFormat {
				return explainJSON(cmd.OutOrStdout(), agreements, time.Now())
			}
			var b strings.Builder
			for i, a := range agreements {
				if i > 0 {
					b.WriteString("\n")
				}
				if brief {
					explainBriefly(&b, a, time.Now())
					continue
				}
				explainAgreement(&b, a, time.Now())
			}
			_, err = io.WriteString(cmd.OutOrStdout(), fitted(b.String()))
			return err
		},
	}
	cmd.Flags().BoolVar(&brief, "brief", false, "say only what is promised, in words and without PromQL")
	bindFormat(cmd.Flags(), &format, "how to print it")
	bindFiles(cmd.Flags(), &files)
	return cmd
}

func explainAgreement(b *strings.Builder, a *sla.Agreement, now time.Time) {
	fmt.Fprintf(b, "Agreement %s", a.Name)
	if a.Description != "" {
		fmt.Fprintf(b, ": %s", a.Description)
	}
	b.WriteString("\n")
	explainTerms(b, a, now)
	for _, l := range a.Levels {
		fmt.Fprintf(b, "\n%s/%s", l.ID.Service, l.ID.SLO)
		if l.Description != "" {
			fmt.Fprintf(b, ": %s", l.Description)
		}
		b.WriteString("\n")
		explainLevel(b, a, l, now)
		explainComposite(b, l, now)
		explainAlerts(b, l, now)
		explainNotifications(b, l, a.Notifications)
		explainEscalation(b, l)
	}
	explainPolicy(b, a)
}

func explainLevel(b *strings.Builder, a *sla.Agreement, l *sla.ServiceLevel, now time.Time) {
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "  %s\t%s\n", name, fmt.Sprintf(format, args...))
	}
	measured := l.Indicator.Words()
	if bound := rulegen.BoundWords(l.Indicator); bound != "" {
		measured += "; " + bound
	}
	line("Measured", "%s", measured)
	line("Counted", "%s%s", l.AggregationWords(), l.Defaulted("aggregation"))
	if l.MissingData != sla.MissingExcluded {
		line("Missing", "counts as %s: scrapes without a result, and inconclusive or missed probes; what the server did not see, as during its restart, does not count", l.MissingData)
	}
	for i, words := range l.Settlement.Words() {
		line([]string{"Verdict only", ""}[min(i, 1)], "%s", words)
	}
	explainHours(l, now, line)
	line("Target", "%s %% of %s%s", l.Target, periodsWords(l.Periods()), l.Defaulted("period"))
	line("Objective", "%s %%, which alerts follow%s", l.Objective, l.Defaulted("objective"))
	line("Budget", "%s", budgetWords(l, l.TargetBudget(), now))
	if l.Aggregation.ByTime() {
		for _, p := range l.MorePeriods {
			line("", "%s bad in %s", span(l.BudgetTime(l.TargetBudget(), p, now)), budgetPeriod(p))
		}
	}
	if l.Objective.Cmp(l.Target) != 0 {
		line("", "%s, of the objective", budgetWords(l, l.ObjectiveBudget(), now))
	}
	explainGroups(l, now, line)
	explainCredits(l, a.CreditPolicy, line)
	explainRecovery(a, l, line)
	if len(l.Labels) > 0 {
		line("Labels", "%s", labelWords(l.Labels))
	}
	for i, text := range defaultWords(l.Defaults) {
		line([]string{"Defaults", ""}[min(i, 1)], "%s", text)
	}
	_ = w.Flush() // a strings.Builder never fails
}

// periodsWords name the periods over which a target is judged.
func periodsWords(periods []sla.Period) string {
	words := []string{periods[0].Words()}
	if len(periods) > 1 {
		words[0] += ", which alert tiers follow"
	}
	for _, p := range periods[1:] {
		words = append(words, p.Words())
	}
	return strings.Join(words, ", and of ")
}

// budgetWords prints a budget so that people can picture it: as minutes or events.
func budgetWords(l *sla.ServiceLevel, budget sla.Decimal, now time.Time) string {
	if l.Aggregation.ByTime() {
		return fmt.Sprintf("%s bad in %s", span(l.BudgetTime(budget, l.Period, now)), budgetPeriod(l.Period))
	}
	bad, of := budget.Fraction()
	return fmt.Sprintf("%s bad of every %s events", bad, of)
}

// budgetPeriod names the period of a budget, with its length, since calendar periods
// differ in length.
func budgetPeriod(p sla.Period) string {
	if p.Calendar == "" {
		return p.String()
	}
	return fmt.Sprintf("a %s of %s", p, sla.FormatDuration(p.Nominal()))
}

// span prints a duration for people: "43m12s", "3h36m".
func span(d time.Duration) string {
	s := d.Round(time.Second).String()
	if d >= time.Hour {
		s = d.Round(time.Minute).String()
	}
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// defaultWords lists the defaults that were filled in as "key: value", in lines that
// fit.
func defaultWords(defaults []sla.Default) []string {
	const width = 84 // next to the names
	var lines []string
	for i, d := range defaults {
		word := d.Key + ": " + d.Value
		if i < len(defaults)-1 {
			word += ","
		}
		if last := len(lines) - 1; last >= 0 && len(lines[last])+len(word) < width {
			lines[last] += " " + word
		} else {
			lines = append(lines, word)
		}
	}
	return lines
}

func labelWords(labels map[string]string) string {
	parts := make([]string, 0, len(labels))
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		parts = append(parts, k+"="+labels[k])
	}
	return strings.Join(parts, ", ")
}

// explainAlerts prints the alert table: the bad share, the windows, how much of the
// budget that is, and when a total outage is detected.
func explainAlerts(b *strings.Builder, l *sla.ServiceLevel, now time.Time) {
	if len(l.Severities()) == 0 {
		b.WriteString("  Alerts    none\n")
		return
	}
	defer explainNotices(b, l)
	if len(l.Alerting.Tiers) == 0 {
		b.WriteString("  Alerts of a burning budget: none\n")
		return
	}
	weighed := ""
	switch {
	case l.Alerting.WeighByTraffic:
		weighed = ", weighted by their traffic compared with the period's mean,"
	case l.Masked():
		weighed = ", within service hours and weighted by them,"
	}
	fmt.Fprintf(b, "  Alerts, while the bad share over both windows%s is above the threshold:\n", weighed)
	rows := [][]string{{"tier", "severity", "burn rate", "threshold", "windows", "budget spent", "total outage seen after"}}
	var notes []string
	budget, agreed := l.ObjectiveBudget(), l.AlertShare(now)
	for _, t := range l.Alerting.Tiers {
		threshold, adapted := t.ThresholdWithin(agreed, budget)
		burn := threshold.Quo(budget)
		windows := sla.FormatDuration(t.Long) + " and " + sla.FormatDuration(t.Short)
		if t.For > 0 {
			windows += ", for " + sla.FormatDuration(t.For)
		}
		spent := burn.Mul(sla.NewDecimal(int64(t.Long), int64(l.Period.Nominal())))
		rows = append(rows, []string{
			t.Name, t.Severity, figure(burn) + " x", figure(threshold.Mul(percent)) + " %",
			windows, figure(spent.Mul(percent)) + " %", span(t.TimeToDetect(budget.Mul(agreed))),
		})
		if adapted {
			notes = append(notes, fmt.Sprintf("    %s: %s times a budget of %s %% is more than everything, so it fires above %s %% instead",
				t.Name, figure(t.Factor), budget.Mul(percent), threshold.Mul(percent)))
		}
	}
	writeTable(b, rows)
	explainMinima(b, l.Alerting)
	explainBurnAlerts(b, l)
	if len(l.GroupBy.Targets) > 0 {
		b.WriteString("    Groups with their own target share have the same burn rates, of their own budget\n")
	}
	for _, n := range notes {
		b.WriteString(n + "\n")
	}
}

var percent = sla.NewDecimal(100, 1)

// figure prints a number for people, with three significant digits.
func figure(d sla.Decimal) string {
	if f := d.Float64(); f < 1000 {
		return fmt.Sprintf("%.3g", f)
	}
	return fmt.Sprintf("%.0f", d.Float64())
}
