package foreign

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// alerts converts the alert policies of an SLO: each condition becomes a tier, and
// those whom it notifies become contacts in steps of escalation.
func (r *opensloReader) alerts(s *opensloSLO, l *level) {
	if says(s.own, "alerting") {
		for _, at := range s.policies {
			r.touch(at)
		}
		return
	}
	terms := r.terms[s.agreement]
	if len(s.policies) == 0 {
		terms.defaults = true
		return
	}
	terms.own = true
	l.alerts.at = s.policies[0]
	p := &opensloPolicies{r: r, s: s, l: l}
	for _, at := range s.policies {
		if o := r.referred(at, "AlertPolicy", "alertPolicyRef"); o != nil {
			p.policy(o)
		}
	}
	p.missing()
	l.escalation = p.steps
	if len(l.alerts.tiers) == 0 && !p.noData {
		l.alerts.disabled = true
	}
}

// opensloPolicies are the alert policies of a level while they are converted.
type opensloPolicies struct {
	r        *opensloReader
	s        *opensloSLO
	l        *level
	steps    *yaml.Node
	noData   bool // somebody wants to know of lost data
	noDataAt place
	severity string // of the first such condition
}

func (p *opensloPolicies) policy(o *opensloObject) {
	spec := o.spec.object("the spec of an AlertPolicy", "description", "alertWhenNoData", "alertWhenBreaching", "alertWhenResolved", "conditions", "notificationTargets")
	if spec == nil {
		return
	}
	p.r.notCarriedAnnotations(o.meta)
	noData, resolved := spec.is("alertWhenNoData"), spec.is("alertWhenResolved")
	breaching, said := spec.get("alertWhenBreaching")
	wanted := !said && !noData && !resolved || said && breaching.flag("alertWhenBreaching")
	if at, ok := spec.get("alertWhenResolved"); ok {
		at.notCarried("alertWhenResolved is not carried: Alertmanager's receivers decide it", "write send_resolved in the receiver")
	}
	if noData && !p.noData {
		p.noData = true
		p.noDataAt, _ = spec.get("alertWhenNoData")
	}
	conditions := spec.list("conditions")
	if len(conditions) > 1 {
		conditions[1].error("too-many", "an alert policy has one condition, and here are "+strconv.Itoa(len(conditions)), "write an alert policy for each")
		return
	}
	var tier string
	for _, at := range conditions {
		if c := p.r.referred(at, "AlertCondition", "conditionRef"); c != nil {
			tier = p.condition(c, wanted, noData)
		}
	}
	p.targets(spec.list("notificationTargets"), tier)
}

// condition makes a tier of a condition, and returns its name; "" if there is none.
func (p *opensloPolicies) condition(o *opensloObject, wanted, noData bool) string {
	r := p.r
	spec := o.spec.object("the spec of an AlertCondition", "severity", "condition", "description")
	if spec == nil {
		return ""
	}
	severity, severityAt, ok := spec.mustText("severity")
	if !ok {
		return ""
	}
	if noData && p.severity == "" {
		p.severity = severity
	}
	r.notCarriedAnnotations(o.meta)
	at, ok := spec.must("condition")
	if !ok {
		return ""
	}
	c := at.object("condition", "kind", "op", "threshold", "lookbackWindow", "alertAfter")
	if c == nil || !burnRate(c) {
		return ""
	}
	factor, factorAt, ok1 := c.mustText("threshold")
	lookback, ok2 := c.must("lookbackWindow")
	if !ok1 || !ok2 {
		return ""
	}
	if _, ok := parseDecimal(factor); !ok {
		factorAt.error("bad-number", "threshold "+strconv.Quote(shortened(factor))+" is no number", "write how many times too fast the budget burns, like 14.4")
		return ""
	}
	long, ok := p.long(lookback)
	name := r.name(o.meta.at, o.meta.name)
	if !ok || name == "" {
		return ""
	}
	if !wanted {
		o.meta.at.notCarried("the condition "+strconv.Quote(shortened(o.meta.name))+" makes no alert: alertWhenBreaching is false", "write alertWhenBreaching: true")
		return ""
	}
	holdAt, held := c.get("alertAfter")
	hold, ok := opensloDuration{}, true
	if held {
		hold, ok = holdAt.shorthand("alertAfter")
	}
	if !ok || p.hasTier(name) { // the same condition may be in two policies
		return name
	}
	p.l.alerts.tier(name, at, setting{"severity", r.text(severityAt, severity)}, setting{"long", r.text(lookback, minutes(long))}, setting{"factor", r.quoted(factorAt, factor)})
	if held && hold.n > 0 {
		p.l.alerts.tier(name, at, setting{"for", r.text(holdAt, minutes(hold.length()))})
	}
	if own := r.pairs(r.labels(o.meta.labels)); own != nil {
		own.Style = yaml.FlowStyle
		p.l.alerts.tier(name, at, setting{"labels", own})
	}
	p.urgency(severity, severityAt)
	return name
}

func (p *opensloPolicies) hasTier(name string) bool {
	return slices.ContainsFunc(p.l.alerts.tiers, func(t tier) bool { return t.name == name })
}

// burnRate demands a condition that holds while the burn rate is high.
func burnRate(c *object) bool {
	if kind, at, ok := c.text("kind"); ok && kind != "burnrate" {
		at.error("bad-value", strconv.Quote(shortened(kind))+" is no kind of alert condition", "write kind: burnrate")
		return false
	}
	switch op, at, ok := c.text("op"); {
	case !ok, op == "gt", op == "gte":
		return true
	case op == "lt", op == "lte":
		at.notCarried("a condition that holds while the burn rate is low is not carried", "write op: gte")
	default:
		at.error("bad-value", strconv.Quote(shortened(op))+" is no comparison", "write gt or gte")
	}
	return false
}

// long is the long window of a tier.
func (p *opensloPolicies) long(at place) (time.Duration, bool) {
	d, ok := at.shorthand("lookbackWindow")
	if !ok {
		return 0, false
	}
	long := max(d.length(), 10*time.Minute)
	if long > 6*time.Hour {
		long = long.Round(5 * time.Minute)
	}
	if long != d.length() {
		at.warn("changed-meaning", "the lookbackWindow of "+at.node.Value+" becomes "+minutes(long)+": windows here have 10 minutes or more, and are multiples of 5 minutes above 6h", "write "+minutes(long))
	}
	return long, true
}

// pageWords are severities that wake somebody, as people call them.
var pageWords = []string{"page", "critical", "crit", "emergency", "sev0", "sev1", "sev-1", "p0", "p1", "high"}

// urgency notes the name of a page or a ticket.
func (p *opensloPolicies) urgency(severity string, at place) {
	if severity == "page" || severity == "ticket" {
		return
	}
	terms := p.r.terms[p.s.agreement]
	name, what := &terms.ticket, "ticket"
	if slices.Contains(pageWords, strings.ToLower(severity)) {
		name, what = &terms.page, "page"
	}
	switch {
	case *name == nil:
		*name = &pair{severity, at, severity}
	case (*name).text != severity && what == "page":
		at.warn("severity", strconv.Quote(shortened(severity))+" and "+strconv.Quote(shortened((*name).text))+" are both taken for pages, and only one name can be: "+shortened(severity)+" becomes the label of a ticket", "use one name for what wakes somebody")
	}
}

// missing sets the alert about a lost measurement.
func (p *opensloPolicies) missing() {
	m := p.r.mapping(p.l.alerts.at).flow()
	if p.noData {
		if p.severity == "" {
			return
		}
		m.set("severity", p.r.text(p.noDataAt, p.severity))
	} else {
		m.set("enabled", p.r.boolean(p.l.alerts.at, false))
	}
	p.l.alerts.settings = append(p.l.alerts.settings, setting{"measurementLost", m.node})
}

// targets makes contacts of those who are notified, and a step that notifies them of a
// tier.
func (p *opensloPolicies) targets(items []place, tier string) {
	r := p.r
	names := r.list(p.l.alerts.at)
	names.Style = yaml.FlowStyle
	for _, at := range items {
		var name *opensloMeta
		description := ""
		if ref := entryOf(at.node, "targetRef"); ref != nil && r.find("AlertNotificationTarget", ref.Value) == nil {
			refAt := place{at.doc, ref}
			text, ok := refAt.scalar("targetRef")
			if !ok {
				continue
			}
			refAt.warn("unknown-reference", "there is no AlertNotificationTarget "+strconv.Quote(shortened(text))+" in what is read; it becomes a contact without a description", "name the file that it is in as well")
			name = &opensloMeta{name: text, at: refAt}
		} else if o := r.referred(at, "AlertNotificationTarget", "targetRef"); o != nil {
			name, description = &o.meta, r.targetOf(o)
		}
		if name == nil {
			continue
		}
		if contact := r.name(name.at, name.name); contact != "" {
			p.s.agreement.contact(r.conversion, name.at, contact, description)
			names.Content = append(names.Content, r.text(name.at, contact))
		}
	}
	if tier == "" || len(names.Content) == 0 {
		return
	}
	if p.steps == nil {
		p.steps = r.list(p.l.alerts.at)
	}
	step := r.mapping(p.l.alerts.at).set("notify", names).set("tiers", r.words(p.l.alerts.at, []string{tier}))
	p.steps.Content = append(p.steps.Content, step.flow().node)
}

// targetOf says what a notification target is.
func (r *opensloReader) targetOf(o *opensloObject) string {
	spec := o.spec.object("the spec of an AlertNotificationTarget", "target", "description")
	if spec == nil {
		return ""
	}
	r.notCarriedAnnotations(o.meta)
	target, _, ok := spec.mustText("target")
	if !ok {
		return ""
	}
	if text, _, ok := spec.text("description"); ok {
		return target + ": " + strings.TrimSpace(text)
	}
	return target
}

// contact adds a contact of an agreement.
func (a *agreement) contact(c *conversion, at place, name, description string) {
	for _, known := range a.contacts {
		if known.key == name {
			return
		}
	}
	m := c.mapping(at)
	if description != "" {
		m.set("description", c.text(at, description))
	}
	a.contacts = append(a.contacts, setting{name, m.flow().node})
}

// shareTiers turns off the default tiers, which OpenSLO does not have, and notes which
// alerts exist here and not in OpenSLO.
func (r *opensloReader) shareTiers(a *agreement, t *opensloTerms) {
	if t.defaults {
		a.notes = append(a.notes, "An SLO without alert policies has the default alerts here: docs/alerts.md. alerting: {enabled: false} turns them off.")
	}
	if !t.own && !t.defaults {
		return
	}
	a.notes = append(a.notes, "OpenSLO has no alerts about a budget that is spent or soon will be; these do: docs/alerts.md.")
	if !t.own {
		return
	}
	a.page, a.ticket = t.page, t.ticket
	a.notes = append(a.notes, "A tier fires if its burn rate is exceeded over a short window as well, a twelfth of the long one, and after three bad events.")
	off := func(at place, into func(name string, s setting)) {
		for _, name := range slices.Concat(pageTiers, ticketTiers) {
			into(name, setting{"enabled", r.boolean(at, false)})
		}
	}
	shared := !t.defaults
	for _, l := range a.levels {
		for _, tier := range l.alerts.tiers {
			shared = shared && !slices.Contains(pageTiers, tier.name) && !slices.Contains(ticketTiers, tier.name)
		}
	}
	if shared {
		off(a.at, func(name string, s setting) { a.tiers = append(a.tiers, tier{name, a.at, []setting{s}}) })
		return
	}
	for _, l := range a.levels {
		if l.alerts.at.node == nil || l.alerts.disabled {
			continue
		}
		off(l.alerts.at, func(name string, s setting) {
			if !slices.ContainsFunc(l.alerts.tiers, func(t tier) bool { return t.name == name }) {
				l.alerts.tier(name, l.alerts.at, s)
			}
		})
	}
}
