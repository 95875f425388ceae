package overview

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// noise is the rounding error of sums of floating-point numbers.
const noise = 1e-9

// Span is a duration in its two greatest units: "43m12s", "3h36m", "2d4h".
func Span(d time.Duration) string {
	sign := ""
	if d < 0 {
		sign, d = "-", -d
	}
	s := int64(d.Round(time.Second) / time.Second)
	units := []struct {
		seconds int64
		name    string
	}{{24 * 3600, "d"}, {3600, "h"}, {60, "m"}, {1, "s"}}
	for i, u := range units {
		if s < u.seconds {
			continue
		}
		text := sign + strconv.FormatInt(s/u.seconds, 10) + u.name
		if i+1 < len(units) {
			if rest := s % u.seconds / units[i+1].seconds; rest > 0 {
				text += strconv.FormatInt(rest, 10) + units[i+1].name
			}
		}
		return text
	}
	return "0s"
}

// percentDown is a share in per cent, rounded down, so that the budget left and the
// share achieved never look too good.
func percentDown(share float64, digits int) string {
	scale := math.Pow(10, float64(digits))
	return fmt.Sprintf("%.*f %%", digits, math.Floor(share*100*scale+noise*100*scale)/scale)
}

// percentUp is a share in per cent, rounded up.
func percentUp(share float64) string {
	return fmt.Sprintf("%.1f %%", math.Ceil(share*1000-noise*1000)/10)
}

// achieved is a good share in per cent, with two more digits than the target, so that a
// share below the target never looks like it.
func achieved(share float64, target string) string {
	_, decimals, _ := strings.Cut(target, ".")
	digits := len(decimals) + 2
	if share >= 1-noise {
		return "100"
	}
	return strings.TrimSuffix(percentDown(share, digits), " %")
}

// rate is a burn rate: how many times faster than allowed the budget is spent.
func rate(r float64) string {
	switch {
	case r < noise:
		return "0x"
	case r < 0.01:
		return "<0.01x"
	case r >= 100:
		return fmt.Sprintf("%.0fx", r)
	}
	return strconv.FormatFloat(math.Round(r*100)/100, 'g', 3, 64) + "x"
}
