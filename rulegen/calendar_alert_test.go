package rulegen_test

import (
	"strings"
	"testing"

	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// The alert that tables end links a runbook, wherever it comes from: ours, one of a
// folder of the user's, or the agreement's own.
func TestCalendarEndsLinksItsRunbook(t *testing.T) {
	const month, hours = "  period: {calendar: month, timeZone: Europe/Berlin}\n", "  calendars: {office: {timeZone: Europe/Berlin, weekly: [{days: [Mon], from: \"08:00\", to: \"18:00\"}]}}\n  serviceHours: office\n"
	for _, c := range []struct{ name, keys, folder, want string }{
		{"of a month", month, "", rulegen.RunbooksURL + "/SLACalendarEnds.md"},
		{"of service hours", hours, "", rulegen.RunbooksURL + "/SLACalendarEnds.md"},
		{"in a folder", month + hours, "https://wiki.example/sla/", "https://wiki.example/sla/SLACalendarEnds.md"},
		{"of the agreement", month + hours + "  alerting: {runbook: \"https://runbooks.example/shop\"}\n", "https://wiki.example", "https://runbooks.example/shop"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := "apiVersion: upheld/v1\nkind: ServiceLevelAgreement\nmetadata: {name: shop}\nspec:\n" + c.keys +
				"  serviceLevels:\n    - {name: up, target: \"99.9\", indicator: {probe: {http: \"https://shop.example\"}}}\n"
			agreements, findings := spec.LoadText("spec.yaml", text)
			if err := findings.Err(); err != nil {
				t.Fatal(err)
			}
			plan, findings := rulegen.Compile(agreements[0], rulegen.Options{Now: generated2026.Now, Links: rulegen.Links{Runbooks: c.folder}})
			if err := findings.Err(); err != nil {
				t.Fatal(err)
			}
			found := 0
			for _, g := range plan.Levels[0].Groups {
				for _, r := range g.Rules {
					if r.Alert != sla.AlertCalendarEnds.Name {
						continue
					}
					found++
					if got := r.Annotations["runbook_url"]; got != c.want {
						t.Errorf("runbook_url is %q, want %q", got, c.want)
					}
				}
			}
			if want := strings.Count(c.keys, "timeZone"); found != want {
				t.Errorf("%d alerts that tables end, want %d", found, want)
			}
		})
	}
}
