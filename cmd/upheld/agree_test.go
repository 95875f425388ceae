package main

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/upheld-sla/upheld/dashboards"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// texts are what people, and people in a hurry, write where an agreement takes
// free text that ends up in something generated.
func texts(kinds ...string) *rapid.Generator[string] {
	parts := append([]string{
		"plain", " ", "é", "\n", "\t", "'", `"`, `\`, "#", ": ", "- ", "%", "{", "}", "<", "&", "\u0001", "\u2028", "true", "0x1f", "2026-01-01", "~", "null", "|", ">", "$", "`",
	}, kinds...)
	return rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom(parts), 1, 4).Draw(t, "parts"), "")
	})
}

var templateParts = []string{
	"{{ $value }}", "{{ $value | humanizePercentage }}", "{{ $value | humanizePercent }}", "{{ $labels.slo }}", "{{ $lables.slo }}", "{{", "}}", "{{ end }}", "{{ if $value }}x{{ end }}",
	"{{ .Labels.slo }}", "{{ .Labls }}", "{{ now }}", "{{- /* c */ -}}", `{{ printf "%s" "x" }}`, "{{ printf `x` }}", `{{ template "x" }}`, `{{ define "x" }}y{{ end }}`, "{{ $x := 1 }}{{ $x }}", "{{ $x }}",
}

// What check accepts, generate makes every file of: there is no text that one
// takes and the other calls a fault of upheld.
func TestGenerateTakesWhatCheckAccepts(t *testing.T) {
	free, template := texts(), texts(templateParts...)
	selectors := rapid.SampledFrom([]string{
		`t`, `{"a.b"}`, `{__name__="t"}`, `{__name__="a.b",c="d"}`, `t{"le.x"="y"}`, `t{a="\n\"\\é"}`, `t{a=~"x|y\\.z"}`, `t + {"a.b"}`, `{__name__=~"a|b"}`, `{"t"}`, `{"",a="b"}`, `t{a="{{"}`, `t{__name__!="u"}`,
	})
	conditions := rapid.SampledFrom([]string{
		`t < 5`, `{"a.b"} < 5 and t > 1`, `max by ("le.x") (t) < 5`, `t < scalar({"a.b"})`, `(t < bool 5) == 1`, `t @ start() < 5`, `t offset -5m < 5`, `-t < -5`, `t < -Inf`, `t ^ 2 ^ 2 < 5`, `t < on ("a b") group_left u`,
		`histogram_quantile(0.9, sum by (le) (rate({"a.b"}[5m]))) < 0.5`, `t[5m:1m] < 1`, `label_replace(t, "a", "$1", "b", "(.*)") < 5`, `t < NaN`, `absent(t) or vector(0) < 1`, `timestamp(t) > time() - 60`,
	})
	made := 0
	rapid.Check(t, func(t *rapid.T) {
		indicator, group := "", ""
		switch rapid.IntRange(0, 2).Draw(t, "kind") {
		case 0:
			indicator = fmt.Sprintf("{events: {bad: %s, total: %s}}", strconv.Quote(selectors.Draw(t, "bad")), strconv.Quote(selectors.Draw(t, "total")))
			group = fmt.Sprintf("groupBy: {labels: [tenant], targets: [{match: {tenant: %s}, target: \"99.9\", required: true}]}", quoted(t, template))
		case 1:
			indicator = fmt.Sprintf("{latency: {histogram: %s, threshold: 300ms}}", strconv.Quote(selectors.Draw(t, "histogram")))
		default:
			indicator = fmt.Sprintf("{condition: {expr: %s}}", strconv.Quote(conditions.Draw(t, "condition")))
		}
		text := fmt.Sprintf(`apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop, description: %s}
spec:
  serviceLevels:
    - name: a
      service: api
      description: %s
      indicator: %s
      target: "99"
      %s
      labels: {team: %s}
      alerting:
        runbook: %s
        labels: {channel: %s}
        annotations: {summary: %s, more: %s}
        measurementLost: {severity: %s, labels: {who: %s}}
`, quoted(t, free), quoted(t, free), indicator, group, quoted(t, template), quoted(t, rapid.Map(template, func(s string) string { return "https://x.example/" + s })), quoted(t, template), quoted(t, template), quoted(t, template),
			quoted(t, template), quoted(t, template))
		agreements, findings := spec.LoadText("spec.yaml", text)
		if findings.HasErrors() {
			return
		}
		plan, found := rulegen.Compile(agreements[0], rulegen.Options{})
		if found.HasErrors() {
			return
		}
		made++
		makeAll(t, text, agreements, plan)
	})
	if made == 0 {
		t.Error("nothing was accepted, so nothing was tried")
	}
}

// quoted is a text, mostly a plain one: with everything odd at once nothing
// would be accepted.
func quoted(t *rapid.T, from *rapid.Generator[string]) string {
	if rapid.IntRange(0, 9).Draw(t, "odd") < 8 {
		return "https://x.example/plain"
	}
	return strconv.Quote(from.Draw(t, "text"))
}

// makeAll makes every file, as generate does.
func makeAll(t *rapid.T, text string, agreements []*sla.Agreement, plan *rulegen.Plan) {
	for what, make := range map[string]func() error{
		"rules":        func() error { _, err := emit.Prometheus(plan); return err },
		"dashboard":    func() error { _, err := dashboards.Options{}.OfAgreement(agreements[0]); return err },
		"overview":     func() error { _, err := dashboards.Options{}.Overview(agreements); return err },
		"alertmanager": func() error { _, _, err := emit.Alertmanager(agreements); return err },
		"scrape": func() error {
			_, err := emit.Scrape(agreements, emit.ScrapeOptions{Exporters: []string{"localhost:9799"}})
			return err
		},
	} {
		if err := make(); err != nil {
			t.Fatalf("%s\n%s: %v", text, what, err)
		}
	}
}
