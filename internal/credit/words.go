package credit

import (
	"fmt"
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

// percent is a percentage for people, to six places.
func percent(p sla.Decimal) string { return p.Rounded(6) + " %" }

// share prints an achieved share in per cent, rounded down, so that a share just below
// a threshold never looks like it.
func share(p sla.Decimal) string { return p.RoundedDown(8) + " %" }

// number is a count with its noun: "1 outage", "3 outages".
func number(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// days is a number of days for people.
func days(d sla.Decimal) string {
	if d.Cmp(one) == 0 {
		return "1 day"
	}
	return d.Rounded(2) + " days"
}

// span is a number of seconds for people: "2 h 10 min 5 s".
func span(seconds sla.Decimal) string {
	var parts []string
	for _, u := range []struct {
		seconds int64
		name    string
	}{{86400, "d"}, {3600, "h"}, {60, "min"}} {
		unit := sla.NewDecimal(u.seconds, 1)
		if whole := wholes(seconds.Quo(unit), false); whole.Sign() > 0 {
			parts = append(parts, whole.String()+" "+u.name)
			seconds = seconds.Sub(whole.Mul(unit))
		}
	}
	if seconds.Sign() > 0 || len(parts) == 0 {
		parts = append(parts, seconds.Rounded(3)+" s")
	}
	return strings.Join(parts, " ")
}

// capital begins a sentence with an upper-case letter.
func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// nothing says why a level owes nothing.
func (l Level) nothing() string {
	if tiers := l.Level.Credits.Tiers; len(tiers) > 0 {
		return fmt.Sprintf("%s is not %s: nothing is owed.", share(l.Achieved.Mul(hundred)), tiers[0].Words())
	}
	return "Nothing is owed."
}
