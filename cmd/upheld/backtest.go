package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/upheld-sla/upheld/internal/backtest"
	"github.com/upheld-sla/upheld/internal/replay"
	"github.com/upheld-sla/upheld/internal/routing"
	"github.com/upheld-sla/upheld/internal/samples"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// backtesting has the flags of the verb backtest.
type backtesting struct {
	files        spec.Files
	source       sampleFlags
	from, to     string
	against      []string
	foreign      []string
	alertmanager string
	format       string
	state        string
	rules        historyRules
}

// backtestSpan is how far back it looks by default.
const backtestSpan = 30 * 24 * time.Hour

func newBacktest() *cobra.Command {
	var b backtesting
	cmd := &cobra.Command{
		Use:   "backtest SPEC...",
		Short: "Say which alerts, budgets and verdicts a past would have had",
		Long: `Backtest evaluates the generated rules over raw samples of the past, as a Prometheus would
have, and says which alerts would have fired and resolved when, how often each receiver
would have been notified, what was left of each budget, which targets every period would
have met, and how the periods that lie in the time would have been judged.

With --against it tries another version of the specification on the same past, and shows
both beside each other: what would October have been under the new text? With --rules it
takes rule files of anyone instead of a specification, and says which of their alerts
would have fired.

Notifications are those of the routes that generate writes, or of your own configuration
with --alertmanager.config. Times of alerts may differ from a server's by one evaluation,
since the moments of evaluation depend on the path of the rule file there.

The server is asked one small question at a time. With --state what was read is kept, and
a run that was interrupted goes on from there.`,
		Example: `  # the last 30 days
  upheld backtest specs/shop.yaml --prometheus.url=http://localhost:9090

  # what would October have been under the old text?
  upheld backtest specs/shop.yaml --against=old/shop.yaml --from=2026-10-01 --to=2026-11-01 \
    --prometheus.url=http://localhost:9090

  # any rule files, and your own routes
  upheld backtest --rules=/etc/prometheus/rules/api.yaml --alertmanager.config=alertmanager.yml \
    --prometheus.url=http://localhost:9090`,
		RunE: b.run,
	}
	f := cmd.Flags()
	b.source.flags(f)
	f.StringVar(&b.from, "from", "", "begin at this `time`: 2026-10-01, or 2026-10-01T00:00:00Z (default: 30 days before --to)")
	f.StringVar(&b.to, "to", "", "end at this `time` (default: now)")
	f.StringArrayVar(&b.against, "against", nil, "try this `SPEC`, too, and compare; may be repeated")
	f.StringArrayVar(&b.foreign, "rules", nil, "try this rule `file` instead of a specification; may be repeated")
	f.StringVar(&b.alertmanager, "alertmanager.config", "", "notify by the routes of this `file` instead of the generated ones")
	bindFormat(f, &b.format, "how to print the result")
	f.StringVar(&b.state, "state", "", "keep what was read in this `directory` until it is done")
	b.rules.flags(f)
	bindFiles(f, &b.files)
	return cmd
}

func (b *backtesting) run(cmd *cobra.Command, args []string) error {
	from, to, err := b.check(args)
	if err != nil {
		return usageError{err}
	}
	tried, err := b.tried(cmd, args, from)
	if err != nil {
		return err
	}
	source, done, err := b.open(tried, from, to)
	if err != nil {
		return err
	}
	var results []*backtest.Result
	bar := newProgress(cmd.ErrOrStderr())
	defer bar.end()
	for _, t := range tried {
		r, err := backtest.Run(cmd.Context(), backtest.Input{
			Agreements: t.agreements, Files: t.rules, Routes: t.routes, Source: source, From: from, To: to, Progress: bar.show,
		})
		if err != nil {
			return interruptedBacktest(err, b.state)
		}
		results = append(results, r)
	}
	bar.end()
	if results[0].Samples == 0 {
		return fmt.Errorf("there is no raw sample of %s to %s of what the rules read; upheld check --prometheus.url says what is missing", clockTime(from), clockTime(to))
	}
	if err := b.print(cmd, tried, results); err != nil {
		return err
	}
	return done()
}

func interruptedBacktest(err error, state string) error {
	if state == "" || errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("%w; what was read is kept in %s: call it again, and it goes on from there", err, state)
}

func (b *backtesting) check(args []string) (from, to time.Time, err error) {
	switch {
	case len(args) == 0 && len(b.foreign) == 0:
		return from, to, errors.New("backtest needs a specification, or rule files with --rules")
	case len(args) > 0 && len(b.foreign) > 0:
		return from, to, errors.New("a specification and --rules: try one of them")
	case len(b.foreign) > 0 && len(b.against) > 0:
		return from, to, errors.New("--against is of specifications, and there is none")
	case b.state != "" && b.source.server.url == "":
		return from, to, errors.New("--state is for a server (--prometheus.url): files are read again")
	}
	if err := b.source.check(); err != nil {
		return from, to, err
	}
	if from, to, err = parseSpan(b.from, b.to); err != nil {
		return from, to, err
	}
	if to.IsZero() {
		to = time.Now().UTC().Truncate(time.Minute)
	}
	if from.IsZero() {
		from = to.Add(-backtestSpan)
	}
	if !from.Before(to) {
		return from, to, fmt.Errorf("--from=%s is not before %s, where it ends", b.from, clockTime(to))
	}
	return from, to, nil
}

// trial is one version of the rules to try.
type trial struct {
	name       string
	agreements []*sla.Agreement
	rules      []replay.File
	routes     *routing.Config
}

func (b *backtesting) tried(cmd *cobra.Command, args []string, from time.Time) ([]trial, error) {
	if len(b.foreign) > 0 {
		t := trial{name: strings.Join(b.foreign, " ")}
		var err error
		if t.routes, err = readRoutes(b.alertmanager, nil); err != nil {
			return nil, err
		}
		for _, name := range b.foreign {
			text, err := os.ReadFile(name)
			if err != nil {
				return nil, fmt.Errorf("--rules: %w", err)
			}
			t.rules = append(t.rules, replay.File{Name: name, Text: text})
		}
		return []trial{t}, nil
	}
	var all []trial
	for _, paths := range [][]string{args, b.against} {
		if len(paths) == 0 {
			continue
		}
		t, err := b.ofSpec(cmd, paths, from)
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}

func (b *backtesting) ofSpec(cmd *cobra.Command, paths []string, from time.Time) (t trial, err error) {
	t = trial{name: strings.Join(paths, " ")}
	if t.agreements, err = mustLoad(cmd.ErrOrStderr(), b.files, paths); err != nil {
		return t, err
	}
	for i, a := range t.agreements {
		var early bool
		if t.agreements[i], early = backtest.Tried(a, from); early {
			fmt.Fprintf(cmd.ErrOrStderr(), "%s takes effect on %s, and is tried as if it had been in force before\n", a.Name, a.Terms.EffectiveFrom)
		}
	}
	if t.rules, err = b.rules.of(t.agreements); err != nil {
		return t, err
	}
	t.routes, err = readRoutes(b.alertmanager, t.agreements)
	return t, err
}

// readRoutes returns the routes of an Alertmanager configuration: from a file, or else
// those that generate writes for the agreements; nil if there are neither.
func readRoutes(file string, agreements []*sla.Agreement) (*routing.Config, error) {
	if file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("--alertmanager.config: %w", err)
		}
		return routing.Read(file, text)
	}
	if len(agreements) == 0 {
		return nil, nil
	}
	text, _, err := emit.Alertmanager(agreements)
	if err != nil {
		return nil, err
	}
	return routing.Read("alertmanager.yml", text)
}

// open returns the source, and a function to call at the end.
func (b *backtesting) open(tried []trial, from, to time.Time) (samples.Source, func() error, error) {
	source, err := b.source.source()
	if err != nil || b.state == "" {
		return source, func() error { return nil }, err
	}
	about := []string{b.source.server.url, from.String(), to.String()}
	for _, t := range tried {
		for _, f := range t.rules {
			about = append(about, f.Name, string(f.Text))
		}
	}
	run, err := samples.OpenRun(b.state, to, about...)
	if err != nil {
		return nil, nil, fmt.Errorf("--state: %w", err)
	}
	return run.Source(source), run.Done, nil
}

func (b *backtesting) print(cmd *cobra.Command, tried []trial, results []*backtest.Result) error {
	var names []string
	for _, t := range tried {
		names = append(names, t.name)
	}
	if b.format == jsonFormat {
		text, err := backtest.JSON(names, results)
		if err == nil {
			_, err = cmd.OutOrStdout().Write(text)
		}
		return err
	}
	var text []byte
	for i, r := range results {
		if len(results) > 1 {
			text = fmt.Appendf(text, "== %s\n", names[i])
		}
		text = append(text, r.Text()...)
		text = append(text, '\n')
	}
	if len(results) == 2 {
		text = append(text, backtest.Compare([2]string(names), [2]*backtest.Result(results))...)
	}
	_, err := cmd.OutOrStdout().Write(text)
	return err
}
