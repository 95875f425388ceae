package rulegen_test

import (
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/internal/testsize"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// In the middle of an outage the measurement is lost for hours; when it is back
// all is well. Until then the page stays and says why, and a lost measurement is
// told ten minutes after the last sample, however the level counts.
func TestPageStaysWhileNothingIsMeasured(t *testing.T) {
	t.Parallel()
	const bad, gone, back = time.Hour, 80 * time.Minute, 4 * time.Hour
	counting := map[sla.Aggregation]time.Duration{ // with the width of slots
		sla.RequestRatio: 0, sla.BadMinute: time.Minute, sla.AllFailedMinute: time.Minute, sla.MeanSlotErrorRate: 5 * time.Minute,
	}
	var levels []*sla.ServiceLevel
	if !testsize.All() {
		delete(counting, sla.BadMinute)
		delete(counting, sla.AllFailedMinute)
	}
	for aggregation, width := range counting {
		l := level(string(aggregation), "99.9", events(`requests_total{code="500"}`, "", `requests_total`))
		l.Aggregation, l.Slots.Width = aggregation, width
		levels = append(levels, l)
	}
	levels = append(levels, level("condition", "99.9", &sla.Condition{Expr: sla.Query{Text: "requests_ok == 1"}}))
	w := enginetest.New(t, 15*time.Second, func(at time.Time) []enginetest.Sample {
		since := at.Sub(enginetest.Start)
		if since >= gone && since < back {
			return nil
		}
		n := 10 * since.Seconds()
		failed := 10 * min(max(since-bad, 0), gone-bad).Seconds()
		ok := 1.
		if since >= bad && since < gone {
			ok = 0
		}
		return []enginetest.Sample{
			{Series: `requests_total{code="200"}`, Value: n - failed},
			{Series: `requests_total{code="500"}`, Value: failed},
			{Series: "requests_ok", Value: ok},
		}
	})
	file := generate(t, rulegen.Options{}, levels...)
	w.Load(file)
	w.Run(back - 12*time.Minute)
	w.KeepAnnotations()
	w.Load(file)
	w.Run(2 * time.Minute)
	said := map[string]bool{}
	for _, a := range w.Alerts() {
		if a.Labels["alertname"] == sla.AlertBudgetBurn.Name && a.Labels["severity"] == "page" {
			said[a.Labels["slo"]] = strings.Contains(a.Annotations["description"], "Nothing is measured now.")
		}
	}
	w.Run(80 * time.Minute)
	for _, l := range levels {
		slo, turns := l.ID.SLO, map[string][]time.Duration{}
		for _, tr := range w.Transitions() {
			if tr.Labels["slo"] == slo && tr.Labels["severity"] == "page" {
				turns[tr.Name] = append(turns[tr.Name], tr.At.Sub(enginetest.Start))
			}
		}
		page, lost := turns[sla.AlertBudgetBurn.Name], turns[sla.AlertMeasurementLost.Name]
		if len(page) != 2 || page[0] > gone || page[1] < back || page[1] > back+50*time.Minute {
			t.Errorf("%s: the page turned at %v, want once in the outage from %s and once after %s", slo, page, bad, back)
		}
		if !said[slo] {
			t.Errorf("%s: the page does not say that nothing is measured", slo)
		}
		if len(lost) != 2 {
			t.Fatalf("%s: the lost measurement turned at %v", slo, lost)
		}
		latest := max(12*time.Minute, sla.BaseWindow+2*l.Slots.Width) // that of a slot is known at the end of the next one
		if after := lost[0] - gone; after < 8*time.Minute+30*time.Second || after > latest {
			t.Errorf("%s: the lost measurement is told %s after the last sample", slo, after)
		}
	}
}
