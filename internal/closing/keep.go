package closing

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/upheld-sla/upheld/internal/report"
	"github.com/upheld-sla/upheld/internal/verdict"
)

// jsonFormat is the format in which reports are kept.
func jsonFormat() report.Format {
	all := report.Formats()
	return all[slices.IndexFunc(all, func(f report.Format) bool { return f.Name == "json" })]
}

// ReadReport reads a report that was kept as JSON.
func ReadReport(path string) (*verdict.Report, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	r, err := report.Read(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// ToDate returns whether the period was not over when the report was made: such a
// report is not kept.
func ToDate(r *verdict.Report) bool { return r.Period.Until.Before(r.Period.End) }

// same returns whether two reports only differ in who made them, when, and where the
// measurements were read.
func same(a, b *verdict.Report) bool {
	x, y := *a, *b
	x.Made, x.Sources = y.Made, y.Sources
	one, err := report.JSON([]*verdict.Report{&x}, nil)
	if err != nil {
		return false
	}
	other, err := report.JSON([]*verdict.Report{&y}, nil)
	return err == nil && bytes.Equal(one, other)
}

// Changes returns whether the next version of a report differs from the one before.
func Changes(old, next *verdict.Report) bool {
	as := *next
	as.Version, as.Supersedes, as.Reason = old.Version, old.Supersedes, old.Reason
	return !same(old, &as)
}

// Settled compares a report with the one of the same period and version in a folder. It
// returns the report to write: the old one if both are equal, so that its bytes stay. A
// report to date may be replaced; then replaced names its file. Anything else is an
// error: a report that somebody may have received does not change under its name.
func Settled(dir string, r *verdict.Report) (write *verdict.Report, replaced string, err error) {
	path := filepath.Join(dir, jsonFormat().FileName(r))
	old, err := ReadReport(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return r, "", nil
	case err != nil:
		return nil, "", fmt.Errorf("%w; it is not written over", err)
	case old.Agreement == r.Agreement && same(old, r):
		return old, "", nil
	case old.Agreement == r.Agreement && ToDate(old):
		return r, path, nil
	}
	return nil, "", &KeptError{Path: path, Old: old, Differences: verdict.Compare(old, r, verdict.Tolerance{})}
}

// KeptError says that a different report would have been overwritten.
type KeptError struct {
	Path        string
	Old         *verdict.Report
	Differences []verdict.Difference
}

func (e *KeptError) Error() string {
	text := fmt.Sprintf("%s is the report of %s, %s, version %d, and the new one differs", e.Path, e.Old.Agreement, e.Old.Period.Name, e.Old.Version)
	if len(e.Differences) > 0 {
		d := e.Differences[0]
		what := d.What
		if d.Level != "" {
			what = d.Level + ": " + what
		}
		text += fmt.Sprintf(" (%s was %s, is %s)", what, orNothing(d.Kept), orNothing(d.Again))
	}
	return text
}

func orNothing(text string) string {
	if text == "" {
		return "nothing"
	}
	return text
}
