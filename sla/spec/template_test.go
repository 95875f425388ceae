package spec

import (
	"context"
	"reflect"
	"slices"
	"testing"

	"github.com/prometheus/prometheus/template"
)

// The table of functions is that of Prometheus: with a name too many check would
// accept what generate refuses, with one too few the other way round.
func TestTemplateFunctionsAreThoseOfPrometheus(t *testing.T) {
	expander := template.NewTemplateExpander(context.Background(), "", "", nil, 0, nil, nil, nil)
	theirs, ours := map[string]bool{}, slices.Concat(templateFunctions, newerFunctions)
	for _, key := range reflect.ValueOf(*expander).FieldByName("funcMap").MapKeys() {
		theirs[key.String()] = true
		if !slices.Contains(ours, key.String()) && key.String() != "tmpl" {
			t.Errorf("Prometheus has the function %q", key.String())
		}
	}
	if len(theirs) == 0 {
		t.Fatal("no functions were found")
	}
	for _, name := range ours {
		if !theirs[name] {
			t.Errorf("Prometheus has no function %q", name)
		}
	}
	for _, name := range goFunctions {
		text := "{{ " + name + " }}"
		if name == "break" || name == "continue" {
			text = "{{ range .Labels }}" + text + "{{ end }}"
		}
		if err := template.NewTemplateExpander(context.Background(), text, "", nil, 0, nil, nil, nil).ParseTest(); err != nil {
			t.Errorf("Go has no function %q: %v", name, err)
		}
	}
}
