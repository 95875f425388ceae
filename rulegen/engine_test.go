package rulegen_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/testsize"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla"
)

// level is a service level as the reader would make it, with the defaults.
func level(name, target string, indicator sla.Indicator) *sla.ServiceLevel {
	period := sla.Period{Rolling: 30 * 24 * time.Hour}
	return &sla.ServiceLevel{
		ID: sla.ID{SLA: "shop", Service: "api", SLO: name}, Indicator: indicator, Aggregation: indicator.Aggregations()[0],
		Target: sla.MustDecimal(target), Objective: sla.MustDecimal(target), Period: period,
		Alerting: (&sla.ServiceLevel{Period: period}).DefaultAlerting(),
	}
}

func events(bad, good, total string) *sla.Events {
	return &sla.Events{Bad: sla.Query{Text: bad}, Good: sla.Query{Text: good}, Total: sla.Query{Text: total}}
}

// generate is the rule file of the levels, as `upheld generate` would write it.
func generate(t testing.TB, opts rulegen.Options, levels ...*sla.ServiceLevel) []byte {
	t.Helper()
	return generateFor(t, opts, nil, levels...)
}

// generateFor is the rule file of the levels with the rules of these series alone.
func generateFor(t testing.TB, opts rulegen.Options, only []string, levels ...*sla.ServiceLevel) []byte {
	t.Helper()
	plan, findings := rulegen.Compile(&sla.Agreement{Name: "shop", Levels: levels}, opts)
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	if len(only) > 0 {
		keepFor(plan, only...)
	}
	file, err := emit.Prometheus(plan)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// traffic is a counted truth: per-second counts of requests, the cumulative
// values that a scrape would see, and the sums that a test compares with.
type traffic struct{ good, bad []float64 } // events of each second since enginetest.Start

func simulate(d time.Duration, perSecond func(second int) (good, bad float64)) *traffic {
	n := int(d / time.Second)
	tr := &traffic{make([]float64, n+1), make([]float64, n+1)}
	for s := range n {
		g, b := perSecond(s)
		tr.good[s+1], tr.bad[s+1] = tr.good[s]+g, tr.bad[s]+b
	}
	return tr
}

func (tr *traffic) at(t time.Time) (good, bad float64) {
	s := min(int(t.Sub(enginetest.Start)/time.Second), len(tr.good)-1)
	return tr.good[s], tr.bad[s]
}

// ratio is the counted bad share in (t-w, t].
func (tr *traffic) ratio(t time.Time, w time.Duration) float64 {
	from := t.Add(-w)
	if from.Before(enginetest.Start) {
		from = enginetest.Start
	}
	g1, b1 := tr.at(t)
	g0, b0 := tr.at(from)
	return (b1 - b0) / (g1 + b1 - g0 - b0)
}

const of = `{sla="shop",service="api",slo="%s"}`

func series(name, slo string) string { return name + fmt.Sprintf(of, slo) }

func near(t *testing.T, what string, got, want, relative float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > relative*math.Abs(want)+1e-12 {
		t.Errorf("%s = %v, want %v within %v%%", what, got, want, 100*relative)
	}
}

// Traffic with a tide, a counter reset and an error series that is born late:
// every window's ratio is the counted one, and so is the period's, which an
// average of ratios would miss by far.
func TestRatiosMatchCountedTruth(t *testing.T) {
	t.Parallel()
	const total = 26 * time.Hour
	outageFrom, outageTo := 9*3600, 9*3600+1500 // in the trough of the tide
	tr := simulate(total, func(s int) (float64, float64) {
		rate := 60 + 55*math.Sin(2*math.Pi*float64(s)/43200)
		if s >= outageFrom && s < outageTo {
			return 0.2 * rate, 0.8 * rate
		}
		if s > 20*3600 {
			return 0.995 * rate, 0.005 * rate
		}
		return rate, 0
	})
	resetAt := enginetest.Start.Add(13 * time.Hour)
	w := enginetest.New(t, 15*time.Second, func(at time.Time) []enginetest.Sample {
		g, b := tr.at(at)
		if !at.Before(resetAt) {
			g0, b0 := tr.at(resetAt)
			g, b = g-g0, b-b0
		}
		samples := []enginetest.Sample{{Series: "up", Value: 1}, {Series: `requests_total{code="200"}`, Value: g}}
		if b > 0 {
			samples = append(samples, enginetest.Sample{Series: `requests_total{code="500"}`, Value: b})
		}
		return samples
	})
	levels := []*sla.ServiceLevel{
		level("sum", "99.5", events(`requests_total{code="500"} + requests_total{code="503"}`, "", `requests_total{code="200"} + requests_total{code="500"} + requests_total{code="503"}`)),
		level("good", "99.5", events("", `requests_total{code=~"2.."}`, `requests_total`)),
		level("bad", "99.5", events(`requests_total{code=~"5.."}`, "", `requests_total`)),
	}
	levels = levels[:testsize.Of(1, len(levels))]
	var slos []string
	for _, l := range levels {
		slos = append(slos, l.ID.SLO)
	}
	w.Load(generate(t, rulegen.Options{}, levels...))
	check := func(after time.Duration, windows ...time.Duration) {
		t.Helper()
		w.Run(after - w.Now().Sub(enginetest.Start))
		for _, slo := range slos {
			for _, win := range windows {
				name := "sla:error:ratio_rate" + sla.FormatDuration(win)
				near(t, fmt.Sprintf("%s of %s after %s", name, slo, after), w.Value(series(name, slo)), tr.ratio(w.Now(), win), 0.03)
			}
		}
	}
	check(8*time.Hour, 5*time.Minute, time.Hour)                           // no error yet, and no error series
	check(9*time.Hour+50*time.Minute, time.Hour, 2*time.Hour, 6*time.Hour) // the outage is inside every window
	check(24*time.Hour, 5*time.Minute, 30*time.Minute, 24*time.Hour)       // after the reset, with a steady error rate
	for _, slo := range slos {
		got := w.Value(series("sla:error:ratio_period", slo))
		// What is counted is five to ten minutes old.
		near(t, "period's ratio of "+slo, got, tr.ratio(w.Now().Add(-450*time.Second), 30*24*time.Hour), 0.01)
		burn := w.Value(series("sla:burn_rate:ratio_period", slo))
		near(t, "burn rate of "+slo, burn, got/0.005, 1e-9)
		coverage := w.Value(series("sla:coverage:ratio_period", slo))
		near(t, "coverage of "+slo, coverage, 24./720, 0.02)
		near(t, "budget remaining of "+slo, w.Value(series("sla:budget_remaining:ratio_period", slo)), 1-burn*coverage, 1e-9)
		g, b := tr.at(w.Now())
		near(t, "events of "+slo, w.Value(series("sla:total:sum_period", slo)), g+b, 0.01)
	}
	if nans := w.NaNs(total); len(nans) > 0 {
		t.Errorf("NaN in %v", nans)
	}
}

// A service without any error series has no errors; one without traffic for an
// hour has no ratio rather than NaN, keeps its period's figures, and recovers.
func TestNoErrorSeriesAndNoTraffic(t *testing.T) {
	t.Parallel()
	tr := simulate(4*time.Hour, func(s int) (float64, float64) {
		if s >= 3600 && s < 2*3600 {
			return 0, 0
		}
		return 5, 0
	})
	w := enginetest.New(t, 15*time.Second, func(at time.Time) []enginetest.Sample {
		g, _ := tr.at(at)
		return []enginetest.Sample{{Series: `requests_total{code="200"}`, Value: g}}
	})
	w.Load(generate(t, rulegen.Options{}, level("bad", "99.9", events(`requests_total{code="500"}`, "", `requests_total`))))
	w.Run(50 * time.Minute)
	for _, s := range []string{"sla:error:ratio_rate5m", "sla:error:ratio_rate3d", "sla:error:ratio_period", "sla:bad:rate5m"} {
		if v := w.Value(series(s, "bad")); v != 0 {
			t.Errorf("%s = %v without an error series, want 0", s, v)
		}
	}
	near(t, "budget", w.Value(series("sla:budget_remaining:ratio_period", "bad")), 1, 0)
	w.Run(65 * time.Minute) // 55 minutes into the silence
	for _, s := range []string{"sla:error:ratio_rate5m", "sla:error:ratio_rate30m"} {
		if v := w.Query(series(s, "bad")); len(v) != 0 {
			t.Errorf("%s = %v without traffic, want no sample", s, v)
		}
	}
	near(t, "total", w.Value(series("sla:total:rate5m", "bad")), 0, 0)
	near(t, "period's ratio in the silence", w.Value(series("sla:error:ratio_period", "bad")), 0, 0)
	w.Run(2 * time.Hour)
	near(t, "5m ratio after the silence", w.Value(series("sla:error:ratio_rate5m", "bad")), 0, 0)
	if nans := w.NaNs(4 * time.Hour); len(nans) > 0 {
		t.Errorf("NaN in %v", nans)
	}
	if fired := w.Transitions(); len(fired) > 0 {
		t.Errorf("alerts without an error: %v", fired)
	}
}

// A total outage pages after the time that explain states, and stops paging
// when it is over; the slower tiers do the same in their time.
func TestOutagePagesInTheStatedTime(t *testing.T) {
	t.Parallel()
	const before, outage = 7 * time.Hour, 40 * time.Minute
	tr := simulate(10*time.Hour, func(s int) (float64, float64) {
		if d := time.Duration(s) * time.Second; d >= before && d < before+outage {
			return 0, 20
		}
		return 20, 0
	})
	w := enginetest.New(t, 15*time.Second, func(at time.Time) []enginetest.Sample {
		g, b := tr.at(at)
		return []enginetest.Sample{{Series: `requests_total{code="200"}`, Value: g}, {Series: `requests_total{code="500"}`, Value: b}}
	})
	l := level("bad", "99.9", events(`requests_total{code="500"}`, "", `requests_total`))
	w.Load(generate(t, rulegen.Options{}, l))
	w.Run(10 * time.Hour)
	start := enginetest.Start.Add(before)
	for _, tier := range l.Alerting.Tiers {
		fired, stopped := timeline(w, tier.Name)
		if tier.Long > 6*time.Hour {
			continue // the world is too young for these: TestTiersFireAboveTheirThreshold
		}
		want := tier.TimeToDetect(l.ObjectiveBudget())
		slack := time.Minute + 2*15*time.Second // an evaluation and the scrapes of a rate
		if got := fired.Sub(start); got < want-30*time.Second || got > want+slack {
			t.Errorf("%s fired %s after the outage began, stated %s (+%s)", tier.Name, got, want, slack)
		}
		// The last five minutes must have forgotten the outage.
		if over := stopped.Sub(start.Add(outage)); over <= 0 || over > 6*time.Minute {
			t.Errorf("%s stopped %s after the outage ended, want within 6m", tier.Name, over)
		}
	}
}

// timeline is when a tier first fired and when it last stopped.
func timeline(w *enginetest.World, tier string) (fired, stopped time.Time) {
	for _, tr := range w.Transitions() {
		switch {
		case tr.Labels["tier"] != tier:
		case tr.Firing && fired.IsZero():
			fired = tr.At
		case !tr.Firing:
			stopped = tr.At
		}
	}
	return fired, stopped
}

// At a constant bad share a tier fires exactly if the share is above factor ×
// budget, by arithmetic on the workbook's table and not by the generator's.
func TestTiersFireAboveTheirThreshold(t *testing.T) {
	t.Parallel()
	// tier: factor of the workbook; budget of 99 %: 0.01
	thresholds := map[string]float64{"page-fast": 0.144, "page-slow": 0.06, "ticket-fast": 0.03, "ticket-slow": 0.01}
	var levels []*sla.ServiceLevel
	want := map[string][]string{}
	shares := map[string]float64{}
	for name, threshold := range thresholds {
		for _, scale := range []float64{0.97, 1.03} {
			share := threshold * scale
			slo := fmt.Sprintf("s%d", len(levels))
			shares[slo] = share
			levels = append(levels, level(slo, "99", events(`requests_total{slo="`+slo+`",code="500"}`, "", `requests_total{slo="`+slo+`"}`)))
			for tier, th := range thresholds {
				if share > th {
					want[slo] = append(want[slo], tier)
				}
			}
			_ = name
		}
	}
	w := enginetest.New(t, time.Minute, func(at time.Time) []enginetest.Sample {
		var samples []enginetest.Sample
		for slo, share := range shares {
			n := at.Sub(enginetest.Start).Seconds() * 1000
			samples = append(samples,
				enginetest.Sample{Series: `requests_total{code="200",slo="` + slo + `"}`, Value: n * (1 - share)},
				enginetest.Sample{Series: `requests_total{code="500",slo="` + slo + `"}`, Value: n * share})
		}
		return samples
	})
	w.Load(generate(t, rulegen.Options{Interval: 5 * time.Minute}, levels...))
	w.Run(4 * time.Hour)
	for slo := range shares {
		var got []string
		for _, tr := range w.Transitions() {
			if tr.Name == metricnames.BurnTier && tr.Labels["slo"] == slo && tr.Firing {
				got = append(got, tr.Labels["tier"])
			}
		}
		slices.Sort(got)
		slices.Sort(want[slo])
		if !slices.Equal(got, want[slo]) {
			t.Errorf("share %v: fired %v, want %v", shares[slo], got, want[slo])
		}
	}
}
