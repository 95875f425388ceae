package dashboards_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/upheld-sla/upheld/dashboards"
	"github.com/upheld-sla/upheld/internal/golden"
	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

const day = 24 * time.Hour

func level(id sla.ID, target string, indicator sla.Indicator) *sla.ServiceLevel {
	period := sla.Period{Rolling: 30 * day}
	return &sla.ServiceLevel{
		ID: id, Indicator: indicator, Aggregation: indicator.Aggregations()[0],
		Target: sla.MustDecimal(target), Objective: sla.MustDecimal(target),
		Period: period, Alerting: (&sla.ServiceLevel{Period: period}).DefaultAlerting(),
	}
}

// shop has a level of each kind.
func shop() *sla.Agreement {
	probe := &sla.Probe{Check: &sla.HTTPCheck{URL: "https://shop.example/health"}, Interval: 15 * time.Second, Timeout: 5 * time.Second}
	availability := sla.ID{SLA: "shop", Service: "storefront", SLO: "availability"}
	strict := level(sla.ID{SLA: "shop", Service: "checkout", SLO: "errors"}, "99.9", &sla.Events{
		Bad: sla.Query{Text: `http_requests_total{code=~"5.."}`}, Total: sla.Query{Text: "http_requests_total"},
	})
	strict.Objective = sla.MustDecimal("99.95")
	return &sla.Agreement{Name: "shop", Description: "The shop, as its customers meet it", Levels: []*sla.ServiceLevel{
		level(availability, "99.9", probe),
		level(sla.ID{SLA: "shop", Service: "storefront", SLO: "response-time"}, "99",
			&sla.ProbeLatency{Of: availability, Threshold: 500 * time.Millisecond, Probe: probe}),
		strict,
		level(sla.ID{SLA: "shop", Service: "checkout", SLO: "latency"}, "99.5",
			&sla.HistogramLatency{Histogram: sla.Query{Text: "http_request_duration_seconds"}, Threshold: 300 * time.Millisecond}),
	}}
}

// odd has names, a severity and a target that test quoting and limits.
func odd() *sla.Agreement {
	name := strings.Repeat("very-long-name-of-an-agreement-", 2)
	l := level(sla.ID{SLA: name, Service: `$service "x"\`, SLO: "{{slo}}"}, "99.9999", &sla.Probe{Check: &sla.TCPCheck{Address: "db.example:5432"}})
	l.Period.Rolling = 7 * day
	l.Alerting.Tiers = nil
	return &sla.Agreement{Name: name, Levels: []*sla.ServiceLevel{l}}
}

// made is every dashboard that the tests look at, made once for all of them.
func made(t *testing.T) map[string][]byte {
	t.Helper()
	all, err := madeOnce()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var madeOnce = sync.OnceValues(makeAll)

func makeAll() (map[string][]byte, error) {
	specs, findings := spec.Load("../examples")
	if err := findings.Err(); err != nil {
		return nil, err
	}
	all := map[string][]byte{}
	add := func(name string, content []byte) {
		for all[name] != nil {
			name += "'" // an example may be named like one made here
		}
		all[name] = content
	}
	o := dashboards.Options{PagesURL: "https://upheld.example/"}
	for name, agreements := range map[string][]*sla.Agreement{
		"overview": {shop(), odd()}, "overview of the examples": specs, "overview of nothing": nil,
	} {
		content, err := o.Overview(agreements)
		if err != nil {
			return nil, err
		}
		add(name, content)
	}
	content, err := o.Exporter()
	if err != nil {
		return nil, err
	}
	add("exporters", content)
	for _, a := range append(specs, shop(), odd(), huge(101), &sla.Agreement{Name: "empty"}) {
		boards, err := o.OfAgreement(a)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a.Name, err)
		}
		for _, b := range boards {
			add(b.File, b.JSON)
		}
	}
	return all, nil
}

// examples are the repository's own specifications.
func examples(t *testing.T) []*sla.Agreement {
	t.Helper()
	agreements, findings := spec.Load("../examples")
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	return agreements
}

// The dashboards of two examples are recorded; the others are only looked into,
// for a golden file of each would be long and say the same again.
func TestGolden(t *testing.T) {
	agreements, findings := spec.Load("../examples/shop.yaml", "../examples/smallest.yaml")
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	overview, err := dashboards.Options{}.Overview(agreements)
	if err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "testdata/overview.json", overview)
	for _, a := range agreements {
		boards, err := dashboards.Options{}.OfAgreement(a)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range boards {
			golden.Equal(t, "testdata/agreement-"+b.File, b.JSON)
		}
	}
}

func TestEqualInputGivesEqualBytes(t *testing.T) {
	first := made(t)
	again, err := makeAll()
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range again {
		if !bytes.Equal(first[name], content) {
			t.Errorf("%s: two runs differ", name)
		}
	}
}

func TestStrictRoundTrip(t *testing.T) {
	plugins.RegisterDefaultPlugins()
	for name, text := range made(t) {
		text = withoutAnnotations(t, text)
		var d dashboard.Dashboard
		if err := d.UnmarshalJSONStrict(text); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := d.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		again, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		// The SDK reads an open row's empty list of panels as none.
		again = bytes.ReplaceAll(again, []byte(`"panels":null`), []byte(`"panels":[]`))
		if diff := cmp.Diff(generic(t, text), generic(t, again)); diff != "" {
			t.Errorf("%s: reading and printing it again changes it (-written +again):\n%s", name, diff)
		}
	}
}

// withoutAnnotations leaves out what the SDK's type cannot hold.
func withoutAnnotations(t *testing.T, text []byte) []byte {
	t.Helper()
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	fields["annotations"] = []byte("{}")
	rest, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return rest
}

func generic(t *testing.T, text []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestUIDs(t *testing.T) {
	legal := regexp.MustCompile(`^[a-zA-Z0-9_-]{1,40}$`)
	seen := map[string]string{dashboards.OverviewUID: "the overview"}
	for _, name := range []string{"shop", "overview", strings.Repeat("a", 33), strings.Repeat("a", 34), strings.Repeat("a", 63), strings.Repeat("a", 62) + "b"} {
		uid := dashboards.UID(name)
		if !legal.MatchString(uid) {
			t.Errorf("uid %q of %q is not legal", uid, name)
		}
		if other, ok := seen[uid]; ok {
			t.Errorf("%q and %s have the same uid %q", name, other, uid)
		}
		seen[uid] = name
	}
	if dashboards.UID("shop") != "upheld-shop" {
		t.Errorf("uid of shop is %q: links that people saved would break", dashboards.UID("shop"))
	}
}

// A Grafana that is provisioned with a folder writes no board of it if two have the same title.
func TestTitlesDiffer(t *testing.T) {
	var all []*sla.Agreement
	for _, name := range []string{"shop", "overview", "exporters"} {
		a := shop()
		a.Name = name
		all = append(all, a)
	}
	overview, err := dashboards.Options{}.Overview(all)
	if err != nil {
		t.Fatal(err)
	}
	exporter, err := dashboards.Options{}.Exporter()
	if err != nil {
		t.Fatal(err)
	}
	texts := [][]byte{overview, exporter}
	for _, a := range all {
		boards, err := dashboards.Options{}.OfAgreement(a)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range boards {
			texts = append(texts, b.JSON)
		}
	}
	seen := map[string]bool{}
	for _, text := range texts {
		of := parse(t, text).Title
		if of == "" || seen[of] {
			t.Errorf("two boards are called %q", of)
		}
		seen[of] = true
	}
}

func TestDescriptionsHaveTheMarker(t *testing.T) {
	for name, text := range made(t) {
		var d dashboard.Dashboard
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatal(err)
		}
		if d.Description == nil || !strings.HasPrefix(*d.Description, rulegen.Marker+" from ") {
			t.Errorf("%s: its description does not say who made it", name)
		}
	}
}

func TestPanelIDsSurviveOtherLevels(t *testing.T) {
	ids := func(a *sla.Agreement) map[string]uint32 {
		found := map[string]uint32{}
		boards, err := dashboards.Options{}.OfAgreement(a)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range boards {
			for _, p := range parse(t, b.JSON).everyPanel() {
				found[b.File+"/"+p.Title] = p.ID
			}
		}
		return found
	}
	all, fewer := shop(), shop()
	fewer.Levels = []*sla.ServiceLevel{fewer.Levels[2], fewer.Levels[0]}
	whole := ids(all)
	for name, id := range ids(fewer) {
		if whole[name] != id {
			t.Errorf("panel %q has id %d, and %d beside more levels", name, id, whole[name])
		}
	}
}

func TestNoUserQueryIsAsked(t *testing.T) {
	boards, err := dashboards.Options{}.OfAgreement(shop())
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range boards {
		for _, raw := range []string{"http_requests_total", "http_request_duration_seconds"} {
			if bytes.Contains(b.JSON, []byte(raw)) {
				t.Errorf("%s asks for the user's %s", b.File, raw)
			}
		}
	}
}

// variables of Grafana, and a value for each to check expressions with.
var variables = strings.NewReplacer("$__rate_interval", "5m", "$__range", "1h", "$__interval", "1m",
	`="$service"`, `=~".+"`, `="$slo"`, `=~".+"`, `="$period"`, `=~".+"`, "$service", ".+", "$slo", ".+", "$sla", ".+", "$period", ".+", "$instance", ".+")

func TestExpressionsAskOnlyForOurSeries(t *testing.T) {
	for name, text := range made(t) {
		for _, p := range parse(t, text).everyPanel() {
			for _, q := range p.Targets {
				node, err := parser.NewParser(parser.Options{}).ParseExpr(variables.Replace(q.Expr))
				if err != nil {
					t.Errorf("%s, panel %q, %s: %v\n%s", name, p.Title, q.RefID, err, q.Expr)
					continue
				}
				parser.Inspect(node, func(n parser.Node, _ []parser.Node) error {
					if v, ok := n.(*parser.VectorSelector); ok && !ours(v.Name) {
						t.Errorf("%s, panel %q, %s asks for %s, which nobody records", name, p.Title, q.RefID, v.Name)
					}
					return nil
				})
			}
		}
	}
}

func TestVariablesAskOnlyForOurSeries(t *testing.T) {
	values := regexp.MustCompile(`^label_values\((.+), (\w+)\)$`)
	for name, text := range made(t) {
		for _, v := range parse(t, text).Templating.List {
			if v.Type == "datasource" {
				continue
			}
			m := values.FindStringSubmatch(v.Query)
			if m == nil {
				t.Errorf("%s: variable %s asks %q", name, v.Name, v.Query)
				continue
			}
			node, err := parser.NewParser(parser.Options{}).ParseExpr(variables.Replace(m[1]))
			if err != nil {
				t.Errorf("%s: variable %s: %v", name, v.Name, err)
			} else if s, ok := node.(*parser.VectorSelector); !ok || !ours(s.Name) || m[2] != v.Name {
				t.Errorf("%s: variable %s asks %q", name, v.Name, v.Query)
			}
		}
	}
}

func ours(metric string) bool {
	known := []string{
		"ALERTS", metricnames.ExclusionMask, metricnames.ProbeResults, metricnames.ProbeScheduled, metricnames.ProbeFailures, metricnames.ProbeDuration,
		metricnames.ProbeDuration + "_bucket", metricnames.ProbePhase, metricnames.ProbeWithin, metricnames.ProbeLastState,
		metricnames.TotalRate, metricnames.BadRate, metricnames.BadPeriod, metricnames.CoveragePeriod, metricnames.ErrorPeriod,
		metricnames.BudgetRemaining, metricnames.BurnRate, metricnames.TargetRatio, metricnames.ObjectiveRatio, metricnames.LevelInfo,
		metricnames.RollupWorst, metricnames.RollupLevels, metricnames.RollupAtRisk, metricnames.RollupLevelBudget, metricnames.RollupLevelWeight,
		metricnames.NodeBad, metricnames.BlameTally.Increase, metricnames.BlameBudget, metricnames.Divergence + "1h",
		metricnames.TallyOf("raw_bad", "").Sum, metricnames.TallyOf("excluded_bad", "").Sum, metricnames.TallyOf("excluded_bad", "").Increase,
		metricnames.BadIncrease, metricnames.AgreedPeriod, metricnames.CapUsed, metricnames.CreditPercent, metricnames.CreditMinutes,
		metricnames.BurnRate, metricnames.ErrorPrevious, metricnames.BadPrevious, metricnames.CreditPrevious, metricnames.CalendarStart, metricnames.CalendarEnd,
		metricnames.ComponentBad, metricnames.EndToEndBad, metricnames.OutageEnded, metricnames.ProbePhase + "_sum", metricnames.ProbeDuration + "_count",
		metricnames.ExporterBuildInfo, metricnames.ExporterReloadOK, metricnames.ExporterReloadTime, metricnames.ExporterVantage,
		metricnames.ExporterInFlight, metricnames.ExporterConcurrency, metricnames.ExporterLag, metricnames.ExporterLag + "_bucket",
		metricnames.ExporterReadLate, metricnames.ExporterTargets, metricnames.ExporterDiscoveryOK, metricnames.ExporterDiscovered,
		metricnames.ExporterLeftOut, metricnames.ExporterRequestInFlight, metricnames.ExporterRequestRejected,
		metricnames.OutageAge, metricnames.OutageCount, metricnames.OutageLongest, metricnames.OutageMean, metricnames.RecoveryAge,
		metricnames.ServiceState,
	}
	return slices.Contains(known, metric) || strings.HasPrefix(metric, metricnames.ErrorRatio) // tiers may have windows of their own
}

// huge is an agreement with too many levels for a row each.
func huge(levels int) *sla.Agreement {
	a := &sla.Agreement{Name: "huge"}
	for i := range levels {
		l := *shop().Levels[0]
		l.ID = sla.ID{SLA: "huge", Service: fmt.Sprintf("svc-%05d", i), SLO: "availability"}
		a.Levels = append(a.Levels, &l)
	}
	return a
}

// Boards do not grow with the number of levels: those of one level share its panels.
func TestManyLevelsShareTheirPanels(t *testing.T) {
	few, err := dashboards.Options{}.OfAgreement(huge(101))
	if err != nil {
		t.Fatal(err)
	}
	many, err := dashboards.Options{}.OfAgreement(huge(3000))
	if err != nil {
		t.Fatal(err)
	}
	for i, b := range many {
		if len(b.JSON) > 100_000 || !bytes.Equal(few[i].JSON, b.JSON) {
			t.Errorf("%s: %d bytes for 3000 levels, %d for 101", b.File, len(b.JSON), len(few[i].JSON))
		}
	}
}
