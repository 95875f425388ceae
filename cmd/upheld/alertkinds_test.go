package main

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/dashboards"
	"github.com/upheld-sla/upheld/internal/ruletest"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// kindsMade is what everything that ranges over the kinds of alerts makes of
// levels that have all of them.
type kindsMade struct {
	agreement                *sla.Agreement
	rules                    []rulegen.Rule
	files                    []ruletest.File
	explained, board, routes string
}

func makeEveryKind(t *testing.T) kindsMade {
	t.Helper()
	agreements, findings := spec.Load("testdata/every_alert.yaml")
	if findings.HasErrors() {
		t.Fatal(findings)
	}
	m, now := kindsMade{agreement: agreements[0]}, time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	suite := ruletest.New(rulegen.Options{Now: now})
	var groups []string
	if _, err := rulegen.Each(m.agreement, rulegen.Options{Now: now}, func(l rulegen.LevelPlan) error {
		suite.Add(l)
		for _, g := range l.Groups {
			groups, m.rules = append(groups, g.Name), append(m.rules, g.Rules...)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	m.files = suite.Files([]string{"rules.yaml"}, groups)
	var explained strings.Builder
	explainAgreement(&explained, m.agreement, now)
	m.explained = explained.String()
	boards, err := dashboards.Options{}.OfAgreement(m.agreement)
	if err != nil {
		t.Fatal(err)
	}
	routes, _, err := emit.Alertmanager(agreements)
	if err != nil {
		t.Fatal(err)
	}
	m.board, m.routes = string(boards[0].JSON), string(routes)
	return m
}

// TestEveryKindOfAlertIsWhole demands of each kind of alert a place in everything
// that ranges over them.
func TestEveryKindOfAlertIsWhole(t *testing.T) {
	m := makeEveryKind(t)
	alertsPage := page(t, "../../docs/alerts.md")
	for _, k := range sla.AlertKinds {
		t.Run(k.Name, func(t *testing.T) {
			m.inRules(t, k)
			m.inTests(t, k)
			if !strings.Contains(m.routes, k.Name) {
				t.Error("Alertmanager's routes do not take it")
			}
			if k.OfLevels() {
				m.ofLevels(t, k)
			}
			if k.Key != "" && !inSchema(k.Key) {
				t.Errorf("the schema has no key %s", k.Key)
			}
			if k.When == "" && k != sla.AlertBudgetBurn {
				t.Error("pages cannot say when it fires")
			}
			if !strings.Contains(alertsPage, "| `"+k.Name+"` |") {
				t.Error("the table of docs/alerts.md has no line of it")
			}
			if name, heading, _ := strings.Cut(k.Doc, "#"); !hasHeading(page(t, "../../docs/"+name), heading) {
				t.Errorf("docs/%s has no heading %q", name, heading)
			}
		})
	}
}

// inRules demands a rule that says what has happened.
func (m kindsMade) inRules(t *testing.T, k *sla.AlertKind) {
	for _, r := range m.rules {
		if r.Alert != k.Name {
			continue
		}
		if r.Labels["severity"] == "" || r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
			t.Errorf("labels %v, annotations %v", r.Labels, r.Annotations)
		}
		return
	}
	t.Error("no rule raises it")
}

// inTests demands that tests for promtool see it quiet and firing.
func (m kindsMade) inTests(t *testing.T, k *sla.AlertKind) {
	quiet, fires := false, false
	for _, f := range m.files {
		for _, test := range f.Tests {
			for _, a := range test.Expect {
				if strings.Contains(a.Expr, fmt.Sprintf("alertname=%q", k.Name)) {
					quiet, fires = quiet || len(a.Samples) == 0, fires || len(a.Samples) > 0
				}
			}
		}
	}
	if !quiet || !fires {
		t.Errorf("tests for promtool: quiet %v, firing %v", quiet, fires)
	}
}

// ofLevels demands a level that has it, and says so.
func (m kindsMade) ofLevels(t *testing.T, k *sla.AlertKind) {
	if !strings.Contains(m.board, k.Name) {
		t.Error("dashboards do not count it")
	}
	for _, l := range m.agreement.Levels {
		if of := k.Of(l); len(of) > 0 {
			a := of[0]
			for _, words := range a.Words(l) {
				if !strings.Contains(m.explained, " when "+words+"\n") {
					t.Errorf("explain does not say %q", words)
				}
			}
			if len(a.Words(l)) == 0 && k != sla.AlertBudgetBurn {
				t.Error("it has no words")
			}
			return
		}
	}
	t.Error("no level has it")
}

// inSchema reports whether the JSON Schema has a key, by its path.
func inSchema(path string) bool {
	properties := map[string]bool{}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if p, ok := v["properties"].(map[string]any); ok {
				for key := range p {
					properties[key] = true
				}
			}
			for _, below := range v {
				walk(below)
			}
		}
	}
	walk(spec.Schema())
	for key := range strings.SplitSeq(path, ".") {
		if !properties[key] {
			return false
		}
	}
	return true
}

var heading = regexp.MustCompile(`(?m)^#+ (.*)$`)

// hasHeading reports whether a page has a heading that viewers name so.
func hasHeading(text, anchor string) bool {
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		name := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
				return r
			}
			return -1
		}, strings.ToLower(m[1]))
		if name == anchor {
			return true
		}
	}
	return false
}

func page(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes.TrimSpace(text))
}
