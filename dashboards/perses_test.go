package dashboards_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/upheld-sla/upheld/dashboards"
	"github.com/upheld-sla/upheld/internal/golden"
	"github.com/upheld-sla/upheld/sla/spec"
)

func TestPersesGolden(t *testing.T) {
	agreements, findings := spec.Load("../examples/smallest.yaml")
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	overview, err := dashboards.Options{}.PersesOverview(agreements, "upheld")
	if err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "testdata/perses-overview.json", overview)
	boards, err := dashboards.Options{}.PersesOfAgreement(agreements[0], "upheld")
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range boards {
		golden.Equal(t, "testdata/perses-"+b.File, b.JSON)
	}
}

// Perses shows every panel and every query that Grafana shows, of every example.
func TestPersesHasEveryPanelAndQuery(t *testing.T) {
	agreements, findings := spec.Load("../examples/*.yaml", "../examples/*/*.yaml")
	if findings.HasErrors() {
		t.Fatal(findings)
	}
	for _, a := range agreements {
		grafana, err := dashboards.Options{}.OfAgreement(a)
		if err != nil {
			t.Fatal(err)
		}
		perses, err := dashboards.Options{}.PersesOfAgreement(a, "upheld")
		if err != nil {
			t.Errorf("%s: %v", a.Name, err)
			continue
		}
		for i := range grafana {
			comparePerses(t, grafana[i], perses[i])
		}
	}
}

func comparePerses(t *testing.T, grafana, perses dashboards.Board) {
	queries := 0
	for _, p := range parse(t, grafana.JSON).everyPanel() {
		if p.Type != "heatmap" {
			queries += len(p.Targets)
		}
	}
	if got := strings.Count(string(perses.JSON), `"kind": "PrometheusTimeSeriesQuery"`); queries != got {
		t.Errorf("%s has %d queries for Grafana and %d for Perses", grafana.File, queries, got)
	}
	var d struct {
		Spec struct {
			Panels  map[string]any
			Layouts []struct {
				Spec struct {
					Items []struct{ X, Y, Width, Height int }
				}
			}
		}
	}
	if err := json.Unmarshal(perses.JSON, &d); err != nil {
		t.Fatal(err)
	}
	placed := 0
	for _, l := range d.Spec.Layouts {
		for _, i := range l.Spec.Items {
			placed++
			if i.X+i.Width > 24 || i.Y < 0 || i.Height <= 0 {
				t.Errorf("%s: a panel is outside of its grid: %+v", grafana.File, i)
			}
		}
	}
	if placed != len(d.Spec.Panels) || placed == 0 {
		t.Errorf("%s has %d panels and %d places", grafana.File, len(d.Spec.Panels), placed)
	}
}
