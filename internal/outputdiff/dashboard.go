package outputdiff

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// panelWord names a part of a panel. It ignores positions: one more panel moves all
// panels below it.
func panelWord(key string) string {
	switch key {
	case "targets":
		return "queries"
	case "fieldConfig":
		return "units and thresholds"
	case "plugin", "options", "transformations":
		return "display"
	case "datasource":
		return "data source"
	case "type":
		return "kind of panel"
	case "gridPos", "id":
		return ""
	}
	return key
}

// Dashboard describes the differences between two dashboards of Grafana or of Perses.
func Dashboard(was, now []byte) ([]string, error) {
	before, err := readDashboard(was)
	if err != nil {
		return nil, err
	}
	after, err := readDashboard(now)
	if err != nil {
		return nil, err
	}
	words := compare(before.panels, after.panels, keysOf(panelWord))
	words = append(words, compare(before.variables, after.variables, keysOf(itself))...)
	words = append(words, others(before.rest, after.rest)...)
	if len(words) == 0 && !bytes.Equal(was, now) {
		return []string{"only where panels are, and their sizes"}, nil
	}
	return words, nil
}

// dashboard is a dashboard of either tool, taken apart.
type dashboard struct {
	panels, variables []thing
	rest              object
}

func readDashboard(text []byte) (dashboard, error) {
	var root object
	if err := json.Unmarshal(text, &root); err != nil {
		return dashboard{}, fmt.Errorf("this is no dashboard: %w", err)
	}
	if spec, ok := root["spec"].(object); ok && root["kind"] == "Dashboard" {
		return persesDashboard(spec), nil
	}
	d := dashboard{panels: grafanaPanels(root), rest: root}
	if templating, ok := root["templating"].(object); ok {
		for _, v := range list(templating, "list") {
			d.variables = append(d.variables, thing{"variable", scalar(v, "name"), v})
		}
	}
	delete(root, "panels")
	delete(root, "templating")
	return d, nil
}

// grafanaPanels returns all panels, including those in collapsed rows.
func grafanaPanels(of object) []thing {
	var all []thing
	for _, p := range list(of, "panels") {
		within := grafanaPanels(p)
		delete(p, "panels")
		all = append(append(all, thing{"panel", quoted(scalar(p, "title")), p}), within...)
	}
	return all
}

func persesDashboard(spec object) dashboard {
	d := dashboard{rest: spec}
	panels, _ := spec["panels"].(object)
	for _, key := range slices.Sorted(maps.Keys(panels)) {
		panel, _ := panels[key].(object)
		inner, _ := panel["spec"].(object)
		display, _ := inner["display"].(object)
		flat := maps.Clone(inner)
		delete(flat, "display")
		if description := scalar(display, "description"); description != "" {
			flat["description"] = description
		}
		d.panels = append(d.panels, thing{"panel", quoted(scalar(display, "name")), flat})
	}
	for _, v := range list(spec, "variables") {
		inner, _ := v["spec"].(object)
		d.variables = append(d.variables, thing{"variable", scalar(inner, "name"), inner})
	}
	delete(spec, "panels")
	delete(spec, "variables")
	delete(spec, "layouts") // the positions of panels
	return d
}

func quoted(title string) string {
	if title == "" {
		return "without a title"
	}
	return strconv.Quote(title)
}
