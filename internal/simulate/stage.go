package simulate

import (
	"fmt"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/internal/replay"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// stage is a scenario with everything that it needs to be played.
type stage struct {
	Input
	scenario  *sla.Scenario
	agreement *sla.Agreement
	zone      *time.Location
	scrape    time.Duration
	looked    []*sla.ServiceLevel // whose figures are shown
	needed    []*sla.ServiceLevel // whose rules are evaluated: also components, and composites that use them
	plans     map[sla.ID]levelRules
	given     []given
	windows   map[*sla.Exclusion][]*sla.Window // as they were before the scenario
	parts     []part
	notes     []string

	from, at, end time.Time // starts of the history and of the scenario, and the end of the simulation
	chosen        bool      // at was not given
	opts          rulegen.Options
}

// levelRules has what a level's rules read that no rule records.
type levelRules struct{ reads []promql.Selector }

// part is a set of levels that can be evaluated together: none counts the series of
// another.
type part struct {
	sources []*source
	levels  []*sla.ServiceLevel
}

// source is a set of levels that count the same series.
type source struct {
	levels []*sla.ServiceLevel
	series []imagined
	course course
}

// mostLevels is how many levels a scenario may look at.
const mostLevels = 100

func newStage(in Input) (*stage, error) {
	s := &stage{Input: in, scenario: in.Scenario, plans: map[sla.ID]levelRules{}, windows: map[*sla.Exclusion][]*sla.Window{}, scrape: in.Scenario.ScrapeInterval, opts: in.Rules}
	if s.scrape == 0 {
		s.scrape = DefaultScrape
	}
	for _, a := range in.Agreements {
		if a.Name == s.scenario.Agreement {
			s.agreement = a
		}
	}
	if s.agreement == nil {
		return s, &Problem{Pos: s.scenario.Pos, Rule: "unknown-agreement", Message: fmt.Sprintf("there is no agreement %q", s.scenario.Agreement)}
	}
	s.zone = s.agreement.Location()
	if err := s.findLevels(); err != nil {
		return s, err
	}
	s.findTimes()
	s.opts.Now = s.at
	if err := s.openMaintenance(); err != nil {
		return s, err
	}
	if err := s.readGiven(); err != nil {
		return s, err
	}
	if err := s.compile(); err != nil {
		return s, err
	}
	return s, s.findSources()
}

// findLevels finds the levels with figures, and the other levels that these need.
func (s *stage) findLevels() error {
	named := slices.Clone(s.scenario.Levels)
	if len(named) == 0 {
		for _, step := range s.scenario.Steps {
			named = append(named, step.Levels...)
		}
		if len(named) > 0 {
			for _, e := range s.scenario.Expect {
				named = append(named, e.Level)
			}
		}
	}
	for _, a := range s.Agreements {
		for _, l := range a.Levels {
			own := a.Name == s.agreement.Name && len(named) == 0
			if own || slices.Contains(named, l.ID) {
				s.looked = append(s.looked, l)
			}
		}
	}
	if len(s.scenario.Levels) == 0 && len(named) > 0 {
		s.looked = s.withComposites(s.looked)
	}
	if len(s.looked) == 0 {
		return &Problem{Pos: s.scenario.Pos, Rule: "no-levels", Message: "the scenario has no levels to look at", Remedy: "name levels of the agreement"}
	}
	s.needed = s.withComposites(s.looked)
	for i := 0; i < len(s.needed); i++ {
		if c, ok := s.needed[i].Indicator.(*sla.Composite); ok {
			for _, x := range c.Component {
				s.need(x.Level)
			}
			if c.EndToEnd != nil {
				s.need(c.EndToEnd.Level)
			}
			for _, d := range c.Shared {
				s.need(d.Level)
			}
		}
	}
	if n := len(s.needed); n > mostLevels {
		return &Problem{Pos: s.scenario.Pos, Rule: "too-many", Message: fmt.Sprintf("the scenario needs %d levels, more than %d", n, mostLevels), Remedy: "name the levels that matter with --level, or under levels"}
	}
	return nil
}

func (s *stage) need(l *sla.ServiceLevel) {
	if l != nil && !slices.Contains(s.needed, l) {
		s.needed = append(s.needed, l)
	}
}

// withComposites adds the composites that levels are components of, since whatever
// happens to a component affects them.
func (s *stage) withComposites(levels []*sla.ServiceLevel) []*sla.ServiceLevel {
	all := slices.Clone(levels)
	for _, a := range s.Agreements {
		for _, l := range a.Levels {
			part := slices.ContainsFunc(levels, func(c *sla.ServiceLevel) bool {
				return slices.ContainsFunc(c.PartOf, func(p sla.PartOf) bool { return p.Composite == l.ID })
			})
			if part && !slices.Contains(all, l) {
				all = append(all, l)
			}
		}
	}
	return all
}

// compile finds what the rules of the levels read.
func (s *stage) compile() error {
	for _, a := range s.reduced(s.needed) {
		findings, err := rulegen.Each(a, s.opts, func(p rulegen.LevelPlan) error {
			reads := s.plans[p.Level.ID]
			for _, g := range p.Groups {
				for _, r := range g.Rules {
					for _, sel := range r.Expr.Reads() {
						if !recorded(sel.Name()) {
							reads.reads = append(reads.reads, sel)
						}
					}
				}
			}
			s.plans[p.Level.ID] = reads
			return nil
		})
		if err != nil {
			return err
		}
		if findings.HasErrors() {
			return findings.Err()
		}
	}
	return nil
}

// reduced returns the agreements with only these levels, each in the revision in force.
func (s *stage) reduced(levels []*sla.ServiceLevel) []*sla.Agreement {
	var all []*sla.Agreement
	for _, a := range s.Agreements {
		own := *a
		own.Levels, own.Broken, own.Revisions = nil, nil, nil
		for _, l := range a.Levels {
			if slices.Contains(levels, l) {
				own.Levels = append(own.Levels, l)
			}
		}
		if len(own.Levels) > 0 {
			all = append(all, &own)
		}
	}
	return all
}

// openMaintenance adds the scenario's maintenance windows to the agreement, until
// closeMaintenance removes them.
func (s *stage) openMaintenance() error {
	for _, step := range s.scenario.Steps {
		if step.Kind != sla.StepMaintenance {
			continue
		}
		from := s.at.Add(step.From)
		w := &sla.Window{Once: sla.Span{From: from, To: from.Add(step.For)}, Announced: from.AddDate(-1, 0, 0), Name: "of the scenario", Pos: step.Pos}
		for _, l := range s.looked {
			if !step.Meets(l.ID) {
				continue
			}
			i := slices.IndexFunc(l.Exclusions, func(e *sla.Exclusion) bool { return e.Name == sla.MaintenanceName })
			if i < 0 {
				return &Problem{
					Pos: step.Pos, Rule: "no-maintenance",
					Message: fmt.Sprintf("the level %s/%s has no maintenance: what fails in it counts in full", l.ID.Service, l.ID.SLO),
					Remedy:  "add spec.maintenance to the agreement, name the levels that have it, or write outage",
				}
			}
			e := l.Exclusions[i]
			if _, known := s.windows[e]; !known {
				s.windows[e] = e.Windows
			}
			if !slices.Contains(e.Windows, w) {
				e.Windows = append(slices.Clone(e.Windows), w)
			}
		}
	}
	return nil
}

func (s *stage) closeMaintenance() {
	for e, windows := range s.windows {
		e.Windows = windows
	}
}

func (s *stage) away() []replay.Span {
	var all []replay.Span
	for _, span := range s.awaySpans() {
		all = append(all, replay.Span{From: span.From, To: span.To})
	}
	return all
}
