package inspect

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/sla"
)

type levelKey struct {
	id    sla.ID
	group string
}

// figureKey is one figure of a level or group.
type figureKey struct {
	levelKey
	name, period string
}

// collector groups samples by level and group.
type collector struct {
	matcher string
	levels  map[levelKey]*LevelNow
	groupBy map[sla.ID][]string
	periods map[sla.ID][]string
	figures map[figureKey]float64
	blame   map[figureKey]float64 // by component, in place of the name
	active  map[string]time.Time  // since when alerts are, by their labels
	firing  []model.Metric
}

// newCollector collects samples of these agreements' levels, or of all levels if there
// are none.
func newCollector(agreements []string) *collector {
	c := &collector{
		levels: map[levelKey]*LevelNow{}, groupBy: map[sla.ID][]string{}, periods: map[sla.ID][]string{},
		figures: map[figureKey]float64{}, blame: map[figureKey]float64{}, active: map[string]time.Time{},
	}
	if len(agreements) == 0 {
		c.matcher = fmt.Sprintf("%s!=\"\"", metricnames.SLA)
		return c
	}
	var names []string
	for _, a := range agreements {
		names = append(names, regexp.QuoteMeta(a))
	}
	c.matcher = fmt.Sprintf("%s=~%q", metricnames.SLA, strings.Join(names, "|"))
	return c
}

func (c *collector) selector(names []string) string {
	return fmt.Sprintf("{__name__=~%q, %s}", strings.Join(names, "|"), c.matcher)
}

// describe reads the level's promises from the labels of its info series.
func (c *collector) describe(m model.Metric) {
	id := sla.ID{SLA: string(m[metricnames.SLA]), Service: string(m[metricnames.Service]), SLO: string(m[metricnames.SLO])}
	if names := string(m["group_by"]); names != "" {
		c.groupBy[id] = strings.Split(names, ",")
	}
	c.periods[id] = strings.Split(string(m[metricnames.Period]), ",")
	c.levels[levelKey{id, ""}] = &LevelNow{
		ID: id, Indicator: string(m["indicator"]), Impact: string(m["impact"]), ByTime: m["unit"] == "seconds", Target: string(m["target"]), Objective: string(m["objective"]),
	}
}

// of returns the level or group of a sample, nil if the level is not described.
func (c *collector) of(m model.Metric) (levelKey, *LevelNow) {
	id := sla.ID{SLA: string(m[metricnames.SLA]), Service: string(m[metricnames.Service]), SLO: string(m[metricnames.SLO])}
	whole := c.levels[levelKey{id, ""}]
	if whole == nil {
		return levelKey{}, nil
	}
	var words []string
	for _, label := range c.groupBy[id] {
		if v := string(m[model.LabelName(label)]); v != "" {
			words = append(words, label+"="+v)
		}
	}
	key := levelKey{id, strings.Join(words, ", ")}
	if c.levels[key] == nil {
		c.levels[key] = &LevelNow{ID: id, Group: key.group, Indicator: whole.Indicator, Impact: whole.Impact, ByTime: whole.ByTime, Target: whole.Target, Objective: whole.Objective}
	}
	return key, c.levels[key]
}

// add adds one sample. If a figure has several, for example from replicas, it keeps the
// worst.
func (c *collector) add(sample *model.Sample) {
	value, name := float64(sample.Value), string(sample.Metric[model.MetricNameLabel])
	key, level := c.of(sample.Metric)
	if level == nil || math.IsNaN(value) {
		return
	}
	switch name {
	case metricnames.LevelInfo:
	case metricnames.ServiceState:
		if state, ok := sla.StateOf(value); ok && (level.State == nil || state > *level.State) {
			level.State = &state
		}
	case metricnames.BurnTier:
		level.TierBurns = true
	case metricnames.DownSince:
		level.Down = append(level.Down, ComponentNow{string(sample.Metric[metricnames.Component]), time.Unix(int64(value), 0)})
	case metricnames.BlameBudget:
		if string(sample.Metric[metricnames.Period]) == c.periods[key.id][0] {
			c.blame[figureKey{key, string(sample.Metric[metricnames.Component]), ""}] += value
		}
	case alertsNow:
		if sample.Metric["alertstate"] == "firing" {
			c.firing = append(c.firing, sample.Metric)
		}
	case alertsActive:
		c.active[alertKey(sample.Metric)] = time.Unix(int64(value), 0)
	default:
		at := figureKey{key, name, string(sample.Metric[metricnames.Period])}
		if before, known := c.figures[at]; known && (before > value) != (name == metricnames.BudgetRemaining) {
			value = before
		}
		c.figures[at] = value
	}
}

// addReasons adds to each level why its probes failed.
func (c *collector) addReasons(failed model.Vector) {
	slices.SortStableFunc(failed, func(a, b *model.Sample) int {
		return cmp.Or(cmp.Compare(b.Value, a.Value), cmp.Compare(a.Metric[metricnames.Reason], b.Metric[metricnames.Reason]))
	})
	for _, sample := range failed {
		if _, level := c.of(sample.Metric); level != nil {
			level.Reasons = append(level.Reasons, string(sample.Metric[metricnames.Reason]))
		}
	}
}

// valueLabel is the label that addStatuses reads a status from.
const valueLabel = "value"

// addStatuses adds to each level the status that its targets answered, if it is only
// one.
func (c *collector) addStatuses(statuses model.Vector) {
	for _, sample := range statuses {
		_, level := c.of(sample.Metric)
		status, err := strconv.Atoi(string(sample.Metric[valueLabel]))
		switch {
		case level == nil || err != nil:
		case level.HTTPStatus == 0:
			level.HTTPStatus = status
		case level.HTTPStatus != status:
			level.HTTPStatus = severalStatuses
		}
	}
	for _, level := range c.levels {
		level.HTTPStatus = max(level.HTTPStatus, 0)
	}
}

// severalStatuses stands for different statuses.
const severalStatuses = -1

// alertKey identifies an alert in both ALERTS and ALERTS_FOR_STATE.
func alertKey(m model.Metric) string {
	own := m.Clone()
	delete(own, model.MetricNameLabel)
	delete(own, "alertstate")
	return own.String()
}

// figure is a figure of a level or group, nil if there is none.
func (c *collector) figure(key levelKey, name, period string) *float64 {
	if v, known := c.figures[figureKey{key, name, period}]; known {
		return &v
	}
	return nil
}

// finish returns all levels. A level with groups appears as its groups, and as a whole
// only without any.
func (c *collector) finish() []LevelNow {
	grouped := map[sla.ID]bool{}
	for key, l := range c.levels {
		c.complete(key, l)
		grouped[key.id] = grouped[key.id] || key.group != ""
	}
	for _, m := range c.firing {
		if key, l := c.of(m); l != nil {
			if key.group == "" && grouped[key.id] {
				l = c.anyGroup(key.id)
			}
			l.addAlert(AlertNow{string(m[model.AlertNameLabel]), string(m[metricnames.Severity]), c.active[alertKey(m)]})
		}
	}
	var all []LevelNow
	for key, l := range c.levels {
		if whole := c.levels[levelKey{key.id, ""}]; l.State == nil {
			l.State, l.Since, l.SinceBefore = whole.State, whole.Since, whole.SinceBefore
		}
		if key.group != "" || !grouped[key.id] {
			all = append(all, *l)
		}
	}
	slices.SortFunc(all, func(a, b LevelNow) int {
		return cmp.Or(cmp.Compare(a.ID.String(), b.ID.String()), cmp.Compare(a.Group, b.Group))
	})
	return all
}

// anyGroup returns the first group of a level, which shows the whole level's alerts.
func (c *collector) anyGroup(id sla.ID) *LevelNow {
	var names []string
	for key := range c.levels {
		if key.id == id && key.group != "" {
			names = append(names, key.group)
		}
	}
	return c.levels[levelKey{id, slices.Min(names)}]
}

// complete computes what needs several figures.
func (c *collector) complete(key levelKey, l *LevelNow) {
	objective, target := c.figure(key, metricnames.ObjectiveRatio, ""), c.figure(key, metricnames.TargetRatio, "")
	if bad := c.figure(key, burnHour, ""); bad != nil && objective != nil && *objective < 1 {
		burn := *bad / (1 - *objective)
		l.BurnRate = &burn
	}
	l.BadShare = c.figure(key, badShareNow, "")
	if target != nil && l.Group != "" {
		l.Target = fmt.Sprintf("%.10g", *target*100)
	}
	for _, period := range c.periods[key.id] {
		p := PeriodNow{Period: period, Left: c.figure(key, metricnames.BudgetRemaining, period), Credit: c.figure(key, metricnames.CreditPercent, period)}
		if bad := c.figure(key, metricnames.ErrorPeriod, period); bad != nil {
			achieved := 1 - *bad
			p.Achieved = &achieved
		}
		if l.ByTime && target != nil {
			p.Budget = time.Duration((1 - *target) * float64(c.lengthOf(key, period)))
		}
		l.Periods = append(l.Periods, p)
	}
	for _, at := range slices.SortedFunc(maps.Keys(c.blame), func(a, b figureKey) int { return cmp.Compare(a.name, b.name) }) {
		if at.levelKey == key {
			l.Blame = append(l.Blame, BlameNow{at.name, c.blame[at]})
		}
	}
	slices.SortStableFunc(l.Blame, func(a, b BlameNow) int { return cmp.Compare(b.Spent, a.Spent) })
	byName := func(a, b ComponentNow) int {
		return cmp.Or(cmp.Compare(a.Component, b.Component), a.Since.Compare(b.Since))
	}
	slices.SortFunc(l.Down, byName)
	l.Down = slices.CompactFunc(l.Down, func(a, b ComponentNow) bool { return a.Component == b.Component }) // duplicates from replicas
	slices.SortStableFunc(l.Down, func(a, b ComponentNow) int { return a.Since.Compare(b.Since) })
}

// lengthOf is the agreed time of a period: as recorded for levels with hours or
// exclusions, else all of it.
func (c *collector) lengthOf(key levelKey, period string) time.Duration {
	if agreed := c.figure(key, metricnames.AgreedPeriod, period); agreed != nil {
		return time.Duration(*agreed * float64(time.Second))
	}
	if d, err := model.ParseDuration(period); err == nil {
		return time.Duration(d)
	}
	return sla.Period{Calendar: sla.Unit(period)}.Nominal()
}

// addAlert adds an alert once: several tiers and escalation steps are one alert to a
// reader.
func (l *LevelNow) addAlert(a AlertNow) {
	for i, other := range l.Alerts {
		if other.Name == a.Name && other.Severity == a.Severity {
			if other.Since.IsZero() || !a.Since.IsZero() && a.Since.Before(other.Since) {
				l.Alerts[i].Since = a.Since
			}
			return
		}
	}
	l.Alerts = append(l.Alerts, a)
	slices.SortFunc(l.Alerts, func(a, b AlertNow) int {
		return cmp.Or(cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Name, b.Name))
	})
}
