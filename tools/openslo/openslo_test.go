package openslo

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/OpenSLO/go-sdk/pkg/openslo"
	"github.com/OpenSLO/go-sdk/pkg/openslosdk"
	"github.com/rogpeppe/go-internal/txtar"
	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/internal/imports"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// beyond are rules of errors about what OpenSLO may say and we cannot carry, or cannot
// know to be right. An error by any other rule says that a file is no OpenSLO.
var beyond = []string{
	"not-carried", "unknown-reference", "promql-syntax", "wrong-version", "duplicate-name", "bad-period", "bad-target", "bad-duration",
	"no-objective", "no-query", "no-indicator",
}

// theirs is what OpenSLO's library says of a text.
func theirs(text []byte) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	objects, err := openslosdk.Decode(bytes.NewReader(text), openslosdk.FormatYAML)
	if err != nil {
		return err
	}
	var all []error
	for _, o := range objects {
		if v, ok := o.(openslo.Object); ok {
			all = append(all, v.Validate())
		}
	}
	return errors.Join(all...)
}

// ours are the findings of our reader.
func ours(t *testing.T, text []byte) sla.Findings {
	t.Helper()
	file := filepath.Join(t.TempDir(), "slo.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	_, findings := spec.Files{Queries: imports.Queries()}.Convert(nil, file)
	return findings
}

// corpus are OpenSLO's own examples of version 1, and our fixtures.
func corpus(t *testing.T) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/OpenSLO/go-sdk").Output()
	if err != nil {
		t.Fatal(err)
	}
	examples, _ := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "pkg/openslo/v1/examples/*.yaml"))
	if len(examples) == 0 {
		t.Fatal("the library has no examples")
	}
	for _, file := range examples {
		if all["theirs/"+filepath.Base(file)], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	archives, _ := filepath.Glob("../../internal/imports/testdata/openslo/*.txtar")
	if len(archives) == 0 {
		t.Fatal("no fixtures")
	}
	for _, path := range archives {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			if strings.HasSuffix(f.Name, ".yaml") {
				all[filepath.Base(path)+"/"+f.Name] = f.Data
			}
		}
	}
	return all
}

// compare demands that what their library finds valid is no mistake to us, and that what
// it finds invalid is reported by us as well.
func compare(t *testing.T, name string, text []byte) (valid bool) {
	t.Helper()
	err, findings := theirs(text), ours(t, text)
	if err != nil {
		if len(findings) == 0 && !strings.Contains(err.Error(), "cannot unmarshal number") { // a number is a text to us
			t.Errorf("%s: their library finds fault, and we find nothing: %v\n%s", name, err, text)
		}
		return false
	}
	for _, f := range findings {
		if f.Severity == sla.Error && !slices.Contains(beyond, f.Rule) {
			t.Errorf("%s: their library finds no fault, and we find %s [%s]\n%s", name, f.Message, f.Rule, text)
		}
	}
	return true
}

func TestBothFindTheSameFiles(t *testing.T) {
	valid := 0
	for name, text := range corpus(t) {
		t.Run(name, func(t *testing.T) {
			if compare(t, name, text) {
				valid++
			}
		})
	}
	if valid < 8 {
		t.Errorf("only %d files are valid", valid)
	}
}

// TestBothFindTheSameMutations takes each part of each valid object out, or changes it.
func TestBothFindTheSameMutations(t *testing.T) {
	tried, invalid := 0, 0
	for name, text := range corpus(t) {
		for i, root := range objects(t, text) {
			if marshal(t, root); theirs(marshal(t, root)) != nil {
				continue
			}
			mutate(root, func(what string) {
				changed := marshal(t, root)
				tried++
				if !compare(t, fmt.Sprintf("%s, object %d, %s", name, i, what), changed) {
					invalid++
				}
			})
		}
	}
	t.Logf("%d mutations, %d of them invalid", tried, invalid)
	if tried < 500 || invalid < 100 {
		t.Error("too few")
	}
}

// objects are the objects of a text, each by itself.
func objects(t *testing.T, text []byte) []*yaml.Node {
	t.Helper()
	var all []*yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var doc yaml.Node
		if d.Decode(&doc) != nil {
			return all
		}
		if root := doc.Content[0]; root.Kind == yaml.SequenceNode {
			all = append(all, root.Content...)
		} else {
			all = append(all, root)
		}
	}
}

func marshal(t *testing.T, n *yaml.Node) []byte {
	t.Helper()
	text, err := yaml.Marshal(n)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// mutate changes one thing after the other, and puts each back after it was tried.
func mutate(n *yaml.Node, try func(what string)) {
	for i := 0; i < len(n.Content); i++ {
		child := n.Content[i]
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			whole := n.Content
			n.Content = append(slices.Clone(whole[:i]), whole[i+2:]...)
			try("without " + child.Value)
			n.Content = whole
			key := child.Value
			child.Value += "x"
			try("with another key than " + key)
			child.Value = key
			continue
		}
		was := *child
		for _, instead := range []yaml.Node{{Kind: yaml.ScalarNode, Tag: "!!str", Value: "odd value!"}, {Kind: yaml.ScalarNode, Tag: "!!int", Value: "-1"}, {Kind: yaml.MappingNode}, {Kind: yaml.SequenceNode}} {
			*child = instead
			try(fmt.Sprintf("%q in place of a value", instead.Value))
		}
		*child = was
		if n.Kind == yaml.MappingNode && n.Content[i-1].Value == "spec" && isMetricSource(n) {
			continue // the query: to them it may be anything
		}
		mutate(child, try)
	}
}

func isMetricSource(n *yaml.Node) bool {
	return slices.ContainsFunc(n.Content, func(c *yaml.Node) bool { return c.Value == "type" || c.Value == "metricSourceRef" })
}

// TestExportsAreValid exports every example and every specification of the reader's tests.
func TestExportsAreValid(t *testing.T) {
	n := 0
	for _, glob := range []string{"../../examples/*.yaml", "../../examples/*/*.yaml", "../../sla/spec/testdata/valid/*.yaml"} {
		paths, err := filepath.Glob(glob)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			documents, findings := spec.Files{Queries: imports.Queries()}.Documents(path)
			if findings.HasErrors() {
				continue // it takes others to be read
			}
			var text bytes.Buffer
			if err := imports.WriteOpenSLO(&text, documents); err != nil {
				t.Fatal(err)
			}
			if err := theirs(text.Bytes()); err != nil {
				t.Errorf("%s: %v\n%s", path, err, text.String())
			}
			n++
		}
	}
	if n < 45 {
		t.Errorf("only %d specifications were exported", n)
	}
}
