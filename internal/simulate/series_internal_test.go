package simulate

import (
	"math"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"

	"github.com/upheld-sla/upheld/internal/replay"
)

// Conditions and ratios of many forms get series with which they are good and bad.
func TestSearch(t *testing.T) {
	for _, text := range []string{
		`queue_age_seconds < 60`,
		`max by (queue) (queue_age_seconds{queue="mail"}) < 60 and queue_consumers > 0`,
		`up == 1`,
		`time() - backup_last_success_timestamp_seconds < 86400`,
		`rate(logins_total[5m]) > 0.5`,
		`disk_free_bytes / disk_size_bytes > 0.1`,
		`min(replicas_ready) >= 2 or maintenance == 1`,
	} {
		if found := searchCondition(text); len(found) == 0 {
			t.Errorf("nothing found for %s", text)
		}
	}
	for _, text := range []string{
		`mesh:errors:ratio{destination="checkout"}`,
		`1 - avg(probe_success)`,
		`sum(rate(errors_total[5m])) / sum(rate(requests_total[5m]))`,
		`failed_percent / 100`,
	} {
		found := searchRatio(text)
		if len(found) == 0 {
			t.Errorf("nothing found for %s", text)
			continue
		}
		c := course{{from: tryAt.Add(-trySpan).UnixMilli(), bad: 0.4, traffic: 1, seen: true, up: true, running: true}}
		w := replay.New()
		for _, x := range found {
			if err := x.add(w, c, newScrapes(c, tryAt.UnixMilli()+1, 15_000, func(segment) bool { return true })); err != nil {
				t.Fatal(err)
			}
		}
		if v, err := w.Value(text, tryAt); err != nil || math.Abs(v-0.4) > 0.02 {
			t.Errorf("%s is %v, %v", text, v, err)
		}
	}
	for _, text := range []string{`absent(x)`, `a + b + c + d < 1`, `x < `} {
		if found := searchCondition(text); found != nil {
			t.Errorf("%s: %v", text, found)
		}
	}
}

// A counter counts exactly, over changes of what is bad; it has a staleness marker where a
// scrape finds it gone, none where nobody scraped, and no samples in between.
func TestCounter(t *testing.T) {
	minute := time.Minute.Milliseconds()
	seg := func(at int64, bad float64, seen, running bool) segment {
		return segment{from: at * minute, bad: bad, traffic: 1, seen: seen, up: true, running: running}
	}
	c := course{seg(0, 0, true, true), seg(10, 0.25, true, true), seg(20, 1, false, true), seg(30, 1, true, true), seg(40, 0, true, false), seg(50, 0, true, true)}
	k := newCounter(c, newScrapes(c, 60*minute, 15_000, func(s segment) bool { return s.seen }), func(s segment) float64 { return 2 * s.bad })
	var last float64
	at, gone := map[int64]float64{}, []int64{}
	for i := range k.Len() {
		ms, v := k.At(i)
		if value.IsStaleNaN(v) {
			gone = append(gone, ms)
			continue
		}
		if v < last {
			t.Fatalf("it falls to %v at %d", v, ms)
		}
		at[ms], last = v, v
	}
	if len(gone) != 1 || gone[0] != 20*minute {
		t.Errorf("gone at %v", gone)
	}
	for m, want := range map[int64]float64{10: 0, 12: 60, 30: 1500, 39: 2580, 50: 2700, 59: 2700} {
		if v, ok := at[m*minute]; !ok || v != want {
			t.Errorf("after %d minutes it is %v, not %v", m, v, want)
		}
	}
	for _, m := range []int64{21, 29, 40, 49} {
		if _, ok := at[m*minute]; ok {
			t.Errorf("there is a sample after %d minutes", m)
		}
	}
	if want := 60*4 - 2*40; len(at) != want {
		t.Errorf("%d samples, not %d", len(at), want)
	}
	w := replay.New()
	w.Add(labels.FromStrings(labels.MetricName, "x"), k)
	if v, err := w.Value("increase(x[10m])", time.UnixMilli(20*minute-1)); err != nil || math.Abs(v-300) > 20 {
		t.Errorf("the engine sees %v, %v", v, err)
	}
}
