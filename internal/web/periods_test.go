package web

import (
	"strings"
	"testing"

	"github.com/upheld-sla/upheld/sla"
)

// A level with two periods shows both on its page and in the overview. If one is
// missed, its card is marked.
func TestEveryPeriodIsShown(t *testing.T) {
	l := level("storefront", "availability", "99.9", httpProbe())
	l.MorePeriods = []sla.Period{{Calendar: sla.Month, Zone: "Europe/Berlin"}}
	status := LevelStatus{
		Level: l, State: sla.StateUp, Achieved: Known(0.9995), BudgetRemaining: Known(0.5), Coverage: Known(1),
		More: []PeriodStatus{{Achieved: Known(0.99), BudgetRemaining: Known(-0.25), Coverage: Known(0.5)}},
	}
	h := handlerFor(t, fixed{levels: []LevelStatus{status}})
	for _, path := range []string{"/", levelPath(l.ID)} {
		body := get(t, h, path).Body.String()
		for _, want := range []string{"99.95", "50.0", "a calendar month (Europe/Berlin)", "25.0" + thin + "% over", "Target missed so far"} {
			if !strings.Contains(body, want) {
				t.Errorf("%s does not show %q", path, want)
			}
		}
	}
	if v := newLevel(status, atNoon); v.Urgency != "warn" || v.Verdict.Class != "good" {
		t.Errorf("urgency %q, verdict %q", v.Urgency, v.Verdict.Class)
	}
}
