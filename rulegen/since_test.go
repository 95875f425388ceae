package rulegen_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/internal/testsize"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// A page says since when the service is bad, and restarts of the server, short or
// longer than it looks back, do not move that; an outage that begins while the
// server is away begins with what it sees first, and one that is over is not
// counted to the next.
func TestRestartDoesNotMoveTheStartOfAnOutage(t *testing.T) {
	t.Parallel()
	testsize.Skip(t, "restarts in outages of nine hours; those of a component are always tried")
	type span struct{ from, to time.Duration }
	const away, back = 4*time.Hour + 30*time.Minute, 4*time.Hour + 55*time.Minute
	services := map[string]struct {
		bad  []span
		want time.Duration
	}{
		"goes-on":     {[]span{{3 * time.Hour, 9 * time.Hour}}, 3 * time.Hour},
		"while-away":  {[]span{{away + 5*time.Minute, 9 * time.Hour}}, back},
		"second":      {[]span{{time.Hour, 2 * time.Hour}, {4 * time.Hour, 9 * time.Hour}}, 4 * time.Hour},
		"after":       {[]span{{5 * time.Hour, 9 * time.Hour}}, 5 * time.Hour},
		"good-inside": {[]span{{3 * time.Hour, away - 20*time.Minute}, {back + 5*time.Minute, 9 * time.Hour}}, back + 5*time.Minute},
	}
	bad := func(slo string, since time.Duration) float64 {
		sum := 0.
		for _, s := range services[slo].bad {
			sum += 10 * min(max(since-s.from, 0), s.to-s.from).Seconds()
		}
		return sum
	}
	w := enginetest.New(t, 15*time.Second, func(at time.Time) []enginetest.Sample {
		var samples []enginetest.Sample
		since := at.Sub(enginetest.Start)
		for slo := range services {
			n := bad(slo, since)
			samples = append(samples,
				enginetest.Sample{Series: fmt.Sprintf(`requests_total{code="200",slo=%q,tenant="globex"}`, slo), Value: 10*since.Seconds() - n},
				enginetest.Sample{Series: fmt.Sprintf(`requests_total{code="500",slo=%q,tenant="globex"}`, slo), Value: n})
		}
		return samples
	})
	var levels []*sla.ServiceLevel
	for slo := range services {
		of := events(`requests_total{code="500",slo="`+slo+`"}`, "", `requests_total{slo="`+slo+`"}`)
		levels = append(levels, level(slo, "99.9", of), groupedLevel(slo+"-of-tenants", of))
	}
	file := generate(t, rulegen.Options{Labels: map[string]string{"environment": "50%d"}}, levels...)
	w.Load(file)
	since := func() map[string]time.Duration {
		told := map[string]time.Duration{}
		for _, a := range w.Alerts() {
			if a.Labels["alertname"] != sla.AlertBudgetBurn.Name || a.Labels["severity"] != "page" {
				continue
			}
			if at, err := time.Parse("2006-01-02 15:04:05 -0700 MST", a.Annotations["bad_since"]); err == nil {
				told[a.Labels["slo"]] = at.Sub(enginetest.Start)
			} else if !strings.HasPrefix(a.Annotations["bad_since"], "no longer") {
				t.Errorf("%s is told to be bad since %q", a.Labels["slo"], a.Annotations["bad_since"])
			}
		}
		return told
	}
	check := func(slo string, told map[string]time.Duration) {
		t.Helper()
		for _, slo := range []string{slo, slo + "-of-tenants"} {
			got, firing := told[slo]
			want := services[strings.TrimSuffix(slo, "-of-tenants")].want
			if late := got - want; !firing || late < 0 || late > 3*time.Minute {
				t.Errorf("%s: told to be bad since %s (%t), want %s and at most three minutes", slo, got, firing, want)
			}
		}
	}
	w.Run(away - 2*time.Minute)
	w.KeepAnnotations()
	w.Load(file)
	w.Run(2 * time.Minute)
	check("goes-on", since())
	check("second", since())
	if at, told := since()["good-inside"]; told {
		t.Errorf("what is good again is told to be bad since %s", at)
	}
	w.Restart(back - away)
	w.Run(time.Hour)
	w.Restart(20 * time.Second)
	w.Run(10 * time.Minute)
	told := since()
	for slo := range services {
		check(slo, told)
	}
}

// Nor does a restart move since when a component is down, and what was down before
// is not counted to the next time.
func TestRestartDoesNotMoveSinceWhenAComponentIsDown(t *testing.T) {
	t.Parallel()
	const first, again = 20, 60
	w := pagedWorld(t, "linked", func(series string, minute int) bool {
		return series != "cart_up" || minute < first || minute >= first+10 && minute < again
	})
	const since = `sla:component:down_since_seconds{component="cart/up"}`
	start := func() time.Duration { return time.Unix(int64(w.Value(since)), 0).Sub(enginetest.Start) }
	check := func(minute time.Duration) {
		t.Helper()
		if got, want := start(), minute*time.Minute; got < want || got > want+3*time.Minute {
			t.Errorf("the component is down since %s, want %s and at most three minutes", got, want)
		}
	}
	w.Run((first + 8) * time.Minute)
	check(first)
	w.Run((again - first) * time.Minute)
	check(again)
	w.Restart(20 * time.Minute)
	w.Run(10 * time.Minute)
	check(again)
}
