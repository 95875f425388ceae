package simulate

import (
	"cmp"
	"slices"
	"sort"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// segment is a time in which nothing changes. It ends where the next one begins.
type segment struct {
	from    int64 // Unix milliseconds
	bad     float64
	slow    float64
	traffic float64 // multiple of the usual rate
	seen    bool    // its series are exposed
	up      bool    // scrapes succeed
	running bool    // a Prometheus server runs and scrapes
}

// course is what happens to levels that count the same series, in order of time.
type course []segment

// effect is a span in which a step does something.
type effect struct {
	from, to int64
	apply    func(*segment)
}

// newCourse is the course of a source.
func (s *stage) newCourse(src *source) course {
	first := src.levels[0]
	effects := s.history(first)
	for _, step := range s.scenario.Steps {
		if of := s.meets(step, src); of != nil {
			effects = append(effects, s.effects(step, of)...)
		}
	}
	effects = append(effects, s.day(s.traffic(first).Shape)...)
	if s.random {
		effects = append(effects, randomErrors(s, first)...)
	}
	return cut(effects, s.from.UnixMilli(), s.end.Add(2*s.scrape).UnixMilli())
}

// meets returns the level of a source that a step affects, or the composite that the
// step names and that the level is part of; nil if there is none. Levels that count the
// same series are affected together.
func (s *stage) meets(step sla.ScenarioStep, src *source) *sla.ServiceLevel {
	meant := func(l *sla.ServiceLevel) bool {
		if len(step.Levels) == 0 {
			return slices.Contains(s.looked, l)
		}
		return step.Meets(l.ID)
	}
	for _, l := range src.levels {
		if step.Kind.Facets().Whole || meant(l) {
			return l
		}
	}
	for _, whole := range s.needed {
		if c, ok := whole.Indicator.(*sla.Composite); ok && meant(whole) && slices.ContainsFunc(src.levels, c.Uses) {
			return whole
		}
	}
	return nil
}

// cut makes segments of effects, which may overlap.
func cut(effects []effect, from, to int64) course {
	edges := []int64{from}
	for _, e := range effects {
		for _, at := range []int64{e.from, e.to} {
			if at > from && at < to {
				edges = append(edges, at)
			}
		}
	}
	slices.Sort(edges)
	edges = slices.Compact(edges)
	slices.SortStableFunc(effects, func(a, b effect) int { return cmp.Compare(a.from, b.from) })
	var all course
	var active []effect
	next := 0
	for _, at := range edges {
		for next < len(effects) && effects[next].from <= at {
			active = append(active, effects[next])
			next++
		}
		active = slices.DeleteFunc(active, func(e effect) bool { return e.to <= at })
		seg := segment{from: at, traffic: 1, seen: true, up: true, running: true}
		for _, e := range active {
			e.apply(&seg)
		}
		all = append(all, seg)
	}
	return all
}

// at is the index of the segment that contains a time.
func (c course) at(ms int64) int {
	return max(0, sort.Search(len(c), func(i int) bool { return c[i].from > ms })-1)
}

// both is the bad share if something is bad for either of two independent reasons.
func both(a, b float64) float64 { return 1 - (1-a)*(1-b) }

// effects are what a step does to a level or composite.
func (s *stage) effects(step sla.ScenarioStep, of *sla.ServiceLevel) []effect {
	from := s.at.Add(step.From).UnixMilli()
	to := s.at.Add(step.To()).UnixMilli()
	share := step.Share.Float64() / 100
	one := func(apply func(*segment)) []effect { return []effect{{from, to, apply}} }
	fails := func(seg *segment) { seg.bad = both(seg.bad, share) }
	switch step.Kind {
	case sla.StepBurn:
		share = min(1, step.Rate.Float64()*of.TargetBudget().Float64())
		if down := turn(of); down > 0 {
			every := int64(float64(down.Milliseconds()) / share)
			share = 1
			return turns(from, to, every, down.Milliseconds(), fails)
		}
	case sla.StepSlow:
		return one(func(seg *segment) { seg.slow = both(seg.slow, share) })
	case sla.StepLowTraffic, sla.StepNight:
		return one(func(seg *segment) { seg.traffic *= share })
	case sla.StepLost:
		return one(func(seg *segment) { seg.seen, seg.up = false, seg.up && !step.Exporter })
	case sla.StepAway:
		return one(func(seg *segment) { seg.running = false })
	case sla.StepFlapping:
		return turns(from, to, step.Every.Milliseconds(), step.Down.Milliseconds(), fails)
	}
	return one(fails)
}

// turn is how long a level fails completely before it recovers. It is for levels that
// judge whole minutes or slots: spread out, single failures would not make these bad.
// It is so long that the minutes at its edges hardly matter, and 0 for other levels.
func turn(l *sla.ServiceLevel) time.Duration {
	_, composite := l.Indicator.(*sla.Composite)
	if composite || l.Aggregation.Judges() {
		return max(10*time.Minute, l.Slots.Width, l.Slots.MinRun)
	}
	return 0
}

// mostTurns bounds the segments of one step.
const mostTurns = 10_000

// turns repeats an effect: it starts every so often, and lasts as long as down.
func turns(from, to, every, down int64, apply func(*segment)) []effect {
	for (to-from)/every > mostTurns {
		every, down = 2*every, 2*down
	}
	var all []effect
	for at := from; at < to; at += every {
		all = append(all, effect{at, min(to, at+down), apply})
	}
	return all
}

// history is the earlier outage in the period that has spent part of the budget.
func (s *stage) history(l *sla.ServiceLevel) []effect {
	budget, spent := l.TargetBudget().Float64(), s.scenario.Spent.Float64()/100
	if spent == 0 {
		return nil
	}
	period := s.spentIn(l)
	length := time.Duration(spent * budget * float64(period.To.Sub(period.From)))
	middle := period.From.Add(s.at.Sub(period.From) / 2)
	return []effect{{middle.UnixMilli(), middle.Add(length).UnixMilli(), func(seg *segment) { seg.bad = 1 }}}
}

// day returns effects for the traffic of each hour.
func (s *stage) day(shape sla.TrafficShape) []effect {
	if shape == sla.ShapeFlat {
		return nil
	}
	var all []effect
	for at := s.from.Truncate(time.Hour); at.Before(s.end.Add(2 * s.scrape)); at = at.Add(time.Hour) {
		share := shape.At(at.In(s.zone).Hour())
		all = append(all, effect{at.UnixMilli(), at.Add(time.Hour).UnixMilli(), func(seg *segment) { seg.traffic *= share }})
	}
	return all
}

// awaySpans are the spans without a Prometheus server.
func (s *stage) awaySpans() sla.Spans {
	var spans []sla.Span
	for _, step := range s.scenario.Steps {
		if step.Kind == sla.StepAway {
			spans = append(spans, sla.Span{From: s.at.Add(step.From), To: s.at.Add(step.To())})
		}
	}
	return sla.Union(spans...)
}
