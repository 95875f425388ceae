package web

import (
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/internal/headline"
	"github.com/upheld-sla/upheld/sla"
)

// headlineView is the one sentence that says what is wrong, since when, why, and what it
// costs.
type headlineView struct {
	Class                 string
	Path                  string // of the level in question, "" if there is none
	Before, Subject, Rest string
	Down                  int // levels that are down
}

// newHeadline makes the sentence about all levels.
func newHeadline(statuses []LevelStatus, c clock) headlineView {
	levels := make([]headline.Level, 0, len(statuses))
	all := zones{}
	for _, s := range statuses {
		levels = append(levels, headlineOf(s, c.in(all.of(s.Agreement))))
	}
	s := headline.New(levels, c.now.In(c.zone))
	h := headlineView{Class: string(s.Class), Before: s.Before, Subject: s.Subject, Rest: s.Rest, Down: s.Down}
	if s.Of != (sla.ID{}) {
		h.Path = levelPath(s.Of)
	}
	return h
}

// ownHeadline makes the sentence about one level, nil while it needs no attention.
func ownHeadline(s LevelStatus, c clock) *headlineView {
	if !s.State.NeedsAttention() {
		return nil
	}
	h := newHeadline([]LevelStatus{s}, c)
	return &h
}

// headlineOf is the input of the sentence about a level.
func headlineOf(s LevelStatus, c clock) headline.Level {
	l := headline.Level{
		ID: s.Level.ID, Impact: s.Level.Impact, State: s.State, Since: s.Since, Zone: c.zone,
		Why: lastReason(s), Alerts: firing(s), Credit: creditOwed(s),
	}
	if !s.Level.Aggregation.ByTime() {
		l.BadShare = s.BadShare[sla.BaseWindow]
	}
	for _, m := range s.Members {
		if m.Since.IsZero() || m.Of == (sla.ID{}) || slices.ContainsFunc(l.Down, func(c headline.Component) bool { return c.Of == m.Of }) {
			continue
		}
		l.Down = append(l.Down, headline.Component{Name: m.Title, Of: m.Of, Why: whyOf(m.Failures, m.Since)})
	}
	worst := s
	for _, g := range s.Groups { // the worst first
		if g.State == s.State {
			l.Group, worst = g.Name, g.LevelStatus
			break
		}
	}
	if worst.BudgetRemaining.Known {
		l.Left = &worst.BudgetRemaining.Value
		l.Budget, _ = budgetState(worst)
		if worst.Level.Aggregation.ByTime() {
			l.Allowed = worst.Level.BudgetTime(worst.Level.TargetBudget(), worst.Level.Period, c.now)
		}
	}
	if worst.Achieved.Known {
		l.Target = targetState(worst)
	}
	for i := range s.More {
		more := s.overPeriod(i)
		if state, ok := budgetState(more); ok {
			l.Budget = max(l.Budget, state)
		}
		if more.Achieved.Known {
			l.Target = max(l.Target, targetState(more))
		}
	}
	return l
}

// creditOwed is the greatest credit owed, in per cent.
func creditOwed(s LevelStatus) float64 {
	owed := s.Contract.Credit.Value
	for _, m := range s.More {
		owed = max(owed, m.Contract.Credit.Value)
	}
	return owed
}

// lastReason is why the level is in its state: its last failure, or else the most
// frequent cause in the ongoing outage.
func lastReason(s LevelStatus) headline.Why {
	why := whyOf(s.Failures, s.Since)
	if why.Reason == "" && len(s.Outages) > 0 && s.Outages[0].End.IsZero() && len(s.Outages[0].Causes) > 0 {
		why.Reason = s.Outages[0].Causes[0].Reason
	}
	return why
}

// whyOf is the newest failure that counts, if it was in a state that began at since.
func whyOf(failures []Failure, since time.Time) headline.Why {
	i := slices.IndexFunc(failures, func(f Failure) bool { return !f.Inconclusive })
	if i < 0 || failures[i].At.Before(since.Add(-time.Minute)) {
		return headline.Why{}
	}
	return headline.Why{Reason: failures[i].Reason, Detail: failures[i].Detail}
}

func reasonName(reason string) string { return strings.ReplaceAll(reason, "_", " ") }
