package promql

import (
	"github.com/prometheus/prometheus/model/histogram"
	engine "github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser/posrange"
)

// Within is how many observations of a native histogram are at most bound, in the
// histogram's unit. As in histogram_fraction(0, bound, h) of the rules, it interpolates
// in the bucket of the bound, and ignores observations below 0.
func Within(h *histogram.FloatHistogram, bound float64) float64 {
	if h.Count == 0 {
		return 0
	}
	share, _ := engine.HistogramFraction(0, bound, h, "", posrange.PositionRange{})
	return share * h.Count
}
