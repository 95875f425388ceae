package rulegen_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/internal/testsize"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla/spec"
)

// countedShop is a service of some instances whose events are counted as they
// happen, whether or not a server sees them.
type countedShop struct {
	instances []*countedInstance
	names     int // of agreements that probe it
	firstName int // the number in the first of their names
	last      time.Time
	random    *rand.Rand
	// traffic is the events of one instance a second, and the share of them that is bad.
	traffic func(at time.Time) (rate, bad float64)
	// before is what happens to instances at a time, seen or not.
	before     func(at time.Time)
	total, bad float64 // the truth: what happened since the beginning
	// happened and probed are told of it as it happens; an outcome is an index of results.
	happened func(at time.Time, total, bad float64)
	probed   func(at time.Time, outcome int)
	results  [2]float64 // of the probes of an exporter every 15 s: good, bad
}

type countedInstance struct {
	name, job string
	labels    string // more of its series
	begun     time.Time
	counts    map[string]float64 // by code; an error series is born with its first error
	down      bool               // cannot be scraped, and goes on
	federated bool               // its series come from another server
	silent    bool               // serves nobody
	gone      bool               // is no target of the server
	partial   bool               // the server is not given its errors
}

func newInstance(name string, begun time.Time) *countedInstance {
	return &countedInstance{name: name, job: "api", begun: begun, counts: map[string]float64{"200": 0}}
}

// restart starts the process again, with counters at 0.
func (i *countedInstance) restart(at time.Time) { i.begun, i.counts = at, map[string]float64{"200": 0} }

// to lets time pass second by second.
func (s *countedShop) to(at time.Time) {
	for ; s.last.Before(at); s.last = s.last.Add(time.Second) {
		if s.before != nil {
			s.before(s.last)
		}
		rate, share := s.traffic(s.last)
		if s.last.Unix()%15 == 7 {
			outcome := 0
			if share > 0.5 {
				outcome = 1
			}
			s.results[outcome]++
			if s.probed != nil {
				s.probed(s.last, outcome)
			}
		}
		for _, i := range s.instances {
			if i.silent {
				continue
			}
			n := math.Floor(rate + s.random.Float64())
			bad := 0.
			for range int(n) {
				if s.random.Float64() < share {
					bad++
				}
			}
			i.counts["200"] += n - bad
			if _, born := i.counts["500"]; bad > 0 || born {
				i.counts["500"] += bad
			}
			s.total, s.bad = s.total+n, s.bad+bad
			if s.happened != nil {
				s.happened(s.last, n, bad)
			}
		}
	}
}

func (s *countedShop) scrape(at time.Time) []enginetest.Sample {
	s.to(at)
	var samples []enginetest.Sample
	seen := map[string]bool{}
	for _, i := range s.instances {
		if i.gone {
			continue
		}
		target := fmt.Sprintf(`job=%q,instance=%q`, i.job, i.name)
		up := 1.
		if i.down {
			up = 0
		}
		if !seen[target] {
			seen[target] = true
			samples = append(samples, enginetest.Sample{Series: `up{` + target + `}`, Value: up})
		}
		if i.down {
			continue
		}
		if i.federated {
			target = fmt.Sprintf(`job="federate",instance="other",exported_job=%q,exported_instance=%q`, i.job, i.name)
		}
		samples = append(samples, enginetest.Sample{Series: `process_start_time_seconds{` + target + `}`, Value: float64(i.begun.Unix())})
		all := i.counts["200"] + i.counts["500"]
		for le, n := range map[string]float64{"0.3": i.counts["200"], "1": all, "+Inf": all} {
			samples = append(samples, enginetest.Sample{Series: `seconds_bucket{` + target + i.labels + `,le="` + le + `"}`, Value: n})
		}
		samples = append(samples, enginetest.Sample{Series: `seconds_count{` + target + i.labels + `}`, Value: all})
		for code, n := range i.counts {
			if i.partial && code == "500" {
				continue
			}
			samples = append(samples, enginetest.Sample{Series: `requests_total{` + target + i.labels + `,code="` + code + `"}`, Value: n})
		}
	}
	for name := s.firstName; name < s.firstName+s.names; name++ {
		for i, outcome := range []string{"good", "bad"} {
			samples = append(samples, enginetest.Sample{Value: s.results[i], Series: fmt.Sprintf(
				`upheld_probe_results_total{sla="counted%d",service="shop",slo="probed",job="exporter",instance="e",outcome=%q}`, name, outcome)})
		}
	}
	return samples
}

const countedSpec = `
apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: counted%d}
spec:
  alerting: {enabled: false}
  serviceLevels:
    - {name: bad, target: "99", period: 1d, indicator: {events: {bad: 'requests_total{code="500"}', total: requests_total}}}
    - {name: good, target: "99", period: 1d, indicator: {events: {good: 'requests_total{code="200"}', total: 'requests_total{code="200"} + requests_total{code="500"}'}}}
    - {name: slow, target: "99", period: 1d, indicator: {latency: {histogram: seconds, threshold: 300ms}}}
    - {name: probed, service: shop, target: "99", period: 1d, indicator: {probe: {http: "https://shop.example", interval: 15s}}}
`

// countedSums are what tests of these worlds read.
var countedSums = []string{
	"sla:total:sum_period", "sla:bad:sum_period", "sla:raw_total:sum_period", "sla:raw_bad:sum_period", "sla:excluded_total:sum_period", "sla:excluded_bad:sum_period",
}

// countedWorld is a server with the shop's rules under many names, so that its
// groups are evaluated at many moments: those of the sums, and in a long run all of the
// name with the number 0.
func countedWorld(t *testing.T, begin time.Time, scrape time.Duration, names int, shop *countedShop, text string) *enginetest.World {
	t.Helper()
	return countedWorldOf(t, begin, scrape, names, shop, shop.scrape, text)
}

// countedWorldOf is one whose server scrapes more than the shop.
func countedWorldOf(t *testing.T, begin time.Time, scrape time.Duration, names int, shop *countedShop, target enginetest.Target, text string) *enginetest.World {
	t.Helper()
	shop.last, shop.names = begin, names
	if shop.random == nil {
		shop.random = rand.New(rand.NewPCG(1, 2))
	}
	w := enginetest.NewAt(t, begin, scrape, target)
	var files [][]byte
	for i := range names {
		agreements, findings := spec.LoadText("spec.yaml", fmt.Sprintf(text, shop.firstName+i))
		if err := findings.Err(); err != nil {
			t.Fatal(err)
		}
		plan, findings := rulegen.Compile(agreements[0], rulegen.Options{Now: begin})
		if err := findings.Err(); err != nil {
			t.Fatal(err)
		}
		if shop.firstName+i > 0 || !testsize.All() {
			keepFor(plan, countedSums...)
		}
		file, err := emit.Prometheus(plan)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	w.Load(files...)
	return w
}

// within compares what rules have summed under every name with what happened.
func within(t *testing.T, w *enginetest.World, what, expr string, want, share float64) {
	t.Helper()
	var got []float64
	for _, s := range w.Query(expr) {
		got = append(got, s.F)
	}
	if len(got) == 0 {
		t.Errorf("%s: nothing is recorded", what)
		return
	}
	low, high := slices.Min(got), slices.Max(got)
	t.Logf("%s: %.6g to %.6g, %.6g happened", what, low, high, want)
	if low < want*(1-share) || high > want*(1+share) {
		t.Errorf("%s: recorded %.6g to %.6g under %d names, %.6g happened", what, low, high, len(got), want)
	}
}
