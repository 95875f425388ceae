package replay

import (
	"cmp"
	"math"
	"slices"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
)

// speculation makes range queries possible for rules that read what they record
// themselves. Such a query reads a guess of what the rules will record within a window
// of time. For alerts the guess is that they stay as they are, which they do most of
// the time. For recording rules it is the result of their range query over the window,
// which is right if it read right guesses. If a guess changes, or a rule records
// something else, the results after that moment are evaluated again. A result is only
// used if all guesses behind it were right: a rule sees nothing of its own time.
type speculation struct {
	recorders []*recorder
	reads     [][]*labels.Matcher // the selectors in rules with range queries that select what the component records
	round     int                 // grows when a guess changes
	until     int64               // the time up to which this round has results, in milliseconds
	// The window, in milliseconds. It grows while guesses are right.
	start, end, length int64
	shortest           int64 // interval of the rules
	changes            int   // of guesses in this window
}

// firstWindow is the length of the first window, in evaluations.
const firstWindow = 64

func newSpeculation(rules []*rule, reads [][]*labels.Matcher) *speculation {
	s := &speculation{reads: reads, until: math.MinInt64, end: math.MinInt64, shortest: math.MaxInt64}
	for _, r := range rules {
		s.shortest = min(s.shortest, r.group.interval/1e6)
	}
	s.length = firstWindow * s.shortest
	return s
}

// holds returns whether the rules read a series that one of them writes.
func (s *speculation) holds(l labels.Labels) bool {
	return slices.ContainsFunc(s.reads, func(m []*labels.Matcher) bool { return matchesAll(m, l) })
}

// window is the end of the window that contains t.
func (s *speculation) window(t int64) int64 {
	if t > s.end {
		if s.changes*4 <= int((s.end-s.start)/s.shortest) && s.end != math.MinInt64 {
			s.length *= 2
		}
		s.start, s.end, s.changes = t, t+s.length, 0
	}
	return s.end
}

// changed makes all results so far outdated. If the guesses in a window keep changing,
// it is too long.
func (s *speculation) changed(t int64) {
	s.round++
	s.until = math.MinInt64
	s.changes++
	if s.changes > 8+2*len(s.recorders) {
		s.length = max(s.length/4, s.shortest)
		s.start, s.end, s.changes = t, t+s.length, 0
	}
}

// wrong drops the guesses about a rule that recorded something else at a time.
func (s *speculation) wrong(r *recorder, t int64) {
	r.forget()
	s.round++
	s.until = math.MinInt64
	s.length = 4 * max(t-s.start, s.shortest) // the results after t were evaluated in vain
	s.start, s.end, s.changes = t, t+s.length, 0
}

// restart drops the guesses about a rule from before its process ended.
func (s *speculation) restart(r *recorder) {
	r.forget()
	s.round++
	s.until, s.end = math.MinInt64, math.MinInt64
}

// extend guesses that recorded series continue unchanged, up to a time.
func (s *speculation) extend(until int64) {
	read := s.until
	for _, r := range s.recorders {
		for _, t := range r.previous {
			if t.watched && r.guesses(t) && r.goOn(t, until) <= read { // a result was made without this guess
				s.round++
				read = math.MinInt64
			}
		}
	}
	s.until = max(read, until)
}

// guesses returns whether the samples of a series are guessed. Histograms are not, nor
// are series that other rules may write, too.
func (r *recorder) guesses(t *target) bool { return r.alone && t.record.last.h == nil }

// goOn guesses that a series continues unchanged, and returns from when on.
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
// evaluation to a time. It reports whether that changes an earlier guess.
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
		all = slices.CompactFunc(all, func(a, b promql.FPoint) bool { return a.T == b.T }) // duplicates: the rule will fail and record nothing
		before := 0                                                                        // keep the guess for this evaluation, since others have read it
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

// marked returns the points after a time, with a staleness marker where they end.
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

// verify compares what a rule has recorded at a time with the guess.
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
	case wrong: // nobody has read the guess
		r.forget()
	}
}

// forget drops the guesses about a rule.
func (r *recorder) forget() {
	for _, t := range r.watched {
		t.record.guess = nil
	}
}
