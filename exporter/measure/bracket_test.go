package measure

import (
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/exporter/probe"
)

// TestDowntimeIsBracketed plays probes every 10 s: g good, b bad, i
// inconclusive, m missed.
func TestDowntimeIsBracketed(t *testing.T) {
	for plays, want := range map[string][2]time.Duration{
		"":          {0, 0},
		"gggg":      {0, 0},
		"gbg":       {0, 20},
		"gbbbg":     {20, 40},
		"gbbbgggbg": {20, 60},
		"bbb":       {20, 20}, // nothing is known of before
		"gbmbg":     {0, 40},
		"gbbmbbg":   {20, 60},
		"gmmg":      {0, 0},
		"gmbig":     {0, 40},
		"iib":       {0, 0},
	} {
		m := newMetrics()
		target := m.Replace([]Spec{spec("availability", "tcp", "db.example:1")})[0]
		at := time.Now()
		for _, c := range plays {
			switch c {
			case 'g':
				target.Observe(result(probe.Good, "", time.Millisecond), 0, at)
			case 'b':
				target.Observe(result(probe.Bad, probe.Reset, 5*time.Second), 0, at)
			case 'i':
				target.Observe(result(probe.Inconclusive, probe.NoFD, time.Millisecond), 0, at)
			case 'm':
				target.Skip(probe.Overlap, 1)
			}
			at = at.Add(10 * time.Second)
		}
		if got := [2]time.Duration{target.down.lower, target.down.upper}; got != [2]time.Duration{want[0] * time.Second, want[1] * time.Second} {
			t.Errorf("%q: between %s and %s, want %d and %d", plays, got[0], got[1], want[0], want[1])
		}
		if plays == "gbbbg" && !strings.Contains(string(exposition(t, m)), `upheld_probe_downtime_seconds_total{bound="upper",location="fra1",service="storefront",sla="shop",slo="availability",target="db.example:1"} 40`+"\n") {
			t.Errorf("not in\n%s", exposition(t, m))
		}
	}
}
