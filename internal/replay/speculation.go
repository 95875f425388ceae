package replay

import (
	"cmp"
	"math"
	"slices"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
)

// speculation lets rules that read what they record themselves be range queries.
// These read a guess of what the rules will record within a window of time. Of
// alerts it is guessed that they stay as they are, which they do most of the time;
// of recording rules, that they record what their range query over the window
// returned, which is right when what they read had been guessed right. Where a guess
// changes, or a rule records something else, the results after that moment are
// evaluated again. A result is only used if everything that it was made of had been
// guessed right: a rule sees nothing of its own time.
type speculation struct {
	recorders []*recorder
	reads     [][]*labels.Matcher // of the rules with range queries, of what the component records
	round     int                 // grows when a guess changes
	until     int64               // up to when results of this round have been evaluated, in milliseconds
	// The window, in milliseconds. It grows while guesses are right.
	start, end, length int64
	shortest           int64 // interval of the rules
	changes            int   // of guesses in this window
}

// firstWindow is the length of the first one, in evaluations.
const firstWindow = 64

func newSpeculation(rules []*rule, reads [][]*labels.Matcher) *speculation {
	s := &speculation{reads: reads, until: math.MinInt64, end: math.MinInt64, shortest: math.MaxInt64}
	for _, r := range rules {
		s.shortest = min(s.shortest, r.group.interval/1e6)
	}
	s.length = firstWindow * s.shortest
	return s
}

// holds is whether the rules read a series that one of them writes.
func (s *speculation) holds(l labels.Labels) bool {
	return slices.ContainsFunc(s.reads, func(m []*labels.Matcher) bool { return matchesAll(m, l) })
}

// window is the end of the window that a time is in.
func (s *speculation) window(t int64) int64 {
	if t > s.end {
		if s.changes*4 <= int((s.end-s.start)/s.shortest) && s.end != math.MinInt64 {
			s.length *= 2
		}
		s.start, s.end, s.changes = t, t+s.length, 0
	}
	return s.end
}

// changed makes all results so far outdated. A window in which guesses do not come
// to rest is too long.
func (s *speculation) changed(t int64) {
	s.round++
	s.until = math.MinInt64
	s.changes++
	if s.changes > 8+2*len(s.recorders) {
		s.length = max(s.length/4, s.shortest)
		s.start, s.end, s.changes = t, t+s.length, 0
	}
}

// wrong forgets what was guessed of a rule that recorded something else at a time.
func (s *speculation) wrong(r *recorder, t int64) {
	r.forget()
	s.round++
	s.until = math.MinInt64
	s.length = 4 * max(t-s.start, s.shortest) // what else was evaluated was in vain
	s.start, s.end, s.changes = t, t+s.length, 0
}

// restart forgets what was guessed of a rule before its process ended.
func (s *speculation) restart(r *recorder) {
	r.forget()
	s.round++
	s.until, s.end = math.MinInt64, math.MinInt64
}

// extend guesses that what is recorded goes on as it is, up to a time.
func (s *speculation) extend(until int64) {
	read := s.until
	for _, r := range s.recorders {
		for _, t := range r.previous {
			if t.watched && r.guesses(t) && r.goOn(t, until) <= read { // another result was made without it
				s.round++
				read = math.MinInt64
			}
		}
	}
	s.until = max(read, until)
}

// guesses is whether the samples of a series are guessed: not those of rules that may
// write the same series as others, and no histograms.
func (r *recorder) guesses(t *target) bool { return r.alone && t.record.last.h == nil }

// goOn guesses that a series goes on as it is, and returns from when on.
func (r *recorder) goOn(t *target, until int64) (from int64) {
	from = math.MaxInt64
	stamp, f := max(t.record.last.t, r.evaluated), t.record.last.f // the last evaluation may have failed
	if n := len(t.record.guess); n > 0 {
		stamp, f = t.record.guess[n-1].T, t.record.guess[n-1].F
	}
	if value.IsStaleNaN(f) {
		return from
	}
	g := r.rule.group
	wall, ok := g.latest(stamp*1e6+g.offset+999_999, true)
	for ok {
		if wall, ok = g.next(wall, false); !ok || g.stamp(wall) > until {
			return from
		}
		from = min(from, g.stamp(wall))
		t.record.guess = append(t.record.guess, promql.FPoint{T: g.stamp(wall), F: f})
	}
	return from
}

// expect guesses that a recording rule will record the rest of a result, from an
// evaluation to a time, and reports whether it had guessed something else.
func (r *recorder) expect(matrix promql.Matrix, cols []column, from, until int64) bool {
	points := map[*target][]promql.FPoint{}
	for i, s := range matrix {
		if t := r.named(&cols[i]); t.watched && len(s.Floats) > 0 {
			points[t] = append(points[t], s.Floats...)
		}
	}
	interval, changed := r.rule.group.interval/1e6, false
	for _, t := range r.watched {
		if !r.guesses(t) {
			changed = changed || len(t.record.guess) > 0
			t.record.guess = nil
			continue
		}
		all := points[t]
		slices.SortFunc(all, func(a, b promql.FPoint) int { return cmp.Compare(a.T, b.T) })
		all = slices.CompactFunc(all, func(a, b promql.FPoint) bool { return a.T == b.T }) // duplicates, of which nothing will be recorded
		before := 0                                                                        // what is guessed of this evaluation stays, for others have read it
		for before < len(t.record.guess) && t.record.guess[before].T <= from {
			before++
		}
		guess := append(t.record.guess[:before:before], marked(all, from, until, interval)...)
		if !slices.EqualFunc(guess, t.record.guess, func(a, b promql.FPoint) bool {
			return a.T == b.T && math.Float64bits(a.F) == math.Float64bits(b.F)
		}) {
			t.record.guess, changed = guess, true
		}
	}
	return changed
}

// marked are the points after a time, with a staleness marker where they cease.
func marked(points []promql.FPoint, from, until, interval int64) []promql.FPoint {
	var all []promql.FPoint
	for i, p := range points {
		if p.T > from {
			all = append(all, p)
		}
		if next := p.T + interval; next > from && next <= until && (i+1 == len(points) || points[i+1].T > next) {
			all = append(all, promql.FPoint{T: next, F: math.Float64frombits(value.StaleNaN)})
		}
	}
	return all
}

// verify compares what a rule has recorded at a time with what was guessed.
func (r *recorder) verify(t int64) {
	s := r.speculation
	r.evaluated = t
	if s == nil {
		return
	}
	wrong := false
	for _, target := range r.watched {
		guess, last := target.record.guess, target.record.last
		guessed := len(guess) > 0 && guess[0].T == t
		if wrote := last.t == t && target.record.samples > 0; wrote != guessed {
			wrong = true
		} else if wrote && (last.h != nil || math.Float64bits(guess[0].F) != math.Float64bits(last.f)) {
			wrong = true
		}
		if guessed {
			target.record.guess = guess[1:]
		}
		if !r.guesses(target) {
			wrong = wrong || len(target.record.guess) > 0
			target.record.guess = nil
		}
	}
	switch {
	case wrong && t <= s.until && r.expects:
		s.changed(t)
	case wrong && t <= s.until:
		s.wrong(r, t)
	case wrong && r.expects:
	case wrong: // nobody has read it
		r.forget()
	}
}

// forget forgets what was guessed.
func (r *recorder) forget() {
	for _, t := range r.watched {
		t.record.guess = nil
	}
}
