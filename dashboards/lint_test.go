package dashboards_test

import (
	"slices"
	"strings"
	"testing"
)

// The SDK takes any panel type, unit and setting; these are the ones that
// Grafana 9 and later know and that the dashboards use.
var (
	knownPanels    = []string{"row", "stat", "gauge", "timeseries", "state-timeline", "table", "heatmap"}
	knownUnits     = []string{"percentunit", "s", "reqps", "cpm", "short", "suffix:x", "suffix: h", "percent", "m"}
	knownSettings  = []string{"displayName", "unit", "decimals", "noValue", "thresholds", "color", "links", "mappings", "custom.displayMode", "custom.cellOptions", "custom.width", "custom.hidden", "custom.lineStyle"}
	knownDefaults  = []string{"unit", "decimals", "min", "max", "noValue", "thresholds", "color", "mappings", "custom"}
	knownColors    = []string{"green", "yellow", "orange", "red", "blue", "purple", "text"}
	knownMatchers  = []string{"byName"}
	withoutUnit    = []string{"row", "table", "state-timeline"}
	graphsOverTime = []string{"timeseries", "state-timeline", "heatmap"}
)

func TestLint(t *testing.T) {
	for name, text := range made(t) {
		t.Run(name, func(t *testing.T) {
			m := parse(t, text)
			if m.SchemaVersion < 36 || m.Title == "" || !slices.Equal(m.Tags, []string{"upheld"}) {
				t.Errorf("schema %d, title %q, tags %v", m.SchemaVersion, m.Title, m.Tags)
			}
			if len(m.Templating.List) == 0 || m.Templating.List[0].Name != "datasource" || m.Templating.List[0].Query != "prometheus" {
				t.Errorf("the first variable is not the Prometheus data source: %+v", m.Templating.List)
			}
			seen := map[uint32]bool{}
			for _, p := range m.everyPanel() {
				if p.ID == 0 || p.ID > 1<<31-1 || seen[p.ID] {
					t.Errorf("%s: its id is 0, too big or not its own", p)
				}
				seen[p.ID] = true
				lintPanel(t, p)
			}
			lintGrid(t, m)
			lintColors(t, text)
		})
	}
}

func lintPanel(t *testing.T, p modelPanel) {
	if !slices.Contains(knownPanels, p.Type) || p.Title == "" {
		t.Errorf("%s: type %q", p, p.Type)
	}
	if p.Type == "row" {
		return
	}
	if p.Description == "" || len(p.Targets) == 0 {
		t.Errorf("%s: has no description or no query", p)
	}
	lintDatasource(t, p, p.Datasource)
	refs := map[string]bool{}
	for _, q := range p.Targets {
		if q.RefID == "" || refs[q.RefID] {
			t.Errorf("%s: refId %q is empty or used twice", p, q.RefID)
		}
		refs[q.RefID] = true
		lintDatasource(t, p, q.Datasource)
		if q.Instant == q.Range || q.Range != slices.Contains(graphsOverTime, p.Type) && p.Title != "Outages that ended" {
			t.Errorf("%s: %s is asked instant=%v range=%v", p, q.RefID, q.Instant, q.Range)
		}
		if (q.Format == "table") != (p.Type == "table") {
			t.Errorf("%s: %s has format %q", p, q.RefID, q.Format)
		}
	}
	lintFields(t, p)
}

func lintDatasource(t *testing.T, p modelPanel, d *modelDatasource) {
	if d == nil || d.Type != "prometheus" || d.UID != "${datasource}" {
		t.Errorf("%s: data source is %+v, not the variable", p, d)
	}
}

func lintFields(t *testing.T, p modelPanel) {
	for key := range p.FieldConfig.Defaults {
		if !slices.Contains(knownDefaults, key) {
			t.Errorf("%s: unknown field setting %q", p, key)
		}
	}
	unit, has := p.FieldConfig.Defaults["unit"].(string)
	if has && !slices.Contains(knownUnits, unit) || !has && !slices.Contains(withoutUnit, p.Type) {
		t.Errorf("%s: unit %q", p, unit)
	}
	if no, _ := p.FieldConfig.Defaults["noValue"].(string); no == "" {
		t.Errorf("%s: does not say what it means to have no data", p)
	}
	for _, o := range p.FieldConfig.Overrides {
		if !slices.Contains(knownMatchers, o.Matcher.ID) {
			t.Errorf("%s: unknown matcher %q", p, o.Matcher.ID)
		}
		for _, s := range o.Properties {
			if !slices.Contains(knownSettings, s.ID) {
				t.Errorf("%s: unknown setting %q", p, s.ID)
			}
			if s.ID == "unit" && !slices.Contains(knownUnits, s.Value.(string)) {
				t.Errorf("%s: unknown unit %q", p, s.Value)
			}
		}
	}
}

// lintColors looks at every "color" and "fixedColor" of the text that is a string.
func lintColors(t *testing.T, text []byte) {
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		if key != `"color"` && key != `"fixedColor"` || strings.HasPrefix(value, "{") {
			continue
		}
		if color := strings.Trim(value, `",`); !slices.Contains(knownColors, color) {
			t.Errorf("unknown colour %q", color)
		}
	}
}

// lintGrid finds panels that overlap or stand outside the 24 columns. A
// collapsed row's panels are compared among themselves, below their row.
func lintGrid(t *testing.T, m model) {
	overlap := func(panels []modelPanel) {
		for i, p := range panels {
			g := p.GridPos
			if g.W < 1 || g.H < 1 || g.X < 0 || g.X+g.W > 24 {
				t.Errorf("%s: stands at %+v", p, g)
			}
			for _, q := range panels[:i] {
				h := q.GridPos
				if g.X < h.X+h.W && h.X < g.X+g.W && g.Y < h.Y+h.H && h.Y < g.Y+g.H {
					t.Errorf("%s overlaps %s", p, q)
				}
			}
		}
	}
	overlap(m.Panels)
	for _, row := range m.Panels {
		if row.Type != "row" {
			continue
		}
		if row.Collapsed != (len(row.Panels) > 0) {
			t.Errorf("%s: collapsed is %v but it holds %d panels", row, row.Collapsed, len(row.Panels))
		}
		overlap(row.Panels)
		for _, p := range row.Panels {
			if p.GridPos.Y <= row.GridPos.Y {
				t.Errorf("%s stands above its row", p)
			}
		}
	}
}
