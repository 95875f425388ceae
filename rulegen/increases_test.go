package rulegen_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/internal/testsize"
)

// during is whether a time is within minutes of the beginning.
func during(at time.Time, from, to float64) bool {
	m := at.Sub(enginetest.Start).Minutes()
	return m >= from && m < to
}

// What happens while Prometheus is away is counted when it is back.
func TestOutageInAGapIsCounted(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		outage [2]float64 // minutes
		rate   float64
		away   [2]float64
	}{
		"fifteen minutes, away for twelve of them": {[2]float64{61, 76}, 10, [2]float64{62.5, 74.5}},
		"five minutes, away from the second on":    {[2]float64{61, 66}, 100, [2]float64{63, 73}},
		"away for most of an hour":                 {[2]float64{61, 116}, 10, [2]float64{64, 118}},
	} {
		for _, scrape := range testsize.Of([]time.Duration{time.Minute}, []time.Duration{15 * time.Second, time.Minute}) {
			t.Run(name+" scraped every "+scrape.String(), func(t *testing.T) {
				t.Parallel()
				begin := enginetest.Start
				shop := &countedShop{instances: []*countedInstance{newInstance("a", begin.Add(-100*time.Hour)), newInstance("b", begin.Add(-100*time.Hour))}}
				shop.traffic = func(at time.Time) (rate, bad float64) {
					switch {
					case !during(at, 30, 150): // what rules counted before they counted by increases
						return 0, 0
					case during(at, test.outage[0], test.outage[1]):
						return test.rate, 1
					}
					return test.rate, 0
				}
				names := 3
				if scrape == time.Minute {
					names = testsize.Repeats(2, 8, 20)
				}
				w := countedWorld(t, begin, scrape, names, shop, countedSpec)
				minutes := func(m float64) time.Duration { return time.Duration(m * float64(time.Minute)) }
				w.Run(minutes(test.away[0]))
				w.Restart(minutes(test.away[1] - test.away[0]))
				w.Run(minutes(180) - w.Now().Sub(begin))
				within(t, w, "bad seconds of probes", `sla:bad:sum_period{slo="probed"}`, 15*shop.results[1], 0.01)
				for _, slo := range []string{"bad", "good", "slow"} {
					within(t, w, slo+": bad", `sla:bad:sum_period{slo="`+slo+`"}`, shop.bad, 0.01)
					within(t, w, slo+": all", `sla:total:sum_period{slo="`+slo+`"}`, shop.total, 0.01)
				}
			})
		}
	}
}

// A server that is away for some minutes loses nothing, wherever in a step it goes and
// comes back.
func TestShortGapsLoseNothing(t *testing.T) {
	t.Parallel()
	shop := &countedShop{instances: []*countedInstance{old("a"), old("b")}}
	shop.traffic = func(at time.Time) (float64, float64) {
		if !during(at, 30, 300) {
			return 0, 0
		}
		return 8, 0.1
	}
	w := countedWorld(t, enginetest.Start, time.Minute, testsize.Repeats(2, 8, 20), shop, countedSpec)
	after := func(minutes float64) time.Duration {
		return enginetest.Start.Add(time.Duration(minutes * float64(time.Minute))).Sub(w.Now())
	}
	// Each gap begins 17.25 minutes after the last, so at another quarter of a minute of
	// another minute of a step.
	for i := range 12 {
		begin := 60 + 17.25*float64(i)
		w.Run(after(begin))
		w.Restart(after(begin + []float64{1, 2.5, 4, 5.5, 7}[i%5]))
	}
	w.Run(after(320))
	for _, slo := range []string{"bad", "good", "slow"} {
		within(t, w, slo+": bad", `sla:bad:sum_period{slo="`+slo+`"}`, shop.bad, 0.001)
		within(t, w, slo+": all", `sla:total:sum_period{slo="`+slo+`"}`, shop.total, 0.001)
	}
}

// A case is what happens to a service whose rules count from minute 30 on, and by
// how many of the events that happened the sums may differ.
type birth struct {
	at map[int]func(shop *countedShop, at time.Time) // by minute
	// gap is from when until when the server is away, in minutes.
	gap [2]float64
	// unseen is how many minutes of one instance's events may be missing.
	unseen float64
}

// life is what an instance has counted before anybody looks.
const life = 1e7

func old(name string) *countedInstance {
	i := newInstance(name, enginetest.Start.Add(-1000*time.Hour))
	i.counts["200"], i.counts["500"] = life, life
	return i
}

var births = map[string]birth{
	"nothing": {},
	"a process begins and is found at once": {at: map[int]func(*countedShop, time.Time){
		70: func(s *countedShop, at time.Time) { s.instances = append(s.instances, newInstance("new", at)) },
	}},
	"a process begins in a gap": {gap: [2]float64{66, 81}, at: map[int]func(*countedShop, time.Time){
		70: func(s *countedShop, at time.Time) { s.instances = append(s.instances, newInstance("new", at)) },
	}},
	"a target cannot be reached for ten minutes": {unseen: 10.5, at: map[int]func(*countedShop, time.Time){
		66: func(s *countedShop, _ time.Time) { s.instances[0].down = true },
		76: func(s *countedShop, _ time.Time) { s.instances[0].down = false },
	}},
	"a target cannot be reached for seventy minutes": {unseen: 70.5, at: map[int]func(*countedShop, time.Time){
		52:  func(s *countedShop, _ time.Time) { s.instances[0].down = true },
		122: func(s *countedShop, _ time.Time) { s.instances[0].down = false },
	}},
	"no target can be reached for seventy minutes": {unseen: 2 * 73, at: map[int]func(*countedShop, time.Time){
		52:  func(s *countedShop, _ time.Time) { s.instances[0].down, s.instances[1].down = true, true },
		122: func(s *countedShop, _ time.Time) { s.instances[0].down, s.instances[1].down = false, false },
	}},
	"a target is scraped by another server for a while": {unseen: 40.5, at: map[int]func(*countedShop, time.Time){
		52: func(s *countedShop, _ time.Time) { s.instances[0].gone = true },
		92: func(s *countedShop, _ time.Time) { s.instances[0].gone = false },
	}},
	"a server moves": {unseen: 1, at: map[int]func(*countedShop, time.Time){
		66: func(s *countedShop, _ time.Time) { s.instances[0].name = "moved" },
	}},
	"a server moves in a gap": {gap: [2]float64{64, 82}, unseen: 25.5, at: map[int]func(*countedShop, time.Time){
		66: func(s *countedShop, _ time.Time) { s.instances[0].name = "moved" },
	}},
	"a job gets another name": {unseen: 2, at: map[int]func(*countedShop, time.Time){
		66: func(s *countedShop, _ time.Time) {
			for _, i := range s.instances {
				i.job = "api-v2"
			}
		},
	}},
	"a new job finds an old process": {at: map[int]func(*countedShop, time.Time){
		66: func(s *countedShop, _ time.Time) {
			found := old("found")
			found.job, found.silent = "other", true
			s.instances = append(s.instances, found)
		},
	}},
	"labels are added": {unseen: 2, at: map[int]func(*countedShop, time.Time){
		66: func(s *countedShop, _ time.Time) {
			for _, i := range s.instances {
				i.labels = `,team="red"`
			}
		},
	}},
	"labels are added in a gap": {gap: [2]float64{64, 82}, unseen: 2 * 25.5, at: map[int]func(*countedShop, time.Time){
		66: func(s *countedShop, _ time.Time) {
			for _, i := range s.instances {
				i.labels = `,team="red"`
			}
		},
	}},
	"another server is federated": {at: map[int]func(*countedShop, time.Time){
		66: func(s *countedShop, _ time.Time) {
			found := old("found")
			found.federated, found.silent = true, true
			s.instances = append(s.instances, found)
		},
	}},
	"more of a federated server is read": {at: map[int]func(*countedShop, time.Time){
		40: func(s *countedShop, _ time.Time) {
			found := old("found")
			found.federated, found.silent, found.partial = true, true, true
			s.instances = append(s.instances, found)
		},
		66: func(s *countedShop, _ time.Time) { s.instances[2].partial = false },
	}},
	"a process restarts": {unseen: 1.2, at: map[int]func(*countedShop, time.Time){
		66: func(s *countedShop, at time.Time) { s.instances[0].restart(at) },
	}},
	"a process restarts in a gap": {gap: [2]float64{64, 82}, unseen: 11.5, at: map[int]func(*countedShop, time.Time){
		66: func(s *countedShop, at time.Time) { s.instances[0].restart(at) },
	}},
	"the server is away for two hours": {gap: [2]float64{40, 145}, unseen: 2 * 113.5},
}

// A first value counts if it was counted while the server was there, or in a gap of
// it; what was counted all a life never does. A short run takes each thing that can
// happen, inside a gap or outside.
func TestFirstValuesOfCounters(t *testing.T) {
	t.Parallel()
	for name, test := range testsize.Cases(t, births, "a process begins and is found at once", "a process begins in a gap",
		"a server moves in a gap", "labels are added", "more of a federated server is read", "a process restarts in a gap") {
		for _, scrape := range testsize.Of([]time.Duration{time.Minute}, []time.Duration{15 * time.Second, time.Minute}) {
			t.Run(name+" scraped every "+scrape.String(), func(t *testing.T) {
				t.Parallel()
				testFirstValues(t, test, scrape)
			})
		}
	}
}

func testFirstValues(t *testing.T, test birth, scrape time.Duration) {
	const rate = 10
	begin, until := enginetest.Start, 150.
	if !testsize.All() { // forty minutes after the last of what happens
		last := max(75, test.gap[1])
		for minute := range test.at {
			last = max(last, float64(minute))
		}
		until = min(until, last+40)
	}
	shop := &countedShop{instances: []*countedInstance{old("a"), old("b")}}
	shop.traffic = func(at time.Time) (float64, float64) {
		if !during(at, 30, until) {
			return 0, 0
		}
		return rate, 0.1
	}
	done := map[int]bool{}
	shop.before = func(at time.Time) {
		for minute, happens := range test.at {
			if since := at.Sub(begin); !done[minute] && since >= time.Duration(minute)*time.Minute {
				done[minute] = true
				happens(shop, at)
			}
		}
	}
	w := countedWorld(t, begin, scrape, testsize.Of(1, 3), shop, countedSpec)
	if test.gap[1] > 0 {
		minutes := func(m float64) time.Duration { return time.Duration(m * float64(time.Minute)) }
		w.Run(minutes(test.gap[0]))
		w.Restart(minutes(test.gap[1] - test.gap[0]))
	}
	w.Run(time.Duration(until+30)*time.Minute - w.Now().Sub(begin))
	for _, slo := range []string{"bad", "good", "slow"} {
		for _, of := range []struct {
			name string
			want float64
		}{{"bad", shop.bad}, {"total", shop.total}} {
			least := of.want - test.unseen*60*rate*of.want/shop.total
			for _, s := range w.Query(`sla:` + of.name + `:sum_period{slo="` + slo + `"}`) {
				if s.F < 0.995*least || s.F > 1.005*of.want {
					t.Errorf("%s of %s: recorded %.6g, %.6g happened, of which %.6g can be known", of.name, s.Metric.Get("slo"), s.F, of.want, least)
				}
			}
		}
	}
}

// happening is a world of chance: when the server is away, and what its targets do.
type happening struct {
	shop *countedShop
	gaps [][2]int // minutes
	// restarts counts the restarts of processes. lost is how many minutes of one instance
	// may be missing because of restarts in gaps.
	restarts int
	lost     float64
}

// A gap goes from the last step that was counted before the server was away to the first
// after it: by so many minutes it may be longer.
const (
	countedBefore = 11.5
	countedAfter  = 8.5
)

// unseen is how many minutes of an instance may be missing because it restarts in a gap:
// those from the gap's begin, and of a counter that may be greater after the gap than
// before it, so that nobody sees the reset, also those that it had counted until then.
func (h *happening) unseen(at time.Time, i *countedInstance) (minutes float64) {
	for _, g := range h.gaps {
		from, to := float64(g[0])-countedBefore, float64(g[1])+countedAfter
		if !during(at, from, to) {
			continue
		}
		restart := at.Sub(enginetest.Start).Minutes()
		minutes += restart - from
		if age := float64(g[0]) - i.begun.Sub(enginetest.Start).Minutes(); i.begun.After(enginetest.Start) {
			minutes += max(0, min(age, to-restart))
		}
	}
	return minutes
}

// chance makes one. Gaps are of up to an hour; between them there is time to count a
// step.
func chance(seed uint64, until int) *happening {
	random := rand.New(rand.NewPCG(seed, 14))
	h := &happening{shop: &countedShop{instances: []*countedInstance{old("a"), old("b"), old("c")}, random: random}}
	for at := 40 + random.IntN(30); at < until-70; at += 30 + random.IntN(60) {
		h.gaps = append(h.gaps, [2]int{at, at + 1 + random.IntN(58)})
		at = h.gaps[len(h.gaps)-1][1]
	}
	outage, next := 0, enginetest.Start.Add(35*time.Minute)
	h.shop.traffic = func(at time.Time) (float64, float64) {
		if !during(at, 30, float64(until)) {
			return 0, 0
		}
		if outage > 0 {
			outage--
			return 8, 0.9
		}
		if random.IntN(3000) == 0 {
			outage = 60 + random.IntN(900)
		}
		return 8, 0.002
	}
	h.shop.before = func(at time.Time) {
		if at.Before(next) || !during(at, 30, float64(until)) {
			return
		}
		next = at.Add(time.Duration(600+random.IntN(1800)) * time.Second)
		switch i := random.IntN(len(h.shop.instances)); random.IntN(3) {
		case 0:
			h.shop.instances = append(h.shop.instances, newInstance(fmt.Sprintf("new%d", at.Unix()), at))
		default:
			h.restarts++
			h.lost += h.unseen(at, h.shop.instances[i])
			h.shop.instances[i].restart(at)
		}
	}
	return h
}

// Whatever happens to a server and to its targets, what is summed is what happened.
func TestSumsOfRandomWorlds(t *testing.T) {
	t.Parallel()
	for seed := range uint64(testsize.Repeats(1, 8, 20)) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			testRandomWorld(t, seed)
		})
	}
}

// A server of a pair is away now and then, and the other never is: what both sum is what
// happened.
func testRandomWorld(t *testing.T, seed uint64) {
	const until = 300
	var totals [2]map[string]float64
	for i := range totals {
		totals[i] = map[string]float64{}
		h := chance(seed, until)
		h.shop.firstName = int(seed) // so that many worlds are of many names
		w := countedWorld(t, enginetest.Start.Add(time.Duration(7*i)*time.Second), time.Minute, 1, h.shop, countedSpec)
		for _, g := range h.gaps {
			if i == 1 {
				break
			}
			w.Run(enginetest.Start.Add(time.Duration(g[0]) * time.Minute).Sub(w.Now()))
			w.Restart(enginetest.Start.Add(time.Duration(g[1]) * time.Minute).Sub(w.Now()))
		}
		w.Run(enginetest.Start.Add((until + 20) * time.Minute).Sub(w.Now()))
		for _, slo := range []string{"bad", "good", "slow"} {
			for _, of := range []struct {
				name string
				want float64
			}{{"bad", h.shop.bad}, {"total", h.shop.total}} {
				missing := 1.1 * float64(h.restarts) * 60 * 8 // one scrape of each that restarts
				if i == 0 {
					missing += h.lost * 60 * 8
				}
				if of.name == "bad" {
					missing *= 0.9
				}
				for _, s := range w.Query(`sla:` + of.name + `:sum_period{slo="` + slo + `"}`) {
					totals[i][slo+of.name] = s.F
					if s.F < 0.995*of.want-missing || s.F > 1.005*of.want+missing/8 {
						t.Errorf("server %d: %s of %s: recorded %.6g, %.6g happened, of which %.4g may be missing; away %v", i, of.name, slo, s.F, of.want, missing, h.gaps)
					}
				}
			}
		}
		t.Logf("server %d: away %v, %d restarts: %v of %.6g, %.6g bad", i, h.gaps, h.restarts, totals[i], h.shop.total, h.shop.bad)
	}
}
