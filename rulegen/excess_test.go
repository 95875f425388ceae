package rulegen_test

import (
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// Good events that exceed the total hide bad ones: by what share is recorded
// while it is so, also by group, and told in the alerts; not of selectors that
// count the same.
func TestGoodEventsThatExceedTheTotalAreTold(t *testing.T) {
	t.Parallel()
	w := enginetest.New(t, 15*time.Second, func(at time.Time) []enginetest.Sample {
		s := at.Sub(enginetest.Start).Seconds()
		return []enginetest.Sample{
			{Series: `total{g="a"}`, Value: 10 * s},
			{Series: `total{g="b"}`, Value: 10 * s},
			{Series: `good{g="a"}`, Value: 13 * s},
			{Series: `good{g="b"}`, Value: 5 * s},
			{Series: `fine`, Value: 10 * s},
			{Series: `of`, Value: 20 * s},
		}
	})
	more := level("more", "99", events("", `good{g="a"}`, `total{g="a"}`))
	fine := level("fine", "99", events("", `fine`, `of`))
	grouped := groupedLevel("groups", events("", `good`, `total`))
	grouped.GroupBy.Labels = []string{"g"}
	w.KeepAnnotations()
	w.Load(generate(t, rulegen.Options{}, more, fine, grouped))
	w.Run(40 * time.Minute)
	near(t, "excess", w.Value(series("sla:excess:ratio", "more")), 0.3, 0.001)
	near(t, "excess of the group", w.Value(series("sla:excess:ratio", "groups")), 0.3, 0.001) // of the one that has any
	if v := w.Query(series("sla:excess:ratio", "fine")); len(v) > 0 {
		t.Errorf("excess of good events that are fewer: %v", v)
	}
	told := map[string]string{}
	for _, a := range w.Alerts() {
		if a.Labels["alertname"] == sla.AlertBudgetBurn.Name {
			told[a.Labels["slo"]+a.Labels["g"]] = a.Annotations["excess"]
		}
	}
	if text, fires := told["fine"]; !fires || text != "" {
		t.Errorf("the alert of a level without excess says %q (fires: %v)", text, fires)
	}
	text := ""
	// of one of its groups, whichever the alert is of
	for of, words := range told {
		if strings.HasPrefix(of, "groups") {
			text = words
		}
	}
	if !strings.HasPrefix(text, "30% more good events of a group are counted than events") {
		t.Errorf("the alert of a level with a group with excess says %q", text)
	}
}

// An alert that fires while good events exceed the total, as for what was bad
// before, says so.
func TestAlertsTellOfTheExcess(t *testing.T) {
	t.Parallel()
	const turn = 30 * 60
	w := enginetest.New(t, 15*time.Second, func(at time.Time) []enginetest.Sample {
		s := at.Sub(enginetest.Start).Seconds()
		good := 5 * s
		if s > turn {
			good = 5*turn + 13*(s-turn)
		}
		return []enginetest.Sample{{Series: `total`, Value: 10 * s}, {Series: `good`, Value: good}}
	})
	l := level("more", "99", events("", `good`, `total`))
	w.KeepAnnotations()
	w.Load(generate(t, rulegen.Options{}, l))
	w.Run(turn*time.Second + 9*time.Minute)
	for _, a := range w.Alerts() {
		if text := a.Annotations["excess"]; strings.HasPrefix(text, "30% more good events are counted than events") {
			return
		}
	}
	t.Errorf("no alert tells of the excess: %v", w.Alerts())
}
