package emit_test

import (
	"bytes"
	"regexp"
	"testing"
	"text/template"
	"time"

	"github.com/upheld-sla/upheld/internal/golden"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/emit"
)

// oldFunctions are those of Alertmanager 0.22 that the template may use. Alertmanager's
// own code executes it in tools/dispatcher.
func oldFunctions() template.FuncMap {
	return template.FuncMap{"reReplaceAll": func(pattern, to, text string) string {
		return regexp.MustCompile(pattern).ReplaceAllString(text, to)
	}}
}

type messageAlert struct {
	Labels, Annotations map[string]string
	StartsAt, EndsAt    time.Time
}

type messageAlerts struct{ Firing, Resolved []messageAlert }

func TestMessagesGolden(t *testing.T) {
	from := time.Date(2026, 3, 1, 23, 50, 0, 0, time.UTC)
	down := messageAlert{
		Labels: map[string]string{"alertname": "SLABudgetBurn"},
		Annotations: map[string]string{
			"summary":       "storefront/availability of shop is down: connection refused",
			"description":   "It burns its error budget more than 14.4 times too fast.",
			"budget":        "31% of the budget of 30 days is left.",
			"runbook_url":   "https://runbooks.example/SLABudgetBurn.md",
			"page_url":      "https://upheld.example/level/shop/storefront/availability",
			"dashboard_url": "https://grafana.example/d/upheld_level-shop",
			"silence_url":   "https://alerts.example/#/silences/new?filter=x",
		},
		StartsAt: from, EndsAt: from.Add(3*time.Hour + 400*time.Millisecond),
	}
	bare := messageAlert{Labels: map[string]string{"alertname": "DiskFull"}, StartsAt: from, EndsAt: from.Add(90 * time.Second)}
	parsed, err := template.New("").Option("missingkey=zero").Funcs(oldFunctions()).Parse(string(emit.AlertmanagerTemplate()))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, alerts := range []messageAlerts{
		{Firing: []messageAlert{down}},
		{Resolved: []messageAlert{down}},
		{Firing: []messageAlert{bare, down}, Resolved: []messageAlert{bare}},
	} {
		for _, name := range []string{"upheld.title", "upheld.text"} {
			out.WriteString("--- " + name + "\n")
			if err := parsed.ExecuteTemplate(&out, name, struct{ Alerts messageAlerts }{alerts}); err != nil {
				t.Fatal(err)
			}
			out.WriteString("\n")
		}
	}
	golden.Equal(t, "testdata/messages.txt", out.Bytes())
}

func TestTheConfigurationReadsTheTemplate(t *testing.T) {
	text, _, err := emit.Alertmanager(twoAgreements())
	file := parseAlertmanager(t, must(t, text, err))
	if len(file.Templates) != 1 || file.Templates[0] != emit.TemplateFile {
		t.Errorf("the configuration reads %q, want %s beside it", file.Templates, emit.TemplateFile)
	}
	if !bytes.Contains(emit.AlertmanagerTemplate(), []byte(rulegen.Marker)) {
		t.Errorf("the template does not say that it is generated")
	}
}
