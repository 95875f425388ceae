package ruletest_test

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/internal/enginetest"
)

// promtools are those that are there: the distribution's and the one of tools/.
func promtools(t *testing.T) []string {
	t.Helper()
	var found []string
	for _, path := range []string{"/usr/bin/promtool", "../../bin/tools/promtool"} {
		if path, err := filepath.Abs(path); err == nil {
			if _, err := os.Stat(path); err == nil {
				found = append(found, path)
			}
		}
	}
	if len(found) == 0 {
		t.Skip("no promtool: install the package prometheus, or make bin/tools/promtool")
	}
	return found
}

// bare are the rules without annotations, which no test asks for and promtool expands
// at every step, with their queries.
func bare(t *testing.T, rules []byte) []byte {
	t.Helper()
	var file struct{ Groups []map[string]any }
	if err := yaml.Unmarshal(rules, &file); err != nil {
		t.Fatal(err)
	}
	for _, g := range file.Groups {
		for _, r := range g["rules"].([]any) {
			delete(r.(map[string]any), "annotations")
		}
	}
	content, err := yaml.Marshal(map[string]any{"groups": file.Groups})
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// failureOf is the first expectation of the tests that does not hold with the rules, ""
// if all do. It is found in this process, by the code of the current promtool, for a
// fraction of what promtool takes.
func failureOf(t *testing.T, rules []byte, tests [][]byte) string {
	t.Helper()
	for _, test := range tests {
		if failure := enginetest.UnitTest(t, rules, test); failure != "" {
			return failure
		}
	}
	return ""
}

// judge has promtool run the tests with the rules.
func judge(t *testing.T, promtool string, rules []byte, tests [][]byte) (passed bool, output string) {
	t.Helper()
	dir := t.TempDir()
	files, args := map[string][]byte{"rules.yaml": bare(t, rules)}, []string{"test", "rules"}
	for i, content := range tests {
		name := fmt.Sprintf("tests%d.yaml", i)
		files[name], args = content, append(args, filepath.Join(dir, name))
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.Command(promtool, args...)
	command.Env = append(os.Environ(), "GOGC="+cmp.Or(os.Getenv("GOGC"), "400")) // it evaluates much and keeps little
	out, err := command.CombinedOutput()
	return err == nil, string(out)
}
