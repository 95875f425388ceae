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
	overview, err := dashboards.PersesOverview(agreements, "upheld")
	if err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "testdata/perses-overview.json", overview)
	text, err := dashboards.PersesAgreement(agreements[0], "upheld")
	if err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "testdata/perses-smallest.json", text)
}

// Perses shows every panel and every query that Grafana shows, of every example.
func TestPersesHasEveryPanelAndQuery(t *testing.T) {
	agreements, findings := spec.Load("../examples/*.yaml", "../examples/*/*.yaml")
	if findings.HasErrors() {
		t.Fatal(findings)
	}
	for _, a := range agreements {
		grafana, err := dashboards.Agreement(a)
		if err != nil {
			t.Fatal(err)
		}
		perses, err := dashboards.PersesAgreement(a, "upheld")
		if err != nil {
			t.Errorf("%s: %v", a.Name, err)
			continue
		}
		if want, got := strings.Count(string(grafana), `"expr": `), strings.Count(string(perses), `"kind": "PrometheusTimeSeriesQuery"`); want != got {
			t.Errorf("%s has %d queries for Grafana and %d for Perses", a.Name, want, got)
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
		if err := json.Unmarshal(perses, &d); err != nil {
			t.Fatal(err)
		}
		placed := 0
		for _, l := range d.Spec.Layouts {
			for _, i := range l.Spec.Items {
				placed++
				if i.X+i.Width > 24 || i.Y < 0 || i.Height <= 0 {
					t.Errorf("%s: a panel is outside of its grid: %+v", a.Name, i)
				}
			}
		}
		if placed != len(d.Spec.Panels) || placed == 0 {
			t.Errorf("%s has %d panels and %d places", a.Name, len(d.Spec.Panels), placed)
		}
	}
}
