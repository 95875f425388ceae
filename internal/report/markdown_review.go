package report

import (
	"fmt"
	"strings"
)

func (m *markdown) portfolio(p *portfolioView) {
	m.heading(1, p.Title)
	m.paragraph(p.Counts)
	var rows [][]string
	for _, r := range p.Rows {
		rows = append(rows, []string{r.Agreement, r.Period, r.Mark.Word, r.Headline, r.Counts, orNone(r.Credit)})
	}
	m.table([]string{"Agreement", "Period", "Verdict", "In short", "Promises", "Credit"}, rows)
}

func (m *markdown) review(v *reviewView) {
	m.heading(1, v.Mark.Word+": "+v.Headline)
	title := "Service review of " + v.Agreement + ", " + v.Period
	if v.Parties != "" {
		title += ". " + v.Parties
	}
	m.paragraph(title)
	m.paragraph(v.Description)
	m.paragraph(v.Restated)
	m.facts(v.Facts)
	m.levels(v)
	m.buts(v)
	for _, l := range v.Levels {
		m.level(l)
	}
	m.recovery(v)
	m.exclusions(v)
	m.obligations(v)
	m.credit(v)
	m.trend(v)
	m.annex(v)
}

func (m *markdown) facts(facts []fact) {
	var rows [][]string
	for _, f := range facts {
		rows = append(rows, []string{f.Name, f.Value})
	}
	m.table([]string{"", ""}, rows)
}

func (m *markdown) levels(v *reviewView) {
	m.heading(2, "The promises")
	var rows [][]string
	for _, l := range v.Levels {
		name := l.Name
		if l.Group != "" {
			name += " (" + l.Group + ")"
		}
		rows = append(rows, []string{name, l.Target.Text, l.Achieved.Text, l.Mark.Word, fmt.Sprintf("%s of %s", l.Bad.Text, l.Budget.Text), orNone(l.Left), l.Choices})
	}
	m.table([]string{"Level", "Promised", "Achieved", "Verdict", "Bad, of the budget", "Budget left", "Counted"}, rows)
}

func (m *markdown) buts(v *reviewView) {
	if len(v.Buts) == 0 {
		return
	}
	m.heading(2, "Met, but …")
	var items []string
	for _, b := range v.Buts {
		items = append(items, b.Level+", "+strings.ToLower(b.Title)+": "+b.Words)
	}
	m.items(items)
}

func (m *markdown) level(l *levelView) {
	name := l.Name
	if l.Group != "" {
		name += " (" + l.Group + ")"
	}
	m.heading(2, name+": "+strings.ToLower(l.Mark.Word))
	m.paragraph(l.Description)
	m.paragraph(l.Why)
	var rows [][]string
	for _, t := range l.Figures {
		rows = append(rows, []string{t.Name, t.Figure.Text, t.Note})
	}
	m.table([]string{"", "", ""}, rows)
	m.paragraph(l.Choices + ".")
	m.outages(l)
	rows = nil
	for _, b := range l.Blame {
		rows = append(rows, []string{b.Component, b.Alone.Text, b.WithOthers.Text})
	}
	m.table([]string{"Component", "Bad by itself", "Bad with others"}, rows)
	rows = nil
	for _, p := range l.Places {
		rows = append(rows, []string{p.Name, p.Achieved.Text, p.Bad.Text, p.Known.Text})
	}
	m.table([]string{"Place", "Achieved", "Bad", "Measured"}, rows)
	rows = nil
	for _, g := range l.Gaps {
		rows = append(rows, []string{g.From.Text, g.To.Text, g.Total, g.Bad})
	}
	m.table([]string{"Gap from", "to", "Counted", "Bad"}, rows)
}

func (m *markdown) outages(l *levelView) {
	if len(l.Outages) == 0 {
		return
	}
	m.paragraph(l.OutageSum + ".")
	var rows [][]string
	for _, o := range l.Outages {
		end := o.End.Text
		if o.Ongoing {
			end = "not over yet"
		}
		start := o.Start.Text
		if o.Began != "" {
			start += " (began " + o.Began + ")"
		}
		rows = append(rows, []string{
			start, end, o.Lasted.Text, o.Counts.Text, orNone(strings.Join(o.Excluded, ", ")), orNone(o.Cause), orNone(o.Blame), orNone(o.Evidence.Text),
		})
	}
	m.table([]string{"From", "To", "Lasted", "Counts", "Excluded", "Cause", "Answers for it", "Evidence"}, rows)
}

func (m *markdown) recovery(v *reviewView) {
	var rows [][]string
	for _, r := range v.Recovery {
		rows = append(rows, []string{r.Level, r.Objective, r.Value, r.Limit, r.Mark.Word, r.Words})
	}
	if rows != nil {
		m.heading(2, "Recovery")
		m.table([]string{"Level", "Objective", "Value", "Limit", "Verdict", ""}, rows)
	}
}

func (m *markdown) exclusions(v *reviewView) {
	var rows [][]string
	for _, e := range v.Exclusions {
		var spans []string
		for _, s := range e.Spans {
			spans = append(spans, s.From.Text+" to "+s.To.Text)
		}
		if e.MoreSpans > 0 {
			spans = append(spans, fmt.Sprintf("and %d more", e.MoreSpans))
		}
		rows = append(rows, []string{
			e.Name, e.Category, strings.Join(spans, "; "), e.Time.Text, orNone(e.CapLeft.Text), e.Effect, orNone(e.Approval), orNone(e.Reason), orNone(e.Evidence.Text),
		})
	}
	if rows != nil {
		m.heading(2, "What did not count")
		m.table([]string{"Exclusion", "Kind", "When", "Excused", "Cap left", "Effect", "Approved", "Reason", "Evidence"}, rows)
	}
}

func (m *markdown) obligations(v *reviewView) {
	var rows [][]string
	for _, o := range v.Obligations {
		rows = append(rows, []string{o.Party, o.Name, o.Due, o.Done, o.Mark.Word, orNone(o.Excused.Text)})
	}
	if rows != nil {
		m.heading(2, "What each side owed")
		m.table([]string{"Party", "Obligation", "Due", "Done", "", "Excuses"}, rows)
	}
}

func (m *markdown) credit(v *reviewView) {
	c := v.Credit
	if c == nil {
		return
	}
	m.heading(2, "Credits")
	m.paragraph(c.Words)
	var facts []fact
	if c.Amount.Text != "" {
		facts = append(facts, fact{Name: "Credit", Value: c.Amount.Text})
	}
	if c.Percent.Text != "" {
		facts = append(facts, fact{Name: "Share of the fee", Value: c.Percent.Text})
	}
	m.facts(append(facts, c.Facts...))
	var rows [][]string
	for _, l := range c.Levels {
		rows = append(rows, []string{l.Level, l.Percent.Text, orNone(l.Amount.Text), l.Words})
	}
	m.table([]string{"Level", "Share of the fee", "Amount", "How it came about"}, rows)
}

func (m *markdown) trend(v *reviewView) {
	if v.Trend == nil {
		return
	}
	m.heading(2, "The last periods")
	rows := make([][]string, len(v.Trend.Full))
	head := []string{"Period", "Verdict"}
	for i, name := range v.Trend.Full {
		rows[i] = []string{name, v.Trend.Overall[i].Mark.Word}
	}
	for _, l := range v.Trend.Levels[:min(len(v.Trend.Levels), maxTrendColumns)] {
		head = append(head, l.Name)
		for i, c := range l.Cells {
			cell := c.Mark.Word
			if c.Known {
				cell = c.Achieved + " " + strings.ToLower(cell)
			}
			rows[i] = append(rows[i], cell)
		}
	}
	m.table(head, rows)
}

// maxTrendColumns bounds the table of the trend; it always has the verdict of the
// whole.
const maxTrendColumns = 6

func (m *markdown) annex(v *reviewView) {
	if len(v.Findings) > 0 {
		m.heading(2, "Findings")
		var items []string
		for _, f := range v.Findings {
			items = append(items, strings.TrimPrefix(f.Level+": ", ": ")+f.Message)
		}
		m.items(items)
	}
	m.heading(2, "How each number came about")
	for _, text := range roundingWords {
		m.paragraph(text)
	}
	var rows [][]string
	for _, x := range v.Method {
		name := x.Name
		if x.Group != "" {
			name += " (" + x.Group + ")"
		}
		rows = append(rows, []string{name, x.Indicator, x.Method, x.Hours, x.Agreed, x.Bad, x.Excluded, x.Unknown, x.Budget, x.Choices, orNone(x.Exact), x.Shown})
	}
	m.table([]string{"Level", "What is measured", "How it becomes a number", "Promised hours", "Agreed", "Bad", "Excluded", "Unknown", "Budget", "Choices", "Exact fraction", "Achieved"}, rows)
	m.heading(2, "Made of")
	m.facts(v.Made)
}

// roundingWords explain how numbers are calculated and shown.
var roundingWords = []string{
	"The achieved share is what is left of the agreed time, slots or events after the bad ones, divided by the agreed ones. It is calculated as an exact fraction, and that is what is compared with the promise.",
	"The percentage is that fraction, cut off after the 8th place and never rounded up, so 99.8999 % is never shown as 99.9 %. In tables it is cut to three places, or to as many as the promise has.",
}
