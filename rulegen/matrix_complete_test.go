package rulegen_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/upheld-sla/upheld/sla"
)

// TestMatrixIsComplete asks for a line of every indicator, aggregation and unit
// of periods that the model has.
func TestMatrixIsComplete(t *testing.T) {
	tried := map[string]bool{}
	for _, k := range matrixKinds {
		indicator := k.indicator(sla.ID{})
		tried[reflect.TypeOf(indicator).Elem().Name()] = true
		for _, a := range indicator.Aggregations() {
			if len(matrixSlots[a]) == 0 {
				t.Errorf("matrixSlots has no line for %s", a)
			}
		}
	}
	for _, name := range indicatorTypes(t) {
		if !tried[name] {
			t.Errorf("matrixKinds has no line for the indicator sla.%s", name)
		}
	}
	units := map[sla.Unit]bool{}
	for _, p := range matrixPeriods {
		units[p.Calendar] = true
	}
	for _, u := range append(slices.Clone(sla.Units), "") {
		if !units[u] {
			t.Errorf("matrixPeriods has no %q", u)
		}
	}
}

// indicatorTypes are the types of package sla that have Aggregations.
func indicatorTypes(t *testing.T) []string {
	t.Helper()
	names := map[string]bool{}
	entries, err := os.ReadDir("../sla")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), "../sla/"+e.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv == nil || f.Name.Name != "Aggregations" {
				continue
			}
			if star, ok := f.Recv.List[0].Type.(*ast.StarExpr); ok {
				names[star.X.(*ast.Ident).Name] = true
			}
		}
	}
	if len(names) < 5 {
		t.Fatalf("found only %v", names)
	}
	return slices.Sorted(maps.Keys(names))
}
