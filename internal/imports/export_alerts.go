package imports

import (
	"bytes"
	"slices"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/sla"
)

// policies exports each tier of a level as an alert policy, with a condition and
// notification targets. Levels share equal ones.
func (e *export) policies(x *exported, l *sla.ServiceLevel) []*yaml.Node {
	var all []*yaml.Node
	for i, tier := range l.Alerting.Tiers {
		condition := object("AlertCondition", tier.Name)
		condition.spec.set("severity", tier.Severity)
		burn := newTree().set("kind", "burnrate").set("op", "gt").set("threshold", number(tier.Factor.String())).set("lookbackWindow", shorthand(tier.Long))
		if tier.For >= time.Minute {
			burn.set("alertAfter", shorthand(tier.For.Truncate(time.Minute)))
		}
		condition.spec.set("condition", burn.node)
		policy := object("AlertPolicy", tier.Name)
		policy.spec.set("alertWhenBreaching", true)
		policy.spec.set("alertWhenNoData", i == 0 && l.Alerting.Notices[sla.AlertMeasurementLost] != nil)
		policy.spec.set("conditions", list(newTree().set("conditionRef", e.shared(x, condition)).flow().node))
		policy.spec.set("notificationTargets", list(e.targets(x, l, tier)...))
		all = append(all, newTree().set("alertPolicyRef", e.shared(x, policy)).flow().node)
	}
	return all
}

// targets are the notification targets of a tier: contacts, or the receiver of its
// severity.
func (e *export) targets(x *exported, l *sla.ServiceLevel, tier sla.Tier) []*yaml.Node {
	var names []string
	for _, step := range l.Escalation {
		if slices.Contains(step.Tiers, tier.Name) || slices.Contains(step.Severities, tier.Severity) {
			for _, contact := range step.Notify {
				if !slices.Contains(names, contact) {
					names = append(names, contact)
				}
			}
		}
	}
	var all []*yaml.Node
	for _, name := range names {
		target := object("AlertNotificationTarget", name)
		target.spec.set("target", "alertmanager")
		for _, c := range x.Agreement.Contacts {
			if c.Name == name && c.Description != "" && len(c.Description) <= maxDescription {
				target.spec.set("description", c.Description)
			}
		}
		all = append(all, newTree().set("targetRef", e.shared(x, target)).flow().node)
	}
	if len(all) == 0 {
		target := object("AlertNotificationTarget", "receiver-of-"+tier.Urgency.String()+"s")
		target.spec.set("target", "alertmanager").set("description", "The receiver of alerts with the label severity: "+tier.Severity)
		all = append(all, newTree().set("targetRef", e.shared(x, target)).flow().node)
	}
	return all
}

// shared returns the name of an object with the same content, and adds one if there is
// none.
func (e *export) shared(x *exported, o *tree) string {
	kind, name := textOf(o.node, "kind"), textOf(o.meta.node, "name")
	var text bytes.Buffer
	if yaml.NewEncoder(&text).Encode(o.node) != nil {
		panic("a tree that was made cannot be printed")
	}
	content := kind + " " + text.String()
	if known, ok := e.alerts[content]; ok {
		return known
	}
	unique := e.unique(kind, name)
	entry(o.meta.node, "name").Value = unique
	e.alerts[content] = unique
	x.others, e.others = append(x.others, o.node), append(e.others, o.node)
	return unique
}
