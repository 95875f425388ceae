package dashboards_test

import (
	"bytes"
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/storage"

	"github.com/upheld-sla/upheld/dashboards"
	"github.com/upheld-sla/upheld/sla"
)

// recorded is what a server holds for the shop after two hours: the two levels
// of the checkout are well, the storefront has had an outage and its page
// fires.
const recorded = `load 1m
  sla:service:state{sla="shop",service="storefront",slo="availability"}                      5x120
  sla:target:ratio{sla="shop",service="storefront",slo="availability"}                       0.999x120
  sla:objective:ratio{sla="shop",service="storefront",slo="availability"}                    0.999x120
  sla_service_level_info{sla="shop",service="storefront",slo="availability",period="30d",target="99.9",objective="99.9",unit="seconds"} 1x120
  sla:total:rate5m{sla="shop",service="storefront",slo="availability"}                       1x120
  sla:bad:rate5m{sla="shop",service="storefront",slo="availability"}                         0.02x120
  {__name__="sla:error:ratio_rate5m",sla="shop",service="storefront",slo="availability"}     0.02x120
  {__name__="sla:error:ratio_rate30m",sla="shop",service="storefront",slo="availability"}    0.02x120
  {__name__="sla:error:ratio_rate1h",sla="shop",service="storefront",slo="availability"}     0.02x120
  {__name__="sla:error:ratio_rate2h",sla="shop",service="storefront",slo="availability"}     0.01x120
  {__name__="sla:error:ratio_rate6h",sla="shop",service="storefront",slo="availability"}     0.004x120
  {__name__="sla:error:ratio_rate1d",sla="shop",service="storefront",slo="availability"}     0.001x120
  {__name__="sla:error:ratio_rate3d",sla="shop",service="storefront",slo="availability"}     0.0005x120
  sla:error:ratio_period{sla="shop",service="storefront",slo="availability",period="30d"}    0.0009x120
  sla:budget_remaining:ratio_period{sla="shop",service="storefront",slo="availability",period="30d"} 0.1x120
  sla:burn_rate:ratio_period{sla="shop",service="storefront",slo="availability",period="30d"} 0.9x120
  sla:bad:sum_period{sla="shop",service="storefront",slo="availability",period="30d"}        2333x120
  sla:coverage:ratio_period{sla="shop",service="storefront",slo="availability",period="30d"} 1x120
  sla:bad:increase{sla="shop",service="storefront",slo="availability"}                       6x120
  ALERTS{alertname="SLABudgetBurn",sla="shop",service="storefront",slo="availability",severity="page",alertstate="firing"} _x60 1x60
  ALERTS{alertname="SLABudgetBurn",sla="shop",service="storefront",slo="availability",severity="ticket",alertstate="pending"} _x60 1x60
  upheld_probe_results_total{sla="shop",service="storefront",slo="availability",target="https://shop.example/health",location="here",outcome="good",job="upheld-exporter"} 0+3x120
  upheld_probe_results_total{sla="shop",service="storefront",slo="availability",target="https://shop.example/health",location="here",outcome="bad",job="upheld-exporter"} 0+1x120
  upheld_probe_failures_total{sla="shop",service="storefront",slo="availability",target="https://shop.example/health",location="here",reason="status",job="upheld-exporter"} 0+1x120
  upheld_probe_last_outcome_good{sla="shop",service="storefront",slo="availability",target="https://shop.example/health",location="here",job="upheld-exporter"} 0x120
`

const classicHistogram = `  upheld_probe_duration_seconds_bucket{sla="shop",service="storefront",slo="availability",le="0.1"} 0+2x120
  upheld_probe_duration_seconds_bucket{sla="shop",service="storefront",slo="availability",le="1"} 0+4x120
  upheld_probe_duration_seconds_bucket{sla="shop",service="storefront",slo="availability",le="+Inf"} 0+4x120
  upheld_probe_duration_seconds_count{sla="shop",service="storefront",slo="availability"} 0+4x120
  upheld_probe_phase_duration_seconds_sum{sla="shop",service="storefront",slo="availability",phase="connect"} 0+2x120
`

const nativeHistogram = `  upheld_probe_duration_seconds{sla="shop",service="storefront",slo="availability"} {{schema:0 count:4 sum:2 buckets:[2 2]}}+{{schema:0 count:4 sum:2 buckets:[2 2]}}x120
  upheld_probe_phase_duration_seconds{sla="shop",service="storefront",slo="availability",phase="connect"} {{schema:0 count:4 sum:2 buckets:[2 2]}}+{{schema:0 count:4 sum:2 buckets:[2 2]}}x120
`

// more levels that are the same but for their names and values.
const others = `  sla:service:state{sla="shop",service="storefront",slo="response-time"}     0x120
  sla:target:ratio{sla="shop",service="storefront",slo="response-time"}      0.99x120
  sla:objective:ratio{sla="shop",service="storefront",slo="response-time"}   0.99x120
  sla_service_level_info{sla="shop",service="storefront",slo="response-time",period="30d"} 1x120
`

type engine struct {
	*promql.Engine
	storage storage.Queryable
	at      time.Time
}

func load(t *testing.T, series string) engine {
	t.Helper()
	db := promqltest.LoadedStorage(t, series)
	t.Cleanup(func() { db.Close() })
	e := promqltest.NewTestEngine(t, false, 0, promqltest.DefaultMaxSamplesPerQuery)
	return engine{e, db, time.Unix(0, 0).Add(2 * time.Hour)}
}

func (e engine) instant(t *testing.T, expr string) promql.Vector {
	t.Helper()
	q, err := e.NewInstantQuery(context.Background(), e.storage, nil, variables.Replace(expr), e.at)
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	defer q.Close()
	r := q.Exec(context.Background())
	v, err := r.Vector()
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	return append(promql.Vector{}, v...)
}

// over is how many series, and points in all, an expression has over the last hour.
func (e engine) over(t *testing.T, expr string) (series, points int) {
	t.Helper()
	q, err := e.NewRangeQuery(context.Background(), e.storage, nil, variables.Replace(expr), e.at.Add(-time.Hour), e.at, time.Minute)
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	defer q.Close()
	m, err := q.Exec(context.Background()).Matrix()
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	for _, s := range m {
		points += len(s.Floats) + len(s.Histograms)
	}
	return len(m), points
}

// storefront is the shop with its probed level alone, whose series are loaded.
func storefront() *sla.Agreement {
	a := shop()
	a.Levels = a.Levels[:1]
	return a
}

// absent are queries without a value for a level that met its target, is counted by
// time, and has nothing that demands a response time.
var absent = []string{"Achieved over the period B", "Bad so far C", "Bad over time: counted and excluded B", "Within the threshold A"}

func TestEveryPanelShowsData(t *testing.T) {
	for kind, histogram := range map[string]string{"classic": classicHistogram, "native": nativeHistogram} {
		t.Run(kind, func(t *testing.T) {
			e := load(t, recorded+histogram)
			boards := map[string][]byte{}
			made, err := dashboards.Options{}.OfAgreement(storefront())
			if err != nil {
				t.Fatal(err)
			}
			for _, b := range made {
				boards[b.File] = b.JSON
			}
			overview, err := dashboards.Options{}.Overview([]*sla.Agreement{storefront()})
			if err != nil {
				t.Fatal(err)
			}
			boards["overview"] = overview
			for name, text := range boards {
				for _, p := range parse(t, text).everyPanel() {
					for _, q := range p.Targets {
						if slices.Contains(absent, p.Title+" "+q.RefID) {
							continue
						}
						if q.Instant && len(e.instant(t, q.Expr)) == 0 {
							t.Errorf("%s, %s, %s: no data from %s", name, p, q.RefID, q.Expr)
						}
						if series, points := e.over(t, q.Expr); q.Range && (series == 0 || points < 61*series/2) {
							t.Errorf("%s, %s, %s: %d series with %d points from %s", name, p, q.RefID, series, points, q.Expr)
						}
					}
				}
			}
		})
	}
}

// value is the one value of a panel's query.
func (e engine) value(t *testing.T, text []byte, title, ref string) float64 {
	t.Helper()
	for _, p := range parse(t, text).everyPanel() {
		for _, q := range p.Targets {
			if p.Title == title && q.RefID == ref {
				v := e.instant(t, q.Expr)
				if len(p.Targets) > 1 && len(v) == 0 || q.Range && p.Type == "stat" {
					continue
				}
				if len(v) != 1 {
					t.Fatalf("%s, %s has %d values: %v", p, ref, len(v), v)
				}
				return v[0].F
			}
		}
	}
	t.Fatalf("no panel %q with a query %s", title, ref)
	return 0
}

// boardOf is one of an agreement's boards.
func boardOf(t *testing.T, a *sla.Agreement, suffix string) []byte {
	t.Helper()
	boards, err := dashboards.Options{}.OfAgreement(a)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range boards {
		if b.File == a.Name+suffix+".json" {
			return b.JSON
		}
	}
	t.Fatalf("%s has no board %s", a.Name, suffix)
	return nil
}

func TestPanelsShowTheRightFigures(t *testing.T) {
	e := load(t, recorded+classicHistogram+others)
	level, probes := boardOf(t, storefront(), "_level"), boardOf(t, storefront(), "_probes")
	level = bytes.ReplaceAll(level, []byte(`=\"$slo\"`), []byte(`=\"availability\"`))
	overview, err := dashboards.Options{}.Overview([]*sla.Agreement{storefront()})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		dashboard  []byte
		panel, ref string
		want       float64
	}{
		{level, "Achieved over the period", "A", 0.9991},
		{level, "Achieved over the period", "C", 0.999},
		{level, "Bad so far", "A", 2333},
		{level, "Bad so far", "B", 2592}, // 30d × 0.001
		{level, "Budget lasts", "A", 0.1 * 2592 / 0.004},
		{level, "Burn rate", "A", 20}, // 0.02 of bad where 0.001 is allowed
		{level, "Burn rate", "B", 4},
		{level, "Known", "A", 1},
		{level, "Firing", "A", 1},
		{level, "Firing", "B", 0},
		{level, "Error budget remaining", "A", 0.1 - 4.0/30}, // a day at 4x of 30
		{level, "Error budget remaining", "B", 0.1},
		{level, "Burn against the alert tiers", "A", 20 / 14.4},
		{level, "Burn against the alert tiers", "D", 0.5}, // 3d burn at 0.5x, 6h at 4x
		{probes, "Last outcome", "A", 0},
		{probes, "Response time", "A", 0.1},
		{probes, "Failures by reason", "A", 1},
		{probes, "Phases", "A", 0.5},
		{overview, "Service levels", "A", 2},
		{overview, "At risk", "A", 1}, // counted once, though both its budget and a page say so
		{overview, "Budget spent", "A", 0},
		{overview, "Pages firing", "A", 1},
		{overview, "Tickets firing", "A", 0},
		{overview, "Not measured", "A", 1}, // response-time has a target and no data
	} {
		if got := e.value(t, test.dashboard, test.panel, test.ref); math.Abs(got-test.want) > 1e-9 {
			t.Errorf("%s %s shows %v, want %v", test.panel, test.ref, got, test.want)
		}
	}
}

func TestAlertStates(t *testing.T) {
	e := load(t, recorded)
	panels := parse(t, boardOf(t, storefront(), "_level")).everyPanel()
	want := []float64{3, 1} // the page fires, the ticket is pending, and the others are quiet
	found := 0
	for _, p := range panels {
		if p.Title != "Alerts" {
			continue
		}
		found++
		for i, q := range p.Targets {
			state := 0.0
			if i < len(want) {
				state = want[i]
			}
			if v := e.instant(t, q.Expr); len(v) != 1 || v[0].F != state {
				t.Errorf("%s: state %v, want %v", q.RefID, v, state)
			}
		}
	}
	if found != 1 {
		t.Errorf("found %d panels with a query for each of the alerts, want one", found)
	}
}

// Names are quoted so that neither PromQL nor Grafana reads them otherwise.
func TestOddNamesSelectTheirOwnSeries(t *testing.T) {
	a := odd()
	id := a.Levels[0].ID
	a.Levels[0].Alerting = (&sla.ServiceLevel{Period: a.Levels[0].Period}).DefaultAlerting()
	calm := *a.Levels[0]
	calm.ID.SLO, calm.Alerting.Tiers = "calm", nil // so that the other one is named in queries
	a.Levels = append(a.Levels, &calm)
	text := boardOf(t, a, "_level")
	matched := 0
	for _, p := range parse(t, text).everyPanel() {
		for _, q := range p.Targets {
			node, err := parser.NewParser(parser.Options{}).ParseExpr(variables.Replace(q.Expr))
			if err != nil {
				t.Fatalf("%s: %v", p, err)
			}
			for _, selectors := range parser.ExtractSelectors(node) {
				for _, m := range selectors {
					if m.Name == "service" && m.Value != ".+" {
						matched++
						if !m.Matches(id.Service) {
							t.Errorf("%s selects service %s", p, m)
						}
					}
				}
			}
		}
	}
	if matched == 0 {
		t.Error("no expression selects the level's service")
	}
}

func TestOverviewLinksLeadToTheDashboards(t *testing.T) {
	a := odd()
	e := load(t, `load 1m
  sla_service_level_info{sla="`+a.Name+`",service="a",slo="b",period="30d"} 1x120
  sla_service_level_info{sla="shop",service="a",slo="b",period="30d"} 1x120
`)
	overview, err := dashboards.Options{}.Overview([]*sla.Agreement{a, shop()})
	if err != nil {
		t.Fatal(err)
	}
	links := 0
	for _, p := range parse(t, overview).everyPanel() {
		if p.Type != "table" {
			continue
		}
		for _, s := range e.instant(t, p.Targets[0].Expr) {
			links++
			if got, want := s.Metric.Get("dashboard"), dashboards.LevelUID(s.Metric.Get("sla")); got != want {
				t.Errorf("%s leads to %q, its dashboard is %q", s.Metric.Get("sla"), got, want)
			}
		}
	}
	if links != 2 {
		t.Errorf("%d lines lead somewhere, want 2", links)
	}
}
