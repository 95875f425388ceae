package measure

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Prometheus refuses an exemplar that is older than the one it has of the same
// series, and warns of it in its log.
func TestABucketNeverShowsAnOlderExemplarThanBefore(t *testing.T) {
	begin := time.Unix(1_700_000_000, 0)
	rapid.Check(t, func(t *rapid.T) {
		var h probeDurations
		var shown [len(classicBounds) + 1]int64
		for id := 1; id <= 40; id++ {
			// Probes that take long end after later ones; two may end at once.
			at := begin.Add(time.Duration(id+rapid.IntRange(-3, 0).Draw(t, "late")) * time.Second)
			h.observe(rapid.SampledFrom([]float64{0.004, 0.03, 0.2, 7}).Draw(t, "took"), rapid.IntRange(0, 1).Draw(t, "outcome"), ID(id), at)
			for i := range shown {
				e := h.exemplarIn(i)
				if e == nil {
					continue
				}
				if classicBucket(e.value) != i {
					t.Fatalf("bucket %d shows a probe of %g s", i, e.value)
				}
				if e.at < shown[i] {
					t.Fatalf("bucket %d shows an exemplar of %d after one of %d", i, e.at, shown[i])
				}
				shown[i] = e.at
			}
		}
	})
}

func TestTheLatestProbeIsAlwaysAnExemplar(t *testing.T) {
	var h probeDurations
	begin := time.Unix(1_700_000_000, 0)
	for id, took := range []float64{0.004, 0.2, 0.004, 0.004, 7, 0.03} {
		h.observe(took, id%2, ID(id+1), begin.Add(time.Duration(id)*time.Second))
		if e := h.exemplarIn(classicBucket(took)); e == nil || e.id != ID(id+1) {
			t.Errorf("after probe %d its bucket shows %v", id+1, e)
		}
	}
}
