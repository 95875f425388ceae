package dashboards_test

import (
	"strings"
	"testing"

	"github.com/upheld-sla/upheld/dashboards"
	"github.com/upheld-sla/upheld/sla/spec"
)

// runbookLinks are the links of each line of the panel of a level's alerts.
func runbookLinks(t *testing.T, o dashboards.Options, text string) map[string]string {
	t.Helper()
	agreements, findings := spec.LoadText("spec.yaml", text)
	if findings.HasErrors() {
		t.Fatal(findings)
	}
	boards, err := o.OfAgreement(agreements[0])
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, b := range boards {
		for _, p := range parse(t, b.JSON).everyPanel() {
			if !strings.HasSuffix(b.File, "_level.json") || p.Title != "Alerts" {
				continue
			}
			for _, o := range p.FieldConfig.Overrides {
				for _, s := range o.Properties {
					if s.ID == "links" {
						all[o.Matcher.Options] = s.Value.([]any)[0].(map[string]any)["url"].(string)
					}
				}
			}
		}
	}
	return all
}

const withRunbook = `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  alerting: {measurementLost: {enabled: true}}
  serviceLevels:
    - {name: one, service: api, target: "99", indicator: {events: {bad: a_total, total: b_total}}}
    - {name: two, service: api, target: "99", indicator: {events: {bad: a_total, total: b_total}}}
`

// Each alert on a board links what to do: our page, one in a folder of yours, or the one
// that all levels name.
func TestAlertsOnBoardsLinkTheirRunbooks(t *testing.T) {
	const line = "BudgetBurn, page"
	own := strings.Replace(withRunbook, "alerting: {", "alerting: {runbook: https://wiki.example/shop, ", 1)
	differ := strings.Replace(withRunbook, `name: two,`, `name: two, alerting: {runbook: https://wiki.example/two},`, 1)
	for _, test := range []struct {
		name, text, folder, want string
	}{
		{"ours", withRunbook, "", "https://github.com/upheld-sla/upheld/blob/main/docs/runbooks/SLABudgetBurn.md"},
		{"a folder", withRunbook, "https://wiki.example/runbooks/", "https://wiki.example/runbooks/SLABudgetBurn.md"},
		{"of the agreement", own, "", "https://wiki.example/shop"},
		{"levels differ", differ, "", "https://github.com/upheld-sla/upheld/blob/main/docs/runbooks/SLABudgetBurn.md"},
	} {
		links := runbookLinks(t, dashboards.Options{RunbooksURL: test.folder}, test.text)
		if links[line] != test.want {
			t.Errorf("%s: %q links %q, want %q", test.name, line, links[line], test.want)
		}
		if len(links) < 5 {
			t.Errorf("%s: only %d alerts link a runbook: %v", test.name, len(links), links)
		}
	}
}
