package report

import (
	"math/big"
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

// thin is the narrow no-break space that groups digits and precedes units.
const thin = "\u202f"

// percentPlaces is how many places a percentage shows at least, if it has them. It
// shows more if the target has more.
const percentPlaces = 3

// percentText shortens an achieved percentage for reading: "99.95410141" is "99.954 %".
// It cuts instead of rounding, to no fewer places than the target has, so that anything
// below the target or below 100 also looks so.
func percentText(percent, target string) string {
	if percent == "" {
		return ""
	}
	places := percentPlaces
	if _, fraction, ok := strings.Cut(target, "."); ok {
		places = max(places, len(fraction))
	}
	return cut(percent, places) + thin + "%"
}

// allDigits is a percentage with all its digits.
func allDigits(percent string) string {
	if percent == "" {
		return ""
	}
	return percent + thin + "%"
}

// cut drops digits after a number of places, and zeros at the end.
func cut(number string, places int) string {
	whole, fraction, found := strings.Cut(number, ".")
	if !found {
		return number
	}
	fraction = strings.TrimRight(fraction[:min(len(fraction), places)], "0")
	if fraction == "" {
		return whole
	}
	return whole + "." + fraction
}

// quantity prints an amount of time or of things: "20 min 31 s", "9 slots".
func quantity(value, unit string) string {
	d, err := sla.ParseDecimal(value)
	if err != nil {
		return oneLine(value)
	}
	switch unit {
	case "seconds":
		return duration(d)
	case "minutes":
		return duration(d.Mul(sla.NewDecimal(60, 1)))
	case "":
		return group(cut(value, 2))
	}
	text := group(cut(value, 2))
	if text == "1" {
		unit = strings.TrimSuffix(unit, "s")
	}
	return text + " " + oneLine(unit) // a line may break between them, but not within the unit
}

// duration prints seconds for people, rounded down: "20 min 31 s", "4 h 20 min 51 s",
// and without minutes from 100 hours on: "745 h". It never uses days, whose length is
// unclear with service hours.
func duration(seconds sla.Decimal) string {
	switch {
	case seconds.Sign() < 0:
		return "\u2212" + duration(sla.Decimal{}.Sub(seconds))
	case seconds.Sign() > 0 && seconds.Cmp(sla.NewDecimal(1, 1)) < 0:
		return "< 1" + thin + "s"
	}
	whole, ok := floor(seconds)
	if !ok {
		return seconds.String() + thin + "s"
	}
	h, m, s := whole/3600, whole/60%60, whole%60
	if h >= 100 {
		s = 0
	}
	var parts []string
	for _, p := range []struct {
		n    int64
		unit string
	}{{h, "h"}, {m, "min"}, {s, "s"}} {
		if p.n > 0 {
			parts = append(parts, group(big.NewInt(p.n).String())+thin+p.unit)
		}
	}
	if len(parts) == 0 {
		return "0" + thin + "s"
	}
	return strings.Join(parts, "\u00a0")
}

// floor is the integer part of a non-negative number.
func floor(d sla.Decimal) (int64, bool) {
	num, den := d.Fraction()
	n, okNum := new(big.Int).SetString(num, 10)
	m, okDen := new(big.Int).SetString(den, 10)
	if !okNum || !okDen {
		return 0, false
	}
	q := n.Quo(n, m)
	return q.Int64(), q.IsInt64()
}

// group puts a thin space between thousands.
func group(number string) string {
	number, negative := strings.CutPrefix(number, "-")
	whole, fraction, found := strings.Cut(number, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + thin + whole[i:]
	}
	if found {
		whole += "." + fraction
	}
	if negative {
		return "\u2212" + whole
	}
	return whole
}

// money is an amount with its currency: "1250.00 EUR" is "1 250.00 EUR".
func money(amount, currency string) string {
	if amount == "" {
		return ""
	}
	return group(oneLine(amount)) + "\u00a0" + oneLine(currency)
}

// share is value/of for drawing, 0 if unknown.
func share(value, of string) float64 {
	v, err := sla.ParseDecimal(value)
	if err != nil {
		return 0
	}
	o, err := sla.ParseDecimal(of)
	if err != nil || o.Sign() <= 0 {
		return 0
	}
	return v.Quo(o).Float64()
}
