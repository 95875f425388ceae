package sla

import "time"

// The indicators here are states that are looked at when rules are evaluated,
// or gauges; they are counted by time.

// Condition is good while a PromQL condition holds for every series that it
// compares, and unknown while there is none.
type Condition struct {
	Expr Query
}

// Kind is "condition".
func (*Condition) Kind() string { return "condition" }

// Aggregations of conditions: by time, or runs of bad minutes.
func (*Condition) Aggregations() []Aggregation { return []Aggregation{Time, QualifiedRun} }

// Queries is the condition.
func (c *Condition) Queries() []Query { return []Query{c.Expr} }

func (*Condition) looked() {}

// Words says what must hold.
func (c *Condition) Words() string { return "while " + c.Expr.Text }

// Ratio is a bad share that somebody else has calculated, from 0 to 1; several
// series of it are averaged.
type Ratio struct {
	Bad Query
}

// Kind is "ratio".
func (*Ratio) Kind() string { return "ratio" }

// Aggregations of ratios: by time, since nobody knows of how many events, or
// minutes above a threshold.
func (*Ratio) Aggregations() []Aggregation { return []Aggregation{Time, BadMinute, QualifiedRun} }

// Queries is the ratio.
func (r *Ratio) Queries() []Query { return []Query{r.Bad} }

func (*Ratio) looked() {}

// Words says what is taken over.
func (r *Ratio) Words() string { return "bad share " + r.Bad.Text }

// Blackbox is good while the probe of a blackbox_exporter succeeds: a gauge
// that is 1 or 0 at each scrape.
type Blackbox struct {
	Success Query // selector of probe_success
}

// Kind is "blackbox".
func (*Blackbox) Kind() string { return "blackbox" }

// Aggregations of such probes: by time.
func (*Blackbox) Aggregations() []Aggregation { return []Aggregation{Time} }

// Queries is the gauge's selector.
func (b *Blackbox) Queries() []Query { return []Query{b.Success} }

// Words says what is looked at.
func (b *Blackbox) Words() string { return "blackbox probe " + b.Success.Text }

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
func (*NativeLatency) Aggregations() []Aggregation { return (*HistogramLatency)(nil).Aggregations() }

// Queries are the selectors that were given.
func (l *NativeLatency) Queries() []Query { return given(l.Histogram, l.Good) }

// Words says which requests are good.
func (l *NativeLatency) Words() string {
	return (*HistogramLatency)(l).Words()
}
