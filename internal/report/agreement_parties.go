package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

// oneLines are texts from others, each in one line.
func oneLines(texts []string) []string {
	var lines []string
	for _, t := range texts {
		lines = append(lines, oneLine(t))
	}
	return lines
}

func partiesOf(a *sla.Agreement) []docBlock {
	t := a.Terms
	var pairs []fact
	add := func(name, value string) {
		if value != "" {
			pairs = append(pairs, fact{Name: name, Value: oneLine(value)})
		}
	}
	add("Provider", t.Provider.Name)
	add("Answers for the service", t.Provider.ServiceOwner)
	add("Contact", t.Provider.Contact)
	customers := strings.Join(t.Customers, ", ")
	if slices.Contains(t.Customers, sla.AllCustomers) {
		customers = "every customer, each by itself"
	}
	add("Customer", customers)
	add("Covers", t.Structure.Doc())
	var inherited []string
	for _, i := range a.Inherited {
		inherited = append(inherited, i.Words())
	}
	add("Taken from other agreements", strings.Join(inherited, "; "))
	if len(t.ScopePer) > 0 {
		add("Figures of their own", "for each "+strings.Join(t.ScopePer, ", "))
	}
	if pairs == nil {
		return nil
	}
	return []docBlock{{Pairs: pairs}}
}

// recoveryTerms says what is promised about outages, and how services are restored.
func recoveryTerms(a *sla.Agreement) []docBlock {
	var rows, methods [][]string
	seen := map[string]bool{}
	for _, l := range a.Levels {
		if l.Recovery == nil {
			continue
		}
		for _, o := range l.Recovery.Objectives {
			rows = append(rows, []string{levelID(l), upperFirst(oneLine(o.Words()))})
		}
		for _, m := range l.Recovery.Methods {
			row := methodRow(m)
			if key := strings.Join(row, "\x00"); !seen[key] {
				seen[key] = true
				methods = append(methods, row)
			}
		}
	}
	var blocks []docBlock
	if rows != nil {
		blocks = append(blocks, docBlock{Head: []string{"Level", "Promised"}, Rows: rows})
	}
	if methods != nil {
		blocks = append(blocks, docBlock{Head: []string{"If this happens", "Method", "Back within", "Data lost at most", "Last exercised", "To be exercised every"}, Rows: methods})
	}
	return blocks
}

func methodRow(m sla.RecoveryMethod) []string {
	lost, every := none, none
	if m.HasRPO {
		lost = sla.FormatDuration(m.RPO)
	}
	if m.ExerciseEvery > 0 {
		every = plural(m.ExerciseEvery, "day")
	}
	return []string{
		upperFirst(inWords(nil, m.Scenario)), inWords(nil, m.Method), sla.FormatDuration(m.RTO), lost, cmp.Or(dateOf(m.LastExercised), "never"), every,
	}
}

// dutiesOf lists what each party owes the other, and the consequences of lateness.
func dutiesOf(a *sla.Agreement) []docBlock {
	var rows [][]string
	for _, o := range a.Terms.Obligations {
		excuses := none
		if len(o.Excuses) > 0 {
			var levels []string
			for _, id := range o.Excuses {
				levels = append(levels, oneLine(id.Service+"/"+id.SLO))
			}
			excuses = "downtime of " + strings.Join(levels, ", ") + " while it is late"
		}
		rows = append(rows, []string{upperFirst(oneLine(string(o.Party))), oneLine(o.Deliver), oneLine(o.Words()), excuses})
	}
	if rows == nil {
		return nil
	}
	return []docBlock{{Head: []string{"Party", "Owes", "When", "Excuses"}, Rows: rows}}
}

// optionsOf lists the grades that were offered, and which one was agreed.
func optionsOf(a *sla.Agreement) []docBlock {
	var rows [][]string
	for _, o := range a.Terms.CostOptions {
		name, chosen := oneLine(o.Name), ""
		if o.Description != "" {
			name += ", " + oneLine(o.Description)
		}
		if o.Chosen {
			chosen = "agreed"
		}
		month := sla.Period{Calendar: sla.Month}
		rows = append(rows, []string{
			name, allDigits(o.Target.String()), duration(sla.Seconds(o.Budget(month.Nominal()))), money(o.Price.String(), o.Currency) + " a " + cmp.Or(string(o.Per), string(sla.Month)), chosen,
		})
	}
	if rows == nil {
		return nil
	}
	return []docBlock{{Head: []string{"Grade", "At least", "Budget of 30 days", "Price", ""}, Rows: rows}}
}
