package sla

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Names of periods: "2026" is a year, "2026-Q3" a quarter, "2026-10" a month, "2026-W41" a
// week by ISO 8601, and "30d to 2026-11-01" the 30 days before that day.

var periodNames = []struct {
	unit  Unit
	shape *regexp.Regexp
	// day is a date in the period, of the numbers in its name.
	day func(p Period, year, n int) time.Time
}{
	{Year, regexp.MustCompile(`^(\d{4})$`), func(p Period, year, _ int) time.Time {
		return noon(year, 1+time.Month(p.FiscalOffset), 15)
	}},
	{Quarter, regexp.MustCompile(`^(\d{4})-Q([1-4])$`), func(p Period, year, n int) time.Time {
		return noon(year, time.Month(3*n-2+p.FiscalOffset), 15)
	}},
	{Month, regexp.MustCompile(`^(\d{4})-(0[1-9]|1[0-2])$`), func(_ Period, year, n int) time.Time {
		return noon(year, time.Month(n), 15)
	}},
	{Week, regexp.MustCompile(`^(\d{4})-W(0[1-9]|[1-4]\d|5[0-3])$`), func(_ Period, year, n int) time.Time {
		first := noon(year, 1, 4) // is always in the first week
		monday := first.AddDate(0, 0, -(int(first.Weekday())+6)%7)
		return monday.AddDate(0, 0, 7*(n-1)+3)
	}},
}

func noon(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 12, 0, 0, 0, time.UTC)
}

var rollingName = regexp.MustCompile(`^(\S+) to (\d{4}-\d{2}-\d{2})$`)

// PeriodName is the name of one period of a kind.
type PeriodName struct {
	text    string
	unit    Unit          // "" of a rolling period
	rolling time.Duration // of a rolling period
	year, n int
	end     string // of a rolling period: the date, "2026-11-01"
}

// ParsePeriodName reads the name of a period.
func ParsePeriodName(text string) (PeriodName, error) {
	name := PeriodName{text: text}
	if m := rollingName.FindStringSubmatch(text); m != nil {
		d, err := parseDays(m[1])
		if err != nil {
			return name, err
		}
		if _, err := time.Parse(time.DateOnly, m[2]); err != nil {
			return name, fmt.Errorf("there is no day %s", m[2])
		}
		name.rolling, name.end = d, m[2]
		return name, nil
	}
	for _, of := range periodNames {
		m := of.shape.FindStringSubmatch(text)
		if m == nil {
			continue
		}
		name.unit = of.unit
		name.year, _ = strconv.Atoi(m[1]) // of digits
		if len(m) > 2 {
			name.n, _ = strconv.Atoi(m[2])
		}
		if of.unit == Week {
			if year, week := of.day(Period{}, name.year, name.n).ISOWeek(); year != name.year || week != name.n {
				return name, fmt.Errorf("%d has no week %d", name.year, name.n)
			}
		}
		return name, nil
	}
	return name, fmt.Errorf(`%q names no period; write 2026-10, 2026-Q3, 2026-W41, 2026, or "30d to 2026-11-01"`, text)
}

// parseDays reads a whole number of days or weeks, or of hours: "30d", "4w", "12h".
func parseDays(text string) (time.Duration, error) {
	units := map[byte]time.Duration{'h': time.Hour, 'd': day, 'w': 7 * day}
	if n, err := strconv.Atoi(strings.TrimRight(text, "hdw")); err == nil && n > 0 && n < 10_000 {
		if unit := units[text[len(text)-1]]; unit > 0 && FormatDuration(time.Duration(n)*unit) != "" && len(text) == len(strconv.Itoa(n))+1 {
			return time.Duration(n) * unit, nil
		}
	}
	return 0, fmt.Errorf("%q is no length of a period; write hours, days or weeks, such as 30d", text)
}

// String is the name.
func (n PeriodName) String() string { return n.text }

// Of returns whether the name is one of a period of this kind.
func (n PeriodName) Of(p Period) bool { return n.unit == p.Calendar && n.rolling == p.Rolling }

// Bounds are the start and the end of the period of that kind with this name.
func (n PeriodName) Bounds(p Period) (start, end time.Time) {
	loc := p.Location()
	if n.unit == "" {
		date, _ := time.Parse(time.DateOnly, n.end) // which was read before
		end = firstInstant(date, loc)
		return end.Add(-n.rolling), end
	}
	for _, of := range periodNames {
		if of.unit == n.unit {
			date := of.day(p, n.year, n.n)
			return p.Bounds(firstInstant(date, loc))
		}
	}
	return time.Time{}, time.Time{}
}

// NameOf is the name of the period of this kind that contains an instant. For a
// rolling period it is the one that ends with the day that begins at or before the
// instant.
func (p Period) NameOf(t time.Time) PeriodName {
	if p.Calendar == "" {
		date := t.In(p.Location()).Format(time.DateOnly)
		return PeriodName{text: p.String() + " to " + date, rolling: p.Rolling, end: date}
	}
	start, _ := p.Bounds(t)
	local := start.In(p.Location()).Add(12 * time.Hour)
	year, month, _ := local.Date()
	text := ""
	switch p.Calendar {
	case Week:
		y, w := local.AddDate(0, 0, int(time.Thursday-p.WeekStart+7)%7).ISOWeek()
		text = fmt.Sprintf("%d-W%02d", y, w)
	case Month:
		text = fmt.Sprintf("%d-%02d", year, month)
	case Quarter:
		months := int(month) - 1 - p.FiscalOffset
		if months < 0 {
			months, year = months+12, year-1
		}
		text = fmt.Sprintf("%d-Q%d", year, months/3+1)
	case Year:
		text = strconv.Itoa(year)
	}
	name, err := ParsePeriodName(text)
	if err != nil {
		name.text = text
	}
	return name
}

// LastClosed is the name of the last period of this kind that is over at an instant.
func (p Period) LastClosed(now time.Time) PeriodName {
	if p.Calendar == "" {
		return p.NameOf(now)
	}
	start, _ := p.Bounds(now)
	return p.NameOf(start.Add(-time.Second))
}
