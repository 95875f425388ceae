package emit

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// The form of Alertmanager's time intervals, which it knows from 0.25 on.
type (
	namedInterval struct {
		Name      string         `yaml:"name"`
		Intervals []timeInterval `yaml:"time_intervals"`
	}
	timeInterval struct {
		Times    []timeRange `yaml:"times,omitempty"`
		Weekdays []string    `yaml:"weekdays,omitempty,flow"`
		Days     []string    `yaml:"days_of_month,omitempty,flow"`
		Months   []string    `yaml:"months,omitempty,flow"`
		Years    []string    `yaml:"years,omitempty,flow"`
		Location string      `yaml:"location,omitempty"`
	}
	timeRange struct {
		Start string `yaml:"start_time"`
		End   string `yaml:"end_time"`
	}
)

// calendarTimes is a calendar as intervals: its hours are those in active that
// are not in mute.
type calendarTimes struct{ active, mute []timeInterval }

// intervalNames are the names of the intervals with a calendar's hours, and of
// those to leave out again.
func intervalNames(a *sla.Agreement, c *sla.Calendar) (active, mute string) {
	name := receiverPrefix + a.Name + "/" + c.Name
	return name, name + "/not"
}

// namedIntervals are the intervals of the calendars that escalations name.
func namedIntervals(agreements []*sla.Agreement) []namedInterval {
	var all []namedInterval
	for _, a := range agreements {
		for _, c := range a.Calendars {
			if !slices.ContainsFunc(a.Levels, func(l *sla.ServiceLevel) bool { return l.EscalatesWithin(c) }) {
				continue
			}
			active, mute := intervalNames(a, c)
			times := timesOf(c)
			all = append(all, namedInterval{active, times.active})
			if len(times.mute) > 0 {
				all = append(all, namedInterval{mute, times.mute})
			}
		}
	}
	return all
}

// minutes are the minutes of a day, by the wall clock.
type minutes [24 * 60]bool

// timesOf splits a calendar: the hours of ordinary weeks, what holidays and
// exceptions take from them, and what exceptions add. For a complement the hours
// are inverted, and added and taken swapped.
func timesOf(c *sla.Calendar) calendarTimes {
	plain := &sla.Calendar{Weekly: c.Weekly}
	var week [7]minutes
	for i := range week {
		week[i] = dayOf(plain, sla.Date{Year: 2023, Month: time.January, Day: 1 + i}) // a Sunday
	}
	base := c.Complement
	hours := weekly(week, !base)
	var added, taken []timeInterval
	yearly, single := specialDays(c)
	holidays := &sla.Calendar{Weekly: c.Weekly, Holidays: map[sla.Date]bool{}}
	for d := range c.Holidays {
		if d.Year == 0 {
			holidays.Holidays[d] = true
		}
	}
	for _, d := range yearly {
		var closed [7]minutes
		for weekday := range week {
			closed[weekday] = week[weekday].without(dayOf(holidays, onWeekday(d, weekday)))
		}
		for _, i := range weekly(closed, true) {
			taken = append(taken, i.on(d, otherYears(d, single)))
		}
	}
	whole := &sla.Calendar{Weekly: c.Weekly, Holidays: c.Holidays, Exceptions: c.Exceptions}
	for _, d := range single {
		open, ordinary := dayOf(whole, d), week[midnight(d).Weekday()]
		year := []string{strconv.Itoa(d.Year)}
		if times := ordinary.without(open).ranges(true); len(times) > 0 {
			taken = append(taken, timeInterval{Times: times}.on(d, year))
		}
		if times := open.without(ordinary).ranges(true); len(times) > 0 {
			added = append(added, timeInterval{Times: times}.on(d, year))
		}
	}
	if base {
		added, taken = taken, added
	}
	t := calendarTimes{active: append(hours, added...), mute: taken}
	for _, list := range [][]timeInterval{t.active, t.mute} {
		for i := range list {
			if c.Zone != "" && c.Zone != "UTC" {
				list[i].Location = c.Zone
			}
		}
	}
	return t
}

func midnight(d sla.Date) time.Time {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC)
}

// dayOf has the minutes of a date within the hours of a calendar without zone
// or complement.
func dayOf(c *sla.Calendar, d sla.Date) minutes {
	var m minutes
	for _, span := range c.Service(midnight(d), midnight(d).AddDate(0, 0, 1)) {
		for at := span.From; at.Before(span.To); at = at.Add(time.Minute) {
			m[at.Hour()*60+at.Minute()] = true
		}
	}
	return m
}

// specialDays are the dates that differ from others of their weekday: holidays,
// exceptions, and the day after each, into which hours can last. A date of one
// year is listed by itself, even if it is also a yearly one.
func specialDays(c *sla.Calendar) (yearly, single []sla.Date) {
	seen := map[sla.Date]bool{}
	add := func(d sla.Date) {
		first := d
		if d.Year == 0 {
			first.Year = 2000 // a leap year
		}
		for day := range 2 {
			next := sla.DateOf(midnight(first).AddDate(0, 0, day))
			if d.Year == 0 {
				next.Year = 0
			}
			seen[next] = true
		}
	}
	for d := range c.Holidays {
		add(d)
	}
	for d := range c.Exceptions {
		add(d)
	}
	if seen[sla.Date{Month: time.February, Day: 29}] {
		seen[sla.Date{Month: time.March, Day: 1}] = true // of other years
	}
	for d := range seen {
		if d.Year == 0 {
			yearly = append(yearly, d)
		} else {
			single = append(single, d)
		}
	}
	for _, dates := range [][]sla.Date{yearly, single} {
		slices.SortFunc(dates, func(a, b sla.Date) int { return strings.Compare(sortable(a), sortable(b)) })
	}
	return yearly, single
}

func sortable(d sla.Date) string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day) }

// otherYears are the years in which a yearly date is not listed by itself; nil is all.
func otherYears(d sla.Date, single []sla.Date) []string {
	var ranges []string
	from := 0
	for _, s := range single {
		if s.Month == d.Month && s.Day == d.Day {
			ranges = append(ranges, fmt.Sprintf("%d:%d", from, s.Year-1))
			from = s.Year + 1
		}
	}
	if ranges == nil {
		return nil
	}
	return append(ranges, fmt.Sprintf("%d:9999", from))
}

// onWeekday is a yearly date in some year in which it falls on the weekday.
func onWeekday(d sla.Date, weekday int) sla.Date {
	for year := 2001; ; year++ {
		at := sla.Date{Year: year, Month: d.Month, Day: d.Day}
		if sla.DateOf(midnight(at)) == at && int(midnight(at).Weekday()) == weekday {
			return at
		}
	}
}

// without has the minutes of m that are not in other.
func (m minutes) without(other minutes) minutes {
	for i := range m {
		m[i] = m[i] && !other[i]
	}
	return m
}

// ranges are the ranges of minutes that have the wanted value.
func (m minutes) ranges(wanted bool) []timeRange {
	var all []timeRange
	clock := func(minute int) string { return fmt.Sprintf("%02d:%02d", minute/60, minute%60) }
	for i := 0; i < len(m); i++ {
		if m[i] != wanted {
			continue
		}
		from := i
		for i < len(m) && m[i] == wanted {
			i++
		}
		all = append(all, timeRange{clock(from), clock(i)})
	}
	return all
}

var dayNames = []string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}

// weekly are the hours of ordinary weeks, or all others: an interval for all
// days that have the same.
func weekly(week [7]minutes, wanted bool) []timeInterval {
	var all []timeInterval
	for i, day := range week {
		times := day.ranges(wanted)
		if len(times) == 0 {
			continue
		}
		same := slices.IndexFunc(all, func(t timeInterval) bool { return slices.Equal(t.Times, times) })
		if same < 0 {
			all = append(all, timeInterval{Times: times})
			same = len(all) - 1
		}
		all[same].Weekdays = append(all[same].Weekdays, dayNames[i])
	}
	return all
}

// on is the interval on a date of some years, nil for all.
func (t timeInterval) on(d sla.Date, years []string) timeInterval {
	t.Days, t.Months, t.Years = []string{strconv.Itoa(d.Day)}, []string{strconv.Itoa(int(d.Month))}, years
	return t
}
