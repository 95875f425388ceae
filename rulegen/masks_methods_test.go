package rulegen_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/upheld-sla/upheld/internal/replay"
	"github.com/upheld-sla/upheld/rulegen"
)

// siteEvents are those of a site, by minutes: events a second, and which share is bad.
type siteEvents struct{ rate, bad []float64 }

// drawEvents draws them; all is bad for five minutes before and after some
// minutes, and good before the first and after the last of those.
func drawEvents(r *rand.Rand, minutes int, steady []int) siteEvents {
	tr := siteEvents{make([]float64, minutes), make([]float64, minutes)}
	for i := range minutes {
		tr.rate[i], tr.bad[i] = []float64{5, 10, 40}[r.IntN(3)], 0.03
	}
	for i := 0; i < minutes; { // outages of up to 20 minutes, partial or whole
		i += 1 + r.IntN(30)
		share := []float64{0.2, 0.6, 1}[r.IntN(3)]
		for range 1 + r.IntN(20) {
			if i < minutes {
				tr.bad[i] = share
			}
			i++
		}
	}
	for i, at := range steady {
		for m := at - 5; m < at+5; m++ {
			tr.rate[m], tr.bad[m] = 10, 1
			if i == 0 && m < at || i == len(steady)-1 && m >= at {
				tr.bad[m] = 0
			}
		}
	}
	return tr
}

// inRuns is 1 in minutes above a share that are in a run of at least so many.
func (tr siteEvents) inRuns(above float64, least int) []float64 {
	judged := make([]float64, len(tr.bad))
	for i := 0; i < len(judged); i++ {
		n := 0
		for i+n < len(judged) && tr.bad[i+n] > above {
			n++
		}
		for k := range n {
			if n >= least {
				judged[i+k] = 1
			}
		}
		i += n
	}
	return judged
}

// bySlots gives each minute what its slot of five amounts to.
func (tr siteEvents) bySlots(judge func(share float64) float64) []float64 {
	judged := make([]float64, len(tr.bad))
	for i := 0; i+5 <= len(judged); i += 5 {
		total, bad := 0., 0.
		for k := i; k < i+5; k++ {
			total, bad = total+tr.rate[k], bad+tr.rate[k]*tr.bad[k]
		}
		for k := i; k < i+5; k++ {
			judged[k] = judge(bad / total)
		}
	}
	return judged
}

// A day of each method with service hours, an hour that is excused and half an
// hour that is removed, and of groups. What is recorded of the period is compared
// with sums over minutes.
func TestAgreedTimeOfEachMethod(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Date(2026, 10, 30, 2, 0, 0, 0, time.UTC)
	const minutes = 26*60 + 5
	end := begin.Add(minutes * time.Minute) // the day counts until five minutes before
	plan := compiled(t, `
apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  timeZone: Europe/Berlin
  calendars: {office: {weekly: [{days: [Mon, Tue, Wed, Thu, Fri], from: "08:00", to: "18:00"}]}}
  serviceHours: office
  maintenance: {effect: remove_from_agreed_time, windows: [{rrule: "FREQ=DAILY", start: "2026-01-01T15:00", duration: 30m}]}
  exclusions: [{name: lunch, effect: treat_as_up, windows: [{rrule: "FREQ=DAILY", start: "2026-01-01T12:00", duration: 1h}]}]
  alerting: {enabled: false}
  period: 1d
  serviceLevels:
    - {name: minute, target: "99", indicator: &a {events: {bad: 'e_bad{site="a"}', total: 'e_total{site="a"}'}}, aggregation: {method: bad_minute, errorThreshold: "5"}}
    - {name: run, target: "99", indicator: *a, aggregation: {method: qualified_run, errorThreshold: "5", minRun: 5m}}
    - {name: mean, target: "99", indicator: *a, aggregation: {method: mean_slot_error_rate}}
    - {name: quantile, target: "99", indicator: {latency: {histogram: 'h_seconds{site="a"}', threshold: 1s}}, aggregation: {method: slot_quantile, quantile: "0.9"}}
    - {name: ratios, target: "99", groupBy: [site], indicator: &all {events: {bad: e_bad, total: e_total}}}
    - {name: minutes, target: "99", groupBy: [site], indicator: *all, aggregation: {method: bad_minute, errorThreshold: "5"}}
    - {name: runs, target: "99", groupBy: [site], indicator: *all, aggregation: {method: qualified_run, errorThreshold: "5", minRun: 5m}}
    - {name: means, target: "99", groupBy: [site], indicator: *all, aggregation: {method: mean_slot_error_rate}}
`)
	// What is agreed or excused changes here. Masks are known to the minute, so that
	// an outage that goes on there counts up to a minute less where time ends to
	// count, and as much more where it begins to. When hours begin an outage
	// does, and ends with them, so that what is counted a slot beside shows.
	edges := []int{5 * 60, 9 * 60, 10 * 60, 12 * 60, 12*60 + 30, 15 * 60}
	r := rand.New(rand.NewPCG(5, 6))
	w, sites := replay.New(), map[string]siteEvents{}
	for _, site := range []string{"a", "b"} {
		tr := drawEvents(r, minutes, edges)
		sites[site] = tr
		add := func(of func(minute int) float64, names ...string) {
			w.Add(labels.FromStrings(append([]string{"site", site, labels.MetricName}, names...)...), newMinutely(begin, minutes, of))
		}
		all := func(m int) float64 { return tr.rate[m] }
		add(all, "e_total")
		add(all, "h_seconds_count")
		add(all, "h_seconds_bucket", "le", "+Inf")
		add(func(m int) float64 { return tr.rate[m] * tr.bad[m] }, "e_bad")
		add(func(m int) float64 { return tr.rate[m] * (1 - tr.bad[m]) }, "h_seconds_bucket", "le", "1")
	}
	record(t, w, plan, begin, end, func(r rulegen.Rule) bool { return !strings.HasPrefix(r.Record, "sla:error:ratio_rate") })

	above := func(limit float64) func(float64) float64 {
		return func(share float64) float64 {
			if share > limit {
				return 1
			}
			return 0
		}
	}
	one := make([]float64, minutes)
	for i := range one {
		one[i] = 1
	}
	for _, level := range []struct {
		slo, site string
		judged    []float64 // the bad share of each minute
		weight    []float64 // what a minute counts
		edge      float64   // what a minute at an edge counts, where minutes are not counted by slots
	}{
		{"minute", "", sites["a"].inRuns(0.05, 1), one, 60},
		{"run", "", sites["a"].inRuns(0.05, 5), one, 60},
		{"mean", "", sites["a"].bySlots(func(s float64) float64 { return s }), one, 0},
		{"quantile", "", sites["a"].bySlots(above(0.1)), one, 0},
		{"ratios", "a", sites["a"].bad, sites["a"].rate, 600},
		{"ratios", "b", sites["b"].bad, sites["b"].rate, 600},
		{"minutes", "a", sites["a"].inRuns(0.05, 1), one, 60},
		{"minutes", "b", sites["b"].inRuns(0.05, 1), one, 60},
		{"runs", "a", sites["a"].inRuns(0.05, 5), one, 60},
		{"runs", "b", sites["b"].inRuns(0.05, 5), one, 60},
		{"means", "a", sites["a"].bySlots(func(s float64) float64 { return s }), one, 0},
		{"means", "b", sites["b"].bySlots(func(s float64) float64 { return s }), one, 0},
	} {
		var total, bad, excludedTotal, excludedBad, agreed float64
		for m := 120; m < minutes; m++ {
			l := begin.Add(time.Duration(m) * time.Minute).In(berlin)
			if l.Weekday() != time.Friday || l.Hour() < 8 || l.Hour() >= 18 {
				continue
			}
			counts, fails := 60*level.weight[m], 60*level.weight[m]*level.judged[m]
			switch {
			case l.Hour() == 15 && l.Minute() < 30:
				excludedTotal, excludedBad = excludedTotal+counts, excludedBad+fails
			case l.Hour() == 12:
				total, excludedBad, agreed = total+counts, excludedBad+fails, agreed+60
			default:
				total, bad, agreed = total+counts, bad+fails, agreed+60
			}
		}
		labels := fmt.Sprintf(`{slo=%q,period="1d",site=%q}`, level.slo, level.site)
		for name, want := range map[string]struct{ is, edge float64 }{
			"total:sum_period": {total, 0}, "bad:sum_period": {bad, level.edge}, "agreed:seconds_period": {agreed, 0},
			"excluded_total:sum_period": {excludedTotal, 0}, "excluded_bad:sum_period": {excludedBad, 2 * level.edge}, // within windows of five minutes
			"error:ratio_period": {bad / total, level.edge / total}, "budget_remaining:ratio_period": {1 - bad/total/0.01, level.edge / total / 0.01},
		} {
			got := value(t, w, "sla:"+name+labels, end)
			if math.Abs(got-want.is) > want.edge+0.002*math.Abs(want.is) {
				t.Errorf("%s%s is %.6g, want %.6g", name, labels, got, want.is)
			}
		}
	}
}
