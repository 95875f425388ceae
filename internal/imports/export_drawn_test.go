package imports_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/upheld-sla/upheld/sla/spec"
)

// TestExportOfDrawnSpecifications exports specifications that are drawn at random.
func TestExportOfDrawnSpecifications(t *testing.T) {
	t.Parallel()
	tried := 0
	rapid.Check(t, func(t *rapid.T) {
		text := drawnSpec(t)
		documents, findings := files.DocumentsOf(spec.Text{File: "drawn.yaml", Text: text})
		if findings.HasErrors() {
			t.Skip("not valid") // such as two settings that exclude each other
		}
		tried++
		sameAfterExport(t, documents, ".", tried%10 == 0)
	})
	if tried == 0 {
		t.Error("no specification that was drawn is valid")
	}
}

var (
	drawnIndicators = []string{
		`{events: {bad: 'errors_total{code=~"5.."}', total: 'requests_total'}}`,
		`{events: {good: 'good_total + fine_total{a="b"}', total: 'requests_total + others_total'}}`,
		`{latency: {histogram: 'request_seconds{job="a"}', threshold: 300ms}}`,
		`{latency: {histogram: 'request_milliseconds', good: 'request_milliseconds{code!~"5.."}', threshold: 1s}}`,
		`{latency: {histogram: 'request_seconds', native: true, threshold: 2s}}`,
		`{condition: {expr: 'age_seconds < 60'}}`, `{condition: {expr: 'sum(a) / sum(b) >= 0.5 and c > 1'}}`,
		`{ratio: {bad: 'job:errors:ratio'}}`, `{blackbox: {success: 'probe_success{job="b"}'}}`,
		`{probe: {http: "https://shop.example/health", interval: 15s}}`, `{probe: {tcp: "db.shop.example:5432"}}`,
	}
	drawnAggregations = []string{
		"", "", "request_ratio", "time", "{method: bad_minute, errorThreshold: \"5\"}", "{method: bad_minute, errorThreshold: \"12.5\", minRequests: 5}",
		"{method: mean_slot_error_rate, slot: 10m}", "mean_slot_error_rate", "{method: qualified_run, errorThreshold: \"5\", minRun: 5m}", "all_failed_minute",
	}
	drawnPeriods = []string{
		"", "30d", "28d", "1h", "month", "quarter", "{calendar: week, weekStart: Sat, timeZone: Europe/Berlin}", "{calendar: year, fiscalOffset: 7}",
		"[30d, month]", "{rolling: 90m}",
	}
	drawnAlerting = []string{
		"", "{enabled: false}", "{tiers: {page-slow: {enabled: false}}}", "{runbook: 'https://runbooks.example/a', labels: {team: x}}",
		"{tiers: {drip: {severity: ticket, long: 5h, factor: \"1.5\"}, page-fast: {for: 90s, labels: {a: b}}}, measurementLost: {severity: ticket}}", "{minimumBadEvents: 0}",
	}
	drawnOthers = []string{
		"description: \"Says: # this, and 'that' — 9 °\"", "labels: {tier_of_contract: gold, empty_is: \"no\"}", "missingData: bad", "groupBy: [tenant]",
		"objective: \"99.95\"", "rollupWeight: \"3\"", "partialPeriod: assume_up", "service: other", "escalation: [{notify: [lead]}]",
		"credits: {tiers: [{below: \"99\", percent: \"10\"}]}", "description: |\n        Two\n        lines.\n",
	}
	drawnSpecKeys = []string{
		"timeZone: Europe/Berlin", "period: month", "rollups: [team]", "notIncluded: [\"the customer's network\"]", "alerting: {severities: {page: critical, ticket: warning}}",
		"scope: {per: [account]}", "maintenance: {effect: treat_as_up, windows: [{from: \"2026-12-01T22:00\", to: \"2026-12-02T04:00\"}]}",
		"calendars: {prime: {weekly: [{days: [Mon, Tue], from: \"08:00\", to: \"20:00\"}]}}",
	}
)

func drawnSpec(t *rapid.T) string {
	var b strings.Builder
	for i := range rapid.IntRange(1, 2).Draw(t, "agreements") {
		if i > 0 {
			b.WriteString("---\n")
		}
		fmt.Fprintf(&b, "apiVersion: upheld/v1\nkind: ServiceLevelAgreement\nmetadata:\n  name: a%d\n", i)
		if rapid.Bool().Draw(t, "labels") {
			b.WriteString("  labels: {team: shop}\n  description: What it is\n")
		}
		b.WriteString("spec:\n  contacts: {lead: {description: Who leads}}\n")
		for _, key := range rapid.SliceOfNDistinct(rapid.SampledFrom(drawnSpecKeys), 0, 3, rapid.ID).Draw(t, "spec") {
			b.WriteString("  " + key + "\n")
		}
		b.WriteString("  serviceLevels:\n")
		for j := range rapid.IntRange(1, 3).Draw(t, "levels") {
			fmt.Fprintf(&b, "    - name: l%d\n      target: %q\n", j, rapid.SampledFrom([]string{"99.9", "95", "50", "99.999999999", "1"}).Draw(t, "target"))
			for key, values := range [][]string{drawnIndicators, drawnAggregations, drawnPeriods, drawnAlerting} {
				name := []string{"indicator", "aggregation", "period", "alerting"}[key]
				if value := rapid.SampledFrom(values).Draw(t, name); value != "" {
					fmt.Fprintf(&b, "      %s: %s\n", name, value)
				}
			}
			others := rapid.SliceOfNDistinct(rapid.SampledFrom(drawnOthers), 0, 3, func(s string) string { return s[:5] }).Draw(t, "others")
			for _, key := range others {
				b.WriteString("      " + key + "\n")
			}
		}
	}
	return b.String()
}
