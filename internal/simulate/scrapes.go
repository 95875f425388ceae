package simulate

import (
	"math"
	"sort"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/value"
)

// scrapes are the times at which a target has been scraped, in runs without a gap.
type scrapes struct {
	every int64 // milliseconds
	runs  []run
	n     int
}

// run is a series of successive scrapes. The last may be the one that finds the series
// gone.
type run struct {
	first int64 // Unix milliseconds
	at    int   // samples before it
	n     int
	gone  bool // the last sample is a staleness marker
}

// newScrapes returns the scrapes that find a series. has says in which segments it
// exists.
func newScrapes(c course, to, every int64, has func(segment) bool) *scrapes {
	s := &scrapes{every: every}
	open := false
	next := ceil(c[0].from, every)
	for i, seg := range c {
		end := to
		if i+1 < len(c) {
			end = c[i+1].from
		}
		first := next
		if next < end {
			next = first + (end-first+every-1)/every*every
		}
		n := int((next - first) / every)
		switch {
		case n == 0: // no scrape falls into it
		case seg.running && has(seg):
			if !open {
				s.runs = append(s.runs, run{first: first, at: s.n})
			}
			s.runs[len(s.runs)-1].n += n
			s.n += n
			open = true
		case open && seg.running: // a scrape finds it gone
			s.runs[len(s.runs)-1].n++
			s.runs[len(s.runs)-1].gone = true
			s.n++
			open = false
		default:
			open = false
		}
	}
	return s
}

func ceil(ms, every int64) int64 { return (ms + every - 1) / every * every }

// time returns when the i-th sample is, and whether it is a staleness marker.
func (s *scrapes) time(i int) (ms int64, gone bool) {
	r := s.runs[sort.Search(len(s.runs), func(k int) bool { return s.runs[k].at > i })-1]
	i -= r.at
	return r.first + int64(i)*s.every, r.gone && i == r.n-1
}

// counter is a counter whose samples are computed when they are read.
type counter struct {
	*scrapes
	course course
	counts []float64 // at the start of each segment
	rates  []float64 // per millisecond
}

// newCounter makes a counter of rate(segment) events a second.
func newCounter(c course, s *scrapes, rate func(segment) float64) *counter {
	k := &counter{scrapes: s, course: c, counts: make([]float64, len(c)), rates: make([]float64, len(c))}
	for i, seg := range c {
		k.rates[i] = rate(seg) / 1000
		if i+1 < len(c) {
			k.counts[i+1] = k.counts[i] + k.rates[i]*float64(c[i+1].from-seg.from)
		}
	}
	return k
}

func (k *counter) Len() int { return k.n }

func (k *counter) At(i int) (int64, float64) {
	ms, gone := k.time(i)
	if gone {
		return ms, math.Float64frombits(value.StaleNaN)
	}
	return ms, k.until(ms)
}

// until is how many whole events there were until ms.
func (k *counter) until(ms int64) float64 {
	i := k.course.at(ms)
	return math.Floor(k.exact(i, ms) + 1e-6)
}

func (k *counter) exact(i int, ms int64) float64 {
	return k.counts[i] + k.rates[i]*float64(ms-k.course[i].from)
}

// gauge is a gauge whose value depends on the segment and the time.
type gauge struct {
	*scrapes
	course course
	value  func(seg segment, ms int64) float64
}

func (g *gauge) Len() int { return g.n }

func (g *gauge) At(i int) (int64, float64) {
	ms, gone := g.time(i)
	if gone {
		return ms, math.Float64frombits(value.StaleNaN)
	}
	return ms, g.value(g.course[g.course.at(ms)], ms)
}

// falls returns whether the nth scrape is bad, so that a share of all scrapes is.
func falls(nth int64, share float64) bool {
	return math.Floor(float64(nth+1)*share+1e-9) > math.Floor(float64(nth)*share+1e-9)
}

// native is a native histogram: fast events below the threshold, slow ones above it.
type native struct {
	*scrapes
	good, bad *counter
	threshold float64
}

func (h *native) Len() int { return h.n }

func (h *native) At(i int) (int64, *histogram.FloatHistogram) {
	ms, gone := h.time(i)
	if gone {
		return ms, &histogram.FloatHistogram{Sum: math.Float64frombits(value.StaleNaN)}
	}
	good, bad := h.good.until(ms), h.bad.until(ms)
	// In schema 0 a bucket ends at each power of 2.
	low, high := int32(math.Ceil(math.Log2(h.threshold/4))), int32(math.Ceil(math.Log2(h.threshold*4)))
	return ms, &histogram.FloatHistogram{
		Count: good + bad, Sum: good*h.threshold/4 + bad*h.threshold*4,
		PositiveSpans:   []histogram.Span{{Offset: low, Length: 1}, {Offset: high - low - 1, Length: 1}},
		PositiveBuckets: []float64{good, bad},
	}
}
