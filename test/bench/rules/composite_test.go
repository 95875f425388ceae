package rules

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/upheld-sla/upheld/internal/replay"
	"github.com/upheld-sla/upheld/internal/replaytest"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla/spec"
)

// compositeAgreement has components of 20 raw series each, and a composite of them:
// half of them in pairs that stand in for each other.
func compositeAgreement(components int) string {
	var b strings.Builder
	b.WriteString("apiVersion: upheld/v1\nkind: ServiceLevelAgreement\nmetadata: {name: whole}\nspec:\n  serviceLevels:\n")
	var members []string
	for i := range components {
		fmt.Fprintf(&b, "    - {name: up, service: part-%d, target: \"99.9\", indicator: {events: {bad: 'http_requests_total{job=\"checkout\",code=~\"5..\"}', total: 'http_requests_total{job=\"checkout\"}'}}}\n", i)
		name := fmt.Sprintf("part-%d/up", i)
		switch {
		case i < components/2:
			members = append(members, name)
		case i%2 == 0:
			members = append(members, fmt.Sprintf("{any: [%s, part-%d/up]}", name, min(i+1, components-1)))
		}
	}
	fmt.Fprintf(&b, "    - {name: composite, target: \"95\", indicator: {composite: {all: [%s]}}}\n", strings.Join(members, ", "))
	return b.String()
}

// BenchmarkComposite reports the samples that the engine reads per second for the base
// series of the components, for all their rules, and for those of the composite: the
// states of its components, the tree with blame, and what every level has, its windows,
// period and alerts.
func BenchmarkComposite(b *testing.B) {
	for _, components := range []int{5, 20, 50} {
		b.Run(fmt.Sprintf("%d components", components), func(b *testing.B) {
			for b.Loop() {
				compositeCost(b, components)
			}
		})
	}
}

func compositeCost(b *testing.B, components int) {
	b.Helper()
	agreements, findings := spec.LoadText("whole.yaml", compositeAgreement(components))
	if err := findings.Err(); err != nil {
		b.Fatal(err)
	}
	plan, findings := rulegen.Compile(agreements[0], rulegen.Options{})
	if err := findings.Err(); err != nil {
		b.Fatal(err)
	}
	file, err := emit.Prometheus(plan)
	if err != nil {
		b.Fatal(err)
	}
	groups, errs := rulefmt.Parse(file, false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	if len(errs) > 0 {
		b.Fatal(errs[0])
	}
	world, truth := replay.New(), month(10, usual)
	truth.add(world)
	cost := map[string]float64{}
	recorded := 0.0
	rules := slices.DeleteFunc(inOrder(groups.Groups), func(r played) bool { // all components cost the same
		return !strings.Contains(r.group, ":composite") && !strings.Contains(r.group, ":part-0:")
	})
	for _, r := range rules {
		from := start.Add(r.interval)
		if !feedsPeriods(r.Record) {
			from = end.Add(-sampled)
		}
		c, err := evaluate(world, r.Rule, from, r.interval)
		if err != nil {
			b.Fatal(err)
		}
		if strings.Contains(r.group, ":composite") {
			recorded += float64(c.Recorded) / float64(c.Evaluations) / r.interval.Seconds() * day.Seconds()
		}
	}
	for _, r := range rules { // their cost when all windows are full
		c, err := replaytest.CostOf(world, r.Expr, end.Add(-sampled), end, r.interval)
		if err != nil {
			b.Fatal(err)
		}
		perSecond := float64(c.Samples) / float64(c.Evaluations) / r.interval.Seconds()
		switch {
		case !strings.Contains(r.group, ":composite"):
			cost["components-samples/s"] += perSecond * float64(components)
			if r.Record == "sla:total:rate5m" || r.Record == "sla:bad:rate5m" {
				cost["base-samples/s"] += perSecond * float64(components)
			}
			continue
		case strings.HasPrefix(r.Record, "sla:component"):
			cost["states-samples/s"] += perSecond
		case strings.HasPrefix(r.Record, "sla:composite_") || strings.HasPrefix(r.Record, "sla:blame"):
			cost["tree-samples/s"] += perSecond
		default:
			cost["level-samples/s"] += perSecond
		}
		cost["composite-samples/s"] += perSecond
	}
	for unit, perSecond := range cost {
		b.ReportMetric(perSecond, unit)
	}
	b.ReportMetric(recorded, "recorded/day")
}

// feedsPeriods reports whether a series is summed over a whole period, so that the cost
// of the sum only shows if all of it was recorded.
func feedsPeriods(record string) bool {
	for _, name := range []string{"sla:component", "sla:composite_", "sla:slot", "sla:blame:slot", "sla:blame:rate5m", "sla:blame:increase", "sla:total:rate5m", "sla:bad:rate5m", "sla:total:increase", "sla:bad:increase"} {
		if strings.HasPrefix(record, name) {
			return true
		}
	}
	return false
}
