// Package headline says in one sentence what is wrong: with what, since when, why, and
// what it costs. Pages and terminal both show it. It only knows the model; callers pass
// all figures.
package headline

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// Level is the input of the sentence about a level.
type Level struct {
	ID     sla.ID
	Group  string // the worst of its groups, "" without groups
	Impact string // what an outage means: "Nobody can pay"

	State  sla.State
	Since  time.Time // when the state began; zero if that is not known
	Before bool      // the state began before Since
	Zone   *time.Location

	Why      Why
	Down     []Component // components of a composite that are down
	BadShare float64     // of the last five minutes, 0 if unknown; for levels of events

	Left    *float64      // the share of the budget that is left, nil if unknown
	Allowed time.Duration // the whole budget, for levels by time
	Credit  float64       // the credit owed, in per cent
	Budget  sla.BudgetState
	Target  sla.TargetState
	Alerts  int // how many are firing
}

// Component is a component that is down.
type Component struct {
	Name string // "psp-a/availability"
	Of   sla.ID // its level, zero if unknown
	Why  Why
}

// Sentence is the most important thing to know. If it is about one level, Subject names
// that level, so that pages can link it.
type Sentence struct {
	Class                 sla.Class
	Of                    sla.ID // the level, zero if it is about none
	Before, Subject, Rest string
	Down                  int // how many levels are down
}

// String is the whole sentence.
func (s Sentence) String() string { return s.Before + s.Subject + s.Rest }

// mostNamed is how many things a sentence names before it counts the rest.
const mostNamed = 3

// New makes the sentence about all levels at a time. Without levels it is empty.
func New(levels []Level, at time.Time) Sentence {
	if len(levels) == 0 {
		return Sentence{}
	}
	n := namer(levels)
	bad := slices.DeleteFunc(slices.Clone(levels), func(l Level) bool { return !l.State.NeedsAttention() })
	unknown := countOf(levels, sla.StateUnknown)
	switch {
	case len(bad) == 0:
		return calm(levels, n)
	case unknown == len(levels) && unknown > 1:
		return Sentence{Class: sla.ClassNone, Rest: "Nothing is known: no level is measured."}
	}
	slices.SortStableFunc(bad, func(a, b Level) int {
		return cmp.Or(cmp.Compare(b.State, a.State), cmp.Compare(min(len(b.Down), 1), min(len(a.Down), 1)), cmp.Compare(a.left(), b.left()))
	})
	s := about(bad[0], at, n)
	s.Down = countOf(levels, sla.StateDown)
	s.Rest += others(bad, n)
	return s
}

func countOf(levels []Level, state sla.State) int {
	n := 0
	for _, l := range levels {
		if l.State == state {
			n++
		}
	}
	return n
}

// left is the share of the budget that is left, all of it if unknown.
func (l Level) left() float64 {
	if l.Left == nil {
		return 1
	}
	return *l.Left
}

// names decides how to name levels: with their agreement if there are several.
type names struct{ severalAgreements bool }

func namer(levels []Level) names {
	return names{slices.ContainsFunc(levels, func(l Level) bool { return l.ID.SLA != levels[0].ID.SLA })}
}

func (n names) of(l Level) string {
	name := l.ID.Service + "/" + l.ID.SLO
	if n.severalAgreements {
		name = l.ID.SLA + ":" + name
	}
	if l.Group != "" {
		name += " of " + l.Group
	}
	return name
}

// about makes the sentence about one level that needs attention.
func about(l Level, at time.Time, n names) Sentence {
	s := Sentence{Class: l.State.Class(), Of: l.ID, Subject: n.of(l), Rest: " is " + lower(l.State)}
	switch {
	case l.State == sla.StateUnknown:
		s.Before, s.Rest = "Nobody knows how ", " is"
	case l.State == sla.StateDown && l.Impact != "":
		s.Subject, s.Rest = strings.TrimRight(l.Impact, ". "), ""
		if l.Group != "" {
			s.Subject += " (" + l.Group + ")"
		}
	}
	if !l.Since.IsZero() {
		s.Rest += " since "
		if l.Before {
			s.Rest += "before "
		}
		s.Rest += Clock(l.Since, at, l.Zone)
	}
	if cause := l.cause(); cause != "" {
		s.Rest += ": " + cause
	}
	if cost := l.cost(); cost != "" {
		s.Rest += "; " + cost
	}
	s.Rest += "."
	return s
}

func lower(s sla.State) string {
	if s == sla.StateMaintenance {
		return "in maintenance"
	}
	return strings.ToLower(s.Words())
}

// others names what else is bad, except components of the first level, which are
// already named.
func others(bad []Level, n names) string {
	var words strings.Builder
	for _, state := range []sla.State{sla.StateDown, sla.StateDegraded, sla.StateUnknown} {
		var of []string
		for _, l := range bad[1:] {
			if l.State == state && !slices.ContainsFunc(bad[0].Down, func(c Component) bool { return c.Of == l.ID }) {
				of = append(of, n.of(l))
			}
		}
		if len(of) > 0 {
			fmt.Fprintf(&words, " Also %s: %s.", lower(state), listed(of))
		}
	}
	return words.String()
}

// calm makes the sentence while no state needs attention, though budgets and alerts
// may.
func calm(levels []Level, n names) Sentence {
	var spent, atRisk, alerting []string
	for _, l := range levels {
		switch {
		case l.Budget == sla.BudgetSpent || l.Target == sla.TargetMissed:
			spent = append(spent, n.of(l))
		case l.Target == sla.TargetAtRisk:
			atRisk = append(atRisk, n.of(l))
		case l.Alerts > 0:
			alerting = append(alerting, n.of(l))
		}
	}
	var words []string
	for _, of := range []struct {
		text   string
		levels []string
	}{{"the budget of %s is spent", spent}, {"the target of %s is at risk", atRisk}, {"an alert fires for %s", alerting}} {
		if len(of.levels) > 0 {
			words = append(words, fmt.Sprintf(of.text, listed(of.levels)))
		}
	}
	if len(words) > 0 {
		return Sentence{Class: sla.ClassWarn, Rest: "Nothing is down, but " + strings.Join(words, "; ") + "."}
	}
	return allWell(levels, n)
}

// allWell counts the states, and names the least budget.
func allWell(levels []Level, n names) Sentence {
	all, up := len(levels), countOf(levels, sla.StateUp)
	text := fmt.Sprintf("All %d levels are up", all)
	switch {
	case all == 1:
		text = n.of(levels[0]) + " is " + lower(levels[0].State)
	case up < all:
		var parts []string
		for _, s := range sla.States() {
			if count := countOf(levels, s); count > 0 {
				parts = append(parts, fmt.Sprintf("%d %s", count, lower(s)))
			}
		}
		text = fmt.Sprintf("Nothing is wrong: of %d levels %s", all, listed(parts))
	}
	least := slices.MinFunc(levels, func(a, b Level) int { return cmp.Compare(a.left(), b.left()) })
	switch {
	case least.left() == 1:
	case all == 1:
		text += fmt.Sprintf("; %s of its budget is left", percentDown(least.left()))
	default:
		text += fmt.Sprintf("; the least budget left is %s, of %s", percentDown(least.left()), n.of(least))
	}
	return Sentence{Class: sla.ClassGood, Rest: text + "."}
}

// listed names the first of several things.
func listed(things []string) string {
	if more := len(things) - mostNamed; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(things[:mostNamed], ", "), more)
	}
	if n := len(things); n > 1 {
		return strings.Join(things[:n-1], ", ") + " and " + things[n-1]
	}
	return strings.Join(things, "")
}
