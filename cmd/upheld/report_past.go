package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"github.com/upheld-sla/upheld/internal/closing"
	"github.com/upheld-sla/upheld/internal/verdict"
)

// pastFlags name earlier reports, on which caps, credits and trends depend.
type pastFlags struct{ previous []string }

func (o *pastFlags) flags(f *pflag.FlagSet) {
	f.StringArrayVar(&o.previous, "previous", nil, "an earlier report as JSON, or a `directory` of such, for caps and credits over several periods and the trend; may be repeated")
}

// mostPrevious bounds how many earlier reports are read: ten years of monthly reports
// of some hundred agreements.
const mostPrevious = 20_000

// read reads the earlier reports. In a directory it reads the files *.json directly in
// it; evidence has another ending, as it is packed.
func (o pastFlags) read() ([]*verdict.Report, error) {
	var files []string
	for _, path := range o.previous {
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("--previous: %w; name a report that was written as JSON, or a directory of such", err)
		}
		if !info.IsDir() {
			files = append(files, path)
			continue
		}
		inside, err := filepath.Glob(filepath.Join(path, "*.json"))
		if err != nil {
			return nil, err
		}
		files = append(files, inside...)
	}
	if len(files) > mostPrevious {
		return nil, fmt.Errorf("--previous names %d reports; at most %d are read", len(files), mostPrevious)
	}
	var all []*verdict.Report
	for _, file := range files {
		r, err := closing.ReadReport(file)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

// restateFlags say which report a new one replaces.
type restateFlags struct{ supersedes, reason string }

func (o *restateFlags) flags(f *pflag.FlagSet) {
	f.StringVar(&o.supersedes, "supersedes", "", "restate the period of this `report`: the new one is its next version, and the old one stays")
	f.StringVar(&o.reason, "reason", "", "why the period is restated")
}

// restating is the report to replace; nil for none.
type restating struct {
	file, reason string
	old          *verdict.Report
	done         bool
}

func (o restateFlags) read() (*restating, error) {
	switch {
	case o.supersedes == "" && o.reason != "":
		return nil, usageError{errors.New("--reason without --supersedes: name the report that is restated")}
	case o.supersedes == "":
		return nil, nil
	case strings.TrimSpace(o.reason) == "":
		return nil, usageError{errors.New("--supersedes without --reason: say why the period is restated")}
	}
	old, err := closing.ReadReport(o.supersedes)
	return &restating{file: o.supersedes, reason: o.reason, old: old}, err
}

// of returns a report, or its next version if it is of the same agreement and period as
// the old one.
func (s *restating) of(r *verdict.Report) (*verdict.Report, error) {
	if s == nil || r.Agreement != s.old.Agreement || r.Period.Name != s.old.Period.Name {
		return r, nil
	}
	s.done = true
	return verdict.Restate(s.old, r, s.reason)
}

// missed returns an error if no report replaced the old one.
func (s *restating) missed() error {
	if s == nil || s.done {
		return nil
	}
	return fmt.Errorf("%s is the report of %s, %s, which is not among those that are made; restate with its specification and --period", s.file, s.old.Agreement, s.old.Period.Name)
}
