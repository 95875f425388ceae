package rulegen_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

const runbooks = "../docs/runbooks/"

// sectionsOfRunbook are the headings of a runbook, in their order.
var sectionsOfRunbook = []string{"Look at first", "Meaning", "Impact", "What to do", "Queries", "Silence", "More"}

// Every kind of alert has a runbook with all sections, and there is none of another.
func TestEveryAlertHasARunbook(t *testing.T) {
	index, err := os.ReadFile(runbooks + "README.md")
	if err != nil {
		t.Fatal(err)
	}
	heading := regexp.MustCompile(`(?m)^## (.*)$`)
	for _, k := range sla.AlertKinds {
		page := readRunbook(t, k.Name)
		if !strings.HasPrefix(page, "# "+k.Name+"\n") {
			t.Errorf("%s does not begin with its name", k.Name)
		}
		var sections []string
		for _, m := range heading.FindAllStringSubmatch(page, -1) {
			sections = append(sections, m[1])
		}
		if !slices.Equal(sections, sectionsOfRunbook) {
			t.Errorf("%s has the sections %q, want %q", k.Name, sections, sectionsOfRunbook)
		}
		if n := len(blocks(page, "promql")); n < 3 {
			t.Errorf("%s has %d queries, want three", k.Name, n)
		}
		if !strings.Contains(page, "../"+k.Doc) {
			t.Errorf("%s does not link %s", k.Name, k.Doc)
		}
		if !strings.Contains(string(index), "]("+k.Name+".md)") {
			t.Errorf("README.md does not link %s", k.Name)
		}
	}
	files, err := filepath.Glob(runbooks + "SLA*.md")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(sla.AlertKinds) {
		t.Errorf("%d runbooks of %d kinds of alerts: %q", len(files), len(sla.AlertKinds), files)
	}
}

func readRunbook(t *testing.T, alert string) string {
	t.Helper()
	page, err := os.ReadFile(runbooks + alert + ".md")
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// blocks are the blocks of code of a language in a page.
func blocks(page, language string) []string {
	var all []string
	for _, m := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllStringSubmatch(page, -1) {
		all = append(all, m[1])
	}
	return all
}

// While an alert fires, each query of its runbook has a result, and the silence of the
// runbook is one of that alert.
func TestQueriesOfRunbooksHaveResults(t *testing.T) {
	t.Parallel()
	w := enginetest.New(t, time.Minute, troubledShop())
	w.Load(rulesOfYear(t, 2026, troubledSpec), rulesOfYear(t, 2022, forgottenSpec))
	w.Run(75 * time.Minute)
	for _, k := range sla.AlertKinds {
		firing := firingAlerts(w, k.Name)
		if len(firing) == 0 {
			t.Errorf("%s does not fire", k.Name)
			continue
		}
		page := readRunbook(t, k.Name)
		for _, query := range blocks(page, "promql") {
			// Some queries are about probed levels, so one of the alerts has to have a result.
			if !slices.ContainsFunc(firing, func(labels map[string]string) bool { return len(w.Query(withPlaceholders(query, labels))) > 0 }) {
				t.Errorf("%s: no result of\n%s", k.Name, withPlaceholders(query, firing[0]))
			}
		}
		silences(t, k, page, firing[0])
	}
}

// firingAlerts are the labels of the alerts of a name that fire.
func firingAlerts(w *enginetest.World, name string) []map[string]string {
	firing := map[string]map[string]string{}
	for _, tr := range w.Transitions() {
		if tr.Name != name {
			continue
		}
		delete(firing, fmt.Sprint(tr.Labels))
		if tr.Firing {
			firing[fmt.Sprint(tr.Labels)] = tr.Labels
		}
	}
	return slices.Collect(maps.Values(firing))
}

// silences fails unless a runbook has a silence of its alert.
func silences(t *testing.T, k *sla.AlertKind, page string, labels map[string]string) {
	t.Helper()
	matchers := regexp.MustCompile(`\b([a-z_]+)="?([^" ]*)"?`)
	found := false
	for _, block := range blocks(page, "sh") {
		args, isSilence := strings.CutPrefix(block, "amtool silence add ")
		if !isSilence {
			continue
		}
		found = true
		args, _, _ = strings.Cut(args, "--")
		for _, m := range matchers.FindAllStringSubmatch(withPlaceholders(args, labels), -1) {
			if labels[m[1]] != m[2] {
				t.Errorf("%s: silences %s=%q, and the alert has %q", k.Name, m[1], m[2], labels[m[1]])
			}
		}
	}
	if !found {
		t.Errorf("%s does not say how it is silenced", k.Name)
	}
}

// withPlaceholders fills in the placeholders of a runbook.
func withPlaceholders(text string, labels map[string]string) string {
	return os.Expand(text, func(name string) string { return labels[name] })
}

// troubledSpec is an agreement of which every alert fires in troubledShop; the calendar of
// forgottenSpec has ended.
const (
	troubledSpec = `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop, effectiveFrom: "2026-01-01", reviewOn: "2026-03-20"}
spec:
  parties: {provider: {name: Example Hosting}}
  obligations: {provider: [{id: report, deliver: service review, dueBy: business_day_1}]}
  calendars: {prime: {weekly: [{days: [Mon, Tue, Wed, Thu, Fri], from: "08:00", to: "20:00"}]}}
  serviceHours: always
  period: 1d
  exclusions: [{name: tests, effect: treat_as_up, condition: tests_running == 1, cap: {excludedDowntime: 5m, per: month}}]
  recovery: {methods: [{scenario: site_loss, method: restore_from_backup, lastExercised: "2026-01-01", exerciseEvery: 30d}]}
  serviceLevels:
    - name: availability
      service: web
      target: "99"
      exclusions: []
      indicator: {probe: {http: "https://shop.example/", interval: 1m}}
      recovery: {objectives: [{metric: time_to_restore, le: 20m}, {metric: longest_outage, le: 75m}]}
    - name: orders
      service: web
      target: "99"
      exclusions: []
      indicator: {events: {bad: 'orders_total{code="500"}', total: orders_total}}
      credits: {tiers: [{below: "99", percent: "10"}]}
      alerting:
        tiers: {page-fast: {enabled: false}, page-slow: {enabled: false}, ticket-fast: {enabled: false}, ticket-slow: {enabled: false}}
        budgetForecast: {within: 23h, over: 30m}
        creditTier: {within: 23h, over: 30m}
    - {name: lost, service: web, target: "99", exclusions: [], indicator: {events: {bad: 'lost_total{code="500"}', total: lost_total}}}
    - {name: tested, service: web, target: "99", period: [1d, month], indicator: {condition: {expr: tested_up == 1}}}
    - {name: tenants, service: api, target: "99", exclusions: [], groupBy: {labels: [tenant], limit: 5}, indicator: {events: {bad: 'calls_total{code="500"}', total: calls_total}}}
    - {name: purchase, service: checkout, target: "99", exclusions: [], indicator: {condition: {expr: purchase_up == 1}}}
    - {name: cart, service: checkout, target: "99", exclusions: [], indicator: {condition: {expr: cart_up == 1}}}
    - {name: whole, service: checkout, target: "98", exclusions: [], indicator: {composite: {all: [checkout/cart], endToEnd: checkout/purchase}}}
    - name: database
      service: db
      target: "99"
      exclusions: []
      indicator: {condition: {expr: db_up == 1}}
      recovery:
        objectives:
          - {metric: recovery_point, le: 1h, age: backup_age_seconds}
          - {metric: recovery_point, le: 30m, age: backup_age_seconds}
          - {metric: restored_backup_age, le: 7d, age: restored_age_seconds}
`
	forgottenSpec = `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: forgotten}
spec:
  timeZone: Europe/Berlin
  serviceLevels:
    - {name: cart, service: checkout, target: "99", period: month, indicator: {condition: {expr: cart_up == 1}}}
`
)

// troubledShop has nearly all troubles that there are, from ten minutes after its start.
func troubledShop() enginetest.Target {
	probes := map[bool]float64{}
	return func(at time.Time) []enginetest.Sample {
		m := at.Sub(enginetest.Start).Minutes()
		down := m >= 10
		probes[down]++
		var samples []enginetest.Sample
		add := func(series string, value float64) {
			samples = append(samples, enginetest.Sample{Series: series, Value: value})
		}
		of := func(down bool) float64 {
			if down {
				return 0
			}
			return 1
		}
		const probed = `sla="shop",service="web",slo="availability",target="https://shop.example/",location="ams"`
		add(`upheld_probe_results_total{`+probed+`,outcome="good"}`, probes[false])
		add(`upheld_probe_results_total{`+probed+`,outcome="bad"}`, probes[true])
		add(`upheld_probe_failures_total{`+probed+`,reason="status"}`, probes[true])
		add(`upheld_probe_last_outcome_good{`+probed+`}`, of(down))
		add(`orders_total{code="200"}`, 540*m)
		add(`orders_total{code="500"}`, 60*m)
		add("tested_up", of(m >= 50))
		add("tests_running", 1-of(m >= 50))
		add("purchase_up", of(down))
		add("cart_up", 1)
		add(`up{job="orders"}`, of(down))
		add("db_up", 1)
		add("backup_age_seconds", 50*60)
		for i := range 5 {
			add(fmt.Sprintf(`calls_total{code="200",tenant="customer-%d"}`, i), 60*m)
			add(fmt.Sprintf(`calls_total{code="500",tenant="customer-%d"}`, i), float64(i)*m)
		}
		if !down {
			add(`lost_total{code="200"}`, 60*m)
			add("restored_age_seconds", 86400)
		}
		return samples
	}
}

// rulesOfYear are the rules of a specification as they were made in a year.
func rulesOfYear(t *testing.T, year int, text string) []byte {
	t.Helper()
	agreements, findings := spec.LoadText("shop.yaml", text)
	if findings.HasErrors() {
		t.Fatal(findings)
	}
	plan, findings := rulegen.Compile(agreements[0], rulegen.Options{Now: time.Date(year, 3, 1, 0, 0, 0, 0, time.UTC)})
	if findings.HasErrors() {
		t.Fatal(findings)
	}
	file, err := emit.Prometheus(plan)
	if err != nil {
		t.Fatal(err)
	}
	return file
}
