package sla

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// BusinessDay counts business days from the first day after a period: 5 is the fifth. A
// business day is not 24 hours: it is a day on which a calendar has hours.
type BusinessDay int

// MaxBusinessDay is the greatest number of a business day.
const MaxBusinessDay = 250

const businessDayPrefix = "business_day_"

// ParseBusinessDay parses "business_day_5".
func ParseBusinessDay(text string) (BusinessDay, error) {
	digits, ok := strings.CutPrefix(text, businessDayPrefix)
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || n < 1 || n > MaxBusinessDay || digits != strconv.Itoa(n) {
		return 0, fmt.Errorf("%q is no business day from %s to %s", text, BusinessDay(1), BusinessDay(MaxBusinessDay))
	}
	return BusinessDay(n), nil
}

// String is "business_day_5".
func (n BusinessDay) String() string { return businessDayPrefix + strconv.Itoa(int(n)) }

// Words is "business day 5".
func (n BusinessDay) Words() string { return "business day " + strconv.Itoa(int(n)) }

// Due is the end of the nth business day of a calendar, counted from the day on which
// from lies, by the clock of the zone. Without a calendar every day is a business day.
// ok is false if the calendar has fewer in the three years from then.
func (n BusinessDay) Due(c *Calendar, zone string, from time.Time) (due time.Time, ok bool) {
	const days = 3 * 366
	left := int(n)
	for d, i := DateOf(from.In(location(zone))), 0; i < days; d, i = d.add(1), i+1 {
		if c.IsBusinessDay(d) {
			left--
		}
		if left == 0 {
			return d.End(zone), true
		}
	}
	return time.Time{}, false
}

// IsBusinessDay returns whether the calendar has hours that begin on the day; of a
// complement, whether any of the day is in its hours. Without a calendar it is true.
func (c *Calendar) IsBusinessDay(d Date) bool {
	switch {
	case c == nil:
		return true
	case c.Complement:
		return len(c.Service(d.Start(c.Zone), d.End(c.Zone))) > 0
	}
	return len(c.hours(d)) > 0
}
