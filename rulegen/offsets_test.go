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
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// offsetMinutes is what each clock minute from 10:00 UTC on is like: good (.), a
// tenth of the requests fails (b), all do (F), there is no request (q), one that
// fails (o), and the disk is full while a tenth fails (d) or none does (D).
const offsetMinutes = "" +
	".........." + // rules are loaded before
	"bbbb.bbbbb.bbbbbb..bbbbqbbbb..FFFFF.FFFF" + // runs of four, five and six, and two of four with nothing between
	"...o...qo..F.F.bbbbbqbbbbb.DDD.bdd.DbbbD" +
	"..bbbbbbbbbbbbbb....FFFFFFF.bb.bbbbb" + // within the first an evaluation is missed
	"..............................." // slots of a quarter have counted by here

// offsetMissed is the minute in which every group misses an evaluation: what the
// minute before was like counts for it, so it is in the middle of something.
const offsetMissed = 102

var offsetStart = time.Date(2026, 3, 5, 10, 0, 0, 0, time.UTC)

func (m minuteOf) is(classes string) bool {
	return strings.ContainsRune(classes, rune(offsetMinutes[m]))
}

// minuteOf is a minute, from 10:00 on.
type minuteOf int

func (m minuteOf) requests() (total, bad float64) {
	switch {
	case m.is("q"):
		return 0, 0
	case m.is("o"):
		return 1, 1
	case m.is("F"):
		return 120, 120
	case m.is("bd"):
		return 120, 12
	}
	return 120, 0
}

// offsetTarget is what is scraped: counters whose events happen from the fifth to
// the fortieth second of their minute, so that it is clear which minute they
// belong to, and gauges that are one value for a minute.
func offsetTarget(names []string) enginetest.Target {
	return func(at time.Time) []enginetest.Sample {
		since := at.Sub(offsetStart)
		now := minuteOf(since / time.Minute)
		part := math.Max(0, math.Min(1, (since%time.Minute-5*time.Second).Seconds()/35))
		total, bad := 1000., 7.
		outcomes := map[string]float64{}
		for m := range now + 1 {
			n, b := m.requests()
			share := 1.
			if m == now {
				share = part
			}
			total, bad = total+math.Floor(n*share), bad+math.Floor(b*share)
			probes := math.Floor(4 * share) // of each location in a minute
			for i, location := range three {
				outcome := "good"
				if m.is("F") && i < 2 || m.is("b") && i == 2 {
					outcome = "bad"
				}
				outcomes[location+outcome] += probes
			}
		}
		is := func(classes string) float64 {
			if now.is(classes) {
				return 1
			}
			return 0
		}
		_, share := now.requests()
		samples := []enginetest.Sample{
			{Series: `requests_total{code="200"}`, Value: total - bad},
			{Series: `requests_total{code="500"}`, Value: bad},
			{Series: `seconds_count`, Value: total},
			{Series: `seconds_bucket{le="0.3"}`, Value: total - bad},
			{Series: `seconds_bucket{le="+Inf"}`, Value: total},
			{Series: `queue_age_seconds`, Value: 100 * is("bFod")},
			{Series: `disk_full`, Value: is("dD")},
			{Series: `deploying`, Value: is("F")},
			{Series: `mesh_errors`, Value: share / 120},
			{Series: `affected`, Value: affected(now)},
		}
		for _, name := range names {
			for _, location := range three {
				for _, outcome := range []string{"good", "bad"} {
					samples = append(samples, enginetest.Sample{Value: outcomes[location+outcome], Series: fmt.Sprintf(
						`upheld_probe_results_total{sla=%q,service=%q,slo="quorum",target="x",location=%q,outcome=%q}`, "plain-"+name, name, location, outcome)})
				}
			}
		}
		return samples
	}
}

// offsetLevels are levels by everything that is cut into minutes or slots.
const offsetLevels = `
    - {name: minute, indicator: &events {events: {bad: 'requests_total{code="500"}', total: requests_total}}, aggregation: {method: bad_minute, errorThreshold: "5"}}
    - {name: busy, indicator: *events, aggregation: {method: bad_minute, errorThreshold: "5", minRequests: 100, emptySlot: unknown}}
    - {name: run, indicator: *events, aggregation: {method: qualified_run, errorThreshold: "5", minRun: 5m}}
    - {name: failed, indicator: *events, aggregation: {method: all_failed_minute}}
    - {name: mean, indicator: *events, aggregation: {method: mean_slot_error_rate}}
    - {name: mean-of-fifteen, indicator: *events, aggregation: {method: mean_slot_error_rate, slot: 15m}}
    - {name: quantile, indicator: {latency: {histogram: seconds, threshold: 300ms}}, aggregation: {method: slot_quantile, quantile: "0.95"}}
    - {name: state, indicator: {condition: {expr: queue_age_seconds < 60}}}
    - {name: disk, indicator: {condition: {expr: disk_full < 1}}}
    - {name: state-run, indicator: {condition: {expr: queue_age_seconds < 60}}, aggregation: {method: qualified_run, errorThreshold: "50", minRun: 5m}}
    - {name: share, indicator: {ratio: {bad: mesh_errors}}}
    - {name: weighed, indicator: *events, aggregation: {method: bad_minute, errorThreshold: "5", weight: affected}}
    - {name: all, indicator: {composite: {all: [SERVICE/minute, SERVICE/disk]}}}
    - {name: either, indicator: {composite: {any: [SERVICE/minute, SERVICE/disk]}}}
    - {name: weights, indicator: {composite: {weighted: {of: [{weight: "0.75", needs: SERVICE/minute}, {weight: "0.25", needs: SERVICE/disk}]}}}}
    - {name: failover, indicator: {composite: {any: [SERVICE/minute, SERVICE/disk], failover: 2m}}}
`

// offsetHours is what excuses: hours of service, maintenance that removes five
// minutes, five that are taken as up, and a condition.
const offsetHours = `
  calendars: {day: {weekly: [{days: [Mon, Tue, Wed, Thu, Fri], from: "10:40", to: "12:05"}]}}
  serviceHours: day
  maintenance: {effect: remove_from_agreed_time, windows: [{rrule: "FREQ=DAILY", start: "2026-01-01T11:00", duration: 5m}]}
  exclusions:
    - {name: lunch, effect: treat_as_up, windows: [{rrule: "FREQ=DAILY", start: "2026-01-01T11:55", duration: 5m}]}
    - {name: deployments, effect: treat_as_up, condition: deploying > 0}
`

const offsetQuorum = `
    - {name: quorum, indicator: {probe: {http: "https://shop.example"}}, aggregation: {method: all_failed_minute, quorum: 2}}
`

// offsetFile is the rule file of an agreement whose levels, those that are needed, have a
// service of that name, with the rules of what is compared: all, if every case is
// repeated, of the first name.
func offsetFile(t testing.TB, kind, name string, needed func(level string) bool) []byte {
	t.Helper()
	head, more := "", offsetQuorum
	if kind == "hours" {
		head, more = offsetHours, ""
	}
	own := func(levels string) string {
		return strings.NewReplacer("SERVICE", name, "{name:", "{service: "+name+`, target: "99", name:`).Replace(levels)
	}
	text := fmt.Sprintf("apiVersion: upheld/v1\nkind: ServiceLevelAgreement\nmetadata: {name: %s-%s}\nspec:\n  timeZone: UTC\n  period: 1d\n  alerting: {enabled: false}\n%s  serviceLevels:%s%s",
		kind, name, head, own(offsetLevels), own(more))
	agreements, findings := spec.LoadText("shop.yaml", text)
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	plan, findings := rulegen.Compile(agreements[0], generated2026)
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	if name != offsetNames[0] || !testsize.Every() {
		keepFor(plan, "sla:bad:sum_period", "sla:excluded_bad:sum_period")
	}
	for i, l := range plan.Levels {
		if !needed(l.Level.ID.SLO) {
			plan.Levels[i].Groups = slices.DeleteFunc(l.Groups, func(g rulegen.Group) bool {
				return strings.HasPrefix(g.Name, fmt.Sprintf("upheld:%s-%s:%s:", kind, name, name))
			})
		}
	}
	file, err := emit.Prometheus(plan)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// offsetTruth is how bad each minute is by the definition of each level, NaN where
// that is unknown.
var offsetTruth = map[string]func() []float64{
	"minute":          eachMinute("bFod"),
	"failed":          eachMinute("Fo"),
	"state":           eachMinute("bFod"),
	"disk":            eachMinute("dD"),
	"all":             eachMinute("bFodD"),
	"either":          eachMinute("d"),
	"quorum":          eachMinute("F"),
	"run":             func() []float64 { return inRuns(eachMinute("bFod")(), 5) },
	"state-run":       func() []float64 { return inRuns(eachMinute("bFod")(), 5) },
	"mean":            func() []float64 { return inSlots(5, func(share float64) float64 { return share }) },
	"mean-of-fifteen": func() []float64 { return inSlots(15, func(share float64) float64 { return share }) },
	"quantile": func() []float64 {
		return inSlots(5, func(share float64) float64 {
			if share > 0.05 {
				return 1
			}
			return 0
		})
	},
	"busy": func() []float64 {
		return mapMinutes(eachMinute("bFod")(), func(m minuteOf, bad float64) float64 {
			if m.is("qo") {
				return math.NaN()
			}
			return bad
		})
	},
	"share": func() []float64 {
		return mapMinutes(eachMinute("")(), func(m minuteOf, _ float64) float64 {
			_, bad := m.requests()
			return bad / 120
		})
	},
	"weighed": func() []float64 {
		return mapMinutes(eachMinute("bFod")(), func(m minuteOf, bad float64) float64 { return bad * affected(m) })
	},
	"weights": func() []float64 {
		return mapMinutes(eachMinute("bFod")(), func(m minuteOf, bad float64) float64 { return 0.75*bad + 0.25*eachMinute("dD")()[m] })
	},
	"failover": func() []float64 {
		first := 0
		return mapMinutes(eachMinute("bFod")(), func(m minuteOf, bad float64) float64 {
			if first++; bad == 0 {
				first = 0
			}
			if bad == 1 && (first <= 2 || m.is("dD")) {
				return 1
			}
			return 0
		})
	},
}

// affected is the share of customers that an outage affects.
func affected(m minuteOf) float64 { return 0.25 + 0.125*float64(m/30%3) }

func eachMinute(classes string) func() []float64 {
	return func() []float64 {
		return mapMinutes(make([]float64, len(offsetMinutes)), func(m minuteOf, _ float64) float64 {
			if m.is(classes) {
				return 1
			}
			return 0
		})
	}
}

func mapMinutes(minutes []float64, of func(m minuteOf, v float64) float64) []float64 {
	for m, v := range minutes {
		minutes[m] = of(minuteOf(m), v)
	}
	return minutes
}

// inRuns keeps bad minutes in runs of n and more.
func inRuns(minutes []float64, n int) []float64 {
	for from := 0; from < len(minutes); from++ {
		to := from
		for to < len(minutes) && minutes[to] == 1 {
			to++
		}
		if to-from < n {
			clear(minutes[from:to])
		}
		from = to
	}
	return minutes
}

// inSlots gives each minute what its slot of so many minutes is judged as.
func inSlots(width int, judge func(share float64) float64) []float64 {
	minutes := make([]float64, len(offsetMinutes)/width*width)
	for from := 0; from < len(minutes); from += width {
		total, bad := 0., 0.
		for m := from; m < from+width; m++ {
			n, b := minuteOf(m).requests()
			total, bad = total+n, bad+b
		}
		for m := from; m < from+width; m++ {
			minutes[m] = judge(bad / math.Max(total, 1))
		}
	}
	return minutes
}

// offsetWidths are the slots' widths in minutes of levels that are judged by slots.
var offsetWidths = map[string]int{"mean": 5, "quantile": 5, "mean-of-fifteen": 15}

// offsetCounts is whether a minute of a level is in service, and whether its
// failures count. A slot is excused as its middle is.
func offsetCounts(level string, m minuteOf) (serves, kept bool) {
	deploying := m
	if w, ok := offsetWidths[level]; ok {
		begin := int(m) / w * w
		m, deploying = minuteOf(begin+w/2), minuteOf(begin+w/2-1)
	}
	serves = m >= 40 && m < 125
	return serves, serves && (m < 60 || m >= 65) && (m < 115 || m >= 120) && !deploying.is("F")
}

// TestFiguresDoNotDependOnNames has the same history under many names, and so
// with rules that are evaluated at as many offsets: scrapes end late, some after
// the end of their minute, and each group misses an evaluation. What is bad of
// the period is the same for all, and is what the definitions say. Each level is
// compared in each stretch between the ends of two scrapes, under all names if
// every case is repeated.
func TestFiguresDoNotDependOnNames(t *testing.T) {
	t.Parallel()
	testsize.Skip(t, "whether figures depend on the moments at which groups are evaluated")
	begin := offsetStart.Add(-57 * time.Second)
	load := func(w *enginetest.World, needed func(kind, name, level string) bool) {
		var files [][]byte
		for _, name := range offsetNames {
			for _, kind := range []string{"plain", "hours"} {
				files = append(files, offsetFile(t, kind, name, func(level string) bool { return needed(kind, name, level) }))
			}
		}
		w.Load(files...)
	}
	all := enginetest.NewAt(t, begin, 15*time.Second, offsetTarget(offsetNames))
	load(all, func(string, string, string) bool { return true })
	compared := offsetCompared(t, all)
	w := enginetest.NewAt(t, begin, 15*time.Second, offsetTarget(offsetNames))
	missed := offsetStart.Add(offsetMissed * time.Minute)
	w.Behave(enginetest.Timing{
		ScrapeTakes: func(at time.Time) time.Duration {
			return offsetScrapes[at.Unix()/15%4]
		},
		Misses: func(group string, at time.Time) bool {
			return !strings.HasSuffix(group, ":long") && !at.Before(missed) && at.Before(missed.Add(time.Minute))
		},
	})
	load(w, func(kind, name, level string) bool { return offsetNeeded(compared, kind, name, level) })
	w.Run(offsetStart.Add(time.Duration(len(offsetMinutes)) * time.Minute).Sub(begin).Truncate(15 * time.Second))
	for level, truth := range offsetTruth {
		for _, kind := range []string{"plain", "hours"} {
			if level == "quorum" && kind == "hours" {
				continue // it has none
			}
			compareOffsets(t, w, kind, level, truth(), compared[kind+" "+level])
		}
	}
}

func compareOffsets(t *testing.T, w *enginetest.World, kind, level string, truth []float64, names []string) {
	t.Helper()
	want, excluded := 0., 0.
	for m, bad := range truth {
		serves, kept := offsetCounts(level, minuteOf(m))
		switch {
		case math.IsNaN(bad):
		case kind == "plain" || kept:
			want += bad
		case serves:
			excluded += bad
		}
	}
	compare := func(name string, want float64) {
		t.Helper()
		wrong := map[string]string{}
		low, high := math.Inf(1), math.Inf(-1)
		found := w.Query(fmt.Sprintf(`%s{sla=~"%s-.*",slo=%q,period="1d",service=~%q} / 60`, name, kind, level, strings.Join(names, "|")))
		if len(found) != len(names) {
			t.Errorf("%s of %s with %s has %d values, want one of each of %d names", name, level, kind, len(found), len(names))
		}
		for _, s := range found {
			low, high = min(low, s.F), max(high, s.F)
			if math.Abs(s.F-want) > 1e-9 {
				wrong[s.Metric.Get("service")] = fmt.Sprintf("%.4g", s.F)
			}
		}
		t.Logf("%s of %s with %s: %.4g to %.4g minutes, %.4g are right", name, level, kind, low, high, want)
		if len(wrong) > 0 {
			t.Errorf("%s of %s with %s: want %.4g minutes, got %v", name, level, kind, want, wrong)
		}
	}
	compare("sla:bad:sum_period", want)
	if kind == "hours" {
		compare("sla:excluded_bad:sum_period", excluded)
	}
}

// With one scrape a minute, and with four evaluations a minute, minutes are the same.
func TestMinutesOfSeldomScrapesAndManyEvaluations(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ scrape, interval time.Duration }{
		"a scrape a minute":         {time.Minute, time.Minute},
		"four evaluations a minute": {15 * time.Second, 15 * time.Second},
	} {
		requests := events(`requests_total{code="500"}`, "", "requests_total")
		five := sla.MustDecimal("5")
		levels := []*sla.ServiceLevel{
			aggregated("minute", sla.BadMinute, sla.Slots{Width: time.Minute, ErrorThreshold: five}),
			aggregated("run", sla.QualifiedRun, sla.Slots{Width: time.Minute, ErrorThreshold: five, MinRun: 5 * time.Minute}),
			aggregated("mean", sla.MeanSlotErrorRate, sla.Slots{Width: 5 * time.Minute}),
		}
		for _, l := range levels {
			l.Indicator = requests
		}
		begin := offsetStart.Add(-12 * time.Second) // the last second of a minute in which there is an event is the fortieth
		w := enginetest.NewAt(t, begin, test.scrape, offsetTarget(nil))
		w.Load(generateFor(t, rulegen.Options{Interval: test.interval}, testsize.Of([]string{"sla:bad:sum_period"}, nil), levels...))
		w.Run(time.Duration(len(offsetMinutes)) * time.Minute)
		for _, l := range levels {
			want := 0.
			for _, bad := range offsetTruth[l.ID.SLO]() {
				want += bad
			}
			near(t, name+": bad minutes of "+l.ID.SLO, w.Value(series("sla:bad:sum_period", l.ID.SLO))/60, want, 1e-9)
		}
	}
}
