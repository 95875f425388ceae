package rulegen_test

import (
	"math"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/internal/testsize"
)

// The first outage of a service, whose counter of errors begins with it, counts by where
// it is: also in a step in which hours begin or end.
func TestFirstValuesOfMaskedCounters(t *testing.T) {
	t.Parallel()
	const from, to, rate = 61, 62, 50. // minutes: from 11:08 on, in a step that begins at 11:05
	never := [2]time.Time{enginetest.Start.Add(300 * time.Minute), enginetest.Start.Add(310 * time.Minute)}
	type edge struct {
		hours      clockSpan // minutes
		share      float64   // of the outage
		ofOneValue float64   // the same with a scrape a minute
	}
	for name, test := range testsize.Cases(t, map[string]edge{
		"in the hours":               {clockSpan{0, 200}, 1, 1},
		"outside":                    {clockSpan{120, 200}, 0, 0},
		"as hours begin":             {clockSpan{61, 200}, 1, 2. / 5},
		"a minute after they end":    {clockSpan{0, 60}, 0, 2. / 5},
		"in the step before the end": {clockSpan{0, 64}, 1, 1},
	}, "as hours begin", "a minute after they end") {
		for _, scrape := range testsize.Of([]time.Duration{time.Minute}, []time.Duration{15 * time.Second, time.Minute}) {
			t.Run(name+" scraped every "+scrape.String(), func(t *testing.T) {
				t.Parallel()
				m := &maskedWorld{begin: enginetest.Start, zone: time.UTC, link: func(time.Time) bool { return true }, removed: never, excused: never}
				day := 60*m.begin.Hour() + m.begin.Minute()
				m.hours = []clockSpan{{day + test.hours.from, day + test.hours.to}}
				m.shop = &countedShop{instances: []*countedInstance{newInstance("a", m.begin.Add(-time.Hour)), newInstance("b", m.begin.Add(-time.Hour))}}
				m.shop.traffic = func(at time.Time) (float64, float64) {
					if during(at, from, to) {
						return rate, 1
					}
					return rate, 0
				}
				w := m.world(t, scrape, 0)
				w.Run(m.minute(120).Sub(w.Now()))
				share := test.share
				if scrape == time.Minute {
					share = test.ofOneValue
				}
				const outage = 2 * rate * 60 * (to - from)
				for _, slo := range []string{"bad", "grouped"} {
					for _, s := range w.Query(`sum(sla:bad:sum_period{slo="` + slo + `"})`) {
						t.Logf("%s: %.6g of %v", slo, s.F, outage)
						if math.Abs(s.F/outage-share) > 0.01 {
							t.Errorf("%s: recorded %.6g of %v bad events, %v of which count", slo, s.F, outage, share)
						}
					}
				}
			})
		}
	}
}
