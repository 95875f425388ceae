//go:build integration

package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// tenantsDown is how many groups of the level fail together.
const tenantsDown = 200

// TestNotificationsOfAnOutageOfGroups counts what a real Alertmanager sends when
// an API with 200 tenants is down: one page with all of them, by the pace of a
// page whatever that is called, and an alert of another team, which has a label
// sla too, goes where it went before.
func TestNotificationsOfAnOutageOfGroups(t *testing.T) {
	t.Parallel() // it mostly waits
	for name, path := range map[string]string{"old": "prometheus-alertmanager", "current": root + "/bin/tools/alertmanager"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			countNotifications(t, program(t, path, "install the package prometheus-alertmanager; the current one is built by make prometheus-tools"))
		})
	}
}

func countNotifications(t *testing.T, alertmanager string) {
	built := build(t)
	for _, c := range []struct {
		name, groupBy string
		want          map[string]int // by receiver
	}{
		{"by default", "", map[string]int{"upheld-critical": 1, "upheld-shop/lead": 1, "dba": 1}},
		{"by tenant", "groupBy: [sla, service, slo, tenant], ", map[string]int{"upheld-critical": tenantsDown, "upheld-shop/lead": 1, "dba": 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			told, dir, address := newDesk(t), t.TempDir(), freeAddress(t)
			spec, config := filepath.Join(dir, "spec.yaml"), filepath.Join(dir, "alertmanager.yml")
			put := func(path, text string) {
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			put(spec, fmt.Sprintf(manyTenants, c.groupBy, tenantsDown))
			base := "route:\n  receiver: dba\n  group_wait: 1s\n  group_interval: 5s\n  routes: []\nreceivers:\n"
			for _, name := range []string{"dba", "upheld-critical", "upheld-warning", "upheld-shop/lead"} {
				base += fmt.Sprintf("  - name: %s\n    webhook_configs: [{url: %q}]\n", name, told.server.URL)
			}
			put(config, base)
			run(t, ".", built.upheld, "generate", spec, "-o", filepath.Join(dir, "generated"), "--alertmanager.merge="+config)
			p := start(t, "alertmanager", alertmanager, "--config.file="+config, "--cluster.listen-address=",
				"--storage.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)
			awaitReady(t, p, address)

			outage := outageOfTenants()
			raise(t, address, outage, time.Now().Add(time.Hour))
			firing := func() map[string]int { return counted(told, "firing") }
			await(t, 2*settle, "the outage is told", func() error {
				if got := firing(); !maps.Equal(got, c.want) {
					return fmt.Errorf("%v, want %v", got, c.want)
				}
				return nil
			})
			for _, n := range told.received() {
				if n.Receiver == "upheld-critical" && c.groupBy == "" && len(n.Alerts) != tenantsDown {
					t.Errorf("the page has %d of %d tenants", len(n.Alerts), tenantsDown)
				}
			}
			raise(t, address, outage, time.Now())
			await(t, 2*settle, "its end is told", func() error {
				if got := counted(told, "resolved"); !maps.Equal(got, c.want) {
					return fmt.Errorf("%v, want %v", got, c.want)
				}
				return nil
			})
			if got := firing(); !maps.Equal(got, c.want) {
				t.Errorf("after its end %v were told, want %v", got, c.want)
			}
			for _, line := range listed(told) {
				t.Log(line)
			}
		})
	}
}

const manyTenants = `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  contacts: {lead: {}}
  alerting: {severities: {page: critical, ticket: warning}}
  notifications: {%sseverities: {page: {groupWait: 10s, groupInterval: 5s}, warning: {groupInterval: 5s}}}
  escalation: [{after: 15m, notify: [lead]}]
  serviceLevels:
    - name: requests
      service: api
      indicator: {events: {bad: 'requests_total{code="500"}', total: requests_total}}
      target: "99.9"
      groupBy: {labels: [tenant], limit: %d}
`

// outageOfTenants are the alerts of an outage, as rules raise them: of each
// tenant a page, a ticket, which waits for five minutes, and the step that
// follows; and one of another team.
func outageOfTenants() []map[string]string {
	alerts := []map[string]string{{"alertname": "QueueLong", "sla": "gold", "team": "dba", "severity": "critical"}}
	for i := range tenantsDown {
		alert := func(more map[string]string) {
			labels := map[string]string{"alertname": "SLABudgetBurn", "sla": "shop", "service": "api", "slo": "requests", "tenant": fmt.Sprintf("t-%03d", i)}
			maps.Copy(labels, more)
			alerts = append(alerts, labels)
		}
		alert(map[string]string{"severity": "critical"})
		alert(map[string]string{"severity": "critical", "escalation": "15m"})
		alert(map[string]string{"severity": "warning"})
	}
	return alerts
}

// raise posts alerts that end at a time, in batches as Prometheus does.
func raise(t *testing.T, address string, alerts []map[string]string, ends time.Time) {
	t.Helper()
	type alert struct {
		Labels map[string]string `json:"labels"`
		Ends   time.Time         `json:"endsAt"`
	}
	const batch = 64
	for part := range slices.Chunk(alerts, batch) {
		var body []alert
		for _, labels := range part {
			body = append(body, alert{labels, ends})
		}
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.Post("http://"+address+"/api/v2/alerts", "application/json", bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Fatalf("alerts are answered with %s", response.Status)
		}
	}
}

// counted are the notifications by receiver, of those that have an alert which
// fires, or none.
func counted(told *desk, status string) map[string]int {
	n := map[string]int{}
	for _, got := range told.received() {
		if got.status() == status {
			n[got.Receiver]++
		}
	}
	return n
}

func (n notification) status() string {
	for _, a := range n.Alerts {
		if a.Status == "firing" {
			return "firing"
		}
	}
	return "resolved"
}

// listed says what was sent, in order, the same ones together.
func listed(told *desk) []string {
	var lines []string
	counts := map[string]int{}
	for _, n := range told.received() {
		first := n.Alerts[0].Labels
		words := []string{n.status(), "to", n.Receiver + ":", first["alertname"], fmt.Sprintf("(%d alerts)", len(n.Alerts))}
		line := strings.Join(words, " ")
		if counts[line]++; counts[line] == 1 {
			lines = append(lines, line)
		}
	}
	for i, line := range lines {
		lines[i] = fmt.Sprintf("%d x %s", counts[line], line)
	}
	return lines
}
