package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/spf13/pflag"

	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// madeScenario is a scenario made from flags.
type madeScenario struct {
	steps    []sla.ScenarioStep
	levels   []string
	at       string
	lookFor  string
	scrape   time.Duration
	spent    string
	traffic  string
	expected []string
}

// stepFlags are the flags for steps, and the beginnings of their values.
var stepFlags = []struct {
	name   string
	kind   sla.StepKind
	amount string // before the @: "share", "rate" or ""
	usage  string
}{
	{"outage", sla.StepOutage, "share", "how long everything fails: `20m`, or with a share and when it begins: 30%@20m+2h; may be repeated"},
	{"errors", sla.StepErrors, "share", "a `share` of events that fail, and how long: 1%@3d"},
	{"slow", sla.StepSlow, "share", "a `share` of events that are slower than thresholds, and how long: 50%@1h"},
	{"burn", sla.StepBurn, "rate", "how many `times` faster than allowed the budget is spent, and how long: 2x@3d"},
	{"low-traffic", sla.StepLowTraffic, "share", "the `share` of the traffic that is left, and how long: 5%@8h"},
	{"lost", sla.StepLost, "", "how `long` nothing is measured, and when that begins: 30m+1h"},
	{"prometheus-away", sla.StepAway, "", "how `long` Prometheus does not run"},
	{"maintenance", sla.StepMaintenance, "", "how `long` everything fails in an announced maintenance window"},
}

// cardFlags are the flags of scenarios that also apply to report cards.
var cardFlags = []string{"level", "traffic", "scrape-interval"}

func (m *madeScenario) flags(f *pflag.FlagSet) {
	for _, s := range stepFlags {
		f.Var(&stepValue{m, s.kind, s.amount}, s.name, s.usage)
	}
	f.StringArrayVar(&m.levels, "level", nil, "`name` of a level to look at, as level or service/level; may be repeated")
	f.StringVar(&m.at, "at", "", "when it begins, as `2026-03-18T10:00` in the agreement's time zone; within the service hours if it is not given")
	f.StringVar(&m.lookFor, "look-for", "", "how `long` is looked at")
	f.DurationVar(&m.scrape, "scrape-interval", 0, "how often Prometheus scrapes (default 15s)")
	f.StringVar(&m.spent, "spent", "", "the `share` of the budget that was spent earlier: 40%")
	f.StringVar(&m.traffic, "traffic", "", "events a `second` of levels that count events (default 10)")
	f.StringArrayVar(&m.expected, "expect", nil, "what is expected, as `\"page within 5m\"`; exit code 3 if it does not happen; may be repeated")
}

// names are all flags for a made scenario.
func (m *madeScenario) names() []string {
	names := []string{"at", "look-for", "spent", "expect"}
	for _, s := range stepFlags {
		names = append(names, s.name)
	}
	return append(names, cardFlags...)
}

// given returns the flags that were set, as they are written.
func (m *madeScenario) given(f *pflag.FlagSet) []string {
	var given []string
	for _, name := range m.names() {
		if f.Changed(name) {
			given = append(given, "--"+name)
		}
	}
	return given
}

// happens returns whether there is anything to play.
func (m *madeScenario) happens() bool { return len(m.steps) > 0 }

// scenario makes a scenario for an agreement. It turns the flags into a document, whose
// reader finds mistakes.
func (m *madeScenario) scenario(a *sla.Agreement) (*sla.Scenario, error) {
	s := &sla.Scenario{Name: "flags", Agreement: a.Name, Steps: m.steps, ScrapeInterval: m.scrape}
	var err error
	var words []string
	for _, step := range m.steps {
		words = append(words, stepWords(step))
	}
	s.Description = strings.Join(words, ", ")
	if s.Levels, err = levelsOf(a, m.levels); err != nil {
		return nil, usageError{err}
	}
	if m.scrape != 0 && (m.scrape < time.Second || m.scrape > sla.BaseWindow/4) {
		return nil, usageError{fmt.Errorf("--scrape-interval=%s is not between 1s and %s: a five-minute rate needs four scrapes", m.scrape, sla.BaseWindow/4)}
	}
	if m.at != "" {
		if s.At, err = spec.ParseInstant(m.at, a.Zone); err != nil {
			return nil, usageError{fmt.Errorf("--at=%s: %w", m.at, err)}
		}
	}
	if m.lookFor != "" {
		d, err := model.ParseDuration(m.lookFor)
		if err != nil || d <= 0 || time.Duration(d) > spec.LongestScenario {
			return nil, usageError{fmt.Errorf("--look-for=%s is not a duration like 6h, at most %s", m.lookFor, sla.FormatDuration(spec.LongestScenario))}
		}
		s.LookFor = time.Duration(d)
	}
	if m.spent != "" {
		if s.Spent, err = share(m.spent); err != nil {
			return nil, usageError{fmt.Errorf("--spent=%s: %w", m.spent, err)}
		}
	}
	if m.traffic != "" {
		rate, err := sla.ParseDecimal(m.traffic)
		if err != nil || rate.Sign() <= 0 {
			return nil, usageError{fmt.Errorf("--traffic=%s is not a number of events a second like 50", m.traffic)}
		}
		s.Traffic = []sla.ScenarioTraffic{{Rate: rate, Shape: sla.ShapeFlat}}
	}
	for _, text := range m.expected {
		e, err := spec.ParseExpectation(text, []*sla.Agreement{a})
		if err != nil {
			return nil, usageError{fmt.Errorf("--expect: %w", err)}
		}
		s.Expect = append(s.Expect, e)
	}
	return s, nil
}

// stepWords says what the step of a flag does.
func stepWords(s sla.ScenarioStep) string {
	words := string(s.Kind)
	switch {
	case s.Kind == sla.StepBurn:
		words += " of " + s.Rate.String() + "x"
	case s.Kind.Facets().Share != "":
		words += " of " + s.Share.String() + " %"
	}
	words += " for " + sla.FormatDuration(s.For)
	if s.From > 0 {
		words += " from " + sla.FormatDuration(s.From) + " on"
	}
	return words
}

// levelsOf returns the levels of an agreement with these names.
func levelsOf(a *sla.Agreement, names []string) ([]sla.ID, error) {
	var ids []sla.ID
	for _, name := range names {
		var found, known, short []string
		for _, l := range a.Levels {
			full := l.ID.Service + "/" + l.ID.SLO
			known, short = append(known, full), append(short, l.ID.SLO)
			if name == l.ID.SLO || name == full {
				found = append(found, full)
				if !slices.Contains(ids, l.ID) {
					ids = append(ids, l.ID)
				}
			}
		}
		switch {
		case len(found) > 1:
			return nil, fmt.Errorf("--level=%s: several services have it: write %s", name, strings.Join(found, " or "))
		case len(found) == 0:
			remedy := "there are " + named(known)
			if near := spec.Nearest(name, append(short, known...)); near != "" {
				remedy = "did you mean " + near + "?"
			}
			return nil, fmt.Errorf("--level=%s: %s has no such level; %s", name, a.Name, remedy)
		}
	}
	return ids, nil
}

// stepValue is a flag whose values are steps.
type stepValue struct {
	made   *madeScenario
	kind   sla.StepKind
	amount string
}

func (v *stepValue) String() string { return "" }
func (v *stepValue) Type() string   { return "step" }

// Set adds a step: [amount@]duration[+offset].
func (v *stepValue) Set(text string) error {
	step := sla.ScenarioStep{Kind: v.kind, Share: v.kind.Facets().DefaultShare, Exporter: v.kind == sla.StepLost}
	amount, rest, hasAmount := strings.Cut(text, "@")
	if !hasAmount {
		amount, rest = "", text
	}
	var err error
	switch {
	case hasAmount && v.amount == "":
		return fmt.Errorf("it has no share: write it like 20m, or 20m+2h")
	case v.amount == "rate":
		if step.Rate, err = sla.ParseDecimal(strings.TrimSuffix(amount, "x")); err != nil || step.Rate.Sign() <= 0 {
			return fmt.Errorf("write it like 2x@3d")
		}
	case hasAmount:
		if step.Share, err = share(amount); err != nil {
			return err
		}
	case v.amount == "share" && step.Share.Sign() == 0:
		return fmt.Errorf("it needs a share: write it like 1%%@3d")
	}
	length, offset, later := strings.Cut(rest, "+")
	if step.For, err = stepSpan(length); err == nil && later {
		step.From, err = stepSpan(offset)
	}
	if err != nil {
		return err
	}
	if step.To() > spec.LongestScenario {
		return fmt.Errorf("it ends after more than %s", sla.FormatDuration(spec.LongestScenario))
	}
	v.made.steps = append(v.made.steps, step)
	return nil
}

func stepSpan(text string) (time.Duration, error) {
	d, err := model.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%q is not a duration above zero like 20m or 3d", text)
	}
	return time.Duration(d), nil
}

// share parses a percentage above 0 and at most 100, with a per cent sign.
func share(text string) (sla.Decimal, error) {
	number, percent := strings.CutSuffix(text, "%")
	d, err := sla.ParseDecimal(number)
	switch {
	case err != nil || !percent:
		return d, fmt.Errorf("%q is not a percentage like 30%%", text)
	case d.Sign() <= 0 || d.Cmp(sla.NewDecimal(100, 1)) > 0:
		return d, fmt.Errorf("%q is not above 0 %% and at most 100 %%", text)
	}
	return d, nil
}
