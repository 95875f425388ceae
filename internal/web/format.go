package web

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// thin is the narrow no-break space that groups digits and precedes units, so
// that a number never breaks over a line.
const thin = "\u202f"

// noise is how far a float that should be exact may be off after a few
// operations: 1-0.001 against 0.999.
const noise = 1e-12

// below tells whether a ratio misses a target beyond float noise.
func below(ratio, target float64) bool { return ratio < target-noise }

// maxPlaces bounds the digits that achieved may grow to.
const maxPlaces = 9

// achieved prints a ratio as a percentage: two decimals or as many as the target
// has, and more where rounding would carry it across the target or up to a
// hundred. 0.998996 against 0.999 is "99.8996 %", never "99.90 %".
func achieved(ratio float64, target sla.Decimal) string {
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
	// Closer to the boundary than anyone can read: cut instead of rounding.
	scale := math.Pow10(maxPlaces)
	return strconv.FormatFloat(math.Floor(ratio*100*scale)/scale, 'f', maxPlaces, 64) + thin + "%"
}

// percent prints a share for orientation: "0.14 %", "12 %", "< 0.01 %". Three
// significant digits at most.
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

// times prints a burn rate: "14.4×". A burn that is not nothing never shows as 0.
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

// count prints a number of events: whole and grouped, with a decimal below ten
// because increases are interpolated. Rounded towards zero if down, else up.
func count(n float64, down bool) string {
	scale, places := 1.0, 0
	if n < 10 {
		scale, places = 10, 1
	}
	scaled := math.Ceil(n*scale - 1e-9)
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

// minus is the number with a true minus sign.
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

// span prints a length of time for people by its two greatest units, rounded
// down: "38 min 12 s", "2 h 5 min", "12 d 3 h". Below a second it is "0 s" only
// if it is nothing.
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

// spanUp is span rounded up to the second, for what has been overspent.
func spanUp(d time.Duration) string {
	if rest := d % time.Second; rest > 0 {
		d += time.Second - rest
	}
	return span(d)
}

// periodWords name a period: "30 d", "a calendar month".
func periodWords(p sla.Period) string {
	if p.Calendar != "" {
		return p.Words()
	}
	return span(p.Rolling)
}

// took prints how long a probe lasted: "3 ms", "1.25 s".
func took(d time.Duration) string {
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

// ago prints how long before now something was: "12 s ago".
func ago(at, now time.Time) string {
	d := now.Sub(at)
	if d < time.Second {
		return "just now"
	}
	return span(d) + " ago"
}
