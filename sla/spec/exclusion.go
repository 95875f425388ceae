package spec

import (
	"fmt"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

const instantPattern = `^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})?$`

var (
	instantType = valueType{name: "time", sample: `"2026-12-01T22:00"`, scalars: []schema{{"type": "string", "pattern": instantPattern}}}
	effectType  = oneOf(namesOf(sla.Effects())...)
	windowsType = valueType{name: "list of mappings", sample: `[{rrule: "FREQ=MONTHLY;BYDAY=1SU", start: "2026-01-04T01:00", duration: 4h}]`, sections: []*section{windowSection}, shape: listOf}
)

var maintenanceSection = &section{
	name: "maintenance",
	doc:  "Maintenance windows of the provider. They are the exclusion with the name `maintenance`.",
	fields: []field{
		{key: "windows", typ: windowsType, required: true, doc: "When. Failures after the end of a window count."},
		{key: "effect", typ: effectType, required: true, doc: docOf(sla.Effects())},
		{key: "cap", typ: mapping(capSection), example: "{windowTime: 4h, per: month}", doc: capDoc},
		{key: "notice", typ: durationType, example: "5d", doc: "How long before it begins a single window must be `announced`. If it was announced later it excuses nothing, and `check` warns."},
	},
}

var exclusionSection = &section{
	name: "an exclusion",
	doc:  "Time or failures that do not count against the provider: while a condition holds, in windows, or when an [Adjustment](adjustments.md) claims it afterwards.",
	fields: []field{
		{key: "name", typ: nameType, required: true, example: "customer-caused", doc: "The label `exclusion` of its mask. Unique within the agreement, and not `maintenance`."},
		{key: "category", typ: oneOf(sla.Categories...), def: "other", doc: "The kind of reason, for people."},
		{key: "condition", typ: queryType, example: `'customer_link_up{site="a"} == 0'`, doc: "Excluded while it holds for every series that it compares, and not while there is none. It is written like the indicator [condition](#condition)."},
		{key: "windows", typ: windowsType, doc: "Excluded in these windows."},
		{key: "approval", typ: oneOf(namesOf(sla.ApprovalRules())...), doc: "Excluded in the time that adjustments claim, if these parties approve. " + docOf(sla.ApprovalRules()) + " An exclusion with a condition or windows was agreed in advance and needs none."},
		{key: "evidence", typ: oneOf("required", "optional"), def: "optional", doc: "With `approval`: whether a claim must name evidence."},
		{key: "disputeBy", typ: durationType, example: "10d", doc: "With `approval`: how long after a claim was filed it can be disputed, in whole days. Silence is no approval."},
		{key: "effect", typ: effectType, required: true, doc: docOf(sla.Effects())},
		{key: "cap", typ: mapping(capSection), example: "{excludedDowntime: 2h, per: quarter}", doc: capDoc},
	},
	oneOf: [][]string{{"condition", "windows", "approval"}},
}

var windowSection = &section{
	name: "a window",
	doc:  "One window (`from` and `to`), recurring windows (`rrule`, `start` and `duration`), or the events of an iCalendar file (`ics`).",
	fields: []field{
		{key: "from", typ: instantType, doc: "When it begins: by the wall clock of `timeZone`, or with an offset or `Z`."},
		{key: "to", typ: instantType, example: `"2026-12-02T04:00"`, doc: "When it ends."},
		{key: "rrule", typ: valueType{name: "recurrence rule (RFC 5545)", sample: `"FREQ=WEEKLY;BYDAY=SU"`, scalars: textType.scalars}, doc: "When windows begin, in wall time: a window at 01:00 stays at 01:00 when clocks change."},
		{key: "start", typ: instantType, example: `"2026-01-04T01:00"`, doc: "The wall time of the first window, `DTSTART`."},
		{key: "duration", typ: durationType, example: "4h", doc: "How long each lasts, in elapsed time."},
		{key: "ics", typ: valueType{name: "file", sample: "maintenance.ics", scalars: textType.scalars}, doc: "An iCalendar file, named relative to this one: each event is a window, with its time zone, `RRULE`, `RDATE`, `EXDATE` and changed instances; cancelled ones are left out. With a `notice`, single events were announced when they were `CREATED`, changed instances when they were `LAST-MODIFIED`."},
		{key: "timeZone", typ: zoneType, def: "`spec.timeZone`", doc: "The time zone of the wall times; in an iCalendar file, of events without a zone."},
		{key: "announced", typ: instantType, example: `"2026-11-24T09:00"`, doc: "When customers were told about a single window."},
		{key: "emergency", typ: booleanType, def: "false", doc: "`true`: the window needs no notice."},
		{key: "reason", typ: textType, example: "Database upgrade", doc: "What is done in it, for people: `upheld maintenance list` shows it. Events of an iCalendar file have their own."},
		{key: "approvedBy", typ: textType, example: "A. Provider", doc: "Who approved it, for people."},
	},
	oneOf: [][]string{{"from", "rrule", "ics"}},
}

var capSection = &section{
	name: "cap",
	doc:  "The most that is excused in each calendar period. What comes first is excused first.",
	fields: []field{
		{key: "windowTime", typ: durationType, example: "4h", doc: "Limits the time of windows, whatever happens in them. Windows beyond it excuse nothing; `check` says which."},
		{key: "excludedDowntime", typ: durationType, example: "240m", doc: "Limits the downtime in windows, or while the condition held. It is measured for levels that count time and are judged over the period too. When it is used up, `SLAExclusionCap` fires; figures and alerts go on excusing, and the overrun counts when the contract is settled."},
		{key: "per", typ: valueType{name: either(unitNames) + ", or a mapping", sample: "month", scalars: []schema{{"type": "string", "enum": unitNames}}, sections: []*section{periodSection}}, required: true, example: "month", doc: "The calendar period of the limit."},
		{key: "enabled", typ: booleanType, def: "true", doc: "`false`: no alert; how much of `excludedDowntime` is used is still recorded."},
		{key: "severity", typ: valueType{name: "text", sample: "ticket", scalars: textType.scalars}, def: "ticket", doc: "The label `severity` of the alert."},
		{key: "for", typ: durationType, def: "0s", example: "10m", doc: "How long this must last before the alert fires."},
		{key: "labels", typ: labelsType, doc: "Labels to add to the alert."},
	},
	oneOf: [][]string{{"windowTime", "excludedDowntime"}},
}

const capDoc = "The most that is excused in a calendar period."

// decodeCap reads the cap of an exclusion. It returns nil if there is none or it is
// wrong.
func decodeCap(o *object, e *sla.Exclusion) *sla.Cap {
	v, given := o.get("cap")
	if !given {
		return nil
	}
	v.name = "cap"
	x := v.object(capSection)
	if x == nil {
		return nil
	}
	c := &sla.Cap{Pos: v.d.pos(v.key)}
	windows, at, ofWindows := read(x, "windowTime", value.duration)
	down, downAt, ofDowntime := read(x, "excludedDowntime", value.duration)
	per, perAt, good := read(x, "per", parsePeriod)
	if good && per.Calendar == "" {
		perAt.error("bad-cap", perAt.quoted()+" is no calendar period, so that there is no order in which it is used up", "write "+either(unitNames))
		good = false
	}
	c.WindowTime, c.Downtime, c.Per = windows, down, per
	if good && v.d.fixedMinutes[perAt.pos()] > 0 {
		perAt.error("bad-cap", "a cap follows the calendar, whatever length its periods count as", "leave fixedMinutes out")
		good = false
	}
	if ofDowntime {
		at = downAt
		c.Notice = &sla.Notice{Severity: "ticket"}
		setIfGiven(&c.Notice.Severity, optional(x, "severity", parsePlainText))
		setIfGiven(&c.Notice.For, optional(x, "for", value.durationOrZero))
		c.Notice.Labels, _, _ = read(x, "labels", parseLabels)
	}
	if enabled := optional(x, "enabled", value.boolean); enabled != nil && !*enabled {
		c.Notice = nil
	}
	switch {
	case !good || ofWindows == ofDowntime:
		return nil
	case ofWindows && e.Condition.Text != "":
		at.error("bad-cap", "windowTime bounds windows, and this exclusion holds on a condition", "write excludedDowntime")
		return nil
	case max(windows, down) >= per.Nominal():
		at.error("bad-cap", fmt.Sprintf("%s is no bound: it is as long as a %s", at.quoted(), per.Calendar), "make it shorter, or leave cap out")
		return nil
	}
	if ofWindows {
		for _, key := range []string{"enabled", "severity", "for", "labels"} {
			if alert, given := x.get(key); given {
				v.d.errorAt(alert.key, "conflicting-keys", quote(key)+" is of an alert, and of windowTime there is none: what is beyond it is known before", "leave it out")
			}
		}
	}
	return c
}

// maxWindow is the longest window.
const maxWindow = 366 * 24 * time.Hour

// decodeExclusions reads the agreement's exclusions, maintenance first, and apart from
// them those whose time adjustments claim.
func decodeExclusions(o *object) (agreed, onClaim []*sla.Exclusion) {
	var all []*sla.Exclusion
	if at, given := o.get("maintenance"); given {
		if m := at.object(maintenanceSection); m != nil {
			e := &sla.Exclusion{Name: sla.MaintenanceName, Category: sla.MaintenanceName, Pos: at.d.pos(at.key)}
			e.Notice, _, _ = read(m, "notice", value.duration)
			e.Windows = decodeWindows(m, e.Notice)
			e.Effect, _, _ = read(m, "effect", word(sla.Effects()...))
			e.Cap = decodeCap(m, e)
			all = append(all, e)
		}
	}
	items, _, _ := read(o, "exclusions", value.list)
	for _, item := range items {
		item.name = "an exclusion"
		x := item.object(exclusionSection)
		if x == nil {
			continue
		}
		e := &sla.Exclusion{Category: "other", Pos: item.pos()}
		name, at, ok := read(x, "name", value.identifier)
		if e.Name = name; ok {
			e.Pos = at.pos()
			if name == sla.MaintenanceName || slices.ContainsFunc(all, func(other *sla.Exclusion) bool { return other.Name == name }) {
				at.error("duplicate-exclusion", "the name "+quote(name)+" is taken", "give this exclusion another name")
			}
		}
		if category, _, ok := read(x, "category", word(sla.Categories...)); ok {
			e.Category = category
		}
		e.Condition, _, _ = read(x, "condition", value.query)
		e.Windows = decodeWindows(x, 0)
		e.Effect, _, _ = read(x, "effect", word(sla.Effects()...))
		e.Cap = decodeCap(x, e)
		e.Claim = decodeClaim(x)
		all = append(all, e)
	}
	return splitClaims(all)
}

// splitClaims separates the exclusions whose time adjustments claim from the others.
func splitClaims(all []*sla.Exclusion) (agreed, onClaim []*sla.Exclusion) {
	for _, e := range all {
		if e.Claim == nil {
			agreed = append(agreed, e)
		} else {
			onClaim = append(onClaim, e)
		}
	}
	return agreed, onClaim
}

// decodeClaim reads how an exclusion is claimed, nil if it is not.
func decodeClaim(o *object) *sla.Claim {
	approval, at, _ := read(o, "approval", word(sla.ApprovalRules()...))
	evidence, _, _ := read(o, "evidence", word("required", "optional"))
	disputeBy, _, _ := read(o, "disputeBy", parseDays)
	if at.node == nil {
		for _, key := range o.given("evidence", "disputeBy") {
			o.d.errorAt(o.values[key].key, "conflicting-keys", key+" goes with approval, which is missing", "leave it out")
		}
		return nil
	}
	return &sla.Claim{Approval: approval, Evidence: evidence == "required", DisputeBy: disputeBy}
}

// maxWindows limits how many windows an agreement has in the years that rules hold:
// about one every ten minutes.
const maxWindows = 250_000

// windowKeys are the keys that belong to each kind of window.
var windowKeys = []struct {
	kind string
	keys []string
}{{"from", []string{"to", "announced", "emergency"}}, {"rrule", []string{"start", "duration"}}, {"ics", nil}}

// wallLayouts are the accepted forms of a time.
var wallLayouts = []string{"2006-01-02T15:04", "2006-01-02T15:04:05"}

// utcMeant is the location of times that were written with an offset or Z, so that they
// are not wall times.
var utcMeant = time.FixedZone("UTC", 0)

// parseExclusionNames returns the exclusions of the agreement that a list names. The
// list may be empty.
func parseExclusionNames(at value, all []*sla.Exclusion) []*sla.Exclusion {
	if at.node.Kind == yamlSequence && len(at.node.Content) == 0 {
		return nil
	}
	var own []*sla.Exclusion
	var names []string
	for _, e := range all {
		names = append(names, e.Name)
	}
	items, _ := at.list()
	for _, item := range items {
		name, ok := item.identifier()
		i := slices.Index(names, name)
		switch {
		case !ok:
		case i < 0:
			item.unknownName("unknown-exclusion", "exclusion", name, names, "spec.exclusions")
		case slices.Contains(own, all[i]):
			item.error("duplicate-exclusion", fmt.Sprintf("%q is named twice", name), "name it once")
		default:
			own = append(own, all[i])
		}
	}
	return own
}
