package simulate

import (
	"fmt"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// usualStart is when scenarios begin that set no time: a Wednesday in the middle of a
// month, far from any change of clocks, by the wall clock of the agreement's zone.
var usualStart = time.Date(2026, 3, 18, 10, 0, 0, 0, time.UTC)

// LongestHistory bounds the history before a scenario.
const LongestHistory = 40 * 24 * time.Hour

// settled is how much longer the simulation goes on after an alert could resolve.
const settled = 15 * time.Minute

func (s *stage) findTimes() {
	s.at = s.scenario.At
	if s.chosen = s.at.IsZero(); s.chosen {
		s.at = s.firstAgreed(sla.Instant(usualStart, s.agreement.Zone))
	}
	s.end = s.at.Add(s.lookFor())
	warm := s.WarmUp
	if warm == 0 {
		warm = s.historyNeeded()
	}
	s.from = s.at.Add(-warm).Truncate(time.Minute)
}

// firstAgreed is the first half hour, after a time, with an agreed hour before it in
// all levels with figures; the time itself if there is none in two weeks.
func (s *stage) firstAgreed(from time.Time) time.Time {
	for at := from; at.Before(from.AddDate(0, 0, 14)); at = at.Add(30 * time.Minute) {
		if !slices.ContainsFunc(s.looked, func(l *sla.ServiceLevel) bool { return l.Agreed(at, at.Add(time.Hour)).Total() < time.Hour }) {
			return at.UTC()
		}
	}
	s.notes = append(s.notes, "No hour within two weeks is agreed time of all levels, so some alerts may be held back at the begin.")
	return from.UTC()
}

// lookFor is how long the simulation looks: until alerts have had time to resolve.
func (s *stage) lookFor() time.Duration {
	if s.scenario.LookFor > 0 {
		return s.scenario.LookFor
	}
	var last, resolve time.Duration
	for _, step := range s.scenario.Steps {
		last = max(last, step.To())
	}
	for _, l := range s.looked {
		for _, a := range l.BurnAlerts() {
			resolve = max(resolve, a.TimeToResolve())
		}
	}
	return last + max(resolve, time.Hour) + settled
}

// historyNeeded is the history that the levels' windows need. It covers their periods
// only if credits, alerts by traffic or a spent budget need these.
func (s *stage) historyNeeded() time.Duration {
	warm := time.Hour
	for _, l := range s.needed {
		for _, t := range l.Alerting.Tiers {
			warm = max(warm, t.Long, t.Short)
		}
		for _, a := range l.Alerts() {
			warm = max(warm, a.Over)
		}
		if l.Credits.Any() || l.Alerting.WeighByTraffic || s.scenario.Spent.Sign() > 0 {
			for _, p := range l.Periods() {
				warm = max(warm, s.soFar(p))
			}
		}
	}
	if warm += time.Hour; warm > LongestHistory {
		s.notes = append(s.notes, fmt.Sprintf("The history is %s long: longer periods begin with it, and so do their figures.", sla.FormatDuration(LongestHistory)))
		return LongestHistory
	}
	return warm
}

// soFar is how much of a period lies before the scenario.
func (s *stage) soFar(p sla.Period) time.Duration {
	if p.Calendar == "" {
		return p.Rolling
	}
	start, _ := p.Bounds(s.at)
	return s.at.Sub(start)
}

// spentIn is the period of a level in which earlier failures have spent its budget.
func (s *stage) spentIn(l *sla.ServiceLevel) sla.Span {
	p := l.Period
	from := s.at.Add(-p.Rolling)
	if p.Calendar != "" {
		from, _ = p.Bounds(s.at)
	}
	return sla.Span{From: from, To: from.Add(p.Nominal())}
}
