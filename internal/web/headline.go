package web

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// headline is the one sentence that says what is wrong, since when, why, and what it
// costs.
type headline struct {
	Class string
	Path  string // of the level that it begins with, "" if it is about none
	Name  string // of that level
	Words string // what follows the name
	Down  int    // levels that are down
}

// newHeadline is about the worst level: of those that are equally bad a composite, since
// its components explain it, or else the one with the least budget.
func newHeadline(statuses []LevelStatus, c clock) headline {
	bad := slices.DeleteFunc(slices.Clone(statuses), func(s LevelStatus) bool {
		return s.State != sla.StateDown && s.State != sla.StateDegraded
	})
	if len(bad) == 0 {
		return calmHeadline(statuses)
	}
	slices.SortStableFunc(bad, func(a, b LevelStatus) int {
		return cmp.Or(cmp.Compare(b.State, a.State), cmp.Compare(len(b.Members), len(a.Members)), cmp.Compare(a.BudgetRemaining.Value, b.BudgetRemaining.Value))
	})
	s := bad[0]
	c = c.in(zoneOf(s.Agreement))
	h := headline{Class: string(s.State.Class()), Path: levelPath(s.Level.ID), Name: s.Level.ID.Service + " / " + s.Level.ID.SLO}
	for _, b := range bad {
		if b.State == sla.StateDown {
			h.Down++
		}
	}
	if s.Level.Description != "" {
		h.Words = " (“" + s.Level.Description + "”)"
	}
	h.Words += " is " + lower(s.State.Words())
	if !s.Since.IsZero() {
		h.Words += " since " + c.stamp(s.Since).Clock
	}
	h.Words += reasonWords(s, statuses) + costWords(s, c) + "." + othersWords(bad, s)
	return h
}

// calmHeadline is for a time when nothing is down or degraded.
func calmHeadline(statuses []LevelStatus) headline {
	unknown, missed := 0, 0
	for _, s := range statuses {
		if s.State == sla.StateUnknown {
			unknown++
		}
		if s.Achieved.Known && targetState(s) == sla.TargetMissed {
			missed++
		}
	}
	h := headline{Class: string(sla.ClassGood), Words: "Nothing is down."}
	switch {
	case len(statuses) == 0:
		return headline{}
	case unknown == len(statuses):
		return headline{Class: string(sla.ClassNone), Words: "Nothing is known yet: no level has a measurement."}
	case unknown > 0:
		h = headline{Class: string(sla.ClassNone), Words: "Nothing that is measured is down; of " + plural(unknown, "level", "levels") + " nothing is known."}
	}
	if missed > 0 {
		h.Class = string(sla.ClassWarn)
		h.Words += " " + plural(missed, "level has", "levels have") + " missed the target so far."
	}
	return h
}

// reasonWords says why: the components of a composite that are down, with their own
// reasons, or the level's last failure.
func reasonWords(s LevelStatus, all []LevelStatus) string {
	byReason, order := map[string][]string{}, []string{}
	add := func(name, reason string) {
		if _, found := byReason[reason]; !found {
			order = append(order, reason)
		}
		if !slices.Contains(byReason[reason], name) {
			byReason[reason] = append(byReason[reason], name)
		}
	}
	for _, m := range s.Members {
		if m.Since.IsZero() || m.Of == (sla.ID{}) {
			continue
		}
		reason := ""
		if i := slices.IndexFunc(all, func(o LevelStatus) bool { return o.Level.ID == m.Of }); i >= 0 {
			reason = lastReason(all[i])
		}
		add(m.Title, reason)
	}
	var parts []string
	for _, reason := range order {
		words := and(byReason[reason], 3)
		if reason != "" {
			words += ": " + reason
		}
		parts = append(parts, words)
	}
	if len(parts) > 0 {
		return ": " + strings.Join(parts, "; ")
	}
	if reason := lastReason(s); reason != "" {
		return ": " + reason
	}
	return ""
}

// longestDetail bounds what a target answered where it is part of a sentence.
const longestDetail = 80

// lastReason is the last failure that counts, if it belongs to the state that the level
// is in.
func lastReason(s LevelStatus) string {
	i := slices.IndexFunc(s.Failures, func(f Failure) bool { return !f.Inconclusive })
	if i < 0 || s.Failures[i].At.Before(s.Since.Add(-time.Minute)) {
		if len(s.Outages) > 0 && s.Outages[0].End.IsZero() && len(s.Outages[0].Causes) > 0 {
			return reasonName(s.Outages[0].Causes[0].Reason)
		}
		return ""
	}
	f := s.Failures[i]
	if f.Detail == "" {
		return reasonName(f.Reason)
	}
	if detail := []rune(f.Detail); len(detail) > longestDetail {
		return string(detail[:longestDetail]) + "…"
	}
	return f.Detail
}

func reasonName(reason string) string { return strings.ReplaceAll(reason, "_", " ") }

// costWords says what is spent of the budget: "; 6 s of 7 min are spent".
func costWords(s LevelStatus, c clock) string {
	if !s.BudgetRemaining.Known {
		return ""
	}
	spent := 1 - s.BudgetRemaining.Value
	if !s.Level.Aggregation.ByTime() {
		return "; " + percent(max(0, spent)) + " of the budget is spent"
	}
	allowed := s.Level.BudgetTime(s.Level.TargetBudget(), s.Level.Period, c.now)
	return "; " + span(time.Duration(spent*float64(allowed))) + " of " + span(allowed) + " are spent"
}

// othersWords names what else is bad. Components of the level are already named.
func othersWords(bad []LevelStatus, but LevelStatus) string {
	var down, degraded []string
	for _, s := range bad {
		id := s.Level.ID
		if id == but.Level.ID || slices.ContainsFunc(but.Members, func(m Member) bool { return m.Of == id && !m.Since.IsZero() }) {
			continue
		}
		if name := id.Service + " / " + id.SLO; s.State == sla.StateDown {
			down = append(down, name)
		} else {
			degraded = append(degraded, name)
		}
	}
	var words strings.Builder
	for _, of := range []struct {
		names []string
		state sla.State
	}{{down, sla.StateDown}, {degraded, sla.StateDegraded}} {
		if len(of.names) > 0 {
			words.WriteString(" Also " + lower(of.state.Words()) + ": " + and(of.names, 3) + ".")
		}
	}
	return words.String()
}
