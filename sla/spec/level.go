package spec

import (
	"slices"

	"github.com/upheld-sla/upheld/sla"
)

// levelKey is a key of a level: how it is read, and its description for the schema and
// the reference.
type levelKey struct {
	read func(*levelDraft, value) // called if the key was given
	field
}

// levelKeys are the keys of a level, one entry each, in the order of the reference. They
// are read in this order, so a key stands below the keys that it depends on. What
// depends on all of them is done in finish.
var levelKeys = []levelKey{
	{(*levelDraft).readName, field{key: "name", typ: nameType, required: true, example: "availability", doc: "Names the level in the label `slo`. Unique within its service."}},
	{(*levelDraft).readService, field{key: "service", typ: nameType, def: "`metadata.name`", doc: "The service that the promise is about; the label `service`."}},
	{into(value.text, func(l *sla.ServiceLevel) *string { return &l.Description }), field{key: "description", typ: textType, doc: "A sentence for people."}},
	{into(value.text, func(l *sla.ServiceLevel) *string { return &l.Impact }), field{key: "impact", typ: textType, example: "Nobody can pay", doc: "What it means to people while the level is down, as the beginning of a sentence: pages, `upheld status` and alerts go on with since when, and why."}},
	{(*levelDraft).readIndicator, field{key: "indicator", typ: mapping(indicatorSection), required: true, example: `{probe: {http: "https://shop.example/health"}}`, doc: "What is measured."}},
	{(*levelDraft).readTarget, field{key: "target", typ: percentType, required: true, doc: "The share that must be good, in per cent, as the contract says it. At least 1, below 100, at most 9 places after the point, always in quotes. The rest to 100 is the error budget."}},
	{(*levelDraft).readObjective, field{key: "objective", typ: percentType, def: "`target`", example: `"99.95"`, doc: "A stricter goal that alerts follow, so that you are woken before the contract is broken. Not below `target`, below 100."}},
	{(*levelDraft).readAggregation, field{key: "aggregation", typ: aggregationType, def: "`time` for probes, else `request_ratio`", doc: "How measurements become one number. With `time` every second counts the same, with `request_ratio` every event; others judge minutes or slots. The indicator decides which you can use."}},
	{(*levelDraft).readPeriod, field{key: "period", typ: periodType, def: "`spec.period`", doc: "The time over which the target share is judged, or a list of several: `[30d, month]`."}},
	{(*levelDraft).readGroupBy, field{key: "groupBy", typ: groupByType, doc: "One promise for each value of labels: per tenant, region or endpoint. Without it, one for everything together."}},
	{(*levelDraft).readCredits, field{key: "credits", typ: mapping(creditsSection), example: `{tiers: [{below: "99.9", percent: "10"}]}`, doc: "What a missed target share costs."}},
	{(*levelDraft).readMissingData, field{key: "missingData", typ: missingDataType, def: "excluded", doc: "What time counts as in which the server scraped the level's job and had no result: neither good nor bad (`excluded`), `bad`, or `good`. Time that the server did not see, as during its restart, never counts. For levels that count time. `SLAMeasurementLost` fires either way."}},
	{(*levelDraft).readPartialPeriod, field{key: "partialPeriod", typ: oneOf(sla.PartialPeriods()...), def: sla.PartialPeriods()[0], verdictOnly: true, doc: "What the part of a period counts as in which the agreement is not in force. " + sla.PartialPeriodDoc() + " Verdict only."}},
	{(*levelDraft).readServiceHours, field{key: "serviceHours", typ: nameType, example: "prime", doc: "The calendar of its service hours. `always` is around the clock, whatever `spec.serviceHours` says."}},
	{(*levelDraft).readExclusions, field{key: "exclusions", typ: valueType{name: "list of names", sample: "[maintenance]", scalars: nameType.scalars, shape: anyList}, doc: "Which of the agreement's exclusions this level has; `maintenance` is one. All, if left out; `[]` means none."}},
	{(*levelDraft).readRecovery, field{key: "recovery", typ: mapping(recoverySection), example: "{objectives: [{metric: longest_outage, le: 2h}]}", doc: "What is promised about the level's outages, instead of `spec.recovery`."}},
	{(*levelDraft).readLabels, field{key: "labels", typ: labelsType, example: "{tier_of_contract: gold}", doc: "As in `metadata`, for this level."}},
	{(*levelDraft).readRollupWeight, field{key: "rollupWeight", typ: decimalType, example: `"3"`, doc: "The level's weight in the mean budget of `spec.rollups`, above 0. Without it, 1."}},
	{(*levelDraft).readAlerting, field{key: "alerting", typ: mapping(alertingSection), def: "`spec.alerting`", doc: "Overrides `spec.alerting` key by key."}},
	{(*levelDraft).readEscalation, field{key: "escalation", typ: escalationType, doc: "Instead of `spec.escalation`. An empty list means none."}},
}

var levelSection = newLevelSection()

func newLevelSection() *section {
	s := &section{name: "a service level", doc: "One promise: what is measured, which share must be good, and over which period."}
	for _, k := range levelKeys {
		s.fields = append(s.fields, k.field)
	}
	return s
}

// into reads a key into a field of the level.
func into[T any](parse func(value) (T, bool), place func(*sla.ServiceLevel) *T) func(*levelDraft, value) {
	return func(d *levelDraft, v value) {
		if got, ok := parse(v); ok {
			*place(d.level) = got
		}
	}
}

// levelDefaults holds what a level takes from its agreement.
type levelDefaults struct {
	agreement   *sla.Agreement
	periods     []sla.Period
	periodAt    value
	periodGiven bool // else periods is the default
	alerting    *alertingPatch
	calendars   *calendars
	hours       *sla.Calendar // nil is always

	escalation    stepList
	notifications notifications
	rollups       []string // labels of spec.rollups
}

// levelDraft is a level while it is read.
type levelDraft struct {
	*object
	level    *sla.ServiceLevel
	shared   levelDefaults
	targetOK bool // target and objective were read

	groupLabels []value // to group by, if all could be read
	alerting    *alertingPatch
	escalation  stepList
}

func decodeLevel(v value, shared levelDefaults) *sla.ServiceLevel {
	o := v.object(levelSection)
	if o == nil {
		return nil
	}
	a := shared.agreement
	l := &sla.ServiceLevel{
		ID:     sla.ID{SLA: a.Name, Service: a.Name},
		Period: shared.periods[0], MorePeriods: shared.periods[1:],
		Pos: v.pos(), TargetPos: v.pos(), PeriodPos: shared.periodAt.pos(),
		ServiceHours: shared.hours, Exclusions: a.Exclusions, OnClaim: a.OnClaim, Recovery: a.Recovery, Labels: merged(a.Labels, nil), Escalation: a.Escalation,
		RollupLabels: shared.rollups, RollupWeight: sla.NewDecimal(1, 1),
	}
	d := &levelDraft{object: o, level: l, shared: shared}
	for _, k := range levelKeys {
		if at, given := o.get(k.key); given {
			k.read(d, at)
		}
	}
	d.finish()
	return l
}

// finish does what depends on several keys, once all are read.
func (d *levelDraft) finish() {
	l := d.level
	l.Alerting = d.d.buildAlerting(l, d.targetOK, d.shared.agreement.Severities, d.shared.alerting, d.alerting)
	nameSeverities(l)
	d.checkGroups()
	if d.escalation.given {
		d.escalation.check(l.Escalation, []*sla.ServiceLevel{l}, d.shared.agreement, "level "+quote(l.ID.SLO))
	}
	l.Settlement.FixedMinutes = d.d.fixedMinutes[l.PeriodPos]
	l.Defaults = defaultsOfLevel(d.object, l, d.shared)
	if d.targetOK {
		warnCoarseProbe(d.object, l)
	}
}

func (d *levelDraft) readName(v value) {
	if name, _ := v.identifier(); name != "" {
		d.level.ID.SLO, d.level.Pos = name, v.pos()
		if !d.shared.periodGiven {
			d.level.PeriodPos = v.pos()
		}
	}
}

func (d *levelDraft) readService(v value) {
	if service, _ := v.identifier(); service != "" {
		d.level.ID.Service = service
	}
}

func (d *levelDraft) readIndicator(v value) {
	l, ok := d.level, false
	if l.Indicator, ok = decodeIndicator(v); ok {
		l.Aggregation = l.Indicator.Aggregations()[0]
		l.Slots = l.Aggregation.DefaultSlots()
	}
}

func (d *levelDraft) readTarget(v value) { d.targetOK = readTarget(v, d.level) }

func (d *levelDraft) readObjective(v value) { d.targetOK = readObjective(v, d.level) && d.targetOK }

// readTarget reads a target. It is also the objective, unless readObjective sets another
// one.
func readTarget(v value, l *sla.ServiceLevel) bool {
	target, ok := v.percent()
	if ok {
		l.Target, l.Objective, l.TargetPos = target, target, v.pos()
	}
	return ok
}

// readObjective reads an objective. It must not be below the target.
func readObjective(v value, l *sla.ServiceLevel) bool {
	objective, ok := v.percent()
	if !ok {
		return false
	}
	if l.Target.Sign() > 0 && objective.Cmp(l.Target) < 0 {
		v.error("bad-target", v.quoted()+" is below the target "+quote(l.Target.String())+": alerts would come after the contract is broken",
			"make the objective at least the target, or leave it out")
		return false
	}
	l.Objective = objective
	return true
}

func (d *levelDraft) readPeriod(v value) {
	if periods, ok := parsePeriods(v); ok {
		d.level.Period, d.level.MorePeriods, d.level.PeriodPos = periods[0], periods[1:], v.pos()
	}
}

func (d *levelDraft) readServiceHours(v value) {
	if hours, ok := d.shared.calendars.lookUp(v); ok {
		d.level.ServiceHours = hours
	}
}

func (d *levelDraft) readExclusions(v value) {
	a := d.shared.agreement
	own := parseExclusionNames(v, slices.Concat(a.Exclusions, a.OnClaim))
	d.level.Exclusions, d.level.OnClaim = splitClaims(own)
}

func (d *levelDraft) readRecovery(v value) {
	if r, ok := parseRecovery(v); ok {
		d.level.Recovery = r
	}
}

func (d *levelDraft) readLabels(v value) {
	own, _ := parseLabels(v)
	d.level.Labels = merged(d.shared.agreement.Labels, own)
}

func (d *levelDraft) readAlerting(v value) {
	d.alerting, _ = decodeAlerting(v)
	d.alerting.refuseSeverities()
	d.alerting.refuseOfAgreement()
}

// readEscalation reads the level's own steps, which replace the agreement's.
func (d *levelDraft) readEscalation(v value) {
	if d.escalation, _ = parseEscalation(v, d.shared.agreement, d.shared.calendars); d.escalation.given {
		d.level.Escalation = d.escalation.model()
	}
}

// readAggregation reads the aggregation, which must be one that the indicator allows.
func (d *levelDraft) readAggregation(at value) {
	l := d.level
	given, ok := parseAggregation(at)
	if l.Indicator == nil {
		l.Aggregation, l.Slots = given.method, given.slots
		return
	}
	if !ok {
		return
	}
	allowed := l.Indicator.Aggregations()
	if slices.Contains(allowed, given.method) {
		l.Aggregation, l.Slots, l.Settlement.Outage = given.method, given.slots, given.outage
		if given.method.Counts() == sla.CountsSeconds && given.slots.Weight.Text != "" && !sla.LookedAt(l.Indicator) {
			at.error("bad-aggregation", "weight is for single minutes, and this "+l.Indicator.Kind()+" indicator is counted over five of them by time",
				"use the method bad_minute, or all_failed_minute")
		}
		if given.slots.Quorum > 0 && !sla.IsProbed(l.Indicator) {
			at.error("bad-aggregation", "quorum is for probes, which have locations, and this indicator is "+quote(l.Indicator.Kind()), "leave it out")
		}
		return
	}
	names := make([]string, len(allowed))
	for i, a := range allowed {
		names[i] = string(a)
	}
	at = given.methodAt
	at.error("bad-aggregation", at.quoted()+" does not suit this "+l.Indicator.Kind()+" indicator",
		"it takes "+list(names)+"; the first is the default")
}
