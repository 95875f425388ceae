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

// severity is a value of the label severity, with the urgency that it stands for.
type severity struct {
	name    string
	urgency sla.Urgency
}

// severitiesOf are the severities of the agreements' alerts, pages first; the
// usual two if there are no alerts. One that is used for both is a page.
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

// leastUrgent is the severity whose receiver gets alerts of a severity without a
// route: if possible what an agreement calls its tickets, and not the severity of a
// single alert.
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

// levelLabels identify a level. Notifications are grouped by them, so that an
// outage of a level with hundreds of groups is one notification.
var levelLabels = []string{metricnames.SLA, metricnames.Service, metricnames.SLO}

// agreementsRoute is the route of all alerts of agreements: first those of
// agreements that say who is notified, then the others by severity.
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

// gatherLost puts all levels of an agreement that are not measured into one
// notification, wherever the route sets no grouping of its own: one stopped
// exporter loses them all.
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

// ours match the alerts that were generated for agreements, and nobody else's:
// they have one of our names, and the name of their agreement. A label sla
// alone is common.
func ours(agreements []*sla.Agreement) []string {
	names := make([]string, 0, len(agreements))
	for _, a := range agreements {
		names = append(names, a.Name)
	}
	return []string{`alertname=~"` + strings.Join(rulegen.AlertNames(), "|") + `"`, oneOf(metricnames.SLA, names)}
}

// agreementRoute is the route of an agreement that says who is notified or how;
// false if it says neither. A level with an escalation of its own has a route
// below it.
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
	alone      []string // labels that identify every single alert of a level
}

// of are the routes of an escalation that holds for levels. There is one for
// each step, severity and contact, and all that match are followed; after them
// comes one for each severity, for the alerts that no step sends at once.
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

// route is the route of alerts of a severity that have been firing for a time;
// which is a further matcher, or "". Alerts of a later step do not wait to be
// grouped: by then all that belongs to them has come. Nor do they wait for the
// next notification of a group that another alert has opened, perhaps one that
// is held back and so never sent: each is a group by itself.
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

// laterWait is how long a later step waits: not at all, unless levels have
// groups, whose alerts come one after the other.
func (s stepRoutes) laterWait() string {
	if slices.ContainsFunc(s.agreement.Levels, func(l *sla.ServiceLevel) bool { return len(l.GroupBy.Labels) > 0 }) {
		return "10s"
	}
	return "0s"
}

// within lets a route send only in the hours of a calendar.
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

// concerned says which alerts of a severity a step is about: a further matcher
// if not all, and false if none.
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

// untold says which alerts of a severity no step sends to anyone at once.
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

// oneOf matches a label that has one of the values.
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
// is for another label.
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
