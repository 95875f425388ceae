package rulegen_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// conditionLevel is a level of a condition that nobody is told of.
func conditionLevel(name, expr string) *sla.ServiceLevel {
	l := level(name, "90", &sla.Condition{Expr: sla.Query{Text: expr, Pos: sla.Position{File: "spec.yaml", Line: 1, Column: 1}}})
	l.Alerting.Disabled, l.Alerting.Tiers = true, nil
	return l
}

// instead compiles a condition and returns what its finding says to write.
func instead(t *testing.T, expr string) (severity sla.Severity, other string) {
	t.Helper()
	_, findings := rulegen.Compile(&sla.Agreement{Name: "shop", Levels: []*sla.ServiceLevel{conditionLevel("l", expr)}}, rulegen.Options{})
	if len(findings) == 0 {
		t.Fatalf("%s: nothing was found", expr)
	}
	f := findings[0]
	other, ok := strings.CutPrefix(f.Remedy, "write ")
	if f.Rule != "hidden-outage" || !ok {
		t.Fatalf("%s: got %v", expr, findings)
	}
	other, _, _ = strings.Cut(other, "; if such time")
	return f.Severity, other
}

// Of a condition that hides a total outage, the form that its finding gives is
// bad for the whole outage, in the real engine, and good or known otherwise.
func TestConditionsThatHideAnOutageGetAFormThatCountsIt(t *testing.T) {
	t.Parallel()
	const outage = 12
	down := func(m int) bool { return m >= 20 && m < 20+outage }
	w := enginetest.New(t, 15*time.Second, func(at time.Time) []enginetest.Sample {
		m := int(at.Sub(enginetest.Start) / time.Minute)
		up, age, stuck := 1., 3., 0.
		if down(m) {
			up, age, stuck = 0, 9, 4
		}
		samples := []enginetest.Sample{{Series: "always", Value: 1}}
		for i := range 3 {
			samples = append(samples,
				enginetest.Sample{Series: fmt.Sprintf(`up{job="x",i="%d"}`, i), Value: up},
				enginetest.Sample{Series: fmt.Sprintf(`age{job="x",i="%d"}`, i), Value: age},
				enginetest.Sample{Series: fmt.Sprintf(`workers{job="x",i="%d"}`, i), Value: 4 - stuck})
		}
		if !down(m) {
			samples = append(samples, enginetest.Sample{Series: "heartbeat", Value: 1})
		}
		return samples
	})
	var levels []*sla.ServiceLevel
	for i, test := range []struct {
		expr string
		want sla.Severity
	}{
		{`count(up{job="x"} == 1) >= 2`, sla.Error},
		{`count by (job) (up == 1) >= 2`, sla.Error},
		{`count(up == 1) / count(up) > 0.5`, sla.Error},
		{`group(up == 1) == 1`, sla.Error},
		{`sum(workers > 1) >= 8`, sla.Error},
		{`0 < age < 5 < 6`, sla.Error},
		{`5 > (age < 6)`, sla.Error},
		{`1 <= workers <= 4`, sla.Error},
		{`absent(heartbeat) != 1`, sla.Error},
		{`absent(heartbeat) + 1 < 2`, sla.Error},
		{`absent_over_time(heartbeat[1m]) < 1`, sla.Error},
		{`count_over_time((up == 1)[30s:15s]) > 0`, sla.Error},
		{`count(up unless up == 0) >= 2`, sla.Warning},
		{`count(up and workers > 1) >= 2`, sla.Warning},
		{`(up unless up == 0) > 0`, sla.Warning},
		{`(up and workers > 1) > 0`, sla.Warning},
		{`avg(up == 1) > 0.5`, sla.Warning},
		{`topk(2, up == 1) > 0`, sla.Warning},
		{`min(workers > 1) > 2`, sla.Warning},
		{`max_over_time((up == 1)[30s:15s]) > 0`, sla.Warning},
		{`max(count by (i) (up == 1)) >= 1`, sla.Error},
		{`(up == 1) * 2 > 1`, sla.Warning},
	} {
		severity, other := instead(t, test.expr)
		if severity != test.want {
			t.Errorf("%s: %s, want %s", test.expr, severity, test.want)
		}
		t.Logf("%s becomes %s", test.expr, other)
		levels = append(levels, conditionLevel(fmt.Sprintf("l%02d", i), other))
	}
	w.Load(generate(t, rulegen.Options{}, levels...))
	w.Run(60 * time.Minute)
	for _, l := range levels {
		expr, slo := l.Indicator.(*sla.Condition).Expr.Text, l.ID.SLO
		if bad := w.Value(series("sla:bad:sum_period", slo)) / 60; math.Abs(bad-outage) > 1 {
			t.Errorf("%s: %.1f bad minutes, want %d", expr, bad, outage)
		}
		if known := w.Value(series("sla:total:sum_period", slo)) / 60; known < 53 {
			t.Errorf("%s: %.1f known minutes of 60", expr, known)
		}
	}
}

// A count of what a comparison answers by bool never changes, so a total outage
// would be good: it is an error wherever an expression of the user's stands.
func TestCountsOfAnswersAreErrors(t *testing.T) {
	ratio := conditionLevel("ratio", "")
	ratio.Indicator = &sla.Ratio{Bad: sla.Query{Text: `count(x == bool 1) / 10`}}
	weighted := conditionLevel("weighted", "x < 1")
	weighted.Aggregation, weighted.Slots = sla.BadMinute, sla.Slots{Width: time.Minute, ErrorThreshold: sla.NewDecimal(5, 1), Weight: sla.Query{Text: `count(x == bool 1)`}}
	excused := conditionLevel("excused", "x < 1")
	excused.Exclusions = []*sla.Exclusion{{Name: "e", Effect: sla.TreatAsUp, Condition: sla.Query{Text: `count(x == bool 1) >= 2`}}}
	for _, l := range []*sla.ServiceLevel{conditionLevel("condition", `count(x == bool 1) >= 2`), ratio, weighted, excused} {
		_, findings := rulegen.Compile(&sla.Agreement{Name: "shop", Levels: []*sla.ServiceLevel{l}, Exclusions: l.Exclusions}, rulegen.Options{})
		if len(findings) != 1 || findings[0].Rule != "count-of-answers" || findings[0].Severity != sla.Error || !strings.Contains(findings[0].Remedy, "write sum(x == bool 1)") {
			t.Errorf("%s: %v", l.ID.SLO, findings)
		}
	}
}

// What is NaN is unknown in every comparison, as in a night without traffic; and
// what is known decides where it can: false and unknown is false, true or
// unknown is true.
func TestConditionsOfNaNAreUnknown(t *testing.T) {
	t.Parallel()
	const from, to = 20, 40 // minutes without a request
	w := enginetest.New(t, 15*time.Second, func(at time.Time) []enginetest.Sample {
		since := at.Sub(enginetest.Start)
		m := since.Minutes()
		served := m
		if m > from {
			served = max(from, m-(to-from))
		}
		down := 1.
		if m >= 30 && m < 36 {
			down = 0
		}
		samples := []enginetest.Sample{
			{Series: `total{g="a"}`, Value: 600 * served},
			{Series: `errors{g="a"}`, Value: 0},
			{Series: `total{g="b"}`, Value: 600 * m},
			{Series: `errors{g="b"}`, Value: 0},
			{Series: `h_bucket{le="0.3"}`, Value: 590 * served},
			{Series: `h_bucket{le="1"}`, Value: 600 * served},
			{Series: `h_bucket{le="+Inf"}`, Value: 600 * served},
			{Series: "up", Value: down},
		}
		if m < from || m >= to {
			samples = append(samples, enginetest.Sample{Series: "limit", Value: 5})
		}
		return samples
	})
	const share = `rate(errors{g="a"}[1m]) / rate(total{g="a"}[1m])`
	both := `rate(errors[1m]) / rate(total[1m])`
	tests := []struct {
		expr       string
		bad, known float64 // minutes of 60
	}{
		{`histogram_quantile(0.9, rate(h_bucket[1m])) < 0.5`, 0, 40},
		{share + ` < 0.01`, 0, 40},
		{`0.01 > ` + share, 0, 40},
		{share + ` < bool 0.01`, 0, 40},
		{share + ` != 1`, 0, 40},
		{`(` + share + ` < bool 0.01) == 1`, 0, 40},
		{`avg(` + share + ` < bool 0.01) == 1`, 0, 40},
		{`up < scalar(limit)`, 0, 40},
		{`scalar(limit) > up`, 0, 40},
		{share + ` < on () up * 2`, 0, 40},
		{share + ` < 0.01 and up == 1`, 6, 46},
		{`up == 1 and ` + share + ` < 0.01`, 6, 46},
		{share + ` < 0.01 or up == 1`, 0, 54},
		{share + ` > 0.01 or up == 1`, 0, 54},
		{`(` + share + ` < 0.01 and up == 1) or up == 0`, 0, 46},
		{`up == 1 and (` + share + ` < 0.01 or up == 1)`, 6, 60},
	}
	var levels []*sla.ServiceLevel
	for i, test := range tests {
		levels = append(levels, conditionLevel(fmt.Sprintf("l%02d", i), test.expr))
	}
	grouped := conditionLevel("grouped", both+` < 0.01`)
	grouped.GroupBy = sla.GroupBy{Labels: []string{"g"}, Limit: 10}
	w.Load(generate(t, rulegen.Options{}, append(levels, grouped)...))
	w.Run(60 * time.Minute)
	const edges = 3. // a rate of a minute knows it a minute late, and the window's edge
	minutes := func(name, slo, more string) float64 {
		return w.Value(strings.TrimSuffix(series(name, slo), "}")+more+"}") / 60
	}
	for i, test := range tests {
		bad, known := minutes("sla:bad:sum_period", levels[i].ID.SLO, ""), minutes("sla:total:sum_period", levels[i].ID.SLO, "")
		if math.Abs(bad-test.bad) > 1 || math.Abs(known+3-test.known) > edges {
			t.Errorf("%s: %.1f bad of %.1f known minutes, want %v of %v", test.expr, bad, known, test.bad, test.known)
		}
	}
	for g, want := range map[string]float64{"a": 40, "b": 60} {
		if known := minutes("sla:total:sum_period", "grouped", `,g="`+g+`"`); math.Abs(known+3-want) > edges {
			t.Errorf("group %s: %.1f known minutes, want %v", g, known, want)
		}
		if bad := minutes("sla:bad:sum_period", "grouped", `,g="`+g+`"`); bad > 0 {
			t.Errorf("group %s: %.1f bad minutes", g, bad)
		}
	}
	if nans := w.NaNs(2 * time.Hour); len(nans) > 0 {
		t.Errorf("NaN in %v", nans)
	}
}
