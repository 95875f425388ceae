package spec

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/sla"
)

// validFiles are the specifications that must be without findings.
func validFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	for _, pattern := range []string{"testdata/valid/*.yaml", "../../examples/*.yaml", "../../examples/*/*.yaml"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range found {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(text), "kind: "+documentKind) {
				files = append(files, file)
			}
		}
	}
	if len(files) < 2 {
		t.Fatalf("only %q are valid files", files)
	}
	return files
}

// TestSchema holds schema and decoder together: what the decoder takes is
// valid, and a key that it does not know is not.
func TestSchema(t *testing.T) {
	compiled := compileSchema(t)
	for _, file := range validFiles(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if _, findings := LoadText(file, string(text)); findings.HasErrors() {
				t.Errorf("the decoder refuses it: %v", findings)
			}
			for _, doc := range documents(t, string(text)) {
				if err := compiled.Validate(doc); err != nil {
					t.Errorf("the schema refuses it: %v", err)
				}
			}
		})
	}
}

// TestSchemaRefuses takes the archives of single mistakes: what is wrong in one
// place alone, the schema must see too.
func TestSchemaRefuses(t *testing.T) {
	compiled := compileSchema(t)
	local := []string{
		"unknown-key", "missing-key", "wrong-type", "conflicting-keys", "bad-duration", "unquoted-number", "bad-name",
		"bad-header", "empty-value", "wrong-kind",
	}
	// What JSON Schema cannot say, or an editor need not.
	beyond := []string{
		"probe-head-body", "tcp-tls-options", "duration-zero", "duration-negative", "tier-incomplete", "merge-keys", "wrong-types",
		"complex-key", "probe-headers", "weight-and-good",
	}
	seen := 0
	archives, err := filepath.Glob("testdata/invalid/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range archives {
		name := strings.TrimSuffix(filepath.Base(path), ".txtar")
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			if f.Name == "findings" || slices.Contains(beyond, name) {
				continue
			}
			_, findings := LoadText(f.Name, string(f.Data))
			if !slices.ContainsFunc(findings, func(f sla.Finding) bool { return slices.Contains(local, f.Rule) }) ||
				slices.ContainsFunc(findings, func(f sla.Finding) bool { return f.Rule == "yaml-syntax" || f.Rule == "alias-cycle" }) {
				continue
			}
			seen++
			if !slices.ContainsFunc(documents(t, string(f.Data)), func(doc any) bool { return compiled.Validate(doc) != nil }) {
				t.Errorf("%s: %s is valid by the schema, but the decoder says %v", path, f.Name, findings)
			}
		}
	}
	if seen < 20 {
		t.Errorf("only %d files were tried", seen)
	}
}

// TestEveryKeyIsRead decodes the full examples and demands that the decoder
// asked for every key of every table: a key that is only documented would be
// accepted and ignored.
func TestEveryKeyIsRead(t *testing.T) {
	d := newDecoder(nil, Files{})
	d.keysRead, d.keysGiven = map[string]bool{}, map[string]bool{}
	for _, file := range []string{"full.yaml", "probes.yaml", "aggregations.yaml", "periods.yaml", "states.yaml", "service-hours.yaml", "groups.yaml", "targets.yaml", "credits.yaml", "credits-full.yaml", "escalation.yaml", "composites.yaml", "severities.yaml", "verdicts.yaml", "contract.yaml", "recovery.yaml", "adjustments.yaml", "scenario.yaml", "inherits.yaml", "status-page.yaml"} {
		text, err := os.ReadFile("testdata/valid/" + file)
		if err != nil {
			t.Fatal(err)
		}
		src := newSource(file, string(text))
		roots, syntax := parseYAML(src, text)
		if syntax != nil || len(roots) == 0 {
			t.Fatalf("%d documents, %v", len(roots), syntax)
		}
		d.src = src
		l := &loader{formats: formats}
		for _, root := range roots {
			if v := (value{d: d, node: d.resolveAliases(root)}); isAdjustment(v) {
				l.adjustments = append(l.adjustments, v)
			} else if isScenario(v) {
				l.scenarios = append(l.scenarios, v)
			} else {
				l.docs = append(l.docs, &document{decoder: d, agreement: decodeDocument(v, formats)})
			}
		}
		l.readAdjustments()
		l.readScenarios()
	}
	for _, s := range sections() {
		for _, f := range s.fields {
			key := s.name + "." + f.key
			if !d.keysRead[key] {
				t.Errorf("the decoder never asks for %s", key)
			}
			if !d.keysGiven[key] {
				t.Errorf("no file of those in testdata/valid shows %s", key)
			}
		}
	}
}

// TestSectionIDs keeps the definitions of the schema apart.
func TestSectionIDs(t *testing.T) {
	seen := map[string]string{}
	for _, s := range sections() {
		if other, taken := seen[s.id()]; taken || s.id() == "" {
			t.Errorf("sections %q and %q share the id %q", s.name, other, s.id())
		}
		seen[s.id()] = s.name
	}
	if len(seen) < 10 {
		t.Errorf("only %d sections are reachable", len(seen))
	}
}

// compileSchema compiles the schema as an editor reads it, from its JSON.
func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := json.Marshal(Schema())
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("upheld.json", doc); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("upheld.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// documents are the documents of a file as JSON values, as an editor sees them.
func documents(t *testing.T, text string) []any {
	t.Helper()
	var docs []any
	decoder := yaml.NewDecoder(strings.NewReader(text))
	for {
		var doc any
		if err := decoder.Decode(&doc); err != nil {
			return docs
		}
		jsonText, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(jsonText)))
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, value)
	}
}
