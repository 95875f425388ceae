package main

import (
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla/spec"
)

// FuzzCheck reads any text and compiles whatever came of it, broken levels too,
// as check does: neither may panic, and what is found in a query must stand at
// a place of the file.
func FuzzCheck(f *testing.F) {
	archives, err := filepath.Glob("../../sla/spec/testdata/invalid/*.txtar")
	if err != nil || len(archives) == 0 {
		f.Fatalf("no seeds (%v)", err)
	}
	more, err := filepath.Glob("testdata/check*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range append(archives, more...) {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range archive.Files {
			if filepath.Ext(file.Name) == ".yaml" {
				f.Add(string(file.Data))
			}
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		agreements, read := spec.LoadText("spec.yaml", text)
		for _, a := range agreements {
			plan, found := rulegen.Compile(a, rulegen.Options{})
			if !read.HasErrors() && !found.HasErrors() && len(plan.Levels) != len(a.Levels) {
				t.Errorf("no error, but %d of %d levels have rules", len(plan.Levels), len(a.Levels))
			}
			if read.HasErrors() || found.HasErrors() {
				continue
			}
			if _, err := emit.Prometheus(plan); err != nil {
				t.Errorf("no error, but no rules: %v", err)
			}
		}
	})
}
