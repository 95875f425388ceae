package web

import (
	"strconv"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// recoveryView is what a level promises about recovery, and its current state.
type recoveryView struct {
	Outages bool   // the level limits outages
	Age     string // of the ongoing outage; "" without one
	Count   string // "2 outages"; "" while that is unknown
	Longest string
	Mean    string
	Limits  []limitView // of each outage, and of ages
	Others  []string    // other objectives, in words
	Methods []methodView
}

// limitView is one limit and the value compared with it.
type limitView struct {
	Words string // "each outage is restored within 1h"
	Now   string // "45 min of 1 h"
	State mark
}

// methodView is a recovery method with its exercises.
type methodView struct {
	Scenario, Method, RTO, RPO, Last, Due string
	State                                 mark
}

// newRecovery returns nil for a level without recovery.
func newRecovery(s LevelStatus, c clock) *recoveryView {
	r := s.Level.Recovery
	if r == nil {
		return nil
	}
	v := &recoveryView{Outages: len(r.FromOutages()) > 0}
	for _, g := range s.Groups { // the oldest outage counts
		if age := g.Recovery.Age; age.Known && (!s.Recovery.Age.Known || age.Value > s.Recovery.Age.Value) {
			s.Recovery.Age = age
		}
	}
	if s.Recovery.Age.Known {
		v.Age = inSeconds(s.Recovery.Age)
	}
	if n := s.Recovery.Outages; n.Known {
		v.Count = group(strconv.FormatFloat(n.Value, 'f', 0, 64))
	}
	v.Longest, v.Mean = inSeconds(s.Recovery.Longest), inSeconds(s.Recovery.Mean)
	for _, o := range r.EachOutage() {
		v.Limits = append(v.Limits, newLimit(s.Level, o, s.Recovery.Age, mark{"good", "No outage"}, sla.AlertRestoreTimeNear))
	}
	for i, o := range r.Ages() {
		age := Figure{}
		if i < len(s.Recovery.Ages) {
			age = s.Recovery.Ages[i]
		}
		v.Limits = append(v.Limits, newLimit(s.Level, o, age, mark{"none", "No result of its query"}, sla.AlertRecoveryAgeNear))
	}
	for _, o := range r.FromOutages() {
		if !o.LimitsEachOutage() {
			v.Others = append(v.Others, o.Words())
		}
	}
	if a := s.Agreement; a != nil {
		v.addMethods(r.Methods, a.Terms.EffectiveFrom, sla.DateOf(c.now.In(a.Location())))
	}
	return v
}

// newLimit compares an age with its limit; none is the state without an age.
func newLimit(l *sla.ServiceLevel, o sla.NamedObjective, age Figure, none mark, near *sla.AlertKind) limitView {
	v := limitView{Words: o.Words(), State: none}
	if !age.Known {
		return v
	}
	limit := o.Limit.Seconds()
	v.Now, v.State = inSeconds(age)+" of "+span(o.Limit), mark{"good", "Within the limit"}
	n := l.Notice(near)
	switch {
	case age.Value > limit:
		v.State = mark{"bad", "Over the limit"}
	case n != nil && age.Value >= limit*n.Share.Float64()/100:
		v.State = mark{"warn", "Near the limit"}
	}
	return v
}

// addMethods adds the recovery methods. effective is when the agreement takes effect;
// today is the day in its time zone.
func (v *recoveryView) addMethods(methods []sla.RecoveryMethod, effective, today sla.Date) {
	for _, m := range methods {
		x := methodView{Scenario: m.Scenario, Method: m.Method, Last: "never", Due: "not asked for", State: mark{"none", "No date"}}
		if m.RTO > 0 {
			x.RTO = span(m.RTO)
		}
		if m.HasRPO {
			x.RPO = span(m.RPO)
		}
		if !m.LastExercised.IsZero() {
			x.Last = m.LastExercised.String()
		}
		if by, due := m.ExerciseDue(effective); due {
			x.Due, x.State = "at once", mark{"bad", "Overdue"}
			if !by.IsZero() {
				x.Due = by.String()
				if by.DaysSince(today) >= 0 {
					x.State = mark{"good", "In time"}
				}
			}
		}
		v.Methods = append(v.Methods, x)
	}
}

func inSeconds(f Figure) string {
	if !f.Known {
		return ""
	}
	return span(time.Duration(f.Value * float64(time.Second)).Round(time.Second))
}
