package dashboards

import (
	"fmt"
	"strings"
	"time"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/sla"
)

// Values of node states: the badness if unknown components are good, plus the badness
// if they are bad.
const (
	nodeGood    = 0
	nodeUnknown = 1
	nodeBad     = 2
)

// composites are the composites of an agreement.
func composites(a *sla.Agreement) []*sla.ServiceLevel {
	var all []*sla.ServiceLevel
	for _, l := range a.Levels {
		if _, ok := l.Indicator.(*sla.Composite); ok {
			all = append(all, l)
		}
	}
	return all
}

// compositePanels show the tree of the chosen composite over time, who caused its bad
// time, and how it compares with a measurement of the whole.
func compositePanels(g *grid, c chosen) {
	g.section("composite")
	levels := composites(c.of)
	tree, rows := treePanel(c, levels)
	g.add(min(6+rows, 20), sized{gridWidth, tree})
	caused := timePanel("Bad time by component", "What each component caused of the bad time, alone or with others, as it counts: each bar since the one before. The sum is what was spent of the budget.").
		query(c.blamed(), "{{"+metricnames.Component+"}}").
		unit(unitSeconds, -1).noValue("nothing was bad, or not measured").minStep(increase).stacked()
	g.add(8, sized{14, caused}, sized{10, spentTable(c.period().selector)})
	components := statePanel("Components", "Each component as the composite sees it: up, or down. What is not drawn is unknown.").noValue(notMeasured).
		states(stateWords{0, "up", colorGood}, stateWords{1, "down", colorBad}).
		query(fmt.Sprintf("max by (%s) (%s)", metricnames.Component, worst(c.series(metricnames.ComponentBad))), "{{"+metricnames.Component+"}}")
	g.add(8, sized{gridWidth, components})
	measuredPanels(g, c, levels)
}

// blamed is the bad time of each component in a step of a graph, and 0 in steps without
// any: otherwise bars would be as wide as the time between two outages.
func (c chosen) blamed() string {
	by := "by (" + metricnames.Component + ")"
	return fmt.Sprintf("sum %s (%s) or 0 * max %s (%s)", by, since(c.series(metricnames.BlameTally.Increase)), by, worst(c.series(metricnames.ComponentBad)))
}

// treePanel has a line for each node of the tree. It contains the queries of all
// composites; only those of the chosen one have values.
func treePanel(c chosen, levels []*sla.ServiceLevel) (tree *panel, rows uint32) {
	tree = statePanel("Parts", "The tree of the composite: every part of it, and the components at its ends, at its worst in each step. "+
		"Between good and bad are parts below a weighted one.").noValue(notMeasured).
		states(stateWords{nodeGood, "good", colorGood}, stateWords{nodeUnknown, "unknown", colorUnknown}, stateWords{nodeBad, "bad", colorBad}).
		thresholds(colorGood, step{0.001, colorWarn}, step{1.999, colorBad})
	for _, l := range levels {
		own, nodes := c.with(eq(metricnames.Service, l.ID.Service), eq(metricnames.SLO, l.ID.SLO)), uint32(0)
		l.Indicator.(*sla.Composite).Tree.Walk(func(n *sla.Node) {
			nodes++
			of := own.with(eq(metricnames.Node, n.Path))
			tree.query(fmt.Sprintf("sum by (%s) (%s)", byLevel, worst(of.series(metricnames.NodeBad))), nodeTitle(n))
		})
		rows = max(rows, nodes)
	}
	return tree, rows
}

// measuredPanels compare composites with the levels that measure the whole.
func measuredPanels(g *grid, c chosen, levels []*sla.ServiceLevel) {
	both := statePanel("Measured and predicted", "Predicted: the composite's own state, from its components. Measured: that of the level that measures the whole.").noValue("nothing measures the whole").
		states(stateWords{0, "good", colorGood}, stateWords{1, "bad", colorBad})
	worse := timePanel("Worse end to end than in its parts",
		"How much more of the time the whole was bad than the components account for. Dashed: where "+sla.AlertCompositeDivergence.Name+" fires. Below 0 the components look worse than what customers meet.").
		unit(unitRatio, -1).noValue("nothing measures the whole")
	var overs []time.Duration
	for _, l := range levels {
		end := l.Indicator.(*sla.Composite).EndToEnd
		if end == nil {
			continue
		}
		own := c.with(eq(metricnames.Service, l.ID.Service), eq(metricnames.SLO, l.ID.SLO))
		root := own.with(eq(metricnames.Node, l.Indicator.(*sla.Composite).Tree.Path))
		known := fmt.Sprintf("min by (%s) (%s)", byLevel, worst(root.series(metricnames.NodeBad))) // of all assumptions, the one that spares the composite
		both.query(known, "predicted").query(own.maxOver(metricnames.EndToEndBad), "measured by "+end.Of.String())
		over := sla.FormatDuration(end.Over)
		limit := "fires above"
		worse.query(own.level("max", metricnames.Divergence+over), "over "+over).
			query(fmt.Sprintf("%v * %s ^ 0", end.Above.Quo(sla.NewDecimal(100, 1)).Float64(), own.objective()), limit)
		overs = append(overs, end.Over)
	}
	if len(overs) > 0 {
		worse.colored("fires above", colorBad).dashed("fires above")
		g.add(6, sized{gridWidth, both})
		g.add(8, sized{gridWidth, worse})
	}
}

// spentTable has a line for each component, the one that spent most first.
func spentTable(period selector) *panel {
	either := fmt.Sprintf("sum by (%s) (max by (%s, %s) (%s))", metricnames.Component, metricnames.Component, metricnames.How, period.series(metricnames.BlameBudget))
	spent := func(how string) string {
		return fmt.Sprintf("max by (%s) (%s) or 0 * %s", metricnames.Component, period.with(eq(metricnames.How, how)).series(metricnames.BlameBudget), either)
	}
	p := tablePanel("Who spent the budget", "The share of the whole period's budget that each component has spent: alone, and together with others.").
		noValue("nothing was bad, or not measured").unit(unitRatio, 2)
	p.columns(map[string]string{metricnames.Component: colComponent}, []string{metricnames.Component}, []column{
		{colSpent, either},
		{colAlone, spent("alone")},
		{colWithOthers, spent("with_others")},
	})
	for _, name := range []string{colSpent, colAlone, colWithOthers} {
		p.override(name, property{Id: "custom.width", Value: columnWidth(name)})
	}
	return p.sortedBy(colSpent, true)
}

// Columns of the table that shows who spent the budget.
const (
	colComponent  = "Component"
	colSpent      = "Spent"
	colAlone      = "Alone"
	colWithOthers = "With others"
)

// stateWords says how to show one value of a state.
type stateWords struct {
	value       int
	text, color string
}

// states are the values that a timeline or a stat shows.
func (p *panel) states(all ...stateWords) *panel {
	shownAs := map[string]dashboard.ValueMappingResult{}
	for i, s := range all {
		shownAs[fmt.Sprint(s.value)] = shown(s.text, s.color, int32(i))
	}
	p.FieldConfig.Defaults.Mappings = []dashboard.ValueMapping{values(shownAs)}
	return p
}

// nodeTitle names a node by its place in the tree.
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
