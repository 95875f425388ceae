package rulegen_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// Labels of the environment are on everything that is recorded and on every
// alert, every figure is right with them, and editing one begins a new history
// without an error in any rule (the world fails on one).
func TestLabelsOfTheEnvironment(t *testing.T) {
	t.Parallel()
	kinds := []*sla.ServiceLevel{
		level("bad", "99", events(`requests_total{code="500"}`, "", `requests_total`)),
		level("good", "99", events("", `requests_total{code="200"}`, `requests_total`)),
		inPeriod(level("month", "99", events(`requests_total{code="500"}`, "", `requests_total`)), sla.Period{Calendar: sla.Month, Zone: "Europe/Berlin"}),
		level("state", "99", &sla.Condition{Expr: sla.Query{Text: "up > 0"}}),
		aggregated("minutes", sla.QualifiedRun, sla.Slots{Width: time.Minute, ErrorThreshold: sla.MustDecimal("5"), MinRun: 3 * time.Minute}),
	}
	w := enginetest.New(t, 15*time.Second, func(at time.Time) []enginetest.Sample {
		n := at.Sub(enginetest.Start).Seconds()
		return []enginetest.Sample{
			{Series: `requests_total{code="200"}`, Value: 9 * n},
			{Series: `requests_total{code="500"}`, Value: n},
			{Series: `up`, Value: 0},
		}
	})
	with := func(region string) rulegen.Options {
		return rulegen.Options{Labels: map[string]string{"region": region, "cluster": "a"}, Now: enginetest.Start}
	}
	want := map[string]float64{"bad": 0.1, "good": 0.1, "month": 0.1, "state": 1, "minutes": math.NaN()}
	check := func(region string) {
		t.Helper()
		for slo, want := range want {
			if math.IsNaN(want) {
				continue // its metrics are not fed; the rules have to load and run
			}
			for _, name := range []string{"sla:error:ratio_rate1h", "sla:error:ratio_rate3d", "sla:error:ratio_period"} {
				near(t, name, w.Value(fmt.Sprintf("%s{slo=%q,cluster=\"a\",region=%q}", name, slo, region)), want, 0.001)
			}
		}
		if v := w.Query(fmt.Sprintf(`{__name__=~"sla[:_].*",region!=%q} or {__name__=~"sla[:_].*",cluster!="a"}`, region)); len(v) > 0 {
			t.Errorf("without the labels, or with those of before: %v", v[0].Metric)
		}
		n := 0
		for _, alert := range w.Transitions() {
			if alert.Firing && alert.Name == metricnames.BurnTier && alert.Labels["region"] == region && alert.Labels["cluster"] == "a" {
				n++
			}
		}
		if n != 3*3+4 { // 10 % bad are not 14.4 times 1 %
			t.Errorf("%d burn alerts of region %s fire, want three of three levels and four of the one that is all bad", n, region)
		}
	}
	w.Load(generate(t, with("east"), kinds...))
	w.Run(40 * time.Minute)
	check("east")
	w.Load(generate(t, with("west"), kinds...))
	w.Run(40 * time.Minute)
	check("west")
}

func TestLabelsThatClash(t *testing.T) {
	for _, name := range []string{"sla", "severity", "period", "calendar", "start", "objective", "label_team", "le", "alertname", "__name__", "a-b", ""} {
		if rulegen.CheckLabel(name, "x") == nil {
			t.Errorf("%q is let through", name)
		}
	}
	if err := rulegen.CheckLabel("region", ""); err == nil {
		t.Error("an empty value is let through")
	}
	if err := rulegen.CheckLabel("region", "{{ $labels.x }}"); err == nil {
		t.Error("a template was taken, which Prometheus expands in alerts and rules do not select by")
	}
	if err := rulegen.CheckLabel("region", "east"); err != nil {
		t.Error(err)
	}
	for what, give := range map[string]func(*sla.ServiceLevel, map[string]string){
		"level":     func(l *sla.ServiceLevel, m map[string]string) { l.Labels = m },
		"alerting":  func(l *sla.ServiceLevel, m map[string]string) { l.Alerting.Labels = m },
		"tier":      func(l *sla.ServiceLevel, m map[string]string) { l.Alerting.Tiers[1].Labels = m },
		"exhausted": func(l *sla.ServiceLevel, m map[string]string) { l.Notice(sla.AlertBudgetExhausted).Labels = m },
		"forecast":  func(l *sla.ServiceLevel, m map[string]string) { l.Notice(sla.AlertBudgetForecast).Labels = m },
		"credits": func(l *sla.ServiceLevel, m map[string]string) {
			withCredits(l, "99", "10").Notice(sla.AlertCreditTier).Labels = m
		},
		"cap": func(l *sla.ServiceLevel, m map[string]string) {
			l.Aggregation, l.Slots = sla.BadMinute, sla.Slots{Width: time.Minute, ErrorThreshold: sla.MustDecimal("5")}
			l.MorePeriods = []sla.Period{{Calendar: sla.Month}}
			l.Exclusions = []*sla.Exclusion{{
				Name: "tests", Effect: sla.TreatAsUp, Condition: sla.Query{Text: "tests_running == 1"},
				Cap: &sla.Cap{Downtime: time.Hour, Per: sla.Period{Calendar: sla.Month}, Notice: &sla.Notice{Severity: "ticket", Labels: m}},
			}}
		},
	} {
		l := level("a", "99", events("b", "", "t"))
		give(l, map[string]string{"region": "east"})
		for region, clash := range map[string]bool{"east": false, "west": true} {
			_, findings := rulegen.Compile(&sla.Agreement{Name: "shop", Levels: []*sla.ServiceLevel{l}}, rulegen.Options{Labels: map[string]string{"region": region}})
			if findings.HasErrors() != clash || clash && !strings.Contains(findings[0].Message, `"region"`) {
				t.Errorf("%s: %v", what, findings)
			}
		}
	}
}
