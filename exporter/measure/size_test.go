package measure

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/exporter/probe"
)

func memory() runtime.MemStats {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m
}

// TestAnAccountIsSmall measures the memory of a target that has been probed for
// some hours, with durations that vary as on a busy machine.
func TestAnAccountIsSmall(t *testing.T) {
	const n, probes, most = 500, 1000, 1100
	specs := make([]Spec, n)
	for i := range specs {
		specs[i] = spec("availability", "http", fmt.Sprintf("https://shop-%d.example/health", i))
	}
	before := memory().HeapAlloc
	m := newMetrics()
	random := rand.New(rand.NewPCG(1, 1))
	for _, target := range m.Replace(specs) {
		for range probes {
			took := time.Duration((1 + 2*random.ExpFloat64()) * float64(time.Millisecond))
			target.observe(result(probe.Good, "", took, probe.Connect, probe.Processing, probe.Transfer))
		}
	}
	each := (memory().HeapAlloc - before) / n
	runtime.KeepAlive(m)
	if t.Logf("%d bytes each", each); each > most {
		t.Errorf("an account takes %d bytes, more than %d", each, most)
	}
}

// TestAScrapeAsTextTakesLittle measures all that a scrape allocates on the heap.
// No family may be in memory as a whole.
func TestAScrapeAsTextTakesLittle(t *testing.T) {
	const n, most = 2000, 1 << 20 // a snapshot is most of it; a family as text takes 2 MB
	m := many(n)
	var size int
	sink := writerFunc(func(p []byte) (int, error) { size += len(p); return len(p), nil })
	before := memory().TotalAlloc
	if err := m.writeText(sink, false); err != nil {
		t.Fatal(err)
	}
	took := memory().TotalAlloc - before
	if t.Logf("%d KB on the heap for %d KB", took>>10, size>>10); took > most {
		t.Errorf("a scrape takes %d bytes of the heap, more than %d", took, most)
	}
}
