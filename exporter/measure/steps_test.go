package measure

import (
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/exporter/probe"
)

// TestStepsOfAJourney: a step counts once with its redirects, and a step that was
// not reached does not count.
func TestStepsOfAJourney(t *testing.T) {
	m := newMetrics()
	target := m.Replace([]Spec{spec("journey", "http", "https://shop.example/", time.Second)})[0]
	r := result(probe.Good, "", 3*time.Second, probe.Connect)
	r.Parts = []probe.Part{{Step: "login", Duration: time.Second}, {Step: "login", Duration: time.Second}, {Step: "cart", Duration: 500 * time.Millisecond}}
	target.observe(r)
	r = result(probe.Bad, probe.Status, time.Second, probe.Connect)
	r.Parts = r.Parts[:0]
	r.Parts = append(r.Parts, probe.Part{Step: "login", Duration: 500 * time.Millisecond})
	target.observe(r)
	target.observe(result(probe.Good, "", time.Second))
	text := string(exposition(t, m))
	for _, want := range []string{`step="login"} 2.5`, `step="login"} 2`, `step="cart"} 0.5`, `step="cart"} 1`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	hops := m.Replace([]Spec{spec("redirected", "http", "https://shop.example/", time.Second)})[0]
	r = result(probe.Good, "", time.Second)
	r.Parts = []probe.Part{{Duration: time.Second}, {Duration: time.Second}}
	hops.observe(r)
	if text := string(exposition(t, m)); strings.Contains(text, "step_duration") {
		t.Errorf("hops are steps:\n%s", text)
	}
}
