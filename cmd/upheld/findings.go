package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/pflag"

	"github.com/upheld-sla/upheld/internal/imports"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// checkSpecs returns what the specifications say and everything that is wrong with
// them, by the reader and, for their queries, by the rule generator. It returns
// agreements even if there are errors; use them only if findings.Err() is nil. use gets
// the plan of each level without an error.
func checkSpecs(files spec.Files, paths []string, rules rulegen.Options, use func(rulegen.LevelPlan)) ([]*sla.Agreement, sla.Findings) {
	agreements, findings := files.Load(paths...)
	for _, a := range agreements {
		found, _ := rulegen.Each(a, rules, func(l rulegen.LevelPlan) error {
			use(l)
			return nil
		})
		findings = append(findings, found...)
	}
	return agreements, presentable(findings)
}

// bindFiles binds the flag for the folders in which specifications may name files.
func bindFiles(flags *pflag.FlagSet, files *spec.Files) {
	files.Queries = imports.Queries()
	flags.StringArrayVar(&files.Allow, "files.allow", nil, "`directory` that files that specifications name may be in, besides their own; may be repeated")
}

// presentable prepares findings of reader and rule generator for display: in order,
// each with its line.
func presentable(findings sla.Findings) sla.Findings {
	findings = spec.WithSnippets(findings)
	findings.Sort()
	return findings
}

// mustLoad returns the agreements of specifications without errors. It prints findings
// to notes, including warnings; errors end the verb.
func mustLoad(notes io.Writer, files spec.Files, paths []string) ([]*sla.Agreement, error) {
	agreements, findings := checkSpecs(files, paths, rulegen.Options{}, func(rulegen.LevelPlan) {})
	return agreements, tell(notes, agreements, findings)
}

// tell prints findings to notes; if there are errors among them, it counts them and
// returns an error.
func tell(notes io.Writer, agreements []*sla.Agreement, findings sla.Findings) error {
	if err := printText(notes, findings); err != nil {
		return err
	}
	if findings.HasErrors() {
		fmt.Fprintln(notes, summary(agreements, findings))
		return errReported
	}
	return nil
}

// printText prints findings for people: the place and the message, the line
// with a caret under the place, and the remedy.
func printText(w io.Writer, findings sla.Findings) error {
	var b strings.Builder
	shown := foremost(findings, maxFindings)
	for _, f := range shown {
		fmt.Fprintf(&b, "%s: %s: %s\n", f.Pos, f.Severity, f.Message)
		if f.Snippet != "" && f.Pos.Line > 0 {
			line, caret := excerpt(f.Snippet, f.Pos.Column)
			number := fmt.Sprintf("%5d", f.Pos.Line)
			fmt.Fprintf(&b, "%s | %s\n%s | %s\n", number, line, strings.Repeat(" ", len(number)), caret)
		}
		if f.Remedy != "" {
			fmt.Fprintf(&b, "      = %s\n", f.Remedy)
		}
	}
	if more := len(findings) - len(shown); more > 0 {
		fmt.Fprintf(&b, "and %d more findings; upheld check --format=json lists all\n", more)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// maxFindings is as many as people read, and more than any specification with mistakes
// has. A file that was named by accident can have thousands.
const maxFindings = 200

// foremost keeps at most as many findings as most, in order. It leaves out errors last.
func foremost(findings sla.Findings, most int) sla.Findings {
	if len(findings) <= most {
		return findings
	}
	errors, warnings := count(findings)
	ofErrors := min(errors, most)
	left := map[bool]int{true: ofErrors, false: min(warnings, most-ofErrors)}
	var kept sla.Findings
	for _, f := range findings {
		if isError := f.Severity == sla.Error; left[isError] > 0 {
			left[isError]--
			kept = append(kept, f)
		}
	}
	return kept
}

// excerpt cuts a line to fit a terminal, and makes a line with a caret under its byte
// column, which counts from 1.
func excerpt(line string, column int) (text, caret string) {
	const before, most = 70, 110
	at := min(max(column-1, 0), len(line))
	start := 0
	if at > before && (len(line) > utf8.UTFMax*most || utf8.RuneCountInString(line) > most) {
		start = at - before
		for start < at && !utf8.RuneStart(line[start]) {
			start++
		}
	}
	end := min(len(line), start+most)
	for end < len(line) && !utf8.RuneStart(line[end]) {
		end++
	}
	text = line[start:end]
	if start > 0 {
		text = "…" + text
		caret = " "
	}
	if end < len(line) {
		text += "…"
	}
	for _, r := range line[start:at] {
		if r == '\t' {
			caret += "\t"
		} else {
			caret += " "
		}
	}
	return strings.ToValidUTF8(text, "\ufffd"), caret + "^"
}

// revisionWords says which revision is in force, for agreements with several.
func revisionWords(agreements []*sla.Agreement, now time.Time) string {
	var words strings.Builder
	for _, a := range agreements {
		if len(a.Revisions) == 0 {
			continue
		}
		words.WriteString(", revision " + strconv.Itoa(a.Terms.Revision) + " of " + a.Name)
		if sla.InForce(a.Revisions, now) == nil {
			words.WriteString(" (none is in force yet)")
		}
		if next := a.Next(now); next != nil && next != a {
			fmt.Fprintf(&words, " (revision %d from %s)", next.Terms.Revision, next.Terms.EffectiveFrom)
		}
	}
	return words.String()
}

// summary counts what was read and what was found.
func summary(agreements []*sla.Agreement, findings sla.Findings) string {
	levels := 0
	for _, a := range agreements {
		levels += len(a.Levels) + len(a.Broken)
	}
	errors, warnings := count(findings)
	read := fmt.Sprintf("%s with %s%s", plural(len(agreements), "agreement"), plural(levels, "service level"), revisionWords(agreements, time.Now()))
	if errors+warnings == 0 {
		return read + ": nothing to complain about"
	}
	return fmt.Sprintf("%s: %s, %s", read, plural(errors, "error"), plural(warnings, "warning"))
}

// verdictOnly says by agreement which keys the rules do not follow; "" if there are
// none.
func verdictOnly(agreements []*sla.Agreement) string {
	var b strings.Builder
	for _, a := range agreements {
		var keys []string
		for _, k := range a.VerdictOnly {
			place := fmt.Sprintf("line %d", k.Pos.Line)
			if k.Pos.File != a.Pos.File { // the key is inherited
				place = fmt.Sprintf("%s:%d", k.Pos.File, k.Pos.Line)
			}
			keys = append(keys, k.Key+" ("+place+")")
		}
		if len(keys) > 0 {
			fmt.Fprintf(&b, "verdict only in %s, so that live figures do not follow: %s\n", a.Name, strings.Join(keys, ", "))
		}
	}
	return b.String()
}

func count(findings sla.Findings) (errors, warnings int) {
	for _, f := range findings {
		if f.Severity == sla.Error {
			errors++
		} else {
			warnings++
		}
	}
	return errors, warnings
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
