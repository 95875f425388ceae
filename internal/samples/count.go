package samples

import (
	"cmp"
	"slices"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/upheld-sla/upheld/sla"
)

// taker gets every increment of a family, in order of time.
type taker func(of *copies, inc increment)

// count reads series block by block, and passes every increment to take. It calls
// observed with the times in which a family has samples, without gaps.
func (l *load) count(of layout, take taker, observed func(of *copies, from, to int64)) error {
	fs := &families{layout: of, all: map[string]*copies{}}
	from, to := l.from-before, l.to+after
	for _, p := range of.parts {
		l.reads = append(l.reads, p.matchers)
	}
	series := 0
	for at := from; at < to; {
		until := blockEnd(at, to, series)
		series = 0
		for _, p := range of.parts {
			all, err := l.source.Select(l.ctx, p.matchers, at, until)
			if err != nil {
				return err
			}
			series += len(all)
			fs.put(p, all)
		}
		fs.join()
		l.note(fs)
		if err := l.block(fs, from, take, observed); err != nil {
			return err
		}
		at = until
		l.progress(float64(at-from) / float64(to-from))
	}
	l.ends(fs, take, observed)
	return l.err
}

// blockEnd is where the block that begins at t ends: at a multiple of its length in
// UTC. More series get shorter blocks, so that memory is bounded.
func blockEnd(t, to int64, series int) int64 {
	length := hour
	switch {
	case series == 0 || series > 500: // not known yet, or many
	case series > 60:
		length = 6 * hour
	default:
		length = day
	}
	return min(to, floor(t, length)+length)
}

// note remembers which targets and jobs the series come from, and when they had samples.
func (l *load) note(fs *families) {
	for _, c := range fs.order {
		job := c.labels.Get(model.JobLabel)
		if !slices.Contains(l.jobs, job) {
			l.jobs = append(l.jobs, job)
		}
		for _, f := range c.of {
			l.presence.add(targetOf(c.labels), f.rows)
		}
	}
}

// block passes the increments of a block to take. Families that begin in it come last.
func (l *load) block(fs *families, start int64, take taker, observed func(of *copies, from, to int64)) error {
	for _, c := range fs.order {
		var several []increment
		emit := func(f *family) func(increment) {
			return func(inc increment) {
				if len(c.of) > 1 {
					c.own(f, inc, func(part increment) { several = append(several, part) })
					return
				}
				l.give(c, inc, take, observed)
			}
		}
		for _, f := range c.of {
			if err := l.born(c, f, start, emit(f)); err != nil {
				return err
			}
			for _, r := range f.rows {
				f.add(r, emit(f))
			}
		}
		l.giveSorted(c, several, take, observed)
	}
	return nil
}

// ends passes on the increments that families held back.
func (l *load) ends(fs *families, take taker, observed func(of *copies, from, to int64)) {
	all := make([]*copies, 0, len(fs.all))
	for _, c := range fs.all {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b *copies) int { return labels.Compare(a.labels, b.labels) })
	for _, c := range all {
		var several []increment
		for _, f := range c.of {
			f.rest(func(inc increment) {
				if len(c.of) == 1 {
					several = append(several, inc)
					return
				}
				c.own(f, inc, func(part increment) { several = append(several, part) })
			})
		}
		l.giveSorted(c, several, take, observed)
	}
}

func (l *load) giveSorted(c *copies, all []increment, take taker, observed func(of *copies, from, to int64)) {
	slices.SortStableFunc(all, func(a, b increment) int { return int(a.to - b.to) })
	for _, inc := range all {
		l.give(c, inc, take, observed)
	}
}

// give passes an increment on. If a process restarted while its target was scraped, the
// increment belongs to the end of its gap: before, there was nothing to scrape.
func (l *load) give(c *copies, inc increment, take taker, observed func(of *copies, from, to int64)) {
	if inc.gap && inc.restart && inc.to-inc.from > 2*inc.usual {
		scraped, err := l.scrapes.within(l.ctx, targetOf(c.labels), inc.from+inc.usual, inc.to-inc.usual/2)
		l.err = cmp.Or(l.err, err)
		if scraped {
			inc.from, inc.gap = inc.to-inc.usual, false
		}
	}
	if !inc.gap {
		observed(c, inc.from, inc.to)
	}
	take(c, inc)
}

// target is what a server scrapes: one instance of a job.
type target struct{ job, instance string }

func targetOf(l labels.Labels) target {
	return target{l.Get(model.JobLabel), l.Get(model.InstanceLabel)}
}

// spread divides an increment among the pieces between cuts. The piece with its later
// sample gets all of it; a gap is divided by time.
func (inc increment) spread(cuts []int64, give func(piece int, share float64)) {
	first, _ := slices.BinarySearch(cuts, inc.to) // the first cut that is not before to
	if !inc.gap {
		if first > 0 && first < len(cuts) {
			give(first-1, 1)
		}
		return
	}
	i, _ := slices.BinarySearch(cuts, inc.from)
	for i = max(i-1, 0); i+1 < len(cuts) && cuts[i] < inc.to; i++ {
		if over := min(cuts[i+1], inc.to) - max(cuts[i], inc.from); over > 0 {
			give(i, float64(over)/float64(inc.to-inc.from))
		}
	}
}

// span is (from, to] as the time [from, to).
func span(from, to int64) sla.Span { return sla.Span{From: at(from), To: at(to)} }
