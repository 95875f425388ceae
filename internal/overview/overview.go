// Package overview puts what a server has recorded of service levels into an overview
// for people who live in a terminal: a sentence that says what is wrong, since when and
// what that costs, and a line for each level, the worst first. It queries no server,
// and the caller says how wide the terminal is and whether it has colours.
package overview

import (
	"cmp"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/internal/inspect"
	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/sla"
)

// Overview is the state of all levels at one moment.
type Overview struct {
	At       time.Time `json:"time"`
	Server   string    `json:"server"`
	Sentence string    `json:"sentence"`
	Levels   []Level   `json:"levels"`            // the worst first
	Missing  []string  `json:"missing,omitempty"` // requested levels that the server does not have
}

// Level is the state of one level; if it has groups, of the worst group.
type Level struct {
	Agreement string `json:"agreement"`
	Service   string `json:"service"`
	Name      string `json:"level"`
	Group     string `json:"group,omitempty"`
	Groups    int    `json:"groups,omitempty"` // how many groups it has

	State       string     `json:"state"`
	Since       *time.Time `json:"since,omitempty"`
	SinceBefore bool       `json:"sinceBefore,omitempty"` // the state began before Since
	Indicator   string     `json:"indicator"`
	Impact      string     `json:"impact,omitempty"`     // what an outage means to people, while it is down
	Reason      string     `json:"reason,omitempty"`     // why most of its probes failed in the last five minutes
	HTTPStatus  int        `json:"httpStatus,omitempty"` // the response of its targets, if the reason is their status
	Target      string     `json:"target"`               // in per cent

	BudgetState string      `json:"budgetState,omitempty"`
	TargetState string      `json:"targetState,omitempty"`
	Periods     []Period    `json:"periods"`
	BurnRate    *float64    `json:"burnRate1h,omitempty"`
	Alerts      []Alert     `json:"alerts,omitempty"`
	Down        []Component `json:"componentsDown,omitempty"`
	Blame       []Blame     `json:"blame,omitempty"`

	state    sla.State
	budget   sla.BudgetState
	target   sla.TargetState
	prefix   bool    // its agreement is shown, since there are several
	badShare float64 // of the last five minutes, of levels of events
}

// Period has the figures of a level in one of its periods.
type Period struct {
	Period   string   `json:"period"`
	Achieved *float64 `json:"achieved,omitempty"`          // of 1
	Left     *float64 `json:"budgetLeft,omitempty"`        // of 1, negative if overspent
	LeftTime *float64 `json:"budgetLeftSeconds,omitempty"` // of levels by time
	Budget   *float64 `json:"budgetSeconds,omitempty"`     // of levels by time
	Credit   *float64 `json:"creditPercentOwed,omitempty"` // if all the rest of the period is good
}

// Alert is an alert that is firing.
type Alert struct {
	Name     string     `json:"name"`
	Severity string     `json:"severity"`
	Since    *time.Time `json:"since,omitempty"`
}

// Component is a component of a composite that is down.
type Component struct {
	Component string    `json:"component"`
	Since     time.Time `json:"since"`
}

// Blame is how much of the first period's budget a component has spent.
type Blame struct {
	Component string  `json:"component"`
	Spent     float64 `json:"budgetSpent"` // of 1
}

// New makes the overview from what a server has. missing are requested levels that it
// does not have.
func New(server string, at time.Time, levels []inspect.LevelNow, missing []sla.ID) *Overview {
	o := &Overview{At: at, Server: server, Levels: []Level{}}
	groups, agreements := map[sla.ID]int{}, map[string]bool{}
	worst := map[sla.ID]Level{}
	for _, now := range levels {
		l := newLevel(now)
		if before, known := worst[now.ID]; !known || worse(l, before) < 0 {
			worst[now.ID] = l
		}
		if now.Group != "" {
			groups[now.ID]++
		}
		agreements[now.ID.SLA] = true
	}
	for id, l := range worst {
		l.Groups, l.prefix = groups[id], len(agreements) > 1
		o.Levels = append(o.Levels, l)
	}
	slices.SortFunc(o.Levels, worse)
	for _, id := range missing {
		o.Missing = append(o.Missing, id.String())
	}
	o.Sentence = o.sentence()
	return o
}

func newLevel(now inspect.LevelNow) Level {
	l := Level{
		Agreement: now.ID.SLA, Service: now.ID.Service, Name: now.ID.SLO, Group: now.Group,
		Indicator: now.Indicator, Impact: now.Impact, Target: now.Target, BurnRate: now.BurnRate, SinceBefore: now.SinceBefore, Since: known(now.Since),
		state: sla.StateUnknown, Periods: []Period{},
	}
	if now.State != nil {
		l.state = *now.State
	}
	if now.BadShare != nil && !now.ByTime {
		l.badShare = *now.BadShare
	}
	if i := slices.IndexFunc(now.Reasons, metricnames.Blames); i >= 0 && l.state >= sla.StateDegraded {
		l.Reason = now.Reasons[i]
		if l.Reason == metricnames.ReasonStatus {
			l.HTTPStatus = now.HTTPStatus
		}
	}
	l.State = l.state.String()
	for _, p := range now.Periods {
		l.Periods = append(l.Periods, newPeriod(p))
	}
	for _, a := range now.Alerts {
		l.Alerts = append(l.Alerts, Alert{a.Name, a.Severity, known(a.Since)})
	}
	for _, c := range now.Down {
		l.Down = append(l.Down, Component(c))
	}
	for _, b := range now.Blame {
		l.Blame = append(l.Blame, Blame(b))
	}
	l.judge(now)
	return l
}

func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	utc := t.UTC()
	return &utc
}

func newPeriod(now inspect.PeriodNow) Period {
	p := Period{Period: now.Period, Achieved: now.Achieved, Left: now.Left, Credit: now.Credit}
	if now.Budget > 0 {
		seconds := now.Budget.Seconds()
		p.Budget = &seconds
		if now.Left != nil {
			left := seconds * *now.Left
			p.LeftTime = &left
		}
	}
	return p
}

// judge finds the states of budget and target, each the worst of all periods.
func (l *Level) judge(now inspect.LevelNow) {
	forecast := slices.ContainsFunc(now.Alerts, func(a inspect.AlertNow) bool { return a.Name == sla.AlertBudgetForecast.Name })
	target, err := sla.ParseDecimal(now.Target)
	for _, p := range now.Periods {
		if p.Left == nil {
			continue
		}
		if state, ok := sla.BudgetStateOf(*p.Left, now.TierBurns); ok && (l.BudgetState == "" || state > l.budget) {
			l.budget, l.BudgetState = state, state.String()
		}
		if p.Achieved == nil || err != nil {
			continue
		}
		if state, ok := sla.TargetStateOf(*p.Achieved, target.Float64()/100, *p.Left, forecast); ok && (l.TargetState == "" || state > l.target) {
			l.target, l.TargetState = state, state.String()
		}
	}
}

// ID names the level, with its agreement if there are several.
func (l Level) ID() string {
	id := l.Service + "/" + l.Name
	if l.prefix {
		id = l.Agreement + ":" + id
	}
	return id
}

// pages counts the alerts with the severity of a page.
func (l Level) pages() int {
	n := 0
	for _, a := range l.Alerts {
		if a.Severity == "page" {
			n++
		}
	}
	return n
}

// least is the smallest share left of any of the level's budgets, 1 if none is known.
func (l Level) least() float64 {
	least := 1.0
	for _, p := range l.Periods {
		if p.Left != nil {
			least = min(least, *p.Left)
		}
	}
	return least
}

// worse orders levels, the worst first. A composite comes before the components that
// make it bad.
func worse(a, b Level) int {
	attention := func(l Level) int {
		if l.state.NeedsAttention() {
			return int(l.state)
		}
		return 0
	}
	return cmp.Or(
		cmp.Compare(attention(b), attention(a)),
		cmp.Compare(min(len(b.Down), 1), min(len(a.Down), 1)),
		cmp.Compare(b.budget, a.budget),
		cmp.Compare(b.target, a.target),
		cmp.Compare(b.pages(), a.pages()),
		cmp.Compare(len(b.Alerts), len(a.Alerts)),
		cmp.Compare(b.state, a.state),
		cmp.Compare(a.least(), b.least()),
		cmp.Compare(a.Agreement, b.Agreement), cmp.Compare(a.Service, b.Service), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Group, b.Group),
	)
}

// Any returns whether a level is in one of these states.
func (o *Overview) Any(of func(state sla.State, budget sla.BudgetState, target sla.TargetState) bool) bool {
	return slices.ContainsFunc(o.Levels, func(l Level) bool { return of(l.state, l.budget, l.target) })
}
