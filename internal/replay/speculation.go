package replay

import (
	"math"
	"slices"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
)

// speculation lets rules that read what they record themselves be range queries.
// These read a guess of what the rules will record: that it stays as it is, as
// alerts do most of the time. Where a rule then records something else, the results
// after that moment are evaluated again. A result is only used if everything that
// it was made of had been guessed right, because a rule sees nothing of its own time.
type speculation struct {
	recorders []*recorder
	reads     [][]*labels.Matcher // of the rules with range queries, of what the component records
	round     int                 // grows when a guess was wrong
	until     int64               // up to when results of this round have been evaluated, in milliseconds
}

// holds is whether the rules read a series that one of them writes.
func (s *speculation) holds(l labels.Labels) bool {
	return slices.ContainsFunc(s.reads, func(m []*labels.Matcher) bool { return matchesAll(m, l) })
}

// extend guesses what is recorded up to a time.
func (s *speculation) extend(until int64) {
	s.until = max(s.until, until)
	for _, r := range s.recorders {
		for _, t := range r.previous {
			if t.watched && t.record.by == nil && t.record.last.h == nil {
				r.guess(t, until)
			}
		}
	}
}

// guess has a series go on as it is.
func (r *recorder) guess(t *target, until int64) {
	stamp, f := max(t.record.last.t, r.evaluated), t.record.last.f // the last evaluation may have failed
	if n := len(t.record.guess); n > 0 {
		stamp, f = t.record.guess[n-1].T, t.record.guess[n-1].F
	}
	g := r.rule.group
	wall, ok := g.latest(stamp*1e6+g.offset+999_999, true)
	for ok {
		if wall, ok = g.next(wall, false); !ok || g.stamp(wall) > until {
			return
		}
		t.record.guess = append(t.record.guess, promql.FPoint{T: g.stamp(wall), F: f})
	}
}

// wrong forgets all guesses, and the results that were made of them.
func (s *speculation) wrong() {
	s.round++
	s.until = math.MinInt64
	for _, r := range s.recorders {
		for _, t := range r.watched {
			t.record.guess = nil
		}
	}
}

// verify compares what a rule has recorded at a time with what was guessed.
func (r *recorder) verify(t int64) {
	s := r.speculation
	r.evaluated = t
	if s == nil || t > s.until {
		return
	}
	wrong := false
	for _, target := range r.watched {
		guess := &target.record.guess
		wrote := target.record.last.t == t && target.record.samples > 0
		switch {
		case len(*guess) == 0 || (*guess)[0].T > t:
			wrong = wrong || wrote
		case (*guess)[0].T == t:
			wrong = wrong || !wrote || target.record.last.h != nil || math.Float64bits((*guess)[0].F) != math.Float64bits(target.record.last.f)
			*guess = (*guess)[1:]
		default:
			wrong = true
		}
	}
	if wrong {
		s.wrong()
	}
}
