package dashboards

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// A board of one level shows the level that its variables choose. Grafana cannot leave
// out panels by a variable, so all levels of an agreement share the panels. The queries
// contain what differs between them: tiers, limits, and where a probe's series are.

// chosen selects the series of the chosen level, and keeps its groups apart.
type chosen struct {
	selector
	of *sla.Agreement
}

func chosenLevel(a *sla.Agreement) chosen {
	s := choose(eq(metricnames.SLA, a.Name), is(metricnames.Service, varService), is(metricnames.SLO, varSLO))
	s.groups = groupLabels(a)
	for _, label := range s.groups {
		s = s.with(among(label, groupVariable(label)))
	}
	return chosen{s, a}
}

// is matches the one chosen value of a template variable.
func is(label, variable string) string { return label + `="$` + variable + `"` }

// whole is the level without separate groups: the worst group counts.
func (c chosen) whole() chosen {
	c.groups = nil
	return c
}

// period is the level in the chosen period.
func (c chosen) period() chosen {
	c.selector = c.with(is(metricnames.Period, varPeriod))
	return c
}

// worstBurn is the burn rate of a window, of the worst group.
func (c chosen) worstBurn(window time.Duration) string {
	return c.selector.worstBurn(window, groupLabels(c.of))
}

// legend adds the group names to a line's legend, if the level has groups.
func (c chosen) legend(name string) string {
	for _, label := range c.groups {
		name += " {{" + label + "}}"
	}
	return strings.TrimSpace(name)
}

// perLevel is a number of the chosen level, if it has one. Levels with the same number
// share a term. If all levels have one, the most frequent number is used wherever no
// other term matches.
func (c chosen) perLevel(number func(*sla.ServiceLevel) (text string, ok bool)) string {
	var numbers []string
	levels, all := map[string][]*sla.ServiceLevel{}, true
	for _, l := range c.of.Levels {
		text, ok := number(l)
		if all = all && ok; !ok {
			continue
		}
		if levels[text] == nil {
			numbers = append(numbers, text)
		}
		levels[text] = append(levels[text], l)
	}
	slices.SortStableFunc(numbers, func(a, b string) int { return len(levels[a]) - len(levels[b]) })
	var terms []string
	for i, text := range numbers {
		which := byService(levels[text])
		if all && i == len(numbers)-1 {
			which = [][]string{nil}
		}
		for _, matchers := range which {
			terms = append(terms, fmt.Sprintf("%s * %s ^ 0", text, c.with(matchers...).objective()))
		}
	}
	return strings.Join(terms, " or ")
}

// byService returns the matchers that choose levels, one set for each service.
func byService(levels []*sla.ServiceLevel) [][]string {
	var services []string
	slos := map[string][]string{}
	for _, l := range levels {
		if slos[l.ID.Service] == nil {
			services = append(services, l.ID.Service)
		}
		slos[l.ID.Service] = append(slos[l.ID.Service], l.ID.SLO)
	}
	var all [][]string
	for _, s := range services {
		all = append(all, []string{eq(metricnames.Service, s), oneOf(metricnames.SLO, slos[s])})
	}
	return all
}

// any returns whether any level of the agreement is like that. Boards omit panels that
// none of their levels needs.
func (c chosen) any(like func(*sla.ServiceLevel) bool) bool {
	return slices.ContainsFunc(c.of.Levels, like)
}

// periods are the periods of all levels, each name once.
func periods(a *sla.Agreement) []sla.Period {
	var all []sla.Period
	for _, l := range a.Levels {
		for _, p := range l.Periods() {
			if !slices.ContainsFunc(all, func(o sla.Period) bool { return o.String() == p.String() }) {
				all = append(all, p)
			}
		}
	}
	return all
}

// span is how many seconds the chosen period has: only agreed time, if the level has
// service hours or exclusions.
func (c chosen) span() string {
	period := c.period()
	var terms []string
	if c.any((*sla.ServiceLevel).Masked) {
		terms = append(terms, period.level("max", metricnames.AgreedPeriod))
	}
	for _, p := range periods(c.of) {
		one := period.with(eq(metricnames.Period, p.String())).budget() + " ^ 0"
		if p.Calendar == "" {
			terms = append(terms, fmt.Sprintf("%s * %s", sla.Seconds(p.Rolling), one))
		} else {
			terms = append(terms, fmt.Sprintf("(%s) * on () group_left () (%s - %s)", one, c.calendar(metricnames.CalendarEnd), c.calendar(metricnames.CalendarStart)))
		}
	}
	return strings.Join(terms, " or ")
}

// calendar is a time of the running calendar period; none if the period is rolling. If
// periods of one name have several calendars, such as those of two zones, each gets a
// term that only has values while one of its levels is chosen.
func (c chosen) calendar(metric string) string {
	of := func(more ...string) string {
		all := choose(eq(metricnames.SLA, c.of.Name), metricnames.Calendar+`=~"$`+varPeriod+`.*"`)
		return fmt.Sprintf("max(%s)", all.with(more...).series(metric))
	}
	calendars := c.calendars()
	if !ambiguous(calendars) {
		return of()
	}
	var terms []string
	for _, one := range calendars {
		for _, which := range byService(one.levels) {
			terms = append(terms, fmt.Sprintf("%s and on () %s", of(eq(metricnames.Calendar, one.name)), c.with(which...).objective()))
		}
	}
	return "(" + strings.Join(terms, " or ") + ")"
}

// calendar is a calendar that periods follow, with the levels that have such a period.
type calendar struct {
	name, period string // "month Europe/Berlin", "month"
	levels       []*sla.ServiceLevel
}

func (c chosen) calendars() []calendar {
	var all []calendar
	for _, l := range c.of.Levels {
		for _, p := range l.Periods() {
			if p.Calendar == "" {
				continue
			}
			name := rulegen.CalendarName(p)
			i := slices.IndexFunc(all, func(one calendar) bool { return one.name == name })
			if i < 0 {
				i, all = len(all), append(all, calendar{name: name, period: p.String()})
			}
			all[i].levels = append(all[i].levels, l)
		}
	}
	return all
}

// ambiguous returns whether a period has several calendars.
func ambiguous(all []calendar) bool {
	seen := map[string]bool{}
	for _, one := range all {
		if seen[one.period] {
			return true
		}
		seen[one.period] = true
	}
	return false
}

// allowed is how many seconds of the chosen period may be bad, for levels by time.
func (c chosen) allowed() string {
	return fmt.Sprintf("(1 - %s) * on (%s) (%s)", c.target(), c.by(), c.span())
}

// lasts is how long the rest of the budget lasts at the rate of a window.
func (c chosen) lasts(window time.Duration) string {
	return fmt.Sprintf("clamp_min(%s, 0) * on (%s) (%s) / on (%s) (%s > 0)", c.period().budget(), c.by(), c.allowed(), c.by(), c.errorRatio(window))
}

// ofUnit limits an expression to levels whose sums have the unit.
func (c chosen) ofUnit(expr, unit string) string {
	return fmt.Sprintf("%s and on (%s) %s", expr, byLevel, c.selectorWithoutGroups().with(eq("unit", unit)).series(metricnames.LevelInfo))
}

// selectorWithoutGroups selects series that have no group labels.
func (c chosen) selectorWithoutGroups() selector {
	return choose(c.matchers[:3]...)
}
