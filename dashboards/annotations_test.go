package dashboards_test

import (
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
)

// A range of time that is marked comes of our series too. Every board of an agreement
// marks pages and tickets, those of one level revisions, and those with exclusions when
// they were open.
func TestAnnotationsAskOnlyForOurSeries(t *testing.T) {
	marked := map[string]int{}
	for name, text := range made(t) {
		for _, a := range parse(t, text).Annotations.List {
			marked[a.Name]++
			if a.Datasource == nil || a.Datasource.UID != "${datasource}" {
				t.Errorf("%s, annotation %q does not ask the chosen server: %v", name, a.Name, a.Datasource)
			}
			for _, state := range []string{"ALERTS", "sla:service:state", "sla:exclusion"} {
				if strings.Contains(atTheStep(a.Expr), state) {
					t.Errorf("%s, annotation %q reads %s at the step only, and marks nothing that is shorter: %s", name, a.Name, state, a.Expr)
				}
			}
			node, err := parser.NewParser(parser.Options{}).ParseExpr(variables.Replace(a.Expr))
			if err != nil {
				t.Errorf("%s, annotation %q: %v\n%s", name, a.Name, err, a.Expr)
				continue
			}
			asked := 0
			parser.Inspect(node, func(n parser.Node, _ []parser.Node) error {
				if v, ok := n.(*parser.VectorSelector); ok {
					asked++
					if !ours(v.Name) {
						t.Errorf("%s, annotation %q asks for %s, which nobody records", name, a.Name, v.Name)
					}
				}
				return nil
			})
			if asked == 0 {
				t.Errorf("%s, annotation %q asks for no series: %s", name, a.Name, a.Expr)
			}
		}
	}
	for _, name := range []string{"Pages", "Tickets", "Revisions", "Maintenance and exclusions"} {
		if marked[name] == 0 {
			t.Errorf("no board has the annotation %q: %v", name, marked)
		}
	}
}
