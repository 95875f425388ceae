package sla

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/teambition/rrule-go"
)

// Window is a declared time: once or recurring.
type Window struct {
	Once      Span        // if Recurs is nil
	Recurs    *Recurrence // nil for a one-off window
	Announced time.Time   // when customers were informed; zero if not given
	Emergency bool        // it need not be announced
	Name      string      // what is done in it, for people; ""
	// ApprovedBy is who approved it, for people; "".
	ApprovedBy string
	Pos        Position
}

// Recurrence is a rule of RFC 5545: windows of the same length that begin at wall times
// of a zone. Its wall times are stored as times in UTC.
type Recurrence struct {
	Rule   string // RRULE without DTSTART; "": only Start and Also
	Start  time.Time
	Length time.Duration
	Except []time.Time // wall times without a window, although the rule has one
	Also   []time.Time // wall times with an additional window
	Zone   string      // IANA name; "" is UTC
	// ByClock is set for whole days: Length is then wall-clock time, so that a day on
	// which the clock changes has 23 or 25 hours. Otherwise it is elapsed time.
	ByClock bool
	rule    *rrule.RRule
}

// mostPerDay limits how many windows a rule may begin on one day.
const mostPerDay = 48

// Other limits of rules, far above those that people write.
const (
	longestRule     = 1000 // characters
	longestInterval = 10_000
	firstYear       = 1900
)

// NewRecurrence parses a rule. start is the wall time of the first window. The error can
// be shown to the author of the rule.
func NewRecurrence(rule string, start time.Time, length time.Duration, zone string) (*Recurrence, error) {
	r := &Recurrence{Rule: rule, Start: start, Length: length, Zone: zone}
	if length <= 0 {
		return nil, errors.New("it lasts no time")
	}
	if rule == "" {
		return r, nil
	}
	option, err := rrule.StrToROption(rule)
	if err != nil {
		return nil, err
	}
	option.Dtstart = start
	if err := checkRule(option, rule); err != nil {
		return nil, err
	}
	if until := option.Until; !until.IsZero() {
		option.Until = wallOf(until, rule, location(zone))
	}
	if r.rule, err = rrule.NewRRule(*option); err != nil {
		return nil, err
	}
	return r, nil
}

// checkRule returns an error for rules that the library does not check itself: some make
// it panic, others take it very long.
func checkRule(option *rrule.ROption, rule string) error {
	switch {
	case len(rule) > longestRule:
		return fmt.Errorf("it is too long, %d characters of at most %d", len(rule), longestRule)
	case option.Dtstart.Year() < firstYear:
		return fmt.Errorf("it starts in %d; let it start in %d or later", option.Dtstart.Year(), firstYear)
	case option.Freq > rrule.DAILY || windowsPerDay(*option) > mostPerDay:
		return fmt.Errorf("it may begin more than %d windows a day; FREQ is DAILY, WEEKLY, MONTHLY or YEARLY, and BYHOUR tells several of a day", mostPerDay)
	case len(option.Byeaster) > 0:
		return errors.New("BYEASTER is not of RFC 5545; write such days out, each with from and to")
	case strings.Contains(rule, "INTERVAL=") && (option.Interval < 1 || option.Interval > longestInterval):
		return fmt.Errorf("INTERVAL=%d is not from 1 to %d", option.Interval, longestInterval)
	case strings.Contains(rule, "COUNT=") && option.Count < 1:
		return fmt.Errorf("COUNT=%d is less than 1", option.Count)
	}
	most := 5 // occurrences of a weekday in a month
	if option.Freq == rrule.YEARLY && len(option.Bymonth) == 0 {
		most = 53
	}
	for _, d := range option.Byweekday {
		if n := d.N(); n > most || n < -most {
			return fmt.Errorf("BYDAY counts to %d of a weekday, and there are at most %d", n, most)
		}
	}
	return checkOccurs(*option)
}

// checkOccurs returns an error if a rule never begins a window. Otherwise the library
// would search until the year 9999 each time it is asked. Dates and weekdays repeat
// every 400 years, so it is enough to ask for the last 400. A rule with a window there
// has one in every such span, which limits later searches.
func checkOccurs(option rrule.ROption) error {
	const last = rrule.MAXYEAR/400*400 - 400
	year := option.Dtstart.Year()
	option.Dtstart = option.Dtstart.AddDate(last+year%400-year, 0, 0)
	option.Until, option.Count = time.Time{}, 0
	r, err := rrule.NewRRule(option)
	if err != nil {
		return err
	}
	if _, ok := r.Iterator()(); !ok {
		return errors.New("it never begins a window: no day is all that it asks for")
	}
	return nil
}

// Spans returns the time of the windows in [from, to).
func (w *Window) Spans(from, to time.Time) Spans {
	if w.Recurs == nil {
		return Union(w.Once).Within(from, to)
	}
	return w.Recurs.spans(from, to)
}

// endless returns whether the window recurs for ever.
func (w *Window) endless() bool {
	return w.Recurs != nil && w.Recurs.rule != nil && w.Recurs.rule.OrigOptions.Until.IsZero() && w.Recurs.rule.OrigOptions.Count == 0
}

// Most is an upper bound for the number of windows that begin before an instant. Finding
// the windows of any time may visit all of them.
func (w *Window) Most(until time.Time) int {
	if w.Recurs == nil {
		return 1
	}
	most := 1 + len(w.Recurs.Also)
	if w.Recurs.rule == nil {
		return most
	}
	o := w.Recurs.rule.OrigOptions
	if !o.Until.IsZero() && o.Until.Before(until) {
		until = o.Until
	}
	years := max(1, until.Year()-o.Dtstart.Year()+1)
	begun := years * daysPerYear(o) * windowsPerDay(o)
	if o.Count > 0 {
		begun = min(begun, o.Count)
	}
	return most + begun
}

// daysPerYear is on how many days of a year a rule may begin windows at most.
func daysPerYear(o rrule.ROption) int {
	days := 366
	switch {
	case o.Freq == rrule.WEEKLY:
		days = 53 * max(1, len(o.Byweekday))
	case o.Freq == rrule.MONTHLY && len(o.Byweekday)+len(o.Byyearday) == 0:
		days = 12 * max(1, len(o.Bymonthday))
	case o.Freq == rrule.YEARLY && len(o.Byweekday)+len(o.Bymonth)+len(o.Bymonthday)+len(o.Byyearday)+len(o.Byweekno) == 0:
		days = 1
	}
	return min(days, 366)
}

// windowsPerDay is how many windows a rule may begin on one day at most.
func windowsPerDay(o rrule.ROption) int {
	return max(1, len(o.Byhour)) * max(1, len(o.Byminute)) * max(1, len(o.Bysecond))
}

// maxOffset is more than any offset from UTC and any change of a clock.
const maxOffset = 48 * time.Hour

func (r *Recurrence) spans(from, to time.Time) Spans {
	loc := location(r.Zone)
	except := map[int64]bool{}
	for _, wall := range r.Except {
		except[wall.Unix()] = true
	}
	var spans []Span
	add := func(wall time.Time) bool {
		if wall.Add(r.Length + maxOffset).Before(from) {
			return true // over long before from, so its instants need not be calculated
		}
		at := instantOf(wall, loc)
		if !at.Before(to) {
			return false
		}
		if end := r.end(wall, at); end.After(from) && !except[wall.Unix()] {
			spans = append(spans, Span{at, end})
		}
		return true
	}
	if r.rule != nil {
		next := r.rule.Iterator()
		for wall, ok := next(); ok && add(wall); {
			wall, ok = next()
		}
	} else {
		add(r.Start)
	}
	for _, wall := range r.Also {
		add(wall)
	}
	return Union(spans...).Within(from, to)
}

// end is the end of the window that begins at a wall time; at is the instant of that.
func (r *Recurrence) end(wall, at time.Time) time.Time {
	if r.ByClock {
		return instantOf(wall.Add(r.Length), location(r.Zone))
	}
	return at.Add(r.Length)
}

// First is the window at Start, even if the rule does not include it.
func (r *Recurrence) First() Span {
	at := instantOf(r.Start, location(r.Zone))
	return Span{at, r.end(r.Start, at)}
}

var untilUTC = regexp.MustCompile(`UNTIL=\d{8}T\d{6}Z`)

// wallOf is the end of a rule as a wall time. It converts an end in UTC to the zone.
func wallOf(until time.Time, rule string, loc *time.Location) time.Time {
	if !untilUTC.MatchString(rule) {
		return time.Date(until.Year(), until.Month(), until.Day(), until.Hour(), until.Minute(), until.Second(), 0, time.UTC)
	}
	local := until.In(loc)
	return time.Date(local.Year(), local.Month(), local.Day(), local.Hour(), local.Minute(), local.Second(), 0, time.UTC)
}

// instantOf is when a clock in loc shows a wall time. For a wall time that occurs twice
// it is the first occurrence; for a skipped one it uses the offset before the change
// (RFC 5545, section 3.3.5).
func instantOf(wall time.Time, loc *time.Location) time.Time {
	first := firstInstant(wall, loc)
	if local := first.In(loc); local.Hour() != wall.Hour() || local.Minute() != wall.Minute() {
		_, before := first.Add(-time.Second).In(loc).Zone()
		return wall.Add(-time.Duration(before) * time.Second)
	}
	return first
}

// Instant is when a clock of the zone shows a wall time, which is passed as a time in
// UTC.
func Instant(wall time.Time, zone string) time.Time { return instantOf(wall, location(zone)) }
