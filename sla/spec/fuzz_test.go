package spec_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/upheld-sla/upheld/sla/spec"
)

// FuzzLoad demands of any text that it is read without a panic, gives findings
// or agreements, and findings whose place is in the text.
func FuzzLoad(f *testing.F) {
	archives, err := filepath.Glob("testdata/invalid/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range archives {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range archive.Files {
			if file.Name != findingsSection {
				f.Add(string(file.Data))
			}
		}
	}
	valid, err := filepath.Glob("testdata/valid/*.yaml")
	if err != nil || len(valid) == 0 {
		f.Fatalf("no valid files (%v)", err)
	}
	for _, path := range valid {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		agreements, findings := spec.LoadText("spec.yaml", text)
		if len(agreements) == 0 && len(findings) == 0 {
			t.Error("neither agreements nor findings")
		}
		if len(findings) > 0 {
			checkFindings(t, findings)
		}
		checkWhole(t, agreements, findings)
	})
}
