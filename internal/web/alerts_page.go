package web

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// alertsPage is what the template of "/alerts" shows.
type alertsPage struct {
	page
	Rows     []alertRow // that fire or are pending, the most urgent first
	Mark     mark
	Inactive int
}

// alertRow is an alert with its level.
type alertRow struct {
	alertView
	Level, Path string
	State       mark // of the level
	Alert       mark
	Page        bool
	Budget      string
	Words       string // the subject of the alert

	since time.Time
}

func (h *pages) alerts(w http.ResponseWriter, r *http.Request) {
	levels, err := h.statuses(r.Context())
	if err != nil {
		h.unavailable(w, r, err)
		return
	}
	p := h.pageIn("Alerts", commonZone(levels))
	p.Place = "alerts"
	h.render(w, http.StatusOK, "alerts", newAlertsPage(p, levels))
}

func newAlertsPage(p page, levels []LevelStatus) alertsPage {
	v := alertsPage{page: p}
	fire, pages := 0, 0
	for _, s := range levels {
		if s.State == sla.StateDown {
			v.Down++
		}
		fire, pages = fire+firing(s), pages+firingPages(s)
		for _, a := range s.Alerts {
			if a.State == Inactive {
				v.Inactive++
				continue
			}
			row := alertRow{
				alertView: newAlert(a, s, p.clock), Level: s.Level.ID.Service + " / " + s.Level.ID.SLO, Path: levelPath(s.Level.ID),
				State: stateMark(s.State), Page: isPage(s.Level, a), Words: cmp.Or(a.Summary, alertWords(a.Name)), since: a.Since,
			}
			row.Alert = row.alertView.State
			if row.Words == "" {
				row.Words = "the budget burns too fast"
			}
			if s.BudgetRemaining.Known {
				row.Budget = budgetLeft(s.BudgetRemaining.Value)
			}
			v.Rows = append(v.Rows, row)
		}
	}
	v.Mark = alertMark(fire, pages)
	slices.SortStableFunc(v.Rows, func(a, b alertRow) int { return cmp.Or(cmp.Compare(a.order(), b.order()), a.since.Compare(b.since)) })
	return v
}

// order is 0 for the most urgent alerts.
func (a alertRow) order() int {
	switch {
	case a.Pending:
		return 2
	case a.Page:
		return 0
	}
	return 1
}

// RuleGroup is a group of rules as the rule engine evaluates it.
type RuleGroup struct {
	Name     string
	Interval time.Duration
	Last     time.Time // the last evaluation; zero without any
	Took     time.Duration
	Rules    []Rule
}

// Rule is a recording rule or an alert.
type Rule struct {
	Name, Expr string
	Alert      bool
	State      AlertState // of an alert
	Problem    string     // why its last evaluation failed, "" if it did not
}

// rulesPage is what the template of "/rules" shows.
type rulesPage struct {
	page
	Groups   []ruleGroupView
	Rules    int
	Problems int
	Text     string // the search text
	LeftOut  int    // found groups that are not shown
}

type ruleGroupView struct {
	Name, Interval string
	Last           stamp
	Took           string
	Count          string
	Mark           mark
	Rules          []ruleView
	Open           bool
}

type ruleView struct {
	Rule
	Mark mark
}

// ruleMark is the state of an alert or the health of a recording rule.
func ruleMark(r Rule) mark {
	switch {
	case r.Problem != "":
		return mark{string(sla.ClassBad), "Failed"}
	case r.State == Firing:
		return mark{string(sla.ClassBad), "Firing"}
	case r.State == Pending:
		return mark{string(sla.ClassWarn), "Pending"}
	case r.Alert:
		return mark{string(sla.ClassGood), "Inactive"}
	}
	return mark{string(sla.ClassGood), "Recorded"}
}

// mostGroups is how many groups of rules the page shows at once.
const mostGroups = 60

func (h *pages) rules(w http.ResponseWriter, r *http.Request) {
	groups, err := h.opts.Source.Rules(r.Context())
	if err != nil {
		h.unavailable(w, r, err)
		return
	}
	p := h.page("Rules")
	p.Place = "rules"
	h.render(w, http.StatusOK, "rules", newRulesPage(p, groups, newFilter(r.URL.Query())))
}

func newRulesPage(p page, groups []RuleGroup, f filter) rulesPage {
	v := rulesPage{page: p, Text: f.text}
	for _, g := range groups {
		view := ruleGroupView{Name: g.Name, Interval: span(g.Interval), Last: p.clock.stamp(g.Last), Took: probeTime(g.Took), Mark: mark{string(sla.ClassGood), "Fine"}}
		if g.Last.IsZero() {
			view.Mark = mark{string(sla.ClassNone), "Not evaluated yet"}
		}
		failed := 0
		for _, rule := range g.Rules {
			v.Rules++
			if rule.Problem != "" {
				failed++
			}
			if f.inText(g.Name + " " + rule.Name) {
				view.Rules = append(view.Rules, ruleView{rule, ruleMark(rule)})
			}
		}
		v.Problems += failed
		if len(view.Rules) == 0 {
			continue
		}
		view.Count = plural(len(view.Rules), "rule", "rules")
		if failed > 0 {
			view.Mark = mark{string(sla.ClassBad), strconv.Itoa(failed) + " failed"}
		}
		view.Open = failed > 0 || len(f.words) > 0
		if len(v.Groups) == mostGroups {
			v.LeftOut++
			continue
		}
		v.Groups = append(v.Groups, view)
	}
	return v
}
