package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/upheld-sla/upheld/internal/inspect"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// gate has the flags of the verb gate.
type gate struct {
	files    spec.Files
	server   serverFlags
	budget   string
	services []string
	levels   []string
	format   string
}

func newGate() *cobra.Command {
	var g gate
	cmd := &cobra.Command{
		Use:   "gate SPEC... --prometheus.url=URL",
		Short: "Say whether error budgets allow a deployment now",
		Long: `Gate asks a Prometheus, or what answers as one, how much of their error budgets the
levels have left, and says whether that allows a deployment, with one line a level. Put
it before the step of your pipeline that deploys.

A level allows a deployment while every one of its periods, and of its groups, has more
of its budget left than --budget. It is unknown while the server has recorded no budget
of it, as before the rules are loaded, or while SLAMeasurementLost fires: then nobody
knows what is being spent.

Exit code 0 means that all levels allow it, 3 that one refuses, 4 that none refuses and
one is unknown. A mistake in the call is 2, a server that does not answer 1: neither says
anything about budgets.`,
		Example: `  # before a deployment of the service checkout
  upheld gate specs/ --prometheus.url=http://localhost:9090 --service=checkout

  # deploy while anything is left, and also when nothing is known
  upheld gate specs/ --prometheus.url=http://localhost:9090 --budget=0% || [ $? -eq 4 ]`,
		Args: atLeastOneSpec,
		RunE: g.run,
	}
	f := cmd.Flags()
	g.server.flags(f, "the `URL` of the server that has recorded the budgets", 10*time.Second)
	f.StringVar(&g.budget, "budget", "10%", "how much of its budget a level must have more than")
	f.StringArrayVar(&g.services, "service", nil, "ask only for the levels of this `service`; may be repeated")
	f.StringArrayVar(&g.levels, "level", nil, "ask only for this `level`, as level or service/level; may be repeated")
	bindFormat(f, &g.format, "how to print the answer")
	bindFiles(f, &g.files)
	return cmd
}

// gateState is a level's answer for a deployment.
type gateState string

const (
	gateAllows  gateState = "allows"
	gateRefuses gateState = "refuses"
	gateUnknown gateState = "unknown"
)

// gateLevel is the answer of a level, from its worst period and group.
type gateLevel struct {
	Agreement string    `json:"agreement"`
	Service   string    `json:"service"`
	Level     string    `json:"level"`
	State     gateState `json:"state"`
	Period    string    `json:"period,omitempty"`
	Group     string    `json:"group,omitempty"`
	Left      *float64  `json:"budgetLeft,omitempty"` // of 1
	Reason    string    `json:"reason,omitempty"`
}

// gateAnswer is the answer as JSON.
type gateAnswer struct {
	State  gateState   `json:"state"`
	Least  float64     `json:"budgetWanted"` // of 1
	Levels []gateLevel `json:"levels"`
}

func (g *gate) run(cmd *cobra.Command, args []string) error {
	least, err := g.check()
	if err != nil {
		return usageError{err}
	}
	agreements, err := mustLoad(cmd.ErrOrStderr(), g.files, args)
	if err != nil {
		return err
	}
	levels, err := g.chosen(agreements)
	if err != nil {
		return usageError{err}
	}
	asked, err := (&environment{server: g.server}).connect(cmd.Context(), &rulegen.Options{})
	if err != nil {
		return err
	}
	answer := gateAnswer{State: gateAllows, Least: least.Float64() / 100}
	for _, l := range levels {
		answer.Levels = append(answer.Levels, judgeBudget(asked.server, l, least))
	}
	if err := asked.failed(); err != nil {
		return err
	}
	return answer.give(cmd.OutOrStdout(), g.format)
}

// check returns the least budget in per cent, or an error about the flags.
func (g *gate) check() (least sla.Decimal, err error) {
	if g.server.url == "" {
		return least, errors.New("name the server that has recorded the budgets: --prometheus.url=http://localhost:9090")
	}
	if err := g.server.check(); err != nil {
		return least, err
	}
	least, err = sla.ParseDecimal(strings.TrimSpace(strings.TrimSuffix(g.budget, "%")))
	if err != nil || least.Float64() < 0 || least.Float64() >= 100 {
		return least, fmt.Errorf("--budget=%s is not a share of a budget; write 0%%, 10%%, or another below 100%%", g.budget)
	}
	return least, nil
}

// chosen returns the requested levels: all, or those of --service and --level.
func (g *gate) chosen(agreements []*sla.Agreement) ([]*sla.ServiceLevel, error) {
	var all []*sla.ServiceLevel
	services, names := map[string]bool{}, map[string]bool{}
	for _, a := range agreements {
		for _, l := range a.Levels {
			services[l.ID.Service], names[l.ID.SLO], names[l.ID.Service+"/"+l.ID.SLO] = true, true, true
			wanted := len(g.services)+len(g.levels) == 0 || slices.Contains(g.services, l.ID.Service) ||
				slices.Contains(g.levels, l.ID.SLO) || slices.Contains(g.levels, l.ID.Service+"/"+l.ID.SLO)
			known := slices.ContainsFunc(all, func(other *sla.ServiceLevel) bool { return other.ID == l.ID })
			if wanted && !known { // another revision has the same level
				all = append(all, l)
			}
		}
	}
	if err := namesKnown("the specifications have", "service", g.services, services); err != nil {
		return nil, err
	}
	return all, namesKnown("the specifications have", "level", g.levels, names)
}

// namesKnown returns an error if names do not exist; who says who should have them.
func namesKnown(who, flag string, given []string, known map[string]bool) error {
	var all []string
	for name := range known {
		all = append(all, name)
	}
	for _, name := range given {
		if known[name] {
			continue
		}
		remedy := ""
		if near := spec.Nearest(name, all); near != "" {
			remedy = fmt.Sprintf("; did you mean %q?", near)
		}
		return fmt.Errorf("--%s=%s: %s no such %s%s", flag, name, who, flag, remedy)
	}
	return nil
}

// judgeBudget queries the budgets of a level and takes the least.
func judgeBudget(server *inspect.Server, l *sla.ServiceLevel, least sla.Decimal) gateLevel {
	answer := gateLevel{Agreement: l.ID.SLA, Service: l.ID.Service, Level: l.ID.SLO, State: gateUnknown}
	budgets := server.Budgets(l)
	for _, p := range l.Periods() {
		of := slices.DeleteFunc(slices.Clone(budgets), func(b inspect.Budget) bool { return b.Period != p.String() })
		if len(of) == 0 {
			answer.Reason = "the server has recorded no budget of " + p.Words() + ": load the rules, or wait for their first evaluation"
			return answer
		}
		for _, b := range of {
			if answer.Left == nil || b.Left < *answer.Left {
				answer.Left, answer.Period, answer.Group = &b.Left, b.Period, b.Group
			}
		}
	}
	switch {
	case server.Unmeasured(l):
		answer.Reason = sla.AlertMeasurementLost.Name + " fires: nobody knows what is being spent"
	case *answer.Left > least.Float64()/100:
		answer.State = gateAllows
	default:
		answer.State = gateRefuses
		answer.Reason = fmt.Sprintf("more than %s %% must be left", least)
	}
	return answer
}

// give prints the answer, and returns its exit code as an error.
func (a gateAnswer) give(out io.Writer, format string) error {
	code := exitDone
	for _, l := range a.Levels {
		switch {
		case l.State == gateRefuses:
			a.State, code = gateRefuses, exitNo
		case l.State == gateUnknown && code == exitDone:
			a.State, code = gateUnknown, exitInsufficient
		}
	}
	if err := a.print(out, format); err != nil {
		return err
	}
	if code != exitDone {
		return answered{code}
	}
	return nil
}

func (a gateAnswer) print(out io.Writer, format string) error {
	if format == jsonFormat {
		return json.NewEncoder(out).Encode(a)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, l := range a.Levels {
		fmt.Fprintf(w, "%s\t%s:%s/%s\t%s\n", l.State, l.Agreement, l.Service, l.Level, l.words())
	}
	return w.Flush()
}

// words is what a level says in addition to its state.
func (l gateLevel) words() string {
	var words []string
	if l.Left != nil {
		left := fmt.Sprintf("%.4g %% of the budget of %s left", 100**l.Left, l.Period)
		if *l.Left < 0 {
			left = fmt.Sprintf("the budget of %s is overspent by %.4g %%", l.Period, -100**l.Left)
		}
		if l.Group != "" {
			left = l.Group + ": " + left
		}
		words = append(words, left)
	}
	if l.Reason != "" {
		words = append(words, l.Reason)
	}
	return strings.Join(words, "; ")
}
