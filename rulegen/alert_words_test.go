package rulegen_test

import (
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// A page says what is down and why, what is left of the budget and when that ends, and
// links what helps; without the series that it asks for it says what it knows. An exporter
// that skips most of its probes is no reason why a service is down.
func TestPagesSayWhatIsDownAndWhy(t *testing.T) {
	t.Parallel()
	up, _ := probeLevels()
	up.Impact = "Nobody can open {{the}} shop."
	requests := level("requests", "99.9", events(`requests_total{code="500"}`, "", `requests_total`))
	p := newProber("up", "here")
	const bad = time.Hour
	target := func(at time.Time) []enginetest.Sample {
		since := at.Sub(enginetest.Start)
		fails := max(since-bad, 0).Seconds()
		samples := []enginetest.Sample{
			{Series: `requests_total{code="200"}`, Value: 10*since.Seconds() - 2*fails},
			{Series: `requests_total{code="500"}`, Value: 2 * fails},
			{Series: `upheld_probe_failures_total{sla="shop",service="web",slo="up",target="x",location="here",reason="connect_refused"}`, Value: fails / 15},
			{Series: `upheld_probe_failures_total{sla="shop",service="web",slo="up",target="x",location="here",reason="timeout"}`, Value: fails / 150},
			{Series: `upheld_probe_failures_total{sla="shop",service="web",slo="up",target="x",location="here",reason="overload"}`, Value: fails},
			{Series: `upheld_probe_failures_total{sla="shop",service="web",slo="up",target="x",location="here",reason="resolver"}`, Value: fails},
		}
		return append(samples, p.probe(map[bool]string{true: "bad", false: "good"}[fails > 0])...)
	}
	w := enginetest.New(t, 15*time.Second, target)
	opts := rulegen.Options{Dashboard: "https://grafana.example/d/shop", Links: rulegen.Links{Pages: "https://sla.example/", Alertmanager: "https://alerts.example"}}
	w.KeepAnnotations()
	w.Load(generate(t, opts, up, requests))
	w.Run(bad + 20*time.Minute)
	want := map[string]map[string]string{
		"up": {
			"summary": "Nobody can open {{the}} shop since 11:09 UTC: connect refused", "budget": "% of the budget of 30d is left. If it goes on as over the last 1h, that ends in ",
			"runbook_url": rulegen.RunbooksURL + "/SLABudgetBurn.md", "page_url": "https://sla.example/level/shop/web/up", "dashboard_url": "https://grafana.example/d/shop",
			"silence_url": "https://alerts.example/#/silences/new?filter=%7Balertname%3D%22SLABudgetBurn%22%2Csla%3D%22shop%22%2Cservice%3D%22web%22%2Cslo%3D%22up%22%7D",
		},
		"requests": {"summary": "api/requests is degraded since 11:09 UTC: 20% of the events of the last five minutes are bad", "page_url": "https://sla.example/level/shop/api/requests"},
	}
	seen := map[string]bool{}
	for _, a := range w.Alerts() {
		noGaps(t, a.Annotations)
		if a.Labels["alertname"] != sla.AlertBudgetBurn.Name || a.Labels["severity"] != "page" {
			continue
		}
		slo := a.Labels["slo"]
		seen[slo] = true
		for name, text := range want[slo] {
			if got := a.Annotations[name]; !strings.Contains(got, text) {
				t.Errorf("%s: %s is %q, want %q in it", slo, name, got, text)
			}
		}
	}
	if len(seen) != len(want) {
		t.Errorf("pages of %v, want one of each level", seen)
	}
}

// noGaps finds what templates leave where a value was missing.
func noGaps(t *testing.T, texts map[string]string) {
	t.Helper()
	for name, text := range texts {
		for _, gap := range []string{"no value", "NaN", "%!", "Inf", "error expanding", "<nil>"} {
			if strings.Contains(text, gap) {
				t.Errorf("%s has %q: %s", name, gap, text)
			}
		}
	}
}

// While nothing is measured a page that goes on has no value to ask for.
func TestPagesWithoutMeasurementHaveNoGaps(t *testing.T) {
	t.Parallel()
	l := level("requests", "99.9", events(`requests_total{code="500"}`, "", `requests_total`))
	w := enginetest.New(t, 15*time.Second, func(at time.Time) []enginetest.Sample {
		n := at.Sub(enginetest.Start).Seconds()
		if n > 1800 {
			return nil
		}
		return []enginetest.Sample{{Series: `requests_total{code="200"}`, Value: n}, {Series: `requests_total{code="500"}`, Value: n}}
	})
	w.KeepAnnotations()
	w.Load(generate(t, rulegen.Options{}, l))
	w.Run(50 * time.Minute)
	pages := 0
	for _, a := range w.Alerts() {
		noGaps(t, a.Annotations)
		if a.Labels["alertname"] == sla.AlertBudgetBurn.Name && a.Labels["severity"] == "page" {
			pages++
			if got := a.Annotations["summary"]; !strings.HasPrefix(got, "api/requests burns its error budget") {
				t.Errorf("the page says %q", got)
			}
		}
	}
	if pages == 0 {
		t.Error("no page goes on")
	}
}
