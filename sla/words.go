package sla

import "fmt"

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

// Words says what is counted.
func (e *Events) Words() string {
	if e.Good.Text != "" {
		return fmt.Sprintf("good events %s of all %s", e.Good.Text, e.Total.Text)
	}
	return fmt.Sprintf("bad events %s of all %s", e.Bad.Text, e.Total.Text)
}

// Words says which requests are good.
func (l *HistogramLatency) Words() string {
	words := fmt.Sprintf("requests of %s answered within %s", l.Histogram.Text, FormatDuration(l.Threshold))
	if l.Good.Text != "" {
		words += ", and one of " + l.Good.Text
	}
	return words
}

// Words says what the probe does, and whose it is.
func (s *SharedProbe) Words() string {
	if s.Probe == nil || s.Probe.Check == nil {
		return fmt.Sprintf("probe of %s", s.Of)
	}
	return fmt.Sprintf("%s: the probe of %s", s.Probe.Words(), s.Of)
}

// Words says which probes are good.
func (l *ProbeLatency) Words() string {
	return fmt.Sprintf("probe of %s answered within %s", l.Of, FormatDuration(l.Threshold))
}
