// Package figures prints numbers for people, for all verbs alike.
package figures

import "fmt"

// Percent prints a share in per cent, with three significant digits, and at most three
// places. A smaller share is never shown as zero.
func Percent(share float64) string {
	p := share * 100
	switch abs := max(p, -p); {
	case abs == 0:
		return "0 %"
	case abs < 0.0005 && p < 0:
		return "> -0.001 %"
	case abs < 0.0005:
		return "< 0.001 %"
	case abs < 0.995:
		return fmt.Sprintf("%.3f %%", p)
	case abs < 9.995:
		return fmt.Sprintf("%.2f %%", p)
	case abs < 99.95:
		return fmt.Sprintf("%.1f %%", p)
	}
	return fmt.Sprintf("%.0f %%", p)
}
