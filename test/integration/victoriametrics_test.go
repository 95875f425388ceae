//go:build integration

package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/replay"
	"github.com/upheld-sla/upheld/internal/replaytest"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla/spec"
)

// everyRule is an agreement that has most kinds of rules. What reads its own
// earlier values is left out of what is compared: see alone.
const everyRule = `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  calendars:
    morning: {weekly: [{days: [Mon, Tue, Wed, Thu, Fri], from: "08:00", to: "12:00"}]}
    rest: {complementOf: morning}
  maintenance: {effect: remove_from_agreed_time, windows: [{from: "2026-03-05T11:00", to: "2026-03-05T11:20", announced: "2026-02-01T00:00"}]}
  serviceLevels:
    - {name: requests, service: api, exclusions: [], target: "99", period: [1d, month], indicator: &requests {events: {bad: 'requests_total{code=~"5.."}', total: requests_total}}}
    - {name: orders, service: api, exclusions: [], target: "99", period: 1d, indicator: {events: {good: 'orders_total{outcome="done"} + orders_total{outcome="queued"}', total: orders_total}}}
    - {name: latency, service: api, exclusions: [], target: "95", period: 1d, indicator: {latency: {histogram: duration_seconds, threshold: 300ms}}}
    - {name: pods, service: api, exclusions: [], target: "95", period: 1d, indicator: {latency: {histogram: pods_seconds, threshold: 1s}}}
    - {name: fine, service: api, exclusions: [], target: "95", period: 1d, indicator: {latency: {histogram: pods_seconds, good: 'pods_seconds{code="OK"}', threshold: 1s}}}
    - {name: calls, service: api, exclusions: [], target: "95", period: 1d, indicator: {events: {good: 'calls_total{code="OK"}', total: calls_total}}}
    - {name: minutes, service: api, exclusions: [], target: "95", period: 1d, indicator: *requests, aggregation: {method: bad_minute, errorThreshold: "5"}}
    - {name: slots, service: api, exclusions: [], target: "95", period: 1d, indicator: *requests, aggregation: mean_slot_error_rate}
    - {name: queue, service: api, exclusions: [], target: "95", period: 1d, indicator: {condition: {expr: 'queue_age_seconds < 60'}}}
    - {name: mesh, service: api, exclusions: [], target: "95", period: 1d, indicator: {ratio: {bad: mesh_errors_ratio}}}
    - {name: morning, service: api, serviceHours: morning, target: "98", period: 1d, indicator: *requests}
    - {name: rest, service: api, serviceHours: rest, target: "98", period: month, indicator: *requests}
    - {name: page, service: web, exclusions: [], target: "95", period: 1d, indicator: {probe: {http: "https://shop.example/", interval: 15s}}}
    - {name: swift, service: web, exclusions: [], target: "95", period: 1d, indicator: {latency: {probe: web/page, threshold: 500ms}}}
    - {name: kept, service: web, exclusions: [], target: "95", period: 1d, missingData: bad, indicator: {probe: web/page}}
    - {name: kept-minutes, service: api, exclusions: [], target: "95", period: 1d, missingData: bad, indicator: *requests, aggregation: {method: bad_minute, errorThreshold: "5"}}
    - {name: page-morning, service: web, serviceHours: morning, target: "95", period: 1d, indicator: {probe: web/page}}
    - {name: tenants, service: api, exclusions: [], target: "95", period: 1d, indicator: *requests, groupBy: {labels: [tenant], targets: [{match: {tenant: acme}, target: "96"}]}}
    - {name: whole, service: shop, exclusions: [], target: "90", period: 1d, indicator: {composite: {any: [web/page, api/queue]}}}
`

// past is what everyRule reads: traffic that comes and goes, an outage of half an
// hour from 10:50 on, counters that are reset, and a time without scrapes. One of
// two pods is replaced by one without a bucket of a second; no call succeeds.
func past(from time.Time, lasts time.Duration) map[string]replay.Stored {
	sums, all := map[string]float64{}, map[string]replay.Stored{}
	for at := from; at.Before(from.Add(lasts)); at = at.Add(15 * time.Second) {
		m := at.Sub(from).Minutes() - 30
		down := m >= 50 && m < 80
		if at.Equal(from.Add(150 * time.Minute)) {
			clear(sums) // everything restarts
		}
		if m >= 150 && m < 162 {
			continue
		}
		n, bad := 40+30*math.Sin(m/17), 0.01
		if down {
			bad = 0.4
		}
		set := func(v float64, name string, pairs ...string) {
			metric := map[string]string{"__name__": name}
			for i := 0; i < len(pairs); i += 2 {
				metric[pairs[i]] = pairs[i+1]
			}
			key := seriesOf(metric)
			all[key] = append(all[key], promql.FPoint{T: at.UnixMilli(), F: v})
		}
		count := func(by float64, name string, pairs ...string) {
			key := name + fmt.Sprint(pairs)
			sums[key] += by
			set(sums[key], name, pairs...)
		}
		for tenant, share := range map[string]float64{"acme": 0.7, "other": 0.3} {
			count(n*share*(1-bad), "requests_total", "code", "200", "tenant", tenant)
			count(n*share*bad, "requests_total", "code", "500", "tenant", tenant)
		}
		count(n/3, "orders_total", "outcome", "done")
		count(n/9, "orders_total", "outcome", "queued")
		count(n*bad/9, "orders_total", "outcome", "lost")
		count(n*(1-bad), "duration_seconds_bucket", "le", "0.3")
		count(n, "duration_seconds_count")
		pods := map[string]string{"a": "1.0", "b": "1.0"}
		if m >= 85 {
			pods = map[string]string{"a": "1.0", "c": "2.5"}
		}
		for pod, bound := range pods {
			for code, share := range map[string]float64{"OK": 0.9, "Internal": 0.1} {
				count(n*share, "pods_seconds_count", "pod", pod, "code", code)
				count(n*share*(1-bad), "pods_seconds_bucket", "pod", pod, "code", code, "le", bound)
			}
		}
		count(n*0.1, "calls_total", "code", "Internal")
		good, failed, age := 1., 0., 10.
		if down {
			good, failed = 0, 1
		}
		if down && m > 60 {
			age = 100
		}
		set(1, "up", "job", "api")
		count(1, "upheld_probe_owed_total", "sla", "shop", "service", "web", "slo", "page", "target", "https://shop.example/", "location", "here")
		for outcome, by := range map[string]float64{"good": good, "bad": failed} {
			count(by, "upheld_probe_results_total", "sla", "shop", "service", "web", "slo", "page", "target", "https://shop.example/", "location", "here", "outcome", outcome)
		}
		count(good*0.9, "upheld_probe_within_threshold_total", "sla", "shop", "service", "web", "slo", "page", "target", "https://shop.example/", "location", "here", "threshold", "0.5")
		set(age, "queue_age_seconds")
		set(bad, "mesh_errors_ratio")
	}
	return all
}

// alone are series that a rule makes of its own earlier values. A range query,
// which evaluates one rule for all times, does not have them.
var alone = []string{"sla:component:down_since_seconds"}

// moments are when what is recorded is compared, and within what share of the
// value it must be the same. VictoriaMetrics' rate counts from the last sample
// before its window to the last one in it, where Prometheus' extrapolates from
// the samples in it to its ends: of steady traffic both are the same, and five
// minutes in which it begins, breaks or ends are counted a little otherwise.
var moments = []struct {
	after  time.Duration
	within float64
}{
	{40 * time.Minute, 0.005},
	{55 * time.Minute, 0.05}, // five minutes into the outage
	{70 * time.Minute, 0.02},
	{118 * time.Minute, 0.03},
	{149 * time.Minute, 0.03},
	{200 * time.Minute, 0.15}, // twelve minutes of the last hour were not scraped
	{295 * time.Minute, 0.05},
}

// TestVictoriaMetricsRecordsTheSame has VictoriaMetrics evaluate every recording
// rule over the samples that the engine of Prometheus has, rule after rule and
// what one records being there for the next, and compares all that is recorded.
// vmalert must accept the file.
func TestVictoriaMetricsRecordsTheSame(t *testing.T) {
	const remedy = "run make victoriametrics-tools"
	server, vmalert := program(t, root+"/bin/tools/victoria-metrics", remedy), program(t, root+"/bin/tools/vmalert", remedy)
	agreements, findings := spec.LoadText("shop.yaml", everyRule)
	if findings.HasErrors() {
		t.Fatal(findings)
	}
	plan, findings := rulegen.Compile(agreements[0], rulegen.Options{Now: enginetest.Start})
	if findings.HasErrors() {
		t.Fatal(findings)
	}
	rules, err := emit.Prometheus(plan)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "shop.yaml")
	if err := os.WriteFile(file, rules, 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, ".", vmalert, "-dryRun", "-rule="+file)

	const lasts = 5 * time.Hour
	from := enginetest.Start.Truncate(time.Hour)
	w, v := replay.New(), startVictoria(t, server)
	var exposed bytes.Buffer
	for series, points := range past(from.Add(-30*time.Minute), lasts+30*time.Minute) {
		w.Add(metricOf(t, series), points)
		for _, p := range points {
			fmt.Fprintf(&exposed, "%s %v %d\n", series, p.F, p.T)
		}
	}
	v.write(t, exposed.Bytes())
	names := map[string]bool{}
	for _, turn := range []string{":calendar:", ":masks", "", ":long"} {
		for _, l := range plan.Levels {
			for _, g := range l.Groups {
				if turnOf(g.Name) != turn {
					continue
				}
				for _, r := range g.Rules {
					if r.Record == "" {
						continue
					}
					names[r.Record] = true
					if _, err := replaytest.Record(w, r.Record, r.Expr.String(), r.Labels, from, from.Add(lasts), g.Interval); err != nil {
						t.Fatal(err)
					}
					v.record(t, r, from, from.Add(lasts), g.Interval)
				}
			}
		}
	}
	for _, m := range moments {
		at := from.Add(m.after)
		want := map[string]float64{}
		for name := range names {
			vector, err := w.Vector(name, at)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range vector {
				want[seriesOf(s.Metric.Map())] = s.F
			}
		}
		takeStatesBeside(t, w, v, at, want)
		v.compare(t, at, want, m.within)
	}
	testGoodWithinADay(t, plan, w, v, from.Add(lasts-5*time.Minute))
}

// takeStatesBeside wants of a state what VictoriaMetrics has of it, if Prometheus has the
// same a minute before or after: a state compares shares with bounds, and where a share
// crosses one the two servers, whose shares differ a little, do not change in one minute.
func takeStatesBeside(t *testing.T, w *replay.World, v victoria, at time.Time, want map[string]float64) {
	t.Helper()
	got := v.ask(t, metricnames.ServiceState, at)
	for _, beside := range []time.Duration{-time.Minute, time.Minute} {
		vector, err := w.Vector(metricnames.ServiceState, at.Add(beside))
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range vector {
			if series := seriesOf(s.Metric.Map()); got[series] == s.F {
				want[series] = s.F
			}
		}
	}
}

// testGoodWithinADay asks for a total of which nothing is good now: it is there
// for both servers if something was, the night before.
func testGoodWithinADay(t *testing.T, plan *rulegen.Plan, w *replay.World, v victoria, at time.Time) {
	t.Helper()
	i := slices.IndexFunc(plan.Levels, func(l rulegen.LevelPlan) bool { return l.Level.ID.SLO == "calls" })
	groups := plan.Levels[i].Groups
	rules := groups[slices.IndexFunc(groups, func(g rulegen.Group) bool { return turnOf(g.Name) == "" })].Rules
	total := rules[slices.IndexFunc(rules, func(r rulegen.Rule) bool { return r.Record == metricnames.TotalRate })].Expr.String()
	if got := v.ask(t, total, at); len(got) > 0 {
		t.Errorf("nothing was ever good, and the total is %v", got)
	}
	seen, before := metricnames.GoodSeen+`{service="api",sla="shop",slo="calls"}`, at.Add(-20*time.Hour).UnixMilli()
	w.Add(metricOf(t, seen), replay.Stored{promql.FPoint{T: before, F: 1}})
	v.write(t, fmt.Appendf(nil, "%s 1 %d\n", seen, before))
	want, err := w.Value(total, at)
	if err != nil {
		t.Fatal(err)
	}
	got := slices.Collect(maps.Values(v.ask(t, total, at)))
	if len(got) != 1 || math.Abs(got[0]-want) > 0.05*want {
		t.Errorf("a total of which nothing is good now is %v, in Prometheus %v", got, want)
	}
}

func turnOf(group string) string {
	for _, turn := range []string{":calendar:", ":masks", ":long"} {
		if strings.Contains(group, turn) {
			return turn
		}
	}
	return ""
}

// victoria is a VictoriaMetrics of one node.
type victoria struct{ url string }

func startVictoria(t *testing.T, path string) victoria {
	t.Helper()
	address := freeAddress(t)
	p := start(t, "victoria-metrics", path, "-httpListenAddr="+address, "-storageDataPath="+t.TempDir(),
		"-retentionPeriod=50y", "-search.disableCache", "-loggerLevel=ERROR", "-memory.allowedBytes=256MB")
	v := victoria{"http://" + address}
	await(t, 30*time.Second, "victoria-metrics is ready", func() error {
		select {
		case <-p.done:
			t.Fatalf("victoria-metrics ended: %v", p.err)
		default:
		}
		_, err := v.get("/health", nil)
		return err
	})
	return v
}

func (v victoria) get(path string, values url.Values) ([]byte, error) {
	resp, err := http.PostForm(v.url+path, values)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode >= 300 {
		err = fmt.Errorf("%s: %.500s", resp.Status, body)
	}
	return body, err
}

// write stores samples of the text format, so that the next query sees them.
func (v victoria) write(t *testing.T, text []byte) {
	t.Helper()
	resp, err := http.Post(v.url+"/api/v1/import/prometheus", "text/plain", bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		t.Fatalf("import: %s", resp.Status)
	}
	if _, err := v.get("/internal/force_flush", nil); err != nil {
		t.Fatal(err)
	}
}

// record stores what a rule makes of what is stored.
func (v victoria) record(t *testing.T, r rulegen.Rule, from, to time.Time, interval time.Duration) {
	t.Helper()
	body, err := v.get("/api/v1/query_range", url.Values{
		"query": {r.Expr.String()}, "start": {strconv.FormatInt(from.Unix(), 10)}, "end": {strconv.FormatInt(to.Unix(), 10)},
		"step": {strconv.Itoa(int(interval.Seconds()))}, "nocache": {"1"},
	})
	if err != nil {
		t.Fatalf("%s: %v\n%s", r.Record, err, r.Expr.String())
	}
	var answer struct {
		Data struct {
			Result []struct {
				Metric map[string]string
				Values [][2]any
			}
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	for _, s := range answer.Data.Result {
		delete(s.Metric, "__name__")
		maps.Copy(s.Metric, r.Labels)
		for _, sample := range s.Values {
			fmt.Fprintf(&text, "%s%s %s %d\n", r.Record, labelsOf(s.Metric), sample[1], int64(sample[0].(float64)*1000))
		}
	}
	v.write(t, text.Bytes())
}

// seriesOf is a series with its name before its labels.
func seriesOf(metric map[string]string) string {
	name := metric["__name__"]
	delete(metric, "__name__")
	return name + labelsOf(metric)
}

// metricOf are the labels of a series that seriesOf wrote.
func metricOf(t *testing.T, series string) labels.Labels {
	t.Helper()
	name, rest, _ := strings.Cut(strings.TrimSuffix(series, "}"), "{")
	b := labels.NewBuilder(labels.FromStrings("__name__", name))
	for pair := range strings.SplitSeq(rest, ",") {
		if key, value, ok := strings.Cut(pair, "="); ok {
			value, err := strconv.Unquote(value)
			if err != nil {
				t.Fatal(err)
			}
			b.Set(key, value)
		}
	}
	return b.Labels()
}

func labelsOf(metric map[string]string) string {
	var all []string
	for name, value := range metric {
		all = append(all, fmt.Sprintf("%s=%q", name, value))
	}
	slices.Sort(all)
	return "{" + strings.Join(all, ",") + "}"
}

// compare holds what is recorded at a time to what Prometheus recorded.
func (v victoria) compare(t *testing.T, at time.Time, want map[string]float64, within float64) {
	t.Helper()
	got := v.ask(t, `{__name__=~"sla[:_].+"}`, at)
	wrong := 0
	for series, w := range want {
		name, _, _ := strings.Cut(series, "{")
		g, there := got[series]
		size := max(math.Abs(w), math.Abs(g))
		if name == metricnames.BudgetRemaining {
			size = 1 // of the budget, however little is left
		}
		if slices.Contains(alone, name) || there && math.Abs(g-w) <= within*size+1e-6 {
			continue
		}
		if wrong++; wrong <= 20 {
			t.Errorf("at %s: %s is %v (there: %v), Prometheus has %v", at.Format(time.TimeOnly), series, g, there, w)
		}
	}
	for series := range got {
		if strings.HasPrefix(series, metricnames.BurnTier+"{") {
			continue // a replay marks no end of a series: one that has ended is seen for five minutes
		}
		if _, there := want[series]; !there {
			wrong++
			t.Errorf("at %s: only here: %s", at.Format(time.TimeOnly), series)
		}
	}
	t.Logf("at %s: %d series, %d of them differ by more than %v %%", at.Format(time.TimeOnly), len(want), wrong, 100*within)
}

// ask is the answer to a query, by series.
func (v victoria) ask(t *testing.T, query string, at time.Time) map[string]float64 {
	t.Helper()
	body, err := v.get("/api/v1/query", url.Values{"query": {query}, "time": {strconv.FormatInt(at.Unix(), 10)}, "step": {"5m"}, "nocache": {"1"}})
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Data struct {
			Result []struct {
				Metric map[string]string
				Value  [2]any
			}
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, s := range answer.Data.Result {
		f, err := strconv.ParseFloat(s.Value[1].(string), 64)
		if err != nil {
			t.Fatal(err)
		}
		got[seriesOf(s.Metric)] = f
	}
	return got
}
