package replay

import (
	"sort"
	"time"
)

// timeline is when a group is evaluated. Times of evaluation are in nanoseconds, as in
// the rule manager; samples carry the millisecond before, less the query offset.
type timeline struct {
	interval, offset int64 // nanoseconds
	lives            []life
}

// life is the evaluations by one process of the server.
type life struct {
	first int64 // evaluation, in nanoseconds
	n     int   // evaluations
}

// newTimeline makes the timeline of a group. before(ns) is its last moment at that time
// or before.
func newTimeline(p Plan, interval, offset time.Duration, before func(ns int64) time.Time) timeline {
	t := timeline{interval: int64(interval), offset: int64(offset)}
	live := func(from, to time.Time) {
		first := before(from.UnixNano())
		if first.Before(from) {
			first = first.Add(interval)
		}
		n := 0
		if first.Before(to) {
			n = int((to.Sub(first)-1)/interval) + 1
		}
		t.lives = append(t.lives, life{first.UnixNano(), n})
	}
	from := p.From
	for _, a := range p.Away {
		live(from, a.From)
		from = a.To
	}
	live(from, p.To)
	return t
}

// wall is when an evaluation happens.
func (t timeline) wall(life, step int) int64 { return t.lives[life].first + int64(step)*t.interval }

// stamp is the time of an evaluation's query and of its samples, in milliseconds.
func (t timeline) stamp(wall int64) int64 { return (wall - t.offset) / int64(time.Millisecond) }

// evaluations is how many there are.
func (t timeline) evaluations() int {
	n := 0
	for _, l := range t.lives {
		n += l.n
	}
	return n
}

// latest is the last evaluation before a time; if at, one exactly then counts too.
func (t timeline) latest(wall int64, at bool) (int64, bool) {
	if at {
		wall++
	}
	l := sort.Search(len(t.lives), func(i int) bool { return t.lives[i].first >= wall })
	for l--; l >= 0; l-- {
		if n := t.lives[l].n; n > 0 {
			step := min(int((wall-1-t.lives[l].first)/t.interval), n-1)
			return t.wall(l, step), true
		}
	}
	return 0, false
}

// next is the first evaluation after a time; if at, one exactly then counts too.
func (t timeline) next(wall int64, at bool) (int64, bool) {
	if !at {
		wall++
	}
	for i, l := range t.lives {
		if l.n == 0 || t.wall(i, l.n-1) < wall {
			continue
		}
		if l.first >= wall {
			return l.first, true
		}
		return l.first + (wall-l.first+t.interval-1)/t.interval*t.interval, true
	}
	return 0, false
}

// reach is the latest time that a selector reads, in milliseconds after the query's
// time.
func (t timeline) reach(r read) int64 {
	if r.step == 0 || t.interval/int64(time.Millisecond)%r.step != 0 {
		return -r.offset
	}
	since := (t.stamp(t.lives[0].first) - r.shift) % r.step // the same at each evaluation
	return -r.offset - since
}

// slack is how much newer than a group's query the samples of another group are that it
// does not see yet: the least such difference, in milliseconds, negative if some are
// older. atOnce is whether the group sees what the other records at the same moment.
func (t timeline) slack(other timeline, atOnce bool) int64 {
	if t.lives[0] == other.lives[0] && t.interval == other.interval && t.offset == other.offset {
		if atOnce {
			return t.interval / int64(time.Millisecond)
		}
		return 0
	}
	least := int64(1) << 62
	for l := range t.lives {
		for i := range t.lives[l].n {
			wall := t.wall(l, i)
			if unseen, ok := other.next(wall, !atOnce); ok {
				least = min(least, other.stamp(unseen)-t.stamp(wall))
			}
		}
	}
	return least
}
