package rulegen_test

import (
	"fmt"
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/internal/samples"
	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/sla"
)

// liveSlack is how far the bad sums of live figures may be from those of a verdict, by
// what a level counts. docs/verdict.md says why, and what was measured. Totals besides lack
// what is not yet in their sums (matrixTrail), and the time around an absence of Prometheus
// that counters account for afterwards (matrixAwayLoss).
var liveSlack = map[sla.Counted]struct{ share, seconds float64 }{
	sla.CountsEvents:  {share: 0.002},
	sla.CountsSeconds: {seconds: 1},
	sla.CountsMinutes: {},
	sla.CountsSlots:   {seconds: 5},
}

// againstVerdicts judges the raw samples of the world by internal/verdict, and holds what
// the rules recorded of the longest period to it: for every indicator with every
// aggregation.
func againstVerdicts(t *testing.T, w *enginetest.World, cases []matrixCase) {
	t.Helper()
	a := &sla.Agreement{Name: "shop"}
	for _, c := range cases {
		a.Levels = append(a.Levels, c.level)
	}
	now := w.Now()
	judged := func(from, to time.Time) map[string]verdict.Level {
		e, err := samples.Load(t.Context(), samples.Storage{Of: w.Storage(), As: "the world"}, samples.Request{Agreement: a, From: from, To: to, Now: now})
		if err != nil {
			t.Fatal(err)
		}
		r, err := verdict.Judge(verdict.Input{Agreement: a, Period: matrixPeriods[0], Name: "the world", Start: from, End: to, Now: now, Evidence: e})
		if err != nil {
			t.Fatal(err)
		}
		all := map[string]verdict.Level{}
		for _, l := range r.Levels {
			all[l.SLO] = l
		}
		return all
	}
	whole, settled := judged(matrixStart, now), judged(matrixStart.Add(matrixBlur), now.Add(-matrixTrail))
	for _, c := range cases {
		c.againstVerdict(t, w, settled[c.level.ID.SLO], whole[c.level.ID.SLO])
	}
}

// againstVerdict compares one level. The sums are in seconds for levels that count time.
func (c matrixCase) againstVerdict(t *testing.T, w *enginetest.World, least, most verdict.Level) {
	t.Helper()
	id := c.level.ID.SLO
	unit := map[string]float64{"seconds": 1, "minutes": 60, "slots": c.level.Slots.Width.Seconds(), "events": 1}[most.Unit]
	number := func(text string) float64 {
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		return f * unit
	}
	live := func(name string) float64 {
		return w.Value(fmt.Sprintf(`%s{slo=%q,period=%q}`, name, id, matrixPeriods[0]))
	}
	known := func(l verdict.Level) float64 {
		if l.Unknown == "" { // events
			return number(l.Agreed)
		}
		return number(l.Agreed) - number(l.Unknown)
	}
	lost := known(most) / (matrixBefore + matrixAfter).Seconds() * (matrixAwayLoss + matrixTrail).Seconds()
	slack := liveSlack[c.level.Aggregation.Counts()]
	within := func(what string, got, low, high float64) {
		t.Helper()
		const rounding = 1e-9 // of sums in float
		bound := (slack.share+rounding)*high + slack.seconds
		if math.IsNaN(got) || got < low-bound || got > high+bound {
			t.Errorf("%s: live %s %.8g, by the verdict %.8g to %.8g ± %.3g", id, what, got, low, high, bound)
		}
		t.Logf("%s: live %s %.5g, by the verdict %.5g to %.5g", id, what, got, low, high)
	}
	within("total", live("sla:total:sum_period"), known(least)-lost, known(most))
	within("bad", live("sla:bad:sum_period"), number(least.Bad), number(most.Bad))
}
