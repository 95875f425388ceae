package imports_test

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/internal/testsize"
	"github.com/upheld-sla/upheld/sla/spec"
)

// wrongTypes are what stands in place of anything else.
var wrongTypes = []string{"~", `""`, "text", "-1e9", "true", "[]", "{}", "[text, [1]]", "{text: {a: 1}}"}

// TestWrongTypesEverywhere replaces values and keys of specifications of other tools by each kind of value; a short
// run tries a sample. Each is read without a panic, and what is found has a place, a message and a remedy. If nothing
// is left to read, something is found.
func TestWrongTypesEverywhere(t *testing.T) {
	t.Parallel()
	archives, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives (%v)", err)
	}
	tried, every := 0, testsize.Of(211, 1)
	for _, path := range archives {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range archive.Files {
			if file.Name == importedSection || file.Name == findingsSection {
				continue
			}
			for _, root := range nodesOf(file.Data) {
				eachNode(root, func(node *yaml.Node) {
					kept := *node
					for _, wrong := range wrongTypes {
						if tried++; tried%every != 0 {
							continue
						}
						*node = *nodesOf([]byte(wrong))[0].Content[0]
						checkWrongType(t, path+" "+file.Name, textOf(t, root))
					}
					*node = kept
				})
			}
		}
	}
	t.Logf("%d places and kinds, of which one of %d was tried", tried, every)
}

func checkWrongType(t *testing.T, name, text string) {
	t.Helper()
	agreements, findings := files.LoadTexts(spec.Text{File: "spec.yaml", Text: text})
	for _, found := range findings {
		if found.Rule == "" || found.Message == "" || found.Remedy == "" || found.Pos.Line == 0 || found.Pos.Column == 0 {
			t.Errorf("%s: finding without rule, message, remedy or place: %+v\n%s", name, found, text)
		}
	}
	if len(agreements) == 0 && len(findings) == 0 {
		t.Errorf("%s: nothing is read, and nothing is found:\n%s", name, text)
	}
}

// nodesOf are the documents of a text up to the first that is no YAML.
func nodesOf(text []byte) []*yaml.Node {
	var all []*yaml.Node
	for dec := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var root yaml.Node
		if dec.Decode(&root) != nil {
			return all
		}
		all = append(all, &root)
	}
}

func eachNode(node *yaml.Node, do func(*yaml.Node)) {
	for _, child := range node.Content {
		if child.Kind != yaml.AliasNode {
			eachNode(child, do)
			do(child)
		}
	}
}

func textOf(t *testing.T, root *yaml.Node) string {
	t.Helper()
	text, err := yaml.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
