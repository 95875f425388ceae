package imports_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// TestRulesOfImportsRun loads the rules of everything that the archives become into the
// real engine, and evaluates them.
func TestRulesOfImportsRun(t *testing.T) {
	t.Parallel()
	archives, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives (%v)", err)
	}
	var all [][]byte
	names := map[string]bool{}
	for _, path := range archives {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range archive.Files {
			if file.Name != importedSection || len(file.Data) == 0 || strings.HasSuffix(path, "mistakes.txtar") {
				continue
			}
			agreements, findings := spec.LoadText(path, string(file.Data))
			if err := findings.Err(); err != nil {
				t.Fatal(err)
			}
			for _, a := range agreements {
				if names[a.Name] {
					continue
				}
				names[a.Name] = true
				all = append(all, rulesOf(t, a))
			}
		}
	}
	w := enginetest.New(t, time.Minute, func(time.Time) []enginetest.Sample { return nil })
	w.Load(all...)
	w.Run(6 * time.Minute)
}

// rulesOf is the rule file of an agreement.
func rulesOf(t *testing.T, a *sla.Agreement) []byte {
	t.Helper()
	plan, findings := rulegen.Compile(a, rulegen.Options{})
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	text, err := emit.Prometheus(plan)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestOpenSLOCounts feeds what an OpenSLO file measures, and compares the share of the
// last five minutes with what was fed.
func TestOpenSLOCounts(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "slo.yaml")
	if err := os.WriteFile(file, []byte(opensloCounts), 0o600); err != nil {
		t.Fatal(err)
	}
	_, rules := compiled(t, file)
	var begin time.Time
	w := enginetest.New(t, 15*time.Second, func(at time.Time) []enginetest.Sample {
		if begin.IsZero() {
			begin = at
		}
		s := at.Sub(begin).Seconds()
		return []enginetest.Sample{
			{Series: `orders_total{code="200"}`, Value: math.Floor(95*s) + 1000},
			{Series: `orders_total{code="500"}`, Value: math.Floor(5*s) + 1000},
			{Series: `connected`, Value: 80},
			{Series: `seen`, Value: 100},
			{Series: `lag{shard="a"}`, Value: 5},
			{Series: `lag{shard="b"}`, Value: 15},
		}
	})
	w.Load(enginetest.Keep(t, rules, "sla:error:ratio_rate5m"))
	w.Run(20 * time.Minute)
	for slo, want := range map[string]float64{
		"bad": 0.05, "good": 0.05, "ratio": 0.05, // 5 of 100 orders
		"strict": 1, "lenient": 0, // minutes with more than 4 %, and than 10 %, of bad orders
		"mean":   0.05, // of all slots
		"gauges": 0.2, "gauges-strict": 1,
		"lag-close": 1, "lag-far": 0, // both shards below 10, and below 20
	} {
		if got := w.Value(fmt.Sprintf(`sla:error:ratio_rate5m{slo=%q}`, slo)); math.Abs(got-want) > 1e-3 {
			t.Errorf("%s: %v, and %v was fed", slo, got, want)
		}
	}
}

const opensloCounts = opensloBad + `---
` + opensloFrame + `
metadata: {name: good}
spec:
  service: shop
  indicatorRef: good
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.9}]
---
` + opensloFrame + `
metadata: {name: strict}
spec:
  service: shop
  indicatorRef: good
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Timeslices
  objectives: [{target: 0.9, timeSliceTarget: 0.96, timeSliceWindow: 1m}]
---
` + opensloFrame + `
metadata: {name: lenient}
spec:
  service: shop
  indicatorRef: good
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Timeslices
  objectives: [{target: 0.9, timeSliceTarget: 0.9, timeSliceWindow: 1m}]
---
` + opensloFrame + `
metadata: {name: mean}
spec:
  service: shop
  indicatorRef: good
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: RatioTimeslices
  objectives: [{target: 0.9, timeSliceWindow: 5m}]
---
` + opensloFrame + `
metadata: {name: ratio}
spec:
  service: shop
  indicatorRef: computed
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.9}]
---
` + opensloFrame + `
metadata: {name: gauges}
spec:
  service: shop
  indicatorRef: gauges
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: RatioTimeslices
  objectives: [{target: 0.9, timeSliceWindow: 5m}]
---
` + opensloFrame + `
metadata: {name: gauges-strict}
spec:
  service: shop
  indicatorRef: gauges
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Timeslices
  objectives: [{target: 0.9, timeSliceTarget: 0.85, timeSliceWindow: 1m}]
---
` + opensloFrame + `
metadata: {name: lag}
spec:
  service: shop
  indicator:
    metadata: {name: lag}
    spec: {thresholdMetric: {metricSource: {type: Prometheus, spec: {query: lag}}}}
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{displayName: close, op: lt, value: 10, target: 0.9}, {displayName: far, op: lt, value: 20, target: 0.9}]
`

const opensloFrame = `apiVersion: openslo/v1
kind: SLO`

const opensloBad = opensloFrame + `
metadata: {name: bad}
spec:
  service: shop
  indicator:
    metadata: {name: bad}
    spec:
      ratioMetric:
        counter: true
        bad: {metricSource: {type: Prometheus, spec: {query: 'sum(orders_total{code="500"})'}}}
        total: {metricSource: {type: Prometheus, spec: {query: 'sum(orders_total)'}}}
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.9}]
---
apiVersion: openslo/v1
kind: SLI
metadata: {name: good}
spec:
  ratioMetric:
    counter: true
    good: {metricSource: {type: Prometheus, spec: {query: 'sum(rate(orders_total{code="200"}[5m]))'}}}
    total: {metricSource: {type: Prometheus, spec: {query: 'sum(rate(orders_total[5m]))'}}}
---
apiVersion: openslo/v1
kind: SLI
metadata: {name: computed}
spec:
  ratioMetric:
    rawType: success
    raw: {metricSource: {type: Prometheus, spec: {query: 'sum(rate(orders_total{code="200"}[5m])) / sum(rate(orders_total[5m]))'}}}
---
apiVersion: openslo/v1
kind: SLI
metadata: {name: gauges}
spec:
  ratioMetric:
    counter: false
    good: {metricSource: {type: Prometheus, spec: {query: sum(connected)}}}
    total: {metricSource: {type: Prometheus, spec: {query: sum(seen)}}}
`
