package samples

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/sla"
)

// Request says which evidence is wanted.
type Request struct {
	Agreement *sla.Agreement
	From, To  time.Time // of the period that is judged, [From, To)
	Now       time.Time // until when there are samples; for a period that is over, a time after To
	// Progress is called with the share that is done, 0 to 1, and may be nil.
	Progress func(share float64)
}

// around is how much evidence there is before and after a period, for outages and runs
// that cross its edges. before and after are how much more is read, so that the usual
// distance is known at the beginning, and what began before the end has an end.
const (
	around = hour
	before = hour
	after  = 10 * minute
)

// Load reads what the levels of an agreement measured in a period, and the components
// of its composites in other agreements. After an error there is no evidence: what
// could not be read never counts as good.
func Load(ctx context.Context, from Source, r Request) (verdict.Evidence, error) {
	levels := measured(r.Agreement)
	begin, end := floor(r.From.UnixMilli()-around, minute), r.To.UnixMilli()+around
	if !r.Now.IsZero() {
		end = min(end, r.Now.UnixMilli())
	}
	if begin >= end {
		return verdict.Evidence{}, fmt.Errorf("the period begins at %s, which is not over yet", r.From.UTC().Format(time.RFC3339))
	}
	cuts := cutsOf(r.Agreement, levels, begin, end)
	digesting := newDigesting(from)
	from = digesting
	e := verdict.Evidence{Conditions: map[string]sla.Spans{}, Sources: []string{from.Name()}}
	scrapes := newScrapes(from)
	jobs := len(levels) + len(r.Agreement.Exclusions)
	done := 0
	progress := func(of float64) {
		if r.Progress != nil {
			r.Progress((float64(done) + of) / float64(max(jobs, 1)))
		}
	}
	for _, level := range levels {
		l := &load{
			presence: presence{}, ctx: ctx, source: from, scrapes: scrapes, level: level, cuts: cuts, progress: progress,
			from: begin, to: end, start: r.From.UnixMilli(), end: min(r.To.UnixMilli(), end),
		}
		evidence, err := l.evidence()
		if err != nil {
			return verdict.Evidence{}, fmt.Errorf("%s/%s: %w", level.ID.Service, level.ID.SLO, err)
		}
		e.Levels = append(e.Levels, evidence)
		done++
		progress(0)
	}
	for _, x := range conditions(r.Agreement) {
		spans, err := held(ctx, from, scrapes, x.Condition, begin, end)
		if err != nil {
			return verdict.Evidence{}, fmt.Errorf("exclusion %s: %w", x.Name, err)
		}
		e.Conditions[x.Name] = spans
		done++
		progress(0)
	}
	e.Samples = digesting.digests()
	return e, nil
}

// measured returns the levels with evidence of their own, in order: those of the
// agreement, then its composites' components from other agreements.
func measured(a *sla.Agreement) []*sla.ServiceLevel {
	var all []*sla.ServiceLevel
	add := func(l *sla.ServiceLevel) {
		if _, made := l.Indicator.(*sla.Composite); !made && !slices.Contains(all, l) {
			all = append(all, l)
		}
	}
	for _, l := range a.Levels {
		add(l)
	}
	for _, l := range a.Levels {
		c, ok := l.Indicator.(*sla.Composite)
		if !ok {
			continue
		}
		for _, of := range c.Component {
			add(of.Level)
		}
		if c.EndToEnd != nil {
			add(c.EndToEnd.Level)
		}
	}
	return all
}

// Covers returns an error if evidence lacks a level or a condition of the agreement,
// since it was then made with another specification. Evidence has an entry even if
// nothing was measured.
func Covers(e verdict.Evidence, a *sla.Agreement) error {
	for _, l := range measured(a) {
		if !slices.ContainsFunc(e.Levels, func(of verdict.LevelEvidence) bool { return of.Level == l.ID }) {
			return fmt.Errorf("the evidence has no level %s, which %s has: it was made with another specification; use that one, or raw samples", l.ID, a.Name)
		}
	}
	for _, x := range conditions(a) {
		if _, ok := e.Conditions[x.Name]; !ok {
			return fmt.Errorf("the evidence does not say when the condition of the exclusion %s held: it was made with another specification; use that one, or raw samples", x.Name)
		}
	}
	return nil
}

// conditions returns the agreement's exclusions that have a condition.
func conditions(a *sla.Agreement) []*sla.Exclusion {
	return slices.DeleteFunc(slices.Clone(a.Exclusions), func(x *sla.Exclusion) bool { return !x.OnCondition() })
}

// cutsOf are the times at which counted stretches end: whole minutes, and the edges of
// all that levels may exclude. The first is from, the last to.
func cutsOf(a *sla.Agreement, levels []*sla.ServiceLevel, from, to int64) []int64 {
	cuts := []int64{from, to}
	for t := floor(from, minute) + minute; t < to; t += minute {
		cuts = append(cuts, t)
	}
	edges := func(spans sla.Spans) {
		for _, s := range spans {
			for _, t := range []int64{s.From.UnixMilli(), s.To.UnixMilli()} {
				if from < t && t < to {
					cuts = append(cuts, t)
				}
			}
		}
	}
	for _, l := range levels {
		if l.ServiceHours != nil {
			edges(l.Service(at(from), at(to)))
		}
		for _, x := range l.Exclusions {
			edges(x.Spans(at(from), at(to)))
		}
	}
	for _, x := range a.Exclusions {
		edges(x.Spans(at(from), at(to)))
	}
	slices.Sort(cuts)
	return slices.Compact(cuts)
}

// load reads the evidence of one level.
type load struct {
	ctx      context.Context
	source   Source
	scrapes  *scrapes
	level    *sla.ServiceLevel
	from, to int64   // of the evidence
	start    int64   // of the period, and ...
	end      int64   // ... its end, or until when there can be samples
	cuts     []int64 // of counted stretches
	progress func(share float64)

	presence presence
	err      error    // the first error while increments are made
	jobs     []string // that the level's series come from; "" for series without a job
	reads    [][]*labels.Matcher
	earlier  bool      // it had samples before the time that was read
	births   int       // how many first values we asked the start of a process for
	seen     sla.Spans // when any place has samples
	gaps     []verdict.Gap
}

// collector reads what the levels of one kind of indicator measured, by group and place.
type collector func(*load) ([]group, error)

// collectorOf is the table of all kinds of indicators.
func collectorOf(i sla.Indicator) collector {
	switch i := i.(type) {
	case *sla.Probe:
		return func(l *load) ([]group, error) { return l.probe(l.level.ID, i, 0) }
	case *sla.SharedProbe:
		return func(l *load) ([]group, error) { return l.probe(i.Of, i.Probe, 0) }
	case *sla.ProbeLatency:
		return func(l *load) ([]group, error) { return l.probe(i.Of, i.Probe, i.Threshold) }
	case *sla.Events:
		return func(l *load) ([]group, error) { return l.events(i) }
	case *sla.HistogramLatency:
		return func(l *load) ([]group, error) { return l.histogram(i) }
	case *sla.NativeLatency:
		return func(l *load) ([]group, error) { return l.native(i) }
	case *sla.Blackbox:
		return func(l *load) ([]group, error) { return l.blackbox(i) }
	case *sla.Condition:
		return func(l *load) ([]group, error) { return l.condition(i) }
	case *sla.Ratio:
		return func(l *load) ([]group, error) { return l.ratio(i) }
	}
	return nil
}

// bySeconds returns whether the level counts seconds: then a stretch lasts as long as
// its bad share stays the same. Other levels count into clock minutes.
func (l *load) bySeconds() bool { return l.level.Aggregation.Counts() == sla.CountsSeconds }

func (l *load) evidence() (verdict.LevelEvidence, error) {
	collect := collectorOf(l.level.Indicator)
	if collect == nil {
		return verdict.LevelEvidence{}, fmt.Errorf("the indicator %q cannot be read from samples", l.level.Indicator.Kind())
	}
	groups, err := collect(l)
	if err != nil {
		return verdict.LevelEvidence{}, err
	}
	if err := l.remember(); err != nil {
		return verdict.LevelEvidence{}, err
	}
	missing, err := l.missing()
	if err != nil {
		return verdict.LevelEvidence{}, err
	}
	e := verdict.LevelEvidence{Level: l.level.ID, Gaps: joinGaps(l.gaps, l.from, l.to)}
	e.Groups, e.LeftOut = l.admitted(groups, missing)
	if l.level.Slots.Weight.Text != "" {
		if e.Weight, err = l.weight(); err != nil {
			return verdict.LevelEvidence{}, fmt.Errorf("weight: %w", err)
		}
	}
	e.Ages, err = l.ages()
	return e, err
}

// admitted makes evidence of groups, up to the level's limit: those that were seen
// first. It returns how many are left out.
func (l *load) admitted(groups []group, missing sla.Spans) (all []verdict.GroupEvidence, leftOut int) {
	grouped := len(l.level.GroupBy.Labels) > 0
	if grouped {
		slices.SortStableFunc(groups, func(a, b group) int { return a.first().Compare(b.first()) })
		if most := l.level.GroupBy.Limit; most > 0 && len(groups) > most {
			groups, leftOut = groups[:most], len(groups)-most
		}
		slices.SortFunc(groups, func(a, b group) int { return compareKeys(a.key, b.key) })
	}
	for _, g := range groups {
		of := verdict.GroupEvidence{Places: g.evidence(l, missing)}
		if grouped {
			of.Labels = map[string]string{}
			for i, name := range l.level.GroupBy.Labels {
				of.Labels[name] = g.key[i]
			}
		}
		all = append(all, of)
	}
	if len(all) == 0 && !grouped {
		none := group{places: []place{{}}}
		all = []verdict.GroupEvidence{{Places: none.evidence(l, missing)}}
	}
	return all, leftOut
}
