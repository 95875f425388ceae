package samples

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/internal/promql"
)

// The policy for the first value of a counter: it counts if we know when the counter
// was still 0. We know that if its target was scraped before without the counter, or if
// its process has started since. Otherwise the value is dropped: it may have been
// counted years ago.

// recently is how long before a counter's first value its target must have been
// scraped.
const recently = 5 * minute

// mostStarts bounds for how many first values of a level we ask when the process
// started.
const mostStarts = 1000

// presence is when targets had samples of a level.
type presence map[target][]run

// run is a time in which a target was scraped, every usual ms.
type run struct{ from, to, usual int64 }

// add notes the rows of a family of a target.
func (p presence) add(of target, rows []row) {
	runs := p[of]
	if len(rows) == 0 {
		return
	}
	own := []run{{from: rows[0].t, to: rows[0].t}}
	for i := 1; i < len(rows); i++ {
		last, d := &own[len(own)-1], rows[i].t-rows[i-1].t
		if d > recently || last.usual > 0 && (d > last.usual+last.usual/10 || d < last.usual-last.usual/10) {
			own = append(own, run{from: rows[i-1].t, to: rows[i].t, usual: d})
			if d > recently {
				own[len(own)-1] = run{from: rows[i].t, to: rows[i].t}
			}
			continue
		}
		last.to, last.usual = rows[i].t, d
	}
	runs = append(runs, own...)
	slices.SortFunc(runs, func(a, b run) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to)) })
	joined := runs[:0]
	for _, r := range runs {
		if n := len(joined); n == 0 || r.to > joined[n-1].to { // a run within an earlier one adds nothing
			joined = append(joined, r)
		}
	}
	p[of] = joined
}

// before returns when a target was last scraped before t, if that was recently.
func (p presence) before(of target, t int64) (last int64, ok bool) {
	for _, r := range slices.Backward(p[of]) {
		if r.from >= t {
			continue
		}
		switch {
		case r.to >= t && r.usual > 0:
			last = max(last, r.from, t-r.usual)
		case r.to < t && t-r.to <= recently:
			last = max(last, r.to)
		}
	}
	return last, last > 0
}

// born emits what the first row of a family counted, if the policy lets it count. start
// is where reading began.
func (l *load) born(c *copies, f *family, start int64, emit func(increment)) error {
	if f.begun || len(f.rows) == 0 {
		return nil
	}
	first := f.rows[0]
	counted := slices.ContainsFunc(first.v[:], func(v float64) bool { return v > 0 })
	known := slices.ContainsFunc(c.of, func(other *family) bool { return other.begun })
	if !counted || known || first.t-start <= recently {
		return nil
	}
	of := targetOf(c.labels)
	from, ok := l.presence.before(of, first.t)
	var err error
	if !ok {
		from, ok, err = l.scrapes.before(l.ctx, of, first.t)
	}
	if !ok && err == nil {
		from, ok, err = l.began(of, first.t, start)
	}
	if err != nil || !ok {
		return err
	}
	inc := increment{from: from, to: first.t, usual: first.t - from}
	for i, v := range first.v {
		if !math.IsNaN(v) {
			inc.d[i] = v
		}
	}
	if len(f.rows) > 1 && inc.usual > 2*(f.rows[1].t-first.t) {
		inc.usual, inc.gap = f.rows[1].t-first.t, true
	}
	emit(inc)
	return nil
}

// began returns when the process of a target scraped at t had started, if that was
// after start.
func (l *load) began(of target, t, start int64) (from int64, ok bool, err error) {
	if of == (target{}) || l.births >= mostStarts {
		return 0, false, nil
	}
	l.births++
	matchers := promql.Series("process_start_time_seconds", promql.Eq("job", of.job), promql.Eq("instance", of.instance)).Matchers()
	all, err := l.source.Select(l.ctx, matchers, t, t+1)
	if err != nil {
		return 0, false, err
	}
	for _, s := range all {
		if len(s.V) > 0 && s.V[0] > 0 && s.V[0] < float64(t)/float64(second) {
			if from = time.Unix(0, int64(s.V[0]*1e9)).UnixMilli(); from >= start && from < t {
				return from, true, nil
			}
		}
	}
	return 0, false, nil
}
