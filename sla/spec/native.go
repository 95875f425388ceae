package spec

import (
	"maps"
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

// The first keys of a document of this format.
const (
	apiVersion   = "upheld/v1"
	documentKind = "ServiceLevelAgreement"
)

var documentSection = &section{
	name: "the document",
	doc:  "One YAML document is one agreement; a file may hold several, separated by `---`.",
	fields: []field{
		{key: "apiVersion", typ: oneOf(apiVersion), required: true, doc: "The version of the format."},
		{key: "kind", typ: oneOf(documentKind), required: true, doc: "What the document is."},
		{key: "metadata", typ: mapping(metadataSection), required: true, example: "{name: shop}", doc: "What the agreement is called."},
		{key: "spec", typ: mapping(specSection), required: true, example: "{serviceLevels: […]}", doc: "What is agreed."},
	},
}

// native is the format upheld/v1.
var native = format{
	name: "Upheld", noun: "service level agreement", begin: "apiVersion: " + apiVersion + " and kind: " + documentKind, mark: "apiVersion: " + apiVersion,
	detect: detectNative, decode: decodeNative,
}

// rootSections are the documents of each kind, the agreement first. They are set here to
// break an initialization cycle between decoders and tables.
var rootSections []*section

func init() { rootSections = []*section{documentSection, adjustmentSection, scenarioSection} }

var metadataSection = &section{
	name: "metadata",
	doc:  "The agreement's name and what is said about it.",
	fields: []field{
		{key: "name", typ: nameType, required: true, doc: "Names the agreement in the label `sla`, in files and in pages. Unique over all files that are loaded together. Lower-case letters, digits and `-`, at most 63."},
		{key: "description", typ: textType, doc: "A sentence for people."},
		{key: "labels", typ: labelsType, doc: "Carried by every alert and, prefixed with `label_`, by `sla_service_level_info`. Service levels add to them and override them."},
		{key: "revision", typ: wholeType(1, maxRevision), example: "3", doc: "The number of this revision of the agreement, 1 and up."},
		{key: "effectiveFrom", typ: fullDateType, example: `"2026-10-01"`, doc: "The day from which this revision holds, in `spec.timeZone`. It never changes what was before."},
		{key: "supersedes", typ: editionType, example: "shop@2", doc: "The revision that it replaces: the agreement's name, `@` and the number."},
		{key: "reviewOn", typ: fullDateType, example: `"2027-04-01"`, doc: "When the parties look at the agreement again. `check` reminds you from 30 days before."},
		{key: "approval", typ: mapping(approvalSection), example: `{meeting: {held: "2026-09-16"}}`, doc: "The service level meeting that agreed on this revision, and who signed it. Without it the revision is a draft."},
	},
}

var specSection = &section{
	name: "spec",
	doc:  "The service levels, and the defaults that they share.",
	fields: []field{
		{key: "period", typ: periodType, def: "30d", doc: "The time over which target shares are judged, or a list of several; each level may have its own."},
		{key: "timeZone", typ: zoneType, def: "UTC", doc: "The time zone of calendar periods that name none themselves: an IANA name."},
		{key: "splitPeriods", typ: booleanType, def: "false", doc: "What holds for a period in which another revision takes effect. `false`: the revision at its start judges all of it. `true`: each part is judged by its own revision."},
		{key: "inherits", typ: parentType, doc: "Another agreement, as `name` or `name@revision`, that is loaded too. What it says and this one does not holds here as well, see [Agreements on several levels](#agreements-on-several-levels)."},
		{key: "structure", typ: oneOf(namesOf(sla.Structures())...), doc: "How agreements are divided. " + docOf(sla.Structures())},
		{key: "parties", typ: mapping(partiesSection), example: "{provider: {name: Example Hosting}}", doc: "Who agrees with whom."},
		{key: "scope", typ: mapping(scopeSection), example: "{per: [account, region]}", doc: "What has figures of its own."},
		{key: "notIncluded", typ: textList(`["the customer's own network"]`), doc: "What the services do not include, a sentence each."},
		{key: "costOptions", typ: valueType{name: "list of mappings", sample: `[{name: gold, target: "99.95", price: "4000", currency: EUR}]`, sections: []*section{costOptionSection}, shape: listOf}, doc: "Grades of service to choose from, and what each costs."},
		{key: "holidaySets", typ: holidayType, doc: "Days that calendars can be without: `\"2026-10-30\"`, or `\"12-25\"` for every year."},
		{key: "calendars", typ: valueType{name: "mapping of names to mappings", sample: `{prime: {weekly: […]}}`, sections: []*section{calendarSection}, shape: byName}, doc: "Service hours, by name."},
		{key: "serviceHours", typ: nameType, example: "prime", doc: "The calendar of levels that name none. Without it, service hours are around the clock."},
		{key: "maintenance", typ: mapping(maintenanceSection), doc: "Maintenance windows: when the provider may take the service down."},
		{key: "exclusions", typ: valueType{name: "list of mappings", sample: "[…]", sections: []*section{exclusionSection}, shape: listOf}, doc: "Other time or failures that do not count against the provider."},
		{key: "obligations", typ: mapping(obligationsSection), example: "{provider: [{id: monthly-report, deliver: service review, dueBy: business_day_5}]}", doc: "What each party owes the other."},
		{key: "recovery", typ: mapping(recoverySection), example: "{objectives: [{metric: time_to_restore, le: 4h}]}", doc: "What is promised about outages and recovery, for every level without its own `recovery`."},
		{key: "alerting", typ: mapping(alertingSection), def: "four [alert tiers](#alert-tiers)", doc: "Alerting of every level; levels override it key by key."},
		{key: "contacts", typ: valueType{name: "mapping of names to mappings", sample: "{team-lead: {}}", sections: []*section{contactSection}, shape: byName}, doc: "Who can be notified of alerts."},
		{key: "escalation", typ: escalationType, doc: "Who is notified of alerts, and when, for every level without its own `escalation`. Without it alerts go to the receiver of their severity."},
		{key: "notifications", typ: mapping(notificationsSection), example: "{severities: {page: {repeatInterval: 1h}}}", doc: "How Alertmanager groups alerts, and how often it notifies."},
		{key: "rollups", typ: groupLabelsType, example: "[team, customer]", doc: "Names of `labels` by whose values levels are grouped: the worst and the mean budget, and how many levels are at risk, for each team, each customer, and the agreement. See [composites.md](composites.md#rollups)."},
		{key: "declared", typ: valueType{name: "list of mappings", sample: `[{name: support, description: "Answers within a working day."}]`, sections: []*section{declaredSection}, shape: listOf}, verdictOnly: true, doc: "Promises without a number. Verdict only: they are reported, and never scored."},
		{key: "creditPolicy", verdictOnly: true, typ: mapping(creditPolicySection), example: `{fee: {amount: "1200.00", currency: EUR}}`, doc: "How the credits of the levels become what is paid. Verdict only."},
		{key: "terminationRight", verdictOnly: true, typ: mapping(terminationSection), example: "{breached: 3, ofPeriods: 6}", doc: "When the customer may end the agreement. Verdict only."},
		{key: "statusPage", typ: mapping(statusPageSection), example: `{title: The shop, levels: [{level: storefront/availability, name: Shop}]}`, doc: "The public [status page](status-page.md) of the agreement. Without it nothing is public, and no other agreement inherits it."},
		{key: "serviceLevels", typ: valueType{name: "list of mappings", sample: "[…]", sections: []*section{levelSection}, shape: listOf}, doc: "The promises, at least one. Only an agreement that others inherit from may be without."},
	},
}

// decodeNative reads the agreement of a document, as far as that is possible.
func decodeNative(root value) *sla.Agreement {
	root.name = "a document"
	o := root.object(documentSection)
	version, _, _ := read(o, "apiVersion", word(apiVersion))
	kind, _, _ := read(o, "kind", word(documentKinds...)) // other kinds do not get here
	_, _ = version, kind
	a := &sla.Agreement{Pos: root.pos()}
	if v, ok := o.get("metadata"); ok {
		decodeMetadata(v, a)
	}
	if v, ok := o.get("spec"); ok {
		decodeSpec(v, a)
	}
	a.VerdictOnly = root.d.verdictOnlyKeys()
	return a
}

// detectNative also accepts documents whose apiVersion or kind is nearly right, so that
// their other mistakes are found.
func detectNative(h head) confidence {
	switch {
	case strings.HasPrefix(h.text("apiVersion"), "upheld"):
		return certain
	case isKind(h.text("kind")):
		return possible
	case !h.has("apiVersion") && !h.has("kind") && h.has("spec"): // both are reported as missing
		return possible
	}
	return noMatch
}

func decodeMetadata(v value, a *sla.Agreement) {
	o := v.object(metadataSection)
	if o == nil {
		return
	}
	name, at, _ := read(o, "name", parseAgreementName)
	if a.Name = name; name != "" {
		a.Pos = at.pos()
	}
	a.Description, _, _ = read(o, "description", value.text)
	a.Labels, _, _ = read(o, "labels", parseLabels)
	decodeRevision(o, a)
}

func decodeSpec(v value, a *sla.Agreement) {
	o := v.object(specSection)
	if o == nil {
		return
	}
	shared := levelDefaults{agreement: a, periods: []sla.Period{defaultPeriod}, periodAt: v}
	v.d.zone, _, _ = read(o, "timeZone", parseZone)
	a.Zone = v.d.zone
	_, _, _ = read(o, "inherits", parseParent) // which the loader has done
	decodeTerms(o, &a.Terms)
	if periods, at, ok := read(o, "period", parsePeriods); ok {
		shared.periods, shared.periodAt, shared.periodGiven = periods, at, true
	}
	shared.calendars = decodeCalendars(o)
	a.Calendars = shared.calendars.all
	a.Exclusions, a.OnClaim = decodeExclusions(o)
	a.Recovery, _, _ = read(o, "recovery", parseRecovery)
	shared.hours, _, _ = read(o, "serviceHours", shared.calendars.lookUp)
	shared.alerting, _, _ = read(o, "alerting", decodeAlerting)
	a.Severities = severitiesOf(shared.alerting)
	a.Alerting = shared.alerting.ofAgreement(a.Severities)
	a.Contacts, _, _ = read(o, "contacts", parseContacts)
	shared.notifications, _, _ = read(o, "notifications", func(v value) (notifications, bool) { return decodeNotifications(v, a.Severities) })
	a.Notifications = shared.notifications.Notifications
	shared.escalation, _, _ = read(o, "escalation", func(v value) (stepList, bool) { return parseEscalation(v, a, shared.calendars) })
	a.Escalation = shared.escalation.model()
	rollups, _, _ := read(o, "rollups", parseGroupLabels)
	for _, label := range rollups {
		shared.rollups = append(shared.rollups, label.node.Value)
	}
	decodeCreditPolicy(o, a)
	items, at, _ := read(o, "serviceLevels", value.list)
	if at.node == nil && !v.d.parent && !o.misspelt("serviceLevels") {
		o.missing(`"serviceLevels" is missing in spec`, "add serviceLevels: […]; only an agreement that another one inherits from may be without, if both are loaded")
	}
	for _, item := range items {
		item.name = "a service level"
		before := len(v.d.findings)
		if level := decodeLevel(item, shared); level != nil {
			a.Levels = append(a.Levels, level)
			v.d.broken[level] = a.Name == "" || v.d.findings[before:].HasErrors()
		}
	}
	a.StatusPage = optional(o, "statusPage", func(v value) (sla.StatusPage, bool) { return parseStatusPage(v, a) })
	a.Declared = decodeDeclared(o, a)
	a.Terms.Obligations, _, _ = read(o, "obligations", obligationReader{a, shared}.parse)
	if !v.d.parent || len(a.Levels) > 0 { // or those that inherit have the levels
		v.d.checkCredits(a)
	}
	warnUnusedRollups(rollups, a)
	shared.notifications.check(a.Levels)
	shared.escalation.check(a.Escalation, a.Levels, a, "the agreement")
}

// merged is base with the entries of over, which win; nil if both are empty.
func merged(base, over map[string]string) map[string]string {
	if len(base)+len(over) == 0 {
		return nil
	}
	m := map[string]string{}
	maps.Copy(m, base)
	maps.Copy(m, over)
	return m
}
