package rulediff

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const before = `groups:
  - name: upheld:shop:web:up
    interval: 1m
    rules:
      - record: sla:target:ratio
        expr: vector(0.999)
        labels: {sla: shop, service: web, slo: up}
      - record: sla:burn_tier:ratio
        expr: |-
          (sla:error:ratio_rate1h{slo="up"} > 0.0144)
          and
          (sla:error:ratio_rate5m{slo="up"} > 0.0144)
        labels: {sla: shop, service: web, slo: up, tier: page-fast}
      - record: sla:burn_tier:ratio
        expr: sla:error:ratio_rate6h > 0.006
        labels: {sla: shop, service: web, slo: up, tier: page-slow}
      - alert: SLABudgetBurn
        expr: max(sla:burn_tier:ratio) > 0
        for: 5m
        labels: {sla: shop, service: web, slo: up, severity: page}
        annotations: {summary: up is bad, description: by 0.1 %}
  - name: upheld:shop:mail:up
    interval: 1m
    rules:
      - record: sla:target:ratio
        expr: vector(0.9)
        labels: {sla: shop, service: mail, slo: up}
`

// The same as objects of Kubernetes, with what a person would change.
const after = `apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
spec:
  groups:
    - name: upheld:shop:web:up
      interval: 30s
      rules:
        - record: sla:target:ratio
          expr: vector(0.9995)
          labels: {sla: shop, service: web, slo: up, region: east}
        - record: sla:burn_tier:ratio
          expr: (sla:error:ratio_rate2h{slo="up"} > 0.0072) and (sla:error:ratio_rate5m{slo="up"} > 0.0072)
          labels: {sla: shop, service: web, slo: up, tier: page-fast}
        - alert: SLABudgetBurn
          expr: max(sla:burn_tier:ratio) > 0
          keep_firing_for: 1m
          labels: {sla: shop, service: web, slo: up, severity: critical}
          annotations: {summary: up is bad, description: by 0.05 %}
---
spec:
  groups:
    - name: upheld:shop:dns:up
      interval: 1m
      rules:
        - record: sla:target:ratio
          expr: vector(0.99)
          labels: {sla: shop, service: dns, slo: up}
        - record: sla:total:rate5m
          expr: count(a) or vector(1)
`

func groups(t *testing.T, text string) []Group {
	t.Helper()
	all, err := Read([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func words(d Difference) []string {
	var all []string
	for _, c := range d.Rules {
		line := string(c.Kind) + " " + c.Level() + " " + c.Name()
		for _, w := range c.Words {
			line += "; " + w
		}
		all = append(all, line)
	}
	return append(all, d.Groups...)
}

func TestWhatChangedIsSaidInWords(t *testing.T) {
	d := Compare(groups(t, before), groups(t, after))
	want := []string{
		"added  sla:total:rate5m",
		"added shop dns/up sla:target:ratio",
		"removed shop mail/up sla:target:ratio",
		"changed shop web/up sla:target:ratio; target share 99.9 % -> 99.95 %; label region=east is new",
		"changed shop web/up sla:burn_tier:ratio tier=page-fast; window 1h -> 2h; threshold of page-fast 1.44 % -> 0.72 %",
		"changed shop web/up alert SLABudgetBurn severity=critical; for 5m -> none; keep_firing_for none -> 1m; label severity page -> critical; text of description",
		"removed shop web/up sla:burn_tier:ratio tier=page-slow",
		"interval of group upheld:shop:web:up 1m -> 30s",
		"group upheld:shop:dns:up is new",
		"group upheld:shop:mail:up is gone",
	}
	if diff := cmp.Diff(want, words(d)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"shop dns/up"}, d.NewLevels); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"shop mail/up"}, d.GoneLevels); diff != "" {
		t.Error(diff)
	}
}

func TestSameRulesInAnotherLayoutAreNoChange(t *testing.T) {
	a := "groups: [{name: a, rules: [{record: b, expr: \"(\\n  c\\n  +\\n  d\\n)\"}]}]"
	b := "spec: {groups: [{name: a, rules: [{record: b, expr: (c + d)}]}]}"
	if d := Compare(groups(t, a), groups(t, b)); !d.Empty() {
		t.Error(words(d))
	}
}

// A server may print a duration in another way, and what has no label may have an empty list of them.
func TestSameRulesInAnotherSpellingAreNoChange(t *testing.T) {
	a := "groups: [{name: a, interval: 90s, rules: [{alert: b, expr: c, for: 120s, keep_firing_for: 0s}]}]"
	b := "groups: [{name: a, interval: 1m30s, labels: {}, rules: [{alert: b, expr: c, for: 2m, labels: {}}]}]"
	if d := Compare(groups(t, a), groups(t, b)); !d.Empty() || !Same(groups(t, a)[0], groups(t, b)[0]) {
		t.Error(words(d))
	}
}

// White space within a string is no layout: it decides which series are found.
func TestStringsAreNoLayout(t *testing.T) {
	for _, exprs := range [][2]string{{`a{b="c  d"}`, `a{b="c d"}`}, {`a{b="( c"}`, `a{b="(c"}`}, {"a{b=`c\nd`}", "a{b=`c d`}"}, {`a{b="\"  c"}`, `a{b="\" c"}`}} {
		was, now := Rule{Record: "r", Expr: exprs[0]}, Rule{Record: "r", Expr: exprs[1]}
		if len(differences(&was, &now)) == 0 {
			t.Errorf("%s is taken for %s", exprs[0], exprs[1])
		}
	}
}

func TestLabelsOfGroupsAreSaid(t *testing.T) {
	a := "groups: [{name: a, labels: {team: x, by: hand}, rules: [{record: b, expr: c}]}]"
	b := "groups: [{name: a, labels: {team: y}, rules: [{record: b, expr: c}]}]"
	want := []string{"label by=hand is gone of all rules of group a", "label team x -> y of all rules of group a"}
	if diff := cmp.Diff(want, words(Compare(groups(t, a), groups(t, b)))); diff != "" {
		t.Error(diff)
	}
	if Same(groups(t, a)[0], groups(t, b)[0]) {
		t.Error("another label of a group is no reason to set it")
	}
}

// A rule that moves to a group of another name begins to wait again.
func TestMovedRulesAreSaid(t *testing.T) {
	a := "groups: [{name: a, rules: [{alert: b, expr: c}]}]"
	b := "groups: [{name: d, rules: [{alert: b, expr: c}]}]"
	want := []string{"changed  alert b; group a -> d", "group d is new", "group a is gone"}
	if diff := cmp.Diff(want, words(Compare(groups(t, a), groups(t, b)))); diff != "" {
		t.Error(diff)
	}
}

// Rules of one name and without labels are told apart by their group and order.
func TestTwinsArePairedInOrder(t *testing.T) {
	a := "groups: [{name: a, rules: [{record: b, expr: c}, {record: b, expr: d}]}]"
	b := "groups: [{name: a, rules: [{record: b, expr: c}, {record: b, expr: e}]}]"
	want := []string{"changed  b; another expression"}
	if diff := cmp.Diff(want, words(Compare(groups(t, a), groups(t, b)))); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsNoRulesIsAnError(t *testing.T) {
	for _, text := range []string{"groups: 1", "a: b: c", "- 1", "groups: [{rules: [{labels: 1}]}]"} {
		if _, err := Read([]byte(text)); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}
