package serve_test

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/upheld-sla/upheld/internal/serve"
)

const backfilled = `
apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  period: 1d
  serviceLevels:
    - {name: known, service: checkout, target: "99", indicator: {events: {bad: 'orders_total{result="failed"}', total: orders_total}}}
    - {name: new, service: checkout, target: "99", indicator: {events: {bad: 'orders_total{result="failed"}', total: orders_total}}}
`

// A level that is new has its past at the start, from what was scraped before; one that is
// known keeps what was recorded. No raw sample is lost, also after another start.
func TestBackfillRecordsThePastOfNewLevels(t *testing.T) {
	dir := t.TempDir()
	spec, storage := filepath.Join(dir, "shop.yaml"), filepath.Join(dir, "data")
	if err := os.WriteFile(spec, []byte(backfilled), 0o600); err != nil {
		t.Fatal(err)
	}
	const hours = 6
	raw := scrapedBefore(t, storage, hours)
	options := serve.Options{Specs: []string{spec}, StoragePath: storage, RulesInterval: time.Minute, Backfill: true}
	for range 2 {
		r := start(t, options)
		if n, _ := r.value(`count_over_time(orders_total{result="failed"}[7h])`); n != float64(raw) {
			t.Errorf("%v raw samples are left of %d", n, raw)
		}
		// A tenth of the orders failed, of 7 a second.
		if bad, _ := r.value(`sum_over_time(sla:bad:increase{slo="new"}[7h])`); math.Abs(bad-0.7*hours*3600) > 0.7*600 {
			t.Errorf("%v bad orders were recorded, want nearly %v", bad, 0.7*hours*3600)
		}
		if _, known := r.value(`last_over_time(sla:budget_remaining:ratio_period{slo="new"}[7h])`); !known {
			t.Error("no budget was recorded")
		}
		if n, _ := r.value(`count_over_time(sla:bad:increase{slo="known"}[7h] offset 10m)`); n > 0 {
			t.Errorf("%v samples of a level that is known were recorded again", n)
		}
		r.end()
	}
}

// scrapedBefore makes a storage with samples of some hours, and one of a level that rules
// have recorded. It returns how many samples a raw series has.
func scrapedBefore(t *testing.T, dir string, hours int) (raw int) {
	t.Helper()
	db, err := tsdb.Open(dir, nil, nil, tsdb.DefaultOptions(), nil)
	if err != nil {
		t.Fatal(err)
	}
	end := time.Now().Add(-time.Minute)
	app := db.Appender(context.Background())
	add := func(at time.Time, v float64, pairs ...string) {
		if _, err := app.Append(0, labels.FromStrings(pairs...), at.UnixMilli(), v); err != nil {
			t.Fatal(err)
		}
	}
	begin := end.Add(-time.Duration(hours) * time.Hour)
	for at := begin; at.Before(end); at = at.Add(15 * time.Second) {
		since := at.Sub(begin).Seconds()
		add(at, 1, "__name__", "up", "job", "shop", "instance", "a")
		add(at, 6.3*since, "__name__", "orders_total", "result", "ok", "job", "shop", "instance", "a")
		add(at, 0.7*since, "__name__", "orders_total", "result", "failed", "job", "shop", "instance", "a")
		raw++
	}
	add(end, 0.99, "__name__", "sla:target:ratio", "sla", "shop", "service", "checkout", "slo", "known")
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return raw
}
