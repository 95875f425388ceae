package samples_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/util/teststorage"

	"github.com/upheld-sla/upheld/internal/samples"
	"github.com/upheld-sla/upheld/internal/verdict"
)

const (
	step = 15 * time.Second
)

// gauge is 1, or 0 while down says so.
func gauge(down func(at time.Duration) bool) func(time.Duration) float64 {
	return func(at time.Duration) float64 {
		if down(at) {
			return 0
		}
		return 1
	}
}

// since is [from, to) of samples.
func since(from, to time.Duration) func(time.Duration) bool {
	return func(at time.Duration) bool { return from <= at && at < to }
}

// without are samples that do not exist while no says so.
func without(no func(time.Duration) bool, value func(time.Duration) float64) func(time.Duration) float64 {
	return func(at time.Duration) float64 {
		v := value(at)
		if no(at) {
			return math.NaN()
		}
		return v
	}
}

// up writes the scrapes of a target; while down says so they fail, while away says so
// there are none.
func (h *history) up(job, instance string, down, away func(time.Duration) bool) {
	h.series(fmt.Sprintf(`up{job=%q,instance=%q}`, job, instance), step, without(away, gauge(down)))
}

func no(time.Duration) bool { return false }

// sums are the events of the period, and the bad ones.
func sums(stretches []verdict.Stretch) (total, bad float64) {
	for _, s := range stretches {
		if !s.From.Before(start) && !s.To.After(until) {
			total += s.Total
			bad += s.Bad
		}
	}
	return total, bad
}

// spans are the stretches of the period by their state and whether they are bad, joined.
func spans(stretches []verdict.Stretch) []string {
	var all []string
	last, from, to := "", "", ""
	for _, line := range shown(stretches) {
		span, rest, _ := strings.Cut(line, " ")
		begin, end, _ := strings.Cut(span, "-")
		state, counts, _ := strings.Cut(rest, " ")
		if !strings.HasPrefix(counts, "0/") {
			state += " bad"
		}
		if state == last && begin == to {
			to = end
			continue
		}
		if last != "" {
			all = append(all, from+"-"+to+" "+last)
		}
		last, from, to = state, begin, end
	}
	if last != "" {
		all = append(all, from+"-"+to+" "+last)
	}
	return all
}

const (
	blackbox  = `  - {name: x, service: s, indicator: {blackbox: {success: 'probe_success{job="bb"}'}}, target: "99"}` + "\n"
	condition = `  - {name: x, service: s, indicator: {condition: {expr: 'queue_age < 60'}}, target: "99"}` + "\n"
	inRuns    = `  - {name: x, service: s, indicator: {condition: {expr: 'queue_age < 60'}}, target: "99", aggregation: {method: qualified_run, errorThreshold: "0", minRun: 5m}}` + "\n"
	ratio     = `  - {name: x, service: s, indicator: {ratio: {bad: 'bad_share'}}, target: "99"}` + "\n"
	good      = `  - {name: x, service: s, indicator: {events: {good: 'req_total{code="200"}', total: 'req_total'}}, target: "99"}` + "\n"
	slow      = `  - {name: x, service: s, indicator: {latency: {histogram: 'req_seconds', threshold: 300ms}}, target: "99"}` + "\n"
	fast      = `  - {name: up, service: web, indicator: {probe: {http: "https://shop.example/", interval: 15s}}, target: "99"}
  - {name: x, service: web, indicator: {latency: {probe: web/up, threshold: 500ms}}, target: "99"}` + "\n"
)

func TestGaugesHoldUntilTheirNextSample(t *testing.T) {
	var h history
	h.series(`probe_success{job="bb",instance="a"}`, step, gauge(since(time.Hour, 2*time.Hour)))
	equal(t, spans(places(t, load(t, h.source(t), agreement(t, blackbox)))[0].Stretches), []string{
		"0s-1h0m0s known", "1h0m0s-2h0m0s known bad", "2h0m0s-6h0m0s known",
	})
}

func TestGaugesEndOneIntervalAfterTheirLastSample(t *testing.T) {
	var h history
	h.series(`probe_success{job="bb",instance="a"}`, step, without(since(time.Hour, 2*time.Hour), gauge(no)))
	h.up("bb", "a", since(time.Hour, 2*time.Hour), no)
	equal(t, spans(places(t, load(t, h.source(t), agreement(t, blackbox)))[0].Stretches), []string{
		"0s-1h0m0s known", "1h0m0s-2h0m0s missing", "2h0m0s-6h0m0s known",
	})
}

func TestFirstStatesDoNotHoldForHours(t *testing.T) {
	var h history
	h.series(`probe_success{job="bb",instance="a"}`, step, without(func(at time.Duration) bool { return at < 2*time.Hour && at != time.Hour }, gauge(no)))
	equal(t, spans(places(t, load(t, h.source(t), agreement(t, blackbox)))[0].Stretches), []string{
		"1h0m0s-1h5m0s known", "2h0m0s-6h0m0s known",
	})
}

func TestConditionsHaveEdgesToTheSample(t *testing.T) {
	var h history
	age := func(at time.Duration) float64 {
		if since(time.Hour+15*time.Second, 2*time.Hour+30*time.Second)(at) {
			return 100
		}
		return 1
	}
	h.series(`queue_age{job="q",instance="a"}`, step, age)
	h.series(`queue_age{job="q",instance="b"}`, step, func(time.Duration) float64 { return 0 })
	want := []string{"0s-1h0m15s known", "1h0m15s-2h0m30s known bad", "2h0m30s-6h0m0s known"}
	equal(t, spans(places(t, load(t, h.source(t), agreement(t, condition)))[0].Stretches), want)

	// Levels that judge minutes look at their ends, as the rules do.
	minutes := places(t, load(t, h.source(t), agreement(t, inRuns)))[0].Stretches
	equal(t, spans(minutes), []string{"0s-1h0m0s known", "1h0m0s-2h0m0s known bad", "2h0m0s-6h0m0s known"})
}

func TestConditionsOfNothingAreMissingWhileTheirJobIsScraped(t *testing.T) {
	var h history
	dead := since(time.Hour, 2*time.Hour)
	h.series(`queue_age{job="q",instance="a"}`, step, without(dead, func(time.Duration) float64 { return 1 }))
	h.up("q", "a", dead, no)
	equal(t, spans(places(t, load(t, h.source(t), agreement(t, condition)))[0].Stretches), []string{
		"0s-1h0m0s known", "1h0m0s-2h0m0s missing", "2h0m0s-6h0m0s known",
	})
}

func TestRatiosAreTakenOver(t *testing.T) {
	var h history
	h.series(`bad_share{job="q"}`, time.Minute, func(at time.Duration) float64 {
		if since(time.Hour, 2*time.Hour)(at) {
			return 0.25
		}
		return 0
	})
	var bad, total float64
	for _, s := range places(t, load(t, h.source(t), agreement(t, ratio)))[0].Stretches {
		if s.Bad > 0 {
			if got := s.To.Sub(s.From); got != time.Hour {
				t.Errorf("bad for %s", got)
			}
			bad, total = s.Bad, s.Total
		}
	}
	if bad/total != 0.25 {
		t.Errorf("the share is %g of %g", bad, total)
	}
}

func TestGoodEventsMustHaveBeenSeen(t *testing.T) {
	series := func(h *history, good string, on func(time.Duration) bool) {
		h.series(`req_total{job="api",instance="a",code="`+good+`"}`, step, without(not(on), counter(step, 8, nil)))
		h.series(`req_total{job="api",instance="a",code="500"}`, step, counter(step, 2, nil))
	}
	var right, wrong history
	series(&right, "200", func(at time.Duration) bool { return at <= 2*time.Hour })
	series(&wrong, "OK", func(time.Duration) bool { return true })
	total, bad := sums(places(t, load(t, right.source(t), agreement(t, good)))[0].Stretches)
	if total != 2*240*10+4*240*2 || bad != 6*240*2 {
		t.Errorf("%g bad of %g", bad, total)
	}
	e := load(t, wrong.source(t), agreement(t, good))
	if p := places(t, e); len(p) > 0 {
		t.Errorf("a selector of good that selects nothing gives %q", shown(p[0].Stretches)[:1])
	}
}

func TestHistogramsAreCountedByTheirBucket(t *testing.T) {
	var h history
	series := func(instance, bound string, count, within float64) {
		of := `{job="api",instance="` + instance + `"`
		h.series(`req_seconds_count`+of+`}`, step, counter(step, count, nil))
		h.series(`req_seconds_bucket`+of+`,le="`+bound+`"}`, step, counter(step, within, nil))
	}
	series("a", "0.3", 10, 7)
	series("b", "0.25", 100, 1) // has no such bucket, so it is unknown
	total, bad := sums(places(t, load(t, h.source(t), agreement(t, slow)))[0].Stretches)
	if total != 6*240*10 || bad != 6*240*3 {
		t.Errorf("%g slow of %g", bad, total)
	}
	var other history
	other.WriteString(strings.ReplaceAll(h.String(), `le="0.3"`, `le="300"`)) // the wrong unit
	if p := places(t, load(t, other.source(t), agreement(t, slow))); len(p) > 0 {
		t.Errorf("without the bucket: %q", shown(p[0].Stretches)[:1])
	}
}

func TestProbesWithinAThreshold(t *testing.T) {
	var h history
	h.series(probeSeries("good", "fra"), step, counter(step, 1, nil))
	h.series(probeSeries("bad", "fra"), step, counter(step, 0, nil))
	of := strings.Replace(probeSeries("", "fra"), `,outcome=""`, `,threshold="0.5"`, 1)
	h.series(strings.Replace(of, "results_total", "within_threshold_total", 1), step, counter(step, 1, not(between(time.Hour, 3*time.Hour))))
	h.series(strings.Replace(of, "results_total", "threshold_unknown_total", 1), step, counter(step, 1, between(2*time.Hour, 3*time.Hour)))
	e := load(t, h.source(t), agreement(t, fast))
	equal(t, spans(e.Levels[1].Groups[0].Places[0].Stretches), []string{
		"0s-1h0m0s known", "1h0m0s-2h0m0s known bad", "2h0m0s-3h0m0s missing", "3h0m0s-6h0m0s known",
	})
}

func TestInconclusiveProbesAreMissing(t *testing.T) {
	var h history
	for _, outcome := range []string{"good", "bad"} {
		h.series(probeSeries(outcome, "fra"), step, counter(step, 1, func(at time.Duration) bool {
			return outcome == "good" && !between(time.Hour, 2*time.Hour)(at) && at != 4*time.Hour // one missed probe is no loss
		}))
	}
	equal(t, spans(places(t, load(t, h.source(t), agreement(t, probed)))[0].Stretches), []string{
		"0s-1h0m0s known", "1h0m0s-2h0m0s missing", "2h0m0s-6h0m0s known",
	})
}

// What happens while samples are gone, of a probe every 15 s.
func TestTimeWithoutSamples(t *testing.T) {
	hole := since(time.Hour+step, 2*time.Hour) // the last sample is of 1h
	for name, c := range map[string]struct {
		counts     func(at time.Duration) bool // good probes
		down, away func(time.Duration) bool
		restart    bool
		want       []string
		gaps       int
	}{
		"the exporter is dead": {
			counts: not(hole), down: hole, away: no, restart: true,
			want: []string{"0s-1h0m0s known", "1h0m0s-2h0m0s missing", "2h0m0s-6h0m0s known"}, gaps: 0,
		},
		"the server is away": {
			counts: func(time.Duration) bool { return true }, down: no, away: hole,
			want: []string{"0s-6h0m0s known"}, gaps: 1,
		},
		"the exporter is dead and is not scraped": {
			counts: not(hole), down: no, away: hole, restart: true,
			want: []string{"0s-1h0m0s known", "2h0m0s-6h0m0s known"}, gaps: 1,
		},
		"the exporter works and cannot be reached": {
			counts: func(time.Duration) bool { return true }, down: hole, away: no,
			want: []string{"0s-6h0m0s known"}, gaps: 1,
		},
	} {
		var h history
		for _, outcome := range []string{"good", "bad"} {
			value := counter(step, 1, func(at time.Duration) bool { return outcome == "good" && c.counts(at) })
			lost := 0.0
			h.series(probeSeries(outcome, "fra"), step, without(hole, func(at time.Duration) float64 {
				v := value(at)
				if c.restart && at == 2*time.Hour && outcome == "good" {
					lost = v - 1
				}
				return max(v-lost, 0)
			}))
		}
		h.up("upheld", "fra:1", c.down, c.away)
		e := load(t, h.source(t), agreement(t, probed))
		got := spans(places(t, e)[0].Stretches)
		for i := range got { // what one result and two minutes of scrapes decide
			got[i] = strings.NewReplacer("1h59m45s", "2h0m0s", "1h59m30s", "2h0m0s", "1h59m37.5s", "2h0m0s").Replace(got[i])
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if n := len(e.Levels[0].Gaps); n != c.gaps {
			t.Errorf("%s: %d gaps, want %d: %+v", name, n, c.gaps, e.Levels[0].Gaps)
		}
	}
}

func TestFirstValuesCountIfTheirTargetWasThere(t *testing.T) {
	late := func(at time.Duration) float64 { // an error counter that is born with 7
		if at < time.Hour {
			return math.NaN()
		}
		return 7
	}
	for name, c := range map[string]struct {
		others func(h *history)
		want   float64
	}{
		"another series of the target": {func(h *history) {
			h.series(`http_requests_total{job="api",instance="a",code="200"}`, step, counter(step, 1, nil))
		}, 7},
		"its scrapes": {func(h *history) {
			h.series(`http_requests_total{job="api",instance="b",code="200"}`, step, counter(step, 1, nil))
			h.up("api", "a", no, no)
		}, 7},
		"a process that began since": {func(h *history) {
			h.series(`http_requests_total{job="api",instance="b",code="200"}`, step, counter(step, 1, nil))
			h.series(`process_start_time_seconds{job="api",instance="a"}`, step, func(at time.Duration) float64 {
				if at < time.Hour {
					return math.NaN()
				}
				return float64(start.Add(time.Hour - 10*time.Second).Unix())
			})
		}, 7},
		"an old process": {func(h *history) {
			h.series(`http_requests_total{job="api",instance="b",code="200"}`, step, counter(step, 1, nil))
			h.series(`process_start_time_seconds{job="api",instance="a"}`, step, func(time.Duration) float64 { return 1.6e9 })
		}, 0},
		"nothing": {func(h *history) {
			h.series(`http_requests_total{job="api",instance="b",code="200"}`, step, counter(step, 1, nil))
		}, 0},
	} {
		var h history
		h.series(`http_requests_total{job="api",instance="a",code="500"}`, step, late)
		c.others(&h)
		_, bad := sums(places(t, load(t, h.source(t), agreement(t, errors)))[0].Stretches)
		if bad != c.want {
			t.Errorf("%s: %g bad events, want %g", name, bad, c.want)
		}
	}
}

func TestReplicasCountOnce(t *testing.T) {
	var h history
	for i, replica := range []string{"a", "b"} {
		for _, code := range []string{"200", "500"} {
			value := counter(step, 1, nil)
			if replica == "a" {
				value = without(since(2*time.Hour, 3*time.Hour), value)
			}
			// Each server scrapes at its own phase.
			one := history{}
			one.series(`http_requests_total{job="api",instance="x",code="`+code+`",replica="`+replica+`"}`, step, value)
			for _, line := range strings.SplitAfter(one.String(), "\n") {
				if head, at, ok := strings.Cut(line, ".000"); ok {
					fmt.Fprintf(&h, "%s.%d00%s", head, 3*i, at)
				}
			}
		}
	}
	total, bad := sums(places(t, load(t, h.source(t), agreement(t, errors)))[0].Stretches)
	if total < 2*6*240-4 || total > 2*6*240+4 || bad < 6*240-2 || bad > 6*240+2 {
		t.Errorf("%g bad of %g events, want about %d of %d", bad, total, 6*240, 2*6*240)
	}
}

func TestGroupsAreMeasuredUpToTheirLimit(t *testing.T) {
	var h history
	for i, tenant := range []string{"a", "b", "c"} {
		h.series(`http_requests_total{job="api",tenant="`+tenant+`",code="200"}`, step, without(func(at time.Duration) bool { return at < time.Duration(i)*time.Hour }, counter(step, 1, nil)))
	}
	a := agreement(t, strings.Replace(errors, "target:", "groupBy: {labels: [tenant], limit: 2}, target:", 1))
	e := load(t, h.source(t), a)
	var got []string
	for _, g := range e.Levels[0].Groups {
		got = append(got, g.Labels["tenant"])
	}
	equal(t, got, []string{"a", "b"})
	if e.Levels[0].LeftOut != 1 {
		t.Errorf("%d groups are left out, want 1", e.Levels[0].LeftOut)
	}
}

// An exporter that has been dead since before the period is missing all the time, if it
// was there within a month.
func TestLevelsThatDiedBeforeThePeriodAreMissing(t *testing.T) {
	for name, c := range map[string]struct {
		died time.Duration // before the period
		want []string
	}{
		"days ago":    {5 * 24 * time.Hour, []string{"0s-6h0m0s missing"}},
		"long before": {60 * 24 * time.Hour, nil},
	} {
		var h history
		died := start.Add(-c.died)
		for at := died.Add(-7 * time.Hour); at.Before(died); at = at.Add(step) {
			fmt.Fprintf(&h, "%s %d %d\n", probeSeries("good", "fra"), at.Unix()-died.Unix()+100_000, at.Unix())
			fmt.Fprintf(&h, "%s 0 %d\n", probeSeries("bad", "fra"), at.Unix())
		}
		h.up("upheld", "fra:1", func(time.Duration) bool { return true }, no)
		var got []string
		for _, p := range places(t, load(t, h.source(t), agreement(t, probed))) {
			got = append(got, spans(p.Stretches)...)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// The mark of a scrape that failed is no sample.
func TestNativeHistogramsAreInterpolated(t *testing.T) {
	store := teststorage.New(t)
	app := store.Appender(t.Context())
	of := labels.FromStrings(labels.MetricName, "req_seconds", "job", "api", "instance", "a")
	for at := start.Add(-2 * time.Hour); at.Before(until.Add(time.Hour)); at = at.Add(step) {
		n := float64(at.Sub(start.Add(-2*time.Hour))/step) + 1
		// Of schema 0 the buckets are (0.125, 0.25], (0.25, 0.5] and (0.5, 1]: 2, 4 and 1 of
		// the seven requests of each scrape.
		h := &histogram.FloatHistogram{
			Schema: 0, ZeroThreshold: 1e-9, Count: 7 * n, Sum: 2 * n,
			PositiveSpans: []histogram.Span{{Offset: -2, Length: 3}}, PositiveBuckets: []float64{2 * n, 4 * n, n},
		}
		if at.Equal(start.Add(time.Hour)) { // this scrape failed
			h = &histogram.FloatHistogram{Sum: math.Float64frombits(value.StaleNaN)}
		}
		if _, err := app.AppendHistogram(0, of, at.UnixMilli(), nil, h); err != nil {
			t.Fatal(err)
		}
	}
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
	native := strings.Replace(slow, "threshold: 300ms", "threshold: 500ms, native: true", 1)
	total, bad := sums(places(t, load(t, samples.Storage{Of: store, As: "test"}, agreement(t, native)))[0].Stretches)
	if total != 6*240*7 || math.Abs(bad-6*240) > 1e-6 {
		t.Errorf("%g slow of %g, want %d of %d", bad, total, 6*240, 6*240*7)
	}
}
