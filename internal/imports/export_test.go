package imports_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/internal/imports"
	"github.com/upheld-sla/upheld/internal/testsize"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// specifications are the examples, and the specifications that the reader's tests read.
func specifications(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, glob := range []string{"../../examples/*.yaml", "../../examples/*/*.yaml", "../../sla/spec/testdata/valid/*.yaml", "testdata/peers/sloth.yaml"} {
		files, err := filepath.Glob(glob)
		if err != nil || len(files) == 0 {
			t.Fatalf("nothing at %s (%v)", glob, err)
		}
		all = append(all, files...)
	}
	return all
}

// TestExportReadsTheSame exports every specification to OpenSLO. What was exported reads
// as the same agreements.
func TestExportReadsTheSame(t *testing.T) {
	n := 0
	for _, file := range specifications(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			documents, findings := files.Documents(file)
			if findings.HasErrors() {
				t.Skip("not read by itself: " + findings.Err().Error())
			}
			sameAfterExport(t, documents, filepath.Dir(file), n%5 == 0)
			n++
		})
	}
	if n < 50 {
		t.Errorf("only %d specifications were exported", n)
	}
}

// normalForms are specifications as text, with keys in order, by agreement.
func normalForms(t interface{ Fatalf(string, ...any) }, documents []spec.Document) map[string]string {
	all := map[string]string{}
	for _, d := range documents {
		var value any
		if err := d.Root.Decode(&value); err != nil {
			t.Fatalf("%v", err)
		}
		text, err := yaml.Marshal(value)
		if err != nil {
			t.Fatalf("%v", err)
		}
		all[d.Agreement.Edition()] = string(text)
	}
	return all
}

// sameAfterExport exports documents and reads the result from a file in a directory. What
// is written is compared, and with models, which costs more than all the rest, also what
// it means.
func sameAfterExport(t interface {
	Helper()
	Errorf(string, ...any)
	Fatalf(string, ...any)
}, documents []spec.Document, dir string, models bool,
) {
	t.Helper()
	var text bytes.Buffer
	if err := imports.WriteOpenSLO(&text, documents); err != nil {
		t.Fatalf("%v", err)
	}
	// Files that it names are relative to its own.
	again, findings := files.DocumentsOf(spec.Text{File: filepath.Join(dir, "exported.yaml"), Text: text.String()})
	for _, f := range findings {
		if f.Severity == sla.Error || strings.HasPrefix(f.Rule, "not-") || f.Rule == "changed-meaning" {
			t.Errorf("%s: %s [%s]\n%s", f.Pos, f.Message, f.Rule, text.String())
		}
	}
	if d := cmp.Diff(normalForms(t, documents), normalForms(t, again)); d != "" {
		t.Errorf("what was exported is written otherwise (-original +exported):\n%s\n%s", d, text.String())
	}
	if !models && !testsize.All() {
		return
	}
	want, got := agreementsOf(documents), agreementsOf(again)
	if d := cmp.Diff(want, got, sameModel, byName, cmpopts.IgnoreFields(sla.Agreement{}, "Adjustments", "Scenarios"), verdictKeys); d != "" {
		t.Errorf("what was exported reads otherwise (-original +exported):\n%s\n%s", d, text.String())
	}
}

// verdictKeys compares which keys there are, however often: with aliases they stand in
// fewer places.
var verdictKeys = cmp.Transformer("keys", func(all []sla.VerdictKey) map[string]bool {
	keys := map[string]bool{}
	for _, k := range all {
		keys[k.Key] = true
	}
	return keys
})

var byName = cmpopts.SortSlices(func(a, b *sla.Agreement) bool {
	return a.Edition() < b.Edition()
})

func agreementsOf(documents []spec.Document) []*sla.Agreement {
	var all []*sla.Agreement
	for _, d := range documents {
		all = append(all, d.Agreement)
	}
	return all
}

func TestExportOfTheShop(t *testing.T) {
	documents, findings := files.Documents("../../examples/shop.yaml")
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := imports.WriteOpenSLO(&text, documents); err != nil {
		t.Fatal(err)
	}
	if os.Getenv("SHOW") != "" {
		t.Log(text.String())
	}
}
