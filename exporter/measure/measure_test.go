package measure

import (
	"bytes"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"

	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/sla"
)

var update = flag.Bool("update", false, "write golden files and docs/metrics.md")

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is stale; run: go test ./exporter/measure -update\ngot:\n%s", path, got)
	}
}

func spec(slo, kind, target string, thresholds ...time.Duration) Spec {
	phases := []probe.Phase{probe.Connect}
	if kind == "http" {
		phases = []probe.Phase{probe.Resolve, probe.Connect, probe.Processing, probe.Transfer}
	}
	return Spec{
		ID: sla.ID{SLA: "shop", Service: "storefront", SLO: slo}, Target: target,
		Phases: phases, Thresholds: thresholds,
	}
}

func result(outcome probe.Outcome, reason probe.Reason, took time.Duration, phases ...probe.Phase) probe.Result {
	r := probe.Result{Outcome: outcome, Reason: reason, Duration: took}
	for _, p := range phases {
		r.Phases.Add(p, took/time.Duration(len(phases)))
	}
	return r
}

// factual adds the facts that only some kinds of probe see.
func factual(r probe.Result) probe.Result {
	r.TLS = &probe.TLSFacts{Version: "TLS 1.3", EarliestExpiry: time.Unix(1_800_000_000, 0), ChainExpiry: time.Unix(1_900_000_000, 0)}
	r.Packets = &probe.PacketFacts{Sent: 5, Received: 4, Jitter: 250 * time.Microsecond}
	r.Info = []probe.InfoLabel{{Name: "software", Value: `Open "SSH" \ 9`}, {Name: "zone", Value: ""}}
	r.Parts = []probe.Part{{Step: "login", Duration: time.Second}, {Step: "login", Duration: time.Second}, {Step: "cart", Duration: time.Second / 2}}
	return r
}

// refused is a probe that got HTTP 503.
func refused(took time.Duration, phases ...probe.Phase) probe.Result {
	r := result(probe.Bad, probe.Status, took, phases...)
	r.HTTP = &probe.HTTPFacts{Status: 503}
	return r
}

func newMetrics() *Metrics {
	return New(Options{
		Location: "fra1", MaxConcurrency: 100, InFlight: func() int { return 3 },
		Vantage: func() bool { return true }, Requests: func() RequestFacts { return RequestFacts{} },
		Discoveries: func() []Discovery {
			return []Discovery{{ID: sla.ID{SLA: "shop", Service: "shops", SLO: "fleet"}, Targets: 2, OK: true}}
		},
	})
}

// exposition is the targets' part of a scrape as text.
func exposition(t *testing.T, m *Metrics) []byte {
	t.Helper()
	var text bytes.Buffer
	if err := m.writeText(&text, false); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}

// observe accounts for a probe without an ID.
func (t *Target) observe(r probe.Result) { t.Observe(r, 0, time.Time{}) }

func TestEverySeriesIsThereBeforeTheFirstProbe(t *testing.T) {
	m := newMetrics()
	m.Replace([]Spec{spec("availability", "http", "https://shop.example/", 300*time.Millisecond, 2*time.Second), spec("database", "tcp", "db.example:5432")})
	golden(t, filepath.Join("testdata", "before.prom"), exposition(t, m))
}

func TestResultsBecomeSeries(t *testing.T) {
	m := newMetrics()
	target := m.Replace([]Spec{spec("availability", "http", "https://shop.example/", 300*time.Millisecond, 2*time.Second)})[0]
	all := []probe.Phase{probe.Resolve, probe.Connect, probe.Processing, probe.Transfer}
	target.observe(result(probe.Good, "", 200*time.Millisecond, all...))
	target.observe(result(probe.Good, "", 300*time.Millisecond, all...)) // exactly at the threshold
	target.observe(result(probe.Good, "", 1200*time.Millisecond, all...))
	target.observe(refused(40*time.Millisecond, all...)) // fast, but bad
	target.observe(result(probe.Bad, probe.Timeout, 5*time.Second, probe.Connect, probe.Processing))
	target.observe(result(probe.Inconclusive, probe.NoFD, time.Millisecond, probe.Connect))
	target.Skip(probe.Late, 4)
	target.Skip(probe.Starved, 1)
	first := string(exposition(t, m))
	for _, reason := range []probe.Reason{probe.Status, probe.Late} {
		if !strings.Contains(first, `reason="`+string(reason)+`",service="storefront",sla="shop",slo="availability",target="https://shop.example/"} 0`+"\n") {
			t.Errorf("%s did not begin at 0:\n%s", reason, first)
		}
	}
	golden(t, filepath.Join("testdata", "after.prom"), exposition(t, m))
}

func TestLint(t *testing.T) {
	m := newMetrics()
	m.Replace([]Spec{spec("availability", "http", "https://shop.example/", time.Second)})[0].observe(factual(result(probe.Good, "", time.Second)))
	var names []string
	for _, metric := range append(targetMetrics(), selfMetrics()...) {
		names = append(names, metric.Name)
	}
	problems, err := testutil.GatherAndLint(m.Gatherer(), names...)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// TestCatalogIsComplete compares the catalog with what a scrape holds, both
// ways, and the documentation with the catalog.
func TestCatalogIsComplete(t *testing.T) {
	m := newMetrics()
	closer := spec("availability", "http", "https://shop.example/", time.Second)
	closer.Rechecked = true
	target := m.Replace([]Spec{closer})[0]
	target.observe(factual(result(probe.Good, "", time.Second, probe.Connect)))
	target.observe(refused(time.Second, probe.Connect))
	target.Skip(probe.Late, 1)
	families, err := m.Gatherer().Gather()
	if err != nil {
		t.Fatal(err)
	}
	exposed := map[string]*dto.MetricFamily{}
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "go_") && !strings.HasPrefix(f.GetName(), "process_") {
			exposed[f.GetName()] = f
		}
	}
	for _, metric := range append(targetMetrics(), selfMetrics()...) {
		f := exposed[metric.Name]
		delete(exposed, metric.Name)
		if f == nil {
			t.Errorf("%s is documented and not exposed", metric.Name)
			continue
		}
		if got := strings.ToLower(f.GetType().String()); got != metric.Type {
			t.Errorf("%s is a %s, documented as a %s", metric.Name, got, metric.Type)
		}
		if f.GetHelp() != metric.Help && metric.Name != metricnames.ExporterBuildInfo {
			t.Errorf("%s: help is %q, documented %q", metric.Name, f.GetHelp(), metric.Help)
		}
		var labels []string
		for _, l := range f.Metric[0].Label {
			labels = append(labels, l.GetName())
		}
		want := slices.Sorted(slices.Values(metric.Labels))
		if metric.Name == metricnames.ProbeDialogueInfo { // it has what factual took from an answer, too
			want = slices.Sorted(slices.Values(append(want, "software", "zone")))
		}
		if !slices.Equal(labels, want) {
			t.Errorf("%s: labels are %v, documented %v", metric.Name, labels, want)
		}
	}
	for name := range exposed {
		t.Errorf("%s is exposed and not documented", name)
	}
	var docs bytes.Buffer
	if err := WriteDocs(&docs); err != nil {
		t.Fatal(err)
	}
	golden(t, filepath.Join("..", "..", "docs", "metrics.md"), docs.Bytes())
}

// TestRechecksAreApart: rechecks change only their own counter, the bounds of the
// downtime and the last outcome.
func TestRechecksAreApart(t *testing.T) {
	m := newMetrics()
	closer := spec("availability", "http", "https://shop.example/", time.Minute)
	closer.Rechecked = true
	target, at := m.Replace([]Spec{closer})[0], time.Now()
	after := func(seconds int) time.Time { return at.Add(time.Duration(seconds) * time.Second) }
	target.Observe(result(probe.Good, "", time.Millisecond), 1, at)
	target.Observe(result(probe.Bad, probe.Reset, time.Millisecond), 2, after(60))
	before := target.outcomes
	target.Recheck(result(probe.Bad, probe.Reset, time.Millisecond), 3, after(65))
	target.Recheck(result(probe.Inconclusive, probe.NoFD, time.Millisecond), 4, after(70))
	target.Recheck(result(probe.Good, "", time.Millisecond), 5, after(75))
	target.Observe(result(probe.Good, "", time.Millisecond), 6, after(120))
	if target.outcomes[0] != before[0]+1 || target.outcomes[1] != before[1] || len(target.sparse.failures) != 1 || target.sparse.failures[0].n != 1 || target.duration.count != 3 || target.sparse.within[0].n != 2 {
		t.Errorf("rechecks are counted: %v, %v, %d durations, %v within", target.outcomes, target.sparse.failures, target.duration.count, target.sparse.within)
	}
	if got, want := [2]time.Duration{target.down.lower, target.down.upper}, [2]time.Duration{5 * time.Second, 75 * time.Second}; got != want {
		t.Errorf("down between %s and %s, want %s and %s", got[0], got[1], want[0], want[1])
	}
	if text := string(exposition(t, m)); !strings.Contains(text, `target="https://shop.example/"} 3`+"\n") || !strings.Contains(text, "upheld_probe_rechecks_total{") {
		t.Errorf("three rechecks are not in\n%s", text)
	}
}

func TestReplaceKeepsWhatStaysAndDropsWhatGoes(t *testing.T) {
	m := newMetrics()
	stays, goes := spec("stays", "http", "https://shop.example/", time.Second), spec("goes", "tcp", "db.example:1")
	accounts := m.Replace([]Spec{stays, goes})
	for _, a := range accounts {
		a.observe(result(probe.Good, "", time.Millisecond, probe.Connect))
		a.Skip(probe.Overlap, 1)
	}
	stays.Thresholds = []time.Duration{500 * time.Millisecond, time.Second}
	again := m.Replace([]Spec{stays})
	if again[0] != accounts[0] {
		t.Error("a target that stays got a new account")
	}
	text := string(exposition(t, m))
	if strings.Contains(text, "goes") {
		t.Errorf("series of a removed target:\n%s", text)
	}
	for _, want := range []string{
		`upheld_probe_scheduled_total{location="fra1",service="storefront",sla="shop",slo="stays",target="https://shop.example/"} 2`,
		`upheld_probe_owed_total{location="fra1",service="storefront",sla="shop",slo="stays",target="https://shop.example/"} 2`,
		`upheld_probe_within_threshold_total{location="fra1",service="storefront",sla="shop",slo="stays",target="https://shop.example/",threshold="0.5"} 0`,
		`upheld_probe_within_threshold_total{location="fra1",service="storefront",sla="shop",slo="stays",target="https://shop.example/",threshold="1"} 1`,
		`upheld_probe_duration_seconds_count{location="fra1",service="storefront",sla="shop",slo="stays",target="https://shop.example/"} 1`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("missing: %s", want)
		}
	}
	back := m.Replace([]Spec{goes})
	if text := string(exposition(t, m)); back[0] == accounts[1] || !strings.Contains(text, `upheld_probe_duration_seconds_count{location="fra1",service="storefront",sla="shop",slo="goes",target="db.example:1"} 0`+"\n") {
		t.Errorf("a target that came back did not start again at 0:\n%s", text)
	}
}

func TestOutcomesAddUpInEveryScrape(t *testing.T) {
	m := newMetrics()
	target := m.Replace([]Spec{spec("availability", "http", "https://shop.example/")})[0]
	stop := make(chan struct{})
	var writers sync.WaitGroup
	for range 4 {
		writers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					target.observe(result(probe.Good, "", time.Millisecond))
					target.observe(result(probe.Bad, probe.Reset, time.Millisecond))
					target.Skip(probe.Late, 3)
					runtime.Gosched() // or with few processors most of the time is theirs
				}
			}
		})
	}
	sumByName(t, m.Gatherer()) // the first scrape, in which reasons have 0
	for range 200 {
		sums := sumByName(t, m.Gatherer())
		if owed, all := sums[metricnames.ProbeScheduled], sums[metricnames.ProbeResults]; owed != all {
			t.Errorf("owed %v, outcomes %v", owed, all)
		}
		if notGood, why := sums[metricnames.ProbeResults]-sums["good"], sums[metricnames.ProbeFailures]; why > notGood {
			t.Errorf("not good %v, with a reason %v", notGood, why)
		}
	}
	close(stop)
	writers.Wait()
	sumByName(t, m.Gatherer())
	sums := sumByName(t, m.Gatherer())
	if notGood, why := sums[metricnames.ProbeResults]-sums["good"], sums[metricnames.ProbeFailures]; why != notGood {
		t.Errorf("not good %v, with a reason %v", notGood, why)
	}
}

func sumByName(t *testing.T, g prometheus.Gatherer) map[string]float64 {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string]float64{}
	for _, f := range families {
		for _, metric := range f.Metric {
			sums[f.GetName()] += metric.GetCounter().GetValue()
			for _, l := range metric.Label {
				if l.GetValue() == metricnames.Good {
					sums["good"] += metric.GetCounter().GetValue()
				}
			}
		}
	}
	return sums
}

func TestHistogramsAreNative(t *testing.T) {
	m := newMetrics()
	m.Replace([]Spec{spec("availability", "http", "https://shop.example/")})[0].observe(result(probe.Good, "", time.Second, probe.Connect))
	m.ObserveLag(time.Millisecond)
	families, err := m.Gatherer().Gather()
	if err != nil {
		t.Fatal(err)
	}
	classic := map[string]bool{}
	for _, f := range families {
		for _, metric := range f.Metric {
			if h := metric.GetHistogram(); h != nil && len(h.PositiveSpan) > 0 {
				classic[f.GetName()] = len(h.Bucket) > 0
			}
		}
	}
	want := map[string]bool{metricnames.ProbeDuration: true, metricnames.ProbePhase: false, metricnames.ExporterLag: true}
	if !maps.Equal(classic, want) {
		t.Errorf("native histograms and whether they are classic too: %v, want %v", classic, want)
	}
}

// TestFactsOfSomeProbes demands the series of certificates and packets. What a
// probe did not learn stays as it was.
func TestFactsOfSomeProbes(t *testing.T) {
	m := newMetrics()
	target := m.Replace([]Spec{spec("availability", "http", "https://shop.example/")})[0]
	value := func(name string) (got string) {
		for line := range strings.Lines(string(exposition(t, m))) {
			if strings.HasPrefix(line, name+"{") {
				got += strings.TrimSpace(line[strings.LastIndexByte(line, ' '):])
			}
		}
		return got
	}
	check := func(want ...string) {
		t.Helper()
		for i, name := range []string{metricnames.ProbeCertExpiry, metricnames.ProbeChainExpiry, metricnames.ProbePacketsSent, metricnames.ProbePacketsReceived, metricnames.ProbePacketJitter} {
			if got := value(name); got != want[i] {
				t.Errorf("%s is %q, want %q", name, got, want[i])
			}
		}
	}
	check("", "", "", "", "")
	target.observe(factual(result(probe.Good, "", time.Second)))
	check("1.8e+09", "1.9e+09", "5", "4", "0.00025")
	lost := result(probe.Bad, probe.Timeout, time.Second)
	lost.Packets = &probe.PacketFacts{Sent: 5}
	target.observe(lost)
	check("1.8e+09", "1.9e+09", "10", "4", "0.00025")
	refused := result(probe.Bad, probe.TLSExpired, time.Second)
	refused.TLS = &probe.TLSFacts{EarliestExpiry: time.Unix(1_700_000_000, 0)}
	target.observe(refused)
	check("1.7e+09", "", "10", "4", "0.00025")
	target.observe(result(probe.Bad, probe.ConnectRefused, time.Second))
	check("1.7e+09", "", "10", "4", "0.00025")
}
