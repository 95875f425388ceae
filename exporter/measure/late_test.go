package measure

import (
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/exporter/probe"
)

// TestUnsureDurationsAreToldApart gives a target durations that contain some of
// the exporter's own time. The outcome of such a probe always counts, and its
// duration only if that time makes no difference.
func TestUnsureDurationsAreToldApart(t *testing.T) {
	m := newMetrics()
	target := m.Replace([]Spec{spec("availability", "http", "https://shop.example/", 50*time.Millisecond, 100*time.Millisecond, 200*time.Millisecond)})[0]
	took := func(outcome probe.Outcome, took, late time.Duration) {
		r := result(outcome, "", took, probe.Connect)
		r.Late = late
		target.observe(r)
	}
	took(probe.Good, 150*time.Millisecond, 3*time.Millisecond)  // late, but by no more than 2.5 %
	took(probe.Good, 150*time.Millisecond, 70*time.Millisecond) // 80 to 150 ms
	took(probe.Good, 3*time.Millisecond, 900*time.Microsecond)  // by no more than 1 ms
	took(probe.Bad, 150*time.Millisecond, 140*time.Millisecond)
	if target.outcomes[0] != 3 || target.outcomes[1] != 1 {
		t.Errorf("outcomes %v: a success is one, and a failure, however late it was read", target.outcomes)
	}
	want := [][2]uint64{{1, 0}, {1, 1}, {3, 0}}
	for i, w := range target.sparse.within {
		if ([2]uint64{w.n, w.unknown}) != want[i] {
			t.Errorf("within %s: %d, and %d unknown, want %v", w.threshold, w.n, w.unknown, want[i])
		}
	}
	if n := target.duration.count; n != 2 {
		t.Errorf("%d durations in the histogram, want 2", n)
	}
	if n := m.totals.readLate.Load(); n != 2 {
		t.Errorf("%d probes are counted as untimed, want 2", n)
	}
	line := `upheld_probe_threshold_unknown_total{location="fra1",service="storefront",sla="shop",slo="availability",target="https://shop.example/",threshold="0.1"} 1`
	if text := string(exposition(t, m)); !strings.Contains(text, line+"\n") {
		t.Errorf("missing: %s", line)
	}
}
