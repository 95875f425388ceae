package sla

import (
	"fmt"
	"time"
)

// SharedProbe counts the probe of another level, for example for a second promise
// outside of prime time.
type SharedProbe struct {
	Of    ID // the level that defines the probe
	OfPos Position
	Probe *Probe // the probe of that level, set when references are resolved
}

// Kind is "probe".
func (*SharedProbe) Kind() string { return "probe" }

// Aggregations are those of the probe itself.
func (*SharedProbe) Aggregations() []Aggregation { return ofProbes() }

// Queries is none: the exporter counts.
func (*SharedProbe) Queries() []Query { return nil }

// Words describes the probe, and names the level that defines it.
func (s *SharedProbe) Words() string {
	return fmt.Sprintf("%s: the probe of %s", s.Probe.Words(), s.Of)
}

func (*SharedProbe) traits() traits { return traits{} }

func (s *SharedProbe) probed() *Probe { return s.Probe }

func (s *SharedProbe) definedBy(ID) ID { return s.Of }

// ProbeLatency counts probes of another level that succeeded within Threshold as good. A
// failed probe is bad.
type ProbeLatency struct {
	Of        ID // the level that defines the probe
	OfPos     Position
	Threshold time.Duration
	Probe     *Probe // the probe of that level, set when references are resolved
}

// Kind is "latency".
func (*ProbeLatency) Kind() string { return "latency" }

// Aggregations are by time, by probe and over minutes.
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
