package outputdiff

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGrafanaDashboards(t *testing.T) {
	was := `{"title": "Shop", "refresh": "1m", "templating": {"list": [{"name": "slo", "multi": true}, {"name": "old"}]}, "panels": [
		{"id": 1, "type": "stat", "title": "State", "targets": [{"expr": "a"}], "gridPos": {"y": 0}},
		{"id": 2, "type": "row", "title": "More", "panels": [{"id": 3, "title": "Within", "options": {"a": 1}, "fieldConfig": {"unit": "s"}}]},
		{"id": 4, "type": "text", "title": "Notes"},
		{"id": 5, "type": "text", "content": "x"}]}`
	now := `{"title": "Shop", "refresh": "5m", "links": [], "templating": {"list": [{"name": "slo"}, {"name": "service"}]}, "panels": [
		{"id": 9, "type": "stat", "title": "Budget"},
		{"id": 1, "type": "gauge", "title": "State", "targets": [{"expr": "b"}], "gridPos": {"y": 8}},
		{"id": 2, "type": "row", "title": "More", "panels": [{"id": 3, "title": "Within", "options": {"a": 2}, "transformations": [], "fieldConfig": {"unit": "ms"}}]},
		{"id": 5, "type": "text", "content": "y"}]}`
	wantWords(t, Dashboard, was, now,
		`panel "Budget" is new`,
		`panel "State": queries, kind of panel`,
		`panel "Within": units and thresholds, display`,
		`panel without a title: content`,
		`panel "Notes" is gone`,
		`variable slo: multi`,
		`variable service is new`,
		`variable old is gone`,
		`other keys: links, refresh`)
}

// That panels moved is said only if nothing else changed, since one more moves all below it.
func TestMovedPanels(t *testing.T) {
	wantWords(t, Dashboard, `{"panels": [{"id": 1, "title": "a", "gridPos": {"y": 0}}, {"title": "a", "b": 1}]}`, `{"panels": [{"id": 2, "title": "a", "gridPos": {"y": 8}}, {"title": "a", "b": 1}]}`, "only where panels are, and their sizes")
	wantWords(t, Dashboard, `{"panels": []}`, `{"panels": []}`)
}

func TestPersesDashboards(t *testing.T) {
	was := `{"kind": "Dashboard", "spec": {"duration": "1h", "layouts": [1], "variables": [{"kind": "ListVariable", "spec": {"name": "slo"}}],
		"panels": {"p1": {"kind": "Panel", "spec": {"display": {"name": "State", "description": "a"}, "plugin": {"kind": "Table"}, "queries": [1]}}, "p2": {"spec": {"display": {"name": "Old"}}}}}}`
	now := `{"kind": "Dashboard", "spec": {"duration": "2h", "layouts": [2], "variables": [{"kind": "ListVariable", "spec": {"name": "slo", "sort": "none"}}],
		"panels": {"p7": {"kind": "Panel", "spec": {"display": {"name": "State", "description": "b"}, "plugin": {"kind": "Table"}, "queries": [2]}}}}}`
	wantWords(t, Dashboard, was, now, `panel "State": description, queries`, `panel "Old" is gone`, `variable slo: sort`, `other keys: duration`)
}

func TestAlertmanagerConfigurations(t *testing.T) {
	was := `
global: {smtp_from: a@b.example}
route:
  receiver: all
  group_by: [alertname]
  routes:
    - matchers: ['alertname=~"SLABudgetBurn|SLABudgetExhausted|SLABudgetForecast|SLAMeasurementLost"', 'sla=~"shop|bank"']
      receiver: ticket
      routes:
        - {matchers: ['severity="page"'], receiver: page, group_wait: 30s}
        - {matchers: ['severity="ticket"'], receiver: ticket}
    - {match: {team: db}, match_re: {env: prod.*}, receiver: db}
receivers: [{name: page, webhook_configs: [{url: "https://old.example/SECRET"}]}, {name: all}, {name: db}]
inhibit_rules: [{source_matchers: ['severity="page"'], target_matchers: ['severity="ticket"'], equal: [sla]}, {source_match: {a: b}, target_match: {c: d}}]
time_intervals: [{name: nights, time_intervals: []}]
`
	now := `
global: {smtp_from: c@b.example}
templates: [upheld.tmpl]
route:
  receiver: all
  group_by: [alertname, sla]
  routes:
    - matchers: ['alertname=~"SLABudgetBurn|SLABudgetExhausted|SLABudgetForecast|SLAMeasurementLost"', 'sla=~"shop|bank|plain"']
      receiver: ticket
      routes:
        - {matchers: ['severity="page"'], receiver: page, group_wait: 10s, continue: true}
        - {matchers: ['severity="urgent"'], receiver: urgent}
receivers: [{name: page, webhook_configs: [{url: "https://new.example/SECRET"}]}, {name: all}, {name: urgent}]
inhibit_rules: [{source_matchers: ['severity="page"'], target_matchers: ['severity="ticket"'], equal: [sla, slo]}]
time_intervals: [{name: nights, time_intervals: [{weekdays: [sunday]}]}, {name: days}]
`
	wantWords(t, Alertmanager, was, now,
		`the root route: group_by [alertname] -> [alertname, sla]`,
		`route sla=~"shop|bank": matches sla=~"shop|bank" -> sla=~"shop|bank|plain"`,
		`route sla=~"shop|bank" > severity="page": continue none -> true, group_wait 30s -> 10s`,
		`route sla=~"shop|bank" > severity="urgent" is new`,
		`route sla=~"shop|bank" > severity="ticket" is gone`,
		`route team="db", env=~"prod.*" is gone`,
		`receiver page: webhook_configs`,
		`receiver urgent is new`,
		`receiver db is gone`,
		`inhibition of severity="ticket" by severity="page": equal`,
		`inhibition of c="d" by a="b" is gone`,
		`time interval nights: time_intervals`,
		`time interval days is new`,
		`other keys: global, templates`)
}

// A matcher more or less is said of the route that has it, if it is told by nothing else.
func TestMatchersMoreAndLess(t *testing.T) {
	const form = `route: {receiver: a, routes: [{receiver: b, matchers: ['x=~"a"'%s]}]}`
	wantWords(t, Alertmanager, strings.Replace(form, "%s", "", 1), strings.Replace(form, "%s", `, 'x!="ab"'`, 1), `route x=~"a", x!="ab" is new`, `route x=~"a" is gone`)
	wantWords(t, Alertmanager, `route: {routes: [{receiver: b}, {receiver: b}]}`, `route: {routes: [{receiver: b}]}`, `route of everything is gone`)
	wantWords(t, Alertmanager, `route: {receiver: a, matchers: ['y="1"']}`, `route: {receiver: a}`, `the root route: does not have to match y="1" any more`)
	wantWords(t, Alertmanager, `route: {receiver: a}`, `route: {receiver: a, matchers: ['y="1"']}`, `the root route: must match y="1", too`)
}

func TestNothingDiffers(t *testing.T) {
	wantWords(t, Alertmanager, "route: {receiver: a, routes: [{matchers: ['a=\"b\"']}]}\n", "# a comment\nroute:\n  routes: [{matchers: ['a=\"b\"']}]\n  receiver: a\n")
	wantWords(t, Alertmanager, "", "")
}

func TestWhatCannotBeRead(t *testing.T) {
	for _, text := range []string{"", "[]", "{", "1"} {
		if _, err := Dashboard([]byte(text), []byte("{}")); err == nil {
			t.Errorf("%q is taken for a dashboard", text)
		}
	}
	for _, text := range []string{"a: b: c", "[1]", "1"} {
		if _, err := Alertmanager([]byte("{}"), []byte(text)); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q is taken for a configuration: %v", text, err)
		}
	}
	// Wrong types are read as if they were not there.
	for _, text := range []string{`{"panels": 1, "templating": []}`, `{"panels": [1, {"panels": "a", "title": []}], "templating": {"list": [null]}}`, `{"kind": "Dashboard", "spec": {"panels": {"a": 1}, "variables": [{}]}}`} {
		if _, err := Dashboard([]byte(text), []byte("{}")); err != nil {
			t.Error(err)
		}
	}
	for _, text := range []string{"route: 1", "route: {routes: [1, {matchers: 1, match: [a]}]}", "receivers: {a: b}", "inhibit_rules: [1, {}]", "route: {matchers: [1, ~]}"} {
		if _, err := Alertmanager([]byte(text), []byte("{}")); err != nil {
			t.Error(err)
		}
	}
}

func wantWords(t *testing.T, words func(was, now []byte) ([]string, error), was, now string, want ...string) {
	t.Helper()
	got, err := words([]byte(was), []byte(now))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
