package rulegen_test

import (
	"fmt"
	"maps"
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

// missingKinds are the ways in which a level counts time.
var missingKinds = map[string]string{
	"probe":    `indicator: {probe: {http: "https://shop.example/", interval: 15s}}`,
	"minutes":  `indicator: {events: {bad: bad_total, total: requests_total}}, aggregation: {method: bad_minute, errorThreshold: "5"}`,
	"state":    `indicator: {condition: {expr: "rate(requests_total[1m]) > 0"}}`,
	"slots":    `indicator: {events: {bad: bad_total, total: requests_total}}, aggregation: mean_slot_error_rate`,
	"blackbox": `indicator: {blackbox: {success: probe_success}}`,
}

// exporterState is what a scrape of the exporter finds.
type exporterState int

const (
	exporterAlive     exporterState = iota
	exporterDead                    // nothing answers: up is 0
	exporterEmpty                   // it answers, and has no series of the levels
	exporterUnscraped               // no job scrapes it, others are scraped
)

// exporterAndServer is a world with levels of each kind under some names, of a
// service that never fails.
func exporterAndServer(t *testing.T, names int, state func(at time.Time) exporterState) *enginetest.World {
	t.Helper()
	text := `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  period: 1d
  serviceLevels:
`
	var probes []string
	for _, kind := range slices.Sorted(maps.Keys(missingKinds)) {
		for n := range names {
			name := fmt.Sprintf("%s-%d", kind, n)
			text += fmt.Sprintf("    - {name: %s, target: \"99.9\", missingData: bad, %s}\n", name, missingKinds[kind])
			if kind == "probe" {
				probes = append(probes, name)
			}
		}
	}
	text += "    - {name: whole, target: \"99.9\", indicator: {composite: {all: [shop/probe-0, shop/state-0], unknown: bad}}}\n"
	agreements, findings := spec.LoadText("spec.yaml", text)
	if findings.HasErrors() {
		t.Fatal(findings)
	}
	const job = `job="exporter",instance="a:9799"`
	w := enginetest.NewAt(t, enginetest.Start.Add(3*time.Second), 15*time.Second, func(at time.Time) []enginetest.Sample {
		samples := []enginetest.Sample{{Series: `up{job="other",instance="b:80"}`, Value: 1}}
		up := 1.
		switch state(at) {
		case exporterUnscraped:
			return samples
		case exporterDead:
			up = 0
		}
		samples = append(samples, enginetest.Sample{Series: "up{" + job + "}", Value: up})
		if state(at) != exporterAlive {
			return samples
		}
		n := at.Sub(enginetest.Start).Seconds() + 1e6 // the service and the exporter run on
		samples = append(samples, enginetest.Sample{Series: "requests_total{" + job + "}", Value: 10 * n}, enginetest.Sample{Series: "bad_total{" + job + "}"},
			enginetest.Sample{Series: "probe_success{" + job + "}", Value: 1})
		for _, p := range probes {
			of := fmt.Sprintf(`{sla="shop",service="shop",slo=%q,target="https://shop.example/",location="here",%s`, p, job)
			done := math.Floor(n / 15)
			samples = append(samples, enginetest.Sample{Series: "upheld_probe_results_total" + of + `,outcome="good"}`, Value: done},
				enginetest.Sample{Series: "upheld_probe_results_total" + of + `,outcome="bad"}`},
				enginetest.Sample{Series: "upheld_probe_owed_total" + of + `}`, Value: done})
		}
		return samples
	})
	plan, findings := rulegen.Compile(agreements[0], generated2026)
	if findings.HasErrors() {
		t.Fatal(findings)
	}
	for i, l := range plan.Levels {
		if slo := l.Level.ID.SLO; slo == "whole" || strings.HasSuffix(slo, "-0") || strings.HasSuffix(slo, "-1") {
			continue // these have all their rules, alerts too; the others what is missing is made of
		}
		for g := range l.Groups {
			plan.Levels[i].Groups[g].Rules = slices.DeleteFunc(l.Groups[g].Rules, func(r rulegen.Rule) bool {
				return !strings.HasPrefix(r.Record, "sla:source:") && !strings.HasPrefix(r.Record, "sla:missing:") && !strings.HasPrefix(r.Record, "sla:slot") &&
					!strings.HasPrefix(r.Record, "sla:known_") && r.Record != "sla:total:rate5m" && r.Record != "sla:bad:rate5m"
			})
		}
	}
	file, err := emit.Prometheus(plan)
	if err != nil {
		t.Fatal(err)
	}
	w.Behave(enginetest.Timing{ScrapeTakes: func(time.Time) time.Duration { return 4 * time.Second }})
	w.Load(file)
	return w
}

// A service that never fails, whose levels count missing data as bad, through
// starts of Prometheus and faults of its exporter, under several names, which
// evaluate at as many moments. What is missing is the time in which the server
// scraped and had nothing, within the bounds that docs/rules.md states; what the
// server did not see is in no sum, and pages nobody.
func TestMissingThroughRestarts(t *testing.T) {
	t.Parallel()
	testsize.Skip(t, "what is missing when a server was away")
	const settle = 16 * time.Minute
	names := testsize.Repeats(1, 6, 20)
	type step struct {
		name     string
		restart  time.Duration // before it
		state    exporterState
		lasts    time.Duration
		restarts time.Duration // in the middle
		most     float64       // minutes missing; 0 also: nobody is paged
		off      float64       // minutes less than that, at most
		slotsOff float64       // the same of slots, which are missing whole or not at all, and of which more may be missing
	}
	steps := []step{
		{name: "first load", lasts: 20 * time.Minute},
		{name: "restart of 40 s", restart: 40 * time.Second},
		{name: "restart of 2 min", restart: 2 * time.Minute},
		{name: "restart of 12 min", restart: 12 * time.Minute},
		{name: "the exporter is not scraped for 10 min", state: exporterUnscraped, lasts: 10 * time.Minute},
		{name: "the exporter is dead for 10 min", state: exporterDead, lasts: 10 * time.Minute, most: 10, off: 1, slotsOff: 5},
		{name: "the exporter has no series for 10 min", state: exporterEmpty, lasts: 10 * time.Minute, most: 10, off: 1, slotsOff: 5},
		{name: "dead for 10 min, and a restart of 2 min within", state: exporterDead, lasts: 10 * time.Minute, restarts: 2 * time.Minute, most: 8, off: 4, slotsOff: 8},
		{name: "dead for 20 min, and a restart of 12 min within", state: exporterDead, lasts: 20 * time.Minute, restarts: 12 * time.Minute, most: 8, off: 7, slotsOff: 8},
	}
	state := exporterAlive
	w := exporterAndServer(t, names, func(time.Time) exporterState { return state })
	missing := func() map[string]float64 {
		all := map[string]float64{}
		for _, s := range w.Query(`sla:missing:sum_period or sla:bad:sum_period{slo="whole"}`) { // of the composite what is bad is what is missing
			all[s.Metric.Get("slo")] = s.F / 60
		}
		return all
	}
	told := 0
	for _, s := range steps {
		before := missing()
		if s.restart > 0 {
			w.Restart(s.restart)
		}
		state = s.state
		if s.restarts > 0 {
			half := (s.lasts - s.restarts) / 2
			w.Run(half)
			w.Restart(s.restarts)
			w.Run(half)
		} else {
			w.Run(s.lasts)
		}
		state = exporterAlive
		w.Run(settle)
		after := missing()
		for _, kind := range slices.Sorted(maps.Keys(missingKinds)) {
			least, most := math.Inf(1), math.Inf(-1)
			for n := range names {
				slo := fmt.Sprintf("%s-%d", kind, n)
				m := after[slo] - before[slo]
				least, most = min(least, m), max(most, m)
			}
			low, high := s.most-s.off, s.most+0.1
			if s.restarts > 0 {
				high = s.most + 1
			}
			if kind == "slots" {
				low, high = s.most-s.slotsOff, s.most
			}
			t.Logf("%-50s %-8s %5.2f to %5.2f", s.name, kind, least, most)
			if least < low-1e-6 || most > high+1e-6 {
				t.Errorf("%s: %.2f to %.2f minutes of %s are missing under %d names, want %v to %v", s.name, least, most, kind, names, low, high)
			}
		}
		if bad := after["whole"] - before["whole"]; bad < s.most-s.off-1e-6 || bad > s.most+1+1e-6 || s.most == 0 && bad != 0 {
			t.Errorf("%s: %.2f minutes of the composite are bad, want %v", s.name, bad, s.most)
		}
		all := w.Transitions()
		for _, tr := range all[told:] {
			if s.most == 0 && tr.Firing && tr.Name != sla.AlertMeasurementLost.Name {
				t.Errorf("%s: %s of %s fires", s.name, tr.Name, tr.Labels["slo"])
			}
		}
		told = len(all)
	}
	if nans := w.NaNs(4 * time.Hour); len(nans) > 0 {
		t.Error(nans)
	}
}
