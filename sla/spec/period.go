package spec

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/upheld-sla/upheld/sla"
)

var unitNames = func() []string {
	names := make([]string, len(sla.Units))
	for i, u := range sla.Units {
		names[i] = string(u)
	}
	return names
}()

var weekdays = []string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}

// weekday is the day with a name of weekdays.
func weekday(name string) time.Weekday {
	return time.Weekday((slices.Index(weekdays, name) + 1) % 7)
}

const zonePattern = `^[A-Za-z][A-Za-z0-9_+/-]*$`

var (
	zoneType   = valueType{name: "IANA time zone", sample: "Europe/Berlin", scalars: []schema{{"type": "string", "pattern": zonePattern}}}
	offsetType = valueType{name: "months, 0 to 11", sample: "1", scalars: []schema{{"type": "integer", "minimum": 0, "maximum": 11}}}
	periodType = valueType{
		name: "duration, " + either(unitNames) + ", or a mapping; or a list of such", sample: "30d",
		scalars: append(slices.Clone(durationType.scalars), schema{"type": "string", "enum": unitNames}), sections: []*section{periodSection},
		shape: oneOrList,
	}
)

var periodSection = &section{
	name: "period",
	doc:  "A period may be written short, `period: 30d` or `period: month`, or as this mapping. To judge a target share over several periods, write a list, `period: [30d, month]`; alert tiers follow the first. [Periods](periods.md) has the details.",
	fields: []field{
		{key: "rolling", typ: durationType, example: "30d", doc: "A rolling period: always the last so much time. From `1h` to `366d`, in steps of 5 minutes."},
		{key: "calendar", typ: oneOf(unitNames...), example: "month", doc: "The running calendar period. Figures use its true length; budgets that are printed and alert tiers use 7, 30, 90 and 365 days."},
		{key: "timeZone", typ: zoneType, def: "`spec.timeZone`", doc: "The time zone at whose midnights a calendar period begins and ends. Clock changes are taken into account."},
		{key: "fiscalOffset", typ: offsetType, def: "0", doc: "How many months later than January quarters and years begin: `1` begins the year in February."},
		{key: "weekStart", typ: oneOf(weekdays...), def: "Mon", doc: "The first day of calendar weeks."},
		{key: "fixedMinutes", typ: countType, example: "43200", verdictOnly: true, doc: "The length that every calendar period of a level that counts time counts as, in minutes: `43200` are 30 days, however long the month. Verdict only."},
	},
	oneOf: [][]string{{"rolling", "calendar"}},
}

var defaultPeriod = sla.Period{Rolling: 30 * 24 * time.Hour}

// periodStep is the step in which a rolling period is summed.
const periodStep = 5 * time.Minute

// unitSynonym is the calendar unit that a word of people or other formats stands for.
func unitSynonym(word string) (unit sla.Unit, known bool) {
	switch word {
	case "weekly", "weeks":
		return sla.Week, true
	case "monthly", "months", "calendar_month":
		return sla.Month, true
	case "quarterly", "calendar_quarter":
		return sla.Quarter, true
	case "yearly", "annual", "calendar_year":
		return sla.Year, true
	}
	return "", false
}

// rollingSynonym is the rolling period to write for a word like "daily".
func rollingSynonym(word string) string {
	switch word {
	case "day", "daily":
		return "1d for the last 24 hours"
	case "fortnight", "fortnightly", "biweekly":
		return "14d for the last two weeks"
	}
	return "30d for the last 30 days"
}

// lettersOnly returns whether a text has only letters.
func lettersOnly(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) })
}

// maxPeriods limits the rules of a level: each period has its own.
const maxPeriods = 10

// parsePeriods parses a period or a list of them. Their names must differ.
func parsePeriods(v value) ([]sla.Period, bool) {
	if v.node.Kind != yamlSequence {
		p, ok := parsePeriod(v)
		return []sla.Period{p}, ok
	}
	items, ok := v.list()
	if len(items) > maxPeriods {
		v.error("bad-period", "there are "+itoa(len(items))+" periods, more than the "+itoa(maxPeriods)+" that a level is judged over", "keep those that were agreed on")
		return nil, false
	}
	var periods []sla.Period
	var filled []sla.Default
	for _, item := range items {
		item.name = "period"
		p, fits := parsePeriod(item)
		if ok = ok && fits; !fits {
			continue
		}
		if slices.ContainsFunc(periods, func(q sla.Period) bool { return q.String() == p.String() }) {
			item.error("bad-period", "two periods are called "+quote(p.String())+", but their series must have different names",
				"keep one of them; another calendar or zone needs a level of its own")
			ok = false
		}
		periods = append(periods, p)
		if n := v.d.fixedMinutes[item.pos()]; n > 0 {
			v.d.fixedMinutes[v.pos()] = n
		}
		for _, d := range v.d.periodDefaults[item.pos()] {
			if !slices.Contains(filled, d) {
				filled = append(filled, d)
			}
		}
	}
	if v.d.periodDefaults != nil {
		v.d.periodDefaults[v.pos()] = filled
	}
	return periods, ok
}

// parsePeriod parses a period, short or as a mapping.
func parsePeriod(v value) (sla.Period, bool) {
	switch v.node.Kind {
	case yamlScalar:
		if unit, ok := parseUnit(v); ok || unit != "" {
			p := sla.Period{Calendar: unit}
			fillCalendar(v, &p, nil)
			return p, ok
		}
		return parseRolling(v)
	case yamlMapping:
		return decodePeriod(v)
	}
	v.typeError("a duration or a calendar period", "write "+v.name+": 30d or "+v.name+": month")
	return sla.Period{}, false
}

// parseUnit parses a calendar unit. It returns "" for a text that is none. For a synonym
// it reports an error, and returns the unit and false.
func parseUnit(v value) (unit sla.Unit, ok bool) {
	text := v.node.Value
	if slices.Contains(sla.Units, sla.Unit(text)) {
		return sla.Unit(text), true
	}
	unit, known := unitSynonym(strings.ToLower(text))
	if lower := sla.Unit(strings.ToLower(text)); !known && slices.Contains(sla.Units, lower) {
		unit, known = lower, true
	}
	if known {
		v.error("bad-period", v.quoted()+" is no calendar period", "did you mean "+quote(string(unit))+"?")
	}
	return unit, false
}

func parseRolling(v value) (sla.Period, bool) {
	if word := strings.ToLower(v.node.Value); v.node.ShortTag() == "!!str" && lettersOnly(word) {
		v.error("bad-period", v.quoted()+" is no period", "write "+v.name+": "+rollingSynonym(word)+"; calendar periods are "+list(unitNames))
		return sla.Period{}, false
	}
	d, ok := v.duration()
	switch {
	case !ok:
		return sla.Period{}, false
	case d < sla.ShortestPeriod || d > sla.LongestPeriod:
		v.error("bad-period", v.quoted()+" is outside 1h to 366d", "30d is the most common")
	case d%periodStep != 0:
		v.error("bad-period", v.quoted()+" is no multiple of 5 minutes, in which periods are summed", "round it")
	default:
		return sla.Period{Rolling: d}, true
	}
	return sla.Period{}, false
}

func decodePeriod(v value) (sla.Period, bool) {
	o := v.object(periodSection)
	if o == nil {
		return sla.Period{}, false
	}
	rolling, isRolling := o.get("rolling")
	unit, unitAt, ok := read(o, "calendar", word(sla.Units...))
	p := sla.Period{Calendar: unit}
	fits := fillCalendar(v, &p, o)
	if n, _, ok := read(o, "fixedMinutes", parseFixedMinutes); ok {
		v.d.fixedMinutes[v.pos()] = n
	}
	if !isRolling {
		return p, ok && fits
	}
	for _, key := range []string{"timeZone", "fiscalOffset", "weekStart", "fixedMinutes"} {
		if at, given := o.get(key); given {
			v.d.errorAt(at.key, "conflicting-keys", quote(key)+" says something of calendar periods, and this one is rolling", "leave it out, or write calendar: "+unitNames[1])
			return sla.Period{}, false
		}
	}
	if unitAt.node != nil {
		return sla.Period{}, false // both were given, which has been reported
	}
	if unit, ok := parseUnit(rolling); ok {
		rolling.error("bad-period", rolling.quoted()+" is a calendar period", "write calendar: "+string(unit))
		return sla.Period{}, false
	} else if unit != "" {
		return sla.Period{}, false
	}
	return parseRolling(rolling)
}

// fillCalendar reads the keys of a calendar period, and records the defaults. o is its
// mapping, or nil.
func fillCalendar(v value, p *sla.Period, o *object) bool {
	p.Zone = v.d.zone
	if p.Calendar == sla.Week {
		p.WeekStart = time.Monday
	}
	fits, given := true, map[string]bool{}
	if o != nil {
		if zone, at, ok := read(o, "timeZone", parseZone); at.node != nil {
			given["timeZone"], fits = true, ok
			p.Zone = zone
		}
		if offset, at, ok := read(o, "fiscalOffset", parseMonthOffset); at.node != nil {
			given["fiscalOffset"] = true
			if fits = fits && ok; ok && p.Calendar != sla.Quarter && p.Calendar != sla.Year && p.Calendar != "" {
				v.d.errorAt(at.key, "conflicting-keys", quote("fiscalOffset")+" moves quarters and years, and this is a "+p.String(), "leave it out")
				fits = false
			}
			p.FiscalOffset = offset
		}
		if day, at, ok := read(o, "weekStart", word(weekdays...)); at.node != nil {
			given["weekStart"] = true
			if fits = fits && ok; ok && p.Calendar != sla.Week && p.Calendar != "" {
				v.d.errorAt(at.key, "conflicting-keys", quote("weekStart")+" is for weeks, and this is a "+p.String(), "leave it out")
				fits = false
			}
			if ok {
				p.WeekStart = weekday(day)
			}
		}
	}
	noteCalendarDefaults(v, *p, given)
	return fits
}

func noteCalendarDefaults(v value, p sla.Period, given map[string]bool) {
	var filled []sla.Default
	if p.Zone == "" && !given["timeZone"] {
		filled = append(filled, sla.Default{Key: "period.timeZone", Value: "UTC"})
	}
	if (p.Calendar == sla.Quarter || p.Calendar == sla.Year) && !given["fiscalOffset"] {
		filled = append(filled, sla.Default{Key: "period.fiscalOffset", Value: "0"})
	}
	if p.Calendar == sla.Week && !given["weekStart"] {
		filled = append(filled, sla.Default{Key: "period.weekStart", Value: "Mon"})
	}
	if p.Calendar != "" && v.d.periodDefaults != nil {
		v.d.periodDefaults[v.pos()] = filled
	}
}

// parseZone parses the IANA name of a time zone.
func parseZone(v value) (string, bool) {
	text, ok := v.text()
	if !ok {
		return "", false
	}
	if knownZone(text) {
		return text, true
	}
	remedy := "write an IANA name, like Europe/Berlin, America/New_York or UTC"
	if fixed := zoneSpelling(text); fixed != "" {
		remedy = "did you mean " + quote(fixed) + "?"
	}
	v.error("bad-time-zone", v.quoted()+" is no time zone", remedy)
	return "", false
}

func knownZone(name string) bool {
	if name == "Local" || name == "" {
		return false
	}
	_, err := time.LoadLocation(name)
	return err == nil
}

// zoneSpelling is the IANA name for a zone that is spelt differently: europe/berlin, New
// York.
func zoneSpelling(text string) string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return r == ' ' || r == '_' })
	name := strings.Join(words, "_")
	var b strings.Builder
	for i, r := range name {
		if i == 0 || strings.ContainsRune("/_-", rune(name[i-1])) {
			r = []rune(strings.ToUpper(string(r)))[0]
		}
		b.WriteRune(r)
	}
	for _, candidate := range []string{
		b.String(), strings.ToUpper(name), "Europe/" + b.String(), "America/" + b.String(), "Asia/" + b.String(), "Australia/" + b.String(),
	} {
		if knownZone(candidate) {
			return candidate
		}
	}
	return ""
}

// parseMonthOffset parses a number of months from 0 to 11.
func parseMonthOffset(v value) (int, bool) {
	n := slices.Index([]string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"}, v.node.Value)
	if v.node.Kind == yamlScalar && v.node.ShortTag() == "!!int" && n >= 0 {
		return n, true
	}
	if v.node.Kind == yamlScalar && v.node.ShortTag() == "!!int" {
		v.error("bad-value", v.name+" "+v.node.Value+" is not a number of months from 0 to 11", "a year that begins in July has 6")
		return 0, false
	}
	v.typeError("a number of months from 0 to 11", "")
	return 0, false
}
