package sla

import (
	"fmt"
	"slices"
	"time"
)

// Probe is the definition of a probe. The exporter runs it.
type Probe struct {
	Check    Check
	Interval time.Duration // between starts of successive probes
	Timeout  time.Duration // of one probe, at most Interval
	// Recheck is how long after a probe that was not good the exporter probes the
	// target again, without waiting for the next scheduled probe; 0: never.
	Recheck time.Duration
	// Discovery is where the targets are found; nil for one target, that of Check.
	Discovery *Discovery
	Network   *Network // nil: defaults
	// MaxDuration is how long a good probe may take; 0: as long as its timeout.
	MaxDuration time.Duration
}

// Kind is "probe".
func (*Probe) Kind() string { return "probe" }

// Aggregations of probes: by time, by probe, or over minutes.
func (*Probe) Aggregations() []Aggregation { return ofProbes() }

// Queries is none: the exporter counts.
func (*Probe) Queries() []Query { return nil }

// Words says what the probe does: "HTTP GET https://shop.example/health every 15s".
func (p *Probe) Words() string {
	words := fmt.Sprintf("%s every %s", p.Check.Words(), FormatDuration(p.Interval))
	switch d := p.Discovery; {
	case d == nil:
	case d.Host != "":
		words += ", at each address of " + d.Host
	default:
		words += ", of each target that is found"
	}
	return words
}

func (*Probe) traits() traits { return traits{} }

func (p *Probe) probed() *Probe { return p }

func (*Probe) definedBy(own ID) ID { return own }

// Check is a kind of probe with its options. Each kind has a prober in exporter/probe.
type Check interface {
	// ProbeKind is the key of the kind in a specification: "http", "tcp".
	ProbeKind() string
	// Target is the address that is probed, without secrets, as in the label "target".
	Target() string
	// Words describe the probe: "TCP connection to db.example:5432".
	Words() string
}

// ProbeTarget is one probe that an exporter has to run.
type ProbeTarget struct {
	ID         ID // of the level that defines the probe
	Probe      *Probe
	Thresholds []time.Duration // of the response-time levels that read it; ascending, unique
}

// ProbeTargets are the probes of the agreements in order, each with the
// response-time thresholds of all levels that count it.
func ProbeTargets(agreements []*Agreement) []ProbeTarget {
	var targets []ProbeTarget
	index := map[ID]int{}
	for _, a := range agreements {
		for _, l := range a.Levels {
			if p, ok := l.Indicator.(*Probe); ok {
				index[l.ID] = len(targets)
				targets = append(targets, ProbeTarget{ID: l.ID, Probe: p})
			}
		}
	}
	for _, a := range agreements {
		for _, l := range a.Levels {
			if lat, ok := l.Indicator.(*ProbeLatency); ok {
				if i, ok := index[lat.Of]; ok {
					targets[i].Thresholds = append(targets[i].Thresholds, lat.Threshold)
				}
			}
		}
	}
	for i := range targets {
		slices.Sort(targets[i].Thresholds)
		targets[i].Thresholds = slices.Compact(targets[i].Thresholds)
	}
	return targets
}
