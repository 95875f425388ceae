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
	"github.com/upheld-sla/upheld/sla/spec"
)

const capped = `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  maintenance:
    effect: remove_from_agreed_time
    cap: {windowTime: 1h, per: week}
    windows:
      - {from: "2026-03-05T11:00", to: "2026-03-05T11:40"}
      - {from: "2026-03-05T12:00", to: "2026-03-05T12:40"}
  exclusions:
    - {name: tests, effect: treat_as_up, condition: tests_running == 1, cap: {excludedDowntime: 20m, per: month}}
  serviceLevels:
    - {name: windows, service: s, exclusions: [maintenance], target: "95", period: month, indicator: {condition: {expr: up == 1}}}
    - {name: tests, service: s, exclusions: [tests], target: "95", period: [30d, month], indicator: {condition: {expr: up == 1}}}
`

// Everything is down for three hours. The second window is excused for its first
// twenty minutes, which is the hour of the week; so two hours of three are bad.
// Tests excuse all of half an hour, and twenty minutes in somebody is told that
// the contract excuses no more.
func TestCaps(t *testing.T) {
	t.Parallel()
	agreements, _ := spec.LoadText("spec.yaml", capped)
	from := time.Date(2026, 3, 5, 10, 30, 0, 0, time.UTC)
	testsRun := func(at time.Time) bool { return at.Sub(from) >= 30*time.Minute && at.Sub(from) < time.Hour }
	w := enginetest.NewAt(t, from, 15*time.Second, func(at time.Time) []enginetest.Sample {
		running := 0.
		if testsRun(at) {
			running = 1
		}
		return []enginetest.Sample{{Series: "up", Value: 0}, {Series: "tests_running", Value: running}}
	})
	plan, findings := rulegen.Compile(agreements[0], generated2026)
	if len(findings) != 1 || findings[0].Rule != "beyond-cap" || !strings.Contains(findings[0].Message, "1h20m in the week of 2026-03-05, and 1h are excused: from 2026-03-05T12:20 on") {
		t.Fatal(findings)
	}
	var levels []*sla.ServiceLevel
	for _, l := range plan.Levels {
		levels = append(levels, l.Level)
	}
	w.Load(generate(t, generated2026, levels...))
	w.Run(3 * time.Hour)
	minutes := func(series, slo string) float64 {
		return w.Value(fmt.Sprintf(`%s{sla="shop",slo=%q,period="month"}`, series, slo)) / 60
	}
	if got := minutes("sla:bad:sum_period", "windows"); math.Abs(got-120) > 7 { // the last five minutes are counted later
		t.Errorf("%v bad minutes beside windows, want 120", got)
	}
	if got := minutes("sla:bad:sum_period", "tests"); math.Abs(got-150) > 7 {
		t.Errorf("%v bad minutes beside tests, want 150", got)
	}
	if got := minutes("sla:exclusion_bad:sum_period", "tests"); math.Abs(got-30) > 1 {
		t.Errorf("%v minutes were excluded by tests, want 30", got)
	}
	if got := w.Value(`sla:exclusion_cap:used_ratio_period{exclusion="tests",period="month"}`); math.Abs(got-1.5) > 0.05 {
		t.Errorf("%v of the cap is used, want 1.5", got)
	}
	var told []enginetest.Transition
	for _, tr := range w.Transitions() {
		if tr.Name == sla.AlertExclusionCap.Name {
			told = append(told, tr)
		}
	}
	due := from.Add(50 * time.Minute)
	if len(told) != 1 || told[0].Labels["exclusion"] != "tests" || told[0].Labels["severity"] != "ticket" || told[0].At.Before(due) || told[0].At.After(due.Add(11*time.Minute)) {
		t.Errorf("told %v, want once from %s on", told, due)
	}
}

// A cap that nothing is compared with is found.
func TestUnmeasuredCaps(t *testing.T) {
	agreements, findings := spec.LoadText("spec.yaml", `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  exclusions: [{name: tests, effect: treat_as_up, condition: tests_running == 1, cap: {excludedDowntime: 20m, per: quarter}}]
  serviceLevels:
    - {name: events, target: "95", period: quarter, indicator: {events: {bad: b, total: t}}}
    - {name: period, target: "95", indicator: {condition: {expr: up == 1}}}
    - {name: groups, target: "95", period: quarter, groupBy: [site], indicator: {condition: {expr: up == 1}}}
    - {name: fine, target: "95", period: [30d, quarter], indicator: {condition: {expr: up == 1}}}
`)
	if findings.HasErrors() {
		t.Fatal(findings)
	}
	_, findings = rulegen.Compile(agreements[0], generated2026)
	var got []string
	for _, f := range findings {
		if f.Rule == "unmeasured-cap" {
			got = append(got, f.Message)
		}
	}
	all := strings.Join(got, "\n")
	if len(got) != 3 || !strings.Contains(all, `"events" counts events`) || !strings.Contains(all, `the level "period" is judged over 30d`) || !strings.Contains(all, `"groups" has groups`) {
		t.Errorf("found\n%s", all)
	}
}
