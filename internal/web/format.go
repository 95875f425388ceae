package web

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// thin is the narrow no-break space. It groups digits and precedes units, so that
// no line break separates them.
const thin = "\u202f"

// noise bounds the rounding error of a float after a few operations: 1-0.001 is
// not exactly 0.999.
const noise = 1e-12

// below reports whether a ratio misses a target by more than rounding errors.
func below(ratio, target float64) bool { return ratio < target-noise }

// maxPlaces bounds the digits that achieved may grow to.
const maxPlaces = 9

// achievedPercent formats a ratio as a percentage, with two decimals or as many as
// the target has. It has more decimals if rounding would cross the target or give
// 100 %: 0.998996 with a target of 0.999 is "99.8996 %", never "99.90 %".
func achievedPercent(ratio float64, target sla.Decimal) string {
	places := 2
	if _, frac, ok := strings.Cut(target.String(), "."); ok {
		places = max(places, min(len(frac), maxPlaces))
	}
	goal := target.Float64()
	missed := below(ratio, goal/100)
	for ; places <= maxPlaces; places++ {
		text := strconv.FormatFloat(ratio*100, 'f', places, 64)
		shown, err := strconv.ParseFloat(text, 64)
		if err == nil && !(missed && shown >= goal) && !(below(ratio, 1) && shown >= 100) && !(ratio > noise && shown <= 0) {
			return text + thin + "%"
		}
	}
	// Even maxPlaces digits would cross it: truncate instead of rounding.
	scale := math.Pow10(maxPlaces)
	return strconv.FormatFloat(math.Floor(ratio*100*scale)/scale, 'f', maxPlaces, 64) + thin + "%"
}

// percent formats a share with at most three significant digits: "0.14 %", "12 %",
// "< 0.01 %".
func percent(share float64) string {
	p := share * 100
	switch abs := math.Abs(p); {
	case abs == 0:
		return "0" + thin + "%"
	case abs < 0.01:
		if p < 0 {
			return "> \u22120.01" + thin + "%"
		}
		return "< 0.01" + thin + "%"
	case abs < 10:
		return minus(strconv.FormatFloat(p, 'f', 2, 64)) + thin + "%"
	case abs < 100:
		return minus(strconv.FormatFloat(p, 'f', 1, 64)) + thin + "%"
	}
	return group(strconv.FormatFloat(p, 'f', 0, 64)) + thin + "%"
}

// times formats a burn rate: "14.4×". Only 0 is shown as 0.
func times(burn float64) string {
	switch {
	case burn <= noise:
		return "0×"
	case burn < 0.01:
		return "< 0.01×"
	case burn < 10:
		return strconv.FormatFloat(burn, 'f', 2, 64) + "×"
	case burn < 100:
		return strconv.FormatFloat(burn, 'f', 1, 64) + "×"
	}
	return group(strconv.FormatFloat(burn, 'f', 0, 64)) + "×"
}

// count formats a number of events: whole, with thousands grouped. Below ten it has
// a decimal, because increases are interpolated. It rounds down if down is set, otherwise up.
func count(n float64, down bool) string {
	n = max(n, 0) // rounding errors may make a difference of sums negative
	scale, places := 1.0, 0
	if n < 10 {
		scale, places = 10, 1
	}
	scaled := math.Ceil(max(n*scale-1e-9, 0))
	if down {
		scaled = math.Floor(n*scale + 1e-9)
	}
	text := strconv.FormatFloat(scaled/scale, 'f', places, 64)
	return group(strings.TrimSuffix(text, ".0"))
}

// group puts a thin space between thousands.
func group(number string) string {
	sign, number := splitSign(number)
	whole, fraction, found := strings.Cut(number, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + thin + whole[i:]
	}
	if found {
		whole += "." + fraction
	}
	return sign + whole
}

// minus replaces a leading hyphen by a minus sign.
func minus(number string) string {
	sign, number := splitSign(number)
	return sign + number
}

func splitSign(number string) (sign, rest string) {
	if rest, ok := strings.CutPrefix(number, "-"); ok {
		return "\u2212", rest
	}
	return "", number
}

// span formats a duration by its two greatest units, rounded down: "38 min 12 s",
// "2 h 5 min", "12 d 3 h". Only 0 is shown as "0 s".
func span(d time.Duration) string {
	if d < time.Second {
		if d <= 0 {
			return "0" + thin + "s"
		}
		return "< 1" + thin + "s"
	}
	units := []struct {
		size time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "min"}, {time.Second, "s"}}
	for i, u := range units {
		if d < u.size {
			continue
		}
		text := strconv.FormatInt(int64(d/u.size), 10) + thin + u.name
		if i+1 < len(units) {
			next := units[i+1]
			if rest := d % u.size / next.size; rest > 0 {
				text += "\u00a0" + strconv.FormatInt(int64(rest), 10) + thin + next.name
			}
		}
		return text
	}
	return ""
}

// spanUp is span, rounded up to the second: for overspent budgets.
func spanUp(d time.Duration) string {
	if rest := d % time.Second; rest > 0 {
		d += time.Second - rest
	}
	return span(d)
}

// overWords names a period after "over": "the last 30 d", "a calendar month".
func overWords(p sla.Period) string {
	if p.Calendar != "" {
		return p.Words()
	}
	return "the last " + span(p.Rolling)
}

// periodWords returns a period in words: "30 d", "a calendar month".
func periodWords(p sla.Period) string {
	if p.Calendar != "" {
		return p.Words()
	}
	return span(p.Rolling)
}

// probeTime formats how long a probe took: "3 ms", "1.25 s".
func probeTime(d time.Duration) string {
	switch {
	case d <= 0:
		return "–"
	case d < time.Millisecond:
		return "< 1" + thin + "ms"
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + thin + "ms"
	}
	return strconv.FormatFloat(d.Seconds(), 'f', 2, 64) + thin + "s"
}

// ago formats how long before now something happened: "12 s ago".
func ago(at, now time.Time) string {
	d := now.Sub(at)
	if d < time.Second {
		return "just now"
	}
	return span(d) + " ago"
}
