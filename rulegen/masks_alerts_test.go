package rulegen_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/internal/testsize"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla"
)

// Two days of a service that is promised from 8 to 20 o'clock in Berlin, in
// winter 7 to 19 in UTC: half of all time. Of 30 days' budget of 1 %, 3h36m,
// page-fast is to come when an hour has spent 2 %, 4m19s, and nobody is to be
// woken by what happens at night, in maintenance or through the customer.
func TestAlertsKeepServiceHours(t *testing.T) {
	t.Parallel()
	testsize.Skip(t, "alerts over two days of service hours")
	begin := time.Date(2026, 11, 10, 9, 0, 0, 0, time.UTC)
	at := func(day, hour, minute int) time.Time { return time.Date(2026, 11, day, hour, minute, 0, 0, time.UTC) }
	type outage struct{ from, to time.Time }
	outages := []outage{
		{at(10, 10, 0), at(10, 10, 30)}, // in hours
		{at(10, 15, 0), at(10, 15, 40)}, // in maintenance, from 15:00 to 16:00
		{at(10, 18, 40), at(11, 7, 30)}, // into the night, and on in the morning
		{at(11, 12, 0), at(11, 12, 30)}, // while the customer's link is down
	}
	down := func(t time.Time) bool {
		return slices.ContainsFunc(outages, func(o outage) bool { return !t.Before(o.from) && t.Before(o.to) })
	}
	gone := func(t time.Time) bool { // no measurement
		return !t.Before(at(11, 1, 0)) && t.Before(at(11, 4, 0)) || !t.Before(at(11, 14, 0)) && t.Before(at(11, 14, 30))
	}
	good, bad, last := 0., 0., begin
	w := enginetest.NewAt(t, begin, time.Minute, func(now time.Time) []enginetest.Sample {
		if n := 10 * now.Sub(last).Seconds(); down(last) {
			bad += n
		} else {
			good += n
		}
		last = now
		link := 1.
		if !now.Before(at(11, 12, 0)) && now.Before(at(11, 12, 40)) {
			link = 0
		}
		samples := []enginetest.Sample{{Series: "link_up", Value: link}}
		if gone(now) {
			return samples
		}
		up := 1.
		if down(now) {
			up = 0
		}
		return append(samples, enginetest.Sample{Series: `requests_total{code="200"}`, Value: good}, enginetest.Sample{Series: `requests_total{code="500"}`, Value: bad},
			enginetest.Sample{Series: "up_now", Value: up})
	})
	plan := compiled(t, `
apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  timeZone: Europe/Berlin
  calendars: {hours: {weekly: [{days: [Mon, Tue, Wed, Thu, Fri, Sat, Sun], from: "08:00", to: "20:00"}]}}
  serviceHours: hours
  maintenance: {effect: remove_from_agreed_time, windows: [{from: "2026-11-10T16:00", to: "2026-11-10T17:00"}]}
  exclusions: [{name: link, category: customer_caused, effect: treat_as_up, condition: "link_up == 0"}]
  alerting: {tiers: {ticket-fast: {enabled: false}, ticket-slow: {enabled: false}, page-slow: {enabled: false}}, budgetForecast: {enabled: false}}
  serviceLevels:
    - {name: requests, indicator: {events: {bad: 'requests_total{code="500"}', total: requests_total}}, target: "99"}
    - {name: state, indicator: {condition: {expr: "up_now == 1"}}, target: "99"}
`)
	if !testsize.Every() {
		keepFor(plan, "sla:budget_remaining:ratio_period", "sla:excluded_bad:sum_period", sla.AlertBudgetBurn.Name, sla.AlertMeasurementLost.Name)
	}
	file, err := emit.Prometheus(plan)
	if err != nil {
		t.Fatal(err)
	}
	w.Load(file)
	w.Run(30 * time.Hour)
	got := map[string][]string{}
	for _, tr := range w.Transitions() {
		what := "stops"
		if tr.Firing {
			what = "fires"
		}
		key := tr.Labels["slo"] + " " + tr.Name
		got[key] = append(got[key], fmt.Sprintf("%s %s", what, tr.At.Format("2 15:04")))
	}
	// A total outage of 4m19s in the hour, as rates of five minutes see it: 6m49s.
	// The evening's outage goes on when the hours begin at 7:00, but the hour has to
	// hold as much of it again.
	type window struct {
		what     string
		from, to time.Time
	}
	for key, want := range map[string][]window{
		sla.AlertBudgetBurn.Name: {
			{"fires", at(10, 10, 6), at(10, 10, 10)},
			{"stops", at(10, 10, 33), at(10, 10, 38)},
			{"fires", at(10, 18, 46), at(10, 18, 50)},
			{"stops", at(10, 19, 0), at(10, 19, 2)},
			{"fires", at(11, 7, 6), at(11, 7, 10)},
			{"stops", at(11, 7, 33), at(11, 7, 38)},
		},
		sla.AlertMeasurementLost.Name: {{"fires", at(11, 14, 8), at(11, 14, 11)}, {"stops", at(11, 14, 30), at(11, 14, 36)}},
	} {
		for _, slo := range []string{"requests", "state"} {
			g := got[slo+" "+key]
			ok := len(g) == len(want)
			for i := 0; ok && i < len(g); i++ {
				when, err := time.Parse("2006-01-2 15:04", "2026-11-"+g[i][len("fires "):])
				ok = err == nil && g[i][:5] == want[i].what && !when.Before(want[i].from) && !when.After(want[i].to)
			}
			if !ok {
				t.Errorf("%s: %s %v, want %v", slo, key, g, want)
			}
		}
	}
	// 30 min, 20 before the evening, 30 in the morning: 80 minutes of the 3h36m.
	for _, slo := range []string{"requests", "state"} {
		if left := w.Value(fmt.Sprintf(`sla:budget_remaining:ratio_period{slo=%q}`, slo)); math.Abs(1-left-80./215.4) > 0.015 {
			t.Errorf("%s: %v of the budget are left, want %v", slo, left, 1-80./215.4)
		}
		near(t, slo+": excluded", w.Value(fmt.Sprintf(`sla:excluded_bad:sum_period{slo=%q}`, slo)), map[string]float64{"requests": 10, "state": 1}[slo]*70*60, 0.03)
	}
	if nans := w.NaNs(48 * time.Hour); len(nans) > 0 {
		t.Errorf("NaN in %v", nans)
	}
}

// A service fails all through its maintenance and is mended when that ends: nobody is woken.
// One that goes on failing pages some minutes later than if there had been no maintenance.
func TestTheEndOfMaintenancePagesNobody(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 11, 10, 9, 0, 0, 0, time.UTC)
	opens, ends := begin.Add(time.Hour), begin.Add(2*time.Hour)
	const outage = 40 * time.Minute // that goes on after the window
	targets := testsize.Of([]string{"99.95"}, []string{"99", "99.9", "99.95", "99.99"})
	for _, scrape := range testsize.Of([]time.Duration{15 * time.Second}, []time.Duration{15 * time.Second, time.Minute}) {
		t.Run(scrape.String(), func(t *testing.T) {
			t.Parallel()
			last, good, bad := begin, map[string]float64{}, map[string]float64{}
			w := enginetest.NewAt(t, begin, scrape, func(now time.Time) []enginetest.Sample {
				n := 10 * now.Sub(last).Seconds()
				until := map[string]time.Time{"mended": ends, "broken": ends.Add(outage)}
				var samples []enginetest.Sample
				for _, job := range []string{"mended", "broken"} {
					if last.Before(opens) || !last.Before(until[job]) {
						good[job] += n
					} else {
						bad[job] += n
					}
					samples = append(samples, enginetest.Sample{Series: fmt.Sprintf(`requests_total{job=%q,code="200"}`, job), Value: good[job]},
						enginetest.Sample{Series: fmt.Sprintf(`requests_total{job=%q,code="500"}`, job), Value: bad[job]})
				}
				last = now
				return samples
			})
			var levels strings.Builder
			for _, job := range []string{"mended", "broken"} {
				for _, target := range targets {
					fmt.Fprintf(&levels, "    - {name: %s-%s, indicator: {events: {bad: 'requests_total{job=%[1]q,code=\"500\"}', total: 'requests_total{job=%[1]q}'}}, target: %[3]q}\n",
						job, strings.ReplaceAll(target, ".", "-"), target)
				}
			}
			file, err := emit.Prometheus(compiled(t, `
apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  maintenance: {effect: remove_from_agreed_time, windows: [{from: "2026-11-10T10:00", to: "2026-11-10T11:00"}]}
  serviceLevels:
`+levels.String()))
			if err != nil {
				t.Fatal(err)
			}
			w.Load(file)
			w.Run(ends.Add(90 * time.Minute).Sub(begin))
			paged := map[string]time.Duration{} // after the window
			for _, tr := range w.Transitions() {
				slo, of := tr.Labels["slo"], tr.Labels["severity"]
				if !tr.Firing || tr.Name != sla.AlertBudgetBurn.Name || strings.HasPrefix(slo, "broken") && of != "page" {
					continue
				}
				if _, before := paged[slo]; strings.HasPrefix(slo, "mended") || before {
					t.Errorf("%s, %s: it fires at %s", slo, of, tr.At.Format("15:04:05"))
				}
				paged[slo] = tr.At.Sub(ends)
			}
			for _, target := range targets {
				slo, most := "broken-"+strings.ReplaceAll(target, ".", "-"), 9*time.Minute
				if target == "99" {
					most = 12 * time.Minute // it needs a longer outage
				}
				if after, ok := paged[slo]; !ok || after > most {
					t.Errorf("%s pages %s after the window (%v), want at most %s", slo, after, ok, most)
				}
			}
		})
	}
}
