package samples

import (
	"context"
	"slices"
	"time"

	"github.com/prometheus/common/model"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// scrapes knows from the series up when a server scraped which targets. It reads the
// series only for times in which a level has no samples.
type scrapes struct {
	source Source
	read   map[scrapeBlock]map[target][]run
}

// scrapeBlock is a block of time of a job's targets. The job "" means all jobs.
type scrapeBlock struct {
	job   string
	start int64
}

const scrapeBlockLength = 6 * hour

// trimmed is how long a server must have scraped before a lack of samples counts as
// missing: right after its start it may not have scraped the level's target yet.
const trimmed = 2 * minute

func newScrapes(of Source) *scrapes {
	return &scrapes{source: of, read: map[scrapeBlock]map[target][]run{}}
}

// block reads when the targets of a job were scraped.
func (s *scrapes) block(ctx context.Context, job string, t int64) (map[target][]run, error) {
	at := scrapeBlock{job, floor(t, scrapeBlockLength)}
	if known, ok := s.read[at]; ok {
		return known, nil
	}
	selector := promql.Series(metricnames.Up)
	if job != "" {
		selector = promql.Series(metricnames.Up, promql.Eq(model.JobLabel, job))
	}
	all, err := s.source.Select(ctx, selector.Matchers(), at.start, at.start+scrapeBlockLength)
	if err != nil {
		return nil, err
	}
	targets := map[target][]run{}
	for _, series := range all {
		of := targetOf(series.Labels)
		targets[of] = append(targets[of], runsOf(series)...)
	}
	s.read[at] = targets
	return targets, nil
}

// runsOf returns the times in which a target was scraped, up or not. Each ends a usual
// distance after its last scrape.
func runsOf(s Series) []run {
	var runs []run
	var d distance
	for i, t := range s.T {
		if i < len(s.V) && s.V[i] != s.V[i] {
			continue // a marker that the target is no longer scraped
		}
		n := len(runs) - 1
		if n >= 0 {
			apart := t - runs[n].to
			if d.add(apart); !d.gap(apart) && apart <= recently {
				runs[n].to = t
				continue
			}
		}
		runs = append(runs, run{from: t, to: t})
	}
	usual := min(max(d.usual, second), recently)
	for i := range runs {
		runs[i].to, runs[i].usual = runs[i].to+usual, usual
	}
	return runs
}

// runs passes on the runs of a job's targets that overlap [from, to).
func (s *scrapes) runs(ctx context.Context, job string, from, to int64, use func(target, run)) error {
	for t := floor(from, scrapeBlockLength); t < to; t += scrapeBlockLength {
		targets, err := s.block(ctx, job, t)
		if err != nil {
			return err
		}
		for of, runs := range targets {
			for _, r := range runs {
				if r.from < to && r.to > from {
					use(of, r)
				}
			}
		}
	}
	return nil
}

// spans returns the time in [from, to) in which the server scraped any target of the
// jobs: without the first minutes of each run, and up to its last scrape.
func (s *scrapes) spans(ctx context.Context, jobs []string, from, to int64) (sla.Spans, error) {
	var all []sla.Span
	var usual time.Duration
	for _, job := range jobs {
		err := s.runs(ctx, job, from-2*recently, to+recently, func(_ target, r run) {
			all = append(all, span(r.from, r.to))
			usual = max(usual, time.Duration(r.usual)*time.Millisecond)
		})
		if err != nil {
			return nil, err
		}
	}
	var longer []sla.Span
	for _, run := range sla.Union(all...) {
		run.From, run.To = run.From.Add(time.Duration(trimmed)*time.Millisecond), run.To.Add(-usual)
		longer = append(longer, run)
	}
	return sla.Union(longer...).Within(at(from), at(to)), nil
}

// within returns whether a target was scraped in (from, to).
func (s *scrapes) within(ctx context.Context, of target, from, to int64) (found bool, err error) {
	if of == (target{}) || from >= to {
		return false, nil
	}
	err = s.runs(ctx, of.job, from, to, func(t target, r run) {
		found = found || t == of && r.from < to && r.to-r.usual > from
	})
	return found, err
}

// before returns when a target was last scraped before t, if that was recently.
func (s *scrapes) before(ctx context.Context, of target, t int64) (last int64, ok bool, err error) {
	if of == (target{}) {
		return 0, false, nil
	}
	err = s.runs(ctx, of.job, t-recently, t, func(which target, r run) {
		if which == of && r.from < t {
			last = max(last, r.from, min(t, r.to)-r.usual)
		}
	})
	return last, last > 0 && t-last <= recently, err
}

// longestMemory is how long a level without samples counts as missing after it had
// some; later it is not seen, as in the rules. lookEvery is the distance of the times
// at which we look for such samples.
const longestMemory, lookEvery = 32 * day, 6 * hour

// remember finds whether a level without samples at the beginning had some before, and
// from which jobs.
func (l *load) remember() error {
	first := l.from - before
	if len(l.seen) > 0 && !l.seen[0].From.After(at(l.from)) {
		return nil
	}
	longest := int64(0)
	for _, p := range l.level.Periods() {
		longest = max(longest, min(longestMemory, p.Longest().Milliseconds()))
	}
	for t := first; t > first-longest; t -= lookEvery {
		for _, matchers := range l.reads {
			all, err := l.source.Select(l.ctx, matchers, t-recently, t)
			if err != nil {
				return err
			}
			for _, s := range all {
				l.earlier = true
				if job := s.Labels.Get(model.JobLabel); !slices.Contains(l.jobs, job) {
					l.jobs = append(l.jobs, job)
				}
			}
		}
		if l.earlier {
			return nil
		}
	}
	return nil
}

// missing returns the time in which the level was scraped but has no samples, as
// docs/rules.md defines it: only after its first samples.
func (l *load) missing() (sla.Spans, error) {
	first := l.from
	if !l.earlier {
		if len(l.seen) == 0 {
			return nil, nil
		}
		first = max(first, l.seen[0].From.UnixMilli())
	}
	var missing []sla.Span
	for _, dark := range l.seen.Gaps(at(first), at(l.to)) {
		scraped, err := l.scrapes.spans(l.ctx, l.sources(), dark.From.UnixMilli(), dark.To.UnixMilli())
		if err != nil {
			return nil, err
		}
		missing = append(missing, scraped...)
	}
	return sla.Union(missing...), nil
}

// sources returns the jobs of the level's series; "", which means any job, if some
// series have no job.
func (l *load) sources() []string {
	if slices.Contains(l.jobs, "") {
		return []string{""}
	}
	return l.jobs
}
