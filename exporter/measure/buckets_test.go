package measure

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestPackedBucketsAreAMap compares with a map, whatever is counted.
func TestPackedBucketsAreAMap(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 0))
		var packed buckets
		want := map[int32]uint64{}
		spread := int32(1) << r.IntN(31)
		for range r.IntN(400) {
			at, n := r.Int32N(spread)-spread/2, uint64(1)
			if r.IntN(8) == 0 {
				n = r.Uint64N(1 << (1 + r.IntN(50)))
			}
			if n == 0 {
				continue
			}
			_, known := want[at]
			if isNew := packed.add(at, n); isNew == known {
				t.Fatalf("seed %d: %d is new: %t", seed, at, isNew)
			}
			want[at] += n
		}
		same := func(what string, packed buckets, want map[int32]uint64) {
			if got := maps.Collect(packed.all()); !maps.Equal(got, want) {
				t.Fatalf("seed %d, %s: %v, want %v", seed, what, got, want)
			}
			var order []int32
			for at := range packed.all() {
				order = append(order, at)
			}
			if !slices.IsSorted(order) || len(order) != len(want) {
				t.Fatalf("seed %d, %s: the order is %v", seed, what, order)
			}
		}
		same("as counted", packed, want)
		coarse := map[int32]uint64{}
		for at, n := range want {
			coarse[halve(at)] += n
		}
		half, count := packed.halved()
		same("at half the resolution", half, coarse)
		if count != len(coarse) {
			t.Fatalf("seed %d: %d buckets, counted as %d", seed, len(coarse), count)
		}
	}
}

func BenchmarkObserve(b *testing.B) {
	var d durations
	r := rand.New(rand.NewPCG(1, 1))
	values := make([]float64, 1024)
	for i := range values {
		values[i] = 0.0002 * (1 + r.ExpFloat64()*2) // spread as on a busy machine
	}
	for i := 0; b.Loop(); i++ {
		d.observe(values[i%len(values)])
	}
	b.ReportMetric(float64(len(slices.Collect(maps.Keys(maps.Collect(d.buckets.all()))))), "buckets")
}
