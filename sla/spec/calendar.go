package spec

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

const (
	clockPattern = `^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$`
	datePattern  = `^([0-9]{4}-)?[0-9]{2}-[0-9]{2}$`
)

var (
	clockType   = valueType{name: "wall time, `HH:MM`", sample: `"08:00"`, scalars: []schema{{"type": "string", "pattern": clockPattern}}}
	dateType    = valueType{name: "date", sample: `"2026-12-24"`, scalars: []schema{{"type": "string", "pattern": datePattern}}}
	dayType     = valueType{name: "list of days", sample: "[Mon, Tue, Wed, Thu, Fri]", scalars: []schema{{"type": "string", "enum": weekdays}}, shape: listOf}
	setsType    = valueType{name: "list of names", sample: "[public]", scalars: nameType.scalars, shape: listOf}
	holidayType = valueType{name: "mapping of names to lists of dates", sample: `{public: ["2026-10-30", "12-25"]}`, scalars: []schema{{
		"type": "object", "propertyNames": schema{"pattern": namePattern},
		"additionalProperties": schema{"type": "array", "minItems": 1, "items": schema{"type": "string", "pattern": datePattern}},
	}}}
)

var calendarSection = &section{
	name: "a calendar",
	doc:  "Hours by the wall clock. [Service hours](service-hours.md) has the details.",
	fields: []field{
		{key: "weekly", typ: valueType{name: "list of mappings", sample: `[{days: [Mon, Tue], from: "08:00", to: "20:00"}]`, sections: []*section{weeklySection}, shape: listOf}, doc: "The hours of ordinary weeks."},
		{key: "complementOf", typ: nameType, example: "prime", doc: "All time outside the hours of another calendar of the agreement."},
		{key: "timeZone", typ: zoneType, def: "`spec.timeZone`", doc: "The time zone of the hours. When clocks change, an hour that is skipped does not exist, and one that is shown twice counts twice."},
		{key: "holidays", typ: setsType, doc: "Holiday sets: days without service."},
		{key: "exceptions", typ: valueType{name: "list of mappings", sample: `[{date: "2026-12-24", from: "09:00", to: "13:00"}]`, sections: []*section{exceptionSection}, shape: listOf}, doc: "Days with their own hours instead of the week's, holiday or not."},
	},
	oneOf: [][]string{{"weekly", "complementOf"}},
}

var weeklySection = &section{
	name: "weekly hours",
	doc:  "The same hours on some days of the week.",
	fields: []field{
		{key: "days", typ: dayType, required: true, doc: "On which days they begin."},
		{key: "from", typ: clockType, required: true, doc: "The first minute."},
		{key: "to", typ: clockType, required: true, example: `"20:00"`, doc: "The minute after the last one; `\"24:00\"` is midnight. If it is not after `from`, it is on the next day; the hours belong to the day on which they begin."},
	},
}

var exceptionSection = &section{
	name: "an exception",
	doc:  "The hours of one day. Several with the same date add up.",
	fields: []field{
		{key: "date", typ: dateType, required: true, doc: "The day."},
		{key: "from", typ: clockType, required: true, example: `"09:00"`, doc: "The first minute."},
		{key: "to", typ: clockType, required: true, example: `"13:00"`, doc: "The minute after the last one, as in weekly hours."},
	},
}

// calendars are an agreement's calendars while they are read.
type calendars struct {
	holidays map[string][]sla.Date
	all      []*sla.Calendar
	broken   []string // names of those that could not be read
}

// always stands for service around the clock. No calendar can have the name.
const always = "always"

func (c *calendars) names() []string {
	names := slices.Clone(c.broken)
	for _, calendar := range c.all {
		names = append(names, calendar.Name)
	}
	return names
}

func decodeCalendars(o *object) *calendars {
	c := &calendars{holidays: map[string][]sla.Date{}}
	sets, _, _ := read(o, "holidaySets", value.entries)
	for _, set := range sets {
		if !set.checkEntryName("holiday set") {
			continue
		}
		items, _ := set.list()
		dates := []sla.Date{}
		for _, item := range items {
			if d, ok := parseDate(item); ok {
				dates = append(dates, d)
			}
		}
		c.holidays[set.name] = dates
	}
	entries, _, _ := read(o, "calendars", value.entries)
	complements := map[*sla.Calendar]value{}
	for _, entry := range entries {
		if !entry.checkEntryName("calendar") {
			continue
		}
		if entry.name == always {
			o.d.errorAt(entry.key, "bad-name", `"always" is service around the clock and no calendar's name`, "choose another name")
			continue
		}
		calendar, of, ok := c.decode(entry)
		if !ok {
			c.broken = append(c.broken, entry.name)
			continue
		}
		c.all = append(c.all, calendar)
		if of.node != nil {
			complements[calendar] = of
		}
	}
	c.resolveComplements(complements)
	return c
}

// decode reads one calendar. of is the value of complementOf, if the calendar has it.
func (c *calendars) decode(v value) (calendar *sla.Calendar, of value, ok bool) {
	o := v.object(calendarSection)
	if o == nil {
		return nil, of, false
	}
	calendar = &sla.Calendar{
		Name: v.name, Zone: v.d.zone, Pos: v.d.pos(v.key), Weekly: map[time.Weekday][]sla.Hours{},
		Holidays: map[sla.Date]bool{}, Exceptions: map[sla.Date][]sla.Hours{},
	}
	before := len(v.d.findings)
	if zone, _, ok := read(o, "timeZone", parseZone); ok {
		calendar.Zone = zone
	}
	rules, _, _ := read(o, "weekly", value.list)
	rows := &calendarRows{}
	for _, rule := range rules {
		decodeWeekly(rule, calendar, rows)
	}
	c.decodeHolidays(o, calendar)
	exceptions, _, _ := read(o, "exceptions", value.list)
	for _, exception := range exceptions {
		if e := exception.object(exceptionSection); e != nil {
			date, at, dateOK := read(e, "date", parseDate)
			if dateOK && date.Year == 0 {
				at.error("bad-date", at.quoted()+" has no year, and an exception is of one day", `write it like "2026-12-24"`)
				dateOK = false
			}
			if hours, to, ok := decodeHours(e); ok && dateOK {
				calendar.Exceptions[date] = append(calendar.Exceptions[date], hours)
				rows.dates = append(rows.dates, calendarRow{date: date, hours: hours, at: exception, to: to})
			}
		}
	}
	rows.lint(calendar.Name)
	name, of, isComplement := read(o, "complementOf", value.identifier)
	calendar.Of = name
	if isComplement {
		for _, key := range []string{"timeZone", "holidays", "exceptions"} {
			if at, given := o.get(key); given {
				v.d.errorAt(at.key, "conflicting-keys", quote(key)+" is that of the calendar which this one complements", "leave it out, or change it there")
			}
		}
	}
	return calendar, of, !v.d.findings[before:].HasErrors() && len(calendar.Weekly) > 0 != isComplement
}

func decodeWeekly(v value, calendar *sla.Calendar, rows *calendarRows) {
	o := v.object(weeklySection)
	if o == nil {
		return
	}
	days, _, _ := read(o, "days", value.list)
	hours, to, ok := decodeHours(o)
	if !countHours(v, len(days)) {
		return
	}
	for _, day := range days {
		day.name = "a day"
		if name, dayOK := word(weekdays...)(day); dayOK && ok {
			calendar.Weekly[weekday(name)] = append(calendar.Weekly[weekday(name)], hours)
			rows.weekly = append(rows.weekly, calendarRow{day: weekday(name), hours: hours, at: v, to: to})
		}
	}
}

// maxHours limits how many periods of hours a week the agreement's calendars have
// together: the rules hold them for some years.
const maxHours = 500

// countHours adds to the agreement's number of periods of hours. It returns false above
// maxHours, and reports that once.
func countHours(v value, more int) bool {
	before := v.d.hours
	v.d.hours += more
	if v.d.hours > maxHours && before <= maxHours {
		v.error("many-hours", fmt.Sprintf("with this row the agreement's calendars begin hours more than %d times a week", maxHours), "join rows that follow one another, or take some out")
	}
	return v.d.hours <= maxHours
}

// decodeHours reads from and to. If to is not later than from, it is on the next day.
// end is where to is written.
func decodeHours(o *object) (hours sla.Hours, end value, ok bool) {
	from, at, fromOK := read(o, "from", parseClock)
	to, end, toOK := read(o, "to", parseClock)
	if fromOK && from == 24*time.Hour {
		at.error("bad-time", at.quoted()+" begins nothing on this day", `write from: "00:00" of the next one`)
		return sla.Hours{}, end, false
	}
	if to <= from {
		to += 24 * time.Hour
	}
	return sla.Hours{From: from, To: to}, end, fromOK && toOK
}

func (c *calendars) decodeHolidays(o *object, calendar *sla.Calendar) {
	sets, _, _ := read(o, "holidays", value.list)
	for _, set := range sets {
		name, ok := set.identifier()
		if !ok {
			continue
		}
		dates, known := c.holidays[name]
		if !known {
			var names []string
			for n := range c.holidays {
				names = append(names, n)
			}
			set.unknownName("unknown-holidays", "holiday set", name, names, "spec.holidaySets")
		}
		for _, d := range dates {
			calendar.Holidays[d] = true
		}
	}
}

// resolveComplements completes the calendars that are the complement of another one.
func (c *calendars) resolveComplements(of map[*sla.Calendar]value) {
	for _, calendar := range c.all {
		at, isComplement := of[calendar]
		if !isComplement {
			continue
		}
		flips, seen := calendar, map[*sla.Calendar]bool{}
		for odd := true; ; odd = !odd {
			seen[flips] = true
			name := of[flips].node.Value
			i := slices.IndexFunc(c.all, func(other *sla.Calendar) bool { return other.Name == name })
			if i < 0 {
				if flips == calendar && !slices.Contains(c.broken, name) {
					at.unknownName("unknown-calendar", "calendar", name, c.names(), "spec.calendars")
				}
				break
			}
			if flips = c.all[i]; seen[flips] {
				at.error("calendar-cycle", fmt.Sprintf("the calendar %q is the complement of itself", calendar.Name), "give one of them weekly hours")
				break
			}
			if _, again := of[flips]; again {
				continue
			}
			calendar.Zone, calendar.Weekly, calendar.Complement = flips.Zone, flips.Weekly, odd
			calendar.Holidays, calendar.Exceptions = flips.Holidays, flips.Exceptions
			break
		}
	}
}

// lookUp returns the calendar that v names, nil for always.
func (c *calendars) lookUp(v value) (*sla.Calendar, bool) {
	name, ok := v.identifier()
	if !ok || name == always {
		return nil, ok
	}
	for _, calendar := range c.all {
		if calendar.Name == name {
			return calendar, true
		}
	}
	if !slices.Contains(c.broken, name) {
		v.unknownName("unknown-calendar", "calendar", name, append(c.names(), always), "spec.calendars")
	}
	return nil, false
}

// parseClock parses a time of day from 00:00 to 24:00. It returns the time since
// midnight.
func parseClock(v value) (time.Duration, bool) {
	text, ok := v.text()
	if !ok {
		return 0, false
	}
	if text == "24:00" {
		return 24 * time.Hour, true
	}
	at, err := time.Parse("15:04", text)
	if err != nil || len(text) != len("15:04") {
		remedy := `write hours and minutes from "00:00" to "24:00"`
		for _, layout := range []string{"15", "15:04", "15:04:05", "3pm", "3:04pm"} {
			if at, err := time.Parse(layout, strings.ToLower(strings.ReplaceAll(text, " ", ""))); err == nil {
				remedy = "write " + quote(at.Format("15:04"))
				break
			}
		}
		v.error("bad-time", v.quoted()+" is no time of day", remedy)
		return 0, false
	}
	return time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute, true
}

// parseDate parses a date with or without a year.
func parseDate(v value) (sla.Date, bool) {
	return parseDateOf(v, `write it like "2026-12-24", or "12-24" for every year`)
}

// parseDateOf is parseDate with the remedy for a text that is no date at all.
func parseDateOf(v value, remedy string) (sla.Date, bool) {
	text, ok := v.scalarText()
	if !ok {
		return sla.Date{}, false
	}
	if t, err := time.Parse(time.DateOnly, text); err == nil && t.Year() > 0 {
		return sla.DateOf(t), true
	}
	if t, err := time.Parse(time.DateOnly, "2000-"+text); err == nil { // a leap year
		return sla.Date{Month: t.Month(), Day: t.Day()}, true
	}
	for _, layout := range []string{"02.01.2006", "2.1.2006", "2006/01/02", "20060102", time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			remedy = "write " + quote(t.Format(time.DateOnly))
		}
	}
	v.error("bad-date", v.quoted()+" is no date", remedy)
	return sla.Date{}, false
}
