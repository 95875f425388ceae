package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/upheld-sla/upheld/internal/filetree"
	"github.com/upheld-sla/upheld/internal/simulate"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// simulateOptions has the flags of simulate.
type simulateOptions struct {
	files        spec.Files
	scenario     string
	agreement    string
	format       string
	svg          string
	warmUp       time.Duration
	made         madeScenario
	alertmanager string   // an Alertmanager configuration with routes
	rules        []string // rule files of other tools
	series       string   // the file with their series
}

func newSimulate() *cobra.Command {
	var o simulateOptions
	cmd := &cobra.Command{
		Use:   "simulate SPEC...",
		Short: "Say which alerts fire when something breaks, and what it costs",
		Long: `Simulate imagines the series that service levels count, breaks something in them, and
has the rules that generate makes evaluated by Prometheus' own engine in simulated
time: which alert fires how soon, when it ends, how much of the budget is spent and
which credit is owed. No server is needed.

What breaks is said by flags, or by the scenarios of a file with what is expected of
the alerts. Without either it prints a report card of each level: after how long alerts
report outages of several sizes.`,
		Example: `  # a total outage of 20 minutes, and then of 30 % of the requests
  upheld simulate specs/shop.yaml --outage 20m
  upheld simulate specs/shop.yaml --outage 30%@20m --level api/requests

  # in CI: exit code 3 if an alert does not fire in time
  upheld simulate specs/shop.yaml --scenario scenarios/bad-deploy.yaml

  # rules of others, over series that you write down
  upheld simulate --rules rules.yaml --series series.txt --expect "HighErrors within 10m"

  # how soon alerts report anything
  upheld simulate specs/shop.yaml --level api/requests`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(o.rules) > 0 {
				return noArguments(cmd, args)
			}
			return atLeastOneSpec(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(o.rules) > 0 || o.series != "" {
				return o.foreign(cmd)
			}
			return o.run(cmd, args)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.scenario, "scenario", "", "`file` with scenarios to play")
	f.StringVar(&o.agreement, "agreement", "", "`name` of the agreement, if there are several")
	bindFormat(f, &o.format, "how to write the result")
	f.StringVar(&o.svg, "svg", "", "also write the timeline to this `file`, as SVG")
	f.DurationVar(&o.warmUp, "warm-up", 0, "history before the scenario; as much as its periods have if it is 0")
	f.StringVar(&o.alertmanager, "alertmanager.config", "", "notify by the routes of this `file` instead of the generated ones")
	f.StringArrayVar(&o.rules, "rules", nil, "evaluate this rule `file` instead of a specification's rules; may be repeated; with --series")
	f.StringVar(&o.series, "series", "", "`file` with the series that --rules read, a line each as in promtool's tests: name{label=\"value\"} 0+10x40")
	o.made.flags(f)
	bindFiles(f, &o.files)
	return cmd
}

func (o *simulateOptions) check(cmd *cobra.Command) error {
	if o.warmUp < 0 || o.warmUp > simulate.LongestHistory {
		return fmt.Errorf("--warm-up=%s is not from 0 to %s", o.warmUp, sla.FormatDuration(simulate.LongestHistory))
	}
	if o.scenario == "" {
		return nil
	}
	if given := o.made.given(cmd.Flags()); len(given) > 0 {
		return fmt.Errorf("--scenario says what happens; leave out %s", strings.Join(given, ", "))
	}
	return nil
}

func (o *simulateOptions) run(cmd *cobra.Command, paths []string) error {
	collectLess()
	if err := o.check(cmd); err != nil {
		return usageError{err}
	}
	all := slices.Clone(paths)
	if o.scenario != "" {
		all = append(all, o.scenario)
	}
	agreements, err := mustLoad(cmd.ErrOrStderr(), o.files, all)
	if err != nil {
		return err
	}
	scenarios, err := o.scenarios(cmd, agreements, paths)
	if err != nil {
		return err
	}
	if scenarios == nil {
		for _, a := range agreements {
			if n := len(a.Scenarios); n > 0 {
				fmt.Fprintf(cmd.ErrOrStderr(), "%s has %s; --scenario=%s plays what is there\n", a.Name, plural(n, "scenario"), a.Scenarios[0].Pos.File)
			}
		}
		return o.reportCard(cmd, agreements, paths)
	}
	results, err := o.play(cmd, agreements, scenarios)
	if err != nil {
		return err
	}
	if err := o.write(cmd, results); err != nil {
		return err
	}
	return o.judge(cmd, results)
}

// scenarios returns the scenarios to play; none if no flag or file has one.
func (o *simulateOptions) scenarios(cmd *cobra.Command, agreements []*sla.Agreement, paths []string) ([]*sla.Scenario, error) {
	if o.scenario == "" {
		if !o.made.happens() {
			return nil, nil
		}
		a, err := oneAgreement(cmd, o.files, paths, o.agreement)
		if err != nil {
			return nil, err
		}
		s, err := o.made.scenario(a)
		return []*sla.Scenario{s}, err
	}
	var all []*sla.Scenario
	for _, a := range agreements {
		for _, s := range a.Scenarios {
			if s.Pos.File == filepath.Clean(o.scenario) && (o.agreement == "" || a.Name == o.agreement) {
				all = append(all, s)
			}
		}
	}
	if len(all) == 0 {
		return nil, usageError{fmt.Errorf("--scenario=%s has no scenario (kind: Scenario)", o.scenario)}
	}
	return all, nil
}

// play plays scenarios one after another.
func (o *simulateOptions) play(cmd *cobra.Command, agreements []*sla.Agreement, scenarios []*sla.Scenario) ([]*simulate.Result, error) {
	routes, err := readRoutes(o.alertmanager, agreements)
	if err != nil {
		return nil, err
	}
	bar := newProgress(cmd.ErrOrStderr())
	defer bar.end()
	var results []*simulate.Result
	for i, s := range scenarios {
		result, err := simulate.Run(cmd.Context(), simulate.Input{
			Agreements: agreements, Scenario: s, WarmUp: o.warmUp, Rules: rulegen.Options{}, Routes: routes,
			Progress: func(share float64) {
				bar.show("simulating "+s.Name, (float64(i)+share)/float64(len(scenarios)))
			},
		})
		bar.end()
		if err == nil {
			if problem := result.Unknowable(); problem != nil {
				err = problem
			}
		}
		if err != nil {
			return nil, o.reported(cmd, agreements, err)
		}
		results = append(results, result)
	}
	return results, nil
}

// reported prints the error with its place if it is a problem.
func (o *simulateOptions) reported(cmd *cobra.Command, agreements []*sla.Agreement, err error) error {
	var problem *simulate.Problem
	if !errors.As(err, &problem) {
		return err
	}
	if problem.Pos.File == "" {
		return errors.New(problem.Error())
	}
	findings := presentable(sla.Findings{problem.Finding()})
	if agreements == nil {
		return errors.Join(printText(cmd.ErrOrStderr(), findings), errReported)
	}
	return tell(cmd.ErrOrStderr(), agreements, findings)
}

// write writes results to standard output, and the timeline to its file.
func (o *simulateOptions) write(cmd *cobra.Command, results []*simulate.Result) error {
	render := simulate.Text
	if o.format == jsonFormat {
		render = simulate.JSON
	}
	data, err := render(results)
	if err != nil {
		return err
	}
	if o.svg != "" {
		if err := filetree.Write(o.svg, simulate.SVG(results)); err != nil {
			return err
		}
	}
	_, err = cmd.OutOrStdout().Write(data)
	return err
}

// judge reports expectations that were not met.
func (o *simulateOptions) judge(cmd *cobra.Command, results []*simulate.Result) error {
	failed := 0
	for _, r := range results {
		for _, f := range r.Failed {
			failed++
			where := ""
			if f.Expected.Pos.File != "" {
				where = f.Expected.Pos.String() + ": "
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "%sexpected %q: %s\n", where, f.Expected.Text, f.Seen)
		}
	}
	if failed > 0 {
		return answered{exitNo}
	}
	return nil
}
