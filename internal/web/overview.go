package web

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// overview is what the template of "/" shows.
type overview struct {
	page
	Headline   headlineView
	Summary    []mark
	Worst      []levelView // levels that need attention, the worst first
	Agreements []agreementView
	Levels     int // all levels, whatever the filter
	Found      int // levels that match the filter
	Filter     filterView
}

// agreementView is an agreement with its levels that need no attention.
type agreementView struct {
	Name, Description, Path string
	Above                   int // its levels among those that need attention
	Levels                  []levelView
}

func newOverview(p page, statuses []LevelStatus, f filter) overview {
	o := overview{page: p, Levels: len(statuses), Headline: newHeadline(statuses, p.clock), Summary: summaryOf(statuses), Filter: newFilterView(statuses, f)}
	type ranked struct {
		rank rank
		view levelView
	}
	var worst []ranked
	all := zones{}
	for _, s := range statuses {
		if !f.admits(s) {
			continue
		}
		o.Found++
		v := newLevel(s, p.clock.in(all.of(s.Agreement)))
		if n := len(v.Groups) - groupsInOverview; n > 0 {
			v.Groups, v.GroupsLeftOut = v.Groups[:groupsInOverview], n
		}
		a := o.agreement(s)
		if r := rankOf(s, v); r.needsAttention() {
			worst = append(worst, ranked{r, v})
			a.Above++
		} else {
			a.Levels = append(a.Levels, v)
		}
	}
	slices.SortStableFunc(worst, func(a, b ranked) int { return a.rank.compare(b.rank) })
	for _, r := range worst {
		o.Worst = append(o.Worst, r.view)
	}
	return o
}

// agreement is the agreement of a level; agreements stay in the order in which they
// first appear.
func (o *overview) agreement(s LevelStatus) *agreementView {
	name := s.Level.ID.SLA
	i := slices.IndexFunc(o.Agreements, func(a agreementView) bool { return a.Name == name })
	if i < 0 {
		a := agreementView{Name: name, Path: agreementPath(name)}
		if s.Agreement != nil {
			a.Description = s.Agreement.Description
		}
		i, o.Agreements = len(o.Agreements), append(o.Agreements, a)
	}
	return &o.Agreements[i]
}

// rank is how urgently a level needs attention, the lowest first.
type rank struct {
	class int
	left  float64 // of the budget
}

// Classes of ranks. From calm on, no attention is needed.
const (
	isDown = iota
	isPaging
	isDegraded
	isMissed
	isUnknown
	isAtRisk
	calm
)

func (r rank) needsAttention() bool { return r.class < calm }

func (r rank) compare(other rank) int {
	return cmp.Or(cmp.Compare(r.class, other.class), cmp.Compare(r.left, other.left))
}

func rankOf(s LevelStatus, v levelView) rank {
	r := rank{class: calm, left: 1}
	if s.BudgetRemaining.Known {
		r.left = s.BudgetRemaining.Value
	}
	switch {
	case s.State == sla.StateDown:
		r.class = isDown
	case firingPages(s) > 0:
		r.class = isPaging
	case s.State == sla.StateDegraded:
		r.class = isDegraded
	case v.missed():
		r.class = isMissed
	case s.State == sla.StateUnknown:
		r.class = isUnknown
	case v.attention || v.WorstAlert != nil:
		r.class = isAtRisk
	}
	return r
}

// missed reports whether the target of any period or group is missed.
func (v levelView) missed() bool {
	is := func(p periodSummary) bool { return p.Achieved != "" && p.target == sla.TargetMissed }
	return is(v.periodSummary) ||
		slices.ContainsFunc(v.More, func(m moreView) bool { return is(m.periodSummary) }) ||
		slices.ContainsFunc(v.Groups, func(g groupView) bool { return is(g.periodSummary) })
}

func firing(s LevelStatus) int {
	n := 0
	for _, a := range s.Alerts {
		if a.State == Firing {
			n++
		}
	}
	return n
}

func firingPages(s LevelStatus) int {
	n := 0
	for _, a := range s.Alerts {
		if a.State == Firing && isPage(s.Level, a) {
			n++
		}
	}
	return n
}

func isPage(l *sla.ServiceLevel, a Alert) bool {
	return sla.UrgencyOf([]*sla.ServiceLevel{l}, a.Severity) == sla.Page
}

// summaryOf counts levels by state, the worst first, then targets and alerts.
func summaryOf(statuses []LevelStatus) []mark {
	states, targets, alerts, pages := map[sla.State]int{}, map[sla.TargetState]int{}, 0, 0
	for _, s := range statuses {
		states[s.State]++
		alerts, pages = alerts+firing(s), pages+firingPages(s)
		if s.Achieved.Known {
			targets[targetState(s)]++
		}
	}
	var marks []mark
	for _, s := range slices.Backward(sla.States()) {
		if n := states[s]; n > 0 {
			marks = append(marks, mark{string(s.Class()), strconv.Itoa(n) + " " + lower(s.Words())})
		}
	}
	for _, t := range []sla.TargetState{sla.TargetMissed, sla.TargetAtRisk} {
		if n := targets[t]; n > 0 {
			marks = append(marks, mark{string(t.Class()), plural(n, "target", "targets") + " " + lower(trimTarget(t.Words()))})
		}
	}
	return append(marks, alertMark(alerts, pages))
}

// alertMark says how many alerts are firing.
func alertMark(n, pages int) mark {
	if n == 0 {
		return mark{string(sla.ClassGood), "no alert firing"}
	}
	m := mark{string(sla.ClassBad), plural(n, "alert", "alerts") + " firing"}
	if pages == n {
		m.Word = plural(n, "page", "pages") + " firing"
		return m
	}
	switch pages {
	case 0:
		m.Class = string(sla.ClassWarn)
	case 1:
		m.Word += ", 1 of them a page"
	default:
		m.Word += ", " + strconv.Itoa(pages) + " of them pages"
	}
	return m
}

// zoneOf is the time zone of an agreement, UTC if there is none.
func zoneOf(a *sla.Agreement) *time.Location {
	if a == nil {
		return time.UTC
	}
	return a.Location()
}

// zones caches the time zones of agreements, since looking one up reads a file.
type zones map[*sla.Agreement]*time.Location

func (z zones) of(a *sla.Agreement) *time.Location {
	zone := z[a]
	if zone == nil {
		zone = zoneOf(a)
		z[a] = zone
	}
	return zone
}

// commonZone is the time zone of all levels if they share one, else UTC.
func commonZone(statuses []LevelStatus) *time.Location {
	all, zone := zones{}, time.UTC
	for i, s := range statuses {
		if z := all.of(s.Agreement); i == 0 {
			zone = z
		} else if z.String() != zone.String() {
			return time.UTC
		}
	}
	return zone
}
