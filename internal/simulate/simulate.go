// Package simulate plays a scenario: it imagines the raw series that levels count,
// evaluates the generated rules over them in the real engine, and says which alerts
// fired when, and what the scenario cost. It reads no files and no clock.
package simulate

import (
	"context"
	"fmt"
	"time"

	"github.com/upheld-sla/upheld/internal/replay"
	"github.com/upheld-sla/upheld/internal/routing"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// DefaultScrape is how often targets are scraped unless a scenario sets it.
const DefaultScrape = 15 * time.Second

// Input is what a simulation is made of.
type Input struct {
	// Agreements are all loaded agreements: a composite may have components in another
	// one than the scenario's.
	Agreements []*sla.Agreement
	Scenario   *sla.Scenario
	WarmUp     time.Duration // history before the scenario; 0: as long as its levels' periods and windows
	Rules      rulegen.Options
	Routes     *routing.Config     // of Alertmanager; nil: notifications are unknown
	Progress   func(share float64) // may be nil

	random bool // errors come at random, too
}

// Problem is why a scenario cannot be played, with its place if there is one.
type Problem struct {
	Pos             sla.Position
	Rule            string
	Message, Remedy string
}

func (p *Problem) Error() string {
	text := p.Message
	if p.Remedy != "" {
		text += "; " + p.Remedy
	}
	if p.Pos.File != "" {
		text = p.Pos.String() + ": " + text
	}
	return text
}

// Finding is the problem as a finding.
func (p *Problem) Finding() sla.Finding {
	return sla.Finding{Severity: sla.Error, Rule: p.Rule, Pos: p.Pos, Message: p.Message, Remedy: p.Remedy}
}

// Run plays a scenario. An error is a *Problem if the scenario or an agreement is the
// cause.
func Run(ctx context.Context, in Input) (*Result, error) {
	s, err := newStage(in)
	defer s.closeMaintenance()
	if err != nil {
		return nil, err
	}
	result := s.result()
	for i, p := range s.parts {
		w, played, err := play(ctx, s, i)
		if err != nil {
			return nil, err
		}
		if err := result.add(s, p, w, played.Episodes); err != nil {
			return nil, err
		}
	}
	if in.Routes != nil {
		result.notify(s, in.Routes)
	}
	result.finish(s)
	return result, nil
}

// Worlds are the pasts of a scenario with everything that the rules recorded, for
// queries. Each level is in only one of them.
func Worlds(ctx context.Context, in Input) ([]*replay.World, error) {
	s, err := newStage(in)
	defer s.closeMaintenance()
	if err != nil {
		return nil, err
	}
	var all []*replay.World
	for i := range s.parts {
		w, _, err := play(ctx, s, i)
		if err != nil {
			return nil, err
		}
		all = append(all, w)
	}
	return all, nil
}

// play evaluates the rules of a part.
func play(ctx context.Context, s *stage, i int) (*replay.World, *replay.Result, error) {
	w, err := s.world(s.parts[i])
	if err != nil {
		return nil, nil, err
	}
	files, err := s.rules(s.parts[i])
	if err != nil {
		return nil, nil, err
	}
	plan := replay.Plan{Files: files, From: s.from, To: s.end.Add(s.scrape), Away: s.away()}
	if s.Progress != nil {
		plan.Progress = func(done, total int) {
			s.Progress((float64(i) + float64(done)/float64(max(total, 1))) / float64(len(s.parts)))
		}
	}
	played, err := w.Run(ctx, plan)
	if err != nil {
		return nil, nil, err
	}
	if len(played.Errors) > 0 {
		e := played.Errors[0]
		return nil, nil, fmt.Errorf("the rule %s cannot be evaluated: %w", e.Rule.Name, e.Err)
	}
	return w, played, nil
}
