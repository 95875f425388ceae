package rulegen_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/internal/testsize"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

const upgradeSpec = `
apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: counted}
spec:
  calendars: {open: {weekly: [{days: [Mon, Tue, Wed, Thu, Fri, Sat, Sun], from: "00:00", to: "24:00"}]}}
  exclusions: [{name: works, effect: treat_as_up, windows: [{from: "2026-03-05T12:00:00Z", to: "2026-03-05T12:30:00Z"}]}]
  serviceLevels:
    - {name: hours, service: shop, target: "99", period: 2d, serviceHours: open, indicator: {events: {bad: 'requests_total{code="500"}', total: requests_total}}}
    - {name: bad, service: shop, target: "99", period: 2d, exclusions: [], indicator: {events: {bad: 'requests_total{code="500"}', total: requests_total}}}
    - {name: slow, service: shop, target: "99", period: 2d, exclusions: [], indicator: {latency: {histogram: seconds, threshold: 300ms}}}
    - {name: probed, service: shop, target: "99", period: 2d, exclusions: [], indicator: {probe: {http: "https://shop.example", interval: 15s}}}
`

// byRates makes the increases of a plan from rates, as they were made before levels
// were counted by increases.
func byRates(plan *rulegen.Plan) {
	for _, l := range plan.Levels {
		own := []promql.Matcher{promql.Eq(metricnames.SLA, l.Level.ID.SLA), promql.Eq(metricnames.Service, l.Level.ID.Service), promql.Eq(metricnames.SLO, l.Level.ID.SLO)}
		rates := map[string]string{
			metricnames.TotalIncrease: metricnames.TotalRate, metricnames.BadIncrease: metricnames.BadRate,
			metricnames.TallyOf("raw_total", "").Increase: metricnames.RawTotalRate, metricnames.TallyOf("raw_bad", "").Increase: metricnames.RawBadRate,
			metricnames.TallyOf("excluded_total", "").Increase: metricnames.ExcludedTotalRate, metricnames.TallyOf("excluded_bad", "").Increase: metricnames.ExcludedBadRate,
		}
		for i, g := range l.Groups {
			l.Groups[i].Rules = slices.DeleteFunc(g.Rules, func(r rulegen.Rule) bool {
				return slices.Contains([]string{
					metricnames.CountedMark, metricnames.TotalInGap, metricnames.BadInGap, metricnames.RawTotalInGap, metricnames.RawBadInGap, metricnames.AgreedElapsed,
				}, r.Record)
			})
			for j, r := range l.Groups[i].Rules {
				if rate, ok := rates[r.Record]; ok {
					l.Groups[i].Rules[j].Expr = promql.Mul(promql.Series(rate, own...).SumOverTime(5*time.Minute), promql.Num(sla.NewDecimal(60, 1)))
				}
			}
		}
	}
}

// An upgrade of a server with data: sums of older time go on, no budget jumps and
// no alert begins.
func TestUpgradeToIncreases(t *testing.T) {
	testsize.Skip(t, "an upgrade from rules by rates")
	t.Parallel()
	shop := &countedShop{instances: []*countedInstance{old("a"), old("b")}, names: 1, last: enginetest.Start, random: rand.New(rand.NewPCG(3, 4))}
	shop.traffic = func(time.Time) (float64, float64) { return 10, 0.004 }
	w := enginetest.New(t, 30*time.Second, func(at time.Time) []enginetest.Sample {
		samples := shop.scrape(at)
		for i := range samples { // the shop's probes are of many agreements elsewhere
			samples[i].Series = strings.Replace(samples[i].Series, `sla="counted0"`, `sla="counted"`, 1)
		}
		return samples
	})
	file := func(of func(*rulegen.Plan)) []byte {
		agreements, findings := spec.LoadText("spec.yaml", upgradeSpec)
		if err := findings.Err(); err != nil {
			t.Fatal(err)
		}
		plan, findings := rulegen.Compile(agreements[0], rulegen.Options{Now: enginetest.Start})
		if err := findings.Err(); err != nil {
			t.Fatal(err)
		}
		of(plan)
		file, err := emit.Prometheus(plan)
		if err != nil {
			t.Fatal(err)
		}
		return file
	}
	w.Load(file(byRates))
	w.Run(7*time.Hour + 17*time.Minute)
	w.Load(file(func(*rulegen.Plan) {}))
	figures := func() map[string]float64 {
		all := map[string]float64{}
		for _, s := range w.Query(`{__name__=~"sla:(budget_remaining:ratio|total:sum|bad:sum)_period"}`) {
			all[s.Metric.Get(`__name__`)+" "+s.Metric.Get("slo")] = s.F
		}
		return all
	}
	before := figures()
	if len(before) != 12 {
		t.Fatalf("figures are %v", before)
	}
	for range 12 {
		w.Run(5 * time.Minute)
		after := figures()
		for name, v := range after {
			switch {
			case name[:10] == "sla:budget" && math.Abs(v-before[name]) > 0.001:
				t.Errorf("%s jumps from %v to %v", name, before[name], v)
			case name[:9] == "sla:total" && (v < before[name]*1.002 || v > before[name]*1.03): // a step of 437 minutes and more
				t.Errorf("%s goes from %v to %v", name, before[name], v)
			}
		}
		before = after
	}
	if told := w.Transitions(); len(told) > 0 {
		t.Errorf("told: %v", told)
	}
	if got := w.Query(`abs(sla:total:increase / (sum_over_time(sla:total:rate5m[5m]) * 60) - 1) > 0.01`); len(got) > 0 {
		t.Errorf("in steady traffic, what is counted is not what rates were: %v", got)
	}
	if got := w.Query(`count_over_time(sla:counted:mark[1h])`); len(got) != 4 {
		t.Errorf("steps are counted of %v", got)
	}
}
