package dashboards_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/upheld-sla/upheld/dashboards"
	"github.com/upheld-sla/upheld/sla"
)

// tenants is an agreement whose level is grouped, one tenant with a target of
// its own, beside a level that is not.
func tenants() *sla.Agreement {
	a := shop()
	grouped := level(sla.ID{SLA: "shop", Service: "api", SLO: "requests"}, "99", &sla.Events{
		Bad: sla.Query{Text: "errors_total"}, Total: sla.Query{Text: "requests_total"},
	})
	grouped.GroupBy = sla.GroupBy{Labels: []string{"tenant"}, Limit: 50, Targets: []sla.GroupTarget{
		{Match: map[string]string{"tenant": "acme"}, Target: sla.MustDecimal("99.9"), Objective: sla.MustDecimal("99.9")},
	}}
	a.Levels = []*sla.ServiceLevel{grouped, a.Levels[0]}
	return a
}

// tenantSeries are series that rules record for three tenants: one that burns its
// strict target, one whose name has quotes, and one without a label.
func tenantSeries() string {
	var b strings.Builder
	b.WriteString("load 1m\n")
	b.WriteString(`  sla_service_level_info{sla="shop",service="api",slo="requests",period="30d"} 1x120` + "\n")
	for tenant, v := range map[string]struct{ objective, bad, budget float64 }{
		"acme": {0.999, 0.01, 0.2}, `o\"neil`: {0.99, 0.02, 0.5}, "": {0.99, 0, 1},
	} {
		id := `sla="shop",service="api",slo="requests"`
		if tenant != "" {
			id += `,tenant="` + tenant + `"`
		}
		line := func(name, more string, value float64) {
			fmt.Fprintf(&b, "  {__name__=%q,%s%s} %vx120\n", name, id, more, value)
		}
		line("sla:service:state", "", float64(sla.StateUp.Code()))
		line("sla:target:ratio", "", v.objective)
		line("sla:objective:ratio", "", v.objective)
		line("sla:total:rate5m", "", 10)
		line("sla:bad:rate5m", "", 10*v.bad)
		for _, w := range []string{"5m", "30m", "1h", "2h", "6h", "1d", "3d"} {
			line("sla:error:ratio_rate"+w, "", v.bad)
		}
		line("sla:error:ratio_period", `,period="30d"`, v.bad)
		line("sla:budget_remaining:ratio_period", `,period="30d"`, v.budget)
	}
	b.WriteString(`  ALERTS{alertname="SLABudgetBurn",sla="shop",service="api",slo="requests",tenant="acme",severity="page",alertstate="firing"} 1x120` + "\n")
	return b.String()
}

// Every panel of a grouped level has a line for each group, of its own figures.
func TestGroupsHaveLines(t *testing.T) {
	e := load(t, tenantSeries())
	text := boardOf(t, tenants(), "_level")
	asked := 0
	for _, p := range parse(t, text).everyPanel() {
		for _, q := range p.Targets {
			if !strings.Contains(q.Expr, "$tenant") || q.Format != "table" && !strings.Contains(q.Legend, "{{tenant}}") || p.Title == "Error budget remaining" && q.RefID == "B" {
				continue // of the level as a whole, or of what only the third tenant has
			}
			asked++
			expr := strings.ReplaceAll(q.Expr, "$tenant", ".*")
			if v := e.instant(t, expr); len(v) != 3 {
				t.Errorf("%s, %s: %d lines, want 3, from %s", p, q.RefID, len(v), q.Expr)
			}
			if v := e.instant(t, strings.ReplaceAll(q.Expr, "$tenant", `(o\"neil)`)); len(v) > 1 {
				t.Errorf("%s, %s: %d lines of one tenant", p, q.RefID, len(v))
			}
			if q.Range {
				if series, points := e.over(t, expr); series != 3 || points != 3*61 {
					t.Errorf("%s, %s: %d series with %d points", p, q.RefID, series, points)
				}
			}
		}
	}
	if asked < 12 {
		t.Errorf("only %d queries ask for chosen tenants", asked)
	}
}

func TestGroupFigures(t *testing.T) {
	e := load(t, tenantSeries())
	text, summary := boardOf(t, tenants(), "_level"), boardOf(t, tenants(), "")
	overview, err := dashboards.Options{}.Overview([]*sla.Agreement{tenants()})
	if err != nil {
		t.Fatal(err)
	}
	table := func(text []byte, title, ref, tenant string) float64 {
		t.Helper()
		for _, p := range parse(t, text).everyPanel() {
			for _, q := range p.Targets {
				if p.Title != title || q.RefID != ref {
					continue
				}
				for _, s := range e.instant(t, strings.ReplaceAll(q.Expr, "$tenant", ".*")) {
					if s.Metric.Get("tenant") == tenant {
						return s.F
					}
				}
			}
		}
		t.Fatalf("no panel %q with a query %s that has tenant %q", title, ref, tenant)
		return 0
	}
	const groups, levels = "By tenant, the worst first", "Service levels, the worst first"
	for _, test := range []struct {
		text               []byte
		title, ref, tenant string
		want               float64
	}{
		{text, groups, "A", "acme", 0.999},
		{text, groups, "B", `o"neil`, 0.98},
		{text, groups, "C", "acme", 0.2},
		{text, groups, "D", "acme", 10}, // 1 % of what may be 0.1 %
		{text, groups, "E", `o"neil`, 2},
		{text, groups, "F", "acme", 1},
		{text, groups, "F", "", 0},
		{summary, levels, "E", "", 0.2}, // the least budget of any
		{summary, levels, "F", "", 10},  // the fastest burn of any, by its own objective
		{overview, levels, "F", "", 10},
		{overview, levels, "D", "", 0.98},
	} {
		if got := table(test.text, test.title, test.ref, test.tenant); math.Abs(got-test.want) > 1e-9 {
			t.Errorf("%s %s of %q is %v, want %v", test.title, test.ref, test.tenant, got, test.want)
		}
	}
}

// There is a variable for each group label, whose values Prometheus has, and
// "all" of it are also the groups without the label.
func TestGroupVariables(t *testing.T) {
	a := tenants()
	a.Levels[1].GroupBy.Labels = []string{"location", "tenant"}
	text := boardOf(t, a, "_level")
	var names []string
	for _, v := range parse(t, text).Templating.List {
		names = append(names, v.Name)
		if v.Name != "tenant" {
			continue
		}
		if want := `label_values(sla:target:ratio{sla="shop"}, tenant)`; v.Query != want {
			t.Errorf("tenant asks %s, want %s", v.Query, want)
		}
	}
	if got := strings.Join(names, " "); got != "datasource service slo period location tenant" {
		t.Errorf("variables %s", got)
	}
	for _, p := range parse(t, text).everyPanel() {
		for _, q := range p.Targets {
			if _, err := parser.NewParser(parser.Options{}).ParseExpr(variables.Replace(q.Expr)); err != nil {
				t.Errorf("%s: %v", p, err)
			}
		}
	}
	if !strings.Contains(string(text), `"allValue": ".*"`) {
		t.Error("no variable's all has those without the label")
	}
}
