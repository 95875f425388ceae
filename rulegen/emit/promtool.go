package emit

import (
	"bytes"
	"fmt"

	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/internal/ruletest"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// Tests prints tests of an agreement's rules for `promtool test rules` (2.42 and
// later). The head says what made them.
func Tests(a *sla.Agreement, f ruletest.File, program string) ([]byte, error) {
	var head comment
	head.line("%s from the agreement %s. Do not edit: change the agreement and generate again.", rulegen.Marker, a.Name)
	if program != "" {
		head.text.WriteString(VersionLine + program + "\n")
	}
	if a.Digest != "" {
		head.line("Specification: sha256:%s", a.Digest)
	}
	head.line("")
	head.line("Tests of the rules: promtool test rules THIS-FILE")
	for _, note := range f.Notes {
		head.line("%s", note)
	}
	var out bytes.Buffer
	out.WriteString(head.text.String() + "\n")
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(f); err != nil {
		return nil, fmt.Errorf("tests of %s: %w", a.Name, err)
	}
	return out.Bytes(), enc.Close()
}
