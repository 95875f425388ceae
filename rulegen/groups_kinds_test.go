package rulegen_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/histogram"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/testsize"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// groupedCase is a level that can be grouped: the indicator with a condition on
// the label put in (with a comma, or nothing), and how it is counted.
type groupedCase struct {
	name        string
	label       string
	indicator   func(matcher string) sla.Indicator
	aggregation sla.Aggregation
	slots       sla.Slots
}

func query(format, matcher string) sla.Query {
	return sla.Query{Text: strings.ReplaceAll(format, ",MATCH", matcher)}
}

var minute = sla.Slots{Width: time.Minute, ErrorThreshold: sla.MustDecimal("5"), MinRun: 3 * time.Minute, MinRequests: 30}

func groupedCases() []groupedCase {
	counted := func(m string) sla.Indicator {
		return &sla.Events{Bad: query(`requests_total{code=~"5..",MATCH}`, m), Total: query(`requests_total{code=~".+",MATCH}`, m)}
	}
	good := func(m string) sla.Indicator {
		return &sla.Events{Good: query(`requests_total{code="200",MATCH}`, m), Total: query(`requests_total{code="200",MATCH} + requests_total{code="500",MATCH}`, m)}
	}
	classic := func(m string) sla.Indicator {
		return &sla.HistogramLatency{Histogram: query(`h_seconds{job="api",MATCH}`, m), Threshold: 300 * time.Millisecond}
	}
	native := func(m string) sla.Indicator {
		return &sla.NativeLatency{Histogram: query(`n_seconds{job="api",MATCH}`, m), Threshold: 300 * time.Millisecond}
	}
	condition := func(m string) sla.Indicator {
		return &sla.Condition{Expr: query(`age_seconds{job="api",MATCH} < 60 and sum by (tenant) (workers{job="api",MATCH}) > 0 or age_seconds{job="api",MATCH} < 5`, m)}
	}
	ratio := func(m string) sla.Indicator { return &sla.Ratio{Bad: query(`mesh:errors:ratio{job="api",MATCH}`, m)} }
	blackbox := func(m string) sla.Indicator {
		return &sla.Blackbox{Success: query(`probe_success{job="api",MATCH}`, m)}
	}
	unknown := minute
	unknown.EmptyUnknown = true
	slot := sla.Slots{Width: 5 * time.Minute, Quantile: sla.MustDecimal("0.9")}
	return []groupedCase{
		{"bad events", "tenant", counted, sla.RequestRatio, sla.Slots{}},
		{"good events", "tenant", good, sla.RequestRatio, sla.Slots{}},
		{"mean of slots", "tenant", counted, sla.MeanSlotErrorRate, slot},
		{"bad minutes", "tenant", good, sla.BadMinute, minute},
		{"bad minutes, else unknown", "tenant", counted, sla.BadMinute, unknown},
		{"runs", "tenant", counted, sla.QualifiedRun, minute},
		{"all failed", "tenant", counted, sla.AllFailedMinute, minute},
		{"classic", "tenant", classic, sla.RequestRatio, sla.Slots{}},
		{"classic slots", "tenant", classic, sla.SlotQuantile, slot},
		{"native", "tenant", native, sla.RequestRatio, sla.Slots{}},
		{"native slots", "tenant", native, sla.SlotQuantile, slot},
		{"condition", "tenant", condition, sla.Time, sla.Slots{}},
		{"condition runs", "tenant", condition, sla.QualifiedRun, minute},
		{"ratio", "tenant", ratio, sla.Time, sla.Slots{}},
		{"ratio minutes", "tenant", ratio, sla.BadMinute, minute},
		{"blackbox", "tenant", blackbox, sla.Time, sla.Slots{}},
	}
}

// kindsFeed is series of every kind of three tenants, each with troubles of its
// own; only those of one tenant if only is not empty.
func kindsFeed(only string) enginetest.Target {
	state := map[string][3]float64{} // good, bad and slow of each
	last := enginetest.Start
	return func(at time.Time) []enginetest.Sample {
		step := at.Sub(last).Seconds()
		last = at
		var samples []enginetest.Sample
		for i, tenant := range []string{"acme", `o"neil`, "late"} {
			s := at.Sub(enginetest.Start).Seconds()
			bad := int(s/60)%(17+5*i) < 4+i // minutes of trouble
			rate := float64(2+3*i) * (1 + 0.5*float64(int(s/300)%3))
			n := state[tenant]
			if bad {
				n[1] += 0.61 * rate * step
				n[0] += 0.39 * rate * step
				n[2] += 0.47 * rate * step
			} else {
				n[0] += rate * step
			}
			state[tenant] = n
			if only != "" && tenant != only || tenant == "late" && s < 1500 || tenant == "late" && s > 4300 {
				continue
			}
			label := fmt.Sprintf(`,tenant=%q`, tenant)
			all := n[0] + n[1]
			age, up := 2.*float64(i+1), 1.
			if bad {
				age, up = 90, 0
			}
			samples = append(samples,
				enginetest.Sample{Series: `requests_total{code="200"` + label + `}`, Value: n[0]},
				enginetest.Sample{Series: `h_seconds_count{job="api"` + label + `}`, Value: all},
				enginetest.Sample{Series: `h_seconds_bucket{job="api",le="0.3"` + label + `}`, Value: all - n[2]},
				enginetest.Sample{Series: `h_seconds_bucket{job="api",le="1"` + label + `}`, Value: all},
				enginetest.Sample{Series: `h_seconds_bucket{job="api",le="+Inf"` + label + `}`, Value: all},
				enginetest.Sample{Series: `n_seconds{job="api"` + label + `}`, Histogram: slowOf(all, n[2])},
				enginetest.Sample{Series: `age_seconds{job="api"` + label + `}`, Value: age},
				enginetest.Sample{Series: `workers{job="api"` + label + `}`, Value: up},
				enginetest.Sample{Series: `mesh:errors:ratio{job="api"` + label + `}`, Value: 0.3 * (1 - up)},
				enginetest.Sample{Series: `probe_success{job="api"` + label + `}`, Value: up})
			if n[1] > 0 {
				samples = append(samples, enginetest.Sample{Series: `requests_total{code="500"` + label + `}`, Value: n[1]})
			}
			for _, location := range []string{"ams", "fra"} {
				for j, outcome := range []string{"good", "bad"} {
					samples = append(samples, enginetest.Sample{Value: n[j], Series: fmt.Sprintf(
						`upheld_probe_results_total{sla="shop",service="api",slo="x",target=%q,location=%q,outcome=%q}`, tenant, location, outcome)})
				}
				samples = append(samples, enginetest.Sample{Value: max(0, n[0]-n[2]), Series: fmt.Sprintf(
					`upheld_probe_within_threshold_total{sla="shop",service="api",slo="x",target=%q,location=%q,threshold="0.5"}`, tenant, location)})
			}
		}
		return samples
	}
}

// slowOf is a native histogram of all requests, slow ones in (0.5, 0.71] seconds.
func slowOf(all, slow float64) *histogram.FloatHistogram {
	return &histogram.FloatHistogram{
		Schema: 1, Count: all, Sum: all,
		PositiveSpans:   []histogram.Span{{Offset: -5, Length: 1}, {Offset: 3, Length: 1}},
		PositiveBuckets: []float64{all - slow, slow},
	}
}

// ordinary is a target of which no number of whole minutes meets a threshold
// exactly. There the last bit of a sum would decide, and it differs between a
// threshold that the rules have as a number and one that they read by group.
const ordinary = "98.03"

// A group is what a level of its own would be that selects its series alone:
// every recorded value and every alert, of every kind of indicator and every
// aggregation, over a rolling and over a calendar period, with a target of its own.
func TestAGroupIsLikeALevelOfItsOwn(t *testing.T) {
	t.Parallel()
	// In a short run some indicators and aggregations, each once.
	sampled := []string{"mean of slots", "condition runs", "probe by quorum"}
	cases := append(groupedCases(), probeCases()...)
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if !slices.Contains(sampled, c.name) {
				testsize.Skip(t, "groups of this indicator with this aggregation")
			}
			period := sla.Period{Rolling: 30 * 24 * time.Hour}
			if i%3 == 0 {
				period = sla.Period{Calendar: sla.Month, Zone: "Europe/Berlin"}
			}
			levelOf := func(matcher, target string) *sla.ServiceLevel {
				l := level("x", target, c.indicator(matcher))
				l.Aggregation, l.Slots, l.Period = c.aggregation, c.slots, period
				l.Alerting = (&sla.ServiceLevel{Period: period}).DefaultAlerting()
				if l.CountsOwnEvents() {
					l.Alerting.MinimumBadEvents = sla.DefaultMinimumBadEvents
				}
				return l
			}
			grouped := levelOf("", ordinary)
			grouped.GroupBy = sla.GroupBy{Labels: []string{c.label}, Limit: 50, Targets: []sla.GroupTarget{
				{Match: map[string]string{c.label: `o"neil`}, Target: sla.MustDecimal("90"), Objective: sla.MustDecimal("95.1")},
			}}
			together := runKinds(t, grouped, "")
			compared := 0
			for _, tenant := range testsize.Of([]string{`o"neil`}, []string{"acme", `o"neil`, "late"}) {
				single := levelOf(fmt.Sprintf(`,%s=%q`, c.label, tenant), ordinary)
				if tenant == `o"neil` {
					single.Target, single.Objective = sla.MustDecimal("90"), sla.MustDecimal("95.1")
				}
				alone := runKinds(t, single, tenant)
				compared += compareGroup(t, c.label, tenant, together, alone)
			}
			if compared < testsize.Of(20, 50) {
				t.Errorf("only %d values were compared", compared)
			}
		})
	}
}

func runKinds(t *testing.T, l *sla.ServiceLevel, only string) *enginetest.World {
	t.Helper()
	w := enginetest.New(t, 15*time.Second, kindsFeed(only))
	w.Load(generate(t, rulegen.Options{}, l))
	w.Run(100 * time.Minute)
	if nans := w.NaNs(2 * time.Hour); len(nans) > 0 {
		t.Errorf("NaN in %v", nans)
	}
	return w
}

// compareGroup holds the series and alerts of a group to those of its own level.
func compareGroup(t *testing.T, label, tenant string, together, alone *enginetest.World) (compared int) {
	t.Helper()
	want := map[string]float64{}
	for _, s := range alone.Query(`{__name__=~"sla:.+",slo="x"}`) {
		want[s.Metric.Get("__name__")+s.Metric.Get("start")] = s.F
	}
	got := map[string]float64{}
	for _, s := range together.Query(fmt.Sprintf(`{__name__=~"sla:.+",slo="x",%s=%q}`, label, tenant)) {
		got[s.Metric.Get("__name__")+s.Metric.Get("start")] = s.F
	}
	delete(got, metricnames.GroupSeen)
	delete(want, metricnames.CountedMark) // it is about the server, so the level has one for all groups
	if want[metricnames.ServiceState] == float64(sla.StateUnknown.Code()) {
		delete(want, metricnames.ServiceState) // a level without data is unknown; a group without data is gone
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		v, ok := got[name]
		if !ok {
			t.Errorf("%s: no %s, alone it is %v", tenant, name, want[name])
			continue
		}
		compared++
		near(t, name+" of "+tenant, v, want[name], 1e-9)
		delete(got, name)
	}
	if len(got) > 0 {
		t.Errorf("%s: alone it has no %v", tenant, got)
	}
	told := func(w *enginetest.World, mine func(enginetest.Transition) bool) []string {
		var lines []string
		for _, tr := range w.Transitions() {
			if mine(tr) && tr.Name != sla.AlertMeasurementLost.Name && tr.Name != sla.AlertBudgetBurn.Name { // which goes on where nothing is measured
				lines = append(lines, fmt.Sprint(tr.At.Sub(enginetest.Start), tr.Name, tr.Labels["tier"], tr.Firing))
			}
		}
		slices.Sort(lines)
		return lines
	}
	a := told(together, func(tr enginetest.Transition) bool { return tr.Labels[label] == tenant })
	b := told(alone, func(enginetest.Transition) bool { return true })
	if diff := cmp.Diff(b, a); diff != "" {
		t.Errorf("%s: alerts differ (-alone +together):\n%s", tenant, diff)
	}
	return compared + len(a)
}

// probeCases group the probes of a level by the label that exporters set.
func probeCases() []groupedCase {
	probe := &sla.Probe{Check: &sla.HTTPCheck{URL: "http://shop.example/"}, Interval: 10 * time.Second, Timeout: 5 * time.Second}
	up := func(string) sla.Indicator { return probe }
	fast := func(string) sla.Indicator {
		return &sla.ProbeLatency{Of: sla.ID{SLA: "shop", Service: "api", SLO: "x"}, Probe: probe, Threshold: 500 * time.Millisecond}
	}
	quorum := sla.Slots{Width: time.Minute, Quorum: 2, ErrorThreshold: sla.MustDecimal("5")}
	return []groupedCase{
		{"probe by time", "target", up, sla.Time, sla.Slots{}},
		{"probe by request", "target", up, sla.RequestRatio, sla.Slots{}},
		{"probe by quorum", "target", up, sla.BadMinute, quorum},
		{"probe minutes", "target", up, sla.AllFailedMinute, minute},
		{"fast probe", "target", fast, sla.Time, sla.Slots{}},
		{"fast probe by quorum", "target", fast, sla.BadMinute, quorum},
	}
}

// At a month's edge every group has its final figures of the month that ended
// and new ones of the one that runs: also a group that left before it, and one
// that came after.
func TestGroupsAtAMonthsEdge(t *testing.T) {
	t.Parallel()
	testsize.Skip(t, "groups when a month turns")
	start := time.Date(2026, 3, 31, 19, 0, 0, 0, time.UTC) // April begins at 22:00 in Berlin
	edge := start.Add(3 * time.Hour)
	rates := map[string]float64{"stays": 5, "leaves": 3, "comes": 7}
	alive := func(tenant string, at time.Time) bool {
		return tenant == "stays" || (tenant == "leaves") == at.Before(edge.Add(-30*time.Minute)) && (tenant != "comes" || !at.Before(edge.Add(time.Hour)))
	}
	w := enginetest.NewAt(t, start, 15*time.Second, func(at time.Time) []enginetest.Sample {
		var samples []enginetest.Sample
		for tenant, rate := range rates {
			if n := rate * at.Sub(start).Seconds(); alive(tenant, at) {
				samples = append(samples,
					enginetest.Sample{Series: fmt.Sprintf(`requests_total{code="200",tenant=%q}`, tenant), Value: 0.98 * n},
					enginetest.Sample{Series: fmt.Sprintf(`requests_total{code="500",tenant=%q}`, tenant), Value: 0.02 * n})
			}
		}
		return samples
	})
	l := groupedLevel("bad", events(`requests_total{code="500"}`, "", `requests_total`))
	l.Period = sla.Period{Calendar: sla.Month, Zone: "Europe/Berlin"}
	l.Alerting = (&sla.ServiceLevel{Period: l.Period}).DefaultAlerting()
	l.GroupBy.Targets[0].Match = map[string]string{"tenant": "leaves"}
	w.Load(generate(t, rulegen.Options{Now: start}, l))
	w.Run(6 * time.Hour)
	for _, c := range []struct {
		name, tenant string
		hours        float64
	}{
		{"sla:total:sum_period_previous", "stays", 3},
		{"sla:total:sum_period_previous", "leaves", 2.5},
		{"sla:total:sum_period", "stays", 3},
		{"sla:total:sum_period", "comes", 2},
	} {
		near(t, c.name+" of "+c.tenant, w.Value(fmt.Sprintf(`%s{slo="bad",tenant=%q}`, c.name, c.tenant)), c.hours*3600*rates[c.tenant], 0.08)
	}
	near(t, "March of leaves", w.Value(`sla:error:ratio_period_previous{tenant="leaves",start="20260301"}`), 0.02, 0.02)
	for _, none := range []string{`sla:total:sum_period{tenant="leaves"} > 0`, `sla:total:sum_period_previous{tenant="comes"}`} {
		if v := w.Query(none); len(v) > 0 {
			t.Errorf("%s = %v", none, v)
		}
	}
	// The windows of alerts remember who left longer than the month does, and by its own objective.
	near(t, "objective of leaves", w.Value(`sla:objective:ratio{tenant="leaves"}`), 0.999, 1e-9)
	if nans := w.NaNs(6 * time.Hour); len(nans) > 0 {
		t.Errorf("NaN in %v", nans)
	}
}

// A label that a user's expression drops is found, at its place.
func TestLostGroupLabels(t *testing.T) {
	for text, at := range map[string]string{
		`up{job="api"} < 60`:                                   "",
		`sum by (tenant, job) (up) < 60`:                       "",
		`sum without (instance) (up) < 60`:                     "",
		`up < on (tenant) group_left () limits`:                "",
		`label_replace(up, "tenant", "x", "", "") < 60`:        "",
		`sum by (job) (up) < 60`:                               "spec.yaml:7:11",
		`sum(up) < 60`:                                         "spec.yaml:7:11",
		`max without (tenant) (up) < 60`:                       "spec.yaml:7:11",
		`up > 0 and avg_over_time(up[5m]) > 0`:                 "",
		`up > 0 and avg_over_time(up[5m]) > 0 and sum(up) > 0`: "spec.yaml:7:52", // every comparison answers for each group
		`up > 0 or (sum(up) > 0)`:                              "spec.yaml:7:22",
		`up < on (instance) limits`:                            "spec.yaml:7:11",
	} {
		l := groupedLevel("state", &sla.Condition{Expr: sla.Query{Text: text, Pos: sla.Position{File: "spec.yaml", Line: 7, Column: 11}}})
		_, findings := rulegen.Compile(&sla.Agreement{Name: "shop", Levels: []*sla.ServiceLevel{l}}, rulegen.Options{})
		got := ""
		for _, f := range findings {
			if f.Rule == "lost-group" {
				got = f.Pos.String()
			}
		}
		if got != at {
			t.Errorf("%s: %q, want %q", text, got, at)
		}
	}
}

// A label that everything recorded is to have cannot be what groups differ in.
func TestGroupLabelOfTheEnvironment(t *testing.T) {
	l := groupedLevel("bad", events("bad_total", "", "requests_total"))
	_, findings := rulegen.Compile(&sla.Agreement{Name: "shop", Levels: []*sla.ServiceLevel{l}}, rulegen.Options{Labels: map[string]string{"tenant": "prod"}})
	if len(findings) != 1 || findings[0].Rule != "label-clash" {
		t.Errorf("findings %v", findings)
	}
}
