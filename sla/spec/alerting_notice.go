package spec

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// noticeFields are the keys that the alerts beside the tiers share.
func noticeFields(hold string, more ...field) []field {
	return append(more, []field{
		{key: "enabled", typ: booleanType, def: "true", doc: "`false` turns the alert off."},
		{key: "severity", typ: valueType{name: "text", sample: "ticket", scalars: textType.scalars}, def: "ticket", doc: "The label `severity` of the alert."},
		{key: "for", typ: durationType, def: hold, example: "30m", doc: "How long it must be so before the alert fires."},
		{key: "keepFiringFor", typ: durationType, def: "0s", example: "10m", doc: "How long the alert goes on after it is no longer so."},
		{key: "labels", typ: labelsType, example: "{channel: managers}", doc: "Added to the alert."},
	}...)
}

// watchedField says which of several periods an alert about a budget is for.
var watchedField = field{
	key: "periods", typ: valueType{name: "list of periods", sample: "[month]", scalars: textType.scalars, shape: listOf}, def: "all of the level's",
	example: "[month]", doc: "Of a level with several periods: whose budgets the alert is for, by their names: `30d`, `month`.",
}

var exhaustedSection = &section{
	name:   "the budget exhausted alert",
	doc:    "Fires while nothing of the whole period's budget is left: the target is missed unless failures leave a rolling period again.",
	fields: noticeFields("0s", watchedField),
}

var lostSection = &section{
	name: "the measurement lost alert",
	doc: "Fires when the level has no data, which is not the same as its being down. `for` counts from the last sample; rates tell of that for five minutes, so that less than seven comes to seven. " +
		"Its `severity` is by default that of the most urgent tier, which it may hide.",
	fields: noticeFields("10m"),
}

var groupLimitSection = &section{
	name:   "the group limit alert",
	doc:    "Fires while a level with `groupBy` has more than 80 % of the groups that its limit allows.",
	fields: noticeFields("0s"),
}

var forecastSection = &section{
	name: "the budget forecast alert",
	doc:  "Fires while the rest of the budget, burnt as over the last hours, ends soon. It waits for `minimumBadEvents` as the tiers do.",
	fields: noticeFields("0s", watchedField,
		field{key: "within", typ: durationType, def: "a thirtieth of the period, at least 1h; under a day a 24th", example: "1d", doc: "How soon the budget must end. Shorter than the period, and if there are several the same for all of them."},
		field{key: "over", typ: durationType, def: "the long window of `page-slow`: 6h for 30 days", example: "6h", doc: "Over which time the burn rate is taken. In whole minutes up to `6h`, in steps of 5 minutes above; longer than `5m`, not longer than the period."}),
}

var creditAlertSection = &section{
	name: "the credit tier alert",
	doc:  "Fires while the next tier of the level's credits, at the bad share of the last hours, is reached soon. It waits for `minimumBadEvents` as the tiers do.",
	fields: noticeFields("0s",
		field{key: "within", typ: durationType, def: "a thirtieth of the period that credits hang on, at least 1h; under a day a 24th", example: "1d", doc: "How soon the tier must be reached. Shorter than the period."},
		field{key: "over", typ: durationType, def: "the long window of `page-slow`: 6h for 30 days", example: "6h", doc: "Over which time the bad share is taken, as that of `budgetForecast`."}),
}

// noticePatch is such an alert as one mapping gives it.
type noticePatch struct {
	at         value // its mapping
	enabled    *bool
	severity   *string
	hold, keep *time.Duration
	labels     map[string]string
	periods    []value // that the alert is for
	within     *span
	over       *span
}

// span is a duration and where it was written.
type span struct {
	length time.Duration
	at     value
}

func (v value) span() (span, bool) {
	d, ok := v.duration()
	return span{d, v}, ok
}

// noticeOf reads one of the alerts, or is nil if it was not given.
func noticeOf(o *object, key string, s *section) *noticePatch {
	v, given := o.get(key)
	if !given {
		return nil
	}
	if v.node.ShortTag() == "!!bool" {
		v.wrongType("a mapping", "write "+key+": {enabled: "+v.node.Value+"}")
		return nil
	}
	o = v.object(s)
	if o == nil {
		return nil
	}
	p := &noticePatch{
		at:       v,
		enabled:  optional(o, "enabled", value.boolean),
		severity: optional(o, "severity", value.plainText),
		hold:     optional(o, "for", value.durationOrZero),
		keep:     optional(o, "keepFiringFor", value.durationOrZero),
	}
	p.labels, _, _ = read(o, "labels", value.labels)
	if s.field("periods") != nil {
		p.periods, _, _ = read(o, "periods", value.list)
	}
	if s.field("within") != nil {
		p.within = optional(o, "within", value.span)
		p.over = optional(o, "over", value.span)
	}
	return p
}

// watched are the names of the level's periods that the patch names, or nil if
// it names none. What the agreement names for all its levels holds for those
// that have it.
func (p *noticePatch) watched(l *sla.ServiceLevel, own bool) []string {
	var names []string
	for _, at := range p.periods {
		at.name = "period"
		period, ok := at.period()
		switch {
		case !ok:
		case slices.ContainsFunc(l.Periods(), func(of sla.Period) bool { return of.String() == period.String() }):
			names = append(names, period.String())
		case own:
			at.wrong("bad-period", fmt.Sprintf("%s is no period of level %q, which is judged over %s", quote(period.String()), l.ID.SLO, list(periodNames(l))), "name one of them")
		}
	}
	return names
}

func periodNames(l *sla.ServiceLevel) []string {
	var names []string
	for _, p := range l.Periods() {
		names = append(names, p.String())
	}
	return names
}

// applyNotices lays the patches on the alerts beside the tiers.
func applyNotices(a *sla.Alerting, l *sla.ServiceLevel, patches []*alertingPatch) {
	on := map[*sla.Notice]*bool{}
	lay := func(to *sla.Notice, p *noticePatch, own bool) {
		if p == nil {
			return
		}
		if p.enabled != nil {
			on[to] = p.enabled
		}
		set(&to.Severity, p.severity)
		set(&to.For, p.hold)
		set(&to.KeepFiringFor, p.keep)
		to.Labels = merged(to.Labels, p.labels)
		if watched := p.watched(l, own); watched != nil {
			to.Periods = watched
		}
	}
	exhausted, forecast, lost, groups, credit := a.BudgetExhausted, a.BudgetForecast, a.MeasurementLost, a.GroupLimit, sla.DefaultCreditAlert(l.CreditPeriod())
	for i, p := range patches {
		if p == nil {
			continue
		}
		own := i == len(patches)-1
		if own && p.groups != nil && len(l.GroupBy.Labels) == 0 {
			p.groups.at.d.errorAt(p.groups.at.key, "no-groups", fmt.Sprintf("groupLimit: the level %q has no groups", l.ID.SLO), "leave it out, or group the level: groupBy: [tenant]")
		}
		lay(exhausted, p.exhausted, own)
		lay(lost, p.lost, own)
		lay(groups, p.groups, own)
		if lay(&forecast.Notice, p.forecast, own); p.forecast != nil {
			p.forecast.lookAhead(forecast, l)
		}
		if own && p.credit != nil && len(l.Credits.Tiers) == 0 {
			p.credit.at.d.errorAt(p.credit.at.key, "no-credits", fmt.Sprintf("creditTier: the level %q has no credits", l.ID.SLO), `leave it out, or say what is owed: credits: {tiers: [{below: "99.9", percent: "10"}]}`)
		} else if lay(&credit.Notice, p.credit, own); p.credit != nil && len(l.Credits.Tiers) > 0 {
			p.credit.lookAhead(credit, l)
		}
	}
	off := func(n *sla.Notice) bool { return a.Disabled || on[n] != nil && !*on[n] }
	if off(exhausted) {
		a.BudgetExhausted = nil
	}
	if off(&forecast.Notice) {
		a.BudgetForecast = nil
	}
	if off(lost) {
		a.MeasurementLost = nil
	}
	if a.CreditTier = credit; off(&credit.Notice) || len(l.Credits.Tiers) == 0 {
		a.CreditTier = nil
	}
	if off(groups) || len(l.GroupBy.Labels) == 0 {
		a.GroupLimit = nil
	}
}

// lookAhead lays a patch on how far, and from what, a forecast looks, and
// reports what cannot work for the level.
func (p *noticePatch) lookAhead(f *sla.Forecast, l *sla.ServiceLevel) {
	shortest := slices.MinFunc(slices.DeleteFunc(l.Periods(), func(p sla.Period) bool { return !f.Watches(p) }), func(a, b sla.Period) int {
		return cmp.Compare(a.Nominal(), b.Nominal())
	})
	period := shortest.Nominal()
	if s := p.within; s != nil {
		f.Within, f.SameWithin = s.length, true
		if s.length >= period {
			s.at.wrong("bad-window", fmt.Sprintf("%s looks further ahead than the period of %s of level %q", s.at.said(), shortest, l.ID.SLO),
				"choose a small part of the period: "+sla.FormatDuration(sla.DefaultAlerting(shortest).BudgetForecast.Within)+" is the default")
		}
	}
	s := p.over
	if s == nil {
		return
	}
	f.Over = s.length
	step := time.Minute
	if s.length > secondTier {
		step = 5 * time.Minute
	}
	switch {
	case s.length <= sla.BaseWindow:
		s.at.wrong("bad-window", s.at.said()+" is not longer than the 5m that rules look at", "write over: 1h, or leave it out")
	case s.length > period:
		s.at.wrong("bad-window", fmt.Sprintf("%s is longer than the period of %s of level %q", s.at.said(), shortest, l.ID.SLO), "write over: 6h, or leave it out")
	case s.length%step != 0:
		s.at.wrong("bad-window", fmt.Sprintf("%s is no multiple of %s, in which windows of that length are summed", s.at.said(), sla.FormatDuration(step)), "round it")
	}
}
