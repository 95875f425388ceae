package spec

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/sla"
)

var contactSection = &section{
	name: "a contact",
	doc:  "Somebody who can be notified of alerts, under a name that `escalation` uses.",
	fields: []field{
		{key: "description", typ: textType, example: `"leads the shop's team"`, doc: "A sentence for people."},
		{key: "receiver", typ: textType, def: "`upheld-<agreement>/<contact>`", example: "pagerduty-shop", doc: "The name of an Alertmanager receiver that your configuration defines already."},
	},
}

// namesType is a list of names.
func namesType(name, sample string) valueType {
	return valueType{name: name, sample: sample, scalars: textType.scalars, shape: listOf}
}

var escalationSection = &section{
	name: "an escalation step",
	doc:  "Who is notified when an alert has been firing for a while. Steps are in the order of time. If no step notifies somebody of an alert at once, it goes to the receiver of its severity.",
	fields: []field{
		{key: "after", typ: durationType, def: "0s", example: "15m", doc: "How long the alert has been firing. `0s` is at once; otherwise at least `1m`, and longer than the severity's `groupWait`."},
		{key: "notify", typ: namesType("list of contacts", "[team-lead]"), required: true, doc: "Who is notified: names of `spec.contacts`."},
		{key: "severities", typ: namesType("list of severities", "[page]"), def: "those of all pages", doc: "Which alerts: those with these severities."},
		{key: "tiers", typ: namesType("list of tiers", "[page-fast]"), doc: "Instead of `severities`: alerts of these tiers."},
		{key: "hours", typ: nameType, def: "always", example: "business", doc: "A calendar of `spec.calendars`. Outside its hours the step waits; when they begin, the notification is sent if the alert still fires. To notify somebody else meanwhile, add a step with the calendar's complement."},
	},
}

// escalationType is a list of steps. An empty list turns off the agreement's steps for a
// level.
var escalationType = valueType{name: "list of mappings", sample: "[{after: 15m, notify: [team-lead]}]", sections: []*section{escalationSection}, shape: listOf, mayBeEmpty: true}

// step is an escalation step and the places of its keys.
type step struct {
	sla.EscalationStep
	at, after, notify value
	alerts            []value // the items of severities or tiers; nil if both were left out
}

// stepList is the value of the key escalation.
type stepList struct {
	steps []step
	given bool
}

func (s stepList) model() []sla.EscalationStep {
	var steps []sla.EscalationStep
	for _, st := range s.steps {
		steps = append(steps, st.EscalationStep)
	}
	return steps
}

// parseContacts parses the agreement's contacts, in the order of the source.
func parseContacts(v value) ([]sla.Contact, bool) {
	entries, ok := v.entries()
	var contacts []sla.Contact
	for _, entry := range entries {
		if !nameRegexp.MatchString(entry.name) {
			v.d.errorAt(entry.key, "bad-name", quote(entry.name)+" is not a valid name of a contact", "use lower-case letters, digits and -")
			continue
		}
		o := entry.object(contactSection)
		if o == nil {
			continue
		}
		c := sla.Contact{Name: entry.name, Pos: v.d.pos(entry.key)}
		c.Description, _, _ = read(o, "description", value.text)
		c.Receiver, _, _ = read(o, "receiver", value.text)
		contacts = append(contacts, c)
	}
	return contacts, ok
}

// parseEscalation parses a list of steps, which may be empty.
func parseEscalation(v value, a *sla.Agreement, calendars *calendars) (stepList, bool) {
	if v.node.Kind == yaml.SequenceNode && len(v.node.Content) == 0 {
		return stepList{given: true}, true
	}
	items, ok := v.list()
	list := stepList{given: ok}
	for _, item := range items {
		item.name = "an escalation step"
		o := item.object(escalationSection)
		if o == nil {
			continue
		}
		s := decodeEscalationStep(o, a, calendars)
		if s.checkOrder(list.steps) {
			list.steps = append(list.steps, s)
		}
	}
	return list, ok
}

func decodeEscalationStep(o *object, a *sla.Agreement, calendars *calendars) step {
	contacts := a.Contacts
	s := step{at: o.value}
	s.Pos = o.pos()
	s.After, s.after, _ = read(o, "after", value.durationOrZero)
	if s.tooSoon() {
		s.after.error("bad-escalation", s.after.quoted()+" is less than a minute, and rules are evaluated once a minute", "write at least after: 1m, or leave it out to send at once")
	}
	names, at, _ := read(o, "notify", value.uniqueTexts)
	s.notify = at
	for _, name := range names {
		if slices.ContainsFunc(contacts, func(c sla.Contact) bool { return c.Name == name.node.Value }) {
			s.Notify = append(s.Notify, name.node.Value)
			continue
		}
		name.error("unknown-contact", quote(name.node.Value)+" is no contact of the agreement", contactRemedy(name.node.Value, contacts))
	}
	severities, _, _ := read(o, "severities", value.uniqueTexts)
	tiers, at, tiersGiven := read(o, "tiers", value.uniqueTexts)
	if severities != nil && tiersGiven {
		o.d.errorAt(at.key, "conflicting-keys", "severities and tiers exclude each other in an escalation step", "keep one of them: a tier has one severity")
		tiers = nil
	}
	s.alerts = slices.Concat(severities, tiers)
	s.Severities, s.Tiers = severitiesFrom(severities, a.Severities), textsOf(tiers)
	s.Hours, _, _ = read(o, "hours", calendars.lookUp)
	if s.alerts == nil {
		s.Severities = []string{a.Severities.Of(sla.Page)}
	}
	return s
}

func contactRemedy(name string, contacts []sla.Contact) string {
	var known []string
	for _, c := range contacts {
		known = append(known, c.Name)
	}
	if near := Nearest(name, known); near != "" {
		return "did you mean " + quote(near) + "?"
	}
	if len(known) == 0 {
		return "name it in spec.contacts: {" + name + ": {}}"
	}
	return "its contacts are " + list(known) + "; add it to spec.contacts"
}

// tooSoon returns whether the step comes sooner than rules are evaluated.
func (s *step) tooSoon() bool { return s.After > 0 && s.After < time.Minute }

// checkOrder reports a step that is out of order or repeats an earlier one. It returns
// false if the step is not to be used.
func (s *step) checkOrder(before []step) bool {
	if len(before) == 0 || s.tooSoon() {
		return true
	}
	last := before[len(before)-1]
	if s.After < last.After {
		at := s.at
		if s.after.node != nil {
			at = s.after
		}
		at.error("bad-escalation", fmt.Sprintf("this step, after %s, stands below one after %s", sla.FormatDuration(s.After), sla.FormatDuration(last.After)),
			"put the steps into the order of time")
		return false
	}
	return !s.checkRepeats(before)
}

// checkRepeats reports a step that notifies a contact of the same alerts at the same
// time as an earlier one.
func (s *step) checkRepeats(before []step) bool {
	for _, other := range before {
		for _, who := range s.Notify {
			if other.After == s.After && other.Hours == s.Hours && slices.Contains(other.Notify, who) && other.overlaps(s.EscalationStep) {
				s.notify.error("duplicate-step", fmt.Sprintf("%s is notified of the same alerts, after %s, by the step in line %d",
					quote(who), sla.FormatDuration(s.After), other.Pos.Line), "leave it out of one of them")
				return true
			}
		}
	}
	return false
}

func (s *step) overlaps(other sla.EscalationStep) bool {
	shared := func(a, b []string) bool {
		return slices.ContainsFunc(a, func(x string) bool { return slices.Contains(b, x) })
	}
	return shared(s.Severities, other.Severities) || shared(s.Tiers, other.Tiers)
}

// severitiesFrom returns the severities that texts stand for.
func severitiesFrom(values []value, names sla.SeverityNames) []string {
	var all []string
	for _, text := range textsOf(values) {
		severity, _, _ := names.Named(text)
		all = append(all, severity)
	}
	return all
}

// defaultToPages makes steps without severities and tiers about all pages of the levels,
// whatever their severities. model holds the same steps.
func (s stepList) defaultToPages(model []sla.EscalationStep, levels []*sla.ServiceLevel) {
	pages := sla.SeveritiesOf(levels, sla.Page)
	if len(pages) == 0 {
		return
	}
	for i := range s.steps {
		if s.steps[i].alerts == nil {
			s.steps[i].Severities, model[i].Severities = pages, pages
		}
	}
	for i := range s.steps {
		s.steps[i].checkRepeats(s.steps[:i])
	}
}

// check completes the steps, and those in model, from the alerts of the levels. It
// reports severities and tiers that no alert has, and steps that would come before the
// first notification.
func (s stepList) check(model []sla.EscalationStep, levels []*sla.ServiceLevel, of *sla.Agreement, whose string) {
	s.defaultToPages(model, levels)
	severities, tiers := alertsOf(levels)
	for _, st := range s.steps {
		known, what := severities, "severity"
		if st.Tiers != nil {
			known, what = slices.Sorted(maps.Keys(tiers)), "tier"
		}
		for _, at := range st.alerts {
			name := at.node.Value
			if st.Tiers == nil {
				name, _, _ = of.Severities.Named(name)
			}
			if !slices.Contains(known, name) {
				at.error("unknown-"+what, fmt.Sprintf("no alert of %s has the %s %s", whose, what, quote(at.node.Value)), alertRemedy(at.node.Value, known))
			}
		}
		if page := of.Severities.Of(sla.Page); st.alerts == nil && !slices.ContainsFunc(st.Severities, func(of string) bool { return slices.Contains(severities, of) }) {
			st.at.error("unknown-severity", fmt.Sprintf(`no alert of %s has the severity %q, which a step sends unless it names others`, whose, page), alertRemedy(page, severities))
		}
		if st.After == 0 || st.tooSoon() {
			continue
		}
		for _, severity := range st.severities(tiers) {
			if wait := of.Notifications.PacingOf(severity, sla.UrgencyOf(levels, severity)).GroupWait; st.After <= wait {
				st.after.error("bad-escalation", fmt.Sprintf("%s is not longer than the %s that the first notification of severity %s waits, so this step would notify before it",
					st.after.quoted(), sla.FormatDuration(wait), severity), "choose a longer time, or a shorter notifications: {severities: {"+severity+": {groupWait: 30s}}}")
			}
		}
	}
}

// severities are the severities of the alerts that the step is about.
func (s *step) severities(tiers map[string]string) []string {
	all := slices.Clone(s.Severities)
	for _, t := range s.Tiers {
		if severity := tiers[t]; severity != "" && !slices.Contains(all, severity) {
			all = append(all, severity)
		}
	}
	return all
}

// alertsOf returns the severities of the levels' alerts, and the severity of each tier.
func alertsOf(levels []*sla.ServiceLevel) (severities []string, tiers map[string]string) {
	tiers = map[string]string{}
	for _, l := range levels {
		severities = append(severities, l.Severities()...)
		for _, t := range l.Alerting.Tiers {
			tiers[t.Name] = cmp.Or(tiers[t.Name], t.Severity)
		}
	}
	slices.Sort(severities)
	return slices.Compact(severities), tiers
}

func alertRemedy(name string, known []string) string {
	if near := Nearest(name, known); near != "" {
		return "did you mean " + quote(near) + "?"
	}
	if len(known) == 0 {
		return "there are none; leave the step out"
	}
	return "there are " + list(known)
}
