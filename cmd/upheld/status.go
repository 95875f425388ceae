package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/upheld-sla/upheld/internal/inspect"
	"github.com/upheld-sla/upheld/internal/overview"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// status has the flags of the verb status.
type status struct {
	files      spec.Files
	server     serverFlags
	agreements []string
	services   []string
	format     string
	colour     string
	failOn     []string
	watch      bool
	interval   time.Duration
}

func newStatus() *cobra.Command {
	var s status
	cmd := &cobra.Command{
		Use:   "status [SPEC...] --prometheus.url=URL",
		Short: "Show how all service levels are now, the worst first",
		Long: `Status asks a Prometheus, or what answers as one, for what its rules recorded: which
levels are down or degraded and since when, what they achieved of their targets, how much
of their budgets is left, how fast it burns, which alerts fire, and by which components a
composite is down. The first sentence is what matters most.

It shows the levels that the server has; with SPEC only those of the specification, and
it names those that the server has nothing of. It asks a handful of questions, however
many levels there are. Times are by the clock of your zone (TZ).

The exit code is 0, whatever the levels are, unless --fail-on names a state that one of
them is in: then it is 3. --fail-on=unknown includes levels of SPEC that the server has
nothing of. A mistake in the call is 2, a server that does not answer 1.`,
		Example: `  # how is everything?
  upheld status --prometheus.url=http://localhost:9090

  # keep it in a corner of the screen
  upheld status --prometheus.url=http://localhost:9090 --watch

  # in a script: is anything of the shop down?
  upheld status specs/shop.yaml --prometheus.url=http://localhost:9090 --fail-on=down,unknown`,
		RunE: s.run,
	}
	f := cmd.Flags()
	s.server.flags(f, "the `URL` of the server that records the levels", 10*time.Second)
	f.StringArrayVar(&s.agreements, "agreement", nil, "show only the levels of this `agreement`; may be repeated")
	f.StringArrayVar(&s.services, "service", nil, "show only the levels of this `service`; may be repeated")
	bindFormat(f, &s.format, "how to print it")
	bindChoice(f, &s.colour, "color", colourModes[0], "whether to print colours; auto does on a terminal, unless NO_COLOR is set", colourModes)
	f.Var(choices{&s.failOn, failStates()}, "fail-on", "exit with 3 if a level is in one of these `states`: "+strings.Join(failStates(), ", "))
	f.BoolVarP(&s.watch, "watch", "w", false, "show it again and again, until Ctrl-C")
	f.DurationVar(&s.interval, "interval", 10*time.Second, "with --watch: how long to wait in between")
	bindFiles(f, &s.files)
	return cmd
}

// failState is a state that --fail-on can name: of levels, budgets or targets.
type failState struct {
	name  string
	holds func(sla.State, sla.BudgetState, sla.TargetState) bool
}

// failOn is the table of these states.
var failOn = []failState{
	{"down", func(s sla.State, _ sla.BudgetState, _ sla.TargetState) bool { return s == sla.StateDown }},
	{"degraded", func(s sla.State, _ sla.BudgetState, _ sla.TargetState) bool { return s == sla.StateDegraded }},
	{"unknown", func(s sla.State, _ sla.BudgetState, _ sla.TargetState) bool { return s == sla.StateUnknown }},
	{"burning", func(_ sla.State, b sla.BudgetState, _ sla.TargetState) bool { return b == sla.BudgetBurning }},
	{"spent", func(_ sla.State, b sla.BudgetState, _ sla.TargetState) bool { return b == sla.BudgetSpent }},
	{"missed", func(_ sla.State, _ sla.BudgetState, t sla.TargetState) bool { return t == sla.TargetMissed }},
}

func failStates() []string {
	var names []string
	for _, f := range failOn {
		names = append(names, f.name)
	}
	return names
}

func (s *status) run(cmd *cobra.Command, args []string) error {
	if err := s.check(); err != nil {
		return usageError{err}
	}
	wanted, err := s.wanted(cmd, args)
	if err != nil {
		return err
	}
	asked, err := (&environment{server: s.server}).connect(cmd.Context(), &rulegen.Options{})
	if err != nil {
		return err
	}
	out := newScreen(cmd.OutOrStdout(), s.colour)
	if s.watch {
		return s.keepShowing(cmd.Context(), out, asked, wanted)
	}
	o, err := s.look(asked, wanted)
	if err != nil {
		return err
	}
	if err := s.print(out.to, out.look(), o); err != nil {
		return err
	}
	if s.fails(o) {
		return answered{exitNo}
	}
	return nil
}

// check returns what is wrong with the flags.
func (s *status) check() error {
	if s.server.url == "" {
		return errors.New("name the server that records the levels: --prometheus.url=http://localhost:9090")
	}
	if err := s.server.check(); err != nil {
		return err
	}
	if s.interval < time.Second {
		return fmt.Errorf("--interval=%s is less than 1s", s.interval)
	}
	return nil
}

// wanted returns the levels of the specifications, in their order; nil without
// specifications.
func (s *status) wanted(cmd *cobra.Command, args []string) ([]sla.ID, error) {
	if len(args) == 0 {
		return nil, nil
	}
	agreements, err := mustLoad(cmd.ErrOrStderr(), s.files, args)
	if err != nil {
		return nil, err
	}
	all := []sla.ID{}
	for _, a := range agreements {
		for _, l := range a.Levels {
			if !slices.Contains(all, l.ID) { // another revision has the same level
				all = append(all, l.ID)
			}
		}
	}
	kept, err := s.filtered(all, "the specifications have")
	if err != nil {
		return nil, usageError{err}
	}
	return kept, nil
}

// filtered returns the levels that match --agreement and --service. It is an error to
// name one that does not exist.
func (s *status) filtered(all []sla.ID, who string) ([]sla.ID, error) {
	agreements, services := map[string]bool{}, map[string]bool{}
	kept := []sla.ID{}
	for _, id := range all {
		agreements[id.SLA], services[id.Service] = true, true
		if (len(s.agreements) == 0 || slices.Contains(s.agreements, id.SLA)) && (len(s.services) == 0 || slices.Contains(s.services, id.Service)) {
			kept = append(kept, id)
		}
	}
	if err := namesKnown(who, "agreement", s.agreements, agreements); err != nil {
		return nil, err
	}
	return kept, namesKnown(who, "service", s.services, services)
}

// look queries everything once.
func (s *status) look(asked *asked, wanted []sla.ID) (*overview.Overview, error) {
	asked.server = asked.server.Again()
	levels, at := asked.server.Levels(agreementsOf(wanted, s.agreements))
	if err := asked.failed(); err != nil {
		return nil, err
	}
	var ids []sla.ID
	for _, l := range levels {
		ids = append(ids, l.ID)
	}
	switch {
	case wanted == nil && len(ids) == 0 && len(s.agreements) == 0:
		return nil, fmt.Errorf("--prometheus.url=%s has no service levels: load the rules that upheld generate makes, or wait for their first evaluation", s.server.url)
	case wanted == nil:
		var err error
		if wanted, err = s.filtered(ids, "the server has"); err != nil {
			return nil, usageError{err}
		}
	}
	levels = slices.DeleteFunc(levels, func(l inspect.LevelNow) bool { return !slices.Contains(wanted, l.ID) })
	missing := slices.DeleteFunc(slices.Clone(wanted), func(id sla.ID) bool { return slices.Contains(ids, id) })
	if at.IsZero() {
		at = time.Now()
	}
	return overview.New(s.server.url, at, levels, missing), nil
}

// agreementsOf returns the agreements to query: those of the levels, or the named ones.
func agreementsOf(wanted []sla.ID, named []string) []string {
	var all []string
	for _, id := range wanted {
		if !slices.Contains(all, id.SLA) {
			all = append(all, id.SLA)
		}
	}
	if wanted == nil {
		return named
	}
	return all
}

func (s *status) print(out io.Writer, look overview.Look, o *overview.Overview) error {
	if s.format == jsonFormat {
		return json.NewEncoder(out).Encode(o)
	}
	_, err := io.WriteString(out, o.Text(look))
	return err
}

// fails returns whether a level is in a state that --fail-on names.
func (s *status) fails(o *overview.Overview) bool {
	for _, f := range failOn {
		if slices.Contains(s.failOn, f.name) && (o.Any(f.holds) || f.name == "unknown" && len(o.Missing) > 0) {
			return true
		}
	}
	return false
}

// keepShowing shows the overview until it is stopped. While the server does not answer,
// it says so above the last overview.
func (s *status) keepShowing(ctx context.Context, out *screen, asked *asked, wanted []sla.ID) error {
	var last *overview.Overview
	for {
		o, err := s.look(asked, wanted)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // it was stopped
		}
		if _, usage := errors.AsType[usageError](err); usage {
			return err
		}
		var b strings.Builder
		if err != nil {
			fmt.Fprintf(&b, "%s: %s\n", time.Now().Format("15:04:05"), sla.Redact(err.Error()))
		} else {
			last = o
		}
		if last != nil && (err == nil || s.format == textFormat) {
			if err != nil {
				b.WriteString("What follows is what it said last.\n\n")
			}
			if err := s.print(&b, out.look(), last); err != nil {
				return err
			}
		}
		if err := out.redraw(b.String(), s.format == textFormat); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(s.interval):
		}
	}
}
