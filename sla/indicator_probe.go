package sla

import (
	"fmt"
	"time"
)

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
func (*SharedProbe) Aggregations() []Aggregation { return ofProbes() }

// Queries is none: the exporter counts.
func (*SharedProbe) Queries() []Query { return nil }

// Words says what the probe does, and whose it is.
func (s *SharedProbe) Words() string {
	return fmt.Sprintf("%s: the probe of %s", s.Probe.Words(), s.Of)
}

func (*SharedProbe) traits() traits { return traits{} }

func (s *SharedProbe) probed() *Probe { return s.Probe }

func (s *SharedProbe) definedBy(ID) ID { return s.Of }

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
func (*ProbeLatency) Aggregations() []Aggregation { return ofProbes() }

// Queries is none: the exporter counts.
func (*ProbeLatency) Queries() []Query { return nil }

// Words says which probes are good.
func (l *ProbeLatency) Words() string {
	return fmt.Sprintf("probe of %s answered within %s", l.Of, FormatDuration(l.Threshold))
}

func (*ProbeLatency) traits() traits { return traits{} }

func (l *ProbeLatency) probed() *Probe { return l.Probe }

func (l *ProbeLatency) definedBy(ID) ID { return l.Of }
