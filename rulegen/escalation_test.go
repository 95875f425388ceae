package rulegen_test

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/testsize"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// spell is a time during which an alert fired; To is the last moment of the
// test if it still did.
type spell struct{ from, to time.Time }

// firings are those of every alert, by its labels without escalation, and then
// by escalation.
func firings(w *enginetest.World) map[string]map[string][]spell {
	all := map[string]map[string][]spell{}
	for _, tr := range w.Transitions() {
		if tr.Name == metricnames.BurnTier {
			continue
		}
		labels := maps.Clone(tr.Labels)
		step := labels["escalation"]
		delete(labels, "escalation")
		var words []string
		for _, name := range slices.Sorted(maps.Keys(labels)) {
			words = append(words, name+"="+labels[name])
		}
		key := strings.Join(words, " ")
		if all[key] == nil {
			all[key] = map[string][]spell{}
		}
		if tr.Firing {
			all[key][step] = append(all[key][step], spell{tr.At, w.Now()})
		} else {
			of := all[key][step]
			of[len(of)-1].to = tr.At
		}
	}
	return all
}

// Step n of an escalation fires when the alert has been firing for its time,
// whether or not what it watches went on all the while, and stops when it does.
func TestEscalationFiresWhileTheAlertDoes(t *testing.T) {
	t.Parallel()
	testsize.Skip(t, "escalation over six hours of bursts")
	random := rand.New(rand.NewPCG(1, 2))
	burst := func(n int) func(int) bool { return func(m int) bool { return m >= 60 && m < 60+n } }
	bad := map[string]func(int) bool{
		"short": burst(4), "long": burst(150), "flicker": func(m int) bool { return m >= 60 && m < 200 && m/9%2 == 0 },
	}
	chances := make([]float64, 400)
	for i := range chances {
		chances[i] = random.Float64()
	}
	bad["random"] = func(m int) bool { return chances[m/6] < 0.3 }
	var levels []*sla.ServiceLevel
	for _, slo := range slices.Sorted(maps.Keys(bad)) {
		for _, keep := range testsize.Of([]time.Duration{20 * time.Minute}, []time.Duration{0, 20 * time.Minute}) {
			l := level(slo+"-"+sla.FormatDuration(keep), "99.9", events(`requests_total{code="500",slo="`+slo+`"}`, "", `requests_total{slo="`+slo+`"}`))
			l.Labels = map[string]string{"team": "shop"}
			for i := range l.Alerting.Tiers {
				l.Alerting.Tiers[i].KeepFiringFor = keep
			}
			l.Escalation = []sla.EscalationStep{
				{Notify: []string{"on-call"}, Severities: []string{"page"}},
				{After: 15 * time.Minute, Notify: []string{"lead"}, Severities: []string{"page"}},
				{After: 15 * time.Minute, Notify: []string{"desk"}, Tiers: []string{"ticket-slow"}},
				{After: time.Hour, Notify: []string{"boss"}, Tiers: []string{"page-fast"}},
			}
			levels = append(levels, l)
		}
	}
	w := enginetest.New(t, 15*time.Second, func(at time.Time) []enginetest.Sample {
		var samples []enginetest.Sample
		for _, slo := range slices.Sorted(maps.Keys(bad)) {
			samples = append(samples, sparse(slo, bad[slo])(at)...)
		}
		return samples
	})
	w.Load(generate(t, rulegen.Options{}, levels...))
	w.Run(6 * time.Hour)
	seen := map[string]int{}
	for alert, of := range firings(w) {
		want := map[string][]spell{"": of[""]}
		for _, f := range of[""] {
			for step, after := range map[string]time.Duration{"15m": 15 * time.Minute, "1h": time.Hour} {
				concerned := strings.Contains(alert, "severity=page") || step == "15m" && strings.Contains(alert, "tier=ticket-slow")
				if step == "1h" {
					concerned = strings.Contains(alert, "tier=page-fast")
				}
				if begin := f.from.Add(after); concerned && begin.Before(f.to) {
					want[step] = append(want[step], spell{begin, f.to})
					seen[step]++
				}
			}
		}
		if !maps.EqualFunc(of, want, slices.Equal) {
			t.Errorf("%s fired\n%v\nand its steps should have\n%v", alert, of, want)
		}
		if len(of[""]) > 1 {
			seen["again"]++
		}
	}
	if seen["15m"] < testsize.Of(4, 8) || seen["1h"] < testsize.Of(1, 2) || seen["again"] < testsize.Of(1, 2) {
		t.Errorf("too little happened to prove anything: %v", seen)
	}
}

// Without steps after a time the rules are what they were.
func TestEscalationAtOnceNeedsNoRule(t *testing.T) {
	plain := level("a", "99.9", events("bad_total", "", "requests_total"))
	told := level("a", "99.9", events("bad_total", "", "requests_total"))
	told.Escalation = []sla.EscalationStep{{Notify: []string{"on-call"}, Severities: []string{"page"}}}
	if a, b := generate(t, rulegen.Options{}, plain), generate(t, rulegen.Options{}, told); string(a) != string(b) {
		t.Error("telling somebody at once made a rule")
	}
}

// An escalation keeps every label of its alert, so that a silence of the alert
// is one of all its steps; and with labels of the environment it reads no alert
// of another.
func TestEscalationCarriesTheLabelsOfItsAlert(t *testing.T) {
	t.Parallel()
	l := level("a", "99.9", events(`requests_total{code="500",slo="a"}`, "", `requests_total{slo="a"}`))
	l.Labels, l.Alerting.Tiers[0].Labels = map[string]string{"team": "shop"}, map[string]string{"channel": "night"}
	l.Escalation = []sla.EscalationStep{{After: 5 * time.Minute, Notify: []string{"lead"}, Severities: []string{"page"}}}
	w := enginetest.New(t, 15*time.Second, sparse("a", func(m int) bool { return m > 60 }))
	w.Load(generate(t, rulegen.Options{Labels: map[string]string{"region": "east"}}, l))
	w.Run(100 * time.Minute)
	var told int
	for alert, of := range firings(w) {
		if !strings.Contains(alert, "region=east") || !strings.Contains(alert, "team=shop") {
			t.Errorf("%s lacks a label", alert)
		}
		if strings.Contains(alert, "tier=page-fast") && !strings.Contains(alert, "channel=night") {
			t.Errorf("%s lacks the tier's label", alert)
		}
		if len(of["5m"]) > 0 && len(of[""]) > 0 {
			told++
		}
	}
	if told != 2 {
		t.Errorf("%d alerts escalated, want those of both pages", told)
	}
}
