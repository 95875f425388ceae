package imports_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/upheld-sla/upheld/sla"
)

// pyrraTier is a burn alert of Pyrra.
type pyrraTier struct {
	severity          string
	long, short, hold time.Duration
	threshold, factor float64
}

// pyrraTiersOf are the tiers in rules of Pyrra, the fastest first.
func pyrraTiersOf(t *testing.T, rules []timedRule) []pyrraTier {
	t.Helper()
	var all []pyrraTier
	for _, r := range rules {
		if r.Alert == "" || r.Labels["exhaustion"] == "" {
			continue
		}
		tier := pyrraTier{severity: r.Labels["severity"], long: durationOf(t, r.Labels["long"]), short: durationOf(t, r.Labels["short"]), hold: time.Duration(r.For)}
		expr, err := promqlOf.ParseExpr(r.Expr)
		if err != nil {
			t.Fatal(err)
		}
		both, ok := expr.(*parser.BinaryExpr)
		if !ok || both.Op != parser.LAND {
			t.Fatalf("no condition over two windows: %s", r.Expr)
		}
		for i, of := range []parser.Expr{both.LHS, both.RHS} {
			condition, ok := of.(*parser.BinaryExpr)
			if !ok || condition.Op != parser.GTR {
				t.Fatalf("no comparison: %s", of)
			}
			window := []time.Duration{tier.short, tier.long}[i]
			if _, read, ok := cutBurnrate(condition.LHS); !ok || durationOf(t, read) != window {
				t.Fatalf("%s does not read the window %s that its labels name", of, window)
			}
			threshold, factor := numbers(t, condition.RHS)
			if i == 1 && threshold != tier.threshold {
				t.Fatalf("two thresholds: %s", r.Expr)
			}
			tier.threshold, tier.factor = threshold, factor
		}
		all = append(all, tier)
	}
	return all
}

// cutBurnrate is the name of a recorded burn rate, before and after that word.
func cutBurnrate(expr parser.Expr) (metric, window string, ok bool) {
	s, ok := expr.(*parser.VectorSelector)
	if !ok {
		return "", "", false
	}
	return strings.Cut(s.Name, ":burnrate")
}

// numbers are the value of an expression of numbers alone, and the first of them.
func numbers(t *testing.T, expr parser.Expr) (value, first float64) {
	t.Helper()
	switch e := expr.(type) {
	case *parser.ParenExpr:
		return numbers(t, e.Expr)
	case *parser.NumberLiteral:
		return e.Val, e.Val
	case *parser.BinaryExpr:
		a, first := numbers(t, e.LHS)
		b, _ := numbers(t, e.RHS)
		switch e.Op {
		case parser.MUL:
			return a * b, first
		case parser.SUB:
			return a - b, first
		}
	}
	t.Fatalf("no arithmetic that Pyrra writes: %s", expr)
	return 0, 0
}

// absentOf is Pyrra's alert about absent metrics, nil if there is none.
func absentOf(rules []timedRule) *timedRule {
	for i, r := range rules {
		if r.Alert != "" && r.Labels["exhaustion"] == "" {
			return &rules[i]
		}
	}
	return nil
}

// pyrraDifference is what is not as in Pyrra, with the reason. docs/import.md lists them.
type pyrraDifference struct {
	reason   string
	explains func(o *pyrraObject, what string, theirs, ours any) bool
}

// The things that are compared.
const (
	longWindow  = "long window"
	shortWindow = "short window"
	absentHold  = "for of the alert about absent metrics"
	absentAlert = "whether there is an alert about absent metrics"
)

var pyrraDifferences = []pyrraDifference{
	{"windows above six hours are sums of steps of five minutes", func(_ *pyrraObject, what string, theirs, ours any) bool {
		a, b := durations(theirs, ours)
		return (what == longWindow || what == shortWindow) && b > 6*time.Hour && b%(5*time.Minute) == 0 && (a-b).Abs() < 3*time.Minute
	}},
	{"rates are over five minutes, so no window is shorter", func(_ *pyrraObject, what string, theirs, ours any) bool {
		a, b := durations(theirs, ours)
		return what == shortWindow && a < b && b == 5*time.Minute
	}},
	{"no long window is shorter than twice that", func(_ *pyrraObject, what string, theirs, ours any) bool {
		a, b := durations(theirs, ours)
		return what == longWindow && a < b && b == 10*time.Minute
	}},
	{"Pyrra's waits as long as a total outage would take to page, ours for ten minutes", func(_ *pyrraObject, what string, _, ours any) bool {
		return what == absentHold && ours == 10*time.Minute
	}},
	{"Pyrra keeps it where alerting is disabled", func(o *pyrraObject, what string, theirs, _ any) bool {
		return what == absentAlert && theirs == true && o.Spec.Alerting.Disabled
	}},
	{"Pyrra has none about native histograms", func(o *pyrraObject, what string, theirs, _ any) bool {
		return what == absentAlert && theirs == false && o.Spec.Indicator.Native.Total.Metric != nil
	}},
}

func durations(theirs, ours any) (a, b time.Duration) {
	a, _ = theirs.(time.Duration)
	b, _ = ours.(time.Duration)
	return a, b
}

// alerts compares the alerts of both sides, and notes by which reasons they differ.
func (c pyrraCase) alerts(t *testing.T, used map[string]int) {
	t.Helper()
	level, _, ok := c.ours(t)
	if !ok {
		return
	}
	ours, rules := level.Alerting, c.rules(t)
	compare := func(what string, theirs, ours any) {
		if theirs == ours {
			return
		}
		for _, d := range pyrraDifferences {
			if d.explains(c.object, what, theirs, ours) {
				used[d.reason]++
				return
			}
		}
		t.Errorf("%s: %v here, %v by Pyrra", what, ours, theirs)
	}
	budget := (100 - level.Target.Float64()) / 100
	tiers := pyrraTiersOf(t, rules)
	if len(tiers) != len(ours.Tiers) {
		t.Fatalf("%d tiers here, %d by Pyrra", len(ours.Tiers), len(tiers))
	}
	for i, theirs := range tiers {
		tier := ours.Tiers[i]
		compare(longWindow, theirs.long, tier.Long)
		compare(shortWindow, theirs.short, tier.Short)
		compare("for", theirs.hold, tier.For)
		compare("severity", theirs.severity, tier.Severity)
		compare("factor", theirs.factor, tier.Factor.Float64())
		if got := tier.Factor.Float64() * budget; math.Abs(got/theirs.threshold-1) > 1e-9 {
			t.Errorf("threshold of %s: %v here, %v by Pyrra", tier.Name, got, theirs.threshold)
		}
	}
	absent, lost := absentOf(rules), ours.Notices[sla.AlertMeasurementLost]
	compare(absentAlert, absent != nil, !ours.Disabled && lost != nil)
	if absent != nil && !ours.Disabled && lost != nil {
		compare("severity of the alert about absent metrics", absent.Labels["severity"], lost.Severity)
		compare(absentHold, time.Duration(absent.For), lost.For)
	}
}

// TestPyrrasAlertsAreOurs holds windows, thresholds, waiting times and severities to
// those of Pyrra's rules; each difference has a reason, and each reason is one.
func TestPyrrasAlertsAreOurs(t *testing.T) {
	used := map[string]int{}
	for name, o := range fixturesOfPyrra(t) {
		t.Run(name, func(t *testing.T) { pyrraCase{o, checkedIn(t, name)}.alerts(t, used) })
	}
	for _, d := range pyrraDifferences {
		if used[d.reason] == 0 {
			t.Errorf("nothing differs because %s", d.reason)
		}
	}
}

// TestAlertsOfPyrrasExamplesAreOurs does the same with the examples of Pyrra's module.
func TestAlertsOfPyrrasExamplesAreOurs(t *testing.T) {
	program, examples, used := pyrraProgram(t), examplesOfPyrra(t), map[string]int{}
	made := madeByPyrra(t, program, examples)
	for name, o := range examples {
		t.Run(name, func(t *testing.T) { pyrraCase{o, ruleFilesOf(name, made)}.alerts(t, used) })
	}
	t.Logf("differences: %v", used)
}
