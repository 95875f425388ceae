// Package examples_test holds every example to what it claims: it loads without
// a finding, generates, and its rules measure in the real engine what is fed in.
package examples_test

import (
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/histogram"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// feed is what the services of an example that count for themselves expose
// after n seconds, and the bad share that each of their levels must then read.
type feed struct {
	series func(n float64) []enginetest.Sample
	want   map[string]float64 // service/level; NaN for one that is out of service
	groups map[string]float64 // service/level, and the group's labels as PromQL has them
}

// feeds are for examples with events or histograms; probes are fed from the
// model: one in ten is bad and another one in ten is slow.
var feeds = map[string]feed{
	"states.yaml": {
		series: func(n float64) []enginetest.Sample {
			return []enginetest.Sample{
				{Series: `queue_oldest_message_age_seconds{queue="mail"}`, Value: 90},
				{Series: `queue_oldest_message_age_seconds{queue="push"}`, Value: 1},
				{Series: `queue_consumers{queue="mail"}`, Value: 2},
				{Series: `mesh:errors:ratio{destination="checkout",source="a"}`, Value: 0.04},
				{Series: `mesh:errors:ratio{destination="checkout",source="b"}`, Value: 0.02},
				{Series: `mesh:errors:ratio{destination="checkout",source="idle"}`, Value: math.NaN()},
				{Series: `probe_success{job="blackbox",instance="https://partner.example"}`, Value: 0.9},
				{Series: `probe_duration_seconds{job="blackbox",instance="https://partner.example"}`, Value: 0.6},
				{Series: `rpc_duration_seconds{job="api"}`, Histogram: nativeHistogram(n)},
			}
		},
		want: map[string]float64{
			"queue/fresh": 1, "queue/runs": 1, "mesh/errors": 0.03, "partner/availability": 0.1,
			"partner/response-time": 1, "api/latency": 0.25,
		},
	},
	"checkout.yaml": {
		series: func(n float64) []enginetest.Sample { // the cart is down by its threshold of a fifth, all others are up
			return []enginetest.Sample{
				{Series: `http_requests_total{job="cart",code="200"}`, Value: 7 * n},
				{Series: `http_requests_total{job="cart",code="503"}`, Value: 3 * n},
			}
		},
		want: map[string]float64{"cart/availability": 0.3, "checkout/availability": 1},
	},
	"credits-hosting.yaml": {want: map[string]float64{"hosting/shop": 0}}, // a tenth of each is bad, so none is down
	"multi-tenant.yaml": {
		series: func(n float64) []enginetest.Sample {
			samples := []enginetest.Sample{{Series: `http_requests_total{job="api",code="500"}`, Value: n}} // nobody's
			for i, tenant := range []string{"acme", "globex", "trial"} {
				bad := []float64{0, 0.02, 0.2}[i]
				samples = append(samples,
					enginetest.Sample{Series: fmt.Sprintf(`http_requests_total{job="api",code="200",tenant=%q}`, tenant), Value: (1 - bad) * 10 * n},
					enginetest.Sample{Series: fmt.Sprintf(`http_requests_total{job="api",code="503",tenant=%q}`, tenant), Value: bad * 10 * n},
					enginetest.Sample{Series: fmt.Sprintf(`http_request_duration_seconds_count{job="api",region="eu",tenant=%q}`, tenant), Value: 10 * n},
					enginetest.Sample{Series: fmt.Sprintf(`http_request_duration_seconds_bucket{job="api",le="0.3",region="eu",tenant=%q}`, tenant), Value: (10 - bad) * n})
			}
			return append(samples,
				enginetest.Sample{Series: `endpoint_up{job="api",endpoint="/cart",pod="a"}`, Value: 1},
				enginetest.Sample{Series: `endpoint_up{job="api",endpoint="/cart",pod="b"}`, Value: 0},
				enginetest.Sample{Series: `endpoint_up{job="api",endpoint="/pay",pod="a"}`, Value: 0})
		},
		groups: map[string]float64{
			`api/availability,tenant="acme"`: 0, `api/availability,tenant="globex"`: 0.02, `api/availability,tenant="trial"`: 0.2,
			`api/response-time,region="eu",tenant="acme"`: 0, `api/response-time,region="eu",tenant="trial"`: 0.02,
			`api/endpoints,endpoint="/cart"`: 0, `api/endpoints,endpoint="/pay"`: 1,
			`api/reachable,location="here"`: 0.1,
		},
	},
	"fleet.yaml": {groups: map[string]float64{`shops/availability,region="here"`: 0.1, `shops/front-door,address="here"`: 0.1}},
	"aggregations.yaml": {
		series: func(n float64) []enginetest.Sample { // 6 % errors, all the time, and 7 % slow
			return []enginetest.Sample{
				{Series: `http_requests_total{job="api",code="200"}`, Value: 94 * n},
				{Series: `http_requests_total{job="api",code="503"}`, Value: 6 * n},
				{Series: `http_request_duration_seconds_count{job="api"}`, Value: 100 * n},
				{Series: `http_request_duration_seconds_bucket{job="api",le="0.3"}`, Value: 93 * n},
				{Series: `http_request_duration_seconds_bucket{job="api",le="1"}`, Value: 100 * n},
				{Series: `http_request_duration_seconds_bucket{job="api",le="+Inf"}`, Value: 100 * n},
			}
		},
		want: map[string]float64{
			"aggregations/by-request": 0.06, "aggregations/mean-of-slots": 0.06, "aggregations/bad-minutes": 1,
			"aggregations/runs-of-bad-minutes": 1, "aggregations/all-failed-minutes": 0, "aggregations/slow-slots": 1,
		},
	},
	"contracts/aws-s3.yaml":            ofRequests("s3_requests_total", "aws-s3/requests", 0.06),
	"contracts/github-enterprise.yaml": ofRequests("git_operations_total", "github-enterprise/git-operations", 1),
	"contracts/atlassian-premium.yaml": ofRequests("experience_requests_total", "atlassian-premium/experiences", 1),
	"contracts/google-spanner.yaml":    ofRequests("spanner_requests_total", "google-spanner/requests", 1),
	"contracts/aws-ec2.yaml":           {want: map[string]float64{"aws-ec2/region": 0}},
	"contracts/azure-vm.yaml":          {want: map[string]float64{"azure-vm/connectivity": 0}},
	"failed-or-slow.yaml": {
		series: func(n float64) []enginetest.Sample { // 10 % fail, 3 of them slowly, and 5 % more are slow
			return []enginetest.Sample{
				{Series: `http_requests_total{job="api",code="200"}`, Value: 90 * n},
				{Series: `http_requests_total{job="api",code="503"}`, Value: 10 * n},
				{Series: `http_request_duration_seconds_count{job="api",code="200"}`, Value: 90 * n},
				{Series: `http_request_duration_seconds_bucket{job="api",code="200",le="0.3"}`, Value: 85 * n},
				{Series: `http_request_duration_seconds_count{job="api",code="503"}`, Value: 10 * n},
				{Series: `http_request_duration_seconds_bucket{job="api",code="503",le="0.3"}`, Value: 7 * n},
				{Series: `api_customers_affected`, Value: 100},
				{Series: `api_customers`, Value: 400},
			}
		},
		want: map[string]float64{"api/answered": 0.15, "api/outages": 0.25},
	},
	"shop.yaml": {
		series: func(n float64) []enginetest.Sample {
			return []enginetest.Sample{
				{Series: `http_requests_total{job="api",code="200"}`, Value: 97 * n},
				{Series: `http_requests_total{job="api",code="404"}`, Value: n},
				{Series: `http_requests_total{job="api",code="503"}`, Value: 2 * n},
				{Series: `http_requests_total{job="other",code="503"}`, Value: 50 * n},
				{Series: `orders_total{job="api"}`, Value: 10 * n},
				{Series: `orders_accepted_total{job="api"}`, Value: 8 * n},
				{Series: `orders_queued_total{job="api"}`, Value: 1.5 * n},
				{Series: `http_request_duration_seconds_count{job="api"}`, Value: 100 * n},
				{Series: `http_request_duration_seconds_bucket{job="api",le="0.3"}`, Value: 93 * n},
			}
		},
		want: map[string]float64{"api/requests": 0.02, "api/orders": 0.05, "api/latency": 0.07},
	},
	"scenarios.yaml": {
		series: func(n float64) []enginetest.Sample {
			return []enginetest.Sample{
				{Series: `booking_requests_total{code="200"}`, Value: 98 * n},
				{Series: `booking_requests_total{code="500"}`, Value: 2 * n},
				{Series: `booking_request_duration_seconds_count`, Value: 100 * n},
				{Series: `booking_request_duration_seconds_bucket{le="0.3"}`, Value: 96 * n},
			}
		},
		want: map[string]float64{"booking/requests": 0.02, "booking/response-time": 0.04},
	},
	"revisions.yaml": { // what both revisions count
		series: func(n float64) []enginetest.Sample {
			return []enginetest.Sample{
				{Series: `http_requests_total{job="api",code="200"}`, Value: 96 * n},
				{Series: `http_requests_total{job="api",code="500"}`, Value: 4 * n},
			}
		},
		want: map[string]float64{"api/requests": 0.04},
	},
	"service-hours.yaml": { // on a Thursday at eleven in Berlin
		series: func(n float64) []enginetest.Sample {
			return []enginetest.Sample{
				{Series: `http_requests_total{job="api",code="200"}`, Value: 97 * n},
				{Series: `http_requests_total{job="api",code="503"}`, Value: 3 * n},
				{Series: `customer_link_up{site="a"}`, Value: 1},
			}
		},
		want: map[string]float64{"api/prime": 0.03, "api/non-prime": math.NaN(), "api/around-the-clock": 0.03, "storefront/non-prime": math.NaN()},
	},
	"demo/shop.yaml": {
		series: func(n float64) []enginetest.Sample {
			return []enginetest.Sample{
				{Series: `http_requests_total{job="payments",code="200"}`, Value: 19 * n},
				{Series: `http_requests_total{job="payments",code="500"}`, Value: n},
				{Series: `http_request_duration_seconds_count{job="payments"}`, Value: 20 * n},
				{Series: `http_request_duration_seconds_bucket{job="payments",le="0.3"}`, Value: 17 * n},
			}
		},
		want: map[string]float64{"payments/errors": 0.05, "payments/latency": 0.15, "checkout/paying": 0}, // a tenth of each is bad, so none is down
	},
}

// ofRequests are 94 good and 6 bad requests a second, of which one level reads a share.
func ofRequests(name, level string, share float64) feed {
	return feed{
		series: func(n float64) []enginetest.Sample {
			return []enginetest.Sample{
				{Series: name + `{job="api",code="200"}`, Value: 94 * n},
				{Series: name + `{job="api",code="503"}`, Value: 6 * n},
			}
		},
		want: map[string]float64{level: share},
	}
}

// nativeHistogram has a quarter of its requests in (0.5, 0.71] and the others in
// (0.125, 0.177] seconds: schema 1 has two buckets to a power of two.
func nativeHistogram(n float64) *histogram.FloatHistogram {
	return &histogram.FloatHistogram{
		Schema: 1, Count: 40 * n, Sum: 10 * n,
		PositiveSpans:   []histogram.Span{{Offset: -5, Length: 1}, {Offset: 3, Length: 1}},
		PositiveBuckets: []float64{30 * n, 10 * n},
	}
}

func probeSeries(targets []sla.ProbeTarget, n float64) []enginetest.Sample {
	var samples []enginetest.Sample
	for _, p := range targets {
		labels := fmt.Sprintf(`sla=%q,service=%q,slo=%q,target=%q,location="here"`, p.ID.SLA, p.ID.Service, p.ID.SLO, p.Probe.Check.Target())
		if d := p.Probe.Discovery; d != nil { // the labels of its lists
			for _, name := range d.Labels {
				labels += fmt.Sprintf(`,%s="here"`, name)
			}
		}
		done := n / p.Probe.Interval.Seconds()
		for outcome, share := range map[string]float64{"good": 0.9, "bad": 0.1, "inconclusive": 0.3} {
			samples = append(samples, enginetest.Sample{Series: fmt.Sprintf(`upheld_probe_results_total{outcome=%q,%s}`, outcome, labels), Value: share * done})
		}
		for _, th := range p.Thresholds {
			samples = append(samples, enginetest.Sample{
				Series: fmt.Sprintf(`upheld_probe_within_threshold_total{threshold="%v",%s}`, th.Seconds(), labels), Value: 0.8 * done,
			})
		}
	}
	return samples
}

// wanted is the bad share that a level must read.
func wanted(l *sla.ServiceLevel, f feed) (float64, bool) {
	if v, ok := f.want[l.ID.Service+"/"+l.ID.SLO]; ok {
		return v, true
	}
	switch l.Indicator.(type) {
	case *sla.Probe, *sla.SharedProbe:
		return 0.1, true
	case *sla.ProbeLatency:
		return 0.2, true
	}
	return 0, false
}

func TestExamples(t *testing.T) {
	var files []string
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if path == "imported" { // of other tools; internal/imports runs them
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, ".yaml") {
			files = append(files, path)
		}
		return err
	})
	if err != nil || len(files) < 2 {
		t.Fatalf("found %v, %v", files, err)
	}
	for _, file := range files {
		t.Run(filepath.ToSlash(file), func(t *testing.T) {
			t.Parallel()
			evaluate(t, file)
		})
	}
}

func evaluate(t *testing.T, file string) {
	agreements, findings := spec.Load(file)
	if len(agreements) == 0 && !findings.HasErrors() {
		t.Skip("not an agreement")
	}
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	f := feeds[filepath.ToSlash(file)]
	targets := sla.ProbeTargets(agreements)
	w := enginetest.New(t, 15*time.Second, func(at time.Time) []enginetest.Sample {
		n := at.Sub(enginetest.Start).Seconds()
		samples := probeSeries(targets, n)
		if f.series != nil {
			samples = append(samples, f.series(n)...)
		}
		return samples
	})
	var rules [][]byte
	for _, a := range agreements {
		plan, findings := rulegen.Compile(a, rulegen.Options{})
		if len(findings) > 0 {
			t.Fatal(findings)
		}
		content, err := emit.Prometheus(plan)
		if err != nil {
			t.Fatal(err)
		}
		rules = append(rules, content)
	}
	w.Load(rules...)
	w.Run(40 * time.Minute)
	for _, a := range agreements {
		for _, l := range a.Levels {
			if len(l.GroupBy.Labels) > 0 {
				checkGroups(t, w, l, f)
				continue
			}
			want, ok := wanted(l, f)
			if !ok {
				t.Errorf("%s: no feed for %s; add it to the table in this test", file, l.ID)
				continue
			}
			for _, name := range []string{"sla:error:ratio_rate5m", "sla:error:ratio_rate30m", "sla:error:ratio_rate3d", "sla:error:ratio_period"} {
				got := w.Query(fmt.Sprintf("%s{sla=%q,service=%q,slo=%q}", name, l.ID.SLA, l.ID.Service, l.ID.SLO))
				if math.IsNaN(want) { // out of service: nothing is good or bad
					if len(got) > 0 {
						t.Errorf("%s of %s, which is out of service: %v", name, l.ID, got)
					}
					continue
				}
				if name == "sla:error:ratio_period" && len(got) != len(l.Periods()) || len(got) == 0 {
					t.Errorf("%s of %s: %v for %d periods", name, l.ID, got, len(l.Periods()))
				}
				for _, sample := range got {
					if math.Abs(sample.F-want) > 0.002 {
						t.Errorf("%s of %s = %v, want %v", name, l.ID, sample, want)
					}
				}
			}
		}
	}
}

// checkGroups compares the groups of a level that the feed has.
func checkGroups(t *testing.T, w *enginetest.World, l *sla.ServiceLevel, f feed) {
	t.Helper()
	known := 0
	for key, want := range f.groups {
		name, labels, _ := strings.Cut(key, ",")
		if name != l.ID.Service+"/"+l.ID.SLO {
			continue
		}
		known++
		for _, series := range []string{"sla:error:ratio_rate5m", "sla:error:ratio_rate3d", "sla:error:ratio_period"} {
			if got := w.Value(fmt.Sprintf("%s{sla=%q,service=%q,slo=%q,%s}", series, l.ID.SLA, l.ID.Service, l.ID.SLO, labels)); math.Abs(got-want) > 0.002 {
				t.Errorf("%s of %s = %v, want %v", series, key, got, want)
			}
		}
	}
	if known == 0 {
		t.Errorf("no feed for the groups of %s; add them to the table in this test", l.ID)
	}
}
