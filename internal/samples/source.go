package samples

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
)

// Series is what a source has of one series in a range of time: at T[i] the value V[i],
// or the native histogram H[i] if H is not nil.
type Series struct {
	Labels labels.Labels
	T      []int64 // ascending
	V      []float64
	H      []*histogram.FloatHistogram
}

// Source provides raw samples.
type Source interface {
	// Select returns the series that fulfil all matchers, with their samples in [from,
	// to), ordered by their labels. It leaves out series without samples there. An error
	// means that nothing is known of the range.
	Select(ctx context.Context, matchers []*labels.Matcher, from, to int64) ([]Series, error)
	// Name says where samples come from, without secrets: a URL, or names of files.
	Name() string
}

// sortSeries orders series by their labels, as sources return them.
func sortSeries(all []Series) {
	slices.SortFunc(all, func(a, b Series) int { return labels.Compare(a.Labels, b.Labels) })
}

// within cuts a series to the samples in [from, to).
func (s Series) within(from, to int64) Series {
	i, _ := slices.BinarySearch(s.T, from)
	j, _ := slices.BinarySearch(s.T, to)
	s.T = s.T[i:j]
	if s.V != nil {
		s.V = s.V[i:j]
	}
	if s.H != nil {
		s.H = s.H[i:j]
	}
	return s
}

// counts returns whether v can be the value of a counter. Other values are dropped, so
// that the time around them is a gap and not good.
func counts(v float64) bool { return v >= 0 && !math.IsInf(v, 1) } // NaN is not >= 0

func at(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

const (
	second = int64(1000)
	minute = 60 * second
	hour   = 60 * minute
	day    = 24 * hour
)

// floor is the last multiple of a length that is not after t.
func floor(t, length int64) int64 {
	n := t / length
	if t%length < 0 {
		n--
	}
	return n * length
}

// merged merges two series in order of time. If both have a sample at the same time,
// that of a counts.
func merged(a, b Series) Series {
	m := Series{Labels: a.Labels}
	for i, j := 0, 0; i < len(a.T) || j < len(b.T); {
		from, k := &a, &i
		if i == len(a.T) || j < len(b.T) && b.T[j] < a.T[i] {
			from, k = &b, &j
		} else if j < len(b.T) && b.T[j] == a.T[i] {
			j++
		}
		m.T = append(m.T, from.T[*k])
		if from.V != nil {
			m.V = append(m.V, from.V[*k])
		}
		if from.H != nil {
			m.H = append(m.H, from.H[*k])
		}
		*k++
	}
	return m
}
