package imports_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/rogpeppe/go-internal/txtar"
	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/internal/golden"
	"github.com/upheld-sla/upheld/internal/imports"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

var files = spec.Files{Queries: imports.Queries()}

// What the last two sections of an archive are.
const (
	importedSection = "imported"
	findingsSection = "findings"
)

// TestImports imports the files of each archive, and compares what they become and the
// findings with its last sections. What was written reads as the original does.
func TestImports(t *testing.T) {
	archives, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives (%v)", err)
	}
	for _, path := range archives {
		t.Run(strings.TrimSuffix(strings.TrimPrefix(filepath.ToSlash(path), "testdata/"), ".txtar"), func(t *testing.T) {
			path, err := filepath.Abs(path)
			if err != nil {
				t.Fatal(err)
			}
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			t.Chdir(t.TempDir())
			inputs := txtar.Archive{Comment: archive.Comment}
			for _, f := range archive.Files {
				if f.Name == importedSection || f.Name == findingsSection {
					continue
				}
				inputs.Files = append(inputs.Files, f)
				if err := os.WriteFile(f.Name, f.Data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			convert, isBlackbox := func() ([]spec.Converted, sla.Findings) { return files.Convert(nil, ".") }, strings.Contains(path, "blackbox")
			if isBlackbox {
				convert = func() ([]spec.Converted, sla.Findings) { return files.ConvertBlackbox("*.yml") }
			}
			documents, findings := convert()
			text := written(t, documents)
			inputs.Files = append(inputs.Files, txtar.File{Name: importedSection, Data: text}, txtar.File{Name: findingsSection, Data: []byte(printed(findings))})
			golden.Equal(t, path, txtar.Format(&inputs))
			switch {
			case findings.HasErrors() || len(documents) == 0:
			case isBlackbox:
				if _, findings := spec.LoadText("imported.yaml", string(text)); findings.HasErrors() {
					t.Errorf("what was written is not read: %v", findings)
				}
			default:
				readsAlike(t, text)
			}
		})
	}
}

func written(t *testing.T, documents []spec.Converted) []byte {
	t.Helper()
	var roots []*yaml.Node
	for _, d := range documents {
		roots = append(roots, d.Root)
	}
	var text bytes.Buffer
	if err := imports.Write(&text, roots...); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}

func printed(findings sla.Findings) string {
	var b strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&b, "%s: %s: %s [%s]\n", f.Pos, f.Severity, f.Message, f.Rule)
		if f.Remedy != "" {
			fmt.Fprintf(&b, "  = %s\n", f.Remedy)
		}
	}
	return b.String()
}

// readsAlike demands that the files of the directory, read directly, are the agreements
// that were written, and that rules are made of both.
func readsAlike(t *testing.T, text []byte) {
	t.Helper()
	direct, _ := files.Load(".")
	again, findings := spec.LoadText("imported.yaml", string(text))
	if err := findings.Err(); err != nil {
		t.Fatalf("what was written is not read: %v", err)
	}
	if d := cmp.Diff(foreignOnly(direct), again, sameModel); d != "" {
		t.Errorf("what was written reads otherwise (-direct +written):\n%s", d)
	}
	for _, a := range direct {
		if _, findings := rulegen.Compile(a, rulegen.Options{}); findings.HasErrors() {
			t.Errorf("no rules: %v", findings)
		}
	}
}

func foreignOnly(all []*sla.Agreement) []*sla.Agreement {
	var foreign []*sla.Agreement
	for _, a := range all {
		if a.Format != "" {
			foreign = append(foreign, a)
		}
	}
	return foreign
}

// sameModel compares agreements without where they stand.
var sameModel = cmp.Options{
	cmpopts.IgnoreTypes(sla.Position{}),
	cmpopts.IgnoreFields(sla.Agreement{}, "Digest", "Format"),
	cmpopts.IgnoreFields(sla.Query{}, "Folded"),
	cmpopts.EquateComparable(),
	cmp.Exporter(func(reflect.Type) bool { return true }),
}
