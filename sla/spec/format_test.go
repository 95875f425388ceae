package spec

import (
	"strings"
	"testing"

	"github.com/upheld-sla/upheld/sla"
)

// listed is a format for tests: a document of it has nothing but a name.
var listed = format{
	name: "Listed", noun: "listed document", begin: "version: listed/v1", mark: "version: listed/v1",
	detect: func(h head) confidence {
		if h.text("version") == "listed/v1" {
			return certain
		}
		return noMatch
	},
	decode: func(root value) *sla.Agreement {
		name, ok := headOf(root).keys["name"].text()
		if !ok {
			return nil
		}
		return &sla.Agreement{Name: name, Pos: root.pos()}
	},
}

// loadFormats reads a text with the formats known.
func loadFormats(text string, known ...format) ([]*sla.Agreement, sla.Findings) {
	l := &loader{formats: known}
	l.read("specs.yaml", []byte(text))
	return l.finish()
}

const mixedFile = `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec: {serviceLevels: [{name: up, indicator: {probe: {tcp: "a.example:443"}}, target: "99"}]}
---
version: listed/v1
name: other
---
metadata: {name: third}
kind: ServiceLevelAgreemnt
spec: {serviceLevels: [{name: up, indicator: {probe: {tcp: "a.example:443"}}, target: "99"}]}
---
version: listed/v1
name: [1]
---
apiVersion: v1
kind: ConfigMap
---
groups: []
`

func TestDocumentsOfSeveralFormatsStandInOneFile(t *testing.T) {
	agreements, findings := loadFormats(mixedFile, native, listed)
	var names []string
	for _, a := range agreements {
		names = append(names, a.Name)
	}
	if got := strings.Join(names, " "); got != "shop other third" {
		t.Errorf("agreements %s", got)
	}
	want := strings.Join([]string{
		`specs.yaml:9:1: error: "apiVersion" is missing in the document; add apiVersion: upheld/v1`,
		`specs.yaml:10:7: error: kind "ServiceLevelAgreemnt" is not ServiceLevelAgreement, Adjustment or Scenario; did you mean "ServiceLevelAgreement"?`,
		`specs.yaml:14:7: error: name must be text, this is a list; write text`,
		`specs.yaml:16:13: error: this is apiVersion "v1", kind "ConfigMap", which is no service level agreement or listed document; begin it with apiVersion: upheld/v1 and kind: ServiceLevelAgreement (Upheld) or version: listed/v1 (Listed), or keep it out of the files that are loaded`,
		`specs.yaml:19:1: error: this document is no service level agreement or listed document: it has no apiVersion and kind; begin it with apiVersion: upheld/v1 and kind: ServiceLevelAgreement (Upheld) or version: listed/v1 (Listed)`,
	}, "\n")
	if got := findings.Error(); got != want {
		t.Errorf("findings\n%s\nwant\n%s", got, want)
	}
}

// A document that says its format goes to that one, also where another one would
// take it.
func TestFormatThatIsNamedReadsTheDocument(t *testing.T) {
	eager := native
	eager.detect = func(head) confidence { return possible }
	for _, known := range [][]format{{eager, listed}, {listed, eager}} {
		agreements, findings := loadFormats("version: listed/v1\nname: other\n", known...)
		if len(agreements) != 1 || agreements[0].Name != "other" || len(findings) > 0 {
			t.Errorf("%d agreements, %v", len(agreements), findings)
		}
	}
}

// The text by which a file is taken for a specification is in what a document of
// the format begins with.
func TestFormatsAreWhole(t *testing.T) {
	for _, f := range formats {
		if f.name == "" || f.noun == "" || f.mark == "" || !strings.Contains(f.begin, f.mark) || f.detect == nil || (f.decode == nil) == (f.foreign == nil) {
			t.Errorf("format %+v", f)
		}
	}
}
