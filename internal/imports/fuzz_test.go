package imports_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/upheld-sla/upheld/sla/spec"
)

// FuzzForeign demands of any text that it is read without a panic, and that what a
// specification of another tool becomes, if nothing is wrong with it, reads the same
// after it was written.
func FuzzForeign(f *testing.F) {
	archives, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil || len(archives) == 0 {
		f.Fatalf("no archives (%v)", err)
	}
	for _, path := range archives {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range archive.Files {
			if file.Name != importedSection && file.Name != findingsSection {
				f.Add(string(file.Data))
			}
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		file := filepath.Join(t.TempDir(), "spec.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		direct, findings := files.Load(file)
		for _, found := range findings {
			if found.Rule == "" || found.Message == "" || found.Remedy == "" && found.Rule != "unreadable-file" {
				t.Errorf("finding without rule, message or remedy: %+v", found)
			}
		}
		documents, more := files.Convert(nil, file)
		output := written(t, documents)
		if len(documents) == 0 || findings.HasErrors() || more.HasErrors() {
			return
		}
		again, findings := spec.LoadText("imported.yaml", string(output))
		if err := findings.Err(); err != nil {
			t.Fatalf("what was written is not read: %v\n%s", err, output)
		}
		if d := cmp.Diff(foreignOnly(direct), again, sameModel); d != "" {
			t.Errorf("what was written reads otherwise (-direct +written):\n%s\n%s", d, output)
		}
	})
}
