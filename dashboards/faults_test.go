package dashboards_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Faults that boards once had. Each is looked for in every panel of every board.
var panelFaults = map[string]func(t *testing.T, p modelPanel){
	"draws only the first of several values": func(t *testing.T, p modelPanel) {
		if (p.Type == "stat" || p.Type == "gauge") && p.Options.Orientation != "auto" {
			t.Errorf("%s: orientation %q", p, p.Options.Orientation)
		}
	},
	"loses states between two steps": func(t *testing.T, p modelPanel) {
		if p.Type != "state-timeline" {
			return
		}
		if p.Interval != "1m" {
			t.Errorf("%s: its shortest step is %q, which may hold no evaluation", p, p.Interval)
		}
		for _, q := range p.Targets {
			for _, state := range []string{"ALERTS", "sla:composite_node:bad", "sla:service:state", "last_outcome"} {
				if strings.Contains(atTheStep(q.Expr), state) {
					t.Errorf("%s, %s: %s is read at the step only: %.200s", p, q.RefID, state, q.Expr)
				}
			}
		}
	},
	"loses short outages between two steps": func(t *testing.T, p modelPanel) {
		for _, q := range p.Targets {
			for _, rate := range []string{"sla:error:ratio_rate5m", "sla:bad:rate", "sla:total:rate"} {
				if p.Type == "timeseries" && strings.Contains(atTheStep(q.Expr), rate) {
					t.Errorf("%s, %s: %s is read at the step only: %.200s", p, q.RefID, rate, q.Expr)
				}
			}
		}
	},
	"is blank where there is no data": func(t *testing.T, p modelPanel) {
		if p.Options.TextMode == "name" {
			t.Errorf("%s: without a value there is no name, and no text that says so", p)
		}
	},
	"draws one outage as many": func(t *testing.T, p modelPanel) {
		for _, q := range p.Targets {
			if q.Range && regexp.MustCompile(`(sum_over_time|increase)\(.*\[\d`).MatchString(q.Expr) {
				t.Errorf("%s, %s: sums over a fixed range, of which steps have many: %s", p, q.RefID, q.Expr)
			}
		}
	},
	"gives a colour to what is not known": func(t *testing.T, p modelPanel) {
		steps := [][]any{stepsOf(p.FieldConfig.Defaults["thresholds"])}
		for _, o := range p.FieldConfig.Overrides {
			for _, s := range o.Properties {
				if s.ID == "thresholds" {
					steps = append(steps, stepsOf(s.Value))
				}
			}
		}
		for _, of := range steps {
			if len(of) > 0 && of[0].(map[string]any)["color"] != "text" {
				t.Errorf("%s: the colour below all thresholds, which no value has too, is %v", p, of[0])
			}
		}
		for _, q := range p.Targets {
			if strings.Contains(q.Expr, "vector(0)") {
				t.Errorf("%s, %s: 0 where nothing is known: %s", p, q.RefID, q.Expr)
			}
		}
	},
	"shows a raw table": func(t *testing.T, p modelPanel) {
		if p.Type != "table" {
			return
		}
		if len(p.Options.SortBy) != 1 || len(p.Transformations) == 0 {
			t.Fatalf("%s: sorted by %v, transformed by %v", p, p.Options.SortBy, p.Transformations)
		}
		organize := p.Transformations[len(p.Transformations)-1].Options
		if !organize.ExcludeByName["Time"] && organize.RenameByName["Time"] == "" {
			t.Errorf("%s: shows the time of the query", p)
		}
		names := slices.Collect(maps.Values(organize.RenameByName))
		for _, name := range names {
			if name == "" || strings.Contains(name, "_") || strings.ToUpper(name[:1]) != name[:1] {
				t.Errorf("%s: column %q", p, name)
			}
		}
		if !slices.Contains(names, p.Options.SortBy[0].DisplayName) {
			t.Errorf("%s: sorted by %q, columns are %q", p, p.Options.SortBy[0].DisplayName, names)
		}
	},
	"has decimals on its axis": func(t *testing.T, p modelPanel) {
		if p.Type == "timeseries" && p.FieldConfig.Defaults["decimals"] != nil {
			t.Errorf("%s: 80 %% is 80.000 %% on its axis", p)
		}
	},
	"fills areas above each other": func(t *testing.T, p modelPanel) {
		custom, _ := p.FieldConfig.Defaults["custom"].(map[string]any)
		if p.Type == "timeseries" && custom["stacking"] == nil && custom["fillOpacity"] != 0.0 {
			t.Errorf("%s: filled by %v", p, custom["fillOpacity"])
		}
	},
	"colours failures green": func(t *testing.T, p modelPanel) {
		color, _ := p.FieldConfig.Defaults["color"].(map[string]any)
		for _, q := range p.Targets {
			if strings.Contains(q.Expr, "failures_total") && (color["mode"] != "shades" || color["fixedColor"] != "red") {
				t.Errorf("%s: in colours of the palette, of which the first is green", p)
			}
		}
	},
	"loses the data source": func(t *testing.T, p modelPanel) {
		for _, o := range p.FieldConfig.Overrides {
			for _, s := range o.Properties {
				if s.ID != "links" {
					continue
				}
				for _, link := range s.Value.([]any) {
					if url := link.(map[string]any)["url"].(string); strings.HasPrefix(url, "/d/") && !strings.Contains(url, "?${datasource:queryparam}") {
						t.Errorf("%s: %s", p, url)
					}
				}
			}
		}
	},
}

// overTheStep reads a series over a whole step of a graph.
var overTheStep = regexp.MustCompile(`(?:max|avg)_over_time\(([^\[]*)\[\$__interval\]\)`)

// atTheStep is what a query reads at the end of each step only. A series may be read there,
// too, for steps in which it has no sample.
func atTheStep(expr string) string {
	for _, found := range overTheStep.FindAllStringSubmatch(expr, -1) {
		expr = strings.Replace(expr, found[0]+" or "+found[1], "", 1)
	}
	return overTheStep.ReplaceAllString(expr, "")
}

func stepsOf(thresholds any) []any {
	of, _ := thresholds.(map[string]any)
	steps, _ := of["steps"].([]any)
	return steps
}

func TestFaultsStayMended(t *testing.T) {
	boards := made(t)
	for fault, look := range panelFaults {
		t.Run(fault, func(t *testing.T) {
			for name, text := range boards {
				t.Run(name, func(t *testing.T) {
					for _, p := range parse(t, text).everyPanel() {
						look(t, p)
					}
				})
			}
		})
	}
}

// Every link to another board carries the chosen data source.
func TestLinksCarryTheDataSource(t *testing.T) {
	for name, text := range made(t) {
		for _, l := range parse(t, text).Links {
			if l.Type == "dashboards" && !l.IncludeVars {
				t.Errorf("%s: the menu %q leaves it behind", name, l.Title)
			}
			if strings.HasPrefix(l.URL, "/d/") && !strings.Contains(l.URL, "${datasource:queryparam}") {
				t.Errorf("%s: the link %q leaves it behind", name, l.Title)
			}
		}
	}
}
