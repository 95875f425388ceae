package spec_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// TestQueryPositions writes a query in every way that YAML has, and demands
// that a byte of it is found where it stands in the file, or that the query
// says it cannot tell.
func TestQueryPositions(t *testing.T) {
	tests := []struct {
		name, yaml string // after "total:"
		text       string
		folded     bool
	}{
		{"plain", ` http_requests_total`, "http_requests_total", false},
		{"plain after spaces", `    http_requests_total   # all of them`, "http_requests_total", false},
		{"single quotes", ` 'x{job="api"}'`, `x{job="api"}`, false},
		{"double quotes", ` "x{job='api'}"`, `x{job='api'}`, false},
		{"escapes", ` "x{job=\"api\"}"`, `x{job="api"}`, true},
		{"doubled quotes", ` 'x{job=''api''}'`, `x{job='api'}`, true},
		{"anchor", ` &a 'x{job="api"}'`, `x{job="api"}`, false},
		{"tag", ` !!str x_total`, `x_total`, false},
		{"literal", " |\n            sum(\n              x{job=\"api\"}\n            )\n", "sum(\n  x{job=\"api\"}\n)", false},
		{"literal with a blank line", " |-\n            sum(\n\n            x)\n", "sum(\n\nx)", false},
		{"literal, first line blank", " |\n\n            x\n", "\nx", false},
		{"literal, indentation given", " |2\n              x\n            + y\n", "  x\n+ y", false},
		{"folded", " >\n            sum(\n            x)\n", "sum( x)", true},
		{"folded on one line", " >-\n            sum(x)\n", "sum(x)", false},
		{"plain on two lines", " sum(\n            x)", "sum( x)", true},
		{"characters before", ` 'x{name="größe",y="z"}'`, `x{name="größe",y="z"}`, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "spec.yaml")
			source := "apiVersion: upheld/v1\nkind: ServiceLevelAgreement\nmetadata: {name: shop}\nspec:\n  serviceLevels:\n" +
				"    - name: a\n      target: \"99\"\n      indicator:\n        events:\n          bad: e\n          total:" + tt.yaml + "\n"
			if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
				t.Fatal(err)
			}
			agreements, findings := spec.Load(file)
			if err := findings.Err(); err != nil {
				t.Fatal(err)
			}
			q := agreements[0].Levels[0].Indicator.(*sla.Events).Total
			if q.Text != tt.text || q.Folded != tt.folded {
				t.Fatalf("got %q, folded %v; want %q, %v", q.Text, q.Folded, tt.text, tt.folded)
			}
			if q.Folded {
				if at := q.At(3); at != q.Pos {
					t.Errorf("a folded query puts byte 3 at %s, not at its beginning %s", at, q.Pos)
				}
				return
			}
			lines := strings.Split(source, "\n")
			for i := range len(tt.text) {
				at := q.At(i)
				if tt.text[i] == '\n' {
					continue
				}
				if got := lines[at.Line-1][at.Column-1]; got != tt.text[i] {
					t.Fatalf("byte %d is %q, at %s stands %q", i, tt.text[i], at, got)
				}
			}
		})
	}
}

// TestWithSnippets fills in lines from the file, and leaves alone what has one.
func TestWithSnippets(t *testing.T) {
	file := filepath.Join(t.TempDir(), "spec.yaml")
	if err := os.WriteFile(file, []byte("one: 1\ntwo: https://u:p@host/\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := spec.WithSnippets(sla.Findings{
		{Pos: sla.Position{File: file, Line: 2, Column: 1}},
		{Pos: sla.Position{File: file, Line: 1, Column: 1}, Snippet: "kept"},
		{Pos: sla.Position{File: file, Line: 99, Column: 1}},
		{Pos: sla.Position{File: file + ".gone", Line: 1, Column: 1}},
		{Pos: sla.Position{File: file}},
	})
	for i, want := range []string{"two: https://***@host/", "kept", "", "", ""} {
		if got[i].Snippet != want {
			t.Errorf("finding %d: snippet %q, want %q", i, got[i].Snippet, want)
		}
	}
}
