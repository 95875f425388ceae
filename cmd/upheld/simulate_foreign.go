package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/spf13/cobra"

	"github.com/upheld-sla/upheld/internal/regular"
	"github.com/upheld-sla/upheld/internal/replay"
	"github.com/upheld-sla/upheld/internal/simulate"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// mostForeign bounds the size of a foreign file.
const mostForeign = 8 << 20

// foreignFlags are the flags of scenarios that also apply to other tools' rules.
var foreignFlags = []string{"at", "look-for", "scrape-interval", "expect"}

// alertKey finds the names of alerts in a rule file.
var alertKey = regexp.MustCompile(`(?m)^[\s{-]*["']?alert["']?:\s*["']?([^\s"',}]+)`)

// foreign evaluates other tools' rule files over series from a file.
func (o *simulateOptions) foreign(cmd *cobra.Command) error {
	collectLess()
	if err := o.check(cmd); err != nil {
		return usageError{err}
	}
	for _, flag := range o.made.given(cmd.Flags()) {
		if !slices.Contains(foreignFlags, strings.TrimPrefix(flag, "--")) {
			return usageError{fmt.Errorf("%s is for specifications; of --rules, --series says what happens", flag)}
		}
	}
	if len(o.rules) == 0 || o.series == "" || o.scenario != "" {
		return usageError{fmt.Errorf("--rules and --series go together, and without --scenario")}
	}
	f := simulate.Foreign{Name: strings.Join(o.rules, ", "), File: filepath.Clean(o.series), WarmUp: o.warmUp}
	names, err := o.readForeign(&f)
	if err != nil {
		return err
	}
	if err := o.made.foreign(&f, names); err != nil {
		return usageError{err}
	}
	if f.Routes, err = readRoutes(o.alertmanager, nil); err != nil {
		return err
	}
	bar := newProgress(cmd.ErrOrStderr())
	defer bar.end()
	f.Progress = func(share float64) { bar.show("simulating", share) }
	result, err := simulate.RunForeign(cmd.Context(), f)
	bar.end()
	if err != nil {
		return o.reported(cmd, nil, err)
	}
	if problem := result.Unknowable(); problem != nil {
		return o.reported(cmd, nil, problem)
	}
	if err := o.write(cmd, []*simulate.Result{result}); err != nil {
		return err
	}
	return o.judge(cmd, []*simulate.Result{result})
}

// readForeign reads the files, and finds the names of alerts.
func (o *simulateOptions) readForeign(f *simulate.Foreign) (names []string, err error) {
	for _, path := range o.rules {
		text, err := regular.Read(path, mostForeign)
		if err != nil {
			return nil, err
		}
		f.Files = append(f.Files, replay.File{Name: filepath.Clean(path), Text: text})
		for _, m := range alertKey.FindAllStringSubmatch(string(text), -1) {
			names = append(names, m[1])
		}
	}
	f.Series, err = regular.Read(o.series, mostForeign)
	return names, err
}

// foreign applies the flags to a simulation of other tools' rules.
func (m *madeScenario) foreign(f *simulate.Foreign, names []string) (err error) {
	if f.Scrape = m.scrape; m.scrape != 0 && (m.scrape < time.Second || m.scrape > time.Hour) {
		return fmt.Errorf("--scrape-interval=%s is not between 1s and 1h", m.scrape)
	}
	if m.at != "" {
		if f.At, err = spec.ParseInstant(m.at, ""); err != nil {
			return fmt.Errorf("--at=%s: %w", m.at, err)
		}
	}
	if m.lookFor != "" {
		d, err := model.ParseDuration(m.lookFor)
		if err != nil || d <= 0 || time.Duration(d) > spec.LongestScenario {
			return fmt.Errorf("--look-for=%s is not a duration like 6h, at most %s", m.lookFor, sla.FormatDuration(spec.LongestScenario))
		}
		f.LookFor = time.Duration(d)
	}
	for _, text := range m.expected {
		e, err := spec.ParseExpectation(text, nil, names...)
		if err != nil {
			return fmt.Errorf("--expect: %w", err)
		}
		if e.Subject == sla.ExpectBudget {
			return fmt.Errorf("--expect: rules of others have no budget that is known here")
		}
		f.Expect = append(f.Expect, e)
	}
	return nil
}
