package verdict

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// Input is everything that a verdict is made of. Judge reads no clock and asks nobody.
type Input struct {
	Agreement *sla.Agreement // with references resolved, so that composites have their trees
	// Period is the kind of period that is judged. Levels that promise nothing over it
	// are left out, with a finding.
	Period     sla.Period
	Name       string     // of the period, for people: "2026-10"
	Start, End time.Time  // of the period in its zone
	Now        time.Time  // until when there can be evidence: before End, the verdict is to date
	By         string     // what made the report: "upheld 0.2.0"
	Spec       Document   // the text of the agreement and its hash
	Also       []Document // other files that the verdict depends on
	Evidence   Evidence
	// InForce is when the agreement is in force; nil is always.
	InForce sla.Spans
	// Previous are earlier reports of the agreement. If a cap's period is longer than
	// the judged one, what they used of the cap counts.
	Previous []*Report
}

// until is the end of the part of the report's period that can be judged.
func (in Input) until() time.Time { return in.sofar(in.End) }

// sofar is the end of the part that can be judged of a period that ends at end. In
// other zones the period of a level may end after the report's.
func (in Input) sofar(end time.Time) time.Time {
	if in.Now.IsZero() {
		return end
	}
	return earlier(in.Now, end)
}

// around is how much of the evidence before and after a period is read: for runs and
// outages that go over its edges.
const around = 48 * time.Hour

// longestPeriod bounds the work: a year, and a day for the clocks.
const longestPeriod = 367 * 24 * time.Hour

func (in Input) check() error {
	switch {
	case in.Agreement == nil:
		return fmt.Errorf("no agreement to judge")
	case !in.Start.Before(in.End):
		return fmt.Errorf("the period ends at %s and begins at %s; give an end after the start", in.End.Format(time.RFC3339), in.Start.Format(time.RFC3339))
	case in.End.Sub(in.Start) > longestPeriod:
		return fmt.Errorf("the period from %s is longer than a year; judge shorter ones", in.Start.Format(time.RFC3339))
	}
	for _, l := range in.Evidence.Levels {
		if err := l.check(); err != nil {
			return fmt.Errorf("evidence of %s: %w", l.Level, err)
		}
	}
	return nil
}

func (l LevelEvidence) check() error {
	for _, g := range l.Groups {
		for _, p := range g.Places {
			if err := checkStretches(p); err != nil {
				return fmt.Errorf("place %v: %w", p.Labels, err)
			}
		}
	}
	for i, w := range l.Weight {
		if w.Share.Sign() < 0 || w.Share.Cmp(one) > 0 || !w.From.Before(w.To) || i > 0 && w.From.Before(l.Weight[i-1].To) {
			return fmt.Errorf("the weight %s from %s is not from 0 to 1, or out of order", w.Share, w.From.Format(time.RFC3339))
		}
	}
	return nil
}

func checkStretches(p Place) error {
	for i, s := range p.Stretches {
		at := s.From.Format(time.RFC3339Nano)
		switch {
		case !s.From.Before(s.To):
			return fmt.Errorf("the stretch at %s takes no time", at)
		case i > 0 && s.From.Before(p.Stretches[i-1].To):
			return fmt.Errorf("the stretch at %s begins before the one before it ends", at)
		case s.State != Known && s.State != Missing:
			return fmt.Errorf("the stretch at %s has the state %q; write %s or %s", at, s.State, Known, Missing)
		case !isCount(s.Total) || !isCount(s.Bad):
			return fmt.Errorf("the stretch at %s counts %v bad of %v, which are no counts", at, s.Bad, s.Total)
		}
	}
	return nil
}

func isCount(f float64) bool { return f >= 0 && !math.IsInf(f, 1) }

// evidenceOf returns the groups of a level, cut to the time around the period. In
// stretches with more bad than total, all of it is bad; overfull counts these.
func (in Input) evidenceOf(id sla.ID, from, to time.Time) (e LevelEvidence, overfull int) {
	i := slices.IndexFunc(in.Evidence.Levels, func(l LevelEvidence) bool { return l.Level == id })
	if i < 0 {
		return LevelEvidence{Level: id}, 0
	}
	e = in.Evidence.Levels[i]
	from, to = from.Add(-around), to.Add(around)
	groups := make([]GroupEvidence, len(e.Groups))
	for i, g := range e.Groups {
		groups[i] = GroupEvidence{Labels: g.Labels, Places: make([]Place, len(g.Places))}
		for j, p := range g.Places {
			p = in.corrected(id, p, in.bySeconds(id))
			cut, n := within(p.Stretches, from, to)
			groups[i].Places[j] = Place{Labels: p.Labels, Stretches: cut}
			overfull += n
		}
	}
	e.Groups = groups
	return e, overfull
}

// bySeconds returns whether a level counts seconds.
func (in Input) bySeconds(id sla.ID) bool {
	i := slices.IndexFunc(in.Agreement.Levels, func(l *sla.ServiceLevel) bool { return l.ID == id })
	return i >= 0 && in.Agreement.Levels[i].Aggregation.Counts() == sla.CountsSeconds
}

func within(stretches []Stretch, from, to time.Time) (cut []Stretch, overfull int) {
	for _, s := range stretches {
		if !s.To.After(from) || !s.From.Before(to) {
			continue
		}
		if s.Bad > s.Total {
			s.Bad = s.Total
			overfull++
		}
		cut = append(cut, s)
	}
	return cut, overfull
}
