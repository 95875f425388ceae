package rulegen

import (
	"fmt"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/sla"
)

// Findings about revisions that take effect: changes to which rules cannot switch by
// themselves, or not with the verdict's figures from the first minute on.

// findings are those about all levels.
func (m *merger) findings() sla.Findings {
	var found sla.Findings
	for _, id := range m.ids() {
		for i, e := range m.editions {
			if i == 0 || !e.of.InForceFrom().After(m.opts.Now) {
				continue
			}
			before, had := m.editions[i-1].level(id)
			if after, has := e.level(id); had && has {
				found = append(found, m.change(before, after, e.of)...)
			}
		}
	}
	return found
}

// change finds problems with what a revision changes in a level that was there before.
func (m *merger) change(before, after LevelPlan, of *sla.Agreement) sla.Findings {
	l := after.Level
	name := func() string { return fmt.Sprintf("revision %d changes level %q", of.Terms.Revision, l.ID.SLO) }
	var found sla.Findings
	warn := func(rule, remedy, message string, args ...any) {
		found = append(found, sla.Finding{Severity: sla.Warning, Rule: rule, Pos: l.Pos, Remedy: remedy, Message: fmt.Sprintf(message, args...)})
	}
	if m.apart(l.ID) {
		warn("revision-by-hand", "generate the rules again on that day, as soon as it has begun, and reload the server",
			"%s: its groupBy. Rules cannot have both side by side, and follow revision %d until you generate them again from %s on", name(), before.Agreement.Terms.Revision, at(of.InForceFrom(), of))
		return found
	}
	counted := countedOtherwise(before, after)
	first := m.beginOf(l.Period, of)
	for i, p := range l.Periods() {
		begin := m.beginOf(p, of)
		switch {
		case begin.IsZero():
			continue
		case i > 0 && counted && !begin.Equal(first):
			warn("revision-within-period", "let it take effect where all of its periods begin, or set splitPeriods: true in the revision before",
				"%s in what it counts: rules count so from %s on, and %s is judged by the revision before until %s", name(), at(first, of), p.Words(), at(begin, of))
		case begin.After(of.InForceFrom()) && i == 0:
			warn("revision-later", "let it take effect where the period begins, or set splitPeriods: true in the revision before",
				"%s on %s, within %s, which the revision before judges to its end: rules follow the new one from %s on", name(), of.Terms.EffectiveFrom, p.Words(), at(begin, of))
		}
		if start, _ := p.Bounds(begin); p.Calendar != "" && start.Equal(begin) {
			continue
		}
		found = append(found, m.spanning(before, after, p, begin, of)...)
	}
	return found
}

// spanning finds changes that spoil the figures of a period in which the revision takes
// effect.
func (m *merger) spanning(before, after LevelPlan, p sla.Period, edge time.Time, of *sla.Agreement) sla.Findings {
	l := after.Level
	until := edge.Add(p.Longest())
	if p.Calendar != "" {
		_, until = p.Bounds(edge)
	}
	finding := func(message string) sla.Findings {
		return sla.Findings{{
			Severity: sla.Warning, Rule: "revision-within-period", Pos: l.Pos,
			Message: fmt.Sprintf("revision %d changes %s of level %q within %s; trust its figures of that again from %s on, reports are exact", of.Terms.Revision, message, l.ID.SLO, p.Words(), at(until, of)),
			Remedy:  "let it take effect where a calendar period begins, if that matters",
		}}
	}
	plain := func(l *sla.ServiceLevel) level { return level{ServiceLevel: l} }
	switch {
	case unitOf(plain(before.Level)) != unitOf(plain(l)):
		return finding("the unit: the sums of the period add events to seconds,")
	case p.Calendar != "":
		return finding("the terms in parts: live figures add up both and compare them with the new target, while reports judge each part by itself,")
	case agreedOtherwise(before, after):
		return finding("the agreed time: coverage and the budget that is left take all of the period for the new one's,")
	}
	return nil
}

// beginOf is when a revision begins to judge periods of a kind; the zero Time if it
// never does.
func (m *merger) beginOf(p sla.Period, of *sla.Agreement) time.Time {
	for _, t := range sla.Turns(m.revisions, p) {
		if t.Agreement == of {
			return t.From
		}
	}
	return time.Time{}
}

func at(t time.Time, of *sla.Agreement) string {
	return t.In(of.Location()).Format("2006-01-02T15:04Z07:00")
}

// countedOtherwise reports whether two plans of a level count differently.
func countedOtherwise(a, b LevelPlan) bool {
	return agreedOtherwise(a, b) || !slices.Equal(expressions(a, countsOf), expressions(b, countsOf))
}

func countsOf(r Rule) bool {
	return slices.Contains([]string{
		metricnames.TotalRate, metricnames.BadRate, metricnames.RawTotalRate, metricnames.RawBadRate, metricnames.TotalIncrease, metricnames.BadIncrease,
		metricnames.SlotTotal, metricnames.SlotBad, metricnames.SlotKnown, metricnames.SlotJudged,
	}, r.Record)
}

// agreedOtherwise reports whether the agreed time of a level changes.
func agreedOtherwise(a, b LevelPlan) bool {
	if a.Level.Masked() != b.Level.Masked() || agreedName(a.Level) != agreedName(b.Level) {
		return true
	}
	from := b.Agreement.InForceFrom().AddDate(0, -1, 0)
	to := from.AddDate(1, 0, 0)
	return a.Level.Masked() && !slices.Equal(a.Level.Agreed(from, to), b.Level.Agreed(from, to))
}

// expressions are those of a plan's chosen rules.
func expressions(l LevelPlan, chosen func(Rule) bool) []string {
	var all []string
	for _, g := range l.Groups {
		for _, r := range g.Rules {
			if chosen(r) {
				all = append(all, r.Record+" "+r.Expr.String())
			}
		}
	}
	return all
}
