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

// ToDate returns whether the period of a report was not over when it was made, so that
// it is no report to keep.
func ToDate(r *verdict.Report) bool { return r.Period.Until.Before(r.Period.End) }

// same returns whether two reports agree in everything except who made them, when, and
// where the measurements were read.
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

// Changes returns whether the next version of a report says something else than the
// one before.
func Changes(old, next *verdict.Report) bool {
	as := *next
	as.Version, as.Supersedes, as.Reason = old.Version, old.Supersedes, old.Reason
	return !same(old, &as)
}

// Settled compares a report with the one of the same period and version that a folder
// has. If both say the same, or there is none, it returns the report to write: of two
// equal ones the first, so that its bytes stay. A report to date may be replaced; then
// replaced says which file that is. Anything else is an error: a report that was given
// to somebody does not change under its name.
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

// KeptError says that a report would have been written over with another one.
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
