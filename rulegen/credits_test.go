package rulegen_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/internal/testsize"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

func withCredits(l *sla.ServiceLevel, belowAndPercent ...string) *sla.ServiceLevel {
	for i := 0; i < len(belowAndPercent); i += 2 {
		l.Credits.Tiers = append(l.Credits.Tiers, sla.CreditTier{Below: sla.MustDecimal(belowAndPercent[i]), Percent: sla.MustDecimal(belowAndPercent[i+1])})
	}
	l.Alerting.Notices[sla.AlertCreditTier] = sla.AlertCreditTier.Options.Default(l)
	return l
}

// Of the last six hours, outages of so many minutes cost what the contract
// says: below 99 % (3.6 minutes) 10 %, below 98 % (7.2) 25 %, below 90 % (36)
// 100 %. What is owed, the minutes that are left until each tier and the alert
// about the next one are compared with the minutes that were made bad.
func TestCreditsOfARollingPeriod(t *testing.T) {
	t.Parallel()
	testsize.Skip(t, "credits of a rolling period")
	const total = 13 * time.Hour
	tr := simulate(total, func(s int) (good, bad float64) {
		switch m := float64(s) / 60; {
		case m >= 60 && m < 63, m >= 120 && m < 122, m >= 240 && m < 270: // 3 minutes, 2 and 30
			return 0, 20
		case m >= 180 && m < 210: // 6
			return 16, 4
		}
		return 20, 0
	})
	badMinutes := func(at time.Time, window time.Duration) float64 {
		_, b1 := tr.at(at)
		from := at.Add(-window)
		if from.Before(enginetest.Start) {
			from = enginetest.Start
		}
		_, b0 := tr.at(from)
		return (b1 - b0) / 20 / 60
	}
	w := enginetest.New(t, 15*time.Second, func(at time.Time) []enginetest.Sample {
		g, b := tr.at(at)
		return []enginetest.Sample{{Series: `requests_total{code="200"}`, Value: g}, {Series: `requests_total{code="500"}`, Value: b}}
	})
	l := inPeriod(level("bad", "99", events(`requests_total{code="500"}`, "", `requests_total`)), sla.Period{Rolling: 6 * time.Hour})
	l = withCredits(l, "99", "10", "98", "25", "90", "100")
	w.Load(generate(t, rulegen.Options{}, l))
	type step struct{ below, percent, minutes float64 }
	tiers := []step{{99, 10, 3.6}, {98, 25, 7.2}, {90, 100, 36}}
	for _, m := range []float64{80, 140, 225, 300, 500, 600, 770} {
		w.Run(time.Duration(m*float64(time.Minute)) - w.Now().Sub(enginetest.Start))
		lost, want := badMinutes(w.Now().Add(-5*time.Minute), 6*time.Hour), 0.
		for _, tier := range tiers {
			if lost > tier.minutes {
				want = tier.percent
			}
			left := w.Value(fmt.Sprintf(`sla:credit_tier:minutes_period{slo="bad",period="6h",tier="%v"}`, tier.below))
			if math.Abs(left-max(0, tier.minutes-lost)) > 0.3 {
				t.Errorf("after %v minutes, %v of them bad: %v until %v, want %v", m, lost, left, tier.below, tier.minutes-lost)
			}
		}
		if got := w.Value(`sla:credit:percent_period{slo="bad",period="6h"}`); got != want {
			t.Errorf("after %v minutes, %v of them bad: %v %% is owed, want %v", m, lost, got, want)
		}
	}
	c := creditAlarm{w: w, over: l.Notice(sla.AlertCreditTier).Over, within: l.Notice(sla.AlertCreditTier).Within.Minutes(), bad: badMinutes}
	c.replay(t, "99", 3.6, 0)
	c.replay(t, "98", 7.2, 3.6)
	c.replay(t, "90", 36, 7.2)
	if nans := w.NaNs(total); len(nans) > 0 {
		t.Errorf("NaN in %v", nans)
	}
}

// creditAlarm replays the condition of SLACreditTier in a period of six hours.
type creditAlarm struct {
	w      *enginetest.World
	over   time.Duration
	within float64 // minutes
	bad    func(time.Time, time.Duration) float64
}

// replay demands that the alert of a tier, which is reached at so many bad
// minutes, the one before it at others, fires once it has had to for twelve
// minutes, and not when it has not had to for as long: what is bad enters the
// figures over five minutes, and those of periods are recorded every five.
func (c creditAlarm) replay(t *testing.T, tier string, reached, before float64) {
	t.Helper()
	var under, over []bool
	fired := false
	for at := enginetest.Start; at.Before(c.w.Now()); at = at.Add(time.Minute) {
		lost, share := c.bad(at, 6*time.Hour), c.bad(at, c.over)/c.over.Minutes()
		short := c.bad(at, c.over/6) / (c.over / 6).Minutes() // it must go on
		decide := func(margin float64) bool {
			left := reached - lost
			return left > 0 && lost >= before && min(share, short) > reached/360*margin && left/share*margin < c.within
		}
		under, over = append(under, decide(1.2)), append(over, decide(1/1.2) || reached > lost-1 && reached < lost+1)
		since := max(0, len(under)-13)
		must, may := true, false
		for i := since; i < len(under); i++ {
			must, may = must && under[i], may || over[i]
		}
		firing := false
		for _, tr := range c.w.Transitions() {
			if tr.Name == sla.AlertCreditTier.Name && tr.Labels["tier"] == tier && !tr.At.After(at) {
				firing = tr.Firing
			}
		}
		fired = fired || firing
		if must && !firing || !may && firing {
			t.Errorf("tier %s at %s: firing is %v", tier, at.Sub(enginetest.Start), firing)
			return
		}
	}
	if !fired {
		t.Errorf("tier %s: never fired", tier)
	}
}

// Of a calendar month: what is owed for the one that is running if the rest of
// it is good, how far the tiers are in its true length, and what was owed for
// the one before. October is known for six hours, all of which were 2 % bad;
// November, of 721 hours, for two, 5 % bad.
func TestCreditsOfACalendarMonth(t *testing.T) {
	t.Parallel()
	edge := time.Date(2026, 11, 1, 7, 0, 0, 0, time.UTC)
	begin := edge.Add(-6 * time.Hour)
	w := enginetest.NewAt(t, begin, time.Minute, func(at time.Time) []enginetest.Sample {
		old, young := min(at.Sub(begin), edge.Sub(begin)).Seconds()*10, max(at.Sub(edge), 0).Seconds()*10
		bad := old*0.02 + young*0.05
		return []enginetest.Sample{{Series: `requests_total{code="200"}`, Value: old + young - bad}, {Series: `requests_total{code="500"}`, Value: bad}}
	})
	l := level("bad", "99", events(`requests_total{code="500"}`, "", `requests_total`))
	l.MorePeriods = []sla.Period{{Calendar: sla.Month, Zone: losAngeles}}
	l = withCredits(l, "99", "10", "98.5", "25", "95", "50")
	w.Load(generate(t, generated2026, l))
	left := func(tier string) float64 {
		return w.Value(`sla:credit_tier:minutes_period{slo="bad",period="month",tier="` + tier + `"}`)
	}
	owed := `sla:credit:percent_period{slo="bad"}`
	w.Run(edge.Add(-10 * time.Minute).Sub(w.Now()))
	near(t, "owed for October", w.Value(owed), 25, 0)
	near(t, "left of the first tier", left("99"), 0, 0)
	// Six hours are known by then and, of those, 5 % make the last tier.
	near(t, "left of the last tier", left("95"), (0.05-0.02)*6*60, 0.05)
	w.Run(edge.Add(2*time.Hour + 8*time.Minute).Sub(w.Now()))
	near(t, "owed for November", w.Value(owed), 0, 0)
	near(t, "left of the first tier in November", left("99"), 0.01*721*60-0.05*123, 0.01)
	near(t, "owed for the month before", w.Value(`sla:credit:percent_period_previous{slo="bad",start="20261001"}`), 25, 0)
	if nans := w.NaNs(8 * time.Hour); len(nans) > 0 || len(w.Query(`sla:credit:percent_period{period="30d"}`)) > 0 {
		t.Errorf("NaN in %v, or credits of another period", nans)
	}
}

// At exactly the threshold of a tier nothing is owed if the contract says "below",
// and the tier is owed if it says "at most"; both for the period that is running and
// for the one before, and for any failure at all, "below 100".
func TestCreditsExactlyAtATier(t *testing.T) {
	l := level("bad", "99.9", events("bad_total", "", "requests_total"))
	l.Period = sla.Period{Calendar: sla.Month}
	l = withCredits(l, "100", "5", "99.9", "10", "99", "25", "95", "100")
	l.Credits.Tiers[1].AtMost, l.Credits.Tiers[3].AtMost = true, true
	plan, findings := rulegen.Compile(&sla.Agreement{Name: "shop", Levels: []*sla.ServiceLevel{l}}, generated2026)
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	expr := map[string]string{}
	for _, g := range plan.Levels[0].Groups {
		for _, r := range g.Rules {
			expr[r.Record] = r.Expr.String()
		}
	}
	for _, c := range []struct{ good, lost, owed float64 }{
		{1, 0, 0},
		{0.9999999, 0.0000001, 5},
		{0.9990001, 0.0009999, 5},
		{0.999, 0.001, 10},
		{0.9990 - 1e-9, 0.001 + 1e-9, 10},
		{0.99, 0.01, 10},
		{0.99 - 1e-9, 0.01 + 1e-9, 25},
		{0.95 + 1e-9, 0.05 - 1e-9, 25},
		{0.95, 0.05, 100},
		{0, 1, 100},
	} {
		w := enginetest.New(t, time.Minute, func(time.Time) []enginetest.Sample {
			labels := `sla="shop",service="api",slo="bad",period="month"`
			return []enginetest.Sample{
				{Series: "sla:best_possible:ratio_period{" + labels + "}", Value: c.good},
				{Series: "sla:error:ratio_period_previous{start=\"20261001\"," + labels + "}", Value: c.lost},
			}
		})
		w.Run(2 * time.Minute)
		near(t, fmt.Sprintf("owed if %v are good", c.good), w.Value(expr["sla:credit:percent_period"]), c.owed, 0)
		near(t, fmt.Sprintf("owed before, if %v were bad", c.lost), w.Value(expr["sla:credit:percent_period_previous"]), c.owed, 0)
	}
}
