//go:build integration

package integration

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// The states of a composite, computed slot by slot from the counters of probes
// by the words of docs/composites.md, without the product's rules.

// slotTimes are the moments at which slots were judged, ascending, with a value
// for each component; NaN where nothing was recorded.
type slotTimes struct {
	at     []float64
	states map[string][]float64 // by component
}

var wholesComponents = []string{"storefront/availability", "psp-a/availability", "psp-b/availability"}

// componentStates reads what was recorded of the components.
func (w *providers) componentStates(t *testing.T) slotTimes {
	t.Helper()
	recorded, err := w.server.raw(`sla:component:bad{service="checkout",slo="paying"}`, "10m")
	if err != nil {
		t.Fatal(err)
	}
	s := slotTimes{states: map[string][]float64{}}
	known := map[string]map[float64]float64{}
	for _, r := range recorded {
		component := map[float64]float64{}
		for i, at := range r.at {
			component[at] = r.value[i]
		}
		known[r.labels["component"]] = component
	}
	for _, r := range recorded {
		if r.labels["component"] == wholesComponents[0] {
			s.at = r.at
		}
	}
	for _, c := range wholesComponents {
		for _, at := range s.at {
			v, ok := known[c][at]
			if !ok {
				v = math.NaN()
			}
			s.states[c] = append(s.states[c], v)
		}
	}
	if len(s.at) < 30 {
		t.Fatalf("only %d slots", len(s.at))
	}
	return s
}

// checkSlots holds the components' states to their probes and the composite's to
// its components, in every slot. It returns how often the rules left a slot out
// while one provider was down alone, after which failing over begins again.
func (w *providers) checkSlots(t *testing.T) (gaps int) {
	t.Helper()
	s := w.componentStates(t)
	for _, c := range wholesComponents {
		w.checkComponent(t, c, s)
	}
	slots, err := w.server.raw(`sla:slot:bad{service="checkout",slo="paying"}`, "10m")
	if err != nil || len(slots) != 1 {
		t.Fatalf("%d series of slots: %v", len(slots), err)
	}
	bad := map[float64]float64{}
	for i, at := range slots[0].at {
		bad[at] = slots[0].value[i]
	}
	compared, alone, aloneBad := 0, 0, 0
	for i, at := range s.at {
		want, known := s.whole(i)
		got, recorded := bad[at]
		if !known || !recorded {
			continue
		}
		if compared++; got != want {
			t.Errorf("slot of %.3f: the composite is %v, want %v of %s", at, got, want, s.describe(i))
		}
		if s.states["psp-a/availability"][i] == 1 && s.states["psp-b/availability"][i] == 0 {
			alone++
			aloneBad += int(got)
			if !s.follows(i, 1) {
				gaps++
			}
		}
	}
	if compared < len(s.at)-10 {
		t.Errorf("only %d of %d slots could be compared", compared, len(s.at))
	}
	// Where rules were not evaluated, nobody knows how long it has been.
	if alone < 15 || aloneBad > failoverSlots*(1+gaps) {
		t.Errorf("the first provider was down alone for %d slots, of which %d were bad, with %d gaps", alone, aloneBad, gaps)
	}
	t.Logf("%d slots are as they should be; with one provider down alone %d of %d were bad", compared, aloneBad, alone)
	return gaps
}

// whole is the composite's state in slot i: bad if the storefront is, or both
// providers, or while it takes to go on to the second one.
func (s slotTimes) whole(i int) (bad float64, known bool) {
	for back := 0; back <= failoverSlots; back++ {
		for _, c := range wholesComponents {
			if i-back < 0 || math.IsNaN(s.states[c][i-back]) {
				return 0, false
			}
		}
	}
	front, first, second := s.states["storefront/availability"][i] == 1, s.states["psp-a/availability"][i] == 1, s.states["psp-b/availability"][i] == 1
	switched := s.follows(i, failoverSlots)
	for back := 1; back <= failoverSlots; back++ {
		switched = switched && s.states["psp-a/availability"][i-back] == 1
	}
	if front || first && (second || !switched) {
		return 1, true
	}
	return 0, true
}

// follows reports whether as many slots before i were judged, none left out.
func (s slotTimes) follows(i, slots int) bool {
	for back := 1; back <= slots; back++ {
		if i-back < 0 || math.Abs(s.at[i]-s.at[i-back]-float64(back)*shopPace.Seconds()) > 0.1 {
			return false
		}
	}
	return true
}

func (s slotTimes) describe(i int) string {
	words := ""
	for _, c := range wholesComponents {
		words += fmt.Sprintf("%s %v ", c, s.states[c][max(0, i-failoverSlots):i+1])
	}
	return words
}

// nearHalf is how far the share of a window may be from what is counted between its
// first and last scrape: rates reach out to the window's ends by up to a scrape
// interval, those of counters that began at 0 by less.
const nearHalf = 0.04

// checkComponent holds the state of a component to the increases of its probes'
// counters over the minute before.
func (w *providers) checkComponent(t *testing.T, component string, s slotTimes) {
	t.Helper()
	service, _, _ := strings.Cut(component, "/")
	recorded, err := w.server.raw(fmt.Sprintf(`upheld_probe_results_total{service=%q,slo="availability",outcome=~"good|bad"}`, service), "12m")
	if err != nil || len(recorded) != 2 {
		t.Fatalf("%s has %d series of results: %v", component, len(recorded), err)
	}
	counts := map[string]recording{}
	for _, r := range recorded {
		counts[r.labels["outcome"]] = r
	}
	decided := map[float64]int{}
	for i, at := range s.at {
		// What is read is the last multiple of the pace that is at least one pace ago.
		pace := shopPace.Seconds()
		end := math.Floor(at/pace-1) * pace
		bad, good := counts["bad"].increase(end-slotWindow, end), counts["good"].increase(end-slotWindow, end)
		if !(bad+good >= 10) || math.IsNaN(s.states[component][i]) {
			continue // the first seconds, of which there is no increase yet
		}
		share := bad / (bad + good)
		if math.Abs(share-0.5) < nearHalf {
			continue
		}
		want := 0.0
		if share > 0.5 {
			want = 1
		}
		if decided[want]++; s.states[component][i] != want {
			t.Errorf("slot of %.3f: %s is %v, with %v bad and %v good probes", at, component, s.states[component][i], bad, good)
		}
	}
	if decided[0] < 10 || (service == "psp-a" && decided[1] < 10) {
		t.Errorf("%s: only %v slots could be decided", component, decided)
	}
}

// increase is how much a counter has grown between its first and its last sample
// after from and until to.
func (r recording) increase(from, to float64) float64 {
	first := math.NaN()
	last := math.NaN()
	for i, at := range r.at {
		if at <= from || at > to {
			continue
		}
		if math.IsNaN(first) {
			first = r.value[i]
		}
		last = r.value[i]
	}
	return last - first
}

// checkBlame holds who is blamed for how many slots to what was down in them:
// psp-a for the slots of switching, both alike while both were down.
func (w *providers) checkBlame(t *testing.T) {
	t.Helper()
	s := w.componentStates(t)
	blame, err := w.server.raw(`sla:blame:slot{service="checkout",slo="paying"}`, "10m")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]map[float64]float64{}
	for _, r := range blame {
		key := r.labels["component"] + " " + r.labels["how"]
		got[key] = map[float64]float64{}
		for i, at := range r.at {
			got[key][at] = r.value[i]
		}
	}
	slots := 0
	for i, at := range s.at {
		bad, known := s.whole(i)
		if !known {
			continue
		}
		want := map[string]float64{}
		switch both := s.states["psp-b/availability"][i] == 1; {
		case bad == 1 && both:
			want["psp-a/availability with_others"], want["psp-b/availability with_others"] = 0.5, 0.5
		case bad == 1:
			want["psp-a/availability alone"] = 1
		}
		slots += int(bad)
		for _, c := range wholesComponents {
			for _, how := range []string{" alone", " with_others"} {
				if g := got[c+how][at]; math.Abs(g-want[c+how]) > 1e-9 && i < len(s.at)-1 {
					t.Errorf("slot of %.3f: %s is blamed for %v%s, want %v of %s", at, c, g, how, want[c+how], s.describe(i))
				}
			}
		}
	}
	if slots < 10 {
		t.Errorf("only %d bad slots", slots)
	}
	t.Logf("the blame for %d bad slots is where it should be", slots)
}
