package spec

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

var alertingSection = &section{
	name: "alerting",
	doc:  "Which alerts there are, and when they fire. By default there are four tiers, from the SRE Workbook's table, adapted to the period.",
	fields: slices.Concat([]field{
		{key: "enabled", typ: booleanType, def: "true", doc: "`false`: no alert at all."},
		{key: "severities", typ: mapping(severitiesSection), doc: "The label `severity` of a page and of a ticket, if your routes use other names. Only in `spec.alerting`, for all levels."},
		{key: "labels", typ: labelsType, doc: "Added to every alert, e.g. for routing."},
		{key: "annotations", typ: valueType{name: "mapping of names to text", sample: `{summary: "…"}`, scalars: labelsType.scalars}, doc: "Added to every alert. Prometheus' templates work."},
		{key: "runbook", typ: urlType, example: "https://runbooks.example/shop", doc: "What to read when woken; becomes the annotation `runbook_url`."},
		{key: "minimumBadEvents", typ: countType, def: "3 for `events` and histograms, 0 for probes", doc: "How many bad events a tier's long window must contain before the tier fires, so that one failure in a quiet hour wakes nobody. For probes: how many failed ones. `0` means none."},
		{key: "minimumEvents", typ: countType, def: "0", example: "100", doc: "How many events of any kind the long window must contain before the tier fires. With less traffic nobody is woken, however bad it is."},
		{key: "weighByTraffic", typ: booleanType, def: "false", doc: "`true`: the bad share of a window is weighted by its traffic, compared with the period's mean. So failures in a quiet night count little, and those in the busiest hour much. For levels that count events."},
	}, alertFields(), []field{
		{key: "tiers", typ: valueType{name: "mapping of names to mappings", sample: "{ticket-slow: {enabled: false}}", sections: []*section{tierSection}, shape: byName}, def: "`page-fast`, `page-slow`, `ticket-fast`, `ticket-slow`", doc: "Changes a default tier key by key, turns it off, or adds a tier with another name."},
	}),
}

var severitiesSection = &section{
	name: "the names of severities",
	doc:  "Names only: a page is still a page, and holds back tickets. In the rest of the agreement `page` and `ticket` mean the same as these names.",
	fields: []field{
		{key: "page", typ: textType, def: "page", example: "critical", doc: "The severity of alerts that wake somebody."},
		{key: "ticket", typ: textType, def: "ticket", example: "warning", doc: "The severity of alerts for working hours."},
	},
}

var tierSection = &section{
	name: "an alert tier",
	doc:  "Fires while the bad share over a long and over a short window exceeds factor × error budget of the objective. A tier with a new name needs `severity`, `long` and `factor`; a default tier keeps what you leave out.",
	fields: []field{
		{key: "enabled", typ: booleanType, def: "true", doc: "`false` turns the tier off."},
		{key: "severity", typ: valueType{name: "text", sample: "page", scalars: textType.scalars}, def: "the default tier's", doc: "`page` or `ticket`, or as `alerting.severities` calls them. Any other text only changes the label `severity` of this alert: a default tier is still a page or a ticket, and a tier with a new name is a ticket."},
		{key: "long", typ: durationType, def: "the default tier's", example: "1h", doc: "The long window, which shows that it matters. In whole minutes up to `6h`, in steps of 5 minutes above; longer than `short`, not longer than the period."},
		{key: "short", typ: durationType, def: "a twelfth of `long`, at least 5m", example: "5m", doc: "The short window, which shows that it is still happening. At least `5m`."},
		{key: "factor", typ: decimalType, def: "the default tier's", doc: "The burn rate: 1 spends the budget in exactly one period."},
		{key: "for", typ: durationType, def: "0s", example: "2m", doc: "How long the tier must burn before the alert fires."},
		{key: "keepFiringFor", typ: durationType, def: "0s", example: "10m", doc: "How long the alert goes on after the tier stopped burning."},
		{key: "labels", typ: labelsType, example: "{channel: night-shift}", doc: "Added to the tier's alert."},
	},
}

// alertingPatch holds what one alerting mapping sets. Nil and empty fields keep what the
// mapping below it says.
type alertingPatch struct {
	enabled             *bool
	labels, annotations map[string]string
	runbook             string
	names               *severityNames
	minEvents, minBad   *count
	byTraffic           *choice
	notices             map[*sla.AlertKind]*noticePatch
	tiers               []tierPatch
}

// countType is a whole number, not negative.
var countType = valueType{name: "whole number", sample: "3", scalars: []schema{{"type": "integer", "minimum": 0, "maximum": maxCount}}}

// tierPatch holds what one mapping sets of a tier.
type tierPatch struct {
	at                      value // its mapping
	keys                    map[string]value
	enabled                 *bool
	severity                *string
	long, short, hold, keep *time.Duration
	factor                  *sla.Decimal
	labels                  map[string]string
}

func decodeAlerting(v value) (*alertingPatch, bool) {
	if v.node.ShortTag() == "!!bool" {
		v.typeError("a mapping", "write "+v.name+": {enabled: "+v.node.Value+"}")
		return nil, false
	}
	o := v.object(alertingSection)
	if o == nil {
		return nil, false
	}
	p := &alertingPatch{enabled: optional(o, "enabled", value.boolean)}
	p.names = readSeverities(o)
	p.labels, _, _ = read(o, "labels", parseLabels)
	p.annotations, _, _ = read(o, "annotations", parseAnnotations)
	p.runbook, _, _ = read(o, "runbook", parseRunbook)
	p.minEvents = optional(o, "minimumEvents", value.count)
	p.minBad = optional(o, "minimumBadEvents", value.count)
	if at, given := o.get("weighByTraffic"); given {
		if on := optional(o, "weighByTraffic", value.boolean); on != nil {
			p.byTraffic = &choice{at, *on}
		}
	}
	p.notices = readNotices(o)
	entries, _, _ := read(o, "tiers", value.entries)
	for _, entry := range entries {
		if !nameRegexp.MatchString(entry.name) {
			v.d.errorAt(entry.key, "bad-name", quote(entry.name)+" is not a valid name of a tier", "use lower-case letters, digits and -")
			continue
		}
		if tier := entry.object(tierSection); tier != nil {
			p.tiers = append(p.tiers, decodeTier(tier))
		}
	}
	return p, true
}

func decodeTier(o *object) tierPatch {
	labels, _, _ := read(o, "labels", parseLabels)
	return tierPatch{
		labels:   labels,
		at:       o.value,
		keys:     o.values,
		enabled:  optional(o, "enabled", value.boolean),
		severity: optional(o, "severity", parsePlainText),
		long:     optional(o, "long", value.duration),
		short:    optional(o, "short", value.duration),
		factor:   optional(o, "factor", value.decimal),
		hold:     optional(o, "for", value.durationOrZero),
		keep:     optional(o, "keepFiringFor", value.durationOrZero),
	}
}

// tierDraft is a tier while patches are applied to it.
type tierDraft struct {
	sla.Tier
	enabled    bool
	standard   bool             // one of the default tiers
	shortGiven bool             // else it follows the long window
	at         value            // the last patch that names it
	keys       map[string]value // what patches set, to report errors there
}

// buildAlerting makes the alerting of a level: the default tiers of its period, then the
// agreement's patch, then the level's own.
func (d *decoder) buildAlerting(l *sla.ServiceLevel, targetOK bool, names sla.SeverityNames, patches ...*alertingPatch) sla.Alerting {
	a := l.DefaultAlerting()
	a.Names = names
	var drafts []*tierDraft
	for _, t := range a.Tiers {
		drafts = append(drafts, &tierDraft{Tier: t, enabled: true, standard: true, keys: map[string]value{}})
	}
	a.Tiers = nil
	enabled := true
	for _, p := range patches {
		if p == nil {
			continue
		}
		if p.enabled != nil {
			enabled = *p.enabled
		}
		a.Labels = merged(a.Labels, p.labels)
		a.Annotations = merged(a.Annotations, p.annotations)
		a.Runbook = cmp.Or(p.runbook, a.Runbook)
		for _, t := range p.tiers {
			drafts = applyTier(drafts, t)
		}
	}
	a.Disabled = !enabled
	a.MinimumEvents, a.MinimumBadEvents = minimumEvents(l, patches)
	a.WeighByTraffic = weighsByTraffic(l, patches)
	l.Alerting.WeighByTraffic = a.WeighByTraffic // thresholds depend on it
	applyNotices(&a, l, patches)
	promises := promisesOf(l)
	for _, t := range drafts {
		if !t.checkComplete(drafts) || !t.enabled || !enabled {
			continue
		}
		t.nameSeverity(names)
		if t.checkWindows(l) && targetOK {
			t.warnAdapted(d, l, promises)
		}
		a.Tiers = append(a.Tiers, t.Tier)
	}
	slices.SortStableFunc(a.Tiers, func(x, y sla.Tier) int {
		return cmp.Or(y.Factor.Cmp(x.Factor), cmp.Compare(x.Long, y.Long))
	})
	followTiers(a, patches)
	return a
}

// applyTier applies a patch to the tier of its name, and adds the tier if there is none.
func applyTier(drafts []*tierDraft, p tierPatch) []*tierDraft {
	i := slices.IndexFunc(drafts, func(t *tierDraft) bool { return t.Name == p.at.name })
	if i < 0 {
		drafts = append(drafts, &tierDraft{Tier: sla.Tier{Name: p.at.name}, enabled: true, keys: map[string]value{}})
		i = len(drafts) - 1
	}
	t := drafts[i]
	t.at, t.Pos = p.at, p.at.d.pos(p.at.key)
	maps.Copy(t.keys, p.keys)
	setIfGiven(&t.enabled, p.enabled)
	setIfGiven(&t.Severity, p.severity)
	setIfGiven(&t.Long, p.long)
	setIfGiven(&t.Short, p.short)
	setIfGiven(&t.Factor, p.factor)
	setIfGiven(&t.For, p.hold)
	setIfGiven(&t.KeepFiringFor, p.keep)
	t.Labels = merged(t.Labels, p.labels)
	t.shortGiven = t.shortGiven || p.short != nil
	if !t.shortGiven && t.Long > 0 {
		t.Short = sla.ShortWindow(t.Long).Truncate(time.Minute)
	}
	return drafts
}

func setIfGiven[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

// checkComplete reports a tier with a new name if keys without a default are missing.
func (t *tierDraft) checkComplete(all []*tierDraft) bool {
	if t.standard {
		return true
	}
	var standard, missing []string
	for _, other := range all {
		if other.standard {
			standard = append(standard, other.Name)
		}
	}
	for _, key := range []string{"severity", "long", "factor"} {
		if _, given := t.keys[key]; !given {
			missing = append(missing, key)
		}
	}
	if len(missing) == 0 {
		return t.Severity != "" && t.Long > 0 && t.Factor.Sign() != 0
	}
	remedy := "add " + list(missing)
	if near := Nearest(t.Name, standard); near != "" {
		remedy = "did you mean " + quote(near) + "? Otherwise " + remedy
	}
	t.at.d.errorAt(t.at.key, "missing-key", fmt.Sprintf("the tier %q is none of the default ones (%s), so it needs %s",
		t.Name, list(standard), list(missing)), remedy)
	return false
}

// secondLayer is the longest window that rules sum from one-minute samples. Longer ones
// are summed from samples every five minutes.
const secondLayer = 6 * time.Hour

// checkWindows reports windows and factors that cannot work for the level. The place is
// the window's key if it was given, else the tier.
func (t *tierDraft) checkWindows(l *sla.ServiceLevel) bool {
	if len(t.keys) == 0 {
		return true // a default tier fits by construction
	}
	long, short := t.window("long"), t.window("short")
	name := "the tier " + quote(t.Name)
	switch {
	case t.Factor.Sign() <= 0:
		t.place("factor").error("bad-factor", "the factor "+quote(t.Factor.String())+" of "+name+" is not above 0", `1 spends the budget in exactly one period; "14.4" pages`)
		return false
	case t.Short < sla.BaseWindow:
		short.error("bad-window", fmt.Sprintf("%s has the short window %s, under the 5m that rules look at", name, sla.FormatDuration(t.Short)), "write short: 5m")
		return false
	case t.Long <= t.Short:
		long.error("bad-window", fmt.Sprintf("%s has the long window %s, which is not longer than the short one of %s",
			name, sla.FormatDuration(t.Long), sla.FormatDuration(t.Short)), "the workbook takes a twelfth of the long window for the short one; leave short out for that")
		return false
	case t.Long > l.Period.Nominal():
		long.error("bad-window", fmt.Sprintf("%s has the long window %s, longer than the period of %s of level %q",
			name, sla.FormatDuration(t.Long), l.Period, l.ID.SLO), "choose a window that is a small part of the period")
		return false
	}
	fit := true
	for _, w := range []struct {
		at     value
		length time.Duration
	}{{long, t.Long}, {short, t.Short}} {
		step := time.Minute
		if w.length > secondLayer {
			step = 5 * time.Minute
		}
		if w.length%step != 0 {
			fit = false
			w.at.error("bad-window", fmt.Sprintf("%s has the window %s, no multiple of %s, in which windows of that length are summed",
				name, sla.FormatDuration(w.length), sla.FormatDuration(step)), "round it")
		}
	}
	if factor, given := t.keys["factor"]; given && fit && t.Factor.Cmp(sla.NewDecimal(1, 1)) < 0 {
		factor.warn("low-factor", fmt.Sprintf("%s fires at a burn rate of %s, at which the budget lasts longer than the period",
			name, t.Factor), "use a factor of at least 1, unless you want to know of any failure")
	}
	return fit
}

// window is where errors about a window are reported.
func (t *tierDraft) window(key string) value { return t.place(key) }

// place is the value of a key, or the tier's mapping if the key was left out.
func (t *tierDraft) place(key string) value {
	if v, given := t.keys[key]; given {
		return v
	}
	return t.at
}

// promiseBudget is a promise of a level and its error budget.
type promiseBudget struct {
	sla.GroupTarget
	budget sla.Decimal
}

func promisesOf(l *sla.ServiceLevel) []promiseBudget {
	var all []promiseBudget
	for _, p := range l.Promises() {
		all = append(all, promiseBudget{p, p.ObjectiveBudget()})
	}
	return all
}

// warnAdapted warns if a budget of the level is so large that the tier's factor cannot
// be reached, so that the alert fires at a lower threshold.
func (t *tierDraft) warnAdapted(d *decoder, l *sla.ServiceLevel, promises []promiseBudget) {
	for _, promise := range promises {
		budget := promise.budget
		threshold, adapted := t.Threshold(budget)
		if adapted { // if not, it is not adapted with fewer hours either
			if share := l.AlertShare(time.Now()); share.Sign() > 0 {
				threshold, adapted = t.ThresholdWithin(share, budget)
			}
		}
		if !adapted {
			continue
		}
		pos, of := promise.Pos, ""
		if factor, given := t.keys["factor"]; given {
			pos = factor.pos()
		}
		if len(promise.Match) > 0 {
			of = " of " + promise.Words()
		}
		d.report(sla.Warning, pos, "adapted-threshold", fmt.Sprintf(
			"the tier %q of level %q wants %s × the error budget of %s %%%s, that is %s %% bad, which an outage can hardly or never reach; it fires at %s %% instead",
			t.Name, l.ID.SLO, t.Factor, percentOf(budget), of, percentOf(t.Factor.Mul(budget)), percentOf(threshold)),
			"choose a smaller factor for it, or turn it off: tiers: {"+t.Name+": {enabled: false}}")
	}
}

func percentOf(ratio sla.Decimal) string { return ratio.Mul(sla.NewDecimal(100, 1)).String() }
