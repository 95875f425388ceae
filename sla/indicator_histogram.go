package sla

import (
	"fmt"
	"time"
)

// HistogramLatency is good while a request took at most Threshold, read from a
// classic histogram that has a bucket with exactly that bound.
type HistogramLatency struct {
	Histogram Query // selector of the base name, without _bucket
	Threshold time.Duration
	Good      Query    // selector of those of its series whose fast requests are good; all of them if empty
	Unit      TimeUnit // of the histogram's bounds; that in its name if empty
}

// Kind is "latency".
func (*HistogramLatency) Kind() string { return "latency" }

// Aggregations of histogram latency: by request, or over slots.
func (*HistogramLatency) Aggregations() []Aggregation { return ofHistogram() }

// Queries are the selectors that were given.
func (l *HistogramLatency) Queries() []Query { return given(l.Histogram, l.Good) }

// Words says which requests are good.
func (l *HistogramLatency) Words() string {
	words := fmt.Sprintf("requests of %s answered within %s", l.Histogram.Text, FormatDuration(l.Threshold))
	if l.Good.Text != "" {
		words += ", and one of " + l.Good.Text
	}
	return words
}

func (*HistogramLatency) traits() traits { return traits{emptyIsGood: true} }

// NativeLatency is HistogramLatency of a native histogram: the share within
// the threshold is interpolated in the bucket that holds it.
type NativeLatency struct {
	Histogram Query
	Threshold time.Duration
	Good      Query
	Unit      TimeUnit
}

// Kind is "latency".
func (*NativeLatency) Kind() string { return "latency" }

// Aggregations of native histograms are those of classic ones.
func (*NativeLatency) Aggregations() []Aggregation { return ofHistogram() }

// Queries are the selectors that were given.
func (l *NativeLatency) Queries() []Query { return given(l.Histogram, l.Good) }

// Words says which requests are good.
func (l *NativeLatency) Words() string {
	return (*HistogramLatency)(l).Words()
}

func (*NativeLatency) traits() traits { return traits{emptyIsGood: true} }
