package perses

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	v1 "github.com/perses/perses/pkg/model/api/v1"
	"github.com/perses/perses/pkg/model/api/v1/common"
)

// Perses takes the dashboards, and keeps everything that they say. PERSES_DASHBOARDS may
// name a folder of others than the recorded ones.
func TestPersesReadsEverything(t *testing.T) {
	folder := os.Getenv("PERSES_DASHBOARDS")
	if folder == "" {
		folder = "../../dashboards/testdata/perses-*"
	}
	files, err := filepath.Glob(folder + ".json")
	if more, _ := filepath.Glob(folder + "/*.json"); err != nil || len(files)+len(more) == 0 {
		t.Fatalf("no dashboards in %s, %v", folder, err)
	} else {
		files = append(files, more...)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var d v1.Dashboard // which also checks names, references to panels and variables
		if err := json.Unmarshal(text, &d); err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		for _, name := range []string{d.Metadata.Name, d.Metadata.Project} {
			if err := common.ValidateID(name); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
		again, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		if lost := missing(parsed(t, text), parsed(t, again), ""); lost != "" {
			t.Errorf("%s: Perses does not keep %s", file, lost)
		}
	}
}

func parsed(t *testing.T, text []byte) any {
	t.Helper()
	var v any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// missing is the path of something in want that got has not, or has otherwise.
func missing(want, got any, path string) string {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return path
		}
		for key, value := range w {
			if lost := missing(value, g[key], path+"/"+key); lost != "" {
				return lost
			}
		}
		return ""
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return path
		}
		for i := range w {
			if lost := missing(w[i], g[i], path); lost != "" {
				return lost
			}
		}
		return ""
	case json.Number:
		g, ok := got.(json.Number)
		if a, err := w.Float64(); ok && err == nil {
			if b, err := g.Float64(); err == nil && a == b {
				return ""
			}
		}
		return path
	}
	if !reflect.DeepEqual(want, got) {
		return path
	}
	return ""
}
