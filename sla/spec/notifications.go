package spec

import (
	"fmt"
	"slices"
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

var notificationsSection = &section{
	name: "notifications",
	doc:  "How Alertmanager groups alerts, and how often it notifies.",
	fields: []field{
		{key: "groupBy", typ: namesType("list of labels", "[sla, service]"), def: "`[sla, service, slo]`", doc: "The labels that all alerts of one notification share. With the label of a [groupBy](#groupby), each group has its own notifications, so an outage can cause as many as there are groups."},
		{key: "severities", typ: valueType{name: "mapping of severities to mappings", sample: "{page: {repeatInterval: 1h}}", sections: []*section{pacingSection}, shape: byText}, doc: "How often notifications of a severity are sent."},
	},
}

var pacingSection = &section{
	name: "the pace of notifications",
	doc:  "Alertmanager's options of the same names. The defaults are those of `page`, and in brackets those of every other severity.",
	fields: []field{
		{key: "groupWait", typ: durationType, def: "30s (5m)", example: "1m", doc: "How long the first notification waits for alerts that belong to it."},
		{key: "groupInterval", typ: durationType, def: "5m (15m)", example: "10m", doc: "How long changes of the same group wait."},
		{key: "repeatInterval", typ: durationType, def: "4h (1d)", example: "2h", doc: "How long until the same notification is sent again. Not shorter than `groupInterval`."},
	},
}

// notifications are the notifications of the model with the places of their keys.
type notifications struct {
	sla.Notifications
	severities []value
	paces      []*object // the mapping of each severity

	labels []value // the items of groupBy
	names  sla.SeverityNames
}

func decodeNotifications(v value, names sla.SeverityNames) (notifications, bool) {
	o := v.object(notificationsSection)
	if o == nil {
		return notifications{}, false
	}
	n := notifications{names: names}
	labels, _, _ := read(o, "groupBy", value.uniqueTexts)
	for _, l := range labels {
		if !labelRegexp.MatchString(l.node.Value) {
			l.error("bad-label", quote(l.node.Value)+" is not the name of a label", "use letters, digits and _")
			continue
		}
		n.GroupBy, n.labels = append(n.GroupBy, l.node.Value), append(n.labels, l)
	}
	n.severities, _, _ = read(o, "severities", value.entries)
	for _, entry := range n.severities {
		if o := entry.object(pacingSection); o != nil {
			if n.Pacing == nil {
				n.Pacing = map[string]sla.Pace{}
			}
			severity, _, _ := names.Named(entry.name)
			n.Pacing[severity] = sla.Pace{
				GroupWait: optional(o, "groupWait", value.durationOrZero), GroupInterval: optional(o, "groupInterval", value.duration),
				RepeatInterval: optional(o, "repeatInterval", value.duration),
			}
			n.paces = append(n.paces, o)
		}
	}
	return n, true
}

// checkPacing reports a repeatInterval that is shorter than the groupInterval.
func checkPacing(o *object, p sla.Pacing) {
	if p.RepeatInterval >= p.GroupInterval {
		return
	}
	at, given := o.get("repeatInterval")
	if !given {
		at, _ = o.get("groupInterval")
	}
	at.error("bad-duration", fmt.Sprintf("repeatInterval, %s, is shorter than groupInterval, %s: nothing is sent sooner than that",
		sla.FormatDuration(p.RepeatInterval), sla.FormatDuration(p.GroupInterval)), "make it at least as long")
}

// manyNotifications is how many notifications of one outage are too many.
const manyNotifications = 20

// warnStorm warns of labels in groupBy that make many notifications of one outage.
func (n notifications) warnStorm(levels []*sla.ServiceLevel) {
	for _, at := range n.labels {
		i := slices.IndexFunc(levels, func(l *sla.ServiceLevel) bool {
			return slices.Contains(l.GroupBy.Labels, at.node.Value) && n.MostNotifications(l) > manyNotifications
		})
		if i >= 0 {
			l := levels[i]
			at.warn("notification-storm", fmt.Sprintf("an outage of the level %q can be up to %d notifications of each severity, one for each %s",
				l.ID.SLO, n.MostNotifications(l), strings.Join(n.PerGroup(l), " and ")),
				"leave "+at.node.Value+" out: one notification then gathers the groups and lists the worst; or lower groupBy.limit of the level")
		}
	}
}

// check reports severities that no alert has, storms of notifications, and paces that
// cannot work.
func (n notifications) check(levels []*sla.ServiceLevel) {
	known, _ := alertsOf(levels)
	for _, at := range n.severities {
		severity, _, _ := n.names.Named(at.name)
		if !slices.Contains(known, severity) {
			at.d.errorAt(at.key, "unknown-severity", "no alert of the agreement has the severity "+quote(at.name), alertRemedy(at.name, known))
		}
	}
	n.warnStorm(levels)
	for _, o := range n.paces {
		severity, _, _ := n.names.Named(o.name)
		checkPacing(o, n.PacingOf(severity, sla.UrgencyOf(levels, severity)))
	}
}
