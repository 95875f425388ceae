package spec

import (
	"fmt"

	"github.com/upheld-sla/upheld/sla"
)

// severityNames are the names of severities and where they were written.
type severityNames struct {
	sla.SeverityNames
	at value
}

// readSeverities reads the names of severities. It returns nil if the key was left out,
// and after an error.
func readSeverities(o *object) *severityNames {
	v, given := o.get("severities")
	if !given {
		return nil
	}
	of := v.object(severitiesSection)
	if of == nil {
		return nil
	}
	n := &severityNames{at: v}
	var page, ticket value
	n.Page, page, _ = read(of, "page", value.text)
	n.Ticket, ticket, _ = read(of, "ticket", value.text)
	for u, at := range map[sla.Urgency]value{sla.Page: page, sla.Ticket: ticket} {
		if at.node != nil && !checkTemplate(at, at.node.Value) {
			return nil
		}
		other := sla.Page + sla.Ticket - u
		if at.node != nil && (n.Of(u) == n.Of(other) || n.Of(u) == other.String()) {
			at.error("bad-severity", fmt.Sprintf("%s would be the severity of a %s, and means a %s", at.quoted(), u, other), "choose another name for one of them")
			return nil
		}
	}
	return n
}

// severitiesOf returns the names of severities in an agreement's alerting.
func severitiesOf(p *alertingPatch) sla.SeverityNames {
	if p == nil || p.names == nil {
		return sla.SeverityNames{}
	}
	return p.names.SeverityNames
}

// refuseSeverities reports names of severities in a level, since only the agreement may
// have them.
func (p *alertingPatch) refuseSeverities() {
	if p != nil && p.names != nil {
		at := p.names.at
		at.d.errorAt(at.key, "misplaced-key", "severities are named for the whole agreement", "move it to spec.alerting; to give one alert of this level another severity, write tiers: {page-fast: {severity: …}}")
	}
}

// nameSeverity sets the tier's urgency from its severity, and the severity to the
// agreement's name. A default tier with another severity keeps its urgency.
func (t *tierDraft) nameSeverity(names sla.SeverityNames) {
	severity, urgency, known := names.Named(t.Severity)
	if t.Severity = severity; known {
		t.Urgency = urgency
		return
	}
	if !t.standard {
		t.place("severity").warn("unknown-severity", fmt.Sprintf("the tier %q has the severity %q, of which nobody knows whether it is a page or a ticket; it is taken for a ticket", t.Name, severity),
			"write severity: page, or severity: ticket; what these are called says spec.alerting: severities: {page: "+severity+"}")
	}
}

// nameSeverities does the same for the level's alerts that are not tiers.
func nameSeverities(l *sla.ServiceLevel) {
	for _, n := range l.Alerts() {
		severity, urgency, known := l.Alerting.Names.Named(n.Severity)
		if n.Severity = severity; known {
			n.Urgency = urgency
		} else {
			n.Urgency = sla.UrgencyOf(withTiersOnly(l), severity)
		}
	}
}

// withTiersOnly is a level with the same tiers and no other alerts.
func withTiersOnly(l *sla.ServiceLevel) []*sla.ServiceLevel {
	return []*sla.ServiceLevel{{Alerting: sla.Alerting{Tiers: l.Alerting.Tiers}}}
}
