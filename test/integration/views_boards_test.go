//go:build integration

package integration

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/upheld-sla/upheld/dashboards"
	"github.com/upheld-sla/upheld/sla"
)

// boardFile is what these tests read of a generated dashboard.
type boardFile struct {
	Annotations struct{ List []boardAnnotation }
	Panels      []boardPanel
}

type boardAnnotation struct{ Name, Expr string }

type boardPanel struct {
	Title, Type string
	Targets     []struct{ RefID, Expr string }
	FieldConfig struct {
		Defaults  struct{ Mappings []boardMapping }
		Overrides []boardOverride
	}
	Transformations []struct {
		ID      string
		Options struct{ RenameByName map[string]string }
	}
}

type boardOverride struct {
	Matcher    struct{ Options any }
	Properties []struct {
		ID    string
		Value json.RawMessage
	}
}

// boardMapping names the values of a panel.
type boardMapping struct {
	Type    string
	Options map[string]struct{ Text string }
}

func readBoard(dir, name string) (boardFile, error) {
	var b boardFile
	text, err := os.ReadFile(filepath.Join(dir, "dashboards", name))
	if err == nil {
		err = json.Unmarshal(text, &b)
	}
	return b, err
}

func (b boardFile) panel(title string) (boardPanel, error) {
	for _, p := range b.Panels {
		if p.Title == title {
			return p, nil
		}
	}
	return boardPanel{}, fmt.Errorf("there is no panel %q", title)
}

// words are what a panel writes for a value.
func words(mappings []boardMapping, v float64) string {
	for _, m := range mappings {
		if found, ok := m.Options[strconv.FormatFloat(v, 'f', -1, 64)]; ok && m.Type == "value" {
			return found.Text
		}
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// stateNamed is the name of the state whose words a view shows, or the words.
func stateNamed(shown string) string {
	for _, s := range sla.States() {
		if shown == s.Words() {
			return s.String()
		}
	}
	return shown
}

// levelBoards are the states that the board of each level shows: by its panel, for a step
// of a minute. A level is down where the board marks it as an annotation, and only there.
func (v *views) levelBoards() (map[string]string, error) {
	b, err := readBoard(v.generated, "views_level.json")
	if err != nil {
		return nil, err
	}
	p, err := b.panel("State")
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	for level := range v.want {
		choose := strings.NewReplacer("$service", "api", "$slo", level, "$__interval", "1m")
		samples, err := v.server.query(choose.Replace(p.Targets[0].Expr))
		if err != nil {
			return nil, err
		}
		if len(samples) != 1 {
			return nil, fmt.Errorf("the panel of %s has %d series", level, len(samples))
		}
		all[level] = stateNamed(words(p.FieldConfig.Defaults.Mappings, samples[0].value()))
		for _, a := range b.Annotations.List {
			if a.Name != "Down" {
				continue
			}
			marks, err := v.server.query(choose.Replace(a.Expr))
			if err != nil {
				return nil, err
			}
			if down := all[level] == sla.StateDown.String(); down != (len(marks) > 0) {
				return nil, fmt.Errorf("%s is %s, and marked as down: %t", level, all[level], len(marks) > 0)
			}
		}
	}
	return all, nil
}

// overviewBoard are the states that the table of all levels shows.
func (v *views) overviewBoard() (map[string]string, error) {
	b, err := readBoard(v.generated, dashboards.OverviewUID+".json")
	if err != nil {
		return nil, err
	}
	p, err := b.panel("Service levels, the worst first")
	if err != nil {
		return nil, err
	}
	const column = "State"
	var mappings []boardMapping
	for _, o := range p.FieldConfig.Overrides {
		for _, property := range o.Properties {
			if o.Matcher.Options == column && property.ID == "mappings" {
				if err := json.Unmarshal(property.Value, &mappings); err != nil {
					return nil, err
				}
			}
		}
	}
	all := map[string]string{}
	for _, t := range p.Targets {
		renamed := ""
		for _, of := range p.Transformations {
			renamed += of.Options.RenameByName["Value #"+t.RefID]
		}
		if renamed != column {
			continue
		}
		samples, err := v.server.query(strings.ReplaceAll(t.Expr, "$sla", ".+"))
		if err != nil {
			return nil, err
		}
		for _, s := range samples {
			all[s.Metric["slo"]] = stateNamed(words(mappings, s.value()))
		}
	}
	return all, nil
}
