package past_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	example "github.com/upheld-sla/upheld/examples/demo"
	"github.com/upheld-sla/upheld/internal/closing"
	"github.com/upheld-sla/upheld/internal/demo/past"
	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

func shop(t *testing.T) *sla.Agreement {
	t.Helper()
	agreements, findings := spec.LoadText("shop.yaml", example.Spec)
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	return agreements[0]
}

func pastOf(t *testing.T, start time.Time) *past.Past {
	t.Helper()
	p, err := past.New(shop(t), start)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// newest are the last samples of a series before an end, by service/slo, which must be of
// the last seconds.
func newest(t *testing.T, db *tsdb.DB, name string, end time.Time) map[string]float64 {
	t.Helper()
	q, err := db.Querier(end.Add(-30*time.Second).UnixMilli(), end.UnixMilli())
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	all := map[string]float64{}
	set := q.Select(context.Background(), true, nil, labels.MustNewMatcher(labels.MatchEqual, labels.MetricName, name))
	for set.Next() {
		l := set.At().Labels()
		for it := set.At().Iterator(nil); it.Next() != chunkenc.ValNone; {
			_, all[l.Get("service")+"/"+l.Get("slo")] = it.At()
		}
	}
	return all
}

// What the rules record of the past is what the table of incidents says, added up here
// by hand.
func TestBudgetsOfThePastFollowFromItsTable(t *testing.T) {
	start := time.Date(2026, 11, 18, 10, 47, 13, 0, time.UTC) // a Wednesday
	dir := t.TempDir()
	const interval = 2 * time.Second
	if err := pastOf(t, start).Write(context.Background(), dir, dir+"/rules/demo-shop.yaml", interval); err != nil {
		t.Fatal(err)
	}
	options := tsdb.DefaultOptions()
	options.RetentionDuration = past.Retention.Milliseconds()
	db, err := tsdb.Open(dir, nil, nil, options, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()

	const month = 30 * 24 * 60.0 // minutes
	maintenance := 4 * 60.0      // Sundays of 25 October to 15 November
	want := map[string]float64{
		"storefront/availability":  1 - 14/(0.001*month),
		"storefront/response-time": 1 - (14+50)/(0.01*month),
		"payments/errors":          1 - 0.012*5*24*60/(0.005*month),
		"payments/latency":         1 - 0.06*8*60/(0.01*month),
		"orders/accepting":         1 - 9/(0.001*(month-maintenance)),
		"psp-a/availability":       1 - 78/(0.02*month),
		"psp-b/availability":       1 - 38/(0.02*month),
		"checkout/paying":          1 - (14+38+0.1)/(0.005*month),
	}
	budgets := newest(t, db, "sla:budget_remaining:ratio_period", start)
	coverage := newest(t, db, "sla:coverage:ratio_period", start)
	for level, left := range want {
		if got, ok := budgets[level]; !ok || math.Abs(got-left) > 0.001 {
			t.Errorf("%s has %v of its budget left (%v), want %v", level, got, ok, left)
		}
		if got := coverage[level]; math.Abs(got-1) > 0.002 {
			t.Errorf("%v of the period of %s is covered", got, level)
		}
	}
	if first := db.Blocks()[0].Meta().MinTime; start.Sub(time.UnixMilli(first)) < past.Length-time.Hour {
		t.Errorf("the past begins at %s", time.UnixMilli(first))
	}
}

// On every day of a month the report of the last closed period has the breach and what
// it costs.
func TestTheClosedPeriodIsBreached(t *testing.T) {
	a := shop(t)
	for _, start := range []time.Time{
		time.Date(2026, 10, 31, 23, 59, 0, 0, time.UTC), time.Date(2026, 11, 1, 2, 20, 0, 0, time.UTC), time.Date(2026, 11, 2, 0, 5, 0, 0, time.UTC),
		time.Date(2026, 11, 18, 10, 47, 13, 0, time.UTC), time.Date(2026, 2, 28, 12, 0, 0, 0, time.UTC), time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
	} {
		settled := start.Add(-24 * time.Hour)
		names := closing.Closings(a.Levels[0].Period, start.Add(-past.Length), settled)
		if len(names) == 0 {
			t.Errorf("%s: no period is closed", start)
			continue
		}
		judgements, err := closing.JudgementsOf([]*sla.Agreement{a}, a.Name, names[len(names)-1], start)
		if err != nil {
			t.Fatal(err)
		}
		r, err := judgements[0].JudgeEvidence(pastOf(t, start).Evidence(), nil, start)
		if err != nil {
			t.Fatal(err)
		}
		if r.Verdict != verdict.Breached || r.Sources[0] != past.Source {
			t.Errorf("%s: the verdict of %s is %s, from %v", start, r.Period.Name, r.Verdict, r.Sources)
		}
	}
}
