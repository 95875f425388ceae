package sla

import (
	"fmt"
	"time"
)

// HistogramLatency counts requests that took at most Threshold as good. The classic
// histogram must have a bucket with exactly that bound.
type HistogramLatency struct {
	Histogram Query // selector with the base name, without _bucket
	Threshold time.Duration
	Good      Query    // selector of the series whose fast requests are good; empty: all series
	Unit      TimeUnit // of the histogram's bounds; empty: the unit in its name, else seconds
}

// Kind is "latency".
func (*HistogramLatency) Kind() string { return "latency" }

// Aggregations are by request and over slots.
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

// NativeLatency is HistogramLatency for a native histogram. The share within the
// threshold is interpolated in its bucket.
type NativeLatency struct {
	Histogram Query
	Threshold time.Duration
	Good      Query
	Unit      TimeUnit
}

// Kind is "latency".
func (*NativeLatency) Kind() string { return "latency" }

// Aggregations are those of classic histograms.
func (*NativeLatency) Aggregations() []Aggregation { return ofHistogram() }

// Queries are the selectors that were given.
func (l *NativeLatency) Queries() []Query { return given(l.Histogram, l.Good) }

// Words says which requests are good.
func (l *NativeLatency) Words() string {
	return (*HistogramLatency)(l).Words()
}

func (*NativeLatency) traits() traits { return traits{emptyIsGood: true} }
