package rulegen_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/internal/testsize"
)

// maskedWorld is a shop with service hours and exclusions, and what happened in it in
// each second.
type maskedWorld struct {
	begin       time.Time
	shop        *countedShop
	total, bad  []float64   // by second
	known, down []float64   // the seconds that probes stand for, and the bad ones
	hours       []clockSpan // of every day, on the clock of the zone
	zone        *time.Location
	removed     [2]time.Time // a maintenance window
	excused     [2]time.Time // one that treats as up
	link        func(at time.Time) bool
	gaps        [][2]int // minutes
}

// clockSpan is from a minute of the day to another.
type clockSpan struct{ from, to int }

func (s clockSpan) String() string {
	return fmt.Sprintf(`{days: [Mon, Tue, Wed, Thu, Fri, Sat, Sun], from: "%02d:%02d", to: "%02d:%02d"}`, s.from/60, s.from%60, s.to/60, s.to%60)
}

// Whether a moment is in the service hours, is not removed, and counts when it is bad.
func (m *maskedWorld) masks(at time.Time) (served, agreed, kept bool) {
	local := at.In(m.zone)
	minute := 60*local.Hour() + local.Minute()
	for _, s := range m.hours {
		served = served || minute >= s.from && minute < s.to
	}
	within := func(w [2]time.Time) bool { return !at.Before(w[0]) && at.Before(w[1]) }
	agreed = served && !within(m.removed) && m.link(at)
	return served, agreed, agreed && !within(m.excused)
}

const maskedSpec = `
apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: counted%%d}
spec:
  alerting: {enabled: false}
  timeZone: %s
  calendars: {open: {weekly: [%s]}}
  serviceHours: open
  period: 1d
  maintenance: {effect: remove_from_agreed_time, windows: [{from: %q, to: %q}]}
  exclusions:
    - {name: early, effect: treat_as_up, windows: [{from: %q, to: %q}]}
    - {name: link, effect: remove_from_agreed_time, condition: "link_up == 0"}
  serviceLevels:
    - {name: bad, target: "99", indicator: {events: {bad: 'requests_total{code="500"}', total: requests_total}}}
    - {name: good, target: "99", indicator: {events: {good: 'requests_total{code="200"}', total: 'requests_total{code="200"} + requests_total{code="500"}'}}}
    - {name: slow, target: "99", indicator: {latency: {histogram: seconds, threshold: 300ms}}}
    - {name: plain, target: "99", serviceHours: always, exclusions: [], indicator: {events: {bad: 'requests_total{code="500"}', total: requests_total}}}
    - {name: probed, service: shop, target: "99", indicator: {probe: {http: "https://shop.example", interval: 15s}}}
    - {name: grouped, target: "99", groupBy: {labels: [job]}, indicator: {events: {bad: 'requests_total{code="500"}', total: requests_total}}}
`

func (m *maskedWorld) spec() string {
	var hours []string
	for _, s := range m.hours {
		hours = append(hours, s.String())
	}
	at := func(t time.Time) string { return t.UTC().Format(time.RFC3339) }
	return fmt.Sprintf(maskedSpec, m.zone, strings.Join(hours, ", "), at(m.removed[0]), at(m.removed[1]), at(m.excused[0]), at(m.excused[1]))
}

// minute is a time so many minutes after the beginning.
func (m *maskedWorld) minute(n float64) time.Time {
	return m.begin.Add(time.Duration(n * float64(time.Minute)))
}

// chanceOfMasks makes one in a zone from an instant on. Hours begin and end at multiples
// of five minutes of the zone, and elsewhere.
func chanceOfMasks(t *testing.T, seed uint64, zone string, begin time.Time, until int) *maskedWorld {
	random := rand.New(rand.NewPCG(seed, 15))
	m := &maskedWorld{begin: begin}
	var err error
	if m.zone, err = time.LoadLocation(zone); err != nil {
		t.Fatal(err)
	}
	for at := random.IntN(60); at < 1440-60; at += 30 + random.IntN(120) {
		s := clockSpan{from: at, to: at + 60 + random.IntN(120)}
		if random.IntN(3) > 0 {
			s.from, s.to = s.from/5*5, s.to/5*5
		}
		if s.to = min(s.to, 1440); s.to > s.from {
			m.hours = append(m.hours, s)
		}
		at = s.to
	}
	window := func() [2]time.Time {
		from := 60 + random.IntN(until-120)
		return [2]time.Time{m.minute(float64(from)), m.minute(float64(from + 7 + random.IntN(40)))}
	}
	m.removed, m.excused = window(), window()
	cut := [2]time.Time{m.minute(float64(60 + random.IntN(until-120)))}
	cut[1] = cut[0].Add(time.Duration(300+random.IntN(1200)) * time.Second)
	m.link = func(at time.Time) bool { return at.Before(cut[0]) || !at.Before(cut[1]) }
	m.total, m.bad = make([]float64, 60*(until+60)), make([]float64, 60*(until+60))
	m.shop = &countedShop{instances: []*countedInstance{old("a"), old("b"), old("c")}, random: random, firstName: int(seed)}
	m.shop.happened = func(at time.Time, total, bad float64) {
		second := int(at.Sub(begin) / time.Second)
		m.total[second], m.bad[second] = m.total[second]+total, m.bad[second]+bad
	}
	m.known, m.down = make([]float64, len(m.total)), make([]float64, len(m.total))
	m.shop.probed = func(at time.Time, outcome int) {
		second := int(at.Sub(begin) / time.Second)
		m.known[second], m.down[second] = 15, 15*float64(outcome)
	}
	outage := 0
	m.shop.traffic = func(at time.Time) (float64, float64) {
		switch {
		case at.Before(m.minute(30)) || !at.Before(m.minute(float64(until))):
			return 0, 0
		case outage > 0:
			outage--
			return 8, 0.9
		case random.IntN(2500) == 0:
			outage = 60 + random.IntN(900)
		}
		return 8, 0.002
	}
	return m
}

// truth is what happened that counts, and by how much sums may differ from it: what
// happens around the edges of masks, and in gaps that have one.
func (m *maskedWorld) truth(events []float64, counts func(at time.Time) bool, scrape time.Duration) (sum, may float64) {
	at := func(second int) time.Time { return m.begin.Add(time.Duration(second) * time.Second) }
	between := func(from, to int) (all, counted float64, seconds int) {
		for s := max(0, from); s < min(to, len(events)); s++ {
			if all += events[s]; counts(at(s)) {
				counted, seconds = counted+events[s], seconds+1
			}
		}
		return all, counted, seconds
	}
	soft := 15 + int(scrape/time.Second)
	for s := 1; s < len(events); s++ {
		if counts(at(s)) != counts(at(s-1)) {
			after := 0
			if m.link(at(s)) != m.link(at(s-1)) { // which is known after a scrape and an evaluation
				after = 60 + soft
			}
			around, _, _ := between(s-soft, s+after)
			may += around
		}
	}
	for _, g := range m.gaps { // an edge in one, or where it may be longer, leaves the share of its time
		from, to := 60*g[0]-int(60*countedBefore), 60*g[1]+int(60*countedAfter)
		all, counted, seconds := between(60*g[0], 60*g[1])
		if _, _, wide := between(from, to); wide > 0 && wide < to-from {
			may += math.Abs(all*float64(seconds)/float64(60*(g[1]-g[0])) - counted)
			before, _, _ := between(from, 60*g[0])
			after, _, _ := between(60*g[1], to)
			may += before + after
		}
	}
	_, sum, _ = between(0, len(events))
	return sum, may
}

// maskedWorlds are where clocks are of quarters and halves of hours, and change.
var maskedWorlds = []struct {
	zone  string
	begin time.Time
}{
	{"UTC", enginetest.Start},
	{"Asia/Kathmandu", time.Date(2026, 5, 3, 16, 7, 0, 0, time.UTC)},
	{"Asia/Kolkata", time.Date(2026, 5, 3, 16, 7, 0, 0, time.UTC)},
	{"Europe/Berlin", time.Date(2026, 10, 24, 22, 7, 0, 0, time.UTC)},
	{"Europe/Berlin", time.Date(2026, 3, 28, 22, 7, 0, 0, time.UTC)},
	{"Australia/Lord_Howe", time.Date(2026, 10, 3, 13, 7, 0, 0, time.UTC)},
	{"Australia/Lord_Howe", time.Date(2026, 4, 4, 13, 7, 0, 0, time.UTC)},
	{"Pacific/Chatham", time.Date(2026, 9, 26, 12, 7, 0, 0, time.UTC)},
}

// With masks, what is summed is what happened in the time that counts, with gaps of the
// server and without; in a short run one of each.
func TestSumsOfMaskedWorlds(t *testing.T) {
	t.Parallel()
	for i := range testsize.Of(1, len(maskedWorlds)) {
		for _, away := range testsize.Of([]bool{true}, []bool{false, true}) {
			in := maskedWorlds[(i*3+1)%len(maskedWorlds)]
			t.Run(fmt.Sprintf("%d %s, away %v", i, in.zone, away), func(t *testing.T) {
				t.Parallel()
				testMaskedWorld(t, uint64(i), in.zone, in.begin, away)
			})
		}
	}
}

func testMaskedWorld(t *testing.T, seed uint64, zone string, begin time.Time, away bool) {
	const until = 300
	m := chanceOfMasks(t, seed, zone, begin, until)
	if away {
		for at := 40 + m.shop.random.IntN(30); at < until-70; at += 30 + m.shop.random.IntN(60) {
			end := at + 1 + m.shop.random.IntN(50)
			m.gaps = append(m.gaps, [2]int{at, end})
			at = end
		}
	}
	scrape := []time.Duration{15 * time.Second, time.Minute}[seed%2]
	m.compare(t, m.play(t, scrape, 0, until+20), scrape)
}

// play has a server scrape from a while after the beginning on, until a minute.
func (m *maskedWorld) play(t *testing.T, scrape, after time.Duration, until float64) *enginetest.World {
	w := m.world(t, scrape, after)
	for _, g := range m.gaps {
		w.Run(m.minute(float64(g[0])).Add(after).Sub(w.Now()))
		w.Restart(m.minute(float64(g[1])).Add(after).Sub(w.Now()))
	}
	w.Run(m.minute(until).Add(after).Sub(w.Now()))
	return w
}

// Two servers side by side with the same rules: they scrape at other moments, and one is
// restarted now and then. What each sums is what happened, and so both sum the same.
func TestPairsOfServersAgree(t *testing.T) {
	testsize.Skip(t, "pairs of servers")
	t.Parallel()
	for i := range 2 * len(maskedWorlds) {
		in := maskedWorlds[i%len(maskedWorlds)]
		t.Run(fmt.Sprintf("%d %s", i, in.zone), func(t *testing.T) {
			t.Parallel()
			const until = 300
			scrape := []time.Duration{15 * time.Second, time.Minute}[i%2]
			var sums [2]map[string]compared
			for server := range sums {
				m := chanceOfMasks(t, uint64(100+i), in.zone, in.begin, until)
				if server == 1 {
					restarts := rand.New(rand.NewPCG(uint64(i), 16))
					for at := 40 + restarts.IntN(40); at < until-30; at += 40 + restarts.IntN(60) {
						m.gaps = append(m.gaps, [2]int{at, at + 1 + restarts.IntN(8)})
					}
				}
				w := m.play(t, scrape, time.Duration(server)*scrape/2, until+20)
				sums[server] = m.compare(t, w, scrape)
			}
			for name, one := range sums[0] {
				other := sums[1][name]
				if may := one.may + other.may; math.Abs(one.sum-other.sum) > may {
					t.Errorf("%s: one server recorded %.6g, the other %.6g, which may differ by %.4g", name, one.sum, other.sum, may)
				}
			}
		})
	}
}

// compared is a sum, and by how much it may differ from what happened.
type compared struct{ sum, may float64 }

func (m *maskedWorld) world(t *testing.T, scrape, after time.Duration) *enginetest.World {
	shop := m.shop.scrape
	link := func(at time.Time) []enginetest.Sample {
		up := 0.
		if m.link(at) {
			up = 1
		}
		return append(shop(at), enginetest.Sample{Series: "link_up", Value: up})
	}
	w := countedWorldOf(t, m.begin.Add(after), scrape, 1, m.shop, link, m.spec())
	m.shop.last = m.begin // of every server of a pair
	return w
}

// compare compares what is recorded with what happened.
func (m *maskedWorld) compare(t *testing.T, w *enginetest.World, scrape time.Duration) map[string]compared {
	always := func(time.Time) bool { return true }
	served := func(at time.Time) bool { s, _, _ := m.masks(at); return s }
	agreed := func(at time.Time) bool { _, a, _ := m.masks(at); return a }
	kept := func(at time.Time) bool { _, _, k := m.masks(at); return k }
	t.Logf("away %v, hours %v in %s", m.gaps, m.hours, m.zone)
	all := map[string]compared{}
	for _, slo := range []string{"bad", "good", "slow", "grouped", "probed", "plain"} {
		total, bad, least := m.total, m.bad, 8.*3*10 // and some scrapes of the end
		if slo == "probed" {
			total, bad, least = m.known, m.down, 30
		}
		for _, of := range []struct {
			name         string
			events       []float64
			counts, less func(time.Time) bool
		}{
			{"raw_total", total, always, nil},
			{"raw_bad", bad, always, nil},
			{"total", total, agreed, nil},
			{"bad", bad, kept, nil},
			{"excluded_total", total, served, agreed},
			{"excluded_bad", bad, served, kept},
		} {
			name := of.name
			if slo == "plain" { // of which nothing is left out
				if of.less != nil || !strings.HasPrefix(name, "raw_") {
					continue
				}
				name = strings.TrimPrefix(name, "raw_")
			}
			want, may := m.truth(of.events, of.counts, scrape)
			if of.less != nil {
				less, more := m.truth(of.events, of.less, scrape)
				want, may = want-less, may+more
			}
			if may += 0.005*want + least; slo == "probed" {
				may += 300 // the first steps, which are not counted yet
			}
			recorded := w.Query(`sum(sla:` + name + `:sum_period{slo="` + slo + `"})`)
			if len(recorded) != 1 {
				t.Errorf("%s of %s: nothing is recorded", name, slo)
				continue
			}
			got := recorded[0].F
			all[name+" of "+slo] = compared{got, may}
			t.Logf("%s of %s: recorded %.6g, %.6g happened, may differ by %.4g", name, slo, got, want, may)
			if math.Abs(got-want) > may {
				t.Errorf("%s of %s: recorded %.6g, %.6g happened, may differ by %.4g", name, slo, got, want, may)
			}
		}
	}
	return all
}

// An outage of fifteen minutes of which the server sees three counts by where it is: in
// the hours, outside, in a window, and where hours begin within the time that nobody saw.
func TestOutageInAGapOfAgreedTime(t *testing.T) {
	t.Parallel()
	const from, to, rate = 61, 76, 10. // minutes, and events a second of each of two
	never := [2]float64{300, 310}
	type gap struct {
		hours, removed, excused, cut [2]float64 // minutes; cut is when a link is down that excuses
		share, may                   float64    // of the outage
	}
	for name, test := range testsize.Cases(t, map[string]gap{
		"in the hours":             {[2]float64{0, 200}, never, never, never, 1, 0.01},
		"outside":                  {[2]float64{120, 200}, never, never, never, 0, 0.01},
		"in a window":              {[2]float64{0, 200}, [2]float64{45, 95}, never, never, 0, 0.01},
		"in one that treats as up": {[2]float64{0, 200}, never, [2]float64{45, 95}, never, 0, 0.01},
		"while a link is down":     {[2]float64{0, 200}, never, never, [2]float64{45, 95}, 0, 0.01},
		"after a link was down":    {[2]float64{0, 200}, never, never, [2]float64{35, 55}, 1, 0.01},
		"hours begin in the gap":   {[2]float64{68, 200}, never, never, never, 8. / 15, 0.1},
	}, "while a link is down", "hours begin in the gap") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &maskedWorld{begin: enginetest.Start, zone: time.UTC, link: func(at time.Time) bool { return !during(at, test.cut[0], test.cut[1]) }}
			day := 60*m.begin.Hour() + m.begin.Minute()
			m.hours = []clockSpan{{day + int(test.hours[0]), day + int(test.hours[1])}}
			m.removed = [2]time.Time{m.minute(test.removed[0]), m.minute(test.removed[1])}
			m.excused = [2]time.Time{m.minute(test.excused[0]), m.minute(test.excused[1])}
			m.shop = &countedShop{instances: []*countedInstance{old("a"), old("b")}}
			m.shop.traffic = func(at time.Time) (float64, float64) {
				switch {
				case !during(at, 30, 150):
					return 0, 0
				case during(at, from, to):
					return rate, 1
				}
				return rate, 0
			}
			w := m.world(t, time.Minute, 0)
			w.Run(m.minute(from + 1.5).Sub(w.Now()))
			w.Restart(12 * time.Minute)
			w.Run(m.minute(170).Sub(w.Now()))
			const outage = 2 * rate * 60 * (to - from)
			for _, slo := range []string{"bad", "good", "slow", "grouped"} {
				for name, want := range map[string]float64{"raw_bad": 1, "bad": test.share} {
					recorded := w.Value(`sum(sla:` + name + `:sum_period{slo="` + slo + `"})`)
					t.Logf("%s of %s: %.6g of %v", name, slo, recorded, outage)
					if may := map[bool]float64{true: test.may, false: 0.01}[name == "bad"]; math.Abs(recorded/outage-want) > may {
						t.Errorf("%s of %s: recorded %.6g of %v bad events, %.2g of which count", name, slo, recorded, outage, want)
					}
				}
			}
		})
	}
}
