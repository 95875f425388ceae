package report

import (
	"bytes"
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// AgreementFormat is one form in which agreements can be written for signature.
type AgreementFormat struct {
	Name      string
	Extension string
	MediaType string
	Render    func(AgreementDocument) ([]byte, error)
}

// AgreementFormats returns all formats, the default first.
func AgreementFormats() []AgreementFormat {
	return []AgreementFormat{
		{"html", "html", "text/html; charset=utf-8", agreementHTML},
		{"markdown", "md", "text/markdown; charset=utf-8", agreementMarkdown},
	}
}

// AgreementDocument is an agreement to be signed.
type AgreementDocument struct {
	Agreement *sla.Agreement
	Against   *sla.Agreement // the previous revision to compare with, nil if there is none
	// Now decides how long a budget is if that depends on the date, for example with
	// service hours.
	Now time.Time
}

// agreementView is the document as sections of blocks, which each format renders.
type agreementView struct {
	Name        string
	Title       string
	Description string
	Facts       []fact
	Sections    []docSection
	Signatures  []signature
}

type docSection struct {
	Number int
	Title  string
	Blocks []docBlock
}

// docBlock is a paragraph, a list, names with values, or a table; only one of them is
// set.
type docBlock struct {
	Text  string
	Items []string
	Pairs []fact
	Head  []string
	Rows  [][]string
}

// signature is a line to sign on.
type signature struct{ Party, Name, Date string }

func newAgreement(d AgreementDocument) agreementView {
	a := d.Agreement
	v := agreementView{
		Name: oneLine(a.Name), Title: "Service level agreement " + oneLine(a.Name), Description: oneLine(a.Description),
		Facts: controlFacts(a), Signatures: signaturesOf(a),
	}
	for _, s := range []docSection{
		{Title: "Parties", Blocks: partiesOf(a)},
		{Title: "Services", Blocks: servicesOf(a)},
		{Title: "What is promised", Blocks: promisesOf(a, d.Now)},
		{Title: "How it is measured and counted", Blocks: formulasOf(a)},
		{Title: "Composites", Blocks: compositesOf(a)},
		{Title: "Recovery", Blocks: recoveryTerms(a)},
		{Title: "Service hours", Blocks: hoursOf(a)},
		{Title: "What does not count", Blocks: exclusionTable(a)},
		{Title: "When nothing is measured", Blocks: missingOf(a)},
		{Title: "What each party owes", Blocks: dutiesOf(a)},
		{Title: "Escalation", Blocks: escalationOf(a)},
		{Title: "Credits", Blocks: creditsOf(a, d.Now)},
		{Title: "Grades of service and their prices", Blocks: optionsOf(a)},
		{Title: "What changed since the last revision", Blocks: changesOf(d)},
		{Title: "Words used here", Blocks: []docBlock{{Pairs: agreementGlossary}}},
	} {
		if len(s.Blocks) > 0 {
			s.Number = len(v.Sections) + 1
			v.Sections = append(v.Sections, s)
		}
	}
	return v
}

// controlFacts say which version of the text this is, and whether it was agreed.
func controlFacts(a *sla.Agreement) []fact {
	t := a.Terms
	standing := "Draft: not signed by both parties"
	if t.Approval.Signed() {
		standing = "Signed by both parties"
	}
	facts := []fact{{Name: "Agreement", Value: oneLine(a.Edition())}, {Name: "State", Value: standing}}
	add := func(name, value string) {
		if value != "" {
			facts = append(facts, fact{Name: name, Value: oneLine(value)})
		}
	}
	add("In force from", dateOf(t.EffectiveFrom))
	add("Replaces", t.Supersedes)
	add("To be reviewed on", dateOf(t.ReviewOn))
	if m := t.Approval; m != nil {
		add("Agreed on in the meeting of", dateOf(m.Held))
		add("Chaired by", m.Chair)
		add("Minutes", m.Minutes)
	}
	add("Time zone", cmp.Or(a.Zone, "UTC"))
	return append(facts, fact{"Specification, SHA-256", a.Digest, true})
}

// dateOf prints "1 October 2026", or nothing without a date.
func dateOf(d sla.Date) string {
	if d.IsZero() {
		return ""
	}
	return dateWords(d.String())
}

// signaturesOf has a line for each named person, and one for each party without one.
func signaturesOf(a *sla.Agreement) []signature {
	var lines []signature
	for _, party := range sla.Parties {
		named := false
		if a.Terms.Approval != nil {
			for _, s := range a.Terms.Approval.Signatories {
				if s.Party == party {
					named = true
					lines = append(lines, signature{"For the " + string(party), oneLine(strings.TrimSuffix(s.Name+", "+s.Role, ", ")), dateOf(s.On)})
				}
			}
		}
		if !named {
			lines = append(lines, signature{Party: "For the " + string(party)})
		}
	}
	return lines
}

// servicesOf lists the services, with a description of their levels.
func servicesOf(a *sla.Agreement) []docBlock {
	var rows [][]string
	for _, service := range servicesIn(a) {
		var promises []string
		for _, l := range a.Levels {
			if l.ID.Service == service {
				promises = append(promises, levelWords(l))
			}
		}
		rows = append(rows, []string{service, strings.Join(promises, "; ")})
	}
	blocks := []docBlock{{Head: []string{"Service", "What is promised of it"}, Rows: rows}}
	if items := oneLines(a.Terms.NotIncluded); items != nil {
		blocks = append(blocks, docBlock{Text: "Not included:"}, docBlock{Items: items})
	}
	return blocks
}

func servicesIn(a *sla.Agreement) []string {
	var services []string
	for _, l := range a.Levels {
		if !slices.Contains(services, l.ID.Service) {
			services = append(services, l.ID.Service)
		}
	}
	return services
}

// levelWords describes a level: its description, or its name.
func levelWords(l *sla.ServiceLevel) string { return cmp.Or(oneLine(l.Description), oneLine(l.ID.SLO)) }

func levelID(l *sla.ServiceLevel) string { return oneLine(l.ID.Service + "/" + l.ID.SLO) }

func promisesOf(a *sla.Agreement, now time.Time) []docBlock {
	var rows [][]string
	for _, l := range a.Levels {
		for _, p := range l.Periods() {
			rows = append(rows, []string{levelID(l), oneLine(l.Description), allDigits(l.Target.String()), periodText(p), budgetOf(l, p, now)})
		}
		for _, t := range l.GroupBy.Targets {
			rows = append(rows, []string{levelID(l), oneLine(t.Words()), "", "", ""})
		}
	}
	for _, d := range a.Declared {
		rows = append(rows, []string{oneLine(d.Service + "/" + d.Name), oneLine(d.Description), "declared only", "", ""})
	}
	return []docBlock{
		{Text: "The budget is what the promise allows to be bad in the period. A promise is kept if no more was bad; exactly the budget is kept."},
		{Head: []string{"Level", "", "At least", "Period", "Budget"}, Rows: rows},
	}
}

// formulas explain how the promised share is computed from what is counted.
var formulas = []struct {
	counts sla.Counted
	words  string
}{
	{sla.CountsSeconds, "achieved = (agreed time - bad time) / agreed time"},
	{sla.CountsMinutes, "achieved = (agreed minutes - bad minutes) / agreed minutes"},
	{sla.CountsSlots, "achieved = (agreed slots - bad slots) / agreed slots"},
	{sla.CountsEvents, "achieved = (events - bad events) / events"},
}

// compositesOf says which levels a promise over several levels depends on, and whether
// these are good enough for it.
func compositesOf(a *sla.Agreement) []docBlock {
	var rows [][]string
	for _, l := range a.Levels {
		c, ok := l.Indicator.(*sla.Composite)
		if !ok {
			continue
		}
		predicted := none
		if p, err := c.Predict(); err == nil {
			predicted = allDigits(sla.Percent(p.Independent))
		}
		rows = append(rows, []string{levelID(l), oneLine(c.Words()), allDigits(l.Target.String()), predicted})
	}
	if rows == nil {
		return nil
	}
	return []docBlock{
		{Text: "These are judged by the states of their components, moment by moment. The last column is what the components' own promises give if they fail independently of each other: a check of the promise, not a measurement."},
		{Head: []string{"Level", "Made of", "Promised", "Predicted"}, Rows: rows},
	}
}

func hoursOf(a *sla.Agreement) []docBlock {
	var blocks []docBlock
	for _, c := range a.Calendars {
		zone := cmp.Or(c.Zone, "UTC")
		hours := strings.Join(c.WeeklyWords(), "; ")
		if c.Complement {
			hours = "All time outside of " + cmp.Or(c.Of, hours)
		}
		pairs := []fact{{Name: "Calendar", Value: oneLine(c.Name)}, {Name: "Hours", Value: hours}, {Name: "Time zone", Value: zone}}
		if days := c.DayWords(); len(days) > 0 {
			pairs = append(pairs, fact{Name: "Other days", Value: strings.Join(days, "; ")})
		}
		blocks = append(blocks, docBlock{Pairs: pairs})
	}
	var always []string
	for _, l := range a.Levels {
		if l.ServiceHours == nil {
			always = append(always, levelID(l))
		}
	}
	if len(always) > 0 && len(always) < len(a.Levels) {
		blocks = append(blocks, docBlock{Text: "Promised around the clock: " + strings.Join(always, ", ") + "."})
	}
	if len(always) == len(a.Levels) {
		blocks = append([]docBlock{{Text: "All services are promised around the clock."}}, blocks...)
	}
	return blocks
}

func missingOf(a *sla.Agreement) []docBlock {
	var items []string
	for _, l := range a.Levels {
		if l.MissingData != sla.MissingExcluded {
			items = append(items, fmt.Sprintf("%s: time in which the measurement ran and has no result counts as %s.", levelID(l), l.MissingData))
		}
	}
	text := "Time in which nothing was measured is neither good nor bad. It is left out, and each report says how much it was."
	if items != nil {
		return []docBlock{{Text: text + " Exceptions:"}, {Items: items}}
	}
	return []docBlock{{Text: text}}
}

func escalationOf(a *sla.Agreement) []docBlock {
	var steps [][]string
	for _, s := range a.Escalation {
		after := "at once"
		if s.After > 0 {
			after = "after " + sla.FormatDuration(s.After)
		}
		hours := "always"
		if s.Hours != nil {
			hours = s.Hours.Name
		}
		steps = append(steps, []string{after, oneLine(strings.Join(s.Notify, ", ")), oneLine(strings.Join(append(s.Severities, s.Tiers...), ", ")), hours})
	}
	var people [][]string
	for _, c := range a.Contacts {
		people = append(people, []string{oneLine(c.Name), oneLine(c.Description)})
	}
	var blocks []docBlock
	if steps != nil {
		blocks = append(blocks, docBlock{Head: []string{"While it lasts", "Notified", "Of alerts", "Hours"}, Rows: steps})
	}
	if people != nil {
		blocks = append(blocks, docBlock{Head: []string{"Contact", ""}, Rows: people})
	}
	return blocks
}

var agreementGlossary = append([]fact{
	{Name: "Level", Value: "one promise: something that is measured, the least share of it that must be good, and a period."},
	{Name: "Period", Value: "the time over which a promise is judged, as a calendar month in the agreement's time zone."},
}, glossary...)

func agreementHTML(d AgreementDocument) ([]byte, error) {
	style, err := files.ReadFile("templates/style.css")
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = pages.ExecuteTemplate(&b, "agreement", struct {
		agreementView
		Style template.CSS
	}{newAgreement(d), template.CSS(style)}) //nolint:gosec // our own file
	return b.Bytes(), err
}

func agreementMarkdown(d AgreementDocument) ([]byte, error) {
	v := newAgreement(d)
	m := &markdown{}
	m.heading(1, v.Title)
	m.paragraph(v.Description)
	m.facts(v.Facts)
	for _, s := range v.Sections {
		m.heading(2, fmt.Sprintf("%d %s", s.Number, s.Title))
		for _, b := range s.Blocks {
			m.paragraph(b.Text)
			if len(b.Items) > 0 {
				m.items(b.Items)
			}
			if len(b.Pairs) > 0 {
				m.facts(b.Pairs)
			}
			m.table(b.Head, b.Rows)
		}
	}
	m.heading(2, "Signatures")
	var rows [][]string
	for _, s := range v.Signatures {
		rows = append(rows, []string{s.Party, s.Name, s.Date, ""})
	}
	m.table([]string{"", "Name", "Date", "Signature"}, rows)
	return []byte(m.b.String()), nil
}
