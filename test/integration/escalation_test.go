//go:build integration

package integration

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestEscalation lets a real Alertmanager say who is notified and when: two services
// are down, and the page of one is silenced before the later step.
func TestEscalation(t *testing.T) {
	t.Parallel() // it mostly waits
	const install = "install the packages prometheus and prometheus-alertmanager"
	server, alertmanager := program(t, "/usr/bin/prometheus", install), program(t, "prometheus-alertmanager", install)
	built, dir, told := build(t), t.TempDir(), newDesk(t)
	begin := time.Now()
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := int(time.Since(begin).Seconds())
		for _, name := range []string{"front", "back"} {
			fmt.Fprintf(w, "requests_total{service=%q,code=\"500\"} %d\n", name, 10*n)
		}
	}))
	t.Cleanup(service.Close)
	spec, generated, config := filepath.Join(dir, "spec.yaml"), filepath.Join(dir, "generated"), filepath.Join(dir, "alertmanager.yml")
	put := func(path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put(spec, escalating)
	base := "route:\n  receiver: nobody\nreceivers:\n  - name: nobody\n"
	for _, name := range []string{"upheld-page", "upheld-ticket", "rota", "upheld-shop/lead", "upheld-shop/boss"} {
		base += fmt.Sprintf("  - name: %s\n    webhook_configs: [{url: %q}]\n", name, told.server.URL)
	}
	put(config, base)
	addresses := []string{freeAddress(t), freeAddress(t)}
	run(t, ".", built.upheld, "generate", spec, "-o", generated, "--rules.interval=1s", "--scrape.interval=1s",
		"--alertmanager.address="+addresses[1], "--alertmanager.merge="+config)
	p := start(t, "alertmanager", alertmanager, "--config.file="+config, "--cluster.listen-address=",
		"--storage.path="+filepath.Join(t.TempDir(), "data"), "--web.listen-address="+addresses[1])
	awaitReady(t, p, addresses[1])
	startPrometheus(t, server, generated, addresses[0], strings.TrimPrefix(service.URL, "http://"))

	at := map[string]time.Time{} // "receiver service escalation": when it was first sent
	look := func() {
		for _, n := range told.received() {
			for _, a := range n.Alerts {
				key := strings.Join([]string{n.Receiver, a.Labels["service"], a.Labels["alertname"], a.Labels["severity"], a.Labels["escalation"]}, " ")
				if _, seen := at[key]; !seen {
					at[key] = time.Now()
				}
			}
		}
	}
	await(t, 2*settle, "both are paged", func() error {
		if look(); at["rota front SLABudgetBurn page "].IsZero() || at["rota back SLABudgetBurn page "].IsZero() {
			return fmt.Errorf("told so far: %v", at)
		}
		return nil
	})
	// The silence that Alertmanager's page makes of the alert: all of its labels,
	// and so those of its steps.
	silence := []string{"silence", "add", "--alertmanager.url=http://" + addresses[1], "--comment=taken", "--duration=10m", "--author=test"}
	for name, value := range told.labelsOf(t, "back", "page") {
		silence = append(silence, name+"="+value)
	}
	run(t, ".", program(t, "amtool", install), silence...)
	await(t, 90*time.Second, "the lead is told of the front", func() error {
		if look(); at["upheld-shop/lead front SLABudgetBurn page 1m"].IsZero() {
			return fmt.Errorf("told so far: %v", at)
		}
		return nil
	})
	after := at["upheld-shop/lead front SLABudgetBurn page 1m"].Sub(at["rota front SLABudgetBurn page "])
	if after < 55*time.Second || after > 75*time.Second {
		t.Errorf("the lead was told %s after the rota, want about a minute", after)
	}
	time.Sleep(5 * time.Second) // in which the back's step would come too
	look()
	for key := range at {
		words := strings.Split(key, " ")
		switch {
		case words[0] == "upheld-shop/lead" && words[1] == "back":
			t.Errorf("told though it was silenced: %s", key)
		case words[0] == "upheld-shop/boss":
			t.Errorf("told too early: %s", key)
		case words[2] == "SLABudgetBurn" && words[3] == "ticket":
			t.Errorf("told though a page holds it back: %s", key)
		case words[4] != "" && words[0] != "upheld-shop/lead":
			t.Errorf("a step went to others: %s", key)
		}
	}
	t.Logf("told: %v; the lead after %s", slices.Sorted(maps.Keys(at)), after)
}

const escalating = `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop, labels: {team: shop}}
spec:
  contacts: {rota: {receiver: rota}, lead: {}, boss: {}}
  notifications:
    severities: {page: {groupWait: 1s, groupInterval: 2s}, ticket: {groupWait: 3s, groupInterval: 2s}}
  escalation:
    - {notify: [rota]}
    - {after: 1m, notify: [lead]}
    - {after: 5m, notify: [boss]}
  serviceLevels:
    - name: requests
      service: front
      indicator: {events: {bad: 'requests_total{service="front",code="500"}', total: 'requests_total{service="front"}'}}
      target: "99.9"
    - name: requests
      service: back
      indicator: {events: {bad: 'requests_total{service="back",code="500"}', total: 'requests_total{service="back"}'}}
      target: "99.9"
`

// labelsOf are the labels of a page that was sent.
func (d *desk) labelsOf(t *testing.T, service, severity string) map[string]string {
	t.Helper()
	for _, n := range d.received() {
		for _, a := range n.Alerts {
			if a.Labels["service"] == service && a.Labels["severity"] == severity && a.Labels["escalation"] == "" {
				return a.Labels
			}
		}
	}
	t.Fatalf("nobody was told of a %s of %s", severity, service)
	return nil
}
