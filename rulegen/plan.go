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

// LevelPlan is the plan of one service level. The first level that needs a calendar
// adds the calendar's group, which later levels read too; the first level of all adds
// the agreement's reminders.
type LevelPlan struct {
	Agreement *sla.Agreement
	Level     *sla.ServiceLevel
	Groups    []Group
	// Turns are the revisions that the groups follow one after the other; nil if there
	// is only one.
	Turns []Turn
}

// Turn is a revision that rules follow from an instant on, the zero Time for from the
// beginning.
type Turn struct {
	From      time.Time
	Agreement *sla.Agreement
	Plan      *LevelPlan // the level's plan in this revision alone; nil if it has no such level
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

	age    time.Duration // how old, on average, what its rules read is
	shared bool          // by levels of an agreement
	always bool          // what it records about time depends on no revision
}

// Rule is a recording rule or an alert: exactly one of Record and Alert is set.
type Rule struct {
	// Comment says to reviewers what the rule is, and explains its constants: lines
	// of text without control characters.
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

// Mask is what a rule records that depends only on the time: service hours, or
// windows.
type Mask struct {
	t      timetable
	stages []maskStage // instead of t if revisions change the mask
}

// maskStage is a time in which a mask equals another; the zero times are the beginning
// and the end of all time.
type maskStage struct {
	from, until time.Time
	*Mask
}

// Holds reports whether the mask is 1 at an instant. Long before the years of its
// tables, as in tests that begin in 1970, only the pattern counts.
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

// Corrections are the spans in which the mask differs from its pattern.
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

// DefaultInterval is how often the first layer of rules is evaluated.
const DefaultInterval = time.Minute

// secondLayer is how many evaluations of the first layer one of the second
// spans, and so the factor between the two intervals.
const secondLayer = 5

// SecondLayer is how often the second layer is evaluated if the first is every
// interval.
func SecondLayer(interval time.Duration) time.Duration { return secondLayer * interval }

// Options are what the environment decides rather than the agreement.
type Options struct {
	// Interval is how often the first layer of rules is evaluated,
	// DefaultInterval if 0; the second layer runs at five times that.
	Interval time.Duration
	// ScrapeInterval and Retention are how often the raw series are scraped and
	// how long the server keeps what it recorded, if known: findings report
	// what does not fit them.
	ScrapeInterval, Retention time.Duration
	// QuotedNames is set if the server is known to read label names in quotes, as
	// Prometheus does from 3.0 on: then there are no findings about them.
	QuotedNames bool
	// Labels are added to everything that is recorded and to every alert, and
	// become a part of what identifies a level: anyone who edits one begins a
	// new history. CheckLabel says which are allowed.
	Labels map[string]string
	// Dashboard is the URL of a dashboard. Alerts link it, with their level as its
	// variables service and slo.
	Dashboard string
	// Links are the other links of alerts.
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
