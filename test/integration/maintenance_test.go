//go:build integration

package integration

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestMaintenanceSilencesItsAlerts adds a window to a specification, and has real
// Alertmanagers silence the alerts of the level that it excuses, and of no other.
func TestMaintenanceSilencesItsAlerts(t *testing.T) {
	t.Parallel() // it mostly waits
	for name, path := range map[string]string{"old": "prometheus-alertmanager", "current": root + "/bin/tools/alertmanager"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			silenceByMaintenance(t, program(t, path, "install the package prometheus-alertmanager; the current one is built by make prometheus-tools"))
		})
	}
}

const maintained = `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  serviceLevels:
    - {name: up, service: web, target: "99.9", indicator: {probe: {tcp: "a.example:1"}}}
    - {name: fast, service: web, target: "99.9", indicator: {probe: {tcp: "a.example:2"}}}
    - {name: up, service: api, target: "99.9", exclusions: [], indicator: {probe: {tcp: "a.example:3"}}}
`

func silenceByMaintenance(t *testing.T, alertmanager string) {
	built, dir, address := build(t), t.TempDir(), freeAddress(t)
	spec, config := filepath.Join(dir, "shop.yaml"), filepath.Join(dir, "alertmanager.yml")
	for file, text := range map[string]string{spec: maintained, config: "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := start(t, "alertmanager", alertmanager, "--config.file="+config, "--cluster.listen-address=",
		"--storage.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)
	awaitReady(t, p, address)
	var alerts []map[string]string
	for _, level := range [][3]string{{"shop", "web", "up"}, {"shop", "web", "fast"}, {"shop", "api", "up"}, {"other", "web", "up"}} {
		alerts = append(alerts, map[string]string{"alertname": "SLABudgetBurn", "sla": level[0], "service": level[1], "slo": level[2]})
	}
	raise(t, address, alerts, time.Now().Add(time.Hour))
	from, to := time.Now().UTC().Format("2006-01-02T15:04Z"), time.Now().Add(time.Hour).UTC().Format("2006-01-02T15:04Z")
	for range 2 { // the second time there is nothing left to do
		run(t, ".", built.upheld, "maintenance", "add", spec, "--from="+from, "--to="+to, "--effect=treat_as_up", `--reason=it's "new"`, "--alertmanager.url=http://"+address)
	}
	get := func(path string, into any) {
		response, err := http.Get("http://" + address + path)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if err := json.NewDecoder(response.Body).Decode(into); err != nil {
			t.Fatal(err)
		}
	}
	var silences, active []map[string]any
	get("/api/v2/silences", &silences)
	if len(silences) != 1 {
		t.Errorf("%d silences: %v", len(silences), silences)
	}
	await(t, settle, "two of four alerts are silenced", func() error {
		if get("/api/v2/alerts?silenced=false", &active); len(active) != 2 {
			return fmt.Errorf("%d are active: %v", len(active), active)
		}
		return nil
	})
}
