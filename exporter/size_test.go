package exporter_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/exporter"
	"github.com/upheld-sla/upheld/sla"
)

// manyTargets are n HTTP probes, as a specification would give them.
func manyTargets(n int, url string, interval time.Duration) []sla.ProbeTarget {
	targets := make([]sla.ProbeTarget, n)
	for i := range targets {
		targets[i] = webTarget("availability", fmt.Sprintf("%s/%d", url, i), interval)
		targets[i].ID.Service = fmt.Sprint("storefront-", i)
	}
	return targets
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestAnIdleTargetIsSmall counts everything that the exporter holds of a
// target, its specification included.
func TestAnIdleTargetIsSmall(t *testing.T) {
	const n, most = 10_000, 1800
	before := heap()
	e := exporter.New(exporter.Options{})
	if err := e.Apply(manyTargets(n, "http://shop.example/health", time.Hour)); err != nil {
		t.Fatal(err)
	}
	each := (heap() - before) / n
	runtime.KeepAlive(e)
	t.Logf("%d bytes each", each)
	if each > most {
		t.Errorf("an idle target takes %d bytes, more than %d", each, most)
	}
}
