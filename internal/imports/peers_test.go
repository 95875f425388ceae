package imports_test

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/internal/golden"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla"
)

// What another tool makes of a specification of its own, and what we make of it, over
// the same data: the share of the last five minutes, and the thresholds of alerts.

// slothSpec is a specification, and slothRules what Sloth makes of it.
const (
	slothSpec  = "testdata/peers/sloth.yaml"
	slothRules = "testdata/peers/sloth-rules.yaml"
)

// slothMade are the rule files that Sloth made, by their specifications. Those of the
// example are read by the test of docs/migrating.md.
var slothMade = map[string]string{
	slothSpec:                             slothRules,
	importedExamples + "sloth/sloth.yaml": "testdata/peers/sloth-example-rules.yaml",
}

// TestSlothRulesAreWhatSlothMakes holds the files of Sloth's rules to the program, which
// SLOTH names; with -update they are made.
func TestSlothRulesAreWhatSlothMakes(t *testing.T) {
	program := os.Getenv("SLOTH")
	if program == "" {
		t.Skip("SLOTH does not name the program; make bin/tools/sloth builds it")
	}
	for in, made := range slothMade {
		out, err := exec.Command(program, "generate", "--no-color", "-i", in).Output()
		if err != nil {
			t.Fatalf("sloth: %v", err)
		}
		golden.Equal(t, made, out)
	}
}

// shopTraffic is counted without gaps, births or resets: the rate of errors changes
// twice.
func shopTraffic(begin time.Time) enginetest.Target {
	return func(at time.Time) []enginetest.Sample {
		s := at.Sub(begin).Seconds()
		bad := 3*s + 9*max(s-900, 0) - 10*max(s-1800, 0) + 1000
		slow := 2*s + 500
		one := func(series string, v float64) enginetest.Sample {
			return enginetest.Sample{Series: series, Value: math.Floor(v)}
		}
		return []enginetest.Sample{
			one(`orders_total{job="shop",code="200"}`, 97*s+5000), one(`orders_total{job="shop",code="500"}`, bad), one(`orders_total{job="shop",code="429"}`, s+7),
			one(`order_duration_seconds_count{job="shop"}`, 100*s+9000), one(`order_duration_seconds_bucket{job="shop",le="0.3"}`, 100*s+9000-slow),
			one(`order_duration_seconds_bucket{job="shop",le="1"}`, 100*s+9000-slow/2), one(`order_duration_seconds_bucket{job="shop",le="+Inf"}`, 100*s+9000),
		}
	}
}

func TestSlothsErrorRatioIsOurs(t *testing.T) {
	t.Parallel()
	theirs, err := os.ReadFile(slothRules)
	if err != nil {
		t.Fatal(err)
	}
	a, ours := compiled(t, slothSpec)
	begin := time.Time{}
	var target enginetest.Target
	w := enginetest.New(t, 30*time.Second, func(at time.Time) []enginetest.Sample {
		if begin.IsZero() {
			begin = at
			target = shopTraffic(begin)
		}
		return target(at)
	})
	w.Load(enginetest.Keep(t, ours, "sla:error:ratio_rate5m"), enginetest.Keep(t, theirs, "slo:sli_error:ratio_rate5m"))
	// The rate has been the same for at least seven minutes: groups of rules are evaluated
	// at different times within theirs.
	for _, wait := range []time.Duration{10 * time.Minute, 4 * time.Minute, 9 * time.Minute, 5 * time.Minute, 10 * time.Minute, 3 * time.Minute} {
		w.Run(wait)
		for _, l := range a.Levels {
			of := w.Value(fmt.Sprintf(`sla:error:ratio_rate5m{slo=%q}`, l.ID.SLO))
			sloths := w.Value(fmt.Sprintf(`slo:sli_error:ratio_rate5m{sloth_slo=%q}`, l.ID.SLO))
			if sloths == 0 || math.Abs(of/sloths-1) > 0.001 {
				t.Errorf("%s at %s: %v here, %v by Sloth", l.ID.SLO, w.Now().Sub(begin), of, sloths)
			}
		}
	}
}

// compiled is a specification of another tool, with its rules.
func compiled(t *testing.T, file string) (*sla.Agreement, []byte) {
	t.Helper()
	agreements, findings := files.Load(file)
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	plan, findings := rulegen.Compile(agreements[0], rulegen.Options{})
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	text, err := emit.Prometheus(plan)
	if err != nil {
		t.Fatal(err)
	}
	return agreements[0], text
}

// slothThreshold is a threshold in an alert of Sloth.
var slothThreshold = regexp.MustCompile(`sli_error:ratio_rate(\w+)\{.*?sloth_slo="([a-z-]+)"\}[^>\n]*> \(([0-9.]+) \* ([0-9.]+)\)`)

func TestSlothsThresholdsAreOurs(t *testing.T) {
	theirs, err := os.ReadFile(slothRules)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := compiled(t, slothSpec)
	found := map[string]float64{}
	for _, m := range slothThreshold.FindAllStringSubmatch(string(theirs), -1) {
		factor, _ := strconv.ParseFloat(m[3], 64)
		budget, _ := strconv.ParseFloat(m[4], 64)
		found[m[2]+" "+m[1]+" "+m[3]] = factor * budget
	}
	n := 0
	for _, l := range a.Levels {
		budget := (100 - l.Target.Float64()) / 100
		for _, tier := range l.Alerting.Tiers {
			for _, window := range []time.Duration{tier.Long, tier.Short} {
				name := l.ID.SLO + " " + sla.FormatDuration(window) + " " + tier.Factor.String()
				want, ok := found[name]
				if got := tier.Factor.Float64() * budget; !ok || math.Abs(got/want-1) > 1e-6 {
					t.Errorf("%s: %v here, %v by Sloth", name, got, want)
				}
				delete(found, name)
				n++
			}
		}
	}
	if len(found) > 0 || n == 0 {
		t.Errorf("of %d thresholds, only Sloth has %v", n, found)
	}
}
