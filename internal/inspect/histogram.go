package inspect

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/common/model"

	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// histogram checks for a classic histogram with a bucket for the threshold.
func (l *level) histogram(h *sla.HistogramLatency) {
	for _, s := range selectors(h.Histogram) {
		count, buckets := s.WithSuffix("_count"), s.WithSuffix("_bucket")
		if l.number(promql.Count(buckets.Now())) == 0 && l.number(promql.Count(promql.HistogramCount(s.Now()))) > 0 {
			l.warn(h.Histogram.At(s.Place()), "native-histogram", "write native: true", "%s is a native histogram, which has no buckets as series", s.Name())
			continue
		}
		if !l.there(h.Histogram, s, count) {
			continue
		}
		l.bucket(h, s, buckets)
		var good []promql.Selector
		for _, s := range selectors(h.Good) {
			good = append(good, s.WithSuffix("_count"))
		}
		l.good(h.Good, good, true)
		l.doubled(h.Histogram, []promql.Selector{count})
		l.scraped(h.Histogram, []promql.Selector{count})
		l.groups(h.Histogram, []promql.Selector{count})
	}
}

// bucket checks whether the histogram has a bucket for the threshold, whether all of
// its series do, and whether the bucket is in another unit.
func (l *level) bucket(h *sla.HistogramLatency, s, buckets promql.Selector) {
	bound, unit := sla.HistogramBound(s.Name(), h.Unit, h.Threshold)
	bounds := l.bounds(buckets)
	if l.err != nil {
		return
	}
	if slices.Contains(bounds, bound.Float64()) {
		l.everywhere(h, s, buckets, bound, unit)
		l.fits(h, s, buckets, bounds)
		return
	}
	remedy := "give the service a bucket of the threshold"
	if near := around(bound.Float64(), bounds, unit); len(near) > 0 {
		remedy = "the nearest are " + strings.Join(near, " and ") + ": choose one, or give the service a bucket of the threshold"
		if len(near) == 1 {
			remedy = "the nearest is " + near[0] + ": choose it, or give the service a bucket of the threshold"
			for _, u := range sla.TimeUnits() { // the threshold is beyond all bounds, so perhaps in another unit
				if other := u.Of(h.Threshold); u != unit && h.Unit == "" && slices.Contains(bounds, other.Float64()) {
					remedy = fmt.Sprintf("it has one of %s: if it counts in %s, write unit: %s; else %s", other, u, u, remedy)
				}
			}
		}
	}
	l.warn(h.Histogram.At(s.Place()), "no-bucket", remedy, "%s has no bucket of %s %s, so that the level %q would have no data", s.Name(), bound, unit.Symbol(), l.of.ID.SLO)
}

// bounds returns the finite bounds of buckets, ascending.
func (l *level) bounds(buckets promql.Selector) []float64 {
	var all []float64
	for _, sample := range l.vector(promql.CountBy(buckets.Now(), model.BucketLabel)) {
		if bound, err := strconv.ParseFloat(string(sample.Metric[model.BucketLabel]), 64); err == nil && !math.IsInf(bound, 0) {
			all = append(all, bound)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// around returns the bounds next to one that does not exist.
func around(want float64, bounds []float64, unit sla.TimeUnit) []string {
	var near []string
	i, _ := slices.BinarySearch(bounds, want)
	for _, b := range bounds[max(0, i-1):min(len(bounds), i+1)] {
		near = append(near, strconv.FormatFloat(b, 'f', -1, 64)+" "+unit.Symbol())
	}
	return near
}

// everywhere checks for series without the bucket that others have, for example while a
// service gets other bounds: their requests are not counted.
func (l *level) everywhere(h *sla.HistogramLatency, s, buckets promql.Selector, bound sla.Decimal, unit sla.TimeUnit) {
	all := s.WithSuffix("_count").Rate(sla.BaseWindow)
	lacking := promql.UnlessIgnoring(all, buckets.With(promql.Bound(model.BucketLabel, bound.Float64())).Rate(sla.BaseWindow), model.BucketLabel)
	total, left := l.number(promql.Sum(all)), l.number(promql.Sum(lacking))
	if left == 0 || l.err != nil {
		return
	}
	remedy := "give all the same bounds"
	if one := l.vector(promql.TopOne(lacking)); len(one) > 0 {
		remedy += "; one without it: " + one[0].Metric.String()
	}
	l.warn(h.Histogram.At(s.Place()), "no-bucket", remedy, "%.2g %% of the requests of %s are of series without a bucket of %s %s; the level %q leaves them out",
		100*left/total, s.Name(), bound, unit.Symbol(), l.of.ID.SLO)
}

// half is the least share of requests within a threshold in the right unit.
const half = 0.5

// fits compares the bucket with those of the same threshold in shorter units. If the
// bucket has hardly any requests and another one has most, the unit is wrong.
func (l *level) fits(h *sla.HistogramLatency, s, buckets promql.Selector, bounds []float64) {
	if h.Unit != "" {
		return
	}
	share := func(bound sla.Decimal) float64 {
		all := l.number(promql.Sum(s.WithSuffix("_count").Now()))
		return l.number(promql.Sum(buckets.With(promql.Bound(model.BucketLabel, bound.Float64())).Now())) / all
	}
	bound, unit := sla.HistogramBound(s.Name(), h.Unit, h.Threshold)
	of := share(bound)
	for _, u := range slices.Backward(sla.TimeUnits()) {
		other := u.Of(h.Threshold)
		if other.Cmp(bound) <= 0 || of >= half || !slices.Contains(bounds, other.Float64()) {
			continue
		}
		if better := share(other); better > half {
			l.warn(h.Histogram.At(s.Place()), "histogram-unit", fmt.Sprintf("if it counts in %s, write unit: %s; if not, unit: %s", u, u, unit),
				"read as %s, %.2g %% of the requests of %s are within %s; as %s it would be %.2g %%", unit, 100*of, s.Name(), sla.FormatDuration(h.Threshold), u, 100*better)
			return
		}
	}
}
