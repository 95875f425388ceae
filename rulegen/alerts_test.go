package rulegen_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// sparse is one request a minute, bad in the minutes that the function names.
func sparse(slo string, bad func(minute int) bool) enginetest.Target {
	return func(at time.Time) []enginetest.Sample {
		counts := map[bool]float64{}
		for m := range int(at.Sub(enginetest.Start).Seconds()+30) / 60 {
			counts[bad(m)]++
		}
		return []enginetest.Sample{
			{Series: `requests_total{code="200",slo="` + slo + `"}`, Value: counts[false]},
			{Series: `requests_total{code="500",slo="` + slo + `"}`, Value: counts[true]},
		}
	}
}

// A single failure of a service with one request a minute is 1.7 % of an hour
// and over the paging threshold of 99.9 %. Least counts hold it back, and
// nothing else: as many failures as are asked for do page.
func TestLittleTraffic(t *testing.T) {
	t.Parallel()
	cases := []struct {
		slo                string
		minimum, minimumOf int // of bad events, of all
		bad                func(minute int) bool
		want               []string      // the tiers that fire
		after              time.Duration // since the first failure, of the first tier
	}{
		{"ungated", 0, 0, minutes(90), []string{"page-fast", "page-slow"}, 0},
		{"one", 3, 0, minutes(90), nil, 0},
		{"two", 3, 0, minutes(90, 93), nil, 0},
		{"three", 3, 0, minutes(90, 91, 93), []string{"page-fast", "page-slow"}, 3 * time.Minute},
		// 60 requests an hour are never 100; in 100 minutes of the six hours they
		// are. (Sampled at this phase 0.84 of each is seen, and 0.8 suffices.)
		{"few", 0, 100, func(m int) bool { return m >= 20 }, []string{"page-slow"}, 75 * time.Minute},
		{"enough", 0, 50, func(m int) bool { return m >= 90 }, []string{"page-fast", "page-slow"}, 0},
	}
	var levels []*sla.ServiceLevel
	for _, c := range cases {
		l := level(c.slo, "99.9", events(`requests_total{code="500",slo="`+c.slo+`"}`, "", `requests_total{slo="`+c.slo+`"}`))
		l.Alerting.MinimumBadEvents, l.Alerting.MinimumEvents = c.minimum, c.minimumOf
		l.Alerting.Tiers = l.Alerting.Tiers[:2] // the world is too young for the others
		levels = append(levels, l)
	}
	w := enginetest.New(t, 15*time.Second, func(at time.Time) []enginetest.Sample {
		var samples []enginetest.Sample
		for _, c := range cases {
			samples = append(samples, sparse(c.slo, c.bad)(at)...)
		}
		return samples
	})
	w.Load(generate(t, rulegen.Options{}, levels...))
	w.Run(100 * time.Minute)
	// What is counted is what happened: each failure once.
	near(t, "failures counted", w.Value(`sla:bad:sum_1h{slo="three"}`), 3, 0.2)
	near(t, "requests counted", w.Value(`sla:total:sum_1h{slo="few"}`), 60, 0.2)
	near(t, "share", w.Value(`sla:error:ratio_rate1h{slo="three"}`), 3./60, 0.05)
	near(t, "share", w.Value(`sla:error:ratio_rate1h{slo="few"}`), 1, 1e-9)
	w.Run(60 * time.Minute)
	for _, c := range cases {
		var fired []string
		var first time.Time
		for _, tr := range w.Transitions() {
			if tr.Name == metricnames.BurnTier && tr.Labels["slo"] == c.slo && tr.Firing {
				if fired = append(fired, tr.Labels["tier"]); first.IsZero() {
					first = tr.At
				}
			}
		}
		slices.Sort(fired)
		if fired = slices.Compact(fired); !slices.Equal(fired, c.want) {
			t.Errorf("%s: fired %v, want %v", c.slo, fired, c.want)
		}
		if len(fired) == 0 {
			continue
		}
		failure := 0
		for !c.bad(failure) {
			failure++
		}
		if after := first.Sub(enginetest.Start.Add(time.Duration(failure)*time.Minute + 30*time.Second)); after < c.after-time.Minute || after > c.after+6*time.Minute {
			t.Errorf("%s: fired %s after the first failure, want %s to 6m more", c.slo, after, c.after)
		}
	}
}

// minutes is bad in these minutes.
func minutes(bad ...int) func(int) bool {
	return func(m int) bool { return slices.Contains(bad, m) }
}

// Probes counted by time are recorded in seconds; what is asked for is probes.
func TestLeastBadProbes(t *testing.T) {
	t.Parallel()
	for _, bad := range []int{3, 4} {
		up, _ := probeLevels()
		up.Target, up.Objective = sla.MustDecimal("99.9"), sla.MustDecimal("99.9")
		up.Alerting.MinimumBadEvents = 4
		w := enginetest.New(t, 15*time.Second, probes(10*time.Second, func(n int) (string, bool) {
			if n >= 180 && n < 180+bad {
				return "bad", false
			}
			return "good", true
		}))
		w.Load(generate(t, rulegen.Options{}, up))
		w.Run(40 * time.Minute)
		var fired []string
		for _, tr := range w.Transitions() {
			if tr.Firing {
				fired = append(fired, tr.Labels["tier"])
			}
		}
		if paged := slices.Contains(fired, "page-fast"); paged != (bad == 4) {
			t.Errorf("%d bad probes of 4 asked for: fired %v", bad, fired)
		}
		near(t, fmt.Sprint("seconds of ", bad, " probes"), w.Value(`sla:bad:sum_1h{slo="up"}`), float64(bad)*10, 0.1)
	}
}

// A budget that burns steadily is told to end while it still lasts the time
// that is left by division, and to be spent when what was counted says so.
func TestForecastAndExhaustion(t *testing.T) {
	t.Parallel()
	// 1 % of a day's 86,400 requests, one a second, may fail: 864. From the
	// second hour on every tenth fails: a burn rate of 10, 360 an hour.
	const begin, perSecond = time.Hour, 0.1
	day := sla.Period{Rolling: 24 * time.Hour}
	steady := func(slo string, share float64) enginetest.Target {
		return func(at time.Time) []enginetest.Sample {
			s := at.Sub(enginetest.Start).Seconds()
			bad := share * max(0, s-begin.Seconds())
			return []enginetest.Sample{
				{Series: `requests_total{code="200",slo="` + slo + `"}`, Value: s - bad},
				{Series: `requests_total{code="500",slo="` + slo + `"}`, Value: bad},
			}
		}
	}
	of := func(slo string) *sla.ServiceLevel {
		l := level(slo, "99", events(`requests_total{code="500",slo="`+slo+`"}`, "", `requests_total{slo="`+slo+`"}`))
		l.Period = day
		l.Alerting = (&sla.ServiceLevel{Period: day}).DefaultAlerting()
		l.Alerting.Tiers = l.Alerting.Tiers[2:] // a page would hold the forecast back
		forecast := l.Notice(sla.AlertBudgetForecast)
		forecast.Over, forecast.Within = 30*time.Minute, time.Hour
		return l
	}
	quiet := of("off")
	delete(quiet.Alerting.Notices, sla.AlertBudgetForecast)
	delete(quiet.Alerting.Notices, sla.AlertBudgetExhausted)
	w := enginetest.New(t, 30*time.Second, func(at time.Time) []enginetest.Sample {
		return slices.Concat(steady("burns", perSecond)(at), steady("off", perSecond)(at), steady("calm", 0.009)(at))
	})
	w.Load(generate(t, rulegen.Options{}, of("burns"), quiet, of("calm")))
	w.Run(begin + 1*time.Hour + 30*time.Minute)
	// 90 minutes have cost 540 of 864; the other 324 last 54 minutes.
	near(t, "what is left", w.Value(`sla:budget_remaining:ratio_period{slo="burns"}`), 324./864, 0.08) // it trails by some minutes
	w.Run(90 * time.Minute)
	fired := map[string]time.Duration{}
	for _, tr := range w.Transitions() {
		if tr.Name != sla.AlertBudgetForecast.Name && tr.Name != sla.AlertBudgetExhausted.Name {
			continue
		}
		if tr.Labels["slo"] != "burns" || tr.Labels["severity"] != "ticket" {
			t.Errorf("unexpected %v", tr)
		}
		key := tr.Name
		if !tr.Firing {
			key += " stopped"
		}
		if _, again := fired[key]; !again {
			fired[key] = tr.At.Sub(enginetest.Start.Add(begin))
		}
	}
	// 864 are spent after 144 minutes; an hour before that, the last hour begins.
	// Rates trail by 2.5 minutes, the second tier of rules by up to 5, and the
	// sums of a counter are extrapolated.
	for name, want := range map[string]time.Duration{
		sla.AlertBudgetForecast.Name: 84 * time.Minute, sla.AlertBudgetExhausted.Name: 144 * time.Minute,
		sla.AlertBudgetForecast.Name + " stopped": 144 * time.Minute, // it is told as spent then
	} {
		if got, ok := fired[name]; !ok || got < want-3*time.Minute || got > want+14*time.Minute {
			t.Errorf("%s after %s (%t), want %s", name, got, ok, want)
		}
	}
}
