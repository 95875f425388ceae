package rulegen_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/internal/testsize"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla/spec"
)

const hoursSpec = `
apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop%d}
spec:
  alerting: {enabled: false}
  serviceLevels:
    - {name: rolling, target: "99", period: 7d, indicator: &events {events: {bad: bad_total, total: requests_total}}}
    - {name: month, target: "99", period: month, indicator: *events}
`

// hoursWorld has an agreement of long periods under many names, so that its groups
// are evaluated at many moments: with the rules of what is compared, and when every case
// is repeated, all of the first name.
func hoursWorld(t *testing.T, names int, interval time.Duration) *enginetest.World {
	t.Helper()
	start := enginetest.Start
	w := enginetest.NewAt(t, start, 15*time.Second, func(at time.Time) []enginetest.Sample {
		seconds := at.Sub(start).Seconds()
		return []enginetest.Sample{{Series: "requests_total", Value: 20 * seconds}, {Series: "bad_total", Value: math.Floor(seconds / 7)}}
	})
	var files [][]byte
	for i := range names {
		agreements, findings := spec.LoadText("spec.yaml", fmt.Sprintf(hoursSpec, i))
		if err := findings.Err(); err != nil {
			t.Fatal(err)
		}
		plan, findings := rulegen.Compile(agreements[0], rulegen.Options{Interval: interval, Now: start})
		if err := findings.Err(); err != nil {
			t.Fatal(err)
		}
		if i > 0 || !testsize.Every() {
			keepFor(plan, "sla:total:sum_period", "sla:bad:sum_period")
		}
		file, err := emit.Prometheus(plan)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	w.Load(files...)
	return w
}

// sameAsWhole compares the sums that are kept in two parts with those of all
// increases, and says how many there are.
func sameAsWhole(t *testing.T, w *enginetest.World) (compared int) {
	t.Helper()
	for _, of := range []struct{ sum, whole string }{
		{`sla:total:sum_period{slo="rolling"}`, `sum_over_time(sla:total:increase{slo="rolling"}[7d])`},
		{`sla:bad:sum_period{slo="rolling"}`, `sum_over_time(sla:bad:increase{slo="rolling"}[7d])`},
		{`sla:total:sum_period{slo="month"}`, `sum without (start) (sum_over_time(sla:total:increase_period{slo="month"}[32d]))`},
		{`sla:bad:sum_period{slo="month"}`, `sum without (start) (sum_over_time(sla:bad:increase_period{slo="month"}[32d]))`},
	} {
		whole := map[string]float64{}
		for _, s := range w.Query(of.whole) {
			whole[s.Metric.Get("sla")] = s.F
		}
		for _, s := range w.Query(of.sum) {
			compared++
			if want := whole[s.Metric.Get("sla")]; math.Abs(s.F-want) > 1e-6*want {
				t.Errorf("%s: %s is %v, and all increases are %v", w.Now().Format(time.TimeOnly), s.Metric, s.F, want)
			}
		}
	}
	return compared
}

// hoursNames is how many names a long run takes: with the first of them, at each
// interval, the second layer is evaluated in every fifth of its step, and both before
// and after the third layer. More names meet no other moment.
var hoursNames = map[time.Duration]int{time.Minute: 10, 15 * time.Second: 15}

// demandMoments fails if the names are too few for that.
func demandMoments(t *testing.T, w *enginetest.World, names int, step time.Duration) {
	t.Helper()
	for _, slo := range []string{"rolling", "month"} {
		fifths, before := map[time.Duration]bool{}, map[bool]bool{}
		for i := range names {
			group := fmt.Sprintf("upheld:shop%d:shop%d:%s", i, i, slo)
			second, third := w.Offset(group+":long"), w.Offset(group+":hours")%step
			fifths[second/(step/5)], before[second < third] = true, true
		}
		if len(fifths) != 5 || len(before) != 2 {
			t.Errorf("%s is evaluated in %d fifths of a step, in %d orders", slo, len(fifths), len(before))
		}
	}
}

// Sums in two parts are those of all increases at every moment, through hours,
// restarts and gaps, at the offsets of many names; and after a gap of up to an hour
// and a half they are back with the second layer.
func TestSumsByTheHourAreThoseOfAllIncreases(t *testing.T) {
	t.Parallel()
	for _, interval := range []time.Duration{time.Minute, 15 * time.Second} {
		t.Run(interval.String(), func(t *testing.T) {
			if interval != time.Minute {
				testsize.Skip(t, "sums by the hour with four evaluations a minute")
			}
			t.Parallel()
			names := testsize.Of(2, hoursNames[interval])
			w := hoursWorld(t, names, interval)
			step := rulegen.SecondLayer(interval)
			if testsize.All() {
				demandMoments(t, w, names, step)
			}
			w.Run(step + time.Minute)
			for _, away := range []time.Duration{0, 12 * time.Minute, 55 * time.Minute, 85 * time.Minute, 40 * time.Second} {
				if away > 0 {
					w.Restart(away)
					w.Run(step + time.Minute)
				}
				w.Foresee(100 * time.Minute)
				for end := w.Now().Add(100 * time.Minute); w.Now().Before(end); w.Run(5 * time.Minute) {
					if compared := sameAsWhole(t, w); compared != 4*names {
						t.Errorf("%s after %s away: %d sums, want %d", w.Now().Format(time.TimeOnly), away, compared, 4*names)
					}
				}
			}
		})
	}
}

// After a longer gap there is no sum rather than a wrong one, until the third layer
// has been evaluated, within half an hour.
func TestSumsAreBackHalfAnHourAfterALongGap(t *testing.T) {
	t.Parallel()
	names := testsize.Repeats(2, 6, hoursNames[time.Minute])
	w := hoursWorld(t, names, time.Minute)
	w.Run(8 * time.Hour) // older than olderSteps
	w.Restart(5 * time.Hour)
	w.Foresee(37 * time.Minute)
	for end := w.Now().Add(37 * time.Minute); w.Now().Before(end); w.Run(time.Minute) {
		sameAsWhole(t, w)
	}
	if compared := sameAsWhole(t, w); compared != 4*names {
		t.Errorf("%d sums, want %d", compared, 4*names)
	}
}
