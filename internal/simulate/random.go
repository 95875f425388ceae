package simulate

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// Random is how often a level alerts although it spends less than allowed: errors come
// at random and independently, half as many as its objective allows. Every such alert
// is false.
type Random struct {
	Days           int
	Pages, Tickets int // that fired
}

// randomDays is how long errors come at random, and randomShare which part of the
// allowed share they are.
const (
	randomDays  = 7
	randomShare = 0.5
)

// random simulates errors that come at random; nil for a level that does not count
// single events.
func (c *Card) random(ctx context.Context, in Input) (*Random, error) {
	if _, single := c.Level.EventSize(); !single || turn(c.Level) > 0 {
		return nil, nil
	}
	s := *in.Scenario
	s.Levels, s.Steps, s.LookFor = []sla.ID{c.Level.ID}, nil, randomDays*24*time.Hour
	in.Scenario, in.random, in.Progress = &s, true, nil
	result, err := Run(ctx, in)
	if err != nil {
		return nil, err
	}
	r := &Random{Days: randomDays}
	for _, a := range result.Levels[0].Alerts {
		switch {
		case !a.Fired || a.Before || a.Name != sla.AlertBudgetBurn.Name:
		case a.Urgency == sla.Page:
			r.Pages++
		default:
			r.Tickets++
		}
	}
	return r, nil
}

func (r Random) words() string {
	if r.Pages+r.Tickets == 0 {
		return fmt.Sprintf("At its traffic, errors at random that spend half of the objective's budget cause no alert in %d days.", r.Days)
	}
	return fmt.Sprintf("At its traffic, errors at random that spend half of the objective's budget cause %s and %s in %d days: these are false ones.",
		plural(r.Pages, "page"), plural(r.Tickets, "ticket"), r.Days)
}

// randomErrors are effects, minute by minute, of errors that come at random. They are
// the same in every run of a level.
func randomErrors(s *stage, l *sla.ServiceLevel) []effect {
	hash := fnv.New64a()
	hash.Write([]byte(l.ID.String()))
	draw := rand.New(rand.NewPCG(hash.Sum64(), 1)) //nolint:gosec // nobody gains anything by guessing them
	events := 60 * s.rate(l)
	if _, p, ok := l.Probed(); ok && p != nil {
		events = time.Minute.Seconds() / p.Interval.Seconds()
	}
	expected := events * randomShare * l.ObjectiveBudget().Float64()
	var all []effect
	minute := time.Minute.Milliseconds()
	for from := s.from.UnixMilli(); from < s.end.UnixMilli(); from += minute {
		if bad := min(1, poisson(draw, expected)/events); bad > 0 {
			all = append(all, effect{from, from + minute, func(seg *segment) { seg.bad = both(seg.bad, bad) }})
		}
	}
	return all
}

// poisson draws a number of events with an expected value: by Knuth's method, and for
// large numbers by the normal distribution.
func poisson(draw *rand.Rand, expected float64) float64 {
	const many = 50
	if expected > many {
		return max(0, math.Round(expected+math.Sqrt(expected)*draw.NormFloat64()))
	}
	n, limit := 0.0, math.Exp(-expected)
	for p := draw.Float64(); p > limit; p *= draw.Float64() {
		n++
	}
	return n
}
