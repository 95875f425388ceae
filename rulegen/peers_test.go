package rulegen_test

import (
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

// The tests here hold what other rule generators were measured to get wrong.
// Those that concern files are in cmd/upheld.

// peerSpec is one level, as users write it.
func peerSpec(target, period, labels string) string {
	return fmt.Sprintf(`apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  serviceLevels:
    - name: bad
      service: api
      labels: {%s}
      period: %s
      indicator: {events: {bad: 'requests_total{code=~"5.."}', total: 'requests_total{code=~".+"}'}}
      target: "%s"
`, labels, period, target)
}

func peerLevel(t *testing.T, text string) (*sla.ServiceLevel, []byte) {
	t.Helper()
	agreements, findings := spec.LoadText("shop.yaml", text)
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	plan, findings := rulegen.Compile(agreements[0], rulegen.Options{})
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	file, err := emit.Prometheus(plan)
	if err != nil {
		t.Fatal(err)
	}
	return agreements[0].Levels[0], file
}

// peerWorld serves the counted traffic; an error counter that has not counted is
// not there.
func peerWorld(t *testing.T, tr *traffic, text string) *enginetest.World {
	t.Helper()
	w := enginetest.New(t, 30*time.Second, func(at time.Time) []enginetest.Sample {
		g, b := tr.at(at)
		samples := []enginetest.Sample{{Series: `requests_total{code="200"}`, Value: g}}
		if b > 0 {
			samples = append(samples, enginetest.Sample{Series: `requests_total{code="500"}`, Value: b})
		}
		return samples
	})
	_, file := peerLevel(t, text)
	w.Load(file)
	return w
}

func firing(w *enginetest.World, name, value string) int {
	n := 0
	for _, tr := range w.Transitions() {
		if tr.Firing && (tr.Name == name || tr.Labels["severity"] == value) {
			n++
		}
	}
	return n
}

// 1: averaging ratios counts a quiet night as much as the peak.
func TestPeerDefect01QuietOutageIsWeighedByTraffic(t *testing.T) {
	t.Parallel()
	tr := simulate(4*time.Hour, func(s int) (float64, float64) {
		if s < 2*3600 {
			return 100, 0
		}
		return 0, 0.1
	})
	w := peerWorld(t, tr, peerSpec("99.9", "30d", ""))
	w.Run(4 * time.Hour)
	near(t, "bad share of the period", w.Value(series("sla:error:ratio_period", "bad")), tr.ratio(w.Now(), 30*24*time.Hour), 0.05)
}

// 2: an idle hour is 0/0, which poisons every sum over it.
func TestPeerDefect02IdleHourIsNotNaN(t *testing.T) {
	t.Parallel()
	tr := simulate(3*time.Hour, func(s int) (float64, float64) {
		if s/3600 == 1 {
			return 0, 0
		}
		return 99, 1
	})
	w := peerWorld(t, tr, peerSpec("99.9", "30d", ""))
	w.Run(3 * time.Hour)
	near(t, "bad share of the period", w.Value(series("sla:error:ratio_period", "bad")), 0.01, 0.02)
	if nans := w.NaNs(3 * time.Hour); len(nans) > 0 {
		t.Errorf("NaN in %v", nans)
	}
}

// 3, 13, 14: an error series that is not there yet is no error: the budget is
// whole, no measurement is lost, windows read 0; then its share is of everything.
func TestPeerDefect03And13And14ErrorSeriesBornLate(t *testing.T) {
	t.Parallel()
	tr := simulate(4*time.Hour, func(s int) (float64, float64) {
		if s >= 3*3600 {
			return 50, 50
		}
		return 100, 0
	})
	w := peerWorld(t, tr, peerSpec("99", "30d", ""))
	w.Run(3 * time.Hour)
	for _, name := range []string{"sla:error:ratio_rate5m", "sla:error:ratio_rate1h", "sla:error:ratio_rate1d", "sla:error:ratio_period"} {
		if v := w.Value(series(name, "bad")); v != 0 {
			t.Errorf("%s = %v without an error series", name, v)
		}
	}
	near(t, "budget", w.Value(series("sla:budget_remaining:ratio_period", "bad")), 1, 0)
	if n := len(w.Transitions()); n > 0 {
		t.Errorf("%d alerts of a healthy service", n)
	}
	w.Run(time.Hour)
	// The newest minutes are still entering the sums: 2.5 of the outage's 60.
	near(t, "bad share of the period", w.Value(series("sla:error:ratio_period", "bad")), tr.ratio(w.Now(), 30*24*time.Hour), 0.08)
}

// 4: one failure of a service with a request a minute wakes nobody.
func TestPeerDefect04OneFailureDoesNotPage(t *testing.T) {
	t.Parallel()
	tr := simulate(2*time.Hour, func(s int) (good, bad float64) {
		if s%60 != 0 {
			return 0, 0
		}
		if s == 3600 {
			return 0, 1
		}
		return 1, 0
	})
	w := peerWorld(t, tr, peerSpec("99.9", "30d", ""))
	w.Run(2 * time.Hour)
	if n := firing(w, sla.AlertBudgetBurn.Name, ""); n > 0 {
		t.Errorf("%d alerts for one failure", n)
	}
}

// 5, 11, 12: the fast page fires in a total outage, for a target whose threshold
// could not be reached, and for periods so short that windows would vanish.
func TestPeerDefect05And11And12FastPageFires(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ target, period string }{{"90", "30d"}, {"99.9", "1d"}, {"99.9", "7d"}} {
		tr := simulate(150*time.Minute, func(s int) (float64, float64) {
			if s >= 3600 {
				return 0, 100
			}
			return 100, 0
		})
		text := peerSpec(c.target, c.period, "")
		l, _ := peerLevel(t, text)
		for _, tier := range l.Alerting.Tiers {
			if tier.Short < sla.BaseWindow {
				t.Errorf("%s over %s: %s has a window of %s", c.target, c.period, tier.Name, tier.Short)
			}
		}
		w := peerWorld(t, tr, text)
		w.Run(150 * time.Minute)
		if fired, _ := timeline(w, "page-fast"); fired.IsZero() {
			t.Errorf("%s over %s: page-fast never fired", c.target, c.period)
		}
	}
}

// 6, 10: an objective without a budget and a misspelt key are errors.
func TestPeerDefect06And10MistakesAreRefused(t *testing.T) {
	for text, rule := range map[string]string{
		peerSpec("100", "30d", ""): "bad-target",
		strings.Replace(peerSpec("99.9", "30d", ""), "target:", "targett:", 1): "unknown-key",
	} {
		_, findings := spec.LoadText("shop.yaml", text)
		if len(findings) == 0 || findings[0].Rule != rule || findings[0].Severity != sla.Error {
			t.Errorf("want %s, got %v", rule, findings)
		}
	}
}

// 7: an edit of the user's labels breaks no join: figures go on within the next
// evaluation, and no rule fails, which the harness would report.
func TestPeerDefect07LabelEditBreaksNothing(t *testing.T) {
	t.Parallel()
	tr := simulate(2*time.Hour, func(int) (float64, float64) { return 99, 1 })
	w := peerWorld(t, tr, peerSpec("99.9", "30d", "team: one"))
	w.Run(time.Hour)
	_, file := peerLevel(t, peerSpec("99.9", "30d", "team: two"))
	w.Load(file)
	w.Run(10 * time.Minute)
	for _, name := range []string{"sla:error:ratio_rate1h", "sla:error:ratio_period", "sla:budget_remaining:ratio_period", "sla:target:ratio"} {
		w.Value(series(name, "bad")) // exactly one series
	}
}

// 15: burn rates are those of the workbook, and what is called a burn rate is one.
func TestPeerDefect15FactorsOfTheWorkbook(t *testing.T) {
	t.Parallel()
	l, _ := peerLevel(t, peerSpec("99.9", "30d", ""))
	want := map[string]string{"page-fast": "14.4", "page-slow": "6", "ticket-fast": "3", "ticket-slow": "1"}
	for _, tier := range l.Alerting.Tiers {
		if tier.Factor.String() != want[tier.Name] {
			t.Errorf("%s has the factor %s, want %s", tier.Name, tier.Factor, want[tier.Name])
		}
	}
	tr := simulate(time.Hour, func(int) (float64, float64) { return 99, 1 })
	w := peerWorld(t, tr, peerSpec("99", "30d", ""))
	w.Run(time.Hour)
	near(t, "burn rate of exactly the allowed errors", w.Value(series("sla:burn_rate:ratio_period", "bad")), 1, 0.02)
}

// 16: every document of a file counts.
func TestPeerDefect16EveryDocumentCounts(t *testing.T) {
	second := strings.Replace(peerSpec("99.9", "30d", ""), "name: shop", "name: bank", 1)
	agreements, findings := spec.LoadText("two.yaml", peerSpec("99.9", "30d", "")+"---\n"+second)
	if findings.HasErrors() || len(agreements) != 2 {
		t.Errorf("%d agreements, %v", len(agreements), findings)
	}
}

// 17: a regular expression in the total does not group by its label.
func TestPeerDefect17RegexpDoesNotGroup(t *testing.T) {
	t.Parallel()
	tr := simulate(time.Hour, func(int) (float64, float64) { return 99, 1 })
	w := peerWorld(t, tr, peerSpec("99", "30d", ""))
	w.Run(time.Hour)
	for _, name := range []string{"sla:total:rate5m", "sla:error:ratio_rate1h", "sla:total:sum_period"} {
		if v := w.Query(name); len(v) != 1 || v[0].Metric.Has("code") {
			t.Errorf("%s: %v", name, v)
		}
	}
}
