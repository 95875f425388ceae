package routing_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/upheld-sla/upheld/internal/routing"
)

// tools/dispatcher compares what is sent with Alertmanager's own dispatcher, over
// hundreds of drawn configurations; here is what a reader can follow.

var start = time.Date(2026, 3, 5, 10, 0, 0, 0, time.UTC)

const config = `
global: {resolve_timeout: 5m}
route:
  receiver: team
  group_by: [alertname]
  routes:
    - receiver: page
      matchers: [severity="page"]
      group_wait: 10s
      continue: true
    - receiver: boss
      match: {severity: page}
      active_time_intervals: [work]
      group_wait: 15m
inhibit_rules:
  - source_matchers: [severity="page"]
    target_matchers: [severity="ticket"]
    equal: [slo]
time_intervals:
  - name: work
    time_intervals: [{times: [{start_time: '09:00', end_time: '10:20'}]}]
receivers:
  - {name: team, slack_configs: [{channel: '#shop'}]}
  - {name: page, webhook_configs: [{url: 'http://127.0.0.1/'}]}
  - {name: boss}
`

func read(t *testing.T, text string) *routing.Config {
	t.Helper()
	c, err := routing.Read("alertmanager.yml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func never(time.Time) bool { return false }

// sent is an alert as a server sends it that evaluates each minute: every second time
// while it fires, and when it has resolved.
func sent(slo, severity string, from, to time.Duration, away func(time.Time) bool) []routing.Received {
	e := routing.Alert{
		Labels: map[string]string{"alertname": "Burn", "slo": slo, "severity": severity},
		Firing: start.Add(from), Resolved: start.Add(to), Validity: 4 * time.Minute,
	}
	for at := e.Firing; at.Before(e.Resolved); at = at.Add(2 * time.Minute) {
		if !away(at) {
			e.Sent = append(e.Sent, at)
		}
	}
	e.Sent = append(e.Sent, e.Resolved)
	return e.Received()
}

func lines(all []routing.Notification) []string {
	var out []string
	for _, n := range all {
		line := fmt.Sprintf("%s %s: %s", n.At.Sub(start), n.Receiver, n.Reason)
		for i, alerts := range [][]map[string]string{n.Firing, n.Resolved} {
			for _, l := range alerts {
				line += fmt.Sprintf(" %s %s %s", []string{"firing", "resolved"}[i], l["slo"], l["severity"])
			}
		}
		out = append(out, line)
	}
	return out
}

func TestAnOutageIsNotifiedByRoutesGroupsHoursAndInhibition(t *testing.T) {
	var received []routing.Received
	for _, alert := range [][]routing.Received{
		sent("checkout", "page", 0, 30*time.Minute, never),
		sent("checkout", "ticket", time.Minute, 40*time.Minute, never), // kept back by the page until it ends
		sent("search", "page", 10*time.Minute, 12*time.Minute, never),
	} {
		received = append(received, alert...)
	}
	want := []string{
		"10s page: first firing checkout page",
		"10m10s page: more firing checkout page firing search page",
		"15m0s boss: first firing checkout page resolved search page", // its end at 30m is after the hours
		"15m10s page: some end firing checkout page resolved search page",
		"30m10s page: ended resolved checkout page",
		"31m30s team: first firing checkout ticket", // slack is not notified of the end
	}
	if diff := cmp.Diff(want, lines(read(t, config).Notifications(received, start.Add(2*time.Hour)))); diff != "" {
		t.Error(diff)
	}
}

func TestAFiringAlertIsNotifiedAgainAfterTheRepeatInterval(t *testing.T) {
	sent := sent("checkout", "page", 0, 9*time.Hour, never)
	want := []string{"10s page: first firing checkout page", "4h5m10s page: repeated firing checkout page", "8h10m10s page: repeated firing checkout page"}
	got := slices.DeleteFunc(lines(read(t, config).Notifications(sent, start.Add(8*time.Hour+30*time.Minute))), func(l string) bool { return strings.Contains(l, "boss") })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// An alert of a server that is away ends after four intervals, and begins again.
func TestAnAlertOfAServerThatIsAwayEnds(t *testing.T) {
	away := func(at time.Time) bool {
		since := at.Sub(start)
		return since > 10*time.Minute && since < 30*time.Minute
	}
	sent := sent("checkout", "page", 0, time.Hour, away)
	want := []string{
		"10s page: first firing checkout page",
		"15m10s page: ended resolved checkout page",
		"30m0s page: first firing checkout page",
		"1h0m0s page: ended resolved checkout page",
	}
	got := slices.DeleteFunc(lines(read(t, config).Notifications(sent, start.Add(2*time.Hour))), func(l string) bool { return strings.Contains(l, "boss") })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestConfigurationsThatCannotBeReadAreFoundAtTheirPlace(t *testing.T) {
	for text, want := range map[string]string{
		"receivers: []": "am.yml:1:1: error: there is no route; give Alertmanager's configuration: one file with route and receivers",
		"route: {receiver: x}\nreceivers: [{name: y}]":                                             `am.yml:1:8: error: there is no receiver "x"; name one of the receivers of this file`,
		"route:\n  receiver: x\n  group_wait: soon\nreceivers: [{name: x}]":                        `am.yml:3:15: error: "soon" is no duration; write it as 30s, 5m or 4h`,
		"route:\n  receiver: x\n  routes:\n    - {matchers: ['a=~\"(\"']}\nreceivers: [{name: x}]": `am.yml:4:7: error: matcher "a=~\"(\"": error parsing regexp: missing closing ): ` + "`^(?:()$`" + `; write a matcher as label="value" or label=~"expression"`,
		"route:\n  receiver: x\n  mute_time_intervals: [night]\nreceivers: [{name: x}]":            `am.yml:2:3: error: there are no time intervals "night"; name some of time_intervals`,
		"route:\n  receiver: x\n  group_interval: 0s\nreceivers: [{name: x}]":                      "am.yml:2:3: error: a group_interval of 0s: a second is the least that is simulated; write 5m, which is Alertmanager's own",
		"route: [": "am.yml:1:1: error: did not find expected node content; let Alertmanager's own check pass first: amtool check-config am.yml",
		"route:\n  receiver: x\n  group_by: x\nreceivers: [{name: x}]":                                                                                   "am.yml:3:1: error: cannot unmarshal !!str `x` into []string; let Alertmanager's own check pass first: amtool check-config am.yml",
		strings.Repeat("route: {receiver: x, routes: [", 1) + strings.Repeat("{routes: [", 60) + strings.Repeat("]}", 60) + "]}\nreceivers: [{name: x}]": "am.yml:1:531: error: routes within routes, deeper than 50; put them side by side",
	} {
		_, err := routing.Read("am.yml", []byte(text))
		if err == nil || err.Error() != want {
			t.Errorf("%s\n got %v\nwant %s", text, err, want)
		}
	}
}

func FuzzReadIsBounded(f *testing.F) {
	f.Add([]byte(config))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := routing.Read("am.yml", text)
		if err != nil {
			return
		}
		sent := routing.Received{At: start, Labels: map[string]string{"severity": "page"}, StartsAt: start, EndsAt: start.Add(time.Hour)}
		c.Notifications([]routing.Received{sent}, start.Add(time.Hour))
	})
}
