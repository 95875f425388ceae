package rulegen_test

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/internal/testsize"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla/spec"
)

type revisedKind struct{ name, keys string }

// revisedKinds are what a level is, but for its name and target: each becomes the next
// one in the next revision, and the last becomes the first.
var revisedKinds = []revisedKind{
	{"events", `indicator: {events: {bad: 'requests_total{code="500"}', total: requests_total}}`},
	{"other events", `indicator: {events: {bad: 'requests_total{code=~"5.."}', total: 'requests_total{code!="404"}'}}`},
	{"minutes", `indicator: {events: {bad: 'requests_total{code=~"5.."}', total: requests_total}}, aggregation: {method: bad_minute, errorThreshold: "7"}`},
	{"runs", `indicator: {events: {bad: 'requests_total{code=~"5.."}', total: requests_total}}, aggregation: {method: qualified_run, errorThreshold: "5", minRun: 3m}`},
	{"slots", `indicator: {events: {bad: 'requests_total{code=~"5.."}', total: requests_total}}, aggregation: {method: mean_slot_error_rate, slot: 5m}`},
	{"hours", `indicator: {events: {bad: 'requests_total{code=~"5.."}', total: requests_total}}, serviceHours: prime`},
	{"fewer hours", `indicator: {events: {bad: 'requests_total{code=~"5.."}', total: requests_total}}, serviceHours: short, exclusions: [frozen, busy]`},
	{"state", `indicator: {condition: {expr: requests_up == 1}}`},
	{"masked state", `indicator: {condition: {expr: requests_up == 1}}, serviceHours: prime, missingData: bad`},
	{"latency", `indicator: {latency: {histogram: took_seconds, threshold: 100ms}}`},
	{"slower", `indicator: {latency: {histogram: took_seconds, threshold: 250ms}}, credits: {tiers: [{below: "90", percent: "10"}]}`},
	{"probe", `indicator: {probe: {http: "https://shop.example/", interval: 15s}}, missingData: bad`},
	{"seldom probe", `indicator: {probe: {http: "https://other.example/", interval: 30s}}, alerting: {tiers: {page-fast: {factor: "10"}, ticket-slow: {enabled: false}}}`},
	{"none", ""},
}

// revisionOfKinds is the revision whose levels are so many kinds on.
func revisionOfKinds(on int, hours string) string {
	var b strings.Builder
	b.WriteString(weekFromSunday("Europe/Berlin") + fmt.Sprintf(`  calendars:
    prime: {weekly: [{days: [Sat, Sun], from: %q, to: "24:00"}]}
    short: {weekly: [{days: [Sat], from: "23:40", to: "24:00"}, {days: [Sun], from: "00:20", to: "00:50"}]}
  exclusions:
    - {name: frozen, category: other, effect: remove_from_agreed_time, windows: [{from: "2026-03-29T00:30", to: "2026-03-29T00:35"}]}
    - {name: busy, category: other, effect: treat_as_up, condition: requests_up == 0}
  serviceLevels:
`, hours))
	for i := range revisedKinds {
		k := revisedKinds[(i+on)%len(revisedKinds)]
		if k.keys != "" {
			fmt.Fprintf(&b, "    - {name: l%d, service: api, target: %q, %s}\n", i, fmt.Sprint(90+on), k.keys)
		}
	}
	return b.String()
}

// kindsTarget is what they count: a tenth of what a minute does fails in another code
// than that of the next.
func kindsTarget(begin time.Time) enginetest.Target {
	return func(at time.Time) []enginetest.Sample {
		since := at.Sub(begin).Seconds()
		minute := math.Floor(since / 60)
		bad := func(odd float64) float64 {
			return math.Floor((minute+odd)/2)*30 + math.Mod(minute+odd, 2)*math.Floor((since-60*minute)/2)
		}
		up := 1.
		if int(minute)%11 > 8 {
			up = 0
		}
		one := func(series string, v float64) enginetest.Sample { return enginetest.Sample{Series: series, Value: v} }
		return []enginetest.Sample{
			one(`up{job="api",instance="a"}`, 1), one(`requests_up{job="api",instance="a"}`, up),
			one(`requests_total{job="api",instance="a",code="200"}`, math.Floor(since*9)),
			one(`requests_total{job="api",instance="a",code="500"}`, bad(0)),
			one(`requests_total{job="api",instance="a",code="503"}`, bad(1)),
			one(`took_seconds_bucket{job="api",instance="a",le="0.1"}`, math.Floor(since*5)),
			one(`took_seconds_bucket{job="api",instance="a",le="0.25"}`, math.Floor(since*8)),
			one(`took_seconds_bucket{job="api",instance="a",le="+Inf"}`, math.Floor(since*9)),
			one(`took_seconds_count{job="api",instance="a"}`, math.Floor(since*9)),
		}
	}
}

// withProbes adds what exporters expose of the levels' probes.
func withProbes(begin time.Time, target enginetest.Target) enginetest.Target {
	return func(at time.Time) []enginetest.Sample {
		all := target(at)
		for i := range revisedKinds {
			for outcome, each := range map[string]float64{"good": 15, "bad": 150} {
				all = append(all, enginetest.Sample{
					Series: fmt.Sprintf(`upheld_probe_results_total{job="probes",instance="e",sla="shop",service="api",slo="l%d",outcome=%q}`, i, outcome),
					Value:  math.Floor(at.Sub(begin).Seconds() / each),
				})
			}
		}
		return append(all, enginetest.Sample{Series: `up{job="probes",instance="e"}`, Value: 1})
	}
}

// Whatever a revision changes, up to the edge every series is what the rules of the
// old one alone record, to the last digit, and once windows have left the edge behind
// all that does not reach back over it is what those of the new one alone do; no series
// is there that the new one has not, but for sums of the time before.
func TestRevisionsSideBySideAreWhatEachIsAlone(t *testing.T) {
	t.Parallel()
	testsize.Skip(t, "every series of every kind of revision; what alerts and sums of two revisions do is always tried")
	edge := time.Date(2026, 3, 28, 23, 0, 0, 0, time.UTC)
	begin := edge.Add(-24 * time.Minute)
	old, next := revisionOfKinds(0, "23:30"), revisionOfKinds(1, "00:10")
	const head = "apiVersion: upheld/v1\nkind: ServiceLevelAgreement\nmetadata: {name: shop}\nspec:\n"
	world := func(text string) *enginetest.World {
		agreements, findings := spec.LoadText("spec.yaml", text)
		if err := findings.Err(); err != nil {
			t.Fatal(err)
		}
		plan, findings := rulegen.Compile(agreements[0], rulegen.Options{Now: begin})
		if err := findings.Err(); err != nil {
			t.Fatal(err)
		}
		file, err := emit.Prometheus(plan)
		if err != nil {
			t.Fatal(err)
		}
		w := enginetest.NewAt(t, begin.Add(3*time.Second), 15*time.Second, withProbes(begin, kindsTarget(begin)))
		w.Load(file)
		return w
	}
	both, before, after := world(revised("2026-03-29", old, next)), world(head+old), world(head+next)
	for range 2 {
		both.Run(12*time.Minute - 2*time.Second)
		before.Run(12*time.Minute - 2*time.Second)
		compareSeries(t, "before", both, before, func(string) bool { return true })
	}
	both.Run(42 * time.Minute)
	after.Run(66*time.Minute - 4*time.Second)
	compareSeries(t, "after", both, after, func(name string) bool { return !longMemory.MatchString(name) })
}

// longMemory are the series that look back for more than half an hour.
var longMemory = regexp.MustCompile(`(rate|sum_)\d+[hd]$|_period|since_hour|to_hour|burn_tier|^ALERTS`)

// compareSeries compares all series of two worlds, the values of those that are chosen.
func compareSeries(t *testing.T, when string, got, want *enginetest.World, chosen func(name string) bool) {
	t.Helper()
	read := func(w *enginetest.World) map[string]float64 {
		all := map[string]float64{}
		for _, s := range w.Query(`{__name__=~"sla.+|ALERTS"}`) {
			all[s.Metric.Get("__name__")+s.Metric.String()] = s.F
		}
		return all
	}
	g, e := read(got), read(want)
	compared, wrong := 0, 0
	for _, series := range slices.Sorted(maps.Keys(e)) {
		name, _, _ := strings.Cut(series, "{")
		v, ok := g[series]
		switch {
		case !ok && chosen(name):
			t.Errorf("%s: there is no %s", when, series)
			wrong++
		case ok && chosen(name):
			compared++
			if math.Abs(v-e[series]) > 1e-9*math.Abs(e[series]) {
				t.Errorf("%s: %s is %v, alone it is %v", when, series, v, e[series])
				wrong++
			}
		}
		if wrong > 60 {
			t.FailNow()
		}
	}
	for _, series := range slices.Sorted(maps.Keys(g)) {
		name, _, _ := strings.Cut(series, "{")
		if _, ok := e[series]; !ok && chosen(name) {
			t.Errorf("%s: %s is there", when, series)
		}
	}
	if compared < 150 {
		t.Errorf("%s: %d series compared of %d", when, compared, len(e))
	}
}
