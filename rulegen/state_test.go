package rulegen_test

import (
	"cmp"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// expected are states that a level must have in all evaluations from one minute until
// before another, since the start. What is between two of them is free: there a change
// is on its way.
type expected struct {
	from, until int
	state       string // "" for no sample
}

// away is when a server of a test does not run.
type away struct{ from, until int }

// watchStates runs a world minute by minute and compares what each level's state is
// recorded as with what is expected: of a level of groups by "slo/group".
func watchStates(t *testing.T, target enginetest.Target, text string, minutes int, gone away, want map[string][]expected) {
	t.Helper()
	agreements, findings := spec.LoadText("shop.yaml", text)
	if err := findings.Err(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	plan, findings := rulegen.Compile(agreements[0], rulegen.Options{Now: enginetest.Start})
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	keepFor(plan, "sla:service:state")
	file, err := emit.Prometheus(plan)
	if err != nil {
		t.Fatal(err)
	}
	w := enginetest.New(t, 15*time.Second, target)
	w.Load(file)
	seen := map[string][]string{}
	w.Foresee(time.Duration(cmp.Or(gone.from, minutes)) * time.Minute)
	for m := 0; m < minutes; m++ {
		if gone.until > gone.from && m == gone.from {
			w.Restart(time.Duration(gone.until-gone.from) * time.Minute)
			for ; m < gone.until; m++ {
				for name := range want {
					seen[name] = append(seen[name], "away")
				}
			}
			w.Foresee(time.Duration(minutes-m) * time.Minute)
		}
		w.Run(time.Minute)
		now := map[string]string{}
		for _, s := range w.Query(`last_over_time(sla:service:state[1m])`) {
			name := s.Metric.Get("slo")
			if group := s.Metric.Get("tenant"); group != "" {
				name += "/" + group
			}
			state, ok := sla.StateOf(s.F)
			if !ok {
				t.Errorf("%s at minute %d: %v is no state", name, m, s.F)
			}
			now[name] = state.String()
		}
		for name := range want {
			seen[name] = append(seen[name], now[name])
			delete(now, name)
		}
		for name, state := range now {
			if m > 2 {
				t.Errorf("%s at minute %d is %s, and nothing is expected of it", name, m, state)
			}
		}
	}
	for name, spans := range want {
		for _, e := range spans {
			for m := e.from; m < e.until; m++ {
				if got := seen[name][m]; got != e.state {
					t.Errorf("%s at minute %d is %q, want %q\n%s", name, m, got, e.state, timelineOf(seen[name]))
					break
				}
			}
		}
	}
}

// timelineOf prints states minute by minute: 1× up, 3× down.
func timelineOf(states []string) string {
	var b strings.Builder
	for i := 0; i < len(states); {
		n := i
		for n < len(states) && states[n] == states[i] {
			n++
		}
		fmt.Fprintf(&b, "%d-%d %s; ", i, n, states[i])
		i = n
	}
	return b.String()
}

// stateSpec is an agreement with these levels, a line each.
func stateSpec(levels ...string) string {
	return "apiVersion: upheld/v1\nkind: ServiceLevelAgreement\nmetadata: {name: shop}\nspec:\n  serviceLevels:\n    - " + strings.Join(levels, "\n    - ") + "\n"
}

// minutesIn is how many whole minutes have passed in a world.
func minutesIn(at time.Time) int { return int(at.Sub(enginetest.Start) / time.Minute) }

// prober is an exporter that probes every 15 s: it counts what it finds, and remembers the
// last result that said something.
type prober struct {
	slo, location string
	results       map[string]float64
	last          map[string]float64
}

func newProber(slo, location string) *prober {
	return &prober{slo, location, map[string]float64{"good": 0, "bad": 0, "inconclusive": 0}, map[string]float64{}}
}

func (p *prober) probe(outcome string) []enginetest.Sample {
	p.results[outcome]++
	if outcome != "inconclusive" {
		p.last["last"] = map[string]float64{"good": 1}[outcome]
	}
	own := fmt.Sprintf(`sla="shop",service="web",slo=%q,target="x",location=%q`, p.slo, p.location)
	var samples []enginetest.Sample
	for name, n := range p.results {
		samples = append(samples, enginetest.Sample{Series: fmt.Sprintf(`upheld_probe_results_total{%s,outcome=%q}`, own, name), Value: n})
	}
	if last, known := p.last["last"]; known {
		samples = append(samples, enginetest.Sample{Series: `upheld_probe_last_outcome_good{` + own + `}`, Value: last})
	}
	return samples
}

const probedLevel = `{name: %s, service: web, target: "99.9", alerting: {enabled: false}, indicator: {probe: {http: "http://shop.example/", interval: 15s}}%s}`

// A probed level follows its last results: it is down while none is good, up as soon as it
// is repaired, degraded while one location of two fails; and unknown in its first minute,
// at once when the exporter is gone, and when that has had no result of its own for five
// minutes.
func TestStateOfProbedLevels(t *testing.T) {
	t.Parallel()
	one, here, there := newProber("one", "here"), newProber("two", "here"), newProber("two", "there")
	quorum := []*prober{newProber("quorum", "a"), newProber("quorum", "b"), newProber("quorum", "c")}
	target := func(at time.Time) []enginetest.Sample {
		m := minutesIn(at)
		within := func(from, until int) bool { return m >= from && m < until }
		outcome := func(bad bool) string { return map[bool]string{true: "bad", false: "good"}[bad] }
		var samples []enginetest.Sample
		switch {
		case m < 3, within(50, 60): // no exporter yet, and none any more
		case within(70, 90):
			samples = one.probe("inconclusive")
		default:
			samples = one.probe(outcome(within(10, 20) || within(30, 31) || within(104, 106)))
		}
		samples = append(samples, here.probe(outcome(within(10, 20) || within(30, 40)))...)
		if !within(70, 90) {
			samples = append(samples, there.probe(outcome(within(30, 50)))...)
		} else {
			samples = append(samples, there.probe("inconclusive")...)
		}
		for i, p := range quorum {
			if i < 2 && within(70, 90) {
				continue // two exporters are away
			}
			samples = append(samples, p.probe(outcome(within(10, 20) && i == 0 || within(30, 40) && i > 0))...)
		}
		return samples
	}
	quorumLevel := fmt.Sprintf(probedLevel, "quorum", `, aggregation: {method: all_failed_minute, quorum: 2}`)
	watchStates(t, target, stateSpec(fmt.Sprintf(probedLevel, "one", ""), fmt.Sprintf(probedLevel, "two", ""), quorumLevel), 130, away{96, 106}, map[string][]expected{
		"one": {
			{1, 3, "unknown"},
			{4, 10, "up"},
			{11, 20, "down"},
			{21, 30, "up"},
			{32, 50, "up"},
			{51, 60, "unknown"},
			{61, 70, "up"},
			{71, 74, "up"},
			{77, 90, "unknown"},
			{91, 96, "up"},
			{107, 130, "up"},
		},
		"two": {
			{1, 10, "up"},
			{11, 20, "degraded"},
			{21, 30, "up"},
			{31, 40, "down"},
			{41, 50, "degraded"},
			{51, 70, "up"},
			{71, 96, "up"},
			{107, 130, "up"},
		},
		"quorum": {
			{1, 10, "up"}, {11, 20, "degraded"}, {21, 30, "up"}, {31, 40, "down"}, {41, 70, "up"}, {71, 90, "unknown"}, {91, 96, "up"}, {107, 130, "up"},
		},
	})
}

// Levels that count events follow the last five minutes: degraded from what the objective
// allows on, down from half of it; up where little or nothing happens; unknown where the
// counters are gone. Minutes are judged by the contract, runs from their first minute.
func TestStateOfCountedLevels(t *testing.T) {
	t.Parallel()
	var good, bad float64
	target := func(at time.Time) []enginetest.Sample {
		m := minutesIn(at)
		share := 0.
		switch {
		case m >= 10 && m < 20:
			share = 1
		case m >= 30 && m < 40:
			share = 0.2
		case m >= 50 && m < 60:
			share = 0.0005
		}
		events := 600.
		if m >= 70 && m < 80 {
			events = 0
		}
		good, bad = good+events*(1-share), bad+events*share
		if m >= 90 && m < 105 {
			return nil
		}
		return []enginetest.Sample{{Series: `requests_total{code="200"}`, Value: good}, {Series: `requests_total{code="500"}`, Value: bad}}
	}
	const counted = `{name: %s, service: web, target: "99.9", alerting: {enabled: false}, indicator: {events: {bad: 'requests_total{code="500"}', total: requests_total}}%s}`
	common := []expected{{2, 10, "up"}, {27, 30, "up"}, {46, 70, "up"}, {72, 80, "up"}, {84, 90, "up"}, {97, 104, "unknown"}, {108, 120, "up"}, {136, 140, "up"}}
	minutes := append([]expected{{15, 20, "down"}}, common...)
	watchStates(t, target, stateSpec(
		fmt.Sprintf(counted, "requests", ""),
		fmt.Sprintf(counted, "minutes", `, aggregation: {method: bad_minute, errorThreshold: "50"}`),
		fmt.Sprintf(counted, "runs", `, aggregation: {method: qualified_run, errorThreshold: "10", minRun: 20m}`),
		fmt.Sprintf(counted, "slots", `, aggregation: {method: mean_slot_error_rate, slot: 5m}`),
	), 140, away{120, 130}, map[string][]expected{
		"requests": append([]expected{{11, 12, "degraded"}, {14, 21, "down"}, {31, 44, "degraded"}}, common...),
		"minutes":  append([]expected{{30, 45, "up"}}, minutes...),
		"runs":     append([]expected{{35, 40, "down"}}, minutes...),
		"slots":    {{21, 23, "down"}, {41, 43, "degraded"}, {56, 70, "up"}, {101, 104, "unknown"}, {116, 120, "up"}},
	})
}

// A level whose missing data counts as bad is unknown while data are missing: what they
// count as is the budget's business.
func TestStateWhileDataAreMissing(t *testing.T) {
	t.Parallel()
	p := newProber("missing", "here")
	watchStates(t, func(at time.Time) []enginetest.Sample {
		samples := []enginetest.Sample{{Series: `up{job="exporter"}`, Value: 1}}
		if m := minutesIn(at); m < 20 || m >= 40 {
			for _, s := range p.probe("good") {
				s.Series = strings.Replace(s.Series, "{", `{job="exporter",`, 1)
				samples = append(samples, s)
			}
		}
		return samples
	}, stateSpec(fmt.Sprintf(probedLevel, "missing", ", missingData: bad")), 60, away{}, map[string][]expected{
		"missing": {{1, 20, "up"}, {21, 40, "unknown"}, {41, 60, "up"}},
	})
}

// What is looked at is as it was found last.
func TestStateOfConditionsAndComposites(t *testing.T) {
	t.Parallel()
	target := func(at time.Time) []enginetest.Sample {
		m := minutesIn(at)
		fails := func(spans ...int) float64 {
			for i := 0; i < len(spans); i += 2 {
				if m >= spans[i] && m < spans[i+1] {
					return 0
				}
			}
			return 1
		}
		samples := []enginetest.Sample{{Series: "up_a", Value: fails(10, 20, 30, 40)}, {Series: "share", Value: 0.3 * (1 - fails(10, 20))}}
		if m < 50 || m >= 60 {
			samples = append(samples, enginetest.Sample{Series: "up_b", Value: fails(30, 40)})
		}
		return append(samples, enginetest.Sample{Series: "probe_success", Value: fails(10, 20)})
	}
	level := func(name, target, indicator string) string {
		return fmt.Sprintf(`{name: %s, service: web, target: "%s", alerting: {enabled: false}, indicator: {%s}}`, name, target, indicator)
	}
	watchStates(t, target, stateSpec(
		level("a", "99", "condition: {expr: 'up_a > 0'}"), level("b", "99", "condition: {expr: 'up_b > 0'}"),
		level("ratio", "99", "ratio: {bad: share}"), level("blackbox", "99", "blackbox: {success: probe_success}"),
		level("all", "90", "composite: {all: [web/a, web/b]}"), level("any", "99", "composite: {any: [web/a, web/b]}"),
		level("weighted", "90", `composite: {weighted: {of: [{needs: web/a, weight: "0.25"}, {needs: web/b, weight: "0.75"}]}}`),
		level("policy", "90", "composite: {all: [web/a, web/b], unknown: bad}"),
	), 70, away{}, map[string][]expected{
		"a":        {{2, 10, "up"}, {12, 20, "down"}, {22, 30, "up"}, {32, 40, "down"}, {42, 70, "up"}},
		"b":        {{2, 30, "up"}, {32, 40, "down"}, {42, 50, "up"}, {52, 60, "unknown"}, {62, 70, "up"}},
		"ratio":    {{2, 10, "up"}, {12, 20, "degraded"}, {22, 70, "up"}},
		"blackbox": {{1, 10, "up"}, {11, 20, "down"}, {21, 70, "up"}},
		"all":      {{2, 10, "up"}, {12, 20, "down"}, {22, 30, "up"}, {32, 40, "down"}, {42, 50, "up"}, {52, 60, "unknown"}, {62, 70, "up"}},
		"any":      {{2, 30, "up"}, {32, 40, "down"}, {42, 70, "up"}},
		"weighted": {{2, 10, "up"}, {12, 20, "degraded"}, {22, 30, "up"}, {32, 40, "down"}, {42, 70, "up"}},
		"policy":   {{2, 10, "up"}, {12, 20, "down"}, {22, 30, "up"}, {32, 40, "down"}, {42, 50, "up"}, {52, 60, "unknown"}, {62, 70, "up"}},
	})
}

// Outside service hours and in windows nothing else is said, whatever is measured: the
// hours end at minute 23 and begin again at 83, and a window is open from 93 to 113.
func TestStateWhileNothingIsPromised(t *testing.T) {
	t.Parallel()
	p := newProber("masked", "here")
	target := func(at time.Time) []enginetest.Sample {
		var samples []enginetest.Sample
		if m := minutesIn(at); m < 60 || m >= 70 {
			samples = p.probe(map[bool]string{true: "bad", false: "good"}[m >= 10 && m < 90 || m >= 100 && m < 120])
		}
		n := float64(at.Sub(enginetest.Start) / time.Second)
		return append(samples, enginetest.Sample{Series: `requests_total{tenant="a"}`, Value: n}, enginetest.Sample{Series: `errors_total{tenant="b"}`, Value: n},
			enginetest.Sample{Series: `requests_total{tenant="b"}`, Value: n})
	}
	text := stateSpec(
		fmt.Sprintf(probedLevel, "masked", ", serviceHours: office"),
		`{name: groups, service: web, target: "99", serviceHours: office, alerting: {enabled: false}, groupBy: {labels: [tenant]}, indicator: {events: {bad: errors_total, total: requests_total}}}`,
	)
	// Start is a Thursday, 10:07 UTC.
	text = strings.Replace(text, "spec:\n", `spec:
  calendars:
    office: {weekly: [{days: [Thu], from: "00:00", to: "10:30"}, {days: [Thu], from: "11:30", to: "24:00"}]}
  maintenance:
    effect: remove_from_agreed_time
    windows: [{from: "2026-03-05T11:40", to: "2026-03-05T12:00"}]
`, 1)
	watchStates(t, target, text, 140, away{}, map[string][]expected{
		"masked":   {{2, 10, "up"}, {11, 23, "down"}, {25, 83, "out_of_hours"}, {85, 90, "down"}, {91, 93, "up"}, {95, 113, "maintenance"}, {115, 120, "down"}, {121, 140, "up"}},
		"groups/a": {{2, 23, "up"}, {25, 83, "out_of_hours"}, {85, 93, "up"}, {95, 113, "maintenance"}, {115, 140, "up"}},
		"groups/b": {{2, 23, "down"}, {25, 83, "out_of_hours"}, {85, 93, "down"}, {95, 113, "maintenance"}, {115, 140, "down"}},
	})
}

// Each group has a state of its own, by its own objective; one that must be there is
// unknown without data, any other has none; without any group the level is unknown.
func TestStateOfGroups(t *testing.T) {
	t.Parallel()
	target := func(at time.Time) []enginetest.Sample {
		m, n := minutesIn(at), float64(at.Sub(enginetest.Start)/time.Second)
		if m >= 40 && m < 60 {
			return nil
		}
		samples := []enginetest.Sample{{Series: `requests_total{tenant="a"}`, Value: n}, {Series: `errors_total{tenant="a"}`, Value: 0.05 * n}}
		if m < 20 || m >= 60 {
			samples = append(samples, enginetest.Sample{Series: `requests_total{tenant="b"}`, Value: n}, enginetest.Sample{Series: `errors_total{tenant="b"}`, Value: 0.05 * n})
			samples = append(samples, enginetest.Sample{Series: `requests_total{tenant="c"}`, Value: n}, enginetest.Sample{Series: `errors_total{tenant="c"}`, Value: n})
		}
		return samples
	}
	watchStates(t, target, stateSpec(`{name: groups, service: web, target: "99", alerting: {enabled: false}, groupBy: {labels: [tenant], targets: [{match: {tenant: a}, target: "90"}, {match: {tenant: b}, target: "99", required: true}]}, indicator: {events: {bad: errors_total, total: requests_total}}}`),
		80, away{}, map[string][]expected{
			"groups":   {{2, 40, ""}, {46, 60, "unknown"}, {63, 80, ""}},
			"groups/a": {{2, 40, "up"}, {46, 60, ""}, {63, 80, "up"}},
			"groups/b": {{2, 20, "degraded"}, {26, 40, "unknown"}, {46, 60, ""}, {63, 80, "degraded"}},
			"groups/c": {{2, 20, "down"}, {26, 60, ""}, {63, 80, "down"}},
		})
}

// Results that were kept without the last one of each target, as by a server that drops
// it, still say how the level is.
func TestStateByCountsOfProbesAlone(t *testing.T) {
	t.Parallel()
	p := newProber("counts", "here")
	watchStates(t, func(at time.Time) []enginetest.Sample {
		m := minutesIn(at)
		if m >= 40 {
			return nil
		}
		samples := p.probe(map[bool]string{true: "bad", false: "good"}[m >= 10 && m < 20])
		return samples[:len(samples)-1]
	}, stateSpec(fmt.Sprintf(probedLevel, "counts", "")), 60, away{}, map[string][]expected{
		"counts": {{2, 10, "up"}, {14, 20, "down"}, {26, 40, "up"}, {42, 60, "unknown"}},
	})
}
