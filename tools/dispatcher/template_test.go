package dispatcher

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/template"
)

// messageOf is what Alertmanager makes of the generated template, as text and as HTML.
func messageOf(t *testing.T, alerts template.Alerts) (title, text string) {
	t.Helper()
	parsed, err := template.FromGlobs([]string{"../../rulegen/emit/upheld.tmpl"})
	fail(t, err)
	data := &template.Data{Receiver: "upheld-page", Alerts: alerts}
	title, err = parsed.ExecuteTextString(`{{ template "upheld.title" . }}`, data)
	fail(t, err)
	text, err = parsed.ExecuteTextString(`{{ template "upheld.text" . }}`, data)
	fail(t, err)
	html, err := parsed.ExecuteHTMLString(`<p>{{ template "upheld.title" . }}</p><pre>{{ template "upheld.text" . }}</pre>`, data)
	fail(t, err)
	for _, made := range []string{title, text, html} {
		if made == "" || strings.Contains(made, "no value") || strings.Contains(made, "\n\n\n") || strings.TrimSpace(made) != made {
			t.Errorf("a message with something empty: %q", made)
		}
		for line := range strings.Lines(made) {
			if strings.HasSuffix(strings.TrimSpace(line), ":") {
				t.Errorf("a line without what it announces: %q", line)
			}
		}
	}
	if strings.Contains(title, "\n") {
		t.Errorf("a title of several lines: %q", title)
	}
	return title, text
}

func TestMessagesOfTheTemplate(t *testing.T) {
	down := template.Alert{
		Status: "firing",
		Labels: template.KV{"alertname": "SLABudgetBurn"},
		Annotations: template.KV{
			"summary": "api is down", "description": "All probes fail.", "budget": "31% of the budget of 30 days is left.",
			"runbook_url": "http://r/", "page_url": "http://p/", "dashboard_url": "http://d/", "silence_url": "http://s/",
		},
		StartsAt: start,
	}
	bare := template.Alert{Status: "firing", Labels: template.KV{"alertname": "DiskFull"}, StartsAt: start}
	nameless := template.Alert{Status: "firing", StartsAt: start}
	over := func(a template.Alert, after time.Duration) template.Alert {
		a.Status, a.EndsAt = "resolved", a.StartsAt.Add(after)
		return a
	}
	const firing = "api is down\nAll probes fail.\n31% of the budget of 30 days is left.\nWhat to do: http://r/\nThe level: http://p/\nDashboard: http://d/\nSilence it: http://s/"
	const lasted = "Over: api is down\nThe alert lasted 1h5m, from 2000-01-01 00:00 to 2000-01-01 01:05 UTC.\nWhen it was last sent: 31% of the budget of 30 days is left.\n" +
		"How long the outage itself was, and what it cost: http://p/\nDashboard: http://d/"
	for _, c := range []struct {
		name, title, text string
		alerts            template.Alerts
	}{
		{"firing", "api is down", firing, template.Alerts{down}},
		{"resolved", "Over: api is down", lasted, template.Alerts{over(down, 65*time.Minute)}},
		{"several", "DiskFull (one of 2 alerts)", "DiskFull\n\n" + firing + "\n\n" + lasted, template.Alerts{bare, over(down, 65*time.Minute), down}},
		{"several over", "Over: DiskFull (one of 2 alerts)",
			"Over: DiskFull\nThe alert lasted 2h, from 2000-01-01 00:00 to 2000-01-01 02:00 UTC.\n\n" + lasted,
			template.Alerts{over(bare, 2*time.Hour), over(down, 65*time.Minute)}},
		{"without annotations", "DiskFull", "DiskFull", template.Alerts{bare}},
		{"of seconds", "Over: An alert without a name", "Over: An alert without a name\nThe alert lasted 1m10s, from 2000-01-01 00:00 to 2000-01-01 00:01 UTC.",
			template.Alerts{over(nameless, 70*time.Second+3*time.Millisecond)}},
		{"of ten minutes", "Over: DiskFull", "Over: DiskFull\nThe alert lasted 10m, from 2000-01-01 00:00 to 2000-01-01 00:10 UTC.", template.Alerts{over(bare, 10*time.Minute)}},
		{"of ten hours and ten minutes", "Over: DiskFull", "Over: DiskFull\nThe alert lasted 10h10m, from 2000-01-01 00:00 to 2000-01-01 10:10 UTC.",
			template.Alerts{over(bare, 610*time.Minute)}},
	} {
		if title, text := messageOf(t, c.alerts); title != c.title || text != c.text {
			t.Errorf("%s: %q and\n%s\nwant %q and\n%s", c.name, title, text, c.title, c.text)
		}
	}
}
