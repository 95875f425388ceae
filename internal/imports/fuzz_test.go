package imports_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/upheld-sla/upheld/internal/imports"
	"github.com/upheld-sla/upheld/sla/spec"
)

// The parsers of other tools' formats, each with its own seeds.

func FuzzSloth(f *testing.F)   { fuzzForeign(f, "sloth") }
func FuzzPyrra(f *testing.F)   { fuzzForeign(f, "pyrra") }
func FuzzOpenSLO(f *testing.F) { fuzzForeign(f, "openslo") }

// fuzzForeign demands of any text that it is read without a panic, and that what a
// specification of another tool becomes, if nothing is wrong with it, reads the same
// after it was written.
func fuzzForeign(f *testing.F, format string) {
	archives, err := filepath.Glob("testdata/" + format + "/*.txtar")
	if err != nil || len(archives) == 0 {
		f.Fatalf("no archives (%v)", err)
	}
	for _, path := range archives {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range archive.Files {
			if file.Name == importedSection || file.Name == findingsSection {
				continue
			}
			f.Add(string(file.Data))
			for document := range strings.SplitSeq(string(file.Data), "\n---\n") {
				f.Add(document + "\n") // small seeds change faster
			}
		}
	}
	f.Fuzz(readsWithoutPanic)
}

func readsWithoutPanic(t *testing.T, text string) {
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
}

// FuzzSlothWindows demands the same of AlertWindows of Sloth, beside a specification that they are for.
func FuzzSlothWindows(f *testing.F) {
	archive, err := txtar.ParseFile("testdata/sloth/windows.txtar")
	if err != nil {
		f.Fatal(err)
	}
	slo, windows := string(archive.Files[0].Data), string(archive.Files[1].Data)
	if archive.Files[0].Name != "slo.yaml" || archive.Files[1].Name != "windows.yaml" {
		f.Fatal("windows.txtar has other files")
	}
	for document := range strings.SplitSeq(windows, "\n---\n") {
		f.Add(document + "\n")
	}
	for _, change := range [][2]string{{"7d", "999999999d"}, {"1h}", "106751d}"}, {"12.5", "1e-99"}, {"12.5", "-1"}, {"30m", "7h"}, {"8,", "[8],"}, {"quick", "slow"}, {"6h}", "0}"}, {"1h", "1h30m"}} {
		f.Add(strings.Replace(windows, change[0], change[1], 1))
	}
	f.Fuzz(func(t *testing.T, text string) { readsWithoutPanic(t, slo+"---\n"+text) })
}

// FuzzBlackbox demands the same of files of blackbox_exporter and Prometheus.
func FuzzBlackbox(f *testing.F) {
	archives, err := filepath.Glob("testdata/blackbox/*.txtar")
	if err != nil || len(archives) == 0 {
		f.Fatalf("no archives (%v)", err)
	}
	for _, path := range archives {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		var all []string
		for _, file := range archive.Files {
			if strings.HasSuffix(file.Name, ".yml") {
				all = append(all, string(file.Data))
			}
		}
		f.Add(strings.Join(all, "---\n"))
	}
	f.Fuzz(func(t *testing.T, text string) {
		file := filepath.Join(t.TempDir(), "both.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		documents, findings := files.ConvertBlackbox(file)
		output := written(t, documents)
		if len(documents) == 0 || findings.HasErrors() {
			return
		}
		if _, findings := spec.LoadText("imported.yaml", string(output)); findings.HasErrors() {
			t.Fatalf("what was written is not read: %v\n%s", findings, output)
		}
	})
}

// FuzzExport demands that what is exported of any valid specification reads the same.
func FuzzExport(f *testing.F) {
	for _, glob := range []string{"../../examples/*.yaml", "../../sla/spec/testdata/valid/*.yaml"} {
		paths, err := filepath.Glob(glob)
		if err != nil || len(paths) == 0 {
			f.Fatalf("nothing at %s (%v)", glob, err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			if len(text) < 4000 {
				f.Add(string(text))
			}
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		documents, findings := files.DocumentsOf(spec.Text{File: "spec.yaml", Text: text})
		if findings.HasErrors() || len(documents) == 0 {
			return
		}
		var exported bytes.Buffer
		if err := imports.WriteOpenSLO(&exported, documents); err != nil {
			t.Fatalf("not exported: %v", err)
		}
		again, findings := files.DocumentsOf(spec.Text{File: "exported.yaml", Text: exported.String()})
		if err := findings.Err(); err != nil {
			t.Fatalf("what was exported is not read: %v\n%s", err, exported.String())
		}
		if d := cmp.Diff(normalForms(t, documents), normalForms(t, again)); d != "" {
			t.Errorf("what was exported is written otherwise (-original +exported):\n%s\n%s", d, exported.String())
		}
	})
}
