package rulegen

import (
	"cmp"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// timetable expresses the spans of the tables' years in PromQL: what repeats
// with the wall clock as a pattern of its day or week, and everything else, such
// as holidays, hours that the clock skips and single windows, as instants. The
// form with the fewest comparisons is found by trying. Differences from the
// pattern are calculated exactly, so the timetable equals the spans, whatever
// these were made of.
type timetable struct {
	zone          string
	switches      []sla.Switch
	offset        time.Duration // of the zone before the first switch
	cycle         cycle
	pattern       []stretch // ascending and apart
	adds, removes sla.Spans // what the pattern lacks, and has too much
}

// stretch is a part of a cycle in seconds since its beginning, to excluded.
type stretch struct{ from, to int64 }

// cycle is what a pattern repeats with: its length in seconds, 0 for no
// pattern, and how far it is ahead of the epoch.
type cycle struct{ length, phase int64 }

const daySeconds = 86400

// The epoch was a Thursday.
var cycles = []cycle{{7 * daySeconds, 3 * daySeconds}, {daySeconds, 0}}

// mostEdges bounds the edges of a cycle that are tried as a pattern.
const mostEdges = 400

// newTimetable makes the timetable of spans within [from, to), by the clock of
// the zone that makes it shortest.
func newTimetable(spans sla.Spans, from, to time.Time, zones ...string) timetable {
	best := timetable{adds: spans}
	for _, zone := range zones {
		for _, cycle := range cycles {
			t := timetable{zone: zone, cycle: cycle}
			t.offset, t.switches = sla.Switches(zone, from, to)
			if t.fit(spans, from, to); t.comparisons() < best.comparisons() {
				best = t
			}
		}
	}
	return best
}

// comparisons is how many comparisons the mask needs.
func (t timetable) comparisons() int { return 2 * (len(t.pattern) + len(t.adds) + len(t.removes)) }

// fit finds the pattern of the cycle: a part between two edges belongs to it if
// the part is mostly in the spans.
func (t *timetable) fit(spans sla.Spans, from, to time.Time) {
	edges := t.edges(spans, from, to)
	if len(edges) > mostEdges {
		t.adds = spans
		return
	}
	in, all := make([]int64, len(edges)), make([]int64, len(edges))
	next := 0
	t.walk(edges, from.Unix(), to.Unix(), func(part int, from, to int64) {
		all[part] += to - from
		for next < len(spans) && spans[next].To.Unix() <= from {
			next++
		}
		for _, s := range spans[next:] {
			if s.From.Unix() >= to {
				break
			}
			in[part] += min(to, s.To.Unix()) - max(from, s.From.Unix())
		}
	})
	for i, begin := range edges {
		end := t.cycle.length
		if i+1 < len(edges) {
			end = edges[i+1]
		}
		if 2*in[i] <= all[i] {
			continue
		}
		if n := len(t.pattern); n > 0 && t.pattern[n-1].to == begin {
			t.pattern[n-1].to = end
		} else {
			t.pattern = append(t.pattern, stretch{begin, end})
		}
	}
	is := t.patternSpans(from, to)
	t.adds, t.removes = spans.Without(is), is.Without(spans)
}

// edges are the seconds of the cycle at which spans begin and end, and its beginning.
func (t *timetable) edges(spans sla.Spans, from, to time.Time) []int64 {
	edges := []int64{0}
	for _, s := range spans {
		if s.From.After(from) {
			edges = append(edges, t.inCycle(s.From.Unix()))
		}
		if s.To.Before(to) {
			edges = append(edges, t.inCycle(s.To.Unix()-1)+1)
		}
		if len(edges) > 4*mostEdges {
			slices.Sort(edges)
			if edges = slices.Compact(edges); len(edges) > mostEdges {
				return edges
			}
		}
	}
	slices.Sort(edges)
	edges = slices.Compact(edges)
	return slices.DeleteFunc(edges, func(e int64) bool { return e == t.cycle.length })
}

// inCycle is the second of the cycle that the zone's clock shows.
func (t *timetable) inCycle(unix int64) int64 {
	offset := t.offset
	for _, s := range t.switches {
		if unix >= s.At.Unix() {
			offset = s.After
		}
	}
	return (unix + int64(offset/time.Second) + t.cycle.phase) % t.cycle.length
}

// walk calls use for every part of every cycle in [from, to), in order: parts
// lie between edges, and are cut where the clock changes.
func (t *timetable) walk(edges []int64, from, to int64, use func(part int, from, to int64)) {
	segment := func(from, to, offset int64) {
		local := from + offset + t.cycle.phase
		for begin := local - local%t.cycle.length; begin < to+offset+t.cycle.phase; begin += t.cycle.length {
			for i, edge := range edges {
				end := t.cycle.length
				if i+1 < len(edges) {
					end = edges[i+1]
				}
				a := max(from, begin+edge-offset-t.cycle.phase)
				b := min(to, begin+end-offset-t.cycle.phase)
				if a < b {
					use(i, a, b)
				}
			}
		}
	}
	offset := int64(t.offset / time.Second)
	for _, s := range t.switches {
		segment(from, s.At.Unix(), offset)
		from, offset = s.At.Unix(), int64(s.After/time.Second)
	}
	segment(from, to, offset)
}

func (t *timetable) patternSpans(from, to time.Time) sla.Spans {
	var edges []int64
	for _, p := range t.pattern {
		edges = append(edges, p.from, p.to)
	}
	if len(edges) == 0 {
		return nil
	}
	if edges[0] != 0 {
		edges = append([]int64{0, 0}, edges...) // an empty part first, so that those of the pattern are the even ones
	}
	var spans []sla.Span
	t.walk(edges, from.Unix(), to.Unix(), func(part int, from, to int64) {
		if part%2 == 0 {
			spans = append(spans, sla.Span{From: time.Unix(from, 0), To: time.Unix(to, 0)})
		}
	})
	return sla.Union(spans...)
}

// mask is 1 in the spans and 0 outside; cycle is the series of the clock that
// shows the second of a pattern's cycle.
func (t timetable) mask(cycle promql.Expr) promql.Expr {
	var once, always terms
	for _, e := range t.instants() {
		once.add(promql.AtLeast(promql.Time(), number(e.at)), e.up)
	}
	if len(t.pattern) == 0 {
		return promql.VectorOf(once.sum(number(0)))
	}
	for _, p := range t.pattern {
		always.add(promql.AtLeast(cycle, number(p.from)), true)
		if p.to < t.cycle.length {
			always.add(promql.AtLeast(cycle, number(p.to)), false)
		}
	}
	sum := always.sum(promql.Expr{})
	if !once.none() {
		sum = promql.Add(sum, once.sum(number(0)))
	}
	return promql.Sum(sum)
}

// terms are added or subtracted.
type terms struct{ plus, minus []promql.Expr }

func (t *terms) add(e promql.Expr, plus bool) {
	if plus {
		t.plus = append(t.plus, e)
	} else {
		t.minus = append(t.minus, e)
	}
}

func (t *terms) none() bool { return len(t.plus)+len(t.minus) == 0 }

// sum is the sum of the terms; zero stands in if none is added.
func (t *terms) sum(zero promql.Expr) promql.Expr {
	sum := zero
	if len(t.plus) > 0 {
		sum = balanced(t.plus)
	}
	if len(t.minus) > 0 {
		sum = promql.Sub(sum, balanced(t.minus))
	}
	return sum
}

// balanced adds up in halves: in every evaluation the engine asks each
// operation where its text ends, which takes time in proportion to its depth.
func balanced(es []promql.Expr) promql.Expr {
	if len(es) == 1 {
		return es[0]
	}
	half := (len(es) + 1) / 2
	return promql.Add(balanced(es[:half]), balanced(es[half:]))
}

// edge is an instant at which a correction begins or ends.
type edge struct {
	at int64
	up bool
}

// instants are the edges of the corrections, ascending.
func (t timetable) instants() []edge {
	var all []edge
	for _, c := range []struct {
		spans sla.Spans
		up    bool
	}{{t.adds, true}, {t.removes, false}} {
		for _, s := range c.spans {
			all = append(all, edge{s.From.Unix(), c.up}, edge{s.To.Unix(), !c.up})
		}
	}
	slices.SortFunc(all, func(a, b edge) int { return cmp.Compare(a.at, b.at) })
	return all
}

// elapsed is how many seconds of the spans have passed at an instant, counted
// from an arbitrary beginning: use the difference of two. local is what the
// zone's clock shows at the instant.
func (t timetable) elapsed(at, local promql.Expr) promql.Expr {
	var sum terms
	if len(t.pattern) > 0 {
		shifted := promql.Add(local, number(t.cycle.phase))
		sum.add(promql.Sum(promql.Mul(promql.Floor(promql.Div(shifted, number(t.cycle.length))), number(t.perCycle()))), true)
		for _, p := range t.pattern {
			sum.add(promql.Sum(promql.Clamp(promql.Sub(promql.Mod(shifted, number(t.cycle.length)), number(p.from)), zero, sla.NewDecimal(p.to-p.from, 1))), true)
		}
		for _, s := range t.switches { // the pattern counts what the clock skips, and not what it repeats
			if too := t.counted(s.At.Unix()+int64(s.After/time.Second)) - t.counted(s.At.Unix()+int64(s.Before/time.Second)); too != 0 {
				sum.add(promql.Sum(promql.Mul(number(too), promql.AtLeast(at, number(s.At.Unix())))), false)
			}
		}
	}
	for _, s := range t.adds {
		sum.add(since(at, s), true)
	}
	for _, s := range t.removes {
		sum.add(since(at, s), false)
	}
	return sum.sum(promql.Vector(zero))
}

// since is how much of a span has passed at an instant.
func since(at promql.Expr, s sla.Span) promql.Expr {
	return promql.Sum(promql.Clamp(promql.Sub(at, number(s.From.Unix())), zero, sla.Seconds(s.To.Sub(s.From))))
}

func (t timetable) perCycle() int64 {
	var sum int64
	for _, p := range t.pattern {
		sum += p.to - p.from
	}
	return sum
}

// counted is how many seconds the pattern alone has passed at a local time.
func (t timetable) counted(local int64) int64 {
	local += t.cycle.phase
	sum := local / t.cycle.length * t.perCycle()
	for _, p := range t.pattern {
		sum += min(max(local%t.cycle.length-p.from, 0), p.to-p.from)
	}
	return sum
}
