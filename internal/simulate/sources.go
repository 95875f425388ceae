package simulate

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/internal/rawseries"
	"github.com/upheld-sla/upheld/internal/replay"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla"
)

// findSources imagines the series of all levels. It joins levels that count the same
// series, and separates those that would count each other's.
func (s *stage) findSources() error {
	var all []*source
	for _, l := range s.needed {
		if _, ok := l.Indicator.(*sla.Composite); ok || len(s.givenTo(l)) > 0 {
			continue
		}
		series, problem := s.imagine(l)
		if problem != nil {
			return problem
		}
		all = join(all, &source{levels: []*sla.ServiceLevel{l}, series: series})
	}
	for _, src := range all {
		src.course = s.newCourse(src)
	}
	return s.partition(all)
}

// join adds a source, joined with the sources that share a series with it.
func join(all []*source, add *source) []*source {
	var apart []*source
	for _, other := range all {
		if !other.shares(add) {
			apart = append(apart, other)
			continue
		}
		for _, m := range add.series {
			if !other.has(m.metric) {
				other.series = append(other.series, m)
			}
		}
		add = &source{levels: append(other.levels, add.levels...), series: other.series}
	}
	return append(apart, add)
}

func (src *source) has(m promql.Metric) bool {
	return slices.ContainsFunc(src.series, func(x imagined) bool { return x.metric.String() == m.String() })
}

func (src *source) shares(other *source) bool {
	return slices.ContainsFunc(src.series, func(x imagined) bool { return other.has(x.metric) })
}

// partition puts sources together that do not disturb each other, and levels with all
// of their components.
func (s *stage) partition(all []*source) error {
	for _, bundle := range s.bundles(all) {
		i := slices.IndexFunc(s.parts, func(p part) bool { return !s.disturb(p, bundle) })
		if i < 0 {
			i, s.parts = len(s.parts), append(s.parts, part{})
		}
		s.parts[i].sources = append(s.parts[i].sources, bundle.sources...)
		s.parts[i].levels = append(s.parts[i].levels, bundle.levels...)
		for a, src := range bundle.sources {
			for _, other := range bundle.sources[a+1:] {
				if l := s.counts(src, other); l != nil {
					return &Problem{
						Pos: l.Pos, Rule: "no-series",
						Message: fmt.Sprintf("the series that are imagined for %s/%s would also be counted by another component of the same composite", l.ID.Service, l.ID.SLO),
						Remedy:  "give the series of one of them under spec.series of a scenario",
					}
				}
			}
		}
	}
	return nil
}

// bundles are parts that cannot be divided further: a source with its levels, or a
// composite with its components.
func (s *stage) bundles(all []*source) []part {
	var bundles []part
	merge := func(add part, with func(part) bool) {
		var apart []part
		for _, b := range bundles {
			if with(b) {
				add.sources, add.levels = append(b.sources, add.sources...), append(b.levels, add.levels...)
			} else {
				apart = append(apart, b)
			}
		}
		bundles = append(apart, add)
	}
	for _, src := range all {
		bundles = append(bundles, part{sources: []*source{src}, levels: src.levels})
	}
	for _, l := range s.needed {
		c, ok := l.Indicator.(*sla.Composite)
		if !ok && len(s.givenTo(l)) == 0 {
			continue
		}
		merge(part{levels: []*sla.ServiceLevel{l}}, func(b part) bool {
			return ok && slices.ContainsFunc(b.levels, func(x *sla.ServiceLevel) bool { return c.Uses(x) })
		})
	}
	for _, l := range s.needed { // components may be levels with given series
		if c, ok := l.Indicator.(*sla.Composite); ok {
			merge(part{}, func(b part) bool {
				return slices.ContainsFunc(b.levels, func(x *sla.ServiceLevel) bool { return x == l || c.Uses(x) })
			})
		}
	}
	return bundles
}

// disturb returns whether levels of one part would count series of the other.
func (s *stage) disturb(a, b part) bool {
	for _, x := range a.sources {
		for _, y := range b.sources {
			if s.counts(x, y) != nil {
				return true
			}
		}
	}
	return false
}

// counts returns a level of one source that would count series of the other; nil if
// there is none.
func (s *stage) counts(a, b *source) *sla.ServiceLevel {
	for _, pair := range [][2]*source{{a, b}, {b, a}} {
		for _, l := range pair[0].levels {
			for _, x := range pair[1].series {
				if rawseries.Count(s.plans[l.ID].reads, x.metric) > 0 {
					return l
				}
			}
		}
	}
	return nil
}

// world makes a world with the raw series of a part.
func (s *stage) world(p part) (*replay.World, error) {
	w := replay.New()
	every, to := s.scrape.Milliseconds(), s.end.Add(2*s.scrape).UnixMilli()
	targets := map[string]*target{}
	for _, src := range p.sources {
		for _, x := range src.series {
			seen := newScrapes(src.course, to, every, func(seg segment) bool { return seg.seen })
			if err := x.add(w, src.course, seen); err != nil {
				return nil, err
			}
			add(targets, x.metric, src.course)
		}
	}
	calm := cut(s.wholeEffects(), s.from.UnixMilli(), to)
	for _, g := range s.given {
		if !slices.ContainsFunc(p.levels, func(l *sla.ServiceLevel) bool {
			return slices.ContainsFunc(s.givenTo(l), func(o given) bool { return o.metric.String() == g.metric.String() })
		}) {
			continue
		}
		w.Add(labels.FromMap(g.metric), g.samples(s, newScrapes(calm, to, every, func(segment) bool { return true })))
		if g.metric[rawseries.NameLabel] != metricnames.Up {
			add(targets, g.metric, calm)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(targets)) {
		t := targets[key]
		if slices.ContainsFunc(s.given, func(g given) bool { return g.metric.String() == t.up.String() }) {
			continue
		}
		w.Add(labels.FromMap(t.up), &gauge{newScrapes(calm, to, every, func(segment) bool { return true }), calm, t.value})
	}
	return w, nil
}

// wholeEffects are the effects of steps that affect everything.
func (s *stage) wholeEffects() []effect {
	var all []effect
	for _, step := range s.scenario.Steps {
		if step.Kind.Facets().Whole {
			all = append(all, s.effects(step, nil)...)
		}
	}
	return all
}

// target is what Prometheus scrapes; up is 1 while the target answers.
type target struct {
	up      promql.Metric
	courses []course
}

func add(targets map[string]*target, m promql.Metric, c course) {
	up := promql.Metric{rawseries.NameLabel: metricnames.Up}
	for _, label := range []string{metricnames.Job, metricnames.Instance} {
		if m[label] != "" {
			up[label] = m[label]
		}
	}
	t := targets[up.String()]
	if t == nil {
		t = &target{up: up}
		targets[up.String()] = t
	}
	t.courses = append(t.courses, c)
}

func (t *target) value(_ segment, ms int64) float64 {
	for _, c := range t.courses {
		if !c[c.at(ms)].up {
			return 0
		}
	}
	return 1
}

// add adds a series to a world.
func (x imagined) add(w *replay.World, c course, sc *scrapes) error {
	l := labels.FromMap(x.metric)
	rate := func(seg segment) float64 {
		if x.ownRate {
			return x.perSecond
		}
		return x.perSecond * seg.traffic
	}
	counted := func(of func(bad, slow float64) float64) *counter {
		return newCounter(c, sc, func(seg segment) float64 { return rate(seg) * of(seg.bad, seg.slow) })
	}
	switch {
	case x.threshold > 0:
		bad := counted(func(bad, slow float64) float64 { return 1 - x.counts(bad, slow) })
		return w.AddHistograms(l, &native{scrapes: sc, good: counted(x.counts), bad: bad, threshold: x.threshold})
	case x.counts != nil:
		w.Add(l, counted(x.counts))
	default:
		w.Add(l, &gauge{sc, c, func(seg segment, ms int64) float64 { return x.value(seg.bad, ms/sc.every, ms) }})
	}
	return nil
}

// rules returns the rule files of a part, as upheld generate would write them.
func (s *stage) rules(p part) ([]replay.File, error) {
	var files []replay.File
	for _, a := range s.reduced(p.levels) {
		var text bytes.Buffer
		w := emit.NewRuleWriter(&text, emit.RuleOptions{})
		if err := w.Begin(a); err != nil {
			return nil, err
		}
		findings, err := rulegen.Each(a, s.opts, w.Level)
		if err != nil {
			return nil, err
		}
		if findings.HasErrors() {
			return nil, findings.Err()
		}
		if _, err := w.End(); err != nil {
			return nil, err
		}
		if err := w.Close(); err != nil {
			return nil, err
		}
		files = append(files, replay.File{Name: "rules/" + a.Name + ".yaml", Text: text.Bytes()})
	}
	return files, nil
}

// recorded returns whether rules record a series of that name; otherwise it is raw.
func recorded(name string) bool { return strings.HasPrefix(name, "sla:") }
