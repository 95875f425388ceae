package enginetest_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/histogram"

	"github.com/upheld-sla/upheld/internal/enginetest"
)

// pastRules record, alert and burn: by what is scraped, by each other and by themselves.
const pastRules = `
groups:
- name: short
  interval: 1m
  rules:
  - {record: bad, expr: 'rate(x[2m]) > bool 0.5'}
  - {record: minutes, expr: '(minutes or vector(0)) + on () group_left () bad'}
  - {record: shapes, expr: 'histogram_count(h)'}
  - {record: 'sla:burn_tier:ratio', expr: 'bad > 0', labels: {tier: fast, group: a}}
  - {alert: Bad, expr: 'bad > 0', for: 3m, annotations: {summary: 'bad for {{ $value }}, {{ with query "minutes" }}{{ . | first | value }}{{ end }} minutes'}}
  - {alert: Again, expr: 'ALERTS{alertname="Bad",alertstate="firing"}', labels: {severity: page}}
- name: long
  interval: 5m
  rules:
  - {record: sum, expr: 'sum_over_time(bad[1h])'}
  - {record: 'sla:burn_tier:ratio', expr: 'sum > 12', labels: {tier: slow, group: b}}
`

// pastTarget has a counter that rises for ten of every 25 minutes, a histogram that comes
// and goes, and a series that is written in two ways.
func pastTarget(at time.Time) []enginetest.Sample {
	s := at.Sub(enginetest.Start).Seconds()
	x := math.Floor(s/1500)*600 + math.Min(math.Mod(s, 1500), 600)
	all := []enginetest.Sample{{Series: "x", Value: x}, {Series: `y{a="1",b="2"}`, Value: 1}}
	if int(s)/60%2 == 0 {
		all[1].Series = `y{b="2",a="1"}`
	}
	if int(s)/600%2 == 0 {
		all = append(all, enginetest.Sample{Series: "h", Histogram: &histogram.FloatHistogram{
			Count: s, Sum: s, PositiveSpans: []histogram.Span{{Length: 1}}, PositiveBuckets: []float64{s},
		}})
	}
	return all
}

// seen is what a test can see of a world, in words.
func seen(w *enginetest.World) []string {
	var all []string
	for _, tr := range w.Transitions() {
		all = append(all, fmt.Sprint(tr.At.Truncate(time.Millisecond).Sub(enginetest.Start), tr.Name, tr.Labels, tr.Firing))
	}
	for _, a := range w.Alerts() {
		all = append(all, fmt.Sprint(a.Labels, a.Annotations))
	}
	for _, s := range w.Query(`{__name__=~".+"}`) {
		all = append(all, fmt.Sprintf("%s %.9g %v", s.Metric, s.F, s.H))
	}
	for _, name := range []string{"x", "y", "h", "bad", "minutes", "shapes", "sum", "sla:burn_tier:ratio", "ALERTS", "ALERTS_FOR_STATE"} {
		for _, s := range w.Query("count_over_time(" + name + "[10h])") {
			all = append(all, fmt.Sprintf("%s%s %.9g", name, s.Metric, s.F))
		}
	}
	slices.Sort(all)
	return append(all, w.NaNs(10*time.Hour)...)
}

// What a test sees of a world does not depend on whether its rules were evaluated one by
// one, at once when it looked, or at once before it looked; through restarts, one of
// which is longer than an alert's state is kept.
func TestPastIsAsItWouldHaveBeenLive(t *testing.T) {
	live, past, foreseen := enginetest.New(t, 15*time.Second, pastTarget), enginetest.New(t, 15*time.Second, pastTarget), enginetest.New(t, 15*time.Second, pastTarget)
	live.Live()
	worlds := []*enginetest.World{live, past, foreseen}
	fired := 0
	for _, w := range worlds {
		w.KeepAnnotations()
		w.Load([]byte(pastRules))
	}
	for i, away := range []time.Duration{90 * time.Second, 20 * time.Second, 7 * time.Minute, 80 * time.Minute, 4 * time.Minute} {
		foreseen.Foresee(66 * time.Minute)
		for range 2 {
			for _, w := range worlds {
				w.Run(33 * time.Minute)
			}
			want := seen(live)
			for kind, w := range map[string]*enginetest.World{"past": past, "foreseen": foreseen} {
				if got := seen(w); !slices.Equal(got, want) {
					t.Fatalf("%d: %s is\n%s\nlive it is\n%s", i, kind, strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
			}
			fired = len(want)
		}
		for _, w := range worlds {
			if w.Offset("long") != live.Offset("long") {
				t.Errorf("offsets differ")
			}
			w.Restart(away)
		}
	}
	if fired < 30 {
		t.Errorf("only %d things were compared", fired)
	}
}

// A world becomes live where it must, and nothing that has happened is different then:
// other rules take over the state of those before, and clocks are set.
func TestPastBecomesLive(t *testing.T) {
	live, past := enginetest.New(t, 15*time.Second, pastTarget), enginetest.New(t, 15*time.Second, pastTarget)
	live.Live()
	other := strings.Replace(pastRules, "[2m]", "[3m]", 1)
	for _, w := range []*enginetest.World{live, past} {
		w.Load([]byte(pastRules))
		w.Run(29 * time.Minute)
		w.KeepAnnotations()
		w.Load([]byte(pastRules))
		w.Run(time.Minute)
	}
	same := func(when string) {
		t.Helper()
		if got, want := seen(past), seen(live); !slices.Equal(got, want) {
			t.Fatalf("%s it is\n%s\nlive it is\n%s", when, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	same("before")
	past.Foresee(40 * time.Minute)
	for _, w := range []*enginetest.World{live, past} {
		w.Run(time.Minute)
		w.Load([]byte(other))
		w.Run(30 * time.Minute)
	}
	same("with other rules")
	for _, w := range []*enginetest.World{live, past} {
		w.Step(time.Minute)
		w.Run(30 * time.Minute)
	}
	same("after the clock was set")
}

// A world that is looked at every minute becomes live at some point, and goes on as it was.
func TestPastIsLookedAtOften(t *testing.T) {
	w := enginetest.New(t, 15*time.Second, pastTarget)
	w.Load([]byte(pastRules))
	for minute := range 60 {
		w.Run(time.Minute)
		if got := w.Value(`count_over_time(minutes[2h])`); got != float64(minute+1) {
			t.Fatalf("%v evaluations in %d minutes", got, minute+1)
		}
	}
}
