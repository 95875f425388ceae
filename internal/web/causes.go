package web

import (
	"cmp"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// When a composite fails, people first ask which components are down now, and how much
// of the budget each has spent.

// downComponent is a component that is down.
type downComponent struct {
	Title, Path string
	Since       stamp
}

// causeView is a component that has spent some of a composite's budget.
type causeView struct {
	Title, Path string
	Share       string // of what is spent: "60 %"
	Cost        string // what it cost: "35 s, 8.1 % of the budget"
	How         string // "6 s of it alone, the rest together with others"

	spent float64 // of the budget
}

// newDownComponents returns the components that are down, each once, in the order
// of the tree.
func newDownComponents(members []Member, c clock) []downComponent {
	var downs []downComponent
	for _, m := range members {
		if m.Since.IsZero() || slices.ContainsFunc(downs, func(d downComponent) bool { return d.Title == m.Title }) {
			continue
		}
		downs = append(downs, downComponent{m.Title, pathOf(m), c.stamp(m.Since)})
	}
	return downs
}

// newCauses returns the components that have spent some of the budget, sorted by
// how much.
func newCauses(l *sla.ServiceLevel, members []Member, c clock) []causeView {
	allowed := l.BudgetTime(l.TargetBudget(), l.Period, c.now)
	cost := func(share float64) string { return span(time.Duration(share * float64(allowed))) }
	all := 0.0
	var causes []causeView
	for _, m := range members {
		spent := m.Alone.Value + m.WithOthers.Value // unknown values are 0
		if spent <= noise {
			continue
		}
		all += spent
		cause := causeView{Title: m.Title, Path: pathOf(m), Cost: cost(spent) + ", " + percent(spent) + " of the budget", spent: spent}
		switch {
		case m.WithOthers.Value <= noise:
			cause.How = "all of it alone"
		case m.Alone.Value <= noise:
			cause.How = "always together with others"
		default:
			cause.How = cost(m.Alone.Value) + " of it alone, the rest together with others"
		}
		causes = append(causes, cause)
	}
	for i := range causes {
		causes[i].Share = percent(causes[i].spent / all)
	}
	slices.SortStableFunc(causes, func(a, b causeView) int { return cmp.Compare(b.spent, a.spent) })
	return causes
}

// pathOf is the path of the member's page, "" if it is not a level.
func pathOf(m Member) string {
	if m.Of == (sla.ID{}) {
		return ""
	}
	return levelPath(m.Of)
}
