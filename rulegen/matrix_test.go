package rulegen_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/testsize"
	"github.com/upheld-sla/upheld/sla"
)

// matrixKind is a way to measure, with what it counts by hand. Its level is
// made once for each aggregation that the indicator allows.
type matrixKind struct {
	name      string
	indicator func(id sla.ID) sla.Indicator
	counted   func(w *irregular, a sla.Aggregation) counts
	locations []string // of its probes, and so whether quorum is tried
	within    bool     // a response time
	only      sla.Aggregation
}

var (
	alone = []string{"ams"}
	three = []string{"ams", "fra", "lon"}
)

// matrixKinds is the table over indicators. A new kind of indicator has a line
// here: TestMatrixIsComplete asks for it.
var matrixKinds = []matrixKind{
	{name: "bad", indicator: eventsKind(`requests_total{job="api",code=~"5.."}`, "", `requests_total{job="api"}`), counted: countErrors},
	{name: "good", indicator: eventsKind("", `requests_total{job="api",code=~"[2-4].."}`, `requests_total{job="api"}`), counted: countErrors},
	{name: "sums", indicator: eventsKind(`requests_total{job="api",code="500"} + requests_total{job="api",code="503"} + requests_total{job="api",code="599"}`, "",
		`requests_total{job="api",code="200"} + requests_total{job="api",code!="200"}`), counted: countErrors, only: sla.RequestRatio},
	{name: "regex", indicator: eventsKind(`{__name__="requests_total",job=~"a.i",code=~"50[0-4]"}`, "", `requests_total{job!="other"}`), counted: countErrors, only: sla.RequestRatio},
	{name: "histogram", indicator: func(sla.ID) sla.Indicator {
		return &sla.HistogramLatency{Histogram: sla.Query{Text: `duration_seconds{job="api"}`}, Threshold: 300 * time.Millisecond}
	}, counted: countSlow},
	{name: "native", indicator: func(sla.ID) sla.Indicator {
		return &sla.NativeLatency{Histogram: sla.Query{Text: `native_seconds{job="api"}`}, Threshold: 250 * time.Millisecond}
	}, counted: countSlow},
	{name: "probe", indicator: probeKind, counted: countProbes(false, alone), locations: alone},
	{name: "probes", indicator: probeKind, counted: countProbes(false, three), locations: three},
	{name: "shared", indicator: func(id sla.ID) sla.Indicator {
		return &sla.SharedProbe{Of: id, Probe: probeKind(id).(*sla.Probe)}
	}, counted: countProbes(false, alone), locations: alone},
	{name: "within", indicator: withinKind, counted: countProbes(true, alone), locations: alone, within: true},
	{name: "withins", indicator: withinKind, counted: countProbes(true, three), locations: three, within: true},
	{
		name: "condition", indicator: func(sla.ID) sla.Indicator { return &sla.Condition{Expr: sla.Query{Text: `queue_age_seconds < 60`}} },
		counted: func(w *irregular, _ sla.Aggregation) counts {
			return look(func(s int) float64 { return math.Floor(w.queueAge[s] / 60) }, 1)
		},
	},
	{
		name: "composite", indicator: func(id sla.ID) sla.Indicator {
			queue := level("queue", "99", &sla.Condition{Expr: sla.Query{Text: `queue_age_seconds < 60`}})
			c := &sla.Composite{Root: &sla.Node{Op: sla.OpAll, Members: []*sla.Node{{Op: sla.OpLevel, Of: queue.ID, Level: queue}}}}
			c.Resolve(&sla.ServiceLevel{ID: id})
			return c
		},
		counted: func(w *irregular, _ sla.Aggregation) counts {
			return look(func(s int) float64 { return math.Floor(w.queueAge[s] / 60) }, 1)
		},
	},
	{
		name: "ratio", indicator: func(sla.ID) sla.Indicator { return &sla.Ratio{Bad: sla.Query{Text: `mesh:errors:ratio{to="shop"}`}} },
		counted: func(w *irregular, _ sla.Aggregation) counts {
			return look(func(s int) float64 { return w.meshErrors[s] }, 1)
		},
	},
	{
		name: "blackbox", indicator: func(sla.ID) sla.Indicator {
			return &sla.Blackbox{Success: sla.Query{Text: `probe_success{instance="shop"}`}}
		},
		counted: func(*irregular, sla.Aggregation) counts {
			return look(func(s int) float64 {
				if between(float64(s)/60-matrixBefore.Minutes(), -12, 18) {
					return 1
				}
				return 0
			}, 1)
		},
	},
}

func eventsKind(bad, good, total string) func(sla.ID) sla.Indicator {
	return func(sla.ID) sla.Indicator { return events(bad, good, total) }
}

func countErrors(w *irregular, _ sla.Aggregation) counts {
	return w.events(func(s int) float64 { return w.err500[s] + w.err503[s] })
}

func countSlow(w *irregular, _ sla.Aggregation) counts {
	return w.events(func(s int) float64 { return w.slow[s] })
}

func probeKind(sla.ID) sla.Indicator {
	return &sla.Probe{Check: &sla.HTTPCheck{URL: "http://x"}, Interval: matrixProbeEvery * time.Second, Timeout: time.Second}
}

func withinKind(id sla.ID) sla.Indicator {
	return &sla.ProbeLatency{Of: id, Probe: probeKind(id).(*sla.Probe), Threshold: 500 * time.Millisecond}
}

// countProbes adds the locations up, by time their mean.
func countProbes(within bool, locations []string) func(*irregular, sla.Aggregation) counts {
	return func(w *irregular, a sla.Aggregation) counts {
		c := w.probesOf(within, locations...)
		for s := range c.total {
			if a == sla.Time {
				c.total[s] /= float64(len(locations))
				c.bad[s] /= float64(len(locations))
			}
		}
		return c
	}
}

// look is a state that is looked at; NaN is unknown.
func look(bad func(s int) float64, most float64) counts {
	return eachSecond(func(s int) (float64, float64) {
		v := bad(s)
		if math.IsNaN(v) {
			return 0, 0
		}
		return 1, min(v, most)
	})
}

// matrixSlots are the options with which the aggregations are tried. A new
// aggregation has a line here.
var matrixSlots = map[sla.Aggregation][]sla.Slots{
	sla.RequestRatio:      {{}},
	sla.Time:              {{}},
	sla.MeanSlotErrorRate: {{Width: 5 * time.Minute}},
	sla.BadMinute:         {{Width: time.Minute, ErrorThreshold: sla.MustDecimal("5"), MinRequests: 5, EmptyUnknown: true}},
	sla.QualifiedRun:      {{Width: time.Minute, ErrorThreshold: sla.MustDecimal("5"), MinRun: 5 * time.Minute}},
	sla.AllFailedMinute:   {{Width: time.Minute}},
	sla.SlotQuantile:      {{Width: 5 * time.Minute, Quantile: sla.MustDecimal("0.95")}},
}

// matrixPeriods are the kinds of periods; every level has them all. The edge of
// the world is one of each calendar period.
var matrixPeriods = []sla.Period{
	{Rolling: 30 * 24 * time.Hour},
	{Rolling: 3 * time.Hour},
	{Calendar: sla.Week, WeekStart: time.Sunday, Zone: losAngeles},
	{Calendar: sla.Month, Zone: losAngeles},
	{Calendar: sla.Quarter, FiscalOffset: 1, Zone: losAngeles},
	{Calendar: sla.Year, FiscalOffset: 10, Zone: losAngeles},
}

const losAngeles = "America/Los_Angeles"

// matrixCase is one level with what its base series must add up to.
type matrixCase struct {
	level *sla.ServiceLevel
	truth verdicts
}

// matrixCases multiplies the tables out.
func matrixCases(w *irregular) (cases []matrixCase, probes map[string][]string) {
	probes = map[string][]string{}
	for _, k := range matrixKinds {
		for _, a := range k.indicator(sla.ID{}).Aggregations() {
			if k.only != "" && a != k.only {
				continue
			}
			for i, slots := range matrixSlots[a] {
				cases = append(cases, k.level(w, probes, a, slots, fmt.Sprintf("%s-%s-%d", k.name, strings.ReplaceAll(string(a), "_", "-"), i)))
			}
			if len(k.locations) > 1 && matrixSlots[a][0].Width > 0 {
				slots := sla.Slots{Width: time.Minute, Quorum: 2, MinRun: matrixSlots[a][0].MinRun}
				if slots.ErrorThreshold = matrixSlots[a][0].ErrorThreshold; slots.ErrorThreshold.Sign() > 0 {
					slots.ErrorThreshold = sla.MustDecimal("50")
				}
				cases = append(cases, k.level(w, probes, a, slots, fmt.Sprintf("%s-%s-quorum", k.name, strings.ReplaceAll(string(a), "_", "-"))))
			}
		}
	}
	return testsize.Of(matrixSample(cases), cases), probes
}

// matrixSample are so many cases that each indicator, each aggregation and a
// quorum is in one of them, each over the first period and one other.
func matrixSample(cases []matrixCase) (some []matrixCase) {
	seen := map[string]bool{}
	choose := func(wanted func(indicator, aggregation string) bool) {
		for i, c := range cases {
			indicator, aggregation := fmt.Sprintf("%T", c.level.Indicator), string(c.level.Aggregation)
			if c.level.Slots.Quorum > 0 {
				aggregation = "quorum"
			}
			if wanted(indicator, aggregation) {
				seen[indicator], seen[aggregation] = true, true
				c.level.MorePeriods = matrixPeriods[1+i%5 : 2+i%5]
				some = append(some, c)
			}
		}
	}
	choose(func(indicator, aggregation string) bool { return !seen[indicator] && !seen[aggregation] })
	choose(func(indicator, aggregation string) bool { return !seen[indicator] || !seen[aggregation] })
	return some
}

func (k matrixKind) level(w *irregular, probes map[string][]string, a sla.Aggregation, slots sla.Slots, name string) matrixCase {
	l := level(name, "99", k.indicator(sla.ID{SLA: "shop", Service: "api", SLO: name}))
	l.Aggregation, l.Slots = a, slots
	l.Period, l.MorePeriods = matrixPeriods[0], matrixPeriods[1:]
	if l.CountsOwnEvents() {
		l.Alerting.MinimumBadEvents = sla.DefaultMinimumBadEvents
	}
	if k.locations != nil {
		probes[name] = k.locations
	}
	if slots.Quorum > 0 {
		return matrixCase{l, w.quorum(a, slots, k.within, k.locations...)}
	}
	return matrixCase{l, w.judge(a, slots, k.counted(w, a), sla.LookedAt(l.Indicator) || k.name == "blackbox")}
}

// TestMatrix holds every indicator, with every aggregation that it allows, over
// every kind of period, to counts that were added up without the rules: sums,
// shares, coverage and budgets at moments before and after the periods turn and
// the clock changes, the final figures of the periods before, and when alerts
// fire and stop.
func TestMatrix(t *testing.T) {
	t.Parallel()
	traffic := newIrregular(20261101)
	cases, probes := matrixCases(traffic)
	const parts = 2 // of nearly the same work, side by side
	for part := range parts {
		t.Run(fmt.Sprintf("part %d", part+1), func(t *testing.T) {
			t.Parallel()
			var some []matrixCase
			for i := part; i < len(cases); i += parts {
				some = append(some, cases[i])
			}
			runMatrix(t, enginetest.NewAt(t, matrixStart, 15*time.Second, traffic.matrixTarget(probes)), some)
		})
	}
}

// Why figures may differ from the counts, and by how much.
const (
	// What happens enters the sums of the second tier over ten minutes: half of
	// it within five. At the end of a period that is running, that is missing.
	matrixTrail = 10 * time.Minute
	// An event near the beginning of a period may fall on either side of it.
	matrixBlur = 3 * time.Minute
	// Rates extrapolate, some scrapes fail, a reset loses up to one scrape.
	matrixRates = 0.02
	// The first errors of a series that is born are not seen; here those of two.
	matrixBorn = 2 * 15 * time.Second
	// Around the time for which Prometheus is away rates have half a window.
	matrixAwayLoss = 8 * time.Minute
)

// figures compares what is recorded of a period now with the counts.
func (c matrixCase) figures(t *testing.T, w *enginetest.World, p sla.Period) {
	t.Helper()
	now, id := w.Now(), c.level.ID.SLO
	value := func(name string) float64 {
		return w.Value(fmt.Sprintf(`%s{slo=%q,period=%q}`, name, id, p))
	}
	begin, _ := p.Bounds(now.Add(-5 * time.Minute))
	if begin.Before(matrixStart) {
		begin = matrixStart
	}
	total, bad := value("sla:total:sum_period"), value("sla:bad:sum_period")
	lowTotal, lowBad := c.truth.sums(begin.Add(matrixBlur), now.Add(-matrixTrail))
	highTotal, highBad := c.truth.sums(begin.Add(-matrixBlur), now)
	foundTotal, foundBad := c.truth.foundIn(begin, now)
	highTotal, highBad = highTotal+foundTotal, highBad+foundBad
	flow, _ := c.truth.sums(matrixStart, matrixEdge)
	flow /= matrixBefore.Seconds()
	lost := flow * (matrixAwayLoss + matrixTrail).Seconds()
	minutes := 0. // half of the turns win what the others lose
	if turns := c.truth.turns; turns != nil {
		minutes = 60 * turns[matrixSeconds] / 2
	}
	within := func(what string, got, low, high, slack float64) {
		t.Helper()
		if math.IsNaN(got) || got < low*(1-matrixRates)-slack || got > high*(1+matrixRates)+slack {
			t.Errorf("%s over %s at %s: %s = %.4g, want %.4g to %.4g ± %.3g", id, p, now.Sub(matrixEdge), what, got, low, high, slack)
		}
	}
	within("total", total, lowTotal-lost, highTotal, 0)
	badSlack := minutes + 20*matrixBorn.Seconds()
	within("bad", bad, lowBad, highBad, badSlack)
	near(t, id+" share", value("sla:error:ratio_period"), bad/total, 1e-9)
	c.budget(t, now, p, total, value)
	if p.Calendar != "" && begin.Equal(matrixEdge) {
		previous := func(name string) float64 {
			return w.Value(fmt.Sprintf(`%s{slo=%q,period=%q,start=%q}`, name, id, p, p.Start(matrixEdge.Add(-time.Hour))))
		}
		lowTotal, lowBad = c.truth.sums(matrixStart, matrixEdge.Add(-matrixBlur))
		highTotal, highBad = c.truth.sums(matrixStart, matrixEdge.Add(matrixBlur))
		foundTotal, foundBad = c.truth.foundIn(matrixStart, matrixEdge)
		highTotal, highBad = highTotal+foundTotal, highBad+foundBad
		within("previous total", previous("sla:total:sum_period_previous"), lowTotal-lost, highTotal, 0)
		within("previous bad", previous("sla:bad:sum_period_previous"), lowBad, highBad, badSlack)
	}
}

// budget compares coverage and budget with the arithmetic of their definition,
// from the sums that were just found right.
func (c matrixCase) budget(t *testing.T, now time.Time, p sla.Period, total float64, value func(string) float64) {
	t.Helper()
	length := p.Rolling
	if p.Calendar != "" {
		begin, end := p.Bounds(now.Add(-5 * time.Minute))
		length = end.Sub(begin)
	}
	coverage, share := value("sla:coverage:ratio_period"), value("sla:error:ratio_period")
	want := total / length.Seconds()
	if !c.level.Aggregation.ByTime() {
		begin, _ := p.Bounds(now.Add(-5 * time.Minute))
		if begin.Before(matrixStart) {
			begin = matrixStart
		}
		want = now.Sub(begin).Seconds() / length.Seconds()
		if d := math.Abs(coverage-want) * length.Seconds(); d > (matrixTrail + matrixAwayLoss + 7*time.Minute).Seconds() {
			t.Errorf("%s over %s: coverage %v, want about %v", c.level.ID.SLO, p, coverage, want)
		}
	} else {
		near(t, c.level.ID.SLO+" coverage of "+p.String(), coverage, min(want, 1), 1e-9)
	}
	near(t, c.level.ID.SLO+" burn rate", value("sla:burn_rate:ratio_period"), share/0.01, 1e-9)
	near(t, c.level.ID.SLO+" budget", value("sla:budget_remaining:ratio_period"), 1-share/0.01*coverage, 1e-9)
}

// How late the rules may see what the counts have: five minutes until it is in
// a five-minute rate altogether, an evaluation, two scrapes, and for windows of
// the second tier five minutes more.
const (
	matrixSees     = 7 * time.Minute
	matrixSeesLong = 12 * time.Minute
	matrixMargin   = 1.25 // by which a share must be over, or under, its threshold to decide
)

// timelines replays each tier's condition on the counts, minute by minute: the
// share over its windows and over the last five minutes. A tier must burn while
// it has held with a margin for as long as the rules may need to see it, and must
// not while it has not for as long.
func (c matrixCase) timelines(t *testing.T, w *enginetest.World) {
	t.Helper()
	musts := 0
	for _, tier := range c.level.Alerting.Tiers {
		sees := matrixSees
		if tier.Long > 6*time.Hour {
			sees = matrixSeesLong
		}
		firing := firingTimes(w, c.level.ID.SLO, tier.Name)
		threshold := tier.Factor.Float64() * 0.01
		var under, over []float64 // the least window's share of the threshold at least and at most, by the minute
		for m := range int((matrixBefore + matrixAfter).Minutes()) {
			at := matrixStart.Add(time.Duration(m) * time.Minute)
			least, most := c.truth.share(at, tier.Long)
			for _, window := range []time.Duration{tier.Short, sla.BaseWindow} { // that it goes on
				l, m := c.truth.share(at, window)
				least, most = min(least, l), min(most, m)
			}
			under, over = append(under, least/threshold), append(over, most/threshold)
			since := max(0, m-int(sees.Minutes()))
			away := at.After(matrixEdge.Add(time.Duration(matrixAway[0])*time.Minute)) && at.Before(matrixEdge.Add(time.Duration(matrixAway[1])*time.Minute+sees))
			switch least, most := slices.Min(under[since:]), slices.Max(over[since:]); {
			case away || m < 15:
			case least > matrixMargin:
				if musts++; !firing(at) {
					t.Errorf("%s: %s does not fire at %s, where its windows are %.3g times over", c.level.ID.SLO, tier.Name, at.Sub(matrixEdge), least)
					return
				}
			case most < 1/matrixMargin && firing(at):
				t.Errorf("%s: %s fires at %s, where its windows are %.3g of the threshold", c.level.ID.SLO, tier.Name, at.Sub(matrixEdge), most)
				return
			}
		}
	}
	if bad := c.truth.bad[matrixSeconds]; musts < 10 && bad > 0 {
		t.Errorf("%s: the outage decides for %d minutes of all tiers only", c.level.ID.SLO, musts)
	}
}

// firingTimes reports whether a tier of a level was firing at a time.
func firingTimes(w *enginetest.World, slo, tier string) func(time.Time) bool {
	var turns []enginetest.Transition
	for _, tr := range w.Transitions() {
		if tr.Name == metricnames.BurnTier && tr.Labels["slo"] == slo && tr.Labels["tier"] == tier {
			turns = append(turns, tr)
		}
	}
	return func(at time.Time) bool {
		firing := false
		for _, tr := range turns {
			if !tr.At.After(at) {
				firing = tr.Firing
			}
		}
		return firing
	}
}
