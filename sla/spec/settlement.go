package spec

import (
	"slices"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// Keys that only verdicts follow.

var outageSection = &section{
	name: "outage",
	doc:  "When bad time is an outage: what contracts write as \"three failed checks in a row\". [Verdicts](verdict.md#outages) has the details.",
	fields: []field{
		{key: "confirmAfter", typ: durationType, def: "0s", example: "3m", verdictOnly: true, doc: "How long it must be bad without a break. Shorter bad time does not count. Verdict only."},
		{key: "backdate", typ: booleanType, def: "true", verdictOnly: true, doc: "`true`: an outage begins with its first bad moment. `false`: when it is confirmed. Verdict only."},
		{key: "recoverAfter", typ: durationType, def: "0s", example: "2m", verdictOnly: true, doc: "How long it must be good without a break. The outage ends with the first good moment of that time; good time that is shorter belongs to the outage. Verdict only."},
		{key: "mergeGap", typ: durationType, def: "0s", example: "5m", verdictOnly: true, doc: "Outages with less than this between them are counted as one. What lies between stays good. Verdict only."},
		{key: "minimum", typ: durationType, def: "0s", example: "1m", verdictOnly: true, doc: "Shorter outages do not count, nor does their bad time. Verdict only."},
	},
}

// maxOutage limits the times of outages: verdicts read the two days around a period.
const maxOutage = 24 * time.Hour

func decodeOutage(v value) sla.OutageRule {
	var rule sla.OutageRule
	o := v.object(outageSection)
	if o == nil {
		return rule
	}
	for _, key := range []struct {
		name  string
		place *time.Duration
	}{{"confirmAfter", &rule.ConfirmAfter}, {"recoverAfter", &rule.RecoverAfter}, {"mergeGap", &rule.MergeGap}, {"minimum", &rule.Minimum}} {
		d, at, ok := read(o, key.name, value.durationOrZero)
		if ok && d > maxOutage {
			at.error("bad-outage", at.quoted()+" is more than a day", "write a shorter time, such as 5m")
			continue
		}
		*key.place = d
	}
	if backdate := optional(o, "backdate", value.boolean); backdate != nil {
		rule.FromConfirmation = !*backdate
	}
	return rule
}

// mostMinutes is how many minutes a leap year has.
const mostMinutes = 366 * 24 * 60

func parseFixedMinutes(v value) (int64, bool) {
	c, ok := v.count()
	if n := int64(c.number); ok && (n < 1 || n > mostMinutes) {
		v.error("bad-period", v.quoted()+" is no number of minutes from 1 to a year's", "30 days are 43200")
		return 0, false
	}
	return int64(c.number), ok
}

var declaredSection = &section{
	name: "a declared promise",
	doc:  "Something that is promised without a number, such as how support answers.",
	fields: []field{
		{key: "name", typ: nameType, required: true, example: "support", doc: "What it is called. Unique within its service, also among levels."},
		{key: "service", typ: nameType, def: "`metadata.name`", doc: "The service that it is about."},
		{key: "description", typ: textType, required: true, example: `"Answers within a working day."`, doc: "What is promised."},
	},
}

func decodeDeclared(o *object, a *sla.Agreement) []sla.Declared {
	var all []sla.Declared
	items, _, _ := read(o, "declared", value.list)
	for _, item := range items {
		item.name = "a declared promise"
		x := item.object(declaredSection)
		if x == nil {
			continue
		}
		p := sla.Declared{Service: a.Name, Pos: item.pos()}
		name, at, ok := read(x, "name", value.identifier)
		p.Name = name
		if service, _, ok := read(x, "service", value.identifier); ok {
			p.Service = service
		}
		p.Description, _, _ = read(x, "description", value.text)
		taken := slices.ContainsFunc(all, func(other sla.Declared) bool { return other.Service == p.Service && other.Name == p.Name }) ||
			slices.ContainsFunc(a.Levels, func(l *sla.ServiceLevel) bool { return l.ID.Service == p.Service && l.ID.SLO == p.Name })
		if ok && taken {
			at.error("duplicate-level", "the service "+quote(p.Service)+" has a level "+quote(p.Name)+" already", "give one of them another name")
		}
		all = append(all, p)
	}
	return all
}
