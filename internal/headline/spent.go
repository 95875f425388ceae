package headline

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// A sentence gives times and shares as people say them: "43 min", not "43 min 12 s".

const (
	thin    = "\u202f" // the narrow no-break space between a number and its unit
	perCent = thin + "%"
	noise   = 1e-9 // rounding error of sums of floating-point numbers
)

// Plain is the sentence with ordinary spaces, for terminals.
func (s Sentence) Plain() string { return strings.ReplaceAll(s.String(), thin, " ") }

// spent says how much of the budget is spent: "6 s of 7 min are spent".
func (l Level) spent() string {
	if l.Left == nil {
		return ""
	}
	spent := max(0, 1-*l.Left)
	over := spent > 1+noise
	if l.Allowed <= 0 {
		if over {
			return "its budget is overspent by " + percentUp(spent-1)
		}
		return percentUp(spent) + " of its budget is spent"
	}
	bad := time.Duration(spent * float64(l.Allowed))
	if over {
		return fmt.Sprintf("its budget of %s is overspent by %s", Span(l.Allowed), Span(bad-l.Allowed))
	}
	part, whole := Span(bad), Span(l.Allowed)
	if part == whole && spent < 1-noise {
		part, whole = span(bad, time.Second), span(l.Allowed, time.Second)
	}
	return part + " of " + whole + " are spent"
}

// Span prints a duration as people say it: "6 s", "43 min", "2 h 40 min", "3 d 4 h".
func Span(d time.Duration) string {
	switch {
	case d < 59*time.Second+500*time.Millisecond:
		return span(d, time.Second)
	case d < 10*time.Hour:
		return span(d, time.Minute)
	}
	return span(d, time.Hour)
}

// span prints a duration, rounded to a unit.
func span(d, unit time.Duration) string {
	d = d.Round(unit)
	var parts []string
	for _, u := range []struct {
		size time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "min"}, {time.Second, "s"}} {
		if n := d / u.size; n > 0 {
			parts = append(parts, strconv.FormatInt(int64(n), 10)+thin+u.name)
			d -= n * u.size
		}
	}
	if len(parts) == 0 {
		return "0" + thin + "s"
	}
	return strings.Join(parts, " ")
}

// percentUp is a share in per cent, rounded up, but never to 100 %.
func percentUp(share float64) string {
	p := share*100 - noise
	digits := 0
	if p < 10 {
		digits = 1
	}
	scale := math.Pow10(digits)
	up := math.Ceil(p*scale) / scale
	if up >= 100 && share < 1-noise {
		up = 99
	}
	return strconv.FormatFloat(math.Max(0, up), 'f', -1, 64) + perCent
}

// percentDown is a share in per cent, rounded down.
func percentDown(share float64) string {
	return strconv.FormatFloat(math.Floor(share*1000+noise*1000)/10, 'f', -1, 64) + perCent
}

// Clock prints a time in a zone: with its date if it is not today, and with the zone if
// that is not the zone of now.
func Clock(at, now time.Time, zone *time.Location) string {
	if zone == nil {
		zone = now.Location()
	}
	local, today := at.In(zone), now.In(zone)
	layout := "15:04"
	if local.Format(time.DateOnly) != today.Format(time.DateOnly) {
		layout = "2 Jan 15:04"
	}
	if _, offset := now.Zone(); offsetOf(today) != offset {
		layout += " MST"
	}
	return local.Format(layout)
}

func offsetOf(at time.Time) int {
	_, offset := at.Zone()
	return offset
}
