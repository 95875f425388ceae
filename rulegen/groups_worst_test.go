package rulegen_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// In an outage of many groups, each alert lists those that burn fastest, by what
// each is promised, and a group that does not fail is not among them.
func TestAlertsListTheWorstGroups(t *testing.T) {
	t.Parallel()
	l := groupedLevel("bad", events(`requests_total{code="500"}`, "", `requests_total`))
	l.GroupBy.Targets = []sla.GroupTarget{{Match: map[string]string{"tenant": "t-02"}, Target: sla.MustDecimal("99.9"), Objective: sla.MustDecimal("99.9")}}
	l.Target, l.Objective = sla.MustDecimal("99"), sla.MustDecimal("99")
	const groups = 12
	share := func(i int) float64 { return float64(i*7%groups) * 0.08 } // of bad; 0 for the first
	w := enginetest.New(t, 15*time.Second, func(at time.Time) []enginetest.Sample {
		n := 10 * at.Sub(enginetest.Start).Seconds()
		var samples []enginetest.Sample
		for i := range groups {
			samples = append(samples,
				enginetest.Sample{Series: fmt.Sprintf(`requests_total{code="200",tenant="t-%02d"}`, i), Value: n * (1 - share(i))},
				enginetest.Sample{Series: fmt.Sprintf(`requests_total{code="500",tenant="t-%02d"}`, i), Value: n * share(i)})
		}
		return samples
	})
	w.KeepAnnotations()
	w.Load(generate(t, rulegen.Options{}, l))
	w.Run(30 * time.Minute)
	// i*7 mod 12 is 2 for t-02, which at 16 % bad burns 160 times too fast by
	// its own objective; the others follow by their share: 11, 10, 9 and 8.
	want := []string{"t-02 burns 160", "t-05 burns 88", "t-10 burns 80", "t-03 burns 72", "t-08 burns 64"}
	listed := 0
	for _, a := range w.Alerts() {
		words := a.Annotations["worst_groups"]
		if a.Labels["alertname"] != sla.AlertBudgetBurn.Name {
			if words != "" {
				t.Errorf("%v lists groups: %s", a.Labels, words)
			}
			continue
		}
		listed++
		got := strings.Split(strings.TrimSuffix(strings.TrimSpace(words), "."), ". ")
		if len(got) != len(want) {
			t.Fatalf("%q, want those that burn fastest, %q", words, want)
		}
		for i, group := range got {
			if group != "tenant "+want[i]+" times too fast" {
				t.Errorf("number %d is %q, want %q", i+1, group, want[i])
			}
		}
	}
	if listed < groups-1 {
		t.Errorf("%d alerts list them, want one for each of the %d groups that fail", listed, groups-1)
	}
}
