package samples_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/upheld-sla/upheld/internal/samples"
	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// agreement reads a specification whose levels are given.
func agreement(t testing.TB, levels string) *sla.Agreement {
	t.Helper()
	text := "apiVersion: upheld/v1\nkind: ServiceLevelAgreement\nmetadata: {name: shop}\nspec:\n  serviceLevels:\n" + levels
	agreements, findings := spec.LoadText("spec.yaml", text)
	if err := findings.Err(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return agreements[0]
}

var (
	start = time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	until = start.Add(6 * time.Hour)
)

// history is samples as text: a series at a time.
type history struct{ strings.Builder }

// series writes a sample every step from start-2h to until+1h of what value says; NaN is
// no sample. at is the time since start.
func (h *history) series(name string, step time.Duration, value func(at time.Duration) float64) {
	for t := start.Add(-2 * time.Hour); !t.After(until.Add(time.Hour)); t = t.Add(step) {
		if v := value(t.Sub(start)); !math.IsNaN(v) {
			fmt.Fprintf(h, "%s %v %.3f\n", name, v, float64(t.UnixMilli())/1000)
		}
	}
}

// file is the history as an OpenMetrics file.
func (h *history) file(t testing.TB) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "samples.om")
	if err := os.WriteFile(name, []byte(h.String()+"# EOF\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func (h *history) source(t testing.TB) samples.Source {
	t.Helper()
	f, err := samples.ReadFiles(h.file(t))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// counter counts n for each step, from -2h on, while on says so.
func counter(step time.Duration, n float64, on func(at time.Duration) bool) func(time.Duration) float64 {
	sum := 0.0
	return func(at time.Duration) float64 {
		if on == nil || on(at) {
			sum += n
		}
		return sum
	}
}

// between is the time (from, to] of samples, so that their increments are in [from, to).
func between(from, to time.Duration) func(time.Duration) bool {
	return func(at time.Duration) bool { return from < at && at <= to }
}

func not(f func(time.Duration) bool) func(time.Duration) bool {
	return func(at time.Duration) bool { return !f(at) }
}

func load(t testing.TB, from samples.Source, a *sla.Agreement) verdict.Evidence {
	t.Helper()
	e, err := samples.Load(context.Background(), from, samples.Request{Agreement: a, From: start, To: until, Now: until.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// shown are the stretches of the period, in hours and minutes since its start.
func shown(stretches []verdict.Stretch) []string {
	var all []string
	for _, s := range stretches {
		if s.From.Before(start) {
			s.From = start
		}
		if s.To.After(until) {
			s.To = until
		}
		if s.From.Before(s.To) {
			all = append(all, fmt.Sprintf("%s-%s %s %g/%g", s.From.Sub(start), s.To.Sub(start), s.State, s.Bad, s.Total))
		}
	}
	return all
}

// places are the places of the only group of the only level.
func places(t testing.TB, e verdict.Evidence) []verdict.Place {
	t.Helper()
	if len(e.Levels) != 1 || len(e.Levels[0].Groups) != 1 {
		t.Fatalf("evidence of %d levels: %+v", len(e.Levels), e.Levels)
	}
	return e.Levels[0].Groups[0].Places
}

func equal(t testing.TB, got, want []string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

const probed = `  - {name: up, service: web, indicator: {probe: {http: "https://shop.example/", interval: 15s}}, target: "99.9"}
`

func probeSeries(outcome, location string) string {
	return fmt.Sprintf(`upheld_probe_results_total{job="upheld",instance="%s:1",sla="shop",service="web",slo="up",target="https://shop.example/",location="%s",outcome="%s"}`, location, location, outcome)
}

func TestProbesByTimeAreStretchesOfOneState(t *testing.T) {
	var h history
	down := between(2*time.Hour, 3*time.Hour)
	for _, location := range []string{"fra", "ams"} {
		bad := down
		if location == "ams" {
			bad = between(0, 0)
		}
		h.series(probeSeries("good", location), 15*time.Second, counter(15*time.Second, 1, not(bad)))
		h.series(probeSeries("bad", location), 15*time.Second, counter(15*time.Second, 1, bad))
	}
	got := places(t, load(t, h.source(t), agreement(t, probed)))
	if len(got) != 2 || got[0].Labels["location"] != "ams" || got[1].Labels["location"] != "fra" {
		t.Fatalf("places %+v", got)
	}
	want := []string{"0s-2h0m0s known 0/959", "2h0m0s-3h0m0s known 240/240", "3h0m0s-6h0m0s known 0/1000"}
	if got := shown(got[1].Stretches); len(got) != 3 || !strings.HasPrefix(got[1], want[1]) {
		t.Errorf("got %q", got)
	}
	if got := shown(got[0].Stretches); len(got) != 1 {
		t.Errorf("got %q", got)
	}
}

const errors = `  - {name: errors, service: api, indicator: {events: {bad: 'http_requests_total{code="500"}', total: 'http_requests_total'}}, target: "99.9"}
`

func TestEventsAreCountedInTheirMinutes(t *testing.T) {
	var h history
	step := 15 * time.Second
	h.series(`http_requests_total{job="api",instance="a",code="200"}`, step, counter(step, 10, nil))
	h.series(`http_requests_total{job="api",instance="a",code="500"}`, step, counter(step, 2, between(time.Hour, time.Hour+2*time.Minute)))
	got := places(t, load(t, h.source(t), agreement(t, errors)))
	if len(got) != 1 {
		t.Fatalf("places %+v", got)
	}
	stretches := shown(got[0].Stretches)
	if len(stretches) != 360 {
		t.Fatalf("%d stretches, want one a minute: %q", len(stretches), stretches[:5])
	}
	equal(t, stretches[59:63], []string{
		"59m0s-1h0m0s known 0/40", "1h0m0s-1h1m0s known 8/48", "1h1m0s-1h2m0s known 8/48", "1h2m0s-1h3m0s known 0/40",
	})
}
