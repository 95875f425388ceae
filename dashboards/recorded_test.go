package dashboards_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/upheld-sla/upheld/dashboards"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// Every recorded series that a dashboard names with a level's own labels is one
// that the rules of that level record.
func TestRulesRecordWhatDashboardsAskFor(t *testing.T) {
	all := examples(t)
	checkout := all[slices.IndexFunc(all, func(a *sla.Agreement) bool { return a.Name == "checkout" })]
	for _, a := range []*sla.Agreement{shop(), checkout} {
		t.Run(a.Name, func(t *testing.T) { rulesRecordWhatIsAskedFor(t, a) })
	}
}

func rulesRecordWhatIsAskedFor(t *testing.T, a *sla.Agreement) {
	plan, findings := rulegen.Compile(a, rulegen.Options{})
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	var made []labels.Labels
	for _, l := range plan.Levels {
		for _, g := range l.Groups {
			for _, r := range g.Rules {
				name := r.Record
				lb := labels.NewBuilder(labels.FromMap(r.Labels))
				if r.Alert != "" {
					name = "ALERTS"
					lb.Set("alertname", r.Alert)
				}
				made = append(made, lb.Set("__name__", name).Labels())
			}
		}
	}
	boards, err := dashboards.Options{}.OfAgreement(a)
	if err != nil {
		t.Fatal(err)
	}
	var panels []modelPanel
	for _, b := range boards {
		panels = append(panels, parse(t, b.JSON).everyPanel()...)
	}
	asked := 0
	for _, p := range panels {
		for _, q := range p.Targets {
			node, err := parser.NewParser(parser.Options{}).ParseExpr(variables.Replace(q.Expr))
			if err != nil {
				t.Fatal(err)
			}
			for _, matchers := range parser.ExtractSelectors(node) {
				if name := metricName(matchers); strings.HasPrefix(name, "upheld_") {
					continue
				}
				asked++
				if !slices.ContainsFunc(made, func(l labels.Labels) bool { return matchesAll(matchers, l) }) {
					t.Errorf("%s asks for %v, which no rule records", p, matchers)
				}
			}
		}
	}
	if asked < 50 {
		t.Errorf("only %d selectors were looked at", asked)
	}
}

func metricName(matchers []*labels.Matcher) string {
	for _, m := range matchers {
		if m.Name == "__name__" {
			return m.Value
		}
	}
	return ""
}

// matchesAll compares with the labels that rules add; which alerts fire, and who is to
// blame how, is only in what they record.
func matchesAll(matchers []*labels.Matcher, l labels.Labels) bool {
	for _, m := range matchers {
		if m.Name != "alertstate" && m.Name != "how" && !m.Matches(l.Get(m.Name)) {
			return false
		}
	}
	return true
}
