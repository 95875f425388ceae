// Package simulate measures the cost of evaluating the rules of service levels over a
// month of the past, in simulated time.
package simulate

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/replay"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla/spec"
)

const (
	day    = 24 * time.Hour
	scrape = 15 * time.Second
	pods   = 10 // of a service, with a series of good and one of bad requests each
)

var start = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// outages are the times in which a share of the requests fails.
var outages = []struct {
	from, to time.Duration
	share    float64
}{
	{3*day + 2*time.Hour, 3*day + 2*time.Hour + 25*time.Minute, 0.3},
	{11 * day, 11*day + 6*time.Hour, 0.01},
	{17*day + 9*time.Hour, 17*day + 9*time.Hour + 4*time.Minute, 1},
	{26 * day, 26*day + 40*time.Minute, 0.08},
}

// counter is a counter of requests, as a function of time.
type counter struct {
	rate float64 // requests a second
	bad  bool
	n    int
}

func (c counter) Len() int { return c.n }

func (c counter) At(i int) (int64, float64) {
	since := time.Duration(i) * scrape
	bad := 0.0002 * since.Seconds()
	for _, o := range outages {
		bad += o.share * max(0, min(since, o.to)-o.from).Seconds()
	}
	v := bad
	if !c.bad {
		v = since.Seconds() - bad
	}
	return start.Add(since).UnixMilli(), c.rate * v
}

// always is a series up that is always 1.
type always int

func (a always) Len() int { return int(a) }
func (a always) At(i int) (int64, float64) {
	return start.Add(time.Duration(i) * scrape).UnixMilli(), 1
}

// agreement has levels that each count the requests of one service.
func agreement(levels int) string {
	var b strings.Builder
	b.WriteString("apiVersion: upheld/v1\nkind: ServiceLevelAgreement\nmetadata: {name: shop}\nspec:\n  serviceLevels:\n")
	for i := range levels {
		fmt.Fprintf(&b, "    - {name: availability, service: s%d, target: \"99.9\", indicator: {events: {bad: 'http_requests_total{job=\"s%d\",code=~\"5..\"}', total: 'http_requests_total{job=\"s%d\"}'}}}\n", i, i, i)
	}
	return b.String()
}

func world(levels int) *replay.World {
	w := replay.New()
	n := int(30 * day / scrape)
	for l := range levels {
		job := fmt.Sprintf("s%d", l)
		for p := range pods {
			instance := fmt.Sprintf("%s-%d", job, p)
			for code, bad := range map[string]bool{"200": false, "500": true} {
				w.Add(labels.FromStrings(labels.MetricName, "http_requests_total", "job", job, "instance", instance, "code", code), counter{rate: float64(1 + p), bad: bad, n: n})
			}
			w.Add(labels.FromStrings(labels.MetricName, metricnames.Up, "job", job, "instance", instance), always(n))
		}
	}
	return w
}

func rules(b *testing.B, levels int) []byte {
	b.Helper()
	agreements, findings := spec.LoadText("shop.yaml", agreement(levels))
	if err := findings.Err(); err != nil {
		b.Fatal(err)
	}
	plan, findings := rulegen.Compile(agreements[0], rulegen.Options{})
	if err := findings.Err(); err != nil {
		b.Fatal(err)
	}
	file, err := emit.Prometheus(plan)
	if err != nil {
		b.Fatal(err)
	}
	return file
}

// BenchmarkMonth evaluates the rules of levels over 30 days, every minute, and reports
// the CPU time and the most memory that the heap and its collector took.
func BenchmarkMonth(b *testing.B) {
	for _, levels := range []int{1, 50} {
		b.Run(fmt.Sprintf("levels=%d", levels), func(b *testing.B) {
			file := rules(b, levels)
			for b.Loop() {
				runtime.GC()
				var most atomic.Uint64
				ended := make(chan struct{})
				go watch(&most, ended)
				w, before, evaluations := world(levels), cpu(), 0
				result, err := w.Run(context.Background(), replay.Plan{
					Files: []replay.File{{Name: "shop.yaml", Text: file}}, From: start, To: start.Add(30 * day),
					Progress: func(_, total int) { evaluations = total },
				})
				close(ended)
				if err != nil {
					b.Fatal(err)
				}
				if len(result.Errors) > 0 {
					b.Fatal(result.Errors[0])
				}
				samples := 0
				recorded := w.Recorded()
				b.ReportMetric((cpu() - before).Seconds(), "cpu-s")
				b.ReportMetric(float64(most.Load())/1e6, "MB")
				b.ReportMetric(float64(evaluations), "evaluations")
				b.ReportMetric(float64(len(recorded)), "series")
				b.ReportMetric(float64(len(result.Episodes)), "episodes")
				runtime.GC()
				var kept runtime.MemStats
				runtime.ReadMemStats(&kept)
				b.ReportMetric(float64(kept.HeapAlloc)/1e6, "kept-MB")
				for _, s := range recorded {
					for it := s.Iterator(nil); it.Next() != 0; {
						samples++
					}
				}
				b.ReportMetric(float64(samples), "samples")
			}
		})
	}
}

// watch records the most memory that the runtime has from the system and uses.
func watch(most *atomic.Uint64, ended <-chan struct{}) {
	for {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		most.Store(max(most.Load(), m.HeapSys-m.HeapReleased+m.StackSys+m.GCSys))
		select {
		case <-ended:
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// cpu is the CPU time of this process so far.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
