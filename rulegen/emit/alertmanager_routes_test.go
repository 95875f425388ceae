package emit_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/upheld-sla/upheld/internal/golden"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

func told(t *testing.T) []*sla.Agreement {
	t.Helper()
	agreements, findings := spec.Load("testdata/told.yaml")
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	return agreements
}

func TestToldGolden(t *testing.T) {
	got, _, err := emit.Alertmanager(told(t))
	golden.Equal(t, "testdata/told-alertmanager.yml", must(t, got, err))
}

// whoIsTold is what an agreement says of who is told of an alert, reckoned from
// its words and not from any route. severities are those that have a receiver.
func whoIsTold(agreements []*sla.Agreement, severities []string, alert map[string]string) []string {
	bySeverity := "upheld-ticket"
	if slices.Contains(severities, alert["severity"]) {
		bySeverity = "upheld-" + alert["severity"]
	}
	i := slices.IndexFunc(agreements, func(a *sla.Agreement) bool { return a.Name == alert["sla"] })
	if i < 0 || !slices.Contains(rulegen.AlertNames(), alert["alertname"]) {
		return nil // of somebody else
	}
	a := agreements[i]
	steps := a.Escalation
	for _, l := range a.Levels {
		if l.ID.Service == alert["service"] && l.ID.SLO == alert["slo"] {
			steps = l.Escalation
		}
	}
	var names []string
	for _, s := range steps {
		after := ""
		if s.After > 0 {
			after = sla.FormatDuration(s.After)
		}
		if after != alert["escalation"] || !slices.Contains(s.Severities, alert["severity"]) && !slices.Contains(s.Tiers, alert["tier"]) {
			continue
		}
		for _, who := range s.Notify {
			name := "upheld-" + a.Name + "/" + who
			for _, c := range a.Contacts {
				if c.Name == who && c.Receiver != "" {
					name = c.Receiver
				}
			}
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if names = slices.Compact(names); len(names) == 0 {
		return []string{bySeverity}
	}
	return names
}

// alertsOf are the alerts that the levels can have, with every label that a
// route could look at, also those of escalations; and some that are nobody's.
func alertsOf(agreements []*sla.Agreement) []map[string]string {
	var alerts []map[string]string
	for _, a := range agreements {
		for _, l := range a.Levels {
			identity := map[string]string{"sla": a.Name, "service": l.ID.Service, "slo": l.ID.SLO}
			add := func(more map[string]string) {
				m := maps.Clone(identity)
				maps.Copy(m, more)
				alerts = append(alerts, m)
				for _, after := range l.EscalationTimes() {
					if l.Escalates(after, m["severity"], m["tier"]) {
						m = maps.Clone(m)
						m["escalation"] = sla.FormatDuration(after)
						alerts = append(alerts, m)
					}
				}
			}
			for _, t := range l.Alerting.Tiers {
				add(map[string]string{"alertname": "SLABudgetBurn", "severity": t.Severity, "tier": t.Name, "long_window": sla.FormatDuration(t.Long)})
			}
			add(map[string]string{"alertname": "SLAMeasurementLost", "severity": l.Notice(sla.AlertMeasurementLost).Severity})
			add(map[string]string{"alertname": "SLABudgetBurn", "severity": "unheard-of"})
			add(map[string]string{"alertname": "HandWritten", "severity": "page"})
		}
	}
	return append(alerts, map[string]string{"alertname": "DiskFull", "severity": "page"},
		map[string]string{"alertname": "SLABudgetBurn", "sla": "unknown", "service": "a", "slo": "b", "severity": "page"},
		map[string]string{"alertname": "QueueLong", "team": "dba", "sla": "gold", "severity": "page"})
}

// routed are the receivers that amtool says an alert goes to.
func routed(t *testing.T, amtool, config string, alert map[string]string) []string {
	t.Helper()
	args := []string{"config", "routes", "test", "--config.file=" + config}
	for _, name := range slices.Sorted(maps.Keys(alert)) {
		args = append(args, name+"="+alert[name])
	}
	lines := strings.Split(strings.TrimSpace(run(t, amtool, args...)), "\n") // a warning may come first
	receivers := strings.Split(lines[len(lines)-1], ",")
	slices.Sort(receivers)
	return slices.Compact(receivers)
}

// amtools are the current one, if it was built, and the distribution's, which
// may be an old one.
func amtools(t *testing.T) []string {
	t.Helper()
	paths := []string{tool(t, "amtool")}
	if built, err := filepath.Abs("../../bin/tools/amtool"); err == nil && built != paths[0] {
		if matches, _ := filepath.Glob(built); len(matches) > 0 {
			paths = append(paths, built)
		}
	}
	return paths
}

func TestAlertmanagerTellsWhomTheAgreementNames(t *testing.T) {
	agreements := told(t)
	path := filepath.Join(t.TempDir(), "alertmanager.yml")
	got, _, err := emit.Alertmanager(agreements)
	write(t, path, must(t, got, err))
	alerts := alertsOf(agreements)
	if len(alerts) < 40 {
		t.Fatalf("only %d alerts to try", len(alerts))
	}
	for i, amtool := range amtools(t) {
		run(t, amtool, "check-config", path)
		if i > 0 { // of an other version a few suffice
			random := rand.New(rand.NewPCG(1, 1))
			random.Shuffle(len(alerts), func(i, j int) { alerts[i], alerts[j] = alerts[j], alerts[i] })
			alerts = alerts[:10]
		}
		for _, alert := range alerts {
			want := whoIsTold(agreements, []string{"page", "ticket", "urgent"}, alert)
			if want == nil {
				want = []string{"upheld-ticket"}
			}
			if got := routed(t, amtool, path, alert); !slices.Equal(got, want) {
				t.Errorf("%s: %v goes to %v, want %v", amtool, alert, got, want)
			}
		}
	}
}

// Paces and groups of an agreement are on every route below its own.
func TestAlertmanagerPaces(t *testing.T) {
	got, _, err := emit.Alertmanager(told(t))
	file := parseAlertmanager(t, must(t, got, err))
	pace := func(r route) string { return r.GroupWait + " " + r.GroupInterval + " " + r.RepeatInterval }
	for _, a := range file.Route.Routes[0].Routes {
		var all []string
		var walk func(route)
		walk = func(r route) {
			for _, m := range r.Matchers {
				if strings.HasPrefix(m, "severity=") {
					all = append(all, fmt.Sprint(m, slices.Contains(r.Matchers, `escalation=""`), " ", pace(r)))
				}
			}
			for _, child := range r.Routes {
				walk(child)
			}
		}
		walk(a)
		slices.Sort(all)
		want := map[string][]string{
			`sla="shop"`: {
				`severity="page"false 0s 1m 1h`, `severity="page"true 10s 1m 1h`, `severity="ticket"false 0s 15m 1d`, `severity="ticket"true 5m 15m 1d`,
				`severity="urgent"false 0s 15m 1d`, `severity="urgent"true 5m 15m 1d`,
			},
			`sla="bank"`: {`severity="page"true 30s 5m 4h`, `severity="ticket"true 5m 15m 2d`, `severity="urgent"true 5m 15m 1d`},
		}[a.Matchers[0]]
		if got := slices.Compact(all); want != nil && !slices.Equal(got, want) {
			t.Errorf("%s: paces %v, want %v", a.Matchers, got, want)
		}
	}
	if by := file.Route.Routes[0].Routes[1].GroupBy; !slices.Equal(by, []string{"sla"}) {
		t.Errorf("the bank is grouped by %v", by)
	}
}

// A later step is told of each alert by itself. In a group with others it would
// come as late as the group's next word whenever the group's first alert is one
// that is held back, as page-slow is by page-fast.
func TestLaterStepsWaitForNoOtherAlert(t *testing.T) {
	got, _, err := emit.Alertmanager(told(t))
	file := parseAlertmanager(t, must(t, got, err))
	steps := 0
	var walk func(route)
	walk = func(r route) {
		later := slices.ContainsFunc(r.Matchers, func(m string) bool { return strings.HasPrefix(m, "escalation=") && m != `escalation=""` })
		if later {
			steps++
			for _, label := range []string{"sla", "service", "slo", "alertname", "tier"} {
				if !slices.Contains(r.GroupBy, label) {
					t.Errorf("%v puts alerts of different %s together: %v", r.Matchers, label, r.GroupBy)
				}
			}
		}
		for _, child := range r.Routes {
			walk(child)
		}
	}
	walk(file.Route)
	if steps < 3 {
		t.Errorf("only %d later steps", steps)
	}
}
