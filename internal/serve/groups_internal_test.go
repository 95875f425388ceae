package serve

import (
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"

	"github.com/upheld-sla/upheld/internal/web"
	"github.com/upheld-sla/upheld/sla"
)

// Each group of a level has the samples with its labels and is compared with its own
// target share. The worst comes first.
func TestStatusOfGroups(t *testing.T) {
	period := sla.Period{Rolling: 30 * 24 * time.Hour}
	l := &sla.ServiceLevel{
		ID: sla.ID{SLA: "shop", Service: "api", SLO: "requests"}, Aggregation: sla.RequestRatio,
		Indicator: &sla.Events{Bad: sla.Query{Text: "a"}, Total: sla.Query{Text: "b"}},
		Target:    sla.MustDecimal("99"), Objective: sla.MustDecimal("99"), Period: period,
		GroupBy: sla.GroupBy{Labels: []string{"region", "tenant"}, Targets: []sla.GroupTarget{
			{Match: map[string]string{"tenant": "acme"}, Target: sla.MustDecimal("99.9"), Objective: sla.MustDecimal("99.95")},
		}},
	}
	var samples []promql.Sample
	add := func(name, region, tenant, period string, value float64) {
		samples = append(samples, promql.Sample{F: value, Metric: labels.FromStrings("__name__", name,
			"sla", "shop", "service", "api", "slo", "requests", "region", region, "tenant", tenant, "period", period)})
	}
	for _, g := range []struct {
		region, tenant    string
		bad, budget, last float64
	}{{"eu", "acme", 0.0006, 0.4, 0.0006}, {"us", "", 0.004, 0.6, 0.02}, {"eu", `o"neil`, 0, 1, -1}} {
		add("sla:error:ratio_period", g.region, g.tenant, "30d", g.bad)
		add("sla:budget_remaining:ratio_period", g.region, g.tenant, "30d", g.budget)
		if g.last >= 0 {
			add("sla:error:ratio_rate5m", g.region, g.tenant, "", g.last)
		}
	}
	status := statusOf(l, samples, nil, nil)
	want := []struct {
		name, target string
		state        sla.State
		achieved     float64
	}{
		{"region eu, tenant acme", "99.9", sla.StateDegraded, 0.9994}, // 0.06 % is over the 0.05 % of its own objective
		{"region us, tenant (none)", "99", sla.StateDegraded, 0.996},
		{`region eu, tenant o"neil`, "99", sla.StateUnknown, 1},
	}
	if len(status.Groups) != len(want) || status.State != sla.StateDegraded {
		t.Fatalf("%d groups, state %v", len(status.Groups), status.State)
	}
	for i, w := range want {
		g := status.Groups[i]
		if g.Name != w.name || g.Level.Target.String() != w.target || g.State != w.state || g.Achieved != web.Known(w.achieved) {
			t.Errorf("group %d is %s, target %s, state %v, achieved %v; want %+v", i, g.Name, g.Level.Target, g.State, g.Achieved, w)
		}
	}
	if l.Target.String() != "99" {
		t.Error("the level's own target was changed")
	}
}

func TestWorseHistory(t *testing.T) {
	point := func(f web.Figure) web.Point { return web.Point{Good: f} }
	got := worse([]web.Point{point(web.Known(0.9)), point(web.Figure{}), point(web.Known(1))},
		[]web.Point{point(web.Known(1)), point(web.Known(0.5)), point(web.Known(0.7))})
	for i, want := range []float64{0.9, 0.5, 0.7} {
		if got[i].Good != web.Known(want) {
			t.Errorf("step %d is %v, want %v", i, got[i].Good, want)
		}
	}
}
