package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/upheld-sla/upheld/internal/filetree"
)

// put puts changes into place and lists them, with what you must fill in; in a dry run
// it only lists them. It puts files into place first: that is the purpose of the verb,
// and the reader of the list may be gone.
func (o generateOptions) put(cmd *cobra.Command, stage *filetree.Stage, merged mergedFile, unfilled string) error {
	changes, err := stage.Changes()
	if o.diff {
		return o.showDifference(cmd, stage, changes, merged, err)
	}
	if o.verify {
		return o.compare(cmd, stage, changes, merged, err)
	}
	if err != nil {
		return o.refusal(err, "no file was written")
	}
	replacement, err := merged.ready()
	if err != nil {
		return err
	}
	defer replacement.Discard()
	if err := stage.Commit(changes); err != nil {
		return err
	}
	if err := replacement.Commit(); err != nil {
		return err
	}
	fmt.Fprint(cmd.ErrOrStderr(), unfilled, o.notes(stage))
	if err := o.list(cmd, stage, changes, merged); err != nil {
		return fmt.Errorf("all is written, but what changed cannot be listed: %w", err)
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%s in %s, %s\n", plural(stage.Len(), "file"), o.dir, counts(changes, false))
	return nil
}

// changedFile is a file and how it changed, or would change.
type changedFile struct {
	Path   string `json:"path"`
	Change string `json:"change"`
	// For --diff: by how many lines.
	LinesAdded   int `json:"linesAdded,omitempty"`
	LinesRemoved int `json:"linesRemoved,omitempty"`
	// For --diff of a dashboard or an Alertmanager configuration: in words.
	Words []string `json:"words,omitempty"`
}

// changedFiles are the files that changed or, in a dry run, that would change.
func (o generateOptions) changedFiles(changes []filetree.Change, merged mergedFile) []changedFile {
	all := []changedFile{}
	for _, c := range changes {
		all = append(all, changedFile{Path: o.dir + "/" + c.Path, Change: verb(c.Kind, o.dry())})
	}
	if merged.stale {
		all = append(all, changedFile{Path: merged.path, Change: verb(filetree.Differs, o.dry())})
	}
	return all
}

// list prints what changed, or with --verify what would change.
func (o generateOptions) list(cmd *cobra.Command, stage *filetree.Stage, changes []filetree.Change, merged mergedFile) error {
	files := o.changedFiles(changes, merged)
	if o.format == jsonFormat {
		return writeJSON(cmd.OutOrStdout(), struct {
			Directory string        `json:"directory"`
			Files     int           `json:"files"`
			Changes   []changedFile `json:"changes"`
		}{o.dir, stage.Len(), files})
	}
	var told bytes.Buffer
	for _, f := range files {
		fmt.Fprintf(&told, "%s %s\n", f.Change, f.Path)
	}
	_, err := cmd.OutOrStdout().Write(told.Bytes())
	return err
}

// compare says what generate would change, or that it would refuse to.
func (o generateOptions) compare(cmd *cobra.Command, stage *filetree.Stage, changes []filetree.Change, merged mergedFile, refused error) error {
	if err := o.list(cmd, stage, changes, merged); err != nil {
		return fmt.Errorf("list what is stale: %w", err)
	}
	if refused != nil {
		return o.refusal(refused, "upheld generate would write nothing")
	}
	fmt.Fprint(cmd.ErrOrStderr(), o.notes(stage))
	switch {
	case len(changes) > 0:
		return fmt.Errorf("%s is not up to date (%s); run: upheld generate SPEC... -o %s", o.dir, counts(changes, true), o.dir)
	case merged.stale:
		return fmt.Errorf("%s is not up to date; run: upheld generate SPEC... -o %s --alertmanager.merge=%s", merged.path, o.dir, merged.path)
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%s in %s up to date\n", plural(stage.Len(), "file"), o.dir)
	return nil
}

// refusal says what to do about files that must not be replaced or removed.
func (o generateOptions) refusal(err error, outcome string) error {
	if _, lost := errors.AsType[*filetree.LossError](err); lost {
		return fmt.Errorf("%w: name the specifications of these agreements too, take out what is gone with --prune, or write only what is not shared with --outputs\n%s", err, outcome)
	}
	return fmt.Errorf("%w\n%s", err, outcome)
}

// notes says what was left alone, and what was unknown before.
func (o generateOptions) notes(stage *filetree.Stage) string {
	notes := ""
	adopted, left := stage.Adopted()
	if adopted > 0 && !o.dry() {
		notes += fmt.Sprintf("%s had no %s: %s there with the header of upheld, or as generated, are in it now\n", o.dir, filetree.ManifestName, plural(adopted, "file"))
	}
	if len(left) > 0 {
		notes += fmt.Sprintf("%s has others with that header, which stay; remove what was generated before and is not any more: %s\n", o.dir, few(left))
	}
	if others, n := stage.Others(); n > 0 {
		whose, as, them := "agreements that are", "they are", "them"
		if len(others) == 1 {
			whose = "an agreement that is"
		}
		if n == 1 {
			as, them = "it is", "it"
		}
		notes += fmt.Sprintf("%s of %s not named (%s) left as %s; --prune removes %s\n", plural(n, "file"), whose, few(others), as, them)
	}
	return notes
}

// kinds are the states of files: in words after writing, and in words for --verify.
var kinds = []struct {
	kind           filetree.Kind
	done, verified string
}{
	{filetree.Missing, "created", "missing"},
	{filetree.Differs, "updated", "differs"},
	{filetree.Stale, "removed", "stale"},
}

// counts sums up changes. It counts removed files apart, since they are no longer
// there.
func counts(changes []filetree.Change, verify bool) string {
	of := map[filetree.Kind]int{}
	for _, c := range changes {
		of[c.Kind]++
	}
	var parts []string
	if !verify {
		parts = append(parts, fmt.Sprintf("%d changed", of[filetree.Missing]+of[filetree.Differs]))
		if n := of[filetree.Stale]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d removed", n))
		}
		return strings.Join(parts, ", ")
	}
	for _, k := range kinds {
		if n := of[k.kind]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, k.verified))
		}
	}
	return strings.Join(parts, ", ")
}

// verb says what happened to a file, or what is wrong with it.
func verb(k filetree.Kind, verify bool) string {
	for _, of := range kinds {
		if of.kind == k && verify {
			return of.verified
		} else if of.kind == k {
			return of.done
		}
	}
	return string(k)
}
