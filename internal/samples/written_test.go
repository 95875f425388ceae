package samples_test

import (
	"math"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/samples"
	"github.com/upheld-sla/upheld/internal/verdict"
)

// judgedBy is the verdict of six hours by the only level of an agreement.
func judgedBy(t *testing.T, h *history, level string) verdict.Level {
	t.Helper()
	a := agreement(t, level)
	e, err := samples.Load(t.Context(), h.source(t), samples.Request{Agreement: a, From: start, To: until, Now: until.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	r, err := verdict.Judge(verdict.Input{Agreement: a, Period: a.Levels[0].Period, Name: "six hours", Start: start, End: until, Now: until.Add(time.Hour), Evidence: e})
	if err != nil {
		t.Fatal(err)
	}
	return r.Levels[0]
}

// docs/verdict.md says how promises are written that no aggregation is made for.
func TestPromisesThatAreWrittenAsConditionsAndRatios(t *testing.T) {
	constant := func(v float64) func(time.Duration) float64 { return func(time.Duration) float64 { return v } }
	twice := func(first, second time.Duration) func(time.Duration) float64 {
		a, b := since(time.Hour, time.Hour+first), since(2*time.Hour, 2*time.Hour+second)
		return gauge(func(at time.Duration) bool { return a(at) || b(at) })
	}
	const (
		anyWindow = `  - {name: up, target: "99.999", period: 1d, indicator: {condition: {expr: 'avg_over_time(probe_success[2h]) >= 1 - 15 / 120'}}}
`
		mean = `  - {name: up, target: "50", period: 1d, indicator: {ratio: {bad: 'clamp_max(rtt_seconds / (2 * 0.036), 1)'}}}
`
		delivered = `  - {name: up, target: "99.5", period: 1d, indicator: {ratio: {bad: 'loss_ratio'}}}
`
		throughput = `  - {name: up, target: "99", period: 1d, indicator: {condition: {expr: 'accepted >= 100 or offered < 100'}}}
`
	)
	for name, c := range map[string]struct {
		series map[string]func(time.Duration) float64
		level  string
		want   verdict.Verdict
	}{
		"14 minutes in any two hours":      {map[string]func(time.Duration) float64{"probe_success": twice(7*time.Minute, 7*time.Minute)}, anyWindow, verdict.Met},
		"16 minutes in some two hours":     {map[string]func(time.Duration) float64{"probe_success": twice(8*time.Minute, 8*time.Minute)}, anyWindow, verdict.Breached},
		"a mean of 35 ms":                  {map[string]func(time.Duration) float64{"rtt_seconds": half(0.02, 0.05)}, mean, verdict.Met},
		"a mean of 37 ms":                  {map[string]func(time.Duration) float64{"rtt_seconds": half(0.02, 0.054)}, mean, verdict.Breached},
		"0.4 % lost":                       {map[string]func(time.Duration) float64{"loss_ratio": half(0, 0.008)}, delivered, verdict.Met},
		"0.6 % lost":                       {map[string]func(time.Duration) float64{"loss_ratio": half(0, 0.012)}, delivered, verdict.Breached},
		"little accepted, little offered":  {map[string]func(time.Duration) float64{"accepted": constant(50), "offered": constant(60)}, throughput, verdict.Met},
		"little accepted, much offered":    {map[string]func(time.Duration) float64{"accepted": constant(50), "offered": constant(150)}, throughput, verdict.Breached},
		"as much accepted as was promised": {map[string]func(time.Duration) float64{"accepted": constant(100), "offered": constant(150)}, throughput, verdict.Met},
	} {
		var h history
		for series, value := range c.series {
			h.series(series, step, value)
		}
		if l := judgedBy(t, &h, c.level); l.Verdict != c.want {
			t.Errorf("%s: %s, want %s: %s", name, l.Verdict, c.want, l.Why)
		}
	}
}

// half is one value in every second minute, and the other one between them.
func half(a, b float64) func(time.Duration) float64 {
	return func(at time.Duration) float64 {
		if math.Mod(at.Minutes(), 2) < 1 {
			return a
		}
		return b
	}
}
