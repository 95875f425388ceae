package sla

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Position is a place in a source file; lines and columns count from 1, columns
// in bytes. The zero Position means "nowhere in particular".
type Position struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

// String is file:line:col, with the parts that are known.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Severity says whether a finding is an error.
type Severity string

// The severities: an error stops generation, a warning does not.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Finding is one thing that is wrong or doubtful in a specification.
type Finding struct {
	Severity Severity `json:"severity"`
	Rule     string   `json:"rule"` // stable kebab-case name of the check, e.g. "unknown-key"
	Pos      Position `json:"position"`
	Message  string   `json:"message"`           // what is wrong, with the values
	Remedy   string   `json:"remedy,omitempty"`  // what to do instead
	Snippet  string   `json:"snippet,omitempty"` // the offending source line, without its newline
}

// Findings is every finding of a run; as an error it prints one line each.
type Findings []Finding

// Error lists every finding as "file:line:col: severity: message; remedy".
func (fs Findings) Error() string {
	lines := make([]string, 0, len(fs))
	for _, f := range fs {
		line := fmt.Sprintf("%s: %s: %s", f.Pos, f.Severity, f.Message)
		if f.Remedy != "" {
			line += "; " + f.Remedy
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// HasErrors returns whether there is a finding of severity Error.
func (fs Findings) HasErrors() bool {
	return slices.ContainsFunc(fs, func(f Finding) bool { return f.Severity == Error })
}

// Err is fs as an error if it has errors, else nil.
func (fs Findings) Err() error {
	if fs.HasErrors() {
		return fs
	}
	return nil
}

// Sort orders by file, line, column, then message, so that output is stable.
func (fs Findings) Sort() {
	slices.SortStableFunc(fs, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Pos.File, b.Pos.File), cmp.Compare(a.Pos.Line, b.Pos.Line),
			cmp.Compare(a.Pos.Column, b.Pos.Column), cmp.Compare(a.Message, b.Message))
	})
}
