package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/golden"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

const hosting = `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: hosting, description: Hosting of the shop}
spec:
  timeZone: Europe/Berlin
  calendars:
    prime:
      weekly: [{days: [Mon, Tue, Wed, Thu, Fri], from: "08:00", to: "20:00"}]
      exceptions: [{date: "2026-12-24", from: "09:00", to: "13:00"}]
  maintenance:
    effect: treat_as_up
    windows: [{rrule: "FREQ=WEEKLY;BYDAY=SU", start: "2026-01-04T01:00", duration: 4h}]
    cap: {excludedDowntime: 240m, per: month}
  contacts:
    on-call: {description: The rota of the shop team}
    service-manager: {}
  escalation:
    - {notify: [on-call]}
    - {after: 30m, notify: [service-manager]}
  serviceLevels:
    - name: availability
      service: storefront
      description: The shop answers in prime time
      indicator: {probe: {http: "https://shop.example/health", interval: 15s}}
      target: "99.9"
      period: month
      serviceHours: prime
      credits: {tiers: [{below: "99.9", percent: "10"}, {below: "99.5", percent: "25"}]}
    - name: errors
      service: checkout
      indicator: {events: {bad: 'orders_total{code=~"5.."}', total: orders_total}}
      target: "99.95"
      credits: {tiers: [{below: "99.95", percent: "5"}]}
    - name: buying
      service: checkout
      indicator: {composite: {all: [storefront/availability]}}
      target: "99.5"
`

func loadAgreement(t *testing.T, text string) *sla.Agreement {
	t.Helper()
	agreements, findings := spec.LoadText("spec.yaml", text)
	if findings.HasErrors() {
		t.Fatal(findings)
	}
	return agreements[0]
}

func TestAgreementForSignature(t *testing.T) {
	before := loadAgreement(t, strings.NewReplacer(`"99.9"`, `"99.8"`, "30m", "60m", "    service-manager: {}\n", "    service-manager: {}\n    boss: {}\n").Replace(hosting))
	doc := AgreementDocument{Agreement: loadAgreement(t, hosting), Against: before, Now: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)}
	for _, f := range AgreementFormats() {
		data, err := f.Render(doc)
		if err != nil {
			t.Fatal(err)
		}
		if dir := os.Getenv("UPHELD_REPORTS"); dir != "" {
			if err := os.WriteFile(filepath.Join(dir, "agreement."+f.Extension), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if f.Name == "markdown" {
			golden.Equal(t, "testdata/agreement.md", data)
		}
		for _, want := range []string{"99.9", "prime", "every Sunday", "service-manager", "100.00"} {
			if !strings.Contains(string(data), want) {
				t.Errorf("%s does not say %q", f.Name, want)
			}
		}
	}
}

// TestAgreementOfAWholeContract takes the specification of package spec that has every key
// of a contract.
func TestAgreementOfAWholeContract(t *testing.T) {
	text, err := os.ReadFile("../../sla/spec/testdata/valid/contract.yaml")
	if err != nil {
		t.Fatal(err)
	}
	data, err := agreementMarkdown(AgreementDocument{Agreement: loadAgreement(t, string(text)), Now: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "testdata/contract.md", data)
}

func TestAgreementThatDidNotChangeHasNoChanges(t *testing.T) {
	a := loadAgreement(t, hosting)
	blocks := changesOf(AgreementDocument{Agreement: a, Against: loadAgreement(t, hosting)})
	if len(blocks) != 1 || len(blocks[0].Rows) != 0 {
		t.Errorf("the same text differs from itself: %v", blocks)
	}
}

func TestAgreementEscapesWhatIsHostile(t *testing.T) {
	a := loadAgreement(t, hosting)
	a.Description = `<script>alert(1)</script> | [x](javascript:alert(2))`
	a.Levels[0].Description = "`code`\n# heading"
	for _, f := range AgreementFormats() {
		data, err := f.Render(AgreementDocument{Agreement: a, Now: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		for _, evil := range []string{"<script>", "[x](", "\n# heading"} {
			if strings.Contains(string(data), evil) && (f.Name == "markdown" || evil[0] == '<') {
				t.Errorf("%s lets %q through", f.Name, evil)
			}
		}
	}
}
