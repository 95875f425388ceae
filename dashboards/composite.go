package dashboards

import (
	"fmt"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/sla"
)

// Values of node states: badness if what is unknown is good, plus badness if it
// is bad.
const (
	nodeGood    = 0
	nodeUnknown = 1
	nodeBad     = 2
)

// compositePanels are the tree of a composite over time, who caused its bad
// time, and how it compares with a measurement of the whole.
func compositePanels(g *grid, l *sla.ServiceLevel, c *sla.Composite, own selector) {
	tree := statePanel("Parts", "The tree of the composite: every part of it, and the components at its ends, in each minute. "+
		"Between good and bad are parts below a weighted one.").noValue("not measured")
	tree.FieldConfig.Defaults.Mappings = nil
	tree.mapping(values(map[string]dashboard.ValueMappingResult{
		fmt.Sprint(nodeGood): shown("good", colorGood, 0), fmt.Sprint(nodeUnknown): shown("unknown", colorUnknown, 1), fmt.Sprint(nodeBad): shown("bad", colorBad, 2),
	})).thresholds(colorGood, step{0.001, colorWarn}, step{1.999, colorBad})
	rows := uint32(0)
	c.Tree.Walk(func(n *sla.Node) {
		of := own.with(eq(metricnames.Node, n.Path))
		tree.query(fmt.Sprintf("sum by (%s) (%s)", of.by(), worst(of.series(metricnames.NodeBad))), nodeTitle(n))
		rows++
	})
	g.add(min(4+rows, 20), sized{gridWidth, tree})

	caused := timePanel("Bad time by component", "What each component caused of the bad time, alone or with others, as it counts: each bar since the one before. The sum is what was spent of the budget.").
		query("sum by ("+metricnames.Component+") ("+since(own.series(metricnames.BlameTally.Increase))+")", "{{"+metricnames.Component+"}}").
		unit(unitSeconds, -1).noValue("nothing was bad").minStep(increase).stacked()
	g.add(8, sized{14, caused}, sized{10, spentTable(own.with(eq(metricnames.Period, l.Period.String())))})
	if c.EndToEnd == nil {
		return
	}
	over := sla.FormatDuration(c.EndToEnd.Over)
	g.add(8, sized{gridWidth, timePanel("Worse end to end than in its parts",
		fmt.Sprintf("Over %s, how much more of the time %s was bad than the components account for. Dashed: where %s fires. Below 0 the components look worse than what customers meet.",
			over, c.EndToEnd.Of, sla.AlertCompositeDivergence.Name)).
		query(own.level("max", metricnames.Divergence+over), "divergence").
		unit(unitRatio, -1).noValue("not measured").thresholds(colorGood, step{c.EndToEnd.Above.Quo(sla.NewDecimal(100, 1)).Float64(), colorBad})})
}

// spentTable is a line for each component, the one that spent most first.
func spentTable(period selector) *panel {
	spent := func(matchers ...string) string {
		return fmt.Sprintf("max by (%s) (%s)", metricnames.Component, period.with(matchers...).series(metricnames.BlameBudget))
	}
	either := fmt.Sprintf("sum by (%s) (max by (%s, %s) (%s))", metricnames.Component, metricnames.Component, metricnames.How, period.series(metricnames.BlameBudget))
	p := tablePanel("Who spent the budget", "The share of the whole period's budget that each component has spent: alone, and together with others.").
		noValue("nothing was bad").unit(unitRatio, 2)
	p.columns(map[string]string{metricnames.Component: colComponent}, []string{metricnames.Component}, []column{
		{colSpent, either},
		{"Alone", spent(eq(metricnames.How, "alone"))},
		{"With others", spent(eq(metricnames.How, "with_others"))},
	})
	return p.sortedBy(colSpent, true)
}

// Columns of the table of who spent the budget.
const (
	colComponent = "Component"
	colSpent     = "Spent"
)

// nodeTitle names a part in its place of the tree.
func nodeTitle(n *sla.Node) string {
	title := n.Title()
	if !n.Leaf() && n.Level != nil {
		title = n.Level.ID.String() + ": " + title
	}
	if n.Name != "" {
		title = n.Name + ": " + title
	}
	return strings.Repeat("· ", strings.Count(n.Path, ".")) + n.Path + " " + title
}
