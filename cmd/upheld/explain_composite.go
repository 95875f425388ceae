package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// explainComposite prints what a composite is made of, what its components' targets add
// up to, and what is doubtful about it.
func explainComposite(b *strings.Builder, l *sla.ServiceLevel, now time.Time) {
	c, ok := l.Indicator.(*sla.Composite)
	if !ok {
		return
	}
	p, err := c.Predict()
	b.WriteString("  Made of:\n")
	rows := [][]string{{"", "promises", "is down when", "whole if perfect", fmt.Sprintf("needed for %s %%", l.Target)}}
	explainNode(&rows, l, c, p, c.Tree, "", "")
	for _, s := range p.Shared {
		rows = append(rows, append([]string{s.Label + " (shared)", sla.Percent(s.Promised) + " %", "is no member"}, partWords(l, s)...))
	}
	writeTable(b, rows)
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "  %s\t%s\n", name, fmt.Sprintf(format, args...))
	}
	if err != nil {
		line("Predicted", "cannot be said: %v", err)
	} else {
		explainPrediction(line, l, c, p, now)
	}
	explainMeasuring(line, l, c, now)
	explainChecks(line, l)
	_ = w.Flush() // a strings.Builder never fails
}

// explainNode prints a node and the nodes below it as a tree.
func explainNode(rows *[][]string, l *sla.ServiceLevel, c *sla.Composite, p sla.Prediction, n *sla.Node, lead, below string) {
	title := n.Title()
	if !n.Leaf() && n.Level != nil {
		title = n.Level.ID.String() + ": " + title
	}
	if n.Name != "" {
		title = n.Name + ": " + title
	}
	row := []string{lead + title}
	if n.Leaf() {
		row = append(row, n.Level.Target.String()+" %", downWords(n.Component))
		for i, x := range c.Component {
			if x == n.Component && i < len(p.Parts) {
				row = append(row, partWords(l, p.Parts[i])...)
			}
		}
	}
	*rows = append(*rows, row)
	for i, m := range n.Members {
		branch, deeper := "├ ", "│ "
		if i == len(n.Members)-1 {
			branch, deeper = "└ ", "  "
		}
		if n.Weighted() {
			branch += sla.Percent(n.Weights[i]) + " % "
		}
		explainNode(rows, l, c, p, m, below+branch, below+deeper)
	}
}

// partWords says what the whole would achieve if a part never failed, and the least
// that the part must promise to reach the target, if all others stay as they are.
func partWords(l *sla.ServiceLevel, part sla.Part) []string {
	needed := "no promise is enough"
	if needs, ok := part.Needs(l.TargetRatio()); ok {
		needed = "nothing"
		if needs.Sign() != 0 {
			needed = sla.PercentUp(needs) + " %"
		}
	}
	return []string{sla.Percent(part.IfPerfect) + " %", needed}
}

// downWords says when a component counts as down.
func downWords(x *sla.Component) string {
	l := x.Level
	switch {
	case l.SharesEvents():
		return fmt.Sprintf("more than %s %% is bad", x.DownAbove)
	case l.Slots.Width > 0:
		return "its own rule for minutes says so"
	}
	return "the condition does not hold"
}

func explainPrediction(line func(name, format string, args ...any), l *sla.ServiceLevel, c *sla.Composite, p sla.Prediction, now time.Time) {
	bad := func(share sla.Decimal) string { return span(l.BudgetTime(share, l.Period, now)) }
	one := sla.NewDecimal(1, 1)
	line("Predicted", "%s %%, so %s bad in %s, if every component is as good as its target and they fail independently of each other",
		sla.Percent(p.Independent), bad(one.Sub(p.Independent)), budgetPeriod(l.Period))
	line("", "%s %% (%s) to %s %% (%s), whatever their failures have to do with each other",
		sla.Percent(p.Low), bad(one.Sub(p.Low)), sla.Percent(p.High), bad(one.Sub(p.High)))
	apart := p.Independent.Sub(l.TargetRatio())
	if apart.Sign() < 0 {
		line("", "the target of %s %% allows %s less than that: it cannot be expected to be met", l.Target, bad(l.TargetRatio().Sub(p.Independent)))
	} else {
		line("", "the target of %s %% leaves %s to spare", l.Target, bad(apart))
	}
	weakest := p.Weakest()
	line("Weakest link", "%s: its failures cost %s of that, and no other's cost more", weakest.Label, bad(weakest.Gain(p)))
	var alone, shared []string
	for _, part := range append(append([]sla.Part{}, p.Parts...), p.Shared...) {
		if part.IfDown.Sign() == 0 {
			alone = append(alone, part.Label)
		}
	}
	if len(alone) > 0 {
		line("Down with any of", "%s: nothing stands in for them", strings.Join(alone, ", "))
	}
	for _, x := range c.Component {
		if x.Leaves > 1 {
			shared = append(shared, fmt.Sprintf("%s is in %d places and counted once", x.Label, x.Leaves))
		}
	}
	for _, d := range c.Shared {
		var affected []string
		for _, id := range d.Affects {
			affected = append(affected, strings.TrimPrefix(id.String(), l.ID.SLA+":"))
		}
		shared = append(shared, fmt.Sprintf("%s (%s %%) is counted once, and not again in the targets of %s", d.Name, d.Availability, strings.Join(affected, ", ")))
	}
	for i, text := range shared {
		line([]string{"Shared", ""}[min(i, 1)], "%s", text)
	}
	c.Tree.Walk(func(n *sla.Node) {
		if n.Failover.Time > 0 {
			line("Failover", "%s × %s in 30 days are assumed, %s of that time; measured ones are rounded up to whole minutes",
				n.Failover.Expected, sla.FormatDuration(n.Failover.Time), bad(n.Failover.Share()))
		}
	})
}

func unknownWords(p sla.UnknownPolicy) string {
	switch p {
	case sla.UnknownBad:
		return "counts as bad"
	case sla.UnknownGood:
		return "counts as good"
	}
	return "counts as neither good nor bad"
}

func componentAlertWords(a sla.ComponentAlerts) string {
	switch a {
	case sla.AlertsInhibited:
		return "do not begin while an alert of this one fires, and carry the label composite"
	case sla.AlertsIndependent:
		return "have nothing to do with it"
	}
	return "carry the label composite, which leads here"
}

func explainMeasuring(line func(name, format string, args ...any), l *sla.ServiceLevel, c *sla.Composite, now time.Time) {
	line("Measured how", "each minute the states of the components are combined, so outages that overlap count once;")
	line("", "what their own contracts excuse counts here, unless the contract of this level excuses it too")
	line("Unknown", "a minute of which nobody knows whether it was good %s", unknownWords(c.Unknown))
	line("Their alerts", "%s", componentAlertWords(c.Alerts))
	explainFirstPages(line, l, c, now)
	if e := c.EndToEnd; e != nil {
		notified := "nobody is notified"
		if e.Notice != nil {
			notified = alertWords(*e.Notice) + " fires"
		}
		line("End to end", "%s measures the whole; %s when over %s it is worse than this by more than %s %% of the time", e.Of, notified, sla.FormatDuration(e.Over), e.Above)
	}
}

// explainFirstPages names the components that page before the composite does in a total
// outage: no alert is held back that was already sent.
func explainFirstPages(line func(name, format string, args ...any), l *sla.ServiceLevel, c *sla.Composite, now time.Time) {
	own, pages := firstPage(l, now)
	if c.Alerts != sla.AlertsInhibited || !pages {
		return
	}
	var sooner []string
	for _, x := range c.Component {
		if first, pages := firstPage(x.Level, now); pages && first+rulegen.ComponentWait < own {
			sooner = append(sooner, x.Label+" ("+span(first)+")")
		}
	}
	if len(sooner) > 0 {
		line("", "a total outage pages sooner for %s than for this one (%s): they are notified first, though they wait %s for it",
			strings.Join(sooner, ", "), span(own), span(rulegen.ComponentWait))
	}
}

// firstPage returns how long a total outage lasts before a level pages; pages is false
// if it never does.
func firstPage(l *sla.ServiceLevel, now time.Time) (after time.Duration, pages bool) {
	budget := l.ObjectiveBudget().Mul(l.AgreedShare(now))
	for _, t := range l.Alerting.Tiers {
		if at := t.TimeToDetect(budget); t.Urgency == sla.Page && (!pages || at < after) {
			after, pages = at, true
		}
	}
	return after, pages
}

// compositeChecks are the checks of composites, with words for people.
var compositeChecks = []struct{ rule, good string }{
	{"composite-target", "the targets of its components give its own"},
	{"composite-period", "it is judged over the same period as its components"},
	{"composite-exclusions", "no contract of a component excuses what this one does not"},
	{"composite-double", "nothing is counted twice"},
	{"composite-shared", "no component promises more than what it depends on"},
	{"composite-end-to-end", "no component of it is taken for a measurement of the whole"},
}

func explainChecks(line func(name, format string, args ...any), l *sla.ServiceLevel) {
	findings := l.CheckComposite()
	first := "Checked"
	for _, check := range compositeChecks {
		good := true
		for _, f := range findings {
			if f.Rule == check.rule {
				line(first, "NO: %s; %s", f.Message, f.Remedy)
				first, good = "", false
			}
		}
		if good {
			line(first, "yes: %s", check.good)
			first = ""
		}
	}
}
