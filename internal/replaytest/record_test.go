package replaytest

import (
	"math"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"

	"github.com/upheld-sla/upheld/internal/replay"
)

var start = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func counter(from, n int) replay.Stored {
	var s replay.Stored
	for i := range n {
		s = append(s, promql.FPoint{T: start.Add(time.Duration(from+i) * 15 * time.Second).UnixMilli(), F: float64(15 * i)})
	}
	return s
}

// Rules are evaluated in order of dependency; what ceases is marked, what is
// joined by "or" is one series, and the engine's account of samples is kept.
func TestRecord(t *testing.T) {
	w := replay.New()
	w.Add(labels.FromStrings(labels.MetricName, "total", "pod", "a"), counter(0, 241))
	w.Add(labels.FromStrings(labels.MetricName, "bad", "pod", "a"), counter(120, 61)) // from 30 to 45 minutes
	end := start.Add(time.Hour)
	record := func(name, expr string) Cost {
		t.Helper()
		cost, err := Record(w, name, expr, map[string]string{"slo": "x"}, start.Add(time.Minute), end, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		return cost
	}
	cost := record("total:rate5m", `sum(rate(total[5m]))`)
	if cost.Evaluations != 60 || cost.Samples < 60*15 || cost.Samples > 60*20 || cost.Recorded < 58 || cost.Bytes == 0 {
		t.Errorf("cost %+v", cost)
	}
	record("bad:rate5m", `sum(rate(bad[5m])) or on () 0 * total:rate5m`)
	record("only:rate5m", `sum(rate(bad[5m]))`)
	for expr, want := range map[string]float64{
		`total:rate5m{slo="x"}`:                           1,
		`bad:rate5m{slo="x"}`:                             0,
		`count_over_time(bad:rate5m[1h])`:                 float64(cost.Recorded),
		`max_over_time(bad:rate5m[20m:1m])`:               1,
		`count_over_time(only:rate5m[1h]) < bool 30`:      1,
		`absent(only:rate5m)`:                             1, // its end was marked, so it does not linger
		`sum_over_time(bad:rate5m[1h]) * 60 > bool 800`:   1,
		`sum_over_time(bad:rate5m[1h]) * 60 <= bool 1200`: 1,
	} {
		got, err := w.Value(expr, end)
		if err != nil {
			t.Errorf("%s: %v", expr, err)
		} else if math.Abs(got-want) > 1e-9 {
			t.Errorf("%s = %v, want %v", expr, got, want)
		}
	}
}
