package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// A file that was named by mistake has thousands of findings: some are printed, and no error is hidden by warnings.
func TestPrintedFindingsAreBounded(t *testing.T) {
	var findings sla.Findings
	for i := range 3 * maxFindings {
		findings = append(findings, sla.Finding{Severity: sla.Warning, Pos: sla.Position{File: "a.yaml", Line: i + 1}, Message: "doubtful"})
	}
	findings[len(findings)-1].Severity = sla.Error
	var b strings.Builder
	if err := printText(&b, findings); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) != maxFindings+1 || !strings.HasSuffix(lines[0], "doubtful") || !strings.Contains(lines[maxFindings-1], "error") ||
		lines[maxFindings] != fmt.Sprintf("and %d more findings; upheld check --format=json lists all", 2*maxFindings) {
		t.Errorf("%d lines, the last ones %q", len(lines), lines[len(lines)-2:])
	}
	if few := findings[:maxFindings]; !slices.Equal(foremost(few, maxFindings), few) {
		t.Error("as many as are printed are not all printed")
	}
}

// Findings in one line of a megabyte take no time or output out of proportion.
func TestFindingsInOneLongLine(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	findings := make(sla.Findings, 5000)
	for i := range findings {
		findings[i] = sla.Finding{Severity: sla.Error, Rule: "r", Pos: sla.Position{File: "a.yaml", Line: 1, Column: 1 + 200*i}, Message: "wrong", Snippet: long}
	}
	for _, f := range findingFormats {
		var b strings.Builder
		began := time.Now()
		if err := f.print(&b, findings); err != nil {
			t.Fatal(err)
		}
		if b.Len() > 5<<20 {
			t.Errorf("%s: %d bytes", f.name, b.Len())
		}
		t.Logf("%s: %d bytes in %s", f.name, b.Len(), time.Since(began))
	}
	if findings[0].Snippet != long {
		t.Error("printing changes what is printed")
	}
}
