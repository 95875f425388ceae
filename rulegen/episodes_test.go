package rulegen_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/internal/testsize"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// episode is a time in which a service is bad, and what people are to be told.
type episode struct {
	name  string
	of    []stretchOfBad
	told  string // severities of burn alerts that are told, in order
	alter func(*sla.ServiceLevel)
}

type stretchOfBad struct {
	lasts time.Duration
	share float64
}

// background is the share of requests that fail always.
const background = 0.0002

func outage(d time.Duration) []stretchOfBad { return []stretchOfBad{{d, 1 - background}} }

func alternating(n int, each time.Duration, shares ...float64) []stretchOfBad {
	var all []stretchOfBad
	for i := range n {
		all = append(all, stretchOfBad{each, shares[i%len(shares)]})
	}
	return all
}

func (e episode) length() time.Duration {
	var sum time.Duration
	for _, s := range e.of {
		sum += s.lasts
	}
	return sum
}

// bad is how many of 10 requests a second were bad until a time after its begin.
func (e episode) bad(after time.Duration) float64 {
	sum := 0.
	for _, s := range e.of {
		if after <= 0 {
			break
		}
		sum += 10 * s.share * min(after, s.lasts).Seconds()
		after -= s.lasts
	}
	return sum
}

// Each of these is one episode for anyone who is notified: one alert that begins and
// ends, of each severity that they are told of.
func episodes() []episode {
	return []episode{
		{name: "quiet", of: nil, told: ""},
		{name: "out-1m", of: outage(time.Minute), told: "page"},
		{name: "out-3m", of: outage(3 * time.Minute), told: "page"},
		{name: "out-10m", of: outage(10 * time.Minute), told: "page"},
		{name: "out-60m", of: outage(time.Hour), told: "page"},
		{name: "brown-out", of: []stretchOfBad{{3 * time.Hour, 0.012}}, told: "ticket page"},
		{name: "at-the-threshold", of: alternating(9, 20*time.Minute, 0.016, 0.013), told: "ticket page"},
		{name: "slow-burn", of: []stretchOfBad{{3 * time.Hour, 0.004}}, told: "ticket"},
		{name: "worse", of: []stretchOfBad{{time.Hour, 0.004}, {time.Hour, 0.02}, {30 * time.Minute, 1 - background}}, told: "ticket page"},
		{name: "better", of: []stretchOfBad{{20 * time.Minute, 1 - background}, {2 * time.Hour, 0.02}, {30 * time.Minute, 0.004}}, told: "page"},
		{name: "waits", of: outage(time.Hour), told: "page", alter: func(l *sla.ServiceLevel) {
			l.Alerting.Tiers[0].For, l.Alerting.Tiers[1].For = 2*time.Minute, 2*time.Minute
		}},
		{name: "two-waits", of: outage(time.Hour), told: "page", alter: func(l *sla.ServiceLevel) {
			l.Alerting.Tiers[1].For = 10 * time.Minute
		}},
		{name: "own-names", of: outage(time.Hour), told: "critical", alter: func(l *sla.ServiceLevel) {
			for i, severity := range []string{"critical", "critical", "warning", "info"} {
				l.Alerting.Tiers[i].Severity = severity
			}
		}},
	}
}

const (
	episodeBegins = 3 * time.Hour
	episodeTrail  = 5*time.Minute + 90*time.Second // rates, a scrape and an evaluation
)

func TestAnEpisodeIsToldOnce(t *testing.T) {
	t.Parallel()
	all := episodes()
	if !testsize.All() { // of each alert that is told, and of each change to the tiers, one
		all = slices.DeleteFunc(all, func(e episode) bool {
			return !slices.Contains([]string{"quiet", "worse"}, e.name)
		})
	}
	var levels []*sla.ServiceLevel
	for _, e := range all {
		l := level(e.name, "99.9", events(`requests_total{code="500",slo="`+e.name+`"}`, "", `requests_total{slo="`+e.name+`"}`))
		if e.alter != nil {
			e.alter(l)
		}
		levels = append(levels, l)
	}
	w := enginetest.New(t, 30*time.Second, func(at time.Time) []enginetest.Sample {
		var samples []enginetest.Sample
		since := at.Sub(enginetest.Start)
		for _, e := range all {
			bad := e.bad(since-episodeBegins) + background*10*since.Seconds()
			samples = append(samples,
				enginetest.Sample{Series: `requests_total{code="200",slo="` + e.name + `"}`, Value: 10*since.Seconds() - bad},
				enginetest.Sample{Series: `requests_total{code="500",slo="` + e.name + `"}`, Value: bad})
		}
		return samples
	})
	w.Load(generate(t, rulegen.Options{}, levels...))
	w.Run(episodeBegins + 9*time.Hour + 30*time.Minute)
	for i, e := range all {
		var begun, open []string
		for _, tr := range w.Transitions() {
			if tr.Labels["slo"] != e.name || tr.Name != sla.AlertBudgetBurn.Name {
				if tr.Labels["slo"] == e.name {
					t.Logf("%s: %s %v %s", e.name, tr.Name, tr.Firing, tr.At.Sub(enginetest.Start)-episodeBegins)
				}
				continue
			}
			severity, after := tr.Labels["severity"], tr.At.Sub(enginetest.Start)-episodeBegins
			repaired := after - e.length()
			t.Logf("%s: %s %s firing=%t %s after the begin, %s after the repair", e.name, severity, tr.Labels["tier"], tr.Firing, after, repaired)
			if tr.Firing {
				begun, open = append(begun, severity), append(open, severity)
				if repaired > episodeTrail {
					t.Errorf("%s: %s begins %s after the repair", e.name, severity, repaired)
				}
				continue
			}
			open = open[:len(open)-1]
			if most := resolves(levels[i], severity); repaired > most {
				t.Errorf("%s: %s ends %s after the repair, want %s at the most", e.name, severity, repaired, most)
			}
			if repaired < 0 {
				t.Errorf("%s: %s ends %s before the repair", e.name, severity, -repaired)
			}
		}
		if got := strings.Join(begun, " "); got != e.told {
			t.Errorf("%s: told %q, want %q", e.name, got, e.told)
		}
		if len(open) > 0 {
			t.Errorf("%s: not over: %v", e.name, open)
		}
	}
}

// resolves is how long after the repair the alert of a severity ends, with what a
// scrape and an evaluation add.
func resolves(l *sla.ServiceLevel, severity string) time.Duration {
	var most time.Duration
	for _, a := range l.BurnAlerts() {
		if a.Severity == severity {
			most = max(most, a.TimeToResolve())
		}
	}
	if most > 6*time.Hour {
		return most + 12*time.Minute // recorded, and evaluated, every five minutes
	}
	return most + 2*time.Minute
}
