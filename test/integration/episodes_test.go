//go:build integration

package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/routing"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// A day of outages in the real rule engine, in simulated time, whose alerts are
// sent to real Alertmanagers as many times faster. Their configuration is the
// generated one, with durations as many times shorter.
const episodePace = 240

// outages are when the requests of a service fail, and how many of them, in
// minutes since the beginning; lost is when nothing is measured.
var outages = map[string][]struct{ from, to, share float64 }{
	"one-minute":    {{60, 61, 1}},
	"three-minutes": {{60, 63, 1}},
	"ten-minutes":   {{60, 70, 1}},
	"an-hour":       {{60, 120, 1}},
	"brown-out":     {{60, 240, 0.012}},
	"worse":         {{60, 120, 0.004}, {120, 180, 0.02}, {180, 210, 1}},
	"better":        {{60, 80, 1}, {80, 200, 0.02}, {200, 230, 0.004}},
	"lost":          {{60, 200, 1}},
	"two-minutes":   {{60, 62, 1}},
	"five-minutes":  {{90, 95, 1}},
	"half":          {{60, 75, 0.5}},
	"a-quarter":     {{100, 130, 0.25}},
	"long":          {{60, 300, 0.02}},
	"late":          {{200, 230, 1}},
	"mostly":        {{150, 156, 0.8}},
	"in-steps":      {{60, 70, 0.05}, {70, 90, 0.3}},
	"with-a-tail":   {{60, 65, 1}, {65, 200, 0.003}},
	"part-a":        {{60, 90, 1}},
	"part-b":        {{80, 120, 1}},
}

const lostFrom, lostTo = 90, 180 // of the service of that name

// episodesTold are the severities that somebody is notified of, for some levels: each
// once that it begins, and once that it is over. Of the others, what internal/routing
// predicts is compared with what is sent.
var episodesTold = map[string]string{
	"one-minute": "page", "three-minutes": "page", "ten-minutes": "page", "an-hour": "page",
	"brown-out": "page ticket", "worse": "page ticket", "better": "page", "lost": "page page",
	"part-a": "page", "part-b": "", "whole": "page",
}

func episodesSpec() string {
	var b strings.Builder
	b.WriteString("apiVersion: upheld/v1\nkind: ServiceLevelAgreement\nmetadata: {name: shop}\nspec:\n  alerting: {budgetExhausted: {enabled: false}, budgetForecast: {enabled: false}}\n  serviceLevels:\n")
	for _, name := range slices.Sorted(maps.Keys(outages)) {
		fmt.Fprintf(&b, "    - {name: %s, target: \"99.9\", indicator: {events: {bad: 'requests_total{of=%q,code=\"500\"}', total: 'requests_total{of=%[2]q}'}}", name, name)
		if strings.HasPrefix(name, "part") {
			b.WriteString(", alerting: {tiers: {page-slow: {enabled: false}}}")
		}
		b.WriteString("}\n")
	}
	b.WriteString("    - {name: whole, target: \"99.9\", indicator: {composite: {any: [shop/part-a, shop/part-b], componentAlerts: inhibited}}}\n")
	return b.String()
}

func episodesFeed(at time.Time) []enginetest.Sample {
	const perMinute, background = 600, 0.0002
	minute := at.Sub(enginetest.Start).Minutes()
	var samples []enginetest.Sample
	for name, spans := range outages {
		if name == "lost" && minute >= lostFrom && minute < lostTo {
			continue
		}
		bad := background * perMinute * minute
		for _, s := range spans {
			bad += perMinute * (s.share - background) * min(max(minute-s.from, 0), s.to-s.from)
		}
		samples = append(samples,
			enginetest.Sample{Series: fmt.Sprintf(`requests_total{of=%q,code="200"}`, name), Value: perMinute*minute - bad},
			enginetest.Sample{Series: fmt.Sprintf(`requests_total{of=%q,code="500"}`, name), Value: bad})
	}
	return samples
}

// TestEpisodesAreToldOnce lets an old and a current Alertmanager report a day of
// outages, and prints what they send.
func TestEpisodesAreToldOnce(t *testing.T) {
	t.Parallel() // it mostly waits
	servers := map[string]string{
		"Debian's": program(t, "prometheus-alertmanager", "install the package prometheus-alertmanager"),
		"current":  program(t, "../../bin/tools/alertmanager", "make bin/tools/alertmanager"),
	}
	agreements, findings := spec.LoadText("shop.yaml", episodesSpec())
	if findings.HasErrors() {
		t.Fatal(findings)
	}
	transitions := episodesInTheEngine(t, agreements[0])
	config, _, err := emit.Alertmanager(agreements)
	if err != nil {
		t.Fatal(err)
	}
	for name, path := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			told := playEpisodes(t, path, config, transitions)
			for _, line := range told {
				t.Log(line.String())
			}
			checkEpisodes(t, told)
			checkPredicted(t, told, predictEpisodes(t, config, transitions))
		})
	}
}

func episodesInTheEngine(t *testing.T, a *sla.Agreement) []enginetest.Transition {
	t.Helper()
	plan, findings := rulegen.Compile(a, rulegen.Options{})
	if findings.HasErrors() {
		t.Fatal(findings)
	}
	rules, err := emit.Prometheus(plan)
	if err != nil {
		t.Fatal(err)
	}
	w := enginetest.New(t, 30*time.Second, episodesFeed)
	w.Load(rules)
	w.Run(11 * time.Hour)
	return slices.DeleteFunc(slices.Clone(w.Transitions()), func(tr enginetest.Transition) bool { return tr.Name == metricnames.BurnTier })
}

// faster divides the durations of a configuration.
func faster(t *testing.T, config []byte) []byte {
	t.Helper()
	return regexp.MustCompile(`(?m)(group_wait|group_interval|repeat_interval): (\w+)$`).ReplaceAllFunc(config, func(found []byte) []byte {
		key, value, _ := strings.Cut(string(found), ": ")
		d, err := model.ParseDuration(value)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Appendf(nil, "%s: %s", key, model.Duration((time.Duration(d) / episodePace).Truncate(time.Millisecond)))
	})
}

// episodeTold is one alert of one notification.
type episodeTold struct {
	receiver, level, alert, severity, status string
	minute                                   float64 // of simulated time
}

func (e episodeTold) String() string {
	return fmt.Sprintf("%6.1f min: %s %s %s to %s: %s", e.minute, e.level, e.alert, e.severity, e.receiver, e.status)
}

// playEpisodes sends the alerts to an Alertmanager and returns what it sends.
func playEpisodes(t *testing.T, path string, config []byte, transitions []enginetest.Transition) []episodeTold {
	t.Helper()
	d, dir, address := newDesk(t), t.TempDir(), freeAddress(t)
	file := filepath.Join(dir, "alertmanager.yml")
	if err := os.WriteFile(file, faster(t, config), 0o600); err != nil {
		t.Fatal(err)
	}
	patch(t, file, func(document map[string]any) {
		for _, receiver := range document["receivers"].([]any) {
			receiver.(map[string]any)["webhook_configs"] = []any{map[string]any{"url": d.server.URL}}
		}
	})
	p := start(t, "alertmanager", path, "--config.file="+file, "--cluster.listen-address=",
		"--storage.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)
	awaitReady(t, p, address)
	begin, began := time.Now(), map[string]time.Time{}
	var told []episodeTold
	seen := 0
	look := func() {
		all := d.received()
		for _, n := range all[seen:] {
			for _, a := range n.Alerts {
				told = append(told, episodeTold{
					n.Receiver, a.Labels["slo"], a.Labels["alertname"], a.Labels["severity"], a.Status,
					time.Since(begin).Minutes() * episodePace,
				})
			}
		}
		seen = len(all)
	}
	for _, tr := range transitions {
		due := begin.Add(tr.At.Sub(enginetest.Start) / episodePace)
		for time.Now().Before(due) {
			time.Sleep(min(time.Until(due), 100*time.Millisecond))
			look()
		}
		labels := maps.Clone(tr.Labels)
		labels["alertname"] = tr.Name
		key := fmt.Sprint(labels)
		if tr.Firing {
			began[key] = time.Now()
		}
		ends := time.Now()
		if tr.Firing {
			ends = ends.Add(time.Hour)
		}
		post(t, "http://"+address+"/api/v2/alerts", []map[string]any{{"labels": labels, "startsAt": began[key], "endsAt": ends}})
	}
	for until := time.Now().Add(30 * time.Minute / episodePace * 2); time.Now().Before(until); look() {
		time.Sleep(100 * time.Millisecond)
	}
	return told
}

func post(t *testing.T, url string, body any) {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.Post(url, "application/json", bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		why, _ := io.ReadAll(answer.Body)
		t.Fatalf("%s: %s: %s", url, answer.Status, why)
	}
}

// checkEpisodes wants each alert sent once when it begins and once when it is
// over. That it still is so may be repeated.
func checkEpisodes(t *testing.T, told []episodeTold) {
	t.Helper()
	turns, severities := map[string][]string{}, map[string][]string{}
	for _, e := range told {
		key := strings.Join([]string{e.receiver, e.level, e.alert, e.severity}, " ")
		if n := len(turns[key]); n > 0 && turns[key][n-1] == e.status {
			continue
		}
		if len(turns[key]) == 0 {
			severities[e.level] = append(severities[e.level], e.severity)
		}
		turns[key] = append(turns[key], e.status)
	}
	for key, statuses := range turns {
		if !slices.Equal(statuses, []string{"firing", "resolved"}) {
			t.Errorf("%s was told as %v", key, statuses)
		}
	}
	for level, want := range episodesTold {
		slices.Sort(severities[level])
		if got := strings.Join(severities[level], " "); got != want {
			t.Errorf("%s: told %q, want %q", level, got, want)
		}
	}
}

// predictEpisodes are the same by internal/routing, in simulated time.
func predictEpisodes(t *testing.T, config []byte, transitions []enginetest.Transition) []episodeTold {
	t.Helper()
	routes, err := routing.Read("alertmanager.yml", config)
	if err != nil {
		t.Fatal(err)
	}
	var received []routing.Received
	began := map[string]time.Time{}
	for _, tr := range transitions {
		labels := maps.Clone(tr.Labels)
		labels["alertname"] = tr.Name
		key := fmt.Sprint(labels)
		ends := tr.At
		if tr.Firing {
			began[key] = tr.At
			ends = tr.At.Add(24 * time.Hour)
		}
		received = append(received, routing.Received{At: tr.At, Labels: labels, StartsAt: began[key], EndsAt: ends})
	}
	var told []episodeTold
	for _, n := range routes.Notifications(received, enginetest.Start.Add(12*time.Hour)) {
		for status, alerts := range map[string][]map[string]string{"firing": n.Firing, "resolved": n.Resolved} {
			for _, l := range alerts {
				told = append(told, episodeTold{n.Receiver, l["slo"], l["alertname"], l["severity"], status, n.At.Sub(enginetest.Start).Minutes()})
			}
		}
	}
	return told
}

// checkPredicted wants that who is notified of which alert, and how that goes on, is
// what was predicted. Not when: that a group waits, a busy machine makes longer.
func checkPredicted(t *testing.T, told, predicted []episodeTold) {
	t.Helper()
	turns := func(all []episodeTold) map[string][]string {
		found := map[string][]string{}
		for _, e := range all {
			key := strings.Join([]string{e.receiver, e.level, e.alert, e.severity}, " ")
			if n := len(found[key]); n == 0 || found[key][n-1] != e.status {
				found[key] = append(found[key], e.status)
			}
		}
		return found
	}
	if diff := cmp.Diff(turns(predicted), turns(told)); diff != "" {
		t.Errorf("predicted (-) and sent (+):\n%s", diff)
	}
}
