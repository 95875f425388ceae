package sla

import (
	"strings"
	"time"
)

// Indicator is what a service level measures. The kinds are sealed: rulegen has
// one table over them.
type Indicator interface {
	// Kind is the key it has in a specification: "probe", "events", "latency".
	Kind() string
	// Aggregations are those that make sense for the kind, the default first.
	Aggregations() []Aggregation
	// Queries are the user's PromQL texts in it, each with its place.
	Queries() []Query
	// Words say what is measured, for people: "HTTP GET https://… every 15s".
	Words() string
}

// looked marks kinds that are looked at when rules are evaluated; all others
// are counted from what was scraped.
type looked interface{ looked() }

// LookedAt tells whether an indicator is a state that is looked at when rules
// are evaluated, rather than counted from scrapes.
func LookedAt(i Indicator) bool {
	_, ok := i.(looked)
	return ok
}

// probed marks kinds that exporters measure: by which probe, and which level
// defines it, being the level own or another.
type probed interface {
	probed() *Probe
	definedBy(own ID) ID
}

// IsProbed tells whether exporters measure an indicator, so that it has locations.
func IsProbed(i Indicator) bool {
	_, ok := i.(probed)
	return ok
}

func (p *Probe) probed() *Probe        { return p }
func (l *ProbeLatency) probed() *Probe { return l.Probe }
func (s *SharedProbe) probed() *Probe  { return s.Probe }

func (*Probe) definedBy(own ID) ID      { return own }
func (l *ProbeLatency) definedBy(ID) ID { return l.Of }
func (s *SharedProbe) definedBy(ID) ID  { return s.Of }

// Probed is the probe that measures the level and the level that defines it, which
// may be another; nil while a reference to it is not resolved. It is false if
// exporters do not measure the level.
func (l *ServiceLevel) Probed() (of ID, p *Probe, ok bool) {
	i, ok := l.Indicator.(probed)
	if !ok {
		return ID{}, nil, false
	}
	return i.definedBy(l.ID), i.probed(), true
}

// Query is PromQL text that a user wrote, opaque here, with where it stands.
type Query struct {
	Text string
	Pos  Position // of the first byte of Text
	// Folded is set where the text in the file does not run on one line as in
	// Text, so that a place inside it is only known as Pos.
	Folded bool
}

// At is the place of a byte offset within the query.
func (q Query) At(offset int) Position {
	if q.Folded || offset < 0 || offset > len(q.Text) {
		return q.Pos
	}
	p := q.Pos
	before := q.Text[:offset]
	if n := strings.Count(before, "\n"); n > 0 {
		return Position{File: p.File, Line: p.Line + n, Column: p.Column + offset - strings.LastIndexByte(before, '\n') - 1}
	}
	p.Column += offset
	return p
}

// Events counts events of the service itself. Total is required, and exactly
// one of Bad and Good has text.
type Events struct {
	Bad, Good, Total Query
}

// Kind is "events".
func (*Events) Kind() string { return "events" }

// Aggregations of events: by request, or over slots.
func (*Events) Aggregations() []Aggregation {
	return []Aggregation{RequestRatio, MeanSlotErrorRate, BadMinute, QualifiedRun, AllFailedMinute}
}

// Queries are the ones that were given.
func (e *Events) Queries() []Query { return given(e.Bad, e.Good, e.Total) }

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
func (*HistogramLatency) Aggregations() []Aggregation {
	return []Aggregation{RequestRatio, MeanSlotErrorRate, BadMinute, QualifiedRun, SlotQuantile}
}

// Queries are the selectors that were given.
func (l *HistogramLatency) Queries() []Query { return given(l.Histogram, l.Good) }

// given are the queries that have text.
func given(all ...Query) []Query {
	var qs []Query
	for _, q := range all {
		if q.Text != "" {
			qs = append(qs, q)
		}
	}
	return qs
}

// SharedProbe counts the probe that another level defines, as that level does:
// one measurement that is promised twice, as in prime time and outside of it.
type SharedProbe struct {
	Of    ID // the level that defines the probe
	OfPos Position
	Probe *Probe // of that level, once references are resolved
}

// Kind is "probe".
func (*SharedProbe) Kind() string { return "probe" }

// Aggregations are those of the probe itself.
func (*SharedProbe) Aggregations() []Aggregation { return (*Probe)(nil).Aggregations() }

// Queries is none: the exporter counts.
func (*SharedProbe) Queries() []Query { return nil }

// ProbeLatency is good while a probe that another level defines succeeded
// within Threshold; a failed probe is not fast.
type ProbeLatency struct {
	Of        ID // the level that defines the probe
	OfPos     Position
	Threshold time.Duration
	Probe     *Probe // of that level, once references are resolved
}

// Kind is "latency".
func (*ProbeLatency) Kind() string { return "latency" }

// Aggregations of probe latency: by time, by probe, or over minutes.
func (*ProbeLatency) Aggregations() []Aggregation {
	return []Aggregation{Time, RequestRatio, BadMinute, QualifiedRun, AllFailedMinute}
}

// Queries is none: the exporter counts.
func (*ProbeLatency) Queries() []Query { return nil }
