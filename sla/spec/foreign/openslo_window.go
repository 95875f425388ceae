package foreign

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// opensloDuration is a duration of OpenSLO: 5m, 4w, 1Q.
type opensloDuration struct {
	n    int64
	unit byte
}

var opensloDurations = regexp.MustCompile(`^([0-9]{1,6})([mhdwMQY])$`)

// opensloUnit is the length of a unit. A month, quarter and year have 30, 90 and 365
// days, as in OpenSLO's own library.
func opensloUnit(unit byte) time.Duration {
	switch unit {
	case 'm':
		return time.Minute
	case 'h':
		return time.Hour
	case 'd':
		return 24 * time.Hour
	case 'w':
		return 7 * 24 * time.Hour
	case 'M':
		return 30 * 24 * time.Hour
	case 'Q':
		return 90 * 24 * time.Hour
	}
	return 365 * 24 * time.Hour
}

func (d opensloDuration) length() time.Duration { return time.Duration(d.n) * opensloUnit(d.unit) }

// shorthand reads a duration.
func (p place) shorthand(what string) (opensloDuration, bool) {
	text, ok := p.scalar(what)
	if !ok {
		return opensloDuration{}, false
	}
	m := opensloDurations.FindStringSubmatch(text)
	if m == nil {
		p.error("bad-duration", what+" "+strconv.Quote(shortened(text))+" is no duration of OpenSLO", "write a whole number and one of m, h, d, w, M, Q, Y: 5m, 4w, 1M")
		return opensloDuration{}, false
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	return opensloDuration{n, m[2][0]}, err == nil
}

// window converts the time window of an SLO to a period. It is nil for the default one.
func (r *opensloReader) window(s *opensloSLO, spec *object) (*yaml.Node, bool) {
	list, given := spec.get("timeWindow")
	if !given {
		spec.warn("no-window", "the SLO has no timeWindow; the period becomes 30d", "add timeWindow: [{duration: 30d, isRolling: true}]")
		return nil, true
	}
	items := list.items("timeWindow")
	if len(items) != 1 {
		if list.node.Kind == yaml.SequenceNode {
			list.error("bad-window", "timeWindow has "+strconv.Itoa(len(items))+" entries, and must have one", "write an SLO for each")
		}
		return nil, false
	}
	o := items[0].object("timeWindow", "duration", "isRolling", "calendar")
	if o == nil {
		return nil, false
	}
	at, ok := o.must("duration")
	if !ok {
		return nil, false
	}
	d, ok := at.shorthand("duration")
	if !ok {
		return nil, false
	}
	if d.n == 0 {
		at.error("bad-duration", "a time window of no length", "write it like 30d")
		return nil, false
	}
	calendar, isCalendar := o.get("calendar")
	_, said := o.get("isRolling")
	rolling := o.is("isRolling")
	switch {
	case rolling && isCalendar:
		o.error("conflicting-keys", "the time window has a calendar and is rolling", "leave out one of them")
		return nil, false
	case isCalendar:
		return r.calendar(s, at, d, calendar)
	case said && !rolling:
		o.error("missing-key", "the time window is not rolling and has no calendar", "add calendar: {startTime: 2026-01-01 00:00:00, timeZone: Europe/Berlin}, or write isRolling: true")
		return nil, false
	case !said:
		o.warn("no-window", "the time window says neither isRolling nor calendar, and is taken for a rolling one", "add isRolling: true")
	}
	return r.rolling(at, d), true
}

// rolling is a rolling period. Months and longer become so many days.
func (r *opensloReader) rolling(at place, d opensloDuration) *yaml.Node {
	text := minutes(d.length())
	if d.unit == 'M' || d.unit == 'Q' || d.unit == 'Y' {
		at.warn("changed-meaning", "a rolling time window of "+at.node.Value+" becomes "+text+": months, quarters and years of rolling periods have 30, 90 and 365 days", "write the days")
	}
	return r.text(at, text)
}

// calendarUnits are the calendar periods, by the duration that OpenSLO writes.
var calendarUnits = []struct {
	unit     string
	spelled  []string
	byMonths int // how many months apart periods may begin; 0 for weeks
}{
	{"week", []string{"1w", "7d"}, 0},
	{"month", []string{"1M"}, 1},
	{"quarter", []string{"1Q", "3M"}, 3},
	{"year", []string{"1Y", "4Q", "12M"}, 12},
}

// calendar is a calendar period.
func (r *opensloReader) calendar(s *opensloSLO, at place, d opensloDuration, calendar place) (*yaml.Node, bool) {
	o := calendar.object("calendar", "startTime", "timeZone")
	if o == nil {
		return nil, false
	}
	text, startAt, ok := o.mustText("startTime")
	if !ok {
		return nil, false
	}
	start, err := time.Parse("2006-01-02 15:04:05", strings.Replace(text, "T", " ", 1))
	if err != nil {
		startAt.error("bad-time", "startTime "+strconv.Quote(shortened(text))+" is no time", "write it like 2026-01-01 00:00:00")
		return nil, false
	}
	zone, zoneAt, ok := o.mustText("timeZone")
	if !ok {
		return nil, false
	}
	for _, u := range calendarUnits {
		if !slices.Contains(u.spelled, strconv.FormatInt(d.n, 10)+string(d.unit)) {
			continue
		}
		m := r.mapping(at).flow().set("calendar", r.text(at, u.unit))
		if zone != "UTC" {
			m.set("timeZone", r.text(zoneAt, zone))
		}
		month := int(start.Month() - time.January)
		switch {
		case u.byMonths == 0 && start.Weekday() != time.Monday:
			m.set("weekStart", r.text(startAt, start.Weekday().String()[:3]))
		case u.byMonths > 1 && month%u.byMonths > 0:
			m.set("fiscalOffset", r.plain(startAt, "!!int", strconv.Itoa(month%u.byMonths)))
		}
		if start.Hour()+start.Minute()+start.Second() > 0 {
			startAt.warn("changed-meaning", "calendar periods begin at midnight here, and not at "+start.Format("15:04:05"), "agree on midnight")
			s.notes = append(s.notes, "The period begins at midnight, and not at "+start.Format("15:04:05")+" as in OpenSLO.")
		}
		if u.byMonths > 0 && start.Day() != 1 {
			startAt.warn("changed-meaning", "a calendar "+u.unit+" begins on the first day of a month here, and not on day "+strconv.Itoa(start.Day()), "agree on the first")
			s.notes = append(s.notes, "The period begins on the first of the month, and not on day "+strconv.Itoa(start.Day())+" as in OpenSLO.")
		}
		if len(m.node.Content) == 2 {
			return m.node.Content[1], true
		}
		return m.node, true
	}
	at.warn("changed-meaning", "a calendar period of "+at.node.Value+" becomes a rolling one of that length: calendar periods here are weeks, months, quarters and years", "choose one of them: 1w, 1M, 1Q, 1Y")
	s.notes = append(s.notes, "The period is rolling. In OpenSLO it is one of the calendar, of "+at.node.Value+".")
	return r.text(at, minutes(d.length())), true
}

// opensloMethod is a budgeting method.
type opensloMethod string

const (
	occurrences     opensloMethod = "Occurrences"
	timeslices      opensloMethod = "Timeslices"
	ratioTimeslices opensloMethod = "RatioTimeslices"
)

func readOpenSLOMethod(spec *object) (opensloMethod, bool) {
	text, at, ok := spec.mustText("budgetingMethod")
	if !ok {
		return "", false
	}
	method := opensloMethod(text)
	if !slices.Contains([]opensloMethod{occurrences, timeslices, ratioTimeslices}, method) {
		at.error("bad-value", strconv.Quote(shortened(text))+" is no budgeting method", "write Occurrences, Timeslices or RatioTimeslices")
		return "", false
	}
	return method, true
}

// timeSlice is how an objective judges slices of time.
type timeSlice struct {
	method opensloMethod
	at     place   // of the window
	most   decimal // the share that may be bad, in per cent; of Timeslices
	mostAt place
	width  time.Duration
}

// slice reads the keys of an objective about slices.
func (m opensloMethod) slice(o *object) (timeSlice, bool) {
	t := timeSlice{method: m}
	if m == occurrences {
		for _, key := range []string{"timeSliceTarget", "timeSliceWindow"} {
			if at, ok := o.get(key); ok {
				at.notCarried(key+" is not carried: Occurrences has no slices of time", "leave it out, or write budgetingMethod: Timeslices")
			}
		}
		return t, true
	}
	if m == timeslices {
		at, ok := o.must("timeSliceTarget")
		if !ok {
			return t, false
		}
		text, ok := at.scalar("timeSliceTarget")
		if !ok {
			return t, false
		}
		share, ok := parseDecimal(text)
		if !ok || share.r.Sign() <= 0 || share.r.Cmp(whole(1).r) > 0 {
			at.error("bad-number", "timeSliceTarget "+strconv.Quote(shortened(text))+" is no share above 0, at most 1", "write it like 0.95")
			return t, false
		}
		t.most, t.mostAt = whole(100).plus(share.times(-100)), at
	} else if at, ok := o.get("timeSliceTarget"); ok {
		at.notCarried("timeSliceTarget is not carried: RatioTimeslices takes the mean of all slices", "leave it out, or write budgetingMethod: Timeslices")
	}
	at, ok := o.must("timeSliceWindow")
	if !ok {
		return t, false
	}
	t.at = at
	if n, err := strconv.ParseInt(at.node.Value, 10, 32); err == nil && at.node.Kind == yaml.ScalarNode { // minutes
		t.width = time.Duration(n) * time.Minute
	} else if d, ok := at.shorthand("timeSliceWindow"); ok {
		t.width = d.length()
	} else {
		return t, false
	}
	if t.width <= 0 {
		at.error("bad-duration", "a slice of no length", "write it like 1m")
		return t, false
	}
	return t, true
}
