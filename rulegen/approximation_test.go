package rulegen_test

import (
	"strings"
	"testing"

	"github.com/upheld-sla/upheld/sla"
)

// Alerts say of every level whose figures are not exact what is not, and of no
// other; that nobody knows how a level is, is exact.
func TestApproximationsAreTold(t *testing.T) {
	plan := compiled(t, `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  calendars: {prime: {weekly: [{days: [Mon], from: "08:00", to: "20:00"}]}}
  exclusions: [{name: tests, effect: treat_as_up, condition: tests_running == 1, cap: {excludedDowntime: 2h, per: quarter}}]
  serviceLevels:
    - {name: capped, target: "99", indicator: {condition: {expr: up == 1}}, exclusions: [tests], period: quarter}
    - {name: exact, exclusions: [], target: "99", indicator: &i {events: {bad: b, total: t}}}
    - {name: minutes, exclusions: [], target: "99", indicator: *i, aggregation: {method: bad_minute, errorThreshold: "5"}}
    - {name: run, exclusions: [], target: "99", indicator: *i, aggregation: {method: qualified_run, errorThreshold: "5", minRun: 7m}}
    - {name: failed, exclusions: [], target: "99", indicator: *i, aggregation: all_failed_minute}
    - {name: slots, exclusions: [], target: "99", indicator: *i, aggregation: mean_slot_error_rate}
    - {name: native, exclusions: [], target: "99", indicator: {latency: {histogram: h_seconds, native: true, threshold: 300ms}}}
    - {name: hours, exclusions: [], target: "99", indicator: *i, serviceHours: prime}
`)
	want := map[string]string{
		"exact": "", "minutes": "after the last scrape of a minute", "run": "become 7m long", "failed": "after the last scrape",
		"slots": "Slots of 5m", "native": "interpolated", "hours": "37.5 s",
		"capped": "tests may excuse 2h of downtime a quarter",
	}
	for _, l := range plan.Levels {
		for _, g := range l.Groups {
			for _, r := range g.Rules {
				words, told := r.Annotations["approximation"]
				switch expected := want[l.Level.ID.SLO]; {
				case r.Alert == "" || r.Alert == sla.AlertCalendarEnds.Name:
				case r.Alert == sla.AlertMeasurementLost.Name || expected == "":
					if told {
						t.Errorf("%s of %s: %q", r.Alert, l.Level.ID, words)
					}
				case !strings.Contains(words, expected):
					t.Errorf("%s of %s says %q, not %q", r.Alert, l.Level.ID, words, expected)
				}
			}
		}
	}
}
