package simulate

import (
	"bytes"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"github.com/upheld-sla/upheld/internal/figures"
	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/sla"
)

// lineWidth is the width of text in columns.
const lineWidth = 80

// Text is results for a terminal.
func Text(results []*Result) ([]byte, error) {
	var b bytes.Buffer
	for i, r := range results {
		if i > 0 {
			b.WriteString("\n")
		}
		r.text(&b)
	}
	return b.Bytes(), nil
}

func (r *Result) text(b *bytes.Buffer) {
	wrapped(b, "", r.title())
	when := "begins " + r.At.In(r.Zone).Format("Mon 2006-01-02 15:04 MST")
	if r.Chosen {
		when += " (chosen)"
	}
	wrapped(b, "  ", fmt.Sprintf("%s, looked at for %s, after %s of history, scraped every %s",
		when, Span(r.End.Sub(r.At)), days(r.At.Sub(r.From)), sla.FormatDuration(r.Scrape)))
	for _, l := range r.Levels {
		b.WriteString("\n")
		l.text(b)
	}
	switch {
	case len(r.Levels) == 0 && len(r.Others) == 0:
		b.WriteString("\nno alert\n")
	case len(r.Levels) == 0:
		b.WriteString("\n")
		alertTable(b, r.Others, false)
	case len(r.Others) > 0:
		b.WriteString("\nAlerts of other levels, which these are made of or part of\n")
		alertTable(b, r.Others, true)
	}
	r.timeline(b)
	r.notificationText(b)
	if len(r.Notes) > 0 {
		b.WriteString("\n")
	}
	for _, n := range r.Notes {
		wrapped(b, "", "Note: "+n)
	}
	for _, f := range r.Failed {
		wrapped(b, "", fmt.Sprintf("NOT MET: %s: %s", f.Expected.Text, f.Seen))
	}
	if n := len(r.Scenario.Expect); n > 0 && len(r.Failed) == 0 {
		fmt.Fprintf(b, "\nAs expected: %s met.\n", plural(n, "expectation"))
	}
}

// title names the scenario.
func (r *Result) title() string {
	title := "Scenario " + r.Scenario.Name
	if r.Scenario.Agreement != "" {
		title += " of " + r.Scenario.Agreement
	}
	if r.Scenario.Description != "" {
		title += ": " + r.Scenario.Description
	}
	return title
}

func days(d time.Duration) string {
	if d >= 48*time.Hour {
		return fmt.Sprintf("%.0f days", d.Hours()/24)
	}
	return Span(d)
}

func (l *LevelResult) text(b *bytes.Buffer) {
	id := l.Level.ID
	wrapped(b, "", fmt.Sprintf("%s/%s, target %s %% of %s", id.Service, id.SLO, l.Target, l.Budget.Period))
	if len(l.Alerts) == 0 {
		b.WriteString("  no alert\n")
	} else {
		alertTable(b, l.Alerts, false)
	}
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, line := range l.figureWords() {
		fmt.Fprintf(w, "  %s\t%s\n", line[0], line[1])
	}
	_ = w.Flush() // a buffer never fails
}

// figureWords are the figures of a level, each with its name.
func (l *LevelResult) figureWords() (lines [][2]string) {
	if !l.Budget.Known {
		lines = append(lines, [2]string{"budget", "not known: nothing was measured at the begin or at the end"})
	} else {
		lines = append(lines, [2]string{"budget", "spent " + figures.Percent(l.Budget.Spent) + ": " + l.Budget.badWords()},
			[2]string{"", fmt.Sprintf("left %s, %s at the least", figures.Percent(l.Budget.Remaining), figures.Percent(l.Budget.Lowest))},
			[2]string{"verdict", l.Budget.verdictWords()})
	}
	if len(l.Worst) > 0 {
		var words []string
		for _, w := range l.Worst {
			words = append(words, figures.Percent(w.Bad)+" over "+sla.FormatDuration(w.Length))
		}
		lines = append(lines, [2]string{"worst", strings.Join(words, ", ")})
	}
	if c := l.Credit; c != nil {
		owed := c.Percent + " % for a " + c.Period
		if c.Amount != "" {
			owed += ", " + c.Amount
		}
		lines = append(lines, [2]string{"credit", owed})
	}
	return lines
}

// met returns whether the target would be met if the rest of the period is good. It
// expects events to continue at the same rate.
func (b Budget) met() bool { return b.Remaining >= 0 }

func (b Budget) verdictWords() string {
	if b.met() {
		return "met, if the rest of " + b.Period + " is good"
	}
	return "missed: more is bad than is allowed in " + b.Period
}

// badWords says how much was bad.
func (b Budget) badWords() string {
	if b.ByTime {
		return fmt.Sprintf("%s bad of the %s allowed", Span(seconds(b.Bad)), Span(seconds(b.Allowed)))
	}
	return fmt.Sprintf("%.0f bad events; %s of all events are allowed", b.Bad, figures.Percent(b.Allowed))
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// mostRows bounds the lines of a table.
const mostRows = 12

// alertTable lists alerts with their times after the start.
func alertTable(b *bytes.Buffer, alerts []Alert, withLevel bool) {
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "  alert\tseverity\tpending\tfires\tends\n")
	for _, a := range alerts[:min(len(alerts), mostRows)] {
		name := a.Title()
		if withLevel {
			name = a.Level.Service + "/" + a.Level.SLO + " " + name
		}
		if utf8.RuneCountInString(name) > mostNameColumns {
			name = padded(name, mostNameColumns)
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\t%s\n", name, a.Severity, a.pendingWords(), a.firingWords(), a.endWords())
	}
	_ = w.Flush() // a buffer never fails
	if more := len(alerts) - mostRows; more > 0 {
		fmt.Fprintf(b, "  and %d more; --format=json has all\n", more)
	}
}

// Title is the alert's name, with the labels that tell it from others of its level.
func (a Alert) Title() string {
	words := []string{a.Name}
	for _, label := range []string{metricnames.Tier, metricnames.Period, metricnames.Escalation, "exclusion", "objective"} {
		if v := a.Labels[label]; v != "" {
			words = append(words, label+"="+v)
		}
	}
	return strings.Join(words, " ")
}

func (a Alert) pendingWords() string {
	if a.Pending < 0 {
		return "before"
	}
	return Span(a.Pending)
}

func (a Alert) firingWords() string {
	switch {
	case !a.Fired:
		return "never"
	case a.Before:
		return "before"
	}
	return Span(a.Firing)
}

func (a Alert) endWords() string {
	if !a.Ended {
		return "goes on"
	}
	return Span(a.Resolved)
}

// wrapped writes text in lines that fit. Lines after the first are indented by two more
// columns.
func wrapped(b *bytes.Buffer, indent, text string) {
	column := 0
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
			b.WriteString(indent)
			column = len(indent)
		case column+1+n > lineWidth:
			b.WriteString("\n" + indent + "  ")
			column = len(indent) + 2
		default:
			b.WriteString(" ")
			column++
		}
		b.WriteString(word)
		column += n
	}
	b.WriteString("\n")
}
