package spec

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/upheld-sla/upheld/sla"
)

// TestEveryKindOfProbeIsWhole demands of each row of the table what users meet:
// mistakes with messages, an example, and a chapter.
func TestEveryKindOfProbeIsWhole(t *testing.T) {
	docs, err := os.ReadFile("../../docs/probers.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]map[string]bool{}
	for _, file := range []string{"../../examples/probes.yaml", "testdata/valid/probes.yaml"} {
		agreements, findings := Load(file)
		if findings.HasErrors() {
			t.Fatal(findings)
		}
		shown[file] = map[string]bool{}
		for _, target := range sla.ProbeTargets(agreements) {
			check := target.Probe.Check
			shown[file][check.ProbeKind()] = true
			if check.Target() == "" || check.Words() == "" {
				t.Errorf("%T has no target or no words", check)
			}
		}
	}
	for _, k := range probeKinds {
		if !strings.Contains(string(docs), "\n## "+k.key+"\n") {
			t.Errorf("docs/probers.md has no chapter %q", k.key)
		}
		for file, kinds := range shown {
			if !kinds[k.key] {
				t.Errorf("%s has no probe of the kind %q", file, k.key)
			}
		}
		if goldens, _ := filepath.Glob("testdata/invalid/" + k.key + "-*.txtar"); len(goldens) == 0 && k.key != "http" {
			t.Errorf("no testdata/invalid/%s-*.txtar shows a mistake", k.key)
		}
	}
}
