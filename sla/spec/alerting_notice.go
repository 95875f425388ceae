package spec

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// noticeFields are the keys shared by all alerts that are not tiers.
func noticeFields(severity, hold string, more ...field) []field {
	return append(more, []field{
		{key: "enabled", typ: booleanType, def: "true", doc: "`false` turns the alert off."},
		{key: "severity", typ: valueType{name: "text", sample: "ticket", scalars: textType.scalars}, def: severity, doc: "The label `severity` of the alert."},
		{key: "for", typ: durationType, def: hold, example: "30m", doc: "How long this must last before the alert fires."},
		{key: "keepFiringFor", typ: durationType, def: "0s", example: "10m", doc: "How long the alert goes on afterwards."},
		{key: "labels", typ: labelsType, example: "{channel: managers}", doc: "Added to the alert."},
	}...)
}

// alertFields are the keys of alerting for kinds of alerts, one for each kind.
func alertFields() []field {
	var all []field
	for _, k := range sla.AlertKinds {
		if o := k.Options; o != nil {
			all = append(all, field{key: keyOf(k), typ: mapping(sectionOf(k)), def: o.DefaultWords, doc: o.Doc, synonyms: o.Synonyms})
		}
	}
	return all
}

// keyOf is the key of alerting for a kind of alert.
func keyOf(k *sla.AlertKind) string {
	_, key, _ := strings.Cut(k.Key, ".")
	return key
}

// sectionOf describes the mapping below that key.
func sectionOf(k *sla.AlertKind) *section {
	o := k.Options
	var own []field
	if k.PerPeriod {
		own = append(own, field{
			key: "periods", typ: valueType{name: "list of periods", sample: "[month]", scalars: textType.scalars, shape: listOf}, def: "all of the level's",
			example: "[month]", doc: "If a level has several periods: the ones whose budgets the alert is about, by name: `30d`, `month`.",
		})
	}
	if f := o.LookAhead; f != nil {
		own = append(own,
			field{key: "within", typ: durationType, def: f.WithinDefault, example: "1d", doc: f.Within},
			field{key: "over", typ: durationType, def: "the long window of `page-slow`: 6h for 30 days", example: "6h", doc: f.Over})
	}
	standard := o.Default(&sla.ServiceLevel{Period: defaultPeriod})
	if o.Share != "" {
		own = append(own, field{key: "share", typ: creditPercentType, def: quote(standard.Share.String()), example: `"90"`, doc: o.Share})
	}
	text := o.Text + " [More about it](" + k.Doc + ")."
	if k.OfAgreement {
		text += " Only in `spec.alerting`, since it is about the agreement."
	}
	return &section{name: o.Section, doc: text, fields: noticeFields(standard.Severity, sla.FormatDuration(standard.For), own...)}
}

// noticePatch holds what one mapping sets of such an alert.
type noticePatch struct {
	at         value // its mapping
	enabled    *bool
	severity   *string
	hold, keep *time.Duration
	labels     map[string]string
	periods    []value // that the alert is for
	within     *durationAt
	over       *durationAt
	share      *sla.Decimal
}

// durationAt is a duration and where it was written.
type durationAt struct {
	length time.Duration
	at     value
}

func parseDurationAt(v value) (durationAt, bool) {
	d, ok := v.duration()
	return durationAt{d, v}, ok
}

// readNotices reads the keys of alerting for kinds of alerts, as far as they were given.
func readNotices(o *object) map[*sla.AlertKind]*noticePatch {
	all := map[*sla.AlertKind]*noticePatch{}
	for _, k := range sla.AlertKinds {
		if k.Options == nil {
			continue
		}
		if p := readNotice(o, keyOf(k)); p != nil {
			all[k] = p
		}
	}
	return all
}

// readNotice reads one of them. It returns nil if the key was left out.
func readNotice(o *object, key string) *noticePatch {
	v, given := o.get(key)
	if !given {
		return nil
	}
	if v.node.ShortTag() == "!!bool" {
		v.typeError("a mapping", "write "+key+": {enabled: "+v.node.Value+"}")
		return nil
	}
	s := v.field.typ.sections[0]
	if o = v.object(s); o == nil {
		return nil
	}
	p := &noticePatch{
		at:       v,
		enabled:  optional(o, "enabled", value.boolean),
		severity: optional(o, "severity", parsePlainText),
		hold:     optional(o, "for", value.durationOrZero),
		keep:     optional(o, "keepFiringFor", value.durationOrZero),
	}
	p.labels, _, _ = read(o, "labels", parseLabels)
	if s.field("periods") != nil {
		p.periods, _, _ = read(o, "periods", value.list)
	}
	if s.field("within") != nil {
		p.within = optional(o, "within", parseDurationAt)
		p.over = optional(o, "over", parseDurationAt)
	}
	if s.field("share") != nil {
		p.share = optional(o, "share", parseShareOfLimit)
	}
	return p
}

// parseShareOfLimit parses the share of a limit at which an alert warns before it.
func parseShareOfLimit(v value) (sla.Decimal, bool) {
	share, ok := v.decimal()
	if ok && (share.Sign() <= 0 || share.Cmp(sla.NewDecimal(100, 1)) >= 0) {
		v.error("bad-value", v.quoted()+" is not above 0 and below 100", `write the share of the limit in per cent, e.g. "75"`)
		return share, false
	}
	return share, ok
}

// ofAgreement is the alerting of an agreement's own alerts.
func (p *alertingPatch) ofAgreement(names sla.SeverityNames) sla.Alerting {
	a := sla.DefaultAgreementAlerting()
	a.Names = names
	if p != nil {
		a.Disabled = p.enabled != nil && !*p.enabled
		a.Labels, a.Annotations, a.Runbook = p.labels, p.annotations, p.runbook
	}
	for k, n := range a.Notices {
		if of := p.noticeOf(k); of != nil {
			of.applyTo(n, nil, false)
			if of.enabled != nil && !*of.enabled {
				delete(a.Notices, k)
			}
		}
		severity, urgency, _ := names.Named(n.Severity)
		n.Severity, n.Urgency = severity, urgency
	}
	return a
}

// refuseOfAgreement reports alerts in a level that only an agreement has.
func (p *alertingPatch) refuseOfAgreement() {
	if p == nil {
		return
	}
	for _, k := range sla.AlertKinds {
		if of := p.notices[k]; of != nil && k.OfAgreement {
			of.at.d.errorAt(of.at.key, "misplaced-key", keyOf(k)+" is about the whole agreement", "move it to spec.alerting")
		}
	}
}

// periodNames returns the level's periods that the patch names, or nil if it names none.
// A period that the level does not have is an error in the level's own patch; in the
// agreement's it is skipped.
func (p *noticePatch) periodNames(l *sla.ServiceLevel, own bool) []string {
	var names []string
	for _, at := range p.periods {
		at.name = "period"
		period, ok := parsePeriod(at)
		switch {
		case !ok:
		case slices.ContainsFunc(l.Periods(), func(of sla.Period) bool { return of.String() == period.String() }):
			names = append(names, period.String())
		case own:
			at.error("bad-period", fmt.Sprintf("%s is no period of level %q, which is judged over %s", quote(period.String()), l.ID.SLO, list(periodNames(l))), "name one of them")
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

// noticeOf is the patch of a kind of alert, or nil.
func (p *alertingPatch) noticeOf(k *sla.AlertKind) *noticePatch {
	if p == nil {
		return nil
	}
	return p.notices[k]
}

// applyNotices applies the patches to the alerts that are not tiers. The agreement's
// patch of a kind applies only to levels that can have the alert.
func applyNotices(a *sla.Alerting, l *sla.ServiceLevel, patches []*alertingPatch) {
	for _, k := range sla.AlertKinds {
		if k.OfAgreement {
			continue
		}
		n, on := a.Notices[k], !a.Disabled
		for i, of := range patches {
			p, own := of.noticeOf(k), i == len(patches)-1
			if p == nil {
				continue
			}
			if !k.Fits(l) {
				if need := k.Options.Needs; own {
					p.at.d.errorAt(p.at.key, "no-"+need.What, fmt.Sprintf("%s: the level %q has no %s", keyOf(k), l.ID.SLO, need.What), need.Remedy)
				}
				continue
			}
			p.applyTo(n, l, own)
			if p.enabled != nil {
				on = *p.enabled && !a.Disabled
			}
		}
		if !on {
			delete(a.Notices, k)
		}
	}
}

// applyTo applies the patch to an alert of a level, or without one of an agreement. own
// is set for the level's own patch.
func (p *noticePatch) applyTo(n *sla.Notice, l *sla.ServiceLevel, own bool) {
	setIfGiven(&n.Severity, p.severity)
	setIfGiven(&n.For, p.hold)
	setIfGiven(&n.KeepFiringFor, p.keep)
	setIfGiven(&n.Share, p.share)
	n.Labels = merged(n.Labels, p.labels)
	if l == nil { // of an agreement, which has no periods
		return
	}
	if watched := p.periodNames(l, own); watched != nil {
		n.Periods = watched
	}
	p.applyLookAhead(n, l)
}

// followTiers gives an alert the severity of the most urgent tier if its kind asks for
// that and no patch sets a severity.
func followTiers(a sla.Alerting, patches []*alertingPatch) {
	for k, n := range a.Notices {
		given := func(of *alertingPatch) bool { p := of.noticeOf(k); return p != nil && p.severity != nil }
		if k.Options.FollowsTiers && !slices.ContainsFunc(patches, given) {
			a.FollowTiers(n)
		}
	}
}

// applyLookAhead applies within and over to a forecast, and reports values that cannot
// work for the level.
func (p *noticePatch) applyLookAhead(f *sla.Notice, l *sla.ServiceLevel) {
	if p.within == nil && p.over == nil {
		return
	}
	shortest := slices.MinFunc(slices.DeleteFunc(l.Periods(), func(p sla.Period) bool { return !f.Watches(p) }), func(a, b sla.Period) int {
		return cmp.Compare(a.Nominal(), b.Nominal())
	})
	period := shortest.Nominal()
	if s := p.within; s != nil {
		f.Within, f.SameWithin = s.length, true
		if s.length >= period {
			s.at.error("bad-window", fmt.Sprintf("%s looks further ahead than the period of %s of level %q", s.at.quoted(), shortest, l.ID.SLO),
				"choose a small part of the period: "+sla.FormatDuration(sla.ForecastWithin(shortest))+" is the default")
		}
	}
	s := p.over
	if s == nil {
		return
	}
	f.Over = s.length
	step := time.Minute
	if s.length > secondLayer {
		step = 5 * time.Minute
	}
	switch {
	case s.length <= sla.BaseWindow:
		s.at.error("bad-window", s.at.quoted()+" is not longer than the 5m that rules look at", "write over: 1h, or leave it out")
	case s.length > period:
		s.at.error("bad-window", fmt.Sprintf("%s is longer than the period of %s of level %q", s.at.quoted(), shortest, l.ID.SLO), "write over: 6h, or leave it out")
	case s.length%step != 0:
		s.at.error("bad-window", fmt.Sprintf("%s is no multiple of %s, in which windows of that length are summed", s.at.quoted(), sla.FormatDuration(step)), "round it")
	}
}
