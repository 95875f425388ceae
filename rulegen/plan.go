// Package rulegen turns an agreement into a Plan: the recording rules and
// alerts that measure it. It is pure functions from the model to typed
// expressions; internal/promql makes and proves the expressions and
// rulegen/emit prints them.
//
// The principle: raw series are scanned once, over five minutes; everything
// longer is summed from what was recorded, weighted by events. Bad and total
// are recorded, never only their ratio. docs/rules.md explains every series.
//
// It must not import the exporter, a file format or the rule engine.
package rulegen

import (
	"slices"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// Plan is everything that is generated for one agreement.
type Plan struct {
	Agreement *sla.Agreement
	Levels    []LevelPlan
}

// LevelPlan is what one service level becomes. The first level that needs a
// calendar brings the group of it, which those after it read too, and the first of all
// brings the reminders of the agreement.
type LevelPlan struct {
	Agreement *sla.Agreement
	Level     *sla.ServiceLevel
	Groups    []Group
	// Turns are the revisions that the groups follow one after the other; nil if it is
	// one.
	Turns []Turn
}

// Turn is a revision that rules follow from an instant on, the zero Time for from the
// beginning.
type Turn struct {
	From      time.Time
	Agreement *sla.Agreement
	Plan      *LevelPlan // what the level is in it, as if it were alone; nil if it has none
}

// GroupPrefix begins the name of every group.
const GroupPrefix = "upheld:"

// MostSeries is how many series the level records at most: with groups, as many
// as its limit allows.
func (l LevelPlan) MostSeries() int {
	series := 0
	for _, g := range l.Groups {
		for _, r := range g.Rules {
			switch {
			case r.Record == "":
			case len(l.Level.GroupBy.Labels) > 0 && r.Record != metricnames.LevelInfo && r.Labels[metricnames.SLO] != "":
				series += l.Level.GroupBy.Limit
			default:
				series++
			}
		}
	}
	return series
}

// Group is a rule group: rules that are evaluated in order, every Interval.
type Group struct {
	Name     string
	Interval time.Duration
	Rules    []Rule

	age    time.Duration // how old, in the middle, what its rules read is
	shared bool          // by levels of an agreement
	always bool          // what it records of the time depends on no revision
}

// Rule is a recording rule or an alert: exactly one of Record and Alert is set.
type Rule struct {
	// Comment tells who reviews the rule what it is and how its constants come about:
	// lines of text without control characters.
	Comment       string
	Record        string
	Alert         string
	Expr          promql.Expr
	For           time.Duration
	KeepFiringFor time.Duration
	Labels        map[string]string
	Annotations   map[string]string
	Mask          *Mask // of a rule that records a mask by the clock; nil for all others
}

// Mask is what a rule records that depends on nothing but the time: hours of
// service, or windows.
type Mask struct {
	t      timetable
	stages []maskStage // of one that revisions change, instead
}

// maskStage is when a mask is what another is; the zero times are the beginning and the
// end of all time.
type maskStage struct {
	from, until time.Time
	*Mask
}

// Holds tells whether the mask is 1 at an instant, also long before the years of
// its tables, as in tests that begin in 1970: there it is the pattern alone.
func (m *Mask) Holds(at time.Time) bool {
	for _, s := range m.stages {
		if !at.Before(s.from) && (s.until.IsZero() || at.Before(s.until)) {
			return s.Holds(at)
		}
	}
	unix := at.Unix()
	holds := false
	if len(m.t.pattern) > 0 {
		second := m.t.inCycle(unix)
		holds = slices.ContainsFunc(m.t.pattern, func(p stretch) bool { return p.from <= second && second < p.to })
	}
	within := func(s sla.Span) bool { return s.From.Unix() <= unix && unix < s.To.Unix() }
	return (holds || slices.ContainsFunc(m.t.adds, within)) && !slices.ContainsFunc(m.t.removes, within)
}

// Corrections are the spans in which the mask is not what its pattern says.
func (m *Mask) Corrections() sla.Spans {
	if len(m.stages) > 0 {
		var all sla.Spans
		for _, s := range m.stages {
			for _, c := range s.Corrections() {
				if c.From = latest(c.From, s.from); !s.until.IsZero() && c.To.After(s.until) {
					c.To = s.until
				}
				if c.From.Before(c.To) {
					all = append(all, c)
				}
			}
		}
		return sla.Union(all...)
	}
	return sla.Union(append(slices.Clone(m.t.adds), m.t.removes...)...)
}

// DefaultInterval is how often the first tier of rules is evaluated.
const DefaultInterval = time.Minute

// secondTier is how many first-tier evaluations one second-tier evaluation
// spans, and so the factor between the two intervals.
const secondTier = 5

// SecondTier is how often the second tier is evaluated if the first is every
// interval.
func SecondTier(interval time.Duration) time.Duration { return secondTier * interval }

// Options are what the environment decides rather than the agreement.
type Options struct {
	// Interval is how often the first tier of rules is evaluated, DefaultInterval
	// if 0; the second tier runs at five times that.
	Interval time.Duration
	// ScrapeInterval and Retention are how often the raw series are scraped and
	// how long the server keeps what it recorded, where that is known: findings
	// tell what does not fit them.
	ScrapeInterval, Retention time.Duration
	// QuotedNames is set if the server is known to read label names in quotes, as
	// Prometheus does from 3.0 on: then nothing is found of them.
	QuotedNames bool
	// Labels are added to everything that is recorded and to every alert, and
	// are then a part of what names a level: anyone who edits one begins a new
	// history. CheckLabel says which may be given.
	Labels map[string]string
	// Dashboard is the URL of a dashboard, which alerts then link, with their level as
	// its variables service and slo.
	Dashboard string
	// Links are what else alerts link.
	Links Links
	// Now is when the rules are made, the present if zero. Only its year counts:
	// tables of clock changes reach from the year before to three years after.
	Now time.Time
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
