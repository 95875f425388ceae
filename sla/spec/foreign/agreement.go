package foreign

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// agreement is one converted agreement, before it is written as a document of our own.
type agreement struct {
	at          place
	key         string // how documents of the format refer to it, if not by its name
	name        string
	description *yaml.Node
	labels      []pair
	levels      []*level
	notes       []string // what to know about all of it
	contacts    []setting
	period      *yaml.Node // of all levels
	page        *pair      // the name of a page's severity, if the format names them once
	ticket      *pair      // the same of a ticket's
	tiers       []tier     // of all levels
	// Keys in our own format, which override the converted ones.
	ownMetadata, ownSpec *yaml.Node
}

// level is one service level of it.
type level struct {
	at            place
	name, service *yaml.Node
	description   *yaml.Node
	indicator     *yaml.Node
	target        *yaml.Node
	aggregation   *yaml.Node
	period        *yaml.Node
	groupBy       *yaml.Node
	missingData   *yaml.Node
	labels        []pair
	alerts        alerts
	escalation    *yaml.Node
	own           *yaml.Node // keys in our own format, which override the converted ones
	exported      bool       // our export made it, so its meaning is ours
	notes         []string   // what has another meaning once converted
}

// alerts is the alerting of a level.
type alerts struct {
	at                  place
	disabled            bool
	labels, annotations []pair
	runbook             *yaml.Node
	page, ticket        *pair // the names of severities
	settings            []setting
	tiers               []tier
}

// setting is a key of alerting.
type setting struct {
	key   string
	value *yaml.Node
}

// tier is an entry of alerting.tiers.
type tier struct {
	name     string
	at       place
	settings []setting
}

// note adds a comment to the output: something has another meaning once converted.
func (l *level) note(text string) {
	if !slices.Contains(l.notes, text) {
		l.notes = append(l.notes, text)
	}
}

// agreement finds the agreement with a name, or begins it.
func (c *conversion) agreement(at place, name string) (a *agreement, isNew bool) {
	for _, a := range c.agreements {
		if a.name == name {
			return a, false
		}
	}
	a = &agreement{at: at, name: name}
	c.agreements = append(c.agreements, a)
	return a, true
}

// name turns a text into a valid name of ours. It reports a change.
func (c *conversion) name(at place, text string) string {
	if strings.Contains(text, "{{") || strings.Contains(text, "${") {
		at.error("bad-name", "the name "+strconv.Quote(shortened(text))+" is a placeholder that nobody filled in", "fill it in first (envsubst, helm template), and name what comes out")
		return ""
	}
	name := c.rules.ToName(text)
	switch name {
	case text:
	case "":
		at.error("bad-name", "the name "+strconv.Quote(shortened(text))+" has no form that is valid here", "rename it; names have lower-case letters, digits and -, at most 63")
		return ""
	default:
		at.warn("renamed", "the name "+strconv.Quote(shortened(text))+" becomes "+name+": names have lower-case letters, digits and -, at most 63", "look for the old name in routes and dashboards of your own")
	}
	return name
}

// labels are the entries that can be labels of ours.
func (c *conversion) labels(entries []entry) []pair {
	var all []pair
	for _, e := range entries {
		switch {
		case slices.Contains(c.rules.ReservedLabels, e.name):
			e.key.notCarried("the label "+strconv.Quote(e.name)+" is not carried: our rules set it themselves", "rename the label if routes need it")
		case !c.rules.IsLabel(e.name):
			e.key.notCarried("the label "+strconv.Quote(shortened(e.name))+" is not carried: it is no valid name of a label", "rename it; use letters, digits and _")
		default:
			all = append(all, pair{e.name, e.value, e.value.node.Value})
		}
	}
	return all
}

// isRunbook returns whether an annotation links to what to read when woken.
func isRunbook(name string) bool { return name == "runbook_url" }

// annotations sets the annotations of a level's alerts.
func (c *conversion) annotations(l *level, entries []entry) {
	for _, e := range entries {
		switch {
		case isRunbook(e.name):
			l.alerts.runbook = c.text(e.value, e.value.node.Value)
		case !c.rules.IsLabel(e.name):
			e.key.notCarried("the annotation "+strconv.Quote(shortened(e.name))+" is not carried: it is no valid name of one", "rename it; use letters, digits and _")
		default:
			l.alerts.annotations = with(l.alerts.annotations, pair{e.name, e.value, e.value.node.Value})
		}
	}
}

// rendered are all agreements as documents of our own.
func (c *conversion) rendered() []*Agreement {
	var all []*Agreement
	for _, a := range c.agreements {
		if len(a.levels) == 0 && a.ownSpec == nil || a.name == "" {
			continue // the reason was reported
		}
		all = append(all, &Agreement{Root: c.render(a), Document: a.at.doc, Origins: c.origins})
	}
	return all
}

func (c *conversion) render(a *agreement) *yaml.Node {
	meta := c.mapping(a.at).set("name", c.text(a.at, a.name)).set("description", a.description)
	meta.set("labels", c.pairs(a.labels))
	prefer(meta.node, a.ownMetadata)
	if len(meta.node.Content) == 2 {
		meta.flow()
	}
	spec := c.mapping(a.at).set("period", a.period)
	page, ticket, shared := a.sharedSeverities()
	alerting := c.mapping(a.at)
	if shared && (page != nil || ticket != nil) {
		names := c.mapping(a.at).flow()
		setPair(names, "page", page)
		setPair(names, "ticket", ticket)
		alerting.set("severities", names.orNil())
	}
	spec.set("alerting", alerting.set("tiers", c.renderTiers(a.at, a.tiers)).orNil())
	contacts := c.mapping(a.at)
	for _, contact := range a.contacts {
		contacts.set(contact.key, contact.value)
	}
	spec.set("contacts", contacts.orNil())
	levels := c.list(a.at)
	for _, l := range a.levels {
		levels.Content = append(levels.Content, c.renderLevel(l, !shared))
	}
	if prefer(spec.node, a.ownSpec); len(levels.Content) > 0 {
		spec.set("serviceLevels", levels)
	}
	root := c.mapping(a.at).set("apiVersion", c.text(a.at, "upheld/v1")).set("kind", c.text(a.at, "ServiceLevelAgreement"))
	root.set("metadata", meta.node).set("spec", spec.node)
	root.node.HeadComment = comment(append([]string{"Imported from " + filepath.Base(a.at.doc.File) + ", a specification for " + c.format.Title + "."}, a.notes...))
	return root.node
}

func setPair(m *mapping, key string, p *pair) {
	if p != nil && p.text != key {
		m.set(key, m.c.text(p.at, p.text))
	}
}

// comment is a YAML comment of several sentences, one on each line.
func comment(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	return "# " + strings.Join(lines, "\n# ")
}

// sharedSeverities are the names of severities, if no two levels have different ones.
func (a *agreement) sharedSeverities() (page, ticket *pair, shared bool) {
	page, ticket, shared = a.page, a.ticket, true
	for _, l := range a.levels {
		shared = shared && join(&page, l.alerts.page) && join(&ticket, l.alerts.ticket)
	}
	return page, ticket, shared
}

// join takes a name over, and returns whether it does not contradict the one before.
func join(into **pair, name *pair) bool {
	if *into == nil {
		*into = name
	}
	return name == nil || (*into).text == name.text
}

// renderLevel writes a level, with its own names of severities at its tiers.
func (c *conversion) renderLevel(l *level, ownSeverities bool) *yaml.Node {
	m := c.mapping(l.at)
	m.set("name", l.name).set("service", l.service).set("description", l.description).set("indicator", l.indicator)
	m.set("target", l.target).set("aggregation", l.aggregation).set("period", l.period).set("groupBy", l.groupBy)
	m.set("missingData", l.missingData).set("labels", c.pairs(l.labels)).set("alerting", c.renderAlerts(&l.alerts, ownSeverities))
	m.set("escalation", l.escalation)
	prefer(m.node, l.own)
	if len(l.notes) > 0 {
		m.node.HeadComment = comment(l.notes)
	}
	return m.node
}

func (c *conversion) renderAlerts(a *alerts, ownSeverities bool) *yaml.Node {
	if a.at.node == nil {
		return nil
	}
	m := c.mapping(a.at)
	if a.disabled {
		return m.set("enabled", c.boolean(a.at, false)).flow().node
	}
	m.set("runbook", a.runbook).set("labels", c.pairs(a.labels)).set("annotations", c.pairs(a.annotations))
	for _, s := range a.settings {
		m.set(s.key, s.value)
	}
	if ownSeverities {
		a.severity(c, a.page, pageTiers)
		a.severity(c, a.ticket, ticketTiers)
	}
	return m.set("tiers", c.renderTiers(a.at, a.tiers)).orNil()
}

func (c *conversion) renderTiers(at place, all []tier) *yaml.Node {
	tiers := c.mapping(at)
	for _, t := range all {
		keys := c.mapping(t.at).flow()
		for _, s := range t.settings {
			keys.set(s.key, s.value)
		}
		tiers.set(t.name, keys.node)
	}
	return tiers.orNil()
}

// The default tiers, by urgency.
var (
	pageTiers   = []string{"page-fast", "page-slow"}
	ticketTiers = []string{"ticket-fast", "ticket-slow"}
)

func (a *alerts) severity(c *conversion, name *pair, tiers []string) {
	if name == nil {
		return
	}
	for _, t := range tiers {
		if !a.off(t) {
			a.tier(t, name.at, setting{"severity", c.text(name.at, name.text)})
		}
	}
}

// off returns whether a tier is turned off.
func (a *alerts) off(name string) bool {
	for _, t := range a.tiers {
		if t.name == name {
			return len(t.settings) == 1 && t.settings[0].key == "enabled"
		}
	}
	return false
}

// tier sets keys of a tier.
func (a *alerts) tier(name string, at place, s ...setting) {
	for i := range a.tiers {
		if a.tiers[i].name == name {
			a.tiers[i].settings = append(a.tiers[i].settings, s...)
			return
		}
	}
	a.tiers = append(a.tiers, tier{name, at, s})
}
