package emit

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// severity is a value of that label, with what it stands for.
type severity struct {
	name    string
	urgency sla.Urgency
}

// severitiesOf are those of the agreements' alerts, pages first; the usual two
// where there are no alerts. One that is both is a page.
func severitiesOf(agreements []*sla.Agreement) []severity {
	var levels []*sla.ServiceLevel
	for _, a := range agreements {
		levels = append(levels, a.Levels...)
	}
	var all []severity
	for _, u := range []sla.Urgency{sla.Page, sla.Ticket} {
		for _, name := range sla.SeveritiesOf(levels, u) {
			if name != "" && !slices.ContainsFunc(all, func(s severity) bool { return s.name == name }) {
				all = append(all, severity{name, u})
			}
		}
	}
	if all == nil {
		return []severity{{sla.Page.String(), sla.Page}, {sla.Ticket.String(), sla.Ticket}}
	}
	return all
}

// leastUrgent is the severity whose receiver gets what has a severity without a
// route: what an agreement calls tickets, rather than the severity of a single alert.
func leastUrgent(agreements []*sla.Agreement, severities []severity) severity {
	for _, u := range []sla.Urgency{sla.Ticket, sla.Page} {
		of := func(s severity) bool { return s.urgency == u }
		called := func(s severity) bool {
			return of(s) && slices.ContainsFunc(agreements, func(a *sla.Agreement) bool { return a.Severities.Of(u) == s.name })
		}
		for _, wanted := range []func(severity) bool{called, of} {
			if i := slices.IndexFunc(severities, wanted); i >= 0 {
				return severities[i]
			}
		}
	}
	return severities[len(severities)-1]
}

// levelLabels tell levels apart. Notifications gather by them, so that an outage
// of a level with hundreds of groups is one.
var levelLabels = []string{metricnames.SLA, metricnames.Service, metricnames.SLO}

// agreementsRoute is the route of all alerts of agreements: first those of
// agreements that say who is told, then the others by severity.
func agreementsRoute(agreements []*sla.Agreement, severities []severity) alertmanagerRoute {
	r := alertmanagerRoute{
		Receiver: receiverPrefix + leastUrgent(agreements, severities).name,
		Matchers: ours(agreements),
		GroupBy:  levelLabels,
	}
	for _, a := range agreements {
		if own, ok := agreementRoute(a, severities); ok {
			r.Routes = append(r.Routes, own)
		}
	}
	for _, severity := range severities {
		r.Routes = append(r.Routes, paced(severity, sla.Notifications{}, alertmanagerRoute{
			Receiver: receiverPrefix + severity.name,
			Matchers: []string{equals(metricnames.Severity, severity.name)},
		}))
	}
	return r
}

// gatherLost puts into one notification all levels of an agreement that are not
// measured, wherever people are told at once and have not said how to gather: one
// stopped exporter loses them all.
func gatherLost(r alertmanagerRoute) alertmanagerRoute {
	if len(r.Routes) == 0 {
		r.Routes = []alertmanagerRoute{{
			Receiver: r.Receiver, Matchers: []string{equals("alertname", sla.AlertMeasurementLost.Name)},
			GroupBy: []string{metricnames.SLA}, Active: r.Active, Mute: r.Mute,
		}}
		return r
	}
	for i, below := range r.Routes {
		if len(below.GroupBy) == 0 {
			r.Routes[i] = gatherLost(below)
		}
	}
	return r
}

// ours match what was generated for agreements, and no alert of anybody else:
// it has one of our names, and says of which agreement it is. A label sla alone
// is common.
func ours(agreements []*sla.Agreement) []string {
	names := make([]string, 0, len(agreements))
	for _, a := range agreements {
		names = append(names, a.Name)
	}
	return []string{`alertname=~"` + strings.Join(rulegen.AlertNames(), "|") + `"`, oneOf(metricnames.SLA, names)}
}

// agreementRoute is the route of an agreement that says anything of who is told
// or how; a level with an escalation of its own has one below it.
func agreementRoute(a *sla.Agreement, severities []severity) (alertmanagerRoute, bool) {
	steps := stepRoutes{agreement: a, severities: severities, alone: slices.Concat(levelLabels, []string{"alertname", metricnames.Tier})}
	r := alertmanagerRoute{Matchers: []string{equals(metricnames.SLA, a.Name)}, GroupBy: a.Notifications.GroupBy}
	for _, l := range a.Levels {
		if reflect.DeepEqual(l.Escalation, a.Escalation) {
			continue
		}
		r.Routes = append(r.Routes, alertmanagerRoute{
			Matchers: []string{equals(metricnames.Service, l.ID.Service), equals(metricnames.SLO, l.ID.SLO)},
			Routes:   steps.of(l.Escalation, l),
		})
	}
	if len(r.Routes)+len(a.Escalation)+len(a.Notifications.GroupBy)+len(a.Notifications.Pacing) == 0 {
		return r, false
	}
	r.Routes = append(r.Routes, steps.of(a.Escalation, a.Levels...)...)
	return r, true
}

// stepRoutes makes the routes of escalations of an agreement.
type stepRoutes struct {
	agreement  *sla.Agreement
	severities []severity
	alone      []string // labels that tell every alert of a level from every other
}

// of are the routes of an escalation that holds for levels: one for each step,
// severity and contact, of which every one that matches is followed; and after
// them, of each severity, one for the alerts that no step tells at once.
func (s stepRoutes) of(escalation []sla.EscalationStep, levels ...*sla.ServiceLevel) []alertmanagerRoute {
	var routes []alertmanagerRoute
	for _, step := range escalation {
		for _, severity := range s.severities {
			which, ok := concerned(step, severity.name, levels)
			if !ok {
				continue
			}
			for _, contact := range step.Notify {
				routes = append(routes, s.within(step.Hours, s.route(step.After, severity, which, receiverOf(s.agreement, contact))))
			}
		}
	}
	for _, severity := range s.severities {
		if which, ok := untold(escalation, severity.name, levels); ok {
			r := s.route(0, severity, which, receiverPrefix+severity.name)
			r.Continue = false
			routes = append(routes, r)
		}
	}
	return routes
}

// route is that of alerts of a severity that have been firing for a time; which
// is a further matcher, or "". Who is told later does not wait for what belongs
// to it, which has come by then. Nor for the next word of a group that another
// alert has opened, perhaps one that is held back, so that nobody was told: each
// is a group by itself.
func (s stepRoutes) route(after time.Duration, of severity, which, receiver string) alertmanagerRoute {
	time := ""
	if after > 0 {
		time = sla.FormatDuration(after)
	}
	r := alertmanagerRoute{
		Receiver: receiver, Continue: true,
		Matchers: []string{equals(metricnames.Escalation, time), equals(metricnames.Severity, of.name)},
	}
	if which != "" {
		r.Matchers = append(r.Matchers, which)
	}
	r = paced(of, s.agreement.Notifications, r)
	if after > 0 {
		r.GroupWait, r.GroupBy = s.laterWait(), s.alone
	}
	return r
}

// laterWait is how long a later step waits: not at all, but where levels have
// groups for the alerts of the others, which come one after the other.
func (s stepRoutes) laterWait() string {
	if slices.ContainsFunc(s.agreement.Levels, func(l *sla.ServiceLevel) bool { return len(l.GroupBy.Labels) > 0 }) {
		return "10s"
	}
	return "0s"
}

// within lets a route wait outside of the hours of a calendar.
func (s stepRoutes) within(hours *sla.Calendar, r alertmanagerRoute) alertmanagerRoute {
	if hours == nil {
		return r
	}
	active, mute := intervalNames(s.agreement, hours)
	r.Active = []string{active}
	if len(timesOf(hours).mute) > 0 {
		r.Mute = []string{mute}
	}
	return r
}

func paced(s severity, n sla.Notifications, r alertmanagerRoute) alertmanagerRoute {
	p := n.PacingOf(s.name, s.urgency)
	r.GroupWait, r.GroupInterval, r.RepeatInterval = sla.FormatDuration(p.GroupWait), sla.FormatDuration(p.GroupInterval), sla.FormatDuration(p.RepeatInterval)
	return r
}

// concerned tells which alerts of a severity a step is about: a further matcher
// if not all of them, and false if none.
func concerned(step sla.EscalationStep, severity string, levels []*sla.ServiceLevel) (which string, ok bool) {
	if slices.Contains(step.Severities, severity) {
		return "", true
	}
	tiers := tiersOf(step, severity, levels)
	return matchTier(tiers, "=", "=~"), len(tiers) > 0
}

// tiersOf are the tiers that a step names and that have a severity.
func tiersOf(step sla.EscalationStep, severity string, levels []*sla.ServiceLevel) []string {
	var tiers []string
	for _, name := range step.Tiers {
		if slices.ContainsFunc(levels, func(l *sla.ServiceLevel) bool {
			return slices.ContainsFunc(l.Alerting.Tiers, func(t sla.Tier) bool { return t.Name == name && t.Severity == severity })
		}) {
			tiers = append(tiers, name)
		}
	}
	return tiers
}

// untold tells which alerts of a severity no step tells at once.
func untold(escalation []sla.EscalationStep, severity string, levels []*sla.ServiceLevel) (which string, ok bool) {
	var told []string
	for _, step := range escalation {
		if step.After > 0 {
			continue
		}
		if slices.Contains(step.Severities, severity) {
			return "", false
		}
		for _, tier := range tiersOf(step, severity, levels) {
			if !slices.Contains(told, tier) {
				told = append(told, tier)
			}
		}
	}
	return matchTier(told, "!=", "!~"), true
}

func matchTier(tiers []string, one, several string) string {
	switch len(tiers) {
	case 0:
		return ""
	case 1:
		return metricnames.Tier + one + `"` + tiers[0] + `"`
	}
	return metricnames.Tier + several + `"` + strings.Join(tiers, "|") + `"`
}

// matcherEscapes are the only escapes of Alertmanager's quoted values.
var matcherEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func equals(label, value string) string {
	return label + `="` + matcherEscapes.Replace(value) + `"`
}

// oneOf matches a label by its values.
func oneOf(label string, values []string) string {
	if len(values) == 1 {
		return equals(label, values[0])
	}
	quoted := make([]string, 0, len(values))
	for _, v := range values {
		quoted = append(quoted, regexp.QuoteMeta(v))
	}
	return label + `=~"` + matcherEscapes.Replace(strings.Join(quoted, "|")) + `"`
}

var (
	unescapeMatcher = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\n`, "\n")
	quotedMeta      = regexp.MustCompile(`\\(.)`)
)

// valuesOf are the values of a matcher that oneOf has made for a label; nil if it
// is of another label.
func valuesOf(label, matcher string) []string {
	value, ok := strings.CutSuffix(matcher, `"`)
	if !ok {
		return nil
	}
	if one, ok := strings.CutPrefix(value, label+`="`); ok {
		return []string{unescapeMatcher.Replace(one)}
	}
	several, ok := strings.CutPrefix(value, label+`=~"`)
	if !ok {
		return nil
	}
	values := strings.Split(unescapeMatcher.Replace(several), "|")
	for i, v := range values {
		values[i] = quotedMeta.ReplaceAllString(v, "$1")
	}
	return values
}
