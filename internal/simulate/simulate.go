// Package simulate plays a scenario: it imagines the raw series that levels count, has
// the generated rules evaluated over them in the real engine, and says which alerts fired
// when, and what the scenario cost. It reads no files and no clock.
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

// DefaultScrape is how often targets are scraped, unless a scenario says so.
const DefaultScrape = 15 * time.Second

// Input is what a simulation is made of.
type Input struct {
	// Agreements are all that were loaded: a composite may have components in another one
	// than the scenario's.
	Agreements []*sla.Agreement
	Scenario   *sla.Scenario
	WarmUp     time.Duration // history before the scenario; 0: as much as its levels' periods and windows have
	Rules      rulegen.Options
	Routes     *routing.Config     // of Alertmanager; nil: nobody knows which notifications are sent
	Progress   func(share float64) // may be nil

	random bool // errors come at random besides
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

// Finding is the problem as findings are shown.
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

// Worlds are the pasts of a scenario with everything that the rules have recorded, for
// those who query them. No two hold the same level.
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

// play has the rules of a part evaluated.
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
