package web

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// detail is what the template of a level's page shows.
type detail struct {
	page
	levelView
	Headline *headlineView // nil while no attention is needed
	BurnDown burnDownView
	WhatIf   whatIfView
	Probes   []probeView
}

// levelView is one level, in words and in numbers formatted for people.
type levelView struct {
	ID          sla.ID
	Anchor      string // unique on the page
	Path        string
	Agreement   string // the path of its page
	Description string
	Indicator   string
	Target      string
	Objective   string // empty if it is the target
	Period      string // "30 d", "a calendar month"
	Over        string // "the last 30 d", "a calendar month"
	Aggregation string

	Urgency string // class of the card, from the worst thing on it
	State   mark
	Since   stamp // of the state, if that is useful
	AsOf    stamp // of the period's figures
	periodSummary
	More           []moreView // of the level's other periods
	Burns          []burnView
	Alerts         []alertView
	WorstAlert     *alertView // the most urgent alert that is not inactive
	Failures       []failureView
	FailureCount   int          // of all failures in Failures, repeated ones too
	LastFailure    *failureView // the newest failure that counts
	Probed         bool         // by this exporter, so that single failures are known
	Strip          stripView
	Days           daysView
	Outages        []outageView    // newest first
	Members        bool            // it is a composite
	Tree           []*nodeView     // of a composite, on its own page
	ComponentsDown []downComponent // its components that are down now
	Causes         []causeView     // its components that have spent some of its budget
	Composites     []compositeLink // the composites that it is a component of
	Queries        []queryView
	NoSeries       []string // selectors that match nothing
	NoData         bool
	Grouped        bool
	Groups         []groupView   // the worst first
	Recovery       *recoveryView // nil without any
	GroupsLeftOut  int           // how many more groups there are

	attention bool // the target or the budget of any period or group needs it
}

type burnView struct{ Window, Rate string }

type queryView struct{ Title, Expr, Path string }

// levelPath is the path of a level's page.
func levelPath(id sla.ID) string { return "/level/" + pathOfID(id) }

func pathOfID(id sla.ID) string {
	return url.PathEscape(id.SLA) + "/" + url.PathEscape(id.Service) + "/" + url.PathEscape(id.SLO)
}

// agreementPath is the path of an agreement's page.
func agreementPath(name string) string { return "/agreement/" + url.PathEscape(name) }

func newLevel(s LevelStatus, c clock) levelView {
	l := s.Level
	v := levelView{
		ID: l.ID, Anchor: strings.Join([]string{l.ID.SLA, l.ID.Service, l.ID.SLO}, "_"), Path: levelPath(l.ID), Agreement: agreementPath(l.ID.SLA),
		Description: l.Description, Indicator: l.Indicator.Words(),
		Target: l.Target.String() + thin + "%", Period: periodWords(l.Period), Over: overWords(l.Period),
		Aggregation: l.AggregationWords(), AsOf: c.stamp(s.AsOf),
		State: stateMark(s.State), Grouped: len(l.GroupBy.Labels) > 0, periodSummary: newPeriodSummary(s, c),
		Strip: newStrip(s, c.now), Days: newDays(s), Outages: newOutages(s, c), NoData: !s.Achieved.Known, NoSeries: s.NoSeries,
		Probed: sla.IsProbed(l.Indicator), Members: len(s.Members) > 0, Tree: newTree(s.Members, c), Composites: newCompositeLinks(l),
		ComponentsDown: newDownComponents(s.Members, c), Causes: newCauses(l, s.Members, c), Recovery: newRecovery(s, c),
	}
	if s.State != sla.StateUp {
		v.Since = c.stamp(s.Since)
	}
	if l.Objective.Cmp(l.Target) != 0 {
		v.Objective = l.Objective.String() + thin + "%"
	}
	v.addPeriodsAndGroups(s, c)
	v.addAlerts(s, c)
	v.Urgency = v.State.Class
	if s.State != sla.StateDown && (v.WorstAlert != nil || v.attention) {
		v.Urgency = string(sla.ClassWarn)
	}
	v.Failures, v.FailureCount = failures(s.Failures, c), len(s.Failures)
	if i := slices.IndexFunc(v.Failures, func(f failureView) bool { return !f.Inconclusive }); i >= 0 {
		v.LastFailure = &v.Failures[i]
	}
	for _, q := range s.Queries {
		v.Queries = append(v.Queries, queryView{q.Title, q.Expr, "/api/v1/query?query=" + url.QueryEscape(q.Expr)})
	}
	return v
}

// addPeriodsAndGroups adds the level's other periods and its groups.
func (v *levelView) addPeriodsAndGroups(s LevelStatus, c clock) {
	v.attention = v.needsAttention()
	for _, g := range s.Groups {
		group := newGroup(g, c)
		v.Groups, v.NoData = append(v.Groups, group), v.NoData && !g.Achieved.Known
		v.attention = v.attention || group.needsAttention()
	}
	for i := range s.More {
		more := moreView{periodWords(s.Level.MorePeriods[i]), newPeriodSummary(s.overPeriod(i), c)}
		v.More, v.attention = append(v.More, more), v.attention || more.needsAttention()
	}
}

// addAlerts adds burn rates and alerts.
func (v *levelView) addAlerts(s LevelStatus, c clock) {
	for _, w := range []time.Duration{time.Hour, 6 * time.Hour} {
		if share, ok := s.BadShare[w]; ok && s.Level.TargetBudget().Sign() > 0 {
			v.Burns = append(v.Burns, burnView{sla.FormatDuration(w), times(share / s.Level.TargetBudget().Float64())})
		}
	}
	for _, a := range s.Alerts {
		v.Alerts = append(v.Alerts, newAlert(a, s, c))
	}
	v.WorstAlert = mostUrgent(v.Alerts)
}
