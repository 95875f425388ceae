package spec

import (
	"fmt"
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
		if !addressKey.MatchString(k.key + ": x") {
			t.Errorf("a source line with the key %q would show a token before an @", k.key)
		}
		mustHaveTargets(t, k)
		if goldens, _ := filepath.Glob("testdata/invalid/" + k.key + "-*.txtar"); len(goldens) == 0 && k.key != "http" {
			t.Errorf("no testdata/invalid/%s-*.txtar shows a mistake", k.key)
		}
	}
}

// mustHaveTargets demands of a kind that its model can do what its keys offer:
// another target, a known host, a dialogue, a proxy.
func mustHaveTargets(t *testing.T, k *probeKind) {
	t.Helper()
	typ := k.section.field(k.key).typ.name
	if withPort := strings.Contains(typ, "host:port"); withPort != (k.usualPort != "") {
		t.Errorf("%s: the key is of the type %q, and the usual port is %q", k.key, typ, k.usualPort)
	}
	check := k.read(t, k.section.field(k.key).sample()).Check
	hosted, isHosted := check.(sla.Hosted)
	_, talks := check.(sla.WithDialogue)
	_, proxied := check.(sla.Proxied)
	for key, is := range map[string]bool{"ipFamily": isHosted, "dialogue": talks, "proxyURL": proxied && k.key != "journey", "targets": k.placeholder != ""} {
		if has := k.section.field(key) != nil; has != is {
			t.Errorf("%s: has the key %s: %t; its model, or placeholder, is for that: %t", k.key, key, has, is)
		}
	}
	if isHosted && hosted.HostName() == "" {
		t.Errorf("%s does not know the host of %s", k.key, check.Target())
	}
	addressed, ok := check.(sla.Addressed)
	if ok != (k.placeholder != "") {
		t.Fatalf("%s: can have another target: %t; its placeholder is %q", k.key, ok, k.placeholder)
	}
	if !ok {
		return
	}
	before, found := check.Target(), strings.ReplaceAll(k.placeholder, placeholderTarget, "other.example")
	many := k.read(t, fmt.Sprintf("%q, targets: {static: [%q]}", sla.TargetVariable, found))
	other := many.WithTarget(found).Check.(sla.Addressed)
	if other.ProbeKind() != k.key || other.HostName() != "other.example" || !strings.Contains(other.Target(), "other.example") || other.CheckAddress() != nil {
		t.Errorf("%s of another target: %q at the host %q, %v", k.key, other.Target(), other.HostName(), other.CheckAddress())
	}
	if addressed.WithTarget(strings.ReplaceAll(k.placeholder, placeholderTarget, "a..b")).(sla.Addressed).CheckAddress() == nil {
		t.Errorf("%s takes the host a..b, at which nothing can answer", k.key)
	}
	if check.Target() != before {
		t.Errorf("%s: making the check of another target changed the first", k.key)
	}
}

// read is a probe of the kind, with what its own key holds and the samples of the
// reference for the other keys that it must have.
func (k *probeKind) read(t *testing.T, own string) *sla.Probe {
	t.Helper()
	text := k.key + ": " + own
	for _, f := range k.section.fields {
		if f.required && f.key != k.key {
			text += ", " + f.key + ": " + f.sample()
		}
	}
	agreements, findings := LoadText("probe.yaml", "apiVersion: upheld/v1\nkind: ServiceLevelAgreement\nmetadata: {name: shop}\nspec:\n  serviceLevels:\n"+
		"    - {name: a, service: b, target: \"99\", indicator: {probe: {"+text+"}}}\n")
	if len(findings) > 0 {
		t.Fatalf("%s: %v", text, findings)
	}
	return sla.ProbeTargets(agreements)[0].Probe
}
