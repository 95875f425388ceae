package serve

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// What is kept of settled states makes the same outages, wherever the past is cut.
func TestSettledStatesMakeTheSameOutages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
		var all []point
		for i, code := range rapid.SliceOfN(rapid.SampledFrom([]float64{0, 0, 0, 3, 4, 5}), 0, 40).Draw(t, "codes") {
			all = append(all, point{start.Add(time.Duration(i) * time.Minute), code})
		}
		cut := rapid.IntRange(0, len(all)).Draw(t, "cut")
		kept := append(changes(slices.Clone(all[:cut])), all[cut:]...)
		want, got := outagesOf(runsOf(all, 3*time.Minute)), outagesOf(runsOf(kept, 3*time.Minute))
		if len(got) != len(want) {
			t.Fatalf("%v, want %v", got, want)
		}
		for i := range got {
			if got[i].Start != want[i].Start || got[i].End != want[i].End || got[i].Worst != want[i].Worst {
				t.Fatalf("%v, want %v", got, want)
			}
		}
	})
}
