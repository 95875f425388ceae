package backtest

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/upheld-sla/upheld/internal/figures"
	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/routing"
	"github.com/upheld-sla/upheld/sla"
)

const minuteForm = "2006-01-02 15:04"

// Text is the result for a terminal of 80 columns.
func (r *Result) Text() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s to %s UTC, %d raw samples of %d series\n", r.From.UTC().Format(minuteForm), r.To.UTC().Format(minuteForm), r.Samples, r.Series)
	for _, h := range r.Holes {
		fmt.Fprintf(&b, "no raw samples from %s to %s: nothing was evaluated\n", h.From.Format(minuteForm), h.To.Format(minuteForm))
	}
	for _, e := range r.Errors {
		fmt.Fprintf(&b, "rule %s of group %s failed %d times, first at %s: %v\n", e.Rule.Name, e.Rule.Group, e.Count, e.First.UTC().Format(minuteForm), e.Err)
	}
	r.alertText(&b)
	r.notificationText(&b)
	r.budgetText(&b)
	r.verdictText(&b)
	return b.Bytes()
}

// table writes rows in columns, indented.
func table(b *bytes.Buffer, write func(row func(cells ...string))) {
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	write(func(cells ...string) { fmt.Fprintln(w, "  "+strings.Join(cells, "\t")) })
	_ = w.Flush() // a buffer never fails
}

func (r *Result) alertText(b *bytes.Buffer) {
	if len(r.Alerts) == 0 {
		b.WriteString("\nNo alert would have fired.\n")
		return
	}
	fmt.Fprintf(b, "\nAlerts that would have fired: %d%s\n", len(r.Alerts), bySeverity(r.Alerts))
	table(b, func(row func(...string)) {
		row("began", "lasted", "severity", "of", "alert")
		for _, a := range r.Alerts {
			lasted := "to the end"
			if !a.Resolved.IsZero() {
				lasted = short(a.Resolved.Sub(a.Firing))
			}
			row(a.Firing.UTC().Format(minuteForm), lasted, a.Labels[metricnames.Severity], a.of(), a.Name)
		}
	})
}

// of names what an alert is about: its level, or else its labels.
func (a Alert) of() string {
	if service, slo := a.Labels[metricnames.Service], a.Labels[metricnames.SLO]; service != "" && slo != "" {
		return service + "/" + slo
	}
	var words []string
	for _, name := range slices.Sorted(maps.Keys(a.Labels)) {
		if name != "alertname" && name != metricnames.Severity {
			words = append(words, name+"="+a.Labels[name])
		}
	}
	return strings.Join(words, ",")
}

func bySeverity(all []Alert) string {
	counts := map[string]int{}
	for _, a := range all {
		counts[a.Labels[metricnames.Severity]]++
	}
	var words []string
	for _, s := range slices.Sorted(maps.Keys(counts)) {
		if s != "" {
			words = append(words, fmt.Sprintf("%d %s", counts[s], s))
		}
	}
	if len(words) == 0 {
		return ""
	}
	return " (" + strings.Join(words, ", ") + ")"
}

// short is a duration, rounded to a minute, or to a second if it is below an hour.
func short(d time.Duration) string {
	if d >= time.Hour {
		return sla.FormatDuration(d.Round(time.Minute))
	}
	return sla.FormatDuration(d.Round(time.Second))
}

func (r *Result) notificationText(b *bytes.Buffer) {
	if len(r.Notifications) == 0 {
		return
	}
	type counts struct{ all, begin, end, repeated int }
	of := map[string]*counts{}
	for _, n := range r.Notifications {
		name := strings.TrimSpace(n.Receiver + " " + n.Kind)
		c := of[name]
		if c == nil {
			c = &counts{}
			of[name] = c
		}
		c.all++
		switch {
		case n.Reason == routing.Repeated:
			c.repeated++
		case len(n.Firing) == 0:
			c.end++
		default:
			c.begin++
		}
	}
	fmt.Fprintf(b, "\nNotifications: %d\n", len(r.Notifications))
	table(b, func(row func(...string)) {
		row("receiver", "all", "something fires", "all is over", "repeated")
		for _, name := range slices.Sorted(maps.Keys(of)) {
			c := of[name]
			row(name, fmt.Sprint(c.all), fmt.Sprint(c.begin), fmt.Sprint(c.end), fmt.Sprint(c.repeated))
		}
	})
}

func (r *Result) budgetText(b *bytes.Buffer) {
	if len(r.Budgets) == 0 {
		return
	}
	b.WriteString("\nBudgets\n")
	table(b, func(row func(...string)) {
		row("level", "period", "left at the end", "lowest", "at", "each day")
		for _, u := range r.Budgets {
			row(u.name(), u.Period, figures.Percent(u.End), figures.Percent(u.Lowest.Left), u.Lowest.At.Format(minuteForm), spark(u.Days))
		}
	})
	if !slices.ContainsFunc(r.Budgets, func(u Budget) bool { return !math.IsNaN(u.WorstBad) }) {
		return
	}
	b.WriteString("\nThe highest targets that every whole period would have met\n")
	table(b, func(row func(...string)) {
		for _, u := range r.Budgets {
			if !math.IsNaN(u.WorstBad) {
				row(u.name(), u.Period, Suggested(u.WorstBad)+" %", fmt.Sprintf("(%.6f %% at worst)", 100*(1-u.WorstBad)))
			}
		}
	})
}

func (u Budget) name() string { return levelName(u.Level.Service, u.Level.SLO, u.Group) }

// levelName names a level as service/level, with the labels of its group.
func levelName(service, slo string, group map[string]string) string {
	words := []string{service + "/" + slo}
	for _, label := range slices.Sorted(maps.Keys(group)) {
		words = append(words, label+"="+group[label])
	}
	return strings.Join(words, " ")
}

// Suggested is a target in per cent that a bad share meets: rounded down, with enough
// places that the budget has two digits.
func Suggested(bad float64) string {
	places := 2
	for b := bad; b > 0 && b < 0.001 && places < 6; b *= 10 {
		places++
	}
	scale := math.Pow10(places)
	const noise = 1e-9
	text := fmt.Sprintf("%.*f", places, math.Floor(100*(1-bad)*scale+noise)/scale)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// spark draws shares of 0 to 1, of at most 31 days; an overspent budget is a cross.
func spark(days []Point) string {
	const most = 31
	bars := []rune("▁▂▃▄▅▆▇█")
	var b strings.Builder
	for _, p := range days[max(0, len(days)-most):] {
		if p.Left < 0 {
			b.WriteRune('×')
			continue
		}
		b.WriteRune(bars[min(int(p.Left*float64(len(bars))), len(bars)-1)])
	}
	return b.String()
}

func (r *Result) verdictText(b *bytes.Buffer) {
	for _, v := range r.Verdicts {
		fmt.Fprintf(b, "\n%s, %s: %s\n", v.Agreement, v.Period, v.Verdict)
		table(b, func(row func(...string)) {
			row("level", "achieved", "target", "")
			for _, l := range v.Levels {
				row(levelName(l.Service, l.SLO, l.Group), cmp.Or(l.Achieved, "unknown"), l.Target, string(l.Verdict))
			}
		})
	}
}
