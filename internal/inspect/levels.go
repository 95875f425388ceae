package inspect

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/common/model"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/sla"
)

// LevelNow is the current state of one level, or of one of its groups, on a server.
// Missing values are nil, zero or empty.
type LevelNow struct {
	ID                sla.ID
	Group             string // label=value of the group, "" for a level without groups
	Indicator         string
	Impact            string   // what an outage means to people, while it is down
	Reasons           []string // of failed probes of the last five minutes, the most frequent first
	HTTPStatus        int      // the response of targets whose probes failed for their status; 0 if unknown or different
	BadShare          *float64 // of the last five minutes
	ByTime            bool     // its budget counts time, not events
	Target, Objective string   // in per cent
	State             *sla.State
	Since             time.Time // when the state began
	SinceBefore       bool      // it began earlier than Since
	Periods           []PeriodNow
	BurnRate          *float64 // of the last hour, by the objective
	TierBurns         bool
	Alerts            []AlertNow
	Down              []ComponentNow // components that are down
	Blame             []BlameNow     // components that have spent of the budget
}

// PeriodNow has the figures of one period.
type PeriodNow struct {
	Period   string
	Achieved *float64      // the good share so far
	Left     *float64      // of the whole period's budget: negative if overspent
	Budget   time.Duration // the whole budget, of levels by time
	Credit   *float64      // what is owed if all the rest is good, in per cent
}

// AlertNow is an alert that is firing.
type AlertNow struct {
	Name, Severity string
	Since          time.Time // when its condition began to hold; zero if that is not recorded
}

// ComponentNow is a component of a composite that is down.
type ComponentNow struct {
	Component string
	Since     time.Time
}

// BlameNow is how much of the budget of the composite's first period a component has
// spent.
type BlameNow struct {
	Component string
	Spent     float64 // of 1
}

// Levels reads what the server has about the levels of these agreements, or of all if
// none are named: a handful of queries, however many levels there are. at is the
// server's time, zero if it has no level.
func (s *Server) Levels(agreements []string) (levels []LevelNow, at time.Time) {
	c := newCollector(agreements)
	now := s.ask(c.selector(nowNames))
	for _, sample := range now {
		at = sample.Timestamp.Time()
		if sample.Metric[model.MetricNameLabel] == metricnames.LevelInfo {
			c.describe(sample.Metric)
		}
	}
	if len(c.levels) == 0 {
		return nil, at
	}
	late := s.ask(fmt.Sprintf("last_over_time(%s[%s])", c.selector(lateNames), sla.FormatDuration(recently)))
	for _, sample := range slices.Concat(now, late, s.ask(c.selector(alertNames))) {
		c.add(sample)
	}
	c.addReasons(s.ask(fmt.Sprintf("sum by (%s, %s, %s, %s) (increase(%s{%s}[%s])) > 0",
		metricnames.SLA, metricnames.Service, metricnames.SLO, metricnames.Reason, metricnames.ProbeFailures, c.matcher, sla.FormatDuration(sla.BaseWindow))))
	c.addStatuses(s.ask(fmt.Sprintf("count_values by (%s, %s, %s) (%q, %s{%s} and ignoring(%s) (increase(%s{%s, %s=%q}[%s]) > 0))",
		metricnames.SLA, metricnames.Service, metricnames.SLO, valueLabel, metricnames.ProbeRefusedStatus, c.matcher,
		metricnames.Reason, metricnames.ProbeFailures, c.matcher, metricnames.Reason, metricnames.ReasonStatus, sla.FormatDuration(sla.BaseWindow))))
	c.findBegins(s, at)
	return c.finish(), at
}

// Again returns the server without its earlier answers, for the same queries again.
func (s *Server) Again() *Server {
	again := *s
	again.answers, again.err = map[string]model.Vector{}, nil
	return &again
}

// alerting are Prometheus' own series about alerts: which there are, and since when.
const (
	alertsNow    = "ALERTS"
	alertsActive = "ALERTS_FOR_STATE"
)

// nowNames are the series that are recorded every minute or more often, lateNames the
// less frequent ones.
var (
	nowNames = []string{
		metricnames.LevelInfo, metricnames.ServiceState, badShareNow, burnHour, metricnames.ObjectiveRatio, metricnames.TargetRatio, metricnames.BurnTier, metricnames.DownSince,
	}
	lateNames = []string{
		metricnames.ErrorPeriod, metricnames.BudgetRemaining, metricnames.CreditPercent, metricnames.BlameBudget, metricnames.AgreedPeriod,
	}
	alertNames = []string{alertsNow, alertsActive}
)

const (
	burnHour    = metricnames.ErrorRatio + "1h"
	badShareNow = metricnames.ErrorRatio + "5m"
)

// looks says how far back, and how finely, we search for the beginning of a state, the
// finest first.
var looks = []struct{ back, step time.Duration }{{10 * time.Minute, 10 * time.Second}, {24 * time.Hour, time.Minute}}

// surelyFirst is how long after the start of a search the first sample must be, to be
// sure that there was none before. Pages use the same time.
const surelyFirst = time.Hour

// findBegins finds out when the states began. For each state it queries the last moment
// at which the level was in another one.
func (c *collector) findBegins(s *Server, now time.Time) {
	codes := map[sla.State]bool{}
	for _, l := range c.levels {
		if l.State != nil {
			codes[*l.State] = true
		}
	}
	state := c.selector([]string{metricnames.ServiceState})
	for _, look := range looks {
		over := fmt.Sprintf("[%s:%s])", sla.FormatDuration(look.back), sla.FormatDuration(look.step))
		for _, code := range slices.Sorted(maps.Keys(codes)) {
			other := c.times(s.ask(fmt.Sprintf("max_over_time(timestamp(%s != %d)%s", state, code.Code(), over)))
			for key, l := range c.levels {
				if last, known := other[key]; known && l.State != nil && *l.State == code && l.Since.IsZero() {
					l.Since = last.Add(look.step)
					if l.Since.After(now) {
						l.Since = now
					}
				}
			}
		}
	}
	last := looks[len(looks)-1]
	first := c.times(s.ask(fmt.Sprintf("min_over_time(timestamp(%s)[%s:%s])", state, sla.FormatDuration(last.back), sla.FormatDuration(last.step))))
	for key, l := range c.levels {
		if begin, known := first[key]; known && l.State != nil && l.Since.IsZero() {
			l.Since, l.SinceBefore = begin, begin.Sub(now.Add(-last.back)) < surelyFirst
		}
	}
}

// times returns the samples whose values are times, by level; of several the latest.
func (c *collector) times(all model.Vector) map[levelKey]time.Time {
	times := map[levelKey]time.Time{}
	for _, sample := range all {
		key, level := c.of(sample.Metric)
		at := time.UnixMilli(int64(1000 * float64(sample.Value)))
		if level != nil && at.After(times[key]) {
			times[key] = at
		}
	}
	return times
}
