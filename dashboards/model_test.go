package dashboards_test

import (
	"encoding/json"
	"fmt"
	"testing"
)

// model is what the tests read of a dashboard, by hand so that a fault in the
// SDK's types cannot hide one of ours.
type model struct {
	UID           string       `json:"uid"`
	Title         string       `json:"title"`
	Tags          []string     `json:"tags"`
	SchemaVersion int          `json:"schemaVersion"`
	Panels        []modelPanel `json:"panels"`
	Links         []modelLink  `json:"links"`
	Templating    struct {
		List []struct {
			Name, Type, Query string
		} `json:"list"`
	} `json:"templating"`
	Annotations struct {
		List []struct {
			Name, Expr string
			Datasource *modelDatasource
		} `json:"list"`
	} `json:"annotations"`
}

type modelPanel struct {
	ID          uint32           `json:"id"`
	Type        string           `json:"type"`
	Title       string           `json:"title"`
	Description string           `json:"description"`
	Collapsed   bool             `json:"collapsed"`
	Datasource  *modelDatasource `json:"datasource"`
	GridPos     struct{ X, Y, W, H int }
	Panels      []modelPanel `json:"panels"`
	Interval    string       `json:"interval"`
	Options     struct {
		Orientation   string `json:"orientation"`
		TextMode      string
		ReduceOptions struct{ Calcs []string }       `json:"reduceOptions"`
		SortBy        []struct{ DisplayName string } `json:"sortBy"`
	} `json:"options"`
	Transformations []struct {
		ID      string `json:"id"`
		Options struct {
			RenameByName  map[string]string `json:"renameByName"`
			ExcludeByName map[string]bool   `json:"excludeByName"`
		} `json:"options"`
	} `json:"transformations"`
	Targets []struct {
		RefID      string           `json:"refId"`
		Legend     string           `json:"legendFormat"`
		Expr       string           `json:"expr"`
		Instant    bool             `json:"instant"`
		Range      bool             `json:"range"`
		Format     string           `json:"format"`
		Datasource *modelDatasource `json:"datasource"`
	} `json:"targets"`
	FieldConfig struct {
		Defaults  map[string]any `json:"defaults"`
		Overrides []struct {
			Matcher    struct{ ID, Options string }
			Properties []struct {
				ID    string `json:"id"`
				Value any    `json:"value"`
			}
		} `json:"overrides"`
	} `json:"fieldConfig"`
}

type modelLink struct {
	Title, URL, Type        string
	IncludeVars, AsDropdown bool
}

type modelDatasource struct{ Type, UID string }

func parse(t *testing.T, text []byte) model {
	t.Helper()
	var m model
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// everyPanel is the panels in order, those inside collapsed rows too.
func (m model) everyPanel() []modelPanel {
	var all []modelPanel
	for _, p := range m.Panels {
		all = append(all, p)
		all = append(all, p.Panels...)
	}
	return all
}

func (p modelPanel) String() string { return fmt.Sprintf("panel %d %q", p.ID, p.Title) }
