package rulegen_test

import (
	"math"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// A condition is bad for the minutes in which it does not hold for a series,
// unknown while there is no series, and does not become NaN; joined by or it is
// good while either holds.
func TestConditionsCountTheMinutesTheyDoNotHold(t *testing.T) {
	t.Parallel()
	age := func(m int) (float64, bool) {
		switch {
		case m >= 20 && m < 32:
			return 90, true
		case m >= 50 && m < 60:
			return 0, false
		}
		return 10, true
	}
	w := enginetest.New(t, 15*time.Second, func(at time.Time) []enginetest.Sample {
		m := int(at.Sub(enginetest.Start) / time.Minute)
		samples := []enginetest.Sample{{Series: `consumers`, Value: 1}}
		if a, ok := age(m); ok {
			samples = append(samples, enginetest.Sample{Series: `age{q="a"}`, Value: a}, enginetest.Sample{Series: `age{q="b"}`, Value: 5})
		}
		return samples
	})
	condition := func(name, expr string) *sla.ServiceLevel {
		l := level(name, "90", &sla.Condition{Expr: sla.Query{Text: expr}})
		l.Alerting.Disabled, l.Alerting.Tiers = true, nil
		return l
	}
	run := condition("run", `age < 60`)
	run.Aggregation, run.Slots = sla.QualifiedRun, sla.Slots{Width: time.Minute, ErrorThreshold: sla.MustDecimal("50"), MinRun: 20 * time.Minute, EmptyUnknown: true}
	w.Load(generate(t, rulegen.Options{},
		condition("one", `age < 60`), condition("either", `age < 60 or consumers > 0`),
		condition("both", `age < 60 and consumers > 0`), condition("by", `max by (q) (age) <= bool 60`), run))
	w.Run(90 * time.Minute)
	minutesOf := func(s, slo string) float64 { return w.Value(series(s, slo)) / 60 }
	for slo, want := range map[string]float64{"one": 12, "either": 0, "both": 12, "by": 12, "run": 0} {
		if got := minutesOf("sla:bad:sum_period", slo); math.Abs(got-want) > 1 {
			t.Errorf("%s: %.1f bad minutes, want %v", slo, got, want)
		}
	}
	if got := minutesOf("sla:total:sum_period", "one"); got < 74 || got > 81 {
		t.Errorf("%.1f known minutes, want about 80 less the last of the window", got)
	}
	if nans := w.NaNs(2 * time.Hour); len(nans) > 0 {
		t.Errorf("NaN in %v", nans)
	}
}

// A scrape of the blackbox exporter that failed is unknown; a probe that failed
// is bad for the time that it stands for.
func TestBlackboxProbes(t *testing.T) {
	t.Parallel()
	w := enginetest.New(t, 15*time.Second, func(at time.Time) []enginetest.Sample {
		switch m := int(at.Sub(enginetest.Start) / time.Minute); {
		case m >= 30 && m < 36:
			return []enginetest.Sample{{Series: `probe_success{instance="x"}`, Value: 0}}
		case m >= 60 && m < 80:
			return nil
		}
		return []enginetest.Sample{{Series: `probe_success{instance="x"}`, Value: 1}}
	})
	l := level("bb", "99", &sla.Blackbox{Success: sla.Query{Text: `probe_success{instance="x"}`}})
	w.Load(generate(t, rulegen.Options{}, l))
	w.Run(2 * time.Hour)
	if bad := w.Value(series("sla:bad:sum_period", "bb")) / 60; math.Abs(bad-6) > 0.3 {
		t.Errorf("%.2f bad minutes, want 6", bad)
	}
	if known := w.Value(series("sla:total:sum_period", "bb")) / 60; known < 98 || known > 106 {
		t.Errorf("%.1f known minutes, want about 100, and five for the window's edge", known)
	}
	fired, stopped := timeline(w, "page-fast")
	if d := fired.Sub(enginetest.Start.Add(30 * time.Minute)); d <= 0 || d > 12*time.Minute || stopped.IsZero() {
		t.Errorf("page-fast fired %s after the probe failed and stopped at %s", d, stopped)
	}
}

// What is no condition, ratio or single selector is named at its place.
func TestStatesThatCannotBeUsed(t *testing.T) {
	for name, test := range map[string]struct {
		indicator sla.Indicator
		rule      string
	}{
		"a value":       {&sla.Condition{Expr: sla.Query{Text: `age`}}, "not-a-condition"},
		"numbers":       {&sla.Condition{Expr: sla.Query{Text: `1 < bool 2`}}, "not-a-condition"},
		"matching":      {&sla.Condition{Expr: sla.Query{Text: `a > 1 and on (x) b > 1`}}, "not-a-condition"},
		"unless":        {&sla.Condition{Expr: sla.Query{Text: `a > 1 unless b > 1`}}, "not-a-condition"},
		"syntax":        {&sla.Condition{Expr: sla.Query{Text: `a >`}}, "promql-syntax"},
		"number":        {&sla.Ratio{Bad: sla.Query{Text: `0.5`}}, "not-a-ratio"},
		"range":         {&sla.Ratio{Bad: sla.Query{Text: `a[5m]`}}, "not-a-ratio"},
		"sum of probes": {&sla.Blackbox{Success: sla.Query{Text: `probe_success{a="1"} + probe_success{a="2"}`}}, "not-a-selector"},
		"native le":     {&sla.NativeLatency{Histogram: sla.Query{Text: `h{le="1"}`}}, "histogram-selector"},
	} {
		_, findings := rulegen.Compile(&sla.Agreement{Name: "a", Levels: []*sla.ServiceLevel{level("l", "99", test.indicator)}}, rulegen.Options{})
		if len(findings) != 1 || findings[0].Rule != test.rule || findings[0].Remedy == "" {
			t.Errorf("%s: got %v, want one %s with a remedy", name, findings, test.rule)
		}
	}
}
