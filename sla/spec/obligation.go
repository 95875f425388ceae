package spec

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// Limits of obligations.
const (
	maxObligations = 100
	maxDates       = 500
	maxExcused     = 100
)

var (
	businessDayType = valueType{name: "business day", sample: "business_day_5", scalars: []schema{{"type": "string", "pattern": `^business_day_[1-9][0-9]{0,2}$`}}}
	excusedWords    = []string{"overlap"}
)

var obligationsSection = &section{
	name: "obligations",
	doc:  "What each party owes the other. Whether it came in time is written down in an [Adjustment](adjustments.md).",
	fields: []field{
		{key: "customer", typ: valueType{name: "list of mappings", sample: "[{id: cert-renewal, deliver: TLS certificate, dueBefore: 14d}]", sections: []*section{customerObligationSection}, shape: listOf}, doc: "What the customer owes."},
		{key: "provider", typ: valueType{name: "list of mappings", sample: "[{id: monthly-report, deliver: service review, dueBy: business_day_5}]", sections: []*section{providerObligationSection}, shape: listOf}, doc: "What the provider owes."},
	},
}

// obligationFields are the keys that obligations of both parties have.
func obligationFields(id, deliver string) []field {
	return []field{
		{key: "id", typ: nameType, required: true, example: id, doc: "Names it in adjustments and reports. Unique among all obligations of the agreement."},
		{key: "deliver", typ: textType, required: true, example: deliver, doc: "What is owed."},
		{key: "dueBy", typ: businessDayType, doc: "Due at the end of that business day after each period: `business_day_1` is the first day with hours of `calendar`, counted from the first day after the period. A business day is a day, not 24 hours."},
		{key: "every", typ: oneOf(unitNames...), def: "month", doc: "With `dueBy`: after each of these calendar periods."},
		{key: "calendar", typ: nameType, def: "`spec.serviceHours`", example: "prime", doc: "With `dueBy`: the calendar whose days are counted. With `always` every day is a business day."},
		{key: "dueBefore", typ: durationType, example: "14d", doc: "Due at the end of the day that is so many days before each of `dates`. Without `dates` an adjustment says when it was due."},
		{key: "dates", typ: valueType{name: "list of dates", sample: `["2027-01-15"]`, scalars: fullDateType.scalars, shape: listOf}, doc: "With `dueBefore`: the days that matter, such as the expiry of a certificate."},
	}
}

var obligationDue = [][]string{{"dueBy", "dueBefore"}}

var providerObligationSection = &section{
	name: "an obligation of the provider", doc: "Something that the provider owes.",
	fields: obligationFields("monthly-report", "service review"), oneOf: obligationDue,
}

var customerObligationSection = &section{
	name: "an obligation of the customer", doc: "Something that the customer owes.",
	fields: append(obligationFields("cert-renewal", "TLS certificate"),
		field{key: "excuses", typ: valueType{name: "list of levels", sample: "[availability]", scalars: textType.scalars, shape: listOf}, doc: "Levels, as `level` or `service/level`. While it is late their downtime does not count."},
		field{key: "excusedTime", typ: oneOf(excusedWords...), def: "overlap", doc: "How much is excused. `overlap`: the downtime while it was late, and no more."},
	), oneOf: obligationDue,
}

// obligationReader reads obligations, whose levels and calendars are known.
type obligationReader struct {
	agreement *sla.Agreement
	shared    levelDefaults
}

// parse reads the obligations of both parties, the customer's first.
func (r obligationReader) parse(v value) ([]*sla.Obligation, bool) {
	o := v.object(obligationsSection)
	if o == nil {
		return nil, false
	}
	var all []*sla.Obligation
	for _, of := range []struct {
		party   sla.Party
		section *section
	}{{sla.ByCustomer, customerObligationSection}, {sla.ByProvider, providerObligationSection}} {
		items, _, _ := read(o, string(of.party), limitedList(maxObligations))
		for _, item := range items {
			item.name = of.section.name
			if x := item.object(of.section); x != nil {
				all = append(all, r.decode(x, of.party, all))
			}
		}
	}
	return all, true
}

func (r obligationReader) decode(o *object, party sla.Party, before []*sla.Obligation) *sla.Obligation {
	due := &sla.Obligation{Party: party, Pos: o.pos()}
	id, at, ok := read(o, "id", value.identifier)
	if due.ID = id; ok {
		due.Pos = at.pos()
		if slices.ContainsFunc(before, func(other *sla.Obligation) bool { return other.ID == id }) {
			at.error("duplicate-obligation", "the id "+quote(id)+" is taken", "give this obligation another one")
		}
	}
	due.Deliver, _, _ = read(o, "deliver", value.text)
	by, _, byGiven := read(o, "dueBy", parseBusinessDay)
	due.By = by
	due.Every = sla.Period{Calendar: sla.Month, Zone: r.agreement.Zone}
	setIfGiven(&due.Every.Calendar, optional(o, "every", word(sla.Units...)))
	due.Calendar = r.shared.hours
	if calendar, _, ok := read(o, "calendar", r.shared.calendars.lookUp); ok {
		due.Calendar = calendar
	}
	due.Before, _, _ = read(o, "dueBefore", parseDays)
	dates, _, _ := read(o, "dates", limitedList(maxDates))
	for _, date := range dates {
		if d, ok := parseFullDate(date); ok {
			due.Dates = append(due.Dates, d)
		}
	}
	if _, ok := due.By.Due(due.Calendar, r.agreement.Zone, anyDay); byGiven && !ok {
		o.error("bad-obligation", "the calendar "+quote(due.Calendar.Name)+" has too few business days for it", "count fewer days, or those of another calendar")
	}
	r.checkKeys(o)
	if party == sla.ByCustomer {
		due.Excuses, _, _ = read(o, "excuses", r.levels)
		_, at, given := read(o, "excusedTime", word(excusedWords...))
		if given && len(o.given("excuses")) == 0 {
			o.d.errorAt(at.key, "conflicting-keys", "excusedTime goes with excuses, which is missing", "add excuses, or leave it out")
		}
	}
	return due
}

// anyDay is a day from which a calendar's business days are counted for a check.
var anyDay = sla.Date{Year: 2026, Month: 1, Day: 1}.Start("UTC")

// checkKeys reports keys that go with the other way to say when something is due.
func (r obligationReader) checkKeys(o *object) {
	for _, of := range []struct {
		kind string
		keys []string
	}{{"dueBy", []string{"every", "calendar"}}, {"dueBefore", []string{"dates"}}} {
		for _, key := range o.given(slices.Clone(of.keys)...) {
			if len(o.given(of.kind)) == 0 {
				o.d.errorAt(o.values[key].key, "conflicting-keys", key+" goes with "+of.kind+", which is missing", "leave it out")
			}
		}
	}
}

// levels parses the names of levels of the agreement.
func (r obligationReader) levels(v value) ([]sla.ID, bool) {
	return levelNames(v, []*sla.Agreement{r.agreement})
}

// levelNames parses names of levels of an agreement's revisions: "level" or
// "service/level".
func levelNames(v value, revisions []*sla.Agreement) ([]sla.ID, bool) {
	items, ok := v.uniqueTexts()
	if !ok || !v.within(len(items), maxExcused) {
		return nil, false
	}
	var ids []sla.ID
	for _, item := range items {
		id, known := levelName(item, revisions)
		ids, ok = append(ids, id), ok && known
	}
	return ids, ok
}

// levelName parses the name of a level of an agreement's revisions.
func levelName(v value, revisions []*sla.Agreement) (sla.ID, bool) {
	text, ok := v.text()
	if !ok {
		return sla.ID{}, false
	}
	found, known := levelsNamed(text, revisions)
	switch {
	case len(found) == 1:
		return found[0], true
	case len(found) > 1:
		v.error("ambiguous-level", fmt.Sprintf("several services have a level %q", text), "write "+either(namesOfIDs(found)))
	default:
		v.unknownName("unknown-level", "level", text, known, "spec.serviceLevels")
	}
	return sla.ID{}, false
}

// levelsNamed returns the levels that a name may mean, each once, and the names of all.
func levelsNamed(name string, revisions []*sla.Agreement) (found []sla.ID, known []string) {
	for _, a := range revisions {
		for _, l := range slices.Concat(a.Levels, a.Broken) {
			if l.ID.SLO == "" {
				continue
			}
			full := l.ID.Service + "/" + l.ID.SLO
			if (name == l.ID.SLO || name == full) && !slices.Contains(found, l.ID) {
				found = append(found, l.ID)
			}
			if short := l.ID.SLO; !slices.Contains(known, short) {
				known = append(known, short)
			}
		}
	}
	return found, known
}

func namesOfIDs(ids []sla.ID) []string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = id.Service + "/" + id.SLO
	}
	return names
}

// parseBusinessDay parses the number of a business day: "business_day_5".
func parseBusinessDay(v value) (sla.BusinessDay, bool) {
	text, ok := v.text()
	if !ok {
		return 0, false
	}
	n, err := sla.ParseBusinessDay(text)
	if err != nil {
		remedy := "write it like business_day_5"
		if digits := strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_- ."); digits != "" {
			if near, err := sla.ParseBusinessDay("business_day_" + digits); err == nil {
				remedy = "did you mean " + quote(near.String()) + "?"
			}
		}
		v.error("bad-business-day", v.quoted()+" is no business day", remedy)
	}
	return n, err == nil
}

// maxDays limits durations in whole days.
const maxDays = 36_525

// parseDays parses a duration of whole days.
func parseDays(v value) (int, bool) {
	d, ok := v.duration()
	if !ok {
		return 0, false
	}
	if d%(24*time.Hour) != 0 || d > maxDays*24*time.Hour {
		v.error("bad-duration", v.quoted()+" is not a whole number of days", "write it in days, e.g. "+v.durationSample())
		return 0, false
	}
	return int(d / (24 * time.Hour)), true
}
