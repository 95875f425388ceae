package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// explainGroups says by which labels a level is grouped, and which groups are promised
// another target.
func explainGroups(l *sla.ServiceLevel, now time.Time, line func(name, format string, args ...any)) {
	g := l.GroupBy
	if len(g.Labels) == 0 {
		return
	}
	line("Groups", "all of this for each %s, at most %d of them", strings.Join(g.Labels, " and "), g.Limit)
	for _, t := range g.Targets {
		objective, required := "", ""
		if t.Objective.Cmp(t.Target) != 0 {
			objective = fmt.Sprintf(" (objective %s %%)", t.Objective)
		}
		if t.Required {
			required = "; must always have data"
		}
		line("", "%s: %s %%%s, %s%s", t.Words(), t.Target, objective, budgetWords(l, t.TargetBudget(), now), required)
	}
}

// explainNotifications says how many notifications an outage of all groups causes.
func explainNotifications(b *strings.Builder, l *sla.ServiceLevel, n sla.Notifications) {
	if len(l.GroupBy.Labels) == 0 || len(l.Severities()) == 0 {
		return
	}
	if apart := n.PerGroup(l); len(apart) > 0 {
		fmt.Fprintf(b, "  An outage of all groups is up to %d notifications of each severity: notifications.groupBy has %s.\n",
			n.MostNotifications(l), strings.Join(apart, " and "))
		return
	}
	b.WriteString("  An outage of all groups is 1 notification of each severity, which lists the worst groups.\n")
}

// groupCost adds up the series that groups may multiply.
type groupCost struct {
	all, grouped, levels int // most series recorded: all, and those of levels with groups; and how many such levels
}

func (c *groupCost) add(l rulegen.LevelPlan) {
	series := l.MostSeries()
	c.all += series
	if len(l.Level.GroupBy.Labels) > 0 {
		c.grouped += series
		c.levels++
	}
}

// String says what groups cost, if they multiply series.
func (c groupCost) String() string {
	if c.levels == 0 {
		return ""
	}
	return fmt.Sprintf("up to %d series are recorded, %d of them by %s with groups at their limit\n", c.all, c.grouped, plural(c.levels, "level"))
}
