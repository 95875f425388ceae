package spec

import (
	"maps"
	"slices"
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

// What a document of this format begins with.
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

// native is the format of this file.
var native = format{
	name: "Upheld", called: "service level agreement", begin: "apiVersion: " + apiVersion + " and kind: " + documentKind, mark: "apiVersion: " + apiVersion,
	detect: detectNative, decode: decodeNative,
}

// rootSection breaks the initialization cycle of decoders and tables.
var rootSection *section

func init() { rootSection = documentSection }

var metadataSection = &section{
	name: "metadata",
	doc:  "The agreement's name and what is said about it.",
	fields: []field{
		{key: "name", typ: nameType, required: true, doc: "Names the agreement in the label `sla`, in files and in pages. Unique over all files that are loaded together. Lower-case letters, digits and `-`, at most 63."},
		{key: "description", typ: textType, doc: "A sentence for people."},
		{key: "labels", typ: labelsType, doc: "Carried by every alert and, prefixed with `label_`, by `sla_service_level_info`. Service levels add to them and override them."},
	},
}

var specSection = &section{
	name: "spec",
	doc:  "The service levels, and the defaults that they share.",
	fields: []field{
		{key: "period", typ: periodType, def: "30d", doc: "The time over which targets are judged, or a list of several; each level may have its own."},
		{key: "timeZone", typ: zoneType, def: "UTC", doc: "The time zone of calendar periods that name none themselves: an IANA name."},
		{key: "holidaySets", typ: holidayType, doc: "Days that calendars can be without: `\"2026-10-30\"`, or `\"12-25\"` for every year."},
		{key: "calendars", typ: valueType{name: "mapping of names to mappings", sample: `{prime: {weekly: […]}}`, sections: []*section{calendarSection}, shape: byName}, doc: "Hours of service, by name."},
		{key: "serviceHours", typ: nameType, example: "prime", doc: "The calendar of levels that name none. Without it a service is promised around the clock."},
		{key: "maintenance", typ: mapping(maintenanceSection), doc: "When the provider may take the service down."},
		{key: "exclusions", typ: valueType{name: "list of mappings", sample: "[…]", sections: []*section{exclusionSection}, shape: listOf}, doc: "What else the provider does not answer for."},
		{key: "alerting", typ: mapping(alertingSection), def: "four [alert tiers](#alert-tiers)", doc: "Alerting of every level; levels override it key by key."},
		{key: "contacts", typ: valueType{name: "mapping of names to mappings", sample: "{team-lead: {}}", sections: []*section{contactSection}, shape: byName}, doc: "Who can be told of alerts."},
		{key: "escalation", typ: escalationType, doc: "Who is told of alerts, and when, for every level that has no `escalation` of its own. Without it alerts go to the receiver of their severity."},
		{key: "notifications", typ: mapping(notificationsSection), example: "{severities: {page: {repeatInterval: 1h}}}", doc: "How Alertmanager gathers alerts and paces notifications."},
		{key: "rollups", typ: groupLabelsType, example: "[team, customer]", doc: "Labels, of `labels`, by whose values levels are put together: the worst budget, the mean one, and how many levels are at risk, for each team, customer, and for the agreement. See [composites.md](composites.md#rollups)."},
		{key: "serviceLevels", typ: valueType{name: "list of mappings", sample: "[…]", sections: []*section{levelSection}, shape: listOf}, required: true, doc: "The promises, at least one."},
	},
}

var levelSection = &section{
	name: "a service level",
	doc:  "One promise: what is measured, what it is held to, and over which period.",
	fields: []field{
		{key: "name", typ: nameType, required: true, example: "availability", doc: "Names the level in the label `slo`. Unique within its service."},
		{key: "service", typ: nameType, def: "`metadata.name`", doc: "The service that the promise is about; the label `service`."},
		{key: "description", typ: textType, doc: "A sentence for people."},
		{key: "indicator", typ: mapping(indicatorSection), required: true, example: `{probe: {http: "https://shop.example/health"}}`, doc: "What is measured."},
		{key: "target", typ: percentType, required: true, doc: "The share that must be good, in per cent, as the contract says it. At least 1, below 100, at most 9 places after the point, always in quotes. The error budget is what is left to 100."},
		{key: "objective", typ: percentType, def: "`target`", example: `"99.95"`, doc: "A stricter goal that alerts hang on, so that you are woken before the contract is broken. Not below `target`, below 100."},
		{key: "aggregation", typ: aggregationType, def: "`time` for probes, else `request_ratio`", doc: "How measurements become one number: `time` weighs every second the same, `request_ratio` every event; others judge minutes or slots. Which of them suit depends on the indicator."},
		{key: "period", typ: periodType, def: "`spec.period`", doc: "The time over which the target is judged, or a list of several: `[30d, month]`."},
		{key: "groupBy", typ: groupByType, doc: "One promise for each value of labels: per tenant, region or endpoint. Without it there is one for everything together."},
		{key: "credits", typ: mapping(creditsSection), example: `{tiers: [{below: "99.9", percent: "10"}]}`, doc: "What a missed target costs."},
		{key: "missingData", typ: oneOf("excluded", "bad", "good"), def: "excluded", doc: "What missing time counts as, in which the server scraped the level's job and had no result: neither good nor bad (`excluded`), `bad` or `good`. Time that the server did not see, as during its restart, is in neither sum. Of levels that count time. `SLAMeasurementLost` tells of it either way."},
		{key: "serviceHours", typ: nameType, example: "prime", doc: "The calendar when it is promised; `always` is around the clock, whatever `spec.serviceHours` says."},
		{key: "exclusions", typ: valueType{name: "list of names", sample: "[maintenance]", scalars: nameType.scalars, shape: anyList}, doc: "Which of the agreement's exclusions hold for this level, `maintenance` among them. All, if left out; `[]` is none."},
		{key: "labels", typ: labelsType, example: "{tier_of_contract: gold}", doc: "As in `metadata`, for this level."},
		{key: "rollupWeight", typ: decimalType, example: `"3"`, doc: "What the level weighs in the mean budget of `spec.rollups`: above 0, and 1 without it."},
		{key: "alerting", typ: mapping(alertingSection), def: "`spec.alerting`", doc: "Overrides `spec.alerting` key by key."},
		{key: "escalation", typ: escalationType, doc: "Instead of `spec.escalation`. An empty list is none."},
	},
}

// decodeNative is the agreement of a document, as far as it can be read.
func decodeNative(root value) *sla.Agreement {
	root.name = "a document"
	o := root.object(documentSection)
	version, _, _ := read(o, "apiVersion", word(apiVersion))
	kind, _, _ := read(o, "kind", word(documentKind))
	_, _ = version, kind
	a := &sla.Agreement{Pos: root.pos()}
	if v, ok := o.get("metadata"); ok {
		decodeMetadata(v, a)
	}
	if v, ok := o.get("spec"); ok {
		decodeSpec(v, a)
	}
	return a
}

// detectNative takes what is nearly right for this format too, so that its other
// mistakes are found.
func detectNative(h head) likeness {
	switch {
	case strings.HasPrefix(h.text("apiVersion"), "upheld"):
		return certain
	case Nearest(h.text("kind"), []string{documentKind}) != "":
		return alike
	case !h.has("apiVersion") && !h.has("kind") && h.has("spec"): // forgotten; reported as missing
		return alike
	}
	return unlike
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
}

func decodeSpec(v value, a *sla.Agreement) {
	o := v.object(specSection)
	if o == nil {
		return
	}
	shared := levelDefaults{agreement: a, periods: []sla.Period{defaultPeriod}, periodAt: v}
	v.d.zone, _, _ = read(o, "timeZone", parseZone)
	if periods, at, ok := read(o, "period", parsePeriods); ok {
		shared.periods, shared.periodAt, shared.periodGiven = periods, at, true
	}
	shared.calendars = decodeCalendars(o)
	a.Calendars, a.Exclusions = shared.calendars.all, decodeExclusions(o)
	shared.hours, _, _ = read(o, "serviceHours", shared.calendars.hours)
	shared.alerting, _, _ = read(o, "alerting", decodeAlerting)
	a.Severities = severitiesOf(shared.alerting)
	a.Contacts, _, _ = read(o, "contacts", parseContacts)
	shared.notifications, _, _ = read(o, "notifications", func(v value) (notifications, bool) { return decodeNotifications(v, a.Severities) })
	a.Notifications = shared.notifications.Notifications
	shared.escalation = readSteps(o, a, shared.calendars)
	a.Escalation = shared.escalation.model()
	rollups, _, _ := read(o, "rollups", parseGroupLabels)
	for _, label := range rollups {
		shared.rollups = append(shared.rollups, label.node.Value)
	}
	items, _, _ := read(o, "serviceLevels", value.list)
	for _, item := range items {
		item.name = "a service level"
		before := len(v.d.findings)
		if level := decodeLevel(item, shared); level != nil {
			a.Levels = append(a.Levels, level)
			v.d.broken[level] = a.Name == "" || v.d.findings[before:].HasErrors()
		}
	}
	warnUnusedRollups(rollups, a)
	shared.notifications.fit(a.Levels)
	shared.escalation.fit(a.Escalation, a.Levels, a, "the agreement")
}

// levelDefaults is what a level takes from its agreement.
type levelDefaults struct {
	agreement   *sla.Agreement
	periods     []sla.Period
	periodAt    value
	periodGiven bool // else it is the default
	alerting    *alertingPatch
	calendars   *calendars
	hours       *sla.Calendar // nil is always

	escalation    stepList
	notifications notifications
	rollups       []string // labels by which levels are put together
}

func decodeLevel(v value, shared levelDefaults) *sla.ServiceLevel {
	o := v.object(levelSection)
	if o == nil {
		return nil
	}
	l := &sla.ServiceLevel{
		ID:     sla.ID{SLA: shared.agreement.Name, Service: shared.agreement.Name},
		Period: shared.periods[0], MorePeriods: shared.periods[1:],
		Pos: v.pos(), TargetPos: v.pos(), PeriodPos: shared.periodAt.pos(),
	}
	name, at, _ := read(o, "name", value.identifier)
	if l.ID.SLO = name; name != "" {
		l.Pos = at.pos()
	}
	if !shared.periodGiven {
		l.PeriodPos = l.Pos
	}
	if service, _, _ := read(o, "service", value.identifier); service != "" {
		l.ID.Service = service
	}
	l.Description, _, _ = read(o, "description", value.text)
	if periods, at, ok := read(o, "period", parsePeriods); ok {
		l.Period, l.MorePeriods, l.PeriodPos = periods[0], periods[1:], at.pos()
	}
	l.ServiceHours, l.Exclusions = shared.hours, excluded(o, shared.agreement.Exclusions)
	if hours, _, ok := read(o, "serviceHours", shared.calendars.hours); ok {
		l.ServiceHours = hours
	}
	own, _, _ := read(o, "labels", parseLabels)
	l.Labels = merged(shared.agreement.Labels, own)
	decodeRollup(o, l, shared)
	l.Indicator, _, _ = read(o, "indicator", decodeIndicator)
	decodeAggregation(o, l)
	targetOK := decodeTarget(o, l)
	decodeGroupBy(o, l)
	decodeMissingData(o, l)
	decodeCredits(o, l, targetOK)
	alerting, _, _ := read(o, "alerting", decodeAlerting)
	alerting.noSeverities()
	l.Alerting = v.d.alertingOf(l, targetOK, shared.agreement.Severities, shared.alerting, alerting)
	nameSeverities(l)
	groupLabelsAreFree(o, l)
	decodeEscalation(o, l, shared)
	l.Defaults = defaultsOfLevel(o, l, shared)
	if targetOK {
		warnCoarseProbe(o, l)
	}
	return l
}

// decodeTarget reads target and objective; it is false if either is wrong.
func decodeTarget(o *object, l *sla.ServiceLevel) bool {
	target, at, ok := read(o, "target", value.percent)
	if ok {
		l.Target, l.Objective, l.TargetPos = target, target, at.pos()
	}
	if _, given := o.get("objective"); !given {
		return ok
	}
	objective, at, objectiveOK := read(o, "objective", value.percent)
	if !objectiveOK {
		return false
	}
	if ok && objective.Cmp(target) < 0 {
		at.wrong("bad-target", at.said()+" is below the target "+quote(target.String())+": alerts would come after the contract is broken",
			"make the objective at least the target, or leave it out")
		return false
	}
	l.Objective = objective
	return ok
}

func decodeAggregation(o *object, l *sla.ServiceLevel) {
	given, at, ok := read(o, "aggregation", parseAggregation)
	if l.Indicator == nil {
		l.Aggregation, l.Slots = given.method, given.slots
		return
	}
	allowed := l.Indicator.Aggregations()
	l.Aggregation, l.Slots = allowed[0], allowed[0].DefaultSlots()
	if !ok {
		return
	}
	if slices.Contains(allowed, given.method) {
		l.Aggregation, l.Slots = given.method, given.slots
		if given.method.Counts() == sla.CountsSeconds && given.slots.Weight.Text != "" && !sla.LookedAt(l.Indicator) {
			at.wrong("bad-aggregation", "weight is for single minutes, and this "+l.Indicator.Kind()+" indicator is counted over five of them by time",
				"use the method bad_minute, or all_failed_minute")
		}
		if given.slots.Quorum > 0 && !sla.IsProbed(l.Indicator) {
			at.wrong("bad-aggregation", "quorum is for probes, which have locations, and this indicator is "+quote(l.Indicator.Kind()), "leave it out")
		}
		return
	}
	names := make([]string, len(allowed))
	for i, a := range allowed {
		names[i] = string(a)
	}
	at = given.methodAt
	at.wrong("bad-aggregation", at.said()+" does not suit this "+l.Indicator.Kind()+" indicator",
		"it takes "+list(names)+"; the first is the default")
}

// merged is base with over laid on it; nil if both are empty.
func merged(base, over map[string]string) map[string]string {
	if len(base)+len(over) == 0 {
		return nil
	}
	m := map[string]string{}
	maps.Copy(m, base)
	maps.Copy(m, over)
	return m
}
