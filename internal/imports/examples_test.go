package imports_test

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/internal/golden"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

const importedExamples = "../../examples/imported/"

// TestImportedExamples holds each example to what the file of the other tool beside it
// becomes, and its rules to what is fed in: 3 of 100 orders fail, and 7 take too long.
func TestImportedExamples(t *testing.T) {
	t.Parallel()
	for tool, want := range map[string]map[string]float64{
		"sloth":    {`sla="shop",slo="orders"`: 0.03, `sla="shop",slo="latency"`: 0.07},
		"pyrra":    {`sla="shop-orders",slo="errors"`: 0.03, `sla="shop-latency",slo="latency"`: 0.07},
		"openslo":  {`sla="shop",slo="orders"`: 0.03, `sla="shop",slo="latency"`: 1}, // minutes with more than 5 %
		"blackbox": {`sla="blackbox",service="mail"`: 0.25},
	} {
		t.Run(tool, func(t *testing.T) {
			t.Parallel()
			dir := importedExamples + tool + "/"
			documents, findings := files.Convert(nil, dir+tool+".yaml")
			if tool == "blackbox" {
				documents, findings = files.ConvertBlackbox(dir+"blackbox.yml", dir+"prometheus.yml")
			}
			if err := findings.Err(); err != nil {
				t.Fatal(err)
			}
			golden.Equal(t, filepath.Clean(dir+"imported.yaml"), written(t, documents))
			agreements, findings := spec.Load(dir + "imported.yaml")
			if err := findings.Err(); err != nil {
				t.Fatal(err)
			}
			var all [][]byte
			for _, a := range agreements {
				all = append(all, rulesOf(t, a))
			}
			w := enginetest.New(t, 30*time.Second, ordersOf())
			w.Load(all...)
			w.Run(12 * time.Minute)
			for level, share := range want {
				if got := w.Value(fmt.Sprintf(`sla:error:ratio_rate5m{%s}`, level)); math.Abs(got-share) > 1e-3 {
					t.Errorf("%s: %v, and %v was fed", level, got, share)
				}
			}
		})
	}
}

// ordersOf are 100 orders a second.
func ordersOf() enginetest.Target {
	var begin time.Time
	return func(at time.Time) []enginetest.Sample {
		if begin.IsZero() {
			begin = at
		}
		s := at.Sub(begin).Seconds()
		return []enginetest.Sample{
			{Series: `orders_total{job="shop",code="200"}`, Value: 97*s + 50},
			{Series: `orders_total{job="shop",code="503"}`, Value: 3*s + 50},
			{Series: `order_duration_seconds_count{job="shop"}`, Value: 100*s + 50},
			{Series: `order_duration_seconds_bucket{job="shop",le="0.3"}`, Value: 93*s + 50},
			{Series: `probe_success{job="mail",instance="mail.example:25"}`, Value: 0.75},
		}
	}
}

// TestLevelsAreKnownWithoutQueries reads the examples as the exporter does, which takes no
// PromQL apart: the levels are the same.
func TestLevelsAreKnownWithoutQueries(t *testing.T) {
	for _, tool := range []string{"sloth", "pyrra", "openslo"} {
		file := importedExamples + tool + "/" + tool + ".yaml"
		want, _ := files.Load(file)
		got, findings := spec.Load(file)
		if err := findings.Err(); err != nil {
			t.Errorf("%s: %v", tool, err)
			continue
		}
		if a, b := levelIDs(want), levelIDs(got); a != b || a == "" {
			t.Errorf("%s: %s with queries, %s without", tool, a, b)
		}
	}
}

func levelIDs(agreements []*sla.Agreement) string {
	var all []string
	for _, a := range agreements {
		for _, l := range a.Levels {
			all = append(all, l.ID.String())
		}
	}
	return strings.Join(all, " ")
}
