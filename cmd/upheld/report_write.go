package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/upheld-sla/upheld/internal/closing"
	"github.com/upheld-sla/upheld/internal/filetree"
	"github.com/upheld-sla/upheld/internal/report"
	"github.com/upheld-sla/upheld/internal/signature"
	"github.com/upheld-sla/upheld/internal/verdict"
)

// write writes reports to a directory, all or none, or to standard output. measured has
// the evidence of each, packed.
func (o reportOptions) write(cmd *cobra.Command, formats []report.Format, reports, previous []*verdict.Report, measured []report.File, sign signature.Signer) error {
	if o.dir == "" {
		data, err := formats[0].Render(reports, previous)
		if err != nil {
			return err
		}
		_, err = cmd.OutOrStdout().Write(data)
		return err
	}
	reports, err := o.settled(cmd, reports)
	if err != nil {
		return err
	}
	files, err := report.Files(formats, reports, previous)
	if err != nil {
		return err
	}
	if err := o.mayWrite(files, reports); err != nil {
		return err
	}
	if files, err = withSignatures(append(files, measured...), sign); err != nil {
		return err
	}
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return err
	}
	if err := filetree.Sweep(o.dir, time.Now()); err != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "Half-written files of a run that was killed could not be removed; they do no harm: %v\n", err)
	}
	for _, f := range files {
		path := filepath.Join(o.dir, f.Name)
		if err := filetree.Write(path, f.Bytes); err != nil {
			return err
		}
		fmt.Fprintln(cmd.OutOrStdout(), path)
	}
	return nil
}

// settled compares each report with the directory's report of the same period and
// version.
func (o reportOptions) settled(cmd *cobra.Command, reports []*verdict.Report) ([]*verdict.Report, error) {
	if o.force {
		return reports, nil
	}
	var all []*verdict.Report
	for _, r := range reports {
		write, replaced, err := closing.Settled(o.dir, r)
		var kept *closing.KeptError
		switch {
		case errors.As(err, &kept):
			return nil, fmt.Errorf("%w; restate the period with --supersedes=%s and --reason, write to another directory, or lose the old one with --force", err, kept.Path)
		case err != nil:
			return nil, fmt.Errorf("%w; move it away, write to another directory, or lose it with --force", err)
		case replaced != "":
			fmt.Fprintf(cmd.ErrOrStderr(), "%s was a report to date, and is replaced\n", replaced)
		}
		all = append(all, write)
	}
	return all, nil
}

// mayWrite returns an error if a report's file exists without its JSON, since only the
// JSON shows whether both reports are the same. Pages over several agreements may be
// overwritten, as they are made from reports.
func (o reportOptions) mayWrite(files []report.File, reports []*verdict.Report) error {
	if o.force {
		return nil
	}
	known := map[string]bool{"portfolio": true}
	for _, r := range reports {
		for _, f := range report.Formats() {
			if f.Name != "json" {
				continue
			}
			if _, err := os.Stat(filepath.Join(o.dir, f.FileName(r))); err == nil {
				known[strings.TrimSuffix(f.FileName(r), ".json")] = true
			}
		}
	}
	for _, f := range files {
		path := filepath.Join(o.dir, f.Name)
		if known[strings.TrimSuffix(f.Name, filepath.Ext(f.Name))] {
			continue
		}
		old, err := os.ReadFile(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return err
		case !bytes.Equal(old, f.Bytes):
			return fmt.Errorf("%s is there and differs, and no JSON beside it says what it reports; add json to --format, write to another directory, or lose it with --force", path)
		}
	}
	return nil
}

// evidenceFiles are the files with the evidence of a report, if its JSON is written.
func evidenceFiles(formats []report.Format, r *verdict.Report, e verdict.Evidence) ([]report.File, error) {
	for _, f := range formats {
		if f.Name == "json" {
			file, err := closing.EvidenceFile(r, e)
			return []report.File{file}, err
		}
	}
	return nil, nil
}
