package rulegen_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// A page holds back its level's tickets whatever the two are called: in an
// outage that both would see, only the page fires.
func TestPagesOfAnyNameHoldBackTickets(t *testing.T) {
	t.Parallel()
	l := level("requests", "99.9", events(`requests_total{code="500"}`, "", `requests_total`))
	for i, name := range []string{"critical", "critical", "warning", "warning"} {
		l.Alerting.Tiers[i].Severity = name
	}
	alone := level("tickets-alone", "99.9", events(`requests_total{code="500"}`, "", `requests_total`))
	alone.Alerting.Tiers = alone.Alerting.Tiers[2:]
	outage := enginetest.Start.Add(2 * time.Hour)
	w := enginetest.New(t, 15*time.Second, func(at time.Time) []enginetest.Sample {
		bad := max(at.Sub(outage).Seconds(), 0)
		return []enginetest.Sample{
			{Series: `requests_total{code="200"}`, Value: 10 * (at.Sub(enginetest.Start).Seconds() - bad)},
			{Series: `requests_total{code="500"}`, Value: 10 * bad},
		}
	})
	w.Load(generate(t, rulegen.Options{}, l, alone))
	w.Run(3 * time.Hour)
	fired := map[string]int{}
	for _, tr := range w.Transitions() {
		if tr.Firing && tr.Name == sla.AlertBudgetBurn.Name {
			fired[tr.Labels["slo"]+" "+tr.Labels["severity"]]++
		}
	}
	if got, want := fmt.Sprint(fired), "map[requests critical:1 tickets-alone ticket:1]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
