package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/upheld-sla/upheld/internal/filetree"
	"github.com/upheld-sla/upheld/internal/outputdiff"
	"github.com/upheld-sla/upheld/internal/rulediff"
	"github.com/upheld-sla/upheld/rulegen/emit"
)

// difference is what generate would change, for people and for programs.
type difference struct {
	Directory string        `json:"directory"`
	Files     []changedFile `json:"files"`
	rulediff.Difference
}

// showDifference says what generate would change, by rule and alert, or that it would
// refuse to.
func (o generateOptions) showDifference(cmd *cobra.Command, stage *filetree.Stage, changes []filetree.Change, merged mergedFile, refused error) error {
	d, err := o.difference(stage, changes, merged)
	if err != nil {
		return err
	}
	if o.format == jsonFormat {
		err = writeJSON(cmd.OutOrStdout(), d)
	} else {
		err = d.print(cmd.OutOrStdout())
	}
	if err != nil {
		return err
	}
	fmt.Fprint(cmd.ErrOrStderr(), o.notes(stage))
	switch {
	case refused != nil:
		return o.refusal(refused, "upheld generate would write nothing")
	case len(d.Files) == 0:
		fmt.Fprintf(cmd.ErrOrStderr(), "%s in %s, nothing would change\n", plural(stage.Len(), "file"), o.dir)
		return nil
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%s would change: %s added, %d removed, %d changed\n",
		plural(len(d.Files), "file"), plural(d.Count(rulediff.Added), "rule"), d.Count(rulediff.Removed), d.Count(rulediff.Changed))
	return answered{exitNo}
}

// difference compares the current files with the generated ones.
func (o generateOptions) difference(stage *filetree.Stage, changes []filetree.Change, merged mergedFile) (difference, error) {
	d := difference{Directory: o.dir, Files: o.changedFiles(changes, merged)}
	var before, after []rulediff.Group
	for i, c := range changes {
		var was, now []byte
		var err error
		if c.Kind != filetree.Missing {
			if was, err = stage.InPlace(c.Path); err != nil {
				return d, err
			}
		}
		if c.Kind != filetree.Stale {
			if now, err = stage.Content(c.Path); err != nil {
				return d, err
			}
		}
		d.Files[i].count(was, now)
		if c.Kind == filetree.Differs {
			d.Files[i].say(wordsFor(c.Path), was, now)
		}
		if !strings.HasPrefix(c.Path, "rules/") {
			continue
		}
		// Somebody may have edited the current file, so that it is not YAML any more.
		groups, err := rulediff.Read(emit.HelmUnescaped(was))
		if err != nil {
			return d, fmt.Errorf("%s/%s: %w; --verify compares without reading", o.dir, c.Path, err)
		}
		before = append(before, groups...)
		if groups, err = rulediff.Read(emit.HelmUnescaped(now)); err != nil {
			return d, fmt.Errorf("%s: %w, a fault of upheld", c.Path, err)
		}
		after = append(after, groups...)
	}
	if merged.stale {
		was, err := os.ReadFile(merged.path)
		if err != nil {
			return d, err
		}
		d.Files[len(d.Files)-1].count(was, merged.want)
		d.Files[len(d.Files)-1].say(outputdiff.Alertmanager, was, merged.want)
	}
	d.Difference = rulediff.Compare(before, after)
	return d, nil
}

// count counts the lines that only one of two texts has.
func (f *changedFile) count(was, now []byte) {
	left := map[string]int{}
	for line := range bytes.Lines(was) {
		left[string(line)]++
		f.LinesRemoved++
	}
	for line := range bytes.Lines(now) {
		if left[string(line)] > 0 {
			left[string(line)]--
			f.LinesRemoved--
		} else {
			f.LinesAdded++
		}
	}
}

// wordsFor returns a function that describes how two files at a path differ, or nil if
// only their lines are counted.
func wordsFor(file string) func(was, now []byte) ([]string, error) {
	switch {
	case file == alertmanagerPath:
		return outputdiff.Alertmanager
	case path.Ext(file) == ".json":
		return outputdiff.Dashboard
	}
	return nil
}

// say describes the difference in words. Somebody may have edited the current file, so
// that it cannot be read.
func (f *changedFile) say(words func(was, now []byte) ([]string, error), was, now []byte) {
	if words == nil {
		return
	}
	var err error
	if f.Words, err = words(was, now); err != nil {
		f.Words = []string{err.Error() + "; only its lines are compared"}
	}
}

// maxWords is how many lines about a file are printed; programs get all.
const maxWords = 20

// print writes the difference as text: rules by level, then groups and files.
func (d difference) print(w io.Writer) error {
	var b strings.Builder
	printRules(&b, d.Difference)
	for _, f := range d.Files {
		fmt.Fprintf(&b, "%s %s (lines: %d added, %d removed)\n", f.Change, f.Path, f.LinesAdded, f.LinesRemoved)
		for _, words := range f.Words[:min(len(f.Words), maxWords)] {
			fmt.Fprintf(&b, "  %s\n", words)
		}
		if more := len(f.Words) - maxWords; more > 0 {
			fmt.Fprintf(&b, "  and %d more, which --format=json lists\n", more)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// printRules writes the differences by level, and then by group.
func printRules(b *strings.Builder, d rulediff.Difference) {
	level, begun := "", false
	for _, c := range d.Rules {
		of := c.Level()
		if slices.Contains(d.NewLevels, of) || slices.Contains(d.GoneLevels, of) {
			continue
		}
		if !begun || of != level {
			level, begun = of, true
			fmt.Fprintf(b, "%s\n", orAgreement(of))
		}
		fmt.Fprintf(b, "  %s %s", c.Kind, c.Name())
		if len(c.Words) > 0 {
			fmt.Fprintf(b, ": %s", strings.Join(c.Words, "; "))
		}
		b.WriteString("\n")
	}
	printLevels(b, d, d.NewLevels, rulediff.Added, "is new")
	printLevels(b, d, d.GoneLevels, rulediff.Removed, "is gone")
	for _, words := range d.Groups {
		fmt.Fprintf(b, "%s\n", words)
	}
}

// printLevels summarizes whole levels, without a line for each rule.
func printLevels(b *strings.Builder, d rulediff.Difference, levels []string, kind rulediff.Kind, what string) {
	for _, level := range levels {
		rules, alerts := 0, 0
		for _, c := range d.Rules {
			if c.Kind == kind && c.Level() == level {
				if c.Alert != "" {
					alerts++
				} else {
					rules++
				}
			}
		}
		fmt.Fprintf(b, "%s %s, with %s and %s\n", level, what, plural(rules, "recording rule"), plural(alerts, "alert"))
	}
}

func orAgreement(level string) string {
	if level == "" {
		return "of no level"
	}
	return level
}
