package spec_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

var update = flag.Bool("update", false, "rewrite the golden findings in testdata, and docs/spec.md")

const findingsSection = "findings"

// TestInvalid loads the files of each archive in testdata/invalid, which is
// named for the mistake in them, and compares the findings with its last
// section.
func TestInvalid(t *testing.T) {
	archives, err := filepath.Glob("testdata/invalid/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives (%v)", err)
	}
	for _, path := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			path, err := filepath.Abs(path)
			if err != nil {
				t.Fatal(err)
			}
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			t.Chdir(t.TempDir())
			var want *txtar.File
			for i, f := range archive.Files {
				if f.Name == findingsSection {
					want = &archive.Files[i]
				} else if err := os.WriteFile(f.Name, f.Data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if want == nil {
				archive.Files = append(archive.Files, txtar.File{Name: findingsSection})
				want = &archive.Files[len(archive.Files)-1]
			}
			_, findings := spec.Load(".")
			checkFindings(t, findings)
			got := printed(findings)
			if *update {
				want.Data = []byte(got)
				if err := os.WriteFile(path, txtar.Format(archive), 0o600); err != nil {
					t.Fatal(err)
				}
			} else if got != string(want.Data) {
				t.Errorf("findings differ (go test ./sla/spec -update)\n--- got\n%s--- want\n%s", got, want.Data)
			}
		})
	}
}

// printed is findings as the archives show them, with the caret.
func printed(findings sla.Findings) string {
	var b strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&b, "%s: %s: %s [%s]\n", f.Pos, f.Severity, f.Message, f.Rule)
		if f.Pos.Line > 0 {
			fmt.Fprintf(&b, "  %s\n  %s^\n", f.Snippet, strings.Repeat(" ", len([]rune(f.Snippet[:f.Pos.Column-1]))))
		}
		if f.Remedy != "" {
			fmt.Fprintf(&b, "  = %s\n", f.Remedy)
		}
	}
	return b.String()
}

// checkFindings demands what every finding must have.
func checkFindings(t *testing.T, findings sla.Findings) {
	t.Helper()
	if len(findings) == 0 {
		t.Error("no findings")
	}
	for _, f := range findings {
		if f.Rule == "" || f.Message == "" || f.Pos.File == "" {
			t.Errorf("finding without rule, message or file: %+v", f)
		}
		if f.Pos.Line > 0 && (f.Pos.Column < 1 || f.Pos.Column > len(f.Snippet)+1) {
			t.Errorf("column %d is outside the line %q", f.Pos.Column, f.Snippet)
		}
		if f.Remedy == "" {
			t.Errorf("no remedy: %+v", f)
		}
	}
}

// publishedSchema is what the header of a specification names, so that editors need no upheld.
const publishedSchema = "../../docs/upheld.schema.json"

// TestPublishedSchema keeps the published schema as the reader's tables say it.
func TestPublishedSchema(t *testing.T) {
	text, err := json.MarshalIndent(spec.Schema(), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	want := string(text) + "\n"
	if *update {
		if err := os.WriteFile(publishedSchema, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(publishedSchema); err != nil || string(got) != want {
		t.Errorf("%s is stale, %v: run go test ./sla/spec -update", publishedSchema, err)
	}
}
