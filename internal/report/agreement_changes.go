package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

// term is one statement of an agreement, under a name that stays the same across
// revisions.
type term struct{ name, words string }

// changesOf compares two revisions term by term. It is empty without a previous one.
func changesOf(d AgreementDocument) []docBlock {
	if d.Against == nil {
		return nil
	}
	before, now := termsOf(d.Against), termsOf(d.Agreement)
	var rows [][]string
	for _, t := range now {
		old, found := wordsIn(before, t.name)
		switch {
		case !found:
			rows = append(rows, []string{t.name, none, t.words})
		case old != t.words:
			rows = append(rows, []string{t.name, old, t.words})
		}
	}
	for _, t := range before {
		if _, found := wordsIn(now, t.name); !found {
			rows = append(rows, []string{t.name, t.words, none})
		}
	}
	if rows == nil {
		return []docBlock{{Text: "Nothing that this document shows."}}
	}
	return []docBlock{{Head: []string{"What", "Before", "Now"}, Rows: rows}}
}

func wordsIn(terms []term, name string) (string, bool) {
	i := slices.IndexFunc(terms, func(t term) bool { return t.name == name })
	if i < 0 {
		return "", false
	}
	return terms[i].words, true
}

// termsOf returns all terms of an agreement, in the order of the document.
func termsOf(a *sla.Agreement) []term {
	var terms []term
	add := func(name, words string) {
		if words != "" {
			terms = append(terms, term{name, oneLine(words)})
		}
	}
	add("Description", a.Description)
	for _, l := range a.Levels {
		id := levelID(l)
		add(id, levelWords(l))
		add(id+": at least", l.Target.String()+" %")
		var periods []string
		for _, p := range l.Periods() {
			periods = append(periods, periodText(p))
		}
		add(id+": period", strings.Join(periods, ", "))
		add(id+": measured", l.Indicator.Words())
		add(id+": counted", l.AggregationWords())
		if l.ServiceHours != nil {
			add(id+": service hours", l.ServiceHours.Name)
		}
		add(id+": nothing measured counts as", string(l.MissingData))
		add(id+": credits", l.Credits.CreditWords())
		for _, t := range l.GroupBy.Targets {
			add(fmt.Sprintf("%s: group %s", id, t.Words()), t.Words())
		}
	}
	for _, c := range a.Calendars {
		add("Calendar "+c.Name, c.Words()+" "+strings.Join(c.DayWords(), "; "))
	}
	for _, e := range a.Exclusions {
		words := fmt.Sprintf("%s; %s; at most %s; for %s", exclusionTimes(e), e.Effect.Words(), capText(e), levelsWith(a, e))
		add("Exclusion "+e.Name, strings.ReplaceAll(words, "; at most "+none, ""))
	}
	for i, s := range a.Escalation {
		add(fmt.Sprintf("Escalation, step %d", i+1), fmt.Sprintf("after %s: %s", sla.FormatDuration(s.After), strings.Join(s.Notify, ", ")))
	}
	for _, section := range []struct {
		name   string
		blocks []docBlock
	}{
		{"Parties", partiesOf(a)}, {"Recovery", recoveryTerms(a)}, {"Owed", dutiesOf(a)}, {"Grade", optionsOf(a)},
	} {
		for _, b := range section.blocks {
			for _, p := range b.Pairs {
				add(section.name+": "+p.Name, p.Value)
			}
			for _, r := range b.Rows {
				add(section.name+": "+strings.Join(r[:2], ", "), cmp.Or(strings.Join(r[2:], "; "), "yes"))
			}
		}
	}
	for _, p := range policyFacts(a) {
		add("Credits: "+p.Name, p.Value)
	}
	for _, item := range a.Terms.NotIncluded {
		add("Not included: "+item, "yes")
	}
	return terms
}
