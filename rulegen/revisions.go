package rulegen

import (
	"fmt"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// Rules have the revisions of an agreement side by side: the rules of each are made as if
// it were alone, and then merged rule by rule. Rules that are the same stay one rule.
// Rules that differ become one too, in which time decides: `old and on () (vector(time())
// < E) or new and on () (vector(time()) >= E)`. So every series keeps its name and its
// history, no series is recorded twice, and nobody has to do anything when a revision
// takes effect.
//
// A rule is evaluated later than the events that it reads. So it switches that much after
// the revision takes effect: see Group.age.

// edition is a revision and the plans of its levels.
type edition struct {
	of     *sla.Agreement
	levels []LevelPlan
	groups map[string]Group
}

// level is the plan of a level in the edition.
func (e edition) level(id sla.ID) (LevelPlan, bool) {
	i := slices.IndexFunc(e.levels, func(l LevelPlan) bool { return l.Level.ID == id })
	if i < 0 {
		return LevelPlan{}, false
	}
	return e.levels[i], true
}

// needed are the revisions that rules must have, in the order in which they take
// effect: the one that judges now, those to come, and those that were replaced so lately
// that periods reach back to them.
func needed(a *sla.Agreement, now time.Time) []*sla.Agreement {
	all := a.AllRevisions()
	longest := time.Duration(0)
	for _, r := range all {
		for _, l := range slices.Concat(r.Levels, r.Broken) {
			for _, p := range l.Periods() {
				longest = max(longest, p.Longest())
			}
		}
	}
	for len(all) > 1 && all[1].InForceFrom().Add(longest+24*time.Hour).Before(now) {
		all = all[1:]
	}
	return all
}

// eachOfRevisions is Each for an agreement of which rules must have several revisions.
// All of them are in memory at once.
func eachOfRevisions(all []*sla.Agreement, opts Options, use func(LevelPlan) error) (sla.Findings, error) {
	m := merger{opts: opts, revisions: all, done: map[string]bool{}}
	now := sla.InForce(all, opts.Now)
	var findings sla.Findings
	passed := now != nil // before the revision that is in force
	for _, r := range all {
		e := edition{of: r, groups: map[string]Group{}}
		found, err := eachOf(r, opts, func(l LevelPlan) error {
			e.levels = append(e.levels, l)
			for _, g := range l.Groups {
				e.groups[g.Name] = g
			}
			return nil
		})
		if err != nil {
			return findings, err
		}
		passed = passed && r != now
		findings = append(findings, slices.DeleteFunc(found, func(f sla.Finding) bool { return passed && f.Severity != sla.Error })...)
		m.editions = append(m.editions, e)
	}
	if findings.HasErrors() { // nothing is merged with a revision that lacks a level
		findings.Sort()
		return findings, nil
	}
	for _, id := range m.ids() {
		if err := use(m.level(id)); err != nil {
			return findings, err
		}
	}
	findings = append(findings, m.findings()...)
	findings.Sort()
	return slices.Compact(findings), nil
}

// ids are the levels of all editions, in the order of the last.
func (m *merger) ids() []sla.ID {
	var lists [][]sla.ID
	for _, e := range m.editions {
		var ids []sla.ID
		for _, l := range e.levels {
			ids = append(ids, l.Level.ID)
		}
		lists = append(lists, ids)
	}
	return weave(lists)
}

// weave is the last of some lists with the items of older lists added: each stands
// before the item that follows it in its own list.
func weave[T comparable](lists [][]T) []T {
	if len(lists) == 0 {
		return nil
	}
	all := lists[len(lists)-1]
	for _, older := range slices.Backward(lists[:len(lists)-1]) {
		all = woven(all, older)
	}
	return all
}

func woven[T comparable](newer, older []T) []T {
	in := make(map[T]bool, len(newer))
	for _, k := range newer {
		in[k] = true
	}
	at := make(map[T]int, len(older))
	for i, k := range older {
		at[k] = i
	}
	all := make([]T, 0, len(newer)+len(older))
	next := 0
	until := func(end int) {
		for ; next < end; next++ {
			if !in[older[next]] {
				all = append(all, older[next])
			}
		}
	}
	for _, k := range newer {
		if i, ok := at[k]; ok {
			until(i)
		}
		all = append(all, k)
	}
	until(len(older))
	return all
}

// stage is a time in which an edition's rules hold. The zero times are the beginning
// and the end of all time.
type stage struct {
	from, until time.Time
	edition     int
}

// stagesOf are the stages of turns.
func (m *merger) stagesOf(turns []sla.Turn) []stage {
	var all []stage
	for i, t := range turns {
		s := stage{from: t.From, edition: slices.Index(m.revisions, t.Agreement)}
		if i+1 < len(turns) {
			s.until = turns[i+1].From
		}
		all = append(all, s)
	}
	return all
}

// later are the stages for rules that read events of that age.
func later(stages []stage, age time.Duration) []stage {
	all := slices.Clone(stages)
	for i, s := range all {
		if !s.from.IsZero() {
			all[i].from = s.from.Add(age)
		}
		if !s.until.IsZero() {
			all[i].until = s.until.Add(age)
		}
	}
	return all
}

// during keeps e only in the stage.
func (s stage) during(e promql.Expr) promql.Expr {
	now := promql.VectorOf(promql.Time())
	var when promql.Expr
	switch {
	case s.from.IsZero() && s.until.IsZero():
		return e
	case s.from.IsZero():
		when = promql.Lt(now, number(s.until.Unix()))
	case s.until.IsZero():
		when = promql.Ge(now, number(s.from.Unix()))
	default:
		when = promql.Lt(promql.Ge(now, number(s.from.Unix())), number(s.until.Unix()))
	}
	return promql.AndOn(e, when)
}

// words say when a stage is, for comments.
func (m *merger) words(s stage, age time.Duration) string {
	by := m.editions[s.edition].of
	edgeOf := func(t time.Time) string {
		edge := at(t.Add(-age), by)
		if age == 0 {
			return edge
		}
		return edge + " and " + sla.FormatDuration(age)
	}
	name := fmt.Sprintf("revision %d", by.Terms.Revision)
	switch {
	case s.from.IsZero():
		return fmt.Sprintf("Until %s, %s", edgeOf(s.until), name)
	case s.until.IsZero():
		return fmt.Sprintf("From %s on, %s", edgeOf(s.from), name)
	}
	return fmt.Sprintf("From %s until %s, %s", edgeOf(s.from), edgeOf(s.until), name)
}

// firstAge is how old, on average, what the rules of the first layer read is.
func firstAge(l level) time.Duration {
	if into := l.source(); into.cut > 0 {
		return into.window + settle
	}
	return sla.BaseWindow / 2
}

// secondAge is how old, on average, what the second layer counts is.
func secondAge(interval time.Duration) time.Duration {
	return calendar{interval: interval}.lag()
}

// age is how old the events are that a rule of the group records. Figures of periods,
// and what they are compared with, switch with the second layer, which sums them.
func (m *merger) age(g Group, r Rule) time.Duration {
	if r.Labels[metricnames.Period] != "" || r.Record == metricnames.TargetRatio {
		return max(g.age, secondAge(m.opts.Interval))
	}
	return g.age
}
