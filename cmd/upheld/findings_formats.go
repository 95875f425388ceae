package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/upheld-sla/upheld/sla"
)

// findingFormats are the ways to print findings, by the value of --format; one line
// each.
var findingFormats = []struct {
	name  string
	print func(io.Writer, sla.Findings) error
}{
	{"text", printText},
	{"json", printJSON},
	{"github", printGitHub},
	{"sarif", printSARIF},
}

func findingFormatNames() []string {
	var names []string
	for _, f := range findingFormats {
		names = append(names, f.name)
	}
	return names
}

// printJSON prints one object with the counts and the findings.
func printJSON(w io.Writer, findings sla.Findings) error {
	findings = append(sla.Findings{}, findings...)
	for i := range findings {
		if len(findings[i].Snippet) > maxLine {
			findings[i].Snippet = ""
		}
	}
	errors, warnings := count(findings)
	return writeJSON(w, struct {
		Errors   int          `json:"errors"`
		Warnings int          `json:"warnings"`
		Findings sla.Findings `json:"findings"`
	}{errors, warnings, findings})
}

// maxLine bounds, in bytes, the line in a finding for programs: a file may be one line
// of a megabyte.
const maxLine = 4096

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// printGitHub prints workflow commands, which GitHub Actions and Forgejo show beside
// the lines of a change.
func printGitHub(w io.Writer, findings sla.Findings) error {
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	for _, f := range findings {
		place := "file=" + property.Replace(filepath.ToSlash(f.Pos.File))
		if f.Pos.Line > 0 {
			place += fmt.Sprintf(",line=%d,col=%d", f.Pos.Line, f.Pos.Column)
		}
		if _, err := fmt.Fprintf(w, "::%s %s,title=%s::%s\n", f.Severity, place, property.Replace(f.Rule), data.Replace(sentence(f))); err != nil {
			return err
		}
	}
	return nil
}

// sentence prints message and remedy on one line.
func sentence(f sla.Finding) string {
	if f.Remedy == "" {
		return f.Message
	}
	return f.Message + "; " + f.Remedy
}

// The parts of SARIF 2.1.0 that code scanners use.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name  string      `json:"name"`
		Rules []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID string `json:"id"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int        `json:"startLine"`
		StartColumn int        `json:"startColumn"`
		Snippet     *sarifText `json:"snippet,omitempty"`
	}
)

// printSARIF prints a SARIF 2.1.0 log for code scanners.
func printSARIF(w io.Writer, findings sla.Findings) error {
	run := sarifRun{
		Tool:       sarifTool{sarifDriver{Name: "upheld", Rules: []sarifRule{}}},
		ColumnKind: "unicodeCodePoints",
		Results:    []sarifResult{},
	}
	var rules []string
	for _, f := range findings {
		rules = append(rules, f.Rule)
	}
	slices.Sort(rules)
	rules = slices.Compact(rules)
	for _, id := range rules {
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{id})
	}
	var in characters
	for _, f := range findings {
		run.Results = append(run.Results, sarifResult{
			RuleID:    f.Rule,
			RuleIndex: slices.Index(rules, f.Rule),
			Level:     string(f.Severity),
			Message:   sarifText{sentence(f)},
			Locations: []sarifLocation{{sarifPhysical{Artifact: sarifArtifact{fileURI(f.Pos.File)}, Region: sarifPlace(f, &in)}}},
		})
	}
	return writeJSON(w, sarifLog{
		Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run},
	})
}

// characters counts the characters before places of a line. Findings are in order of
// place, so in a long line with many findings it continues where it stopped.
type characters struct {
	line          string
	bytes, counts int
}

// column converts a column in bytes to one in characters.
func (c *characters) column(line string, column int) int {
	at := min(max(column-1, 0), len(line))
	if line != c.line || at < c.bytes {
		*c = characters{line: line}
	}
	c.counts += utf8.RuneCountInString(line[c.bytes:at])
	c.bytes = at
	return c.counts + 1
}

// sarifPlace is the region of a finding, nil for a whole file. It converts columns from
// bytes to characters, with the line as snippet.
func sarifPlace(f sla.Finding, in *characters) *sarifRegion {
	if f.Pos.Line == 0 {
		return nil
	}
	r := &sarifRegion{StartLine: f.Pos.Line, StartColumn: f.Pos.Column}
	if f.Snippet != "" {
		r.StartColumn = in.column(f.Snippet, f.Pos.Column)
	}
	if f.Snippet != "" && len(f.Snippet) <= maxLine {
		r.Snippet = &sarifText{f.Snippet}
	}
	return r
}

func fileURI(file string) string {
	u := url.URL{Path: filepath.ToSlash(file)}
	if filepath.IsAbs(file) {
		u.Scheme = "file"
	}
	return u.String()
}
