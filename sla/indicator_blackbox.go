package sla

// Blackbox is good while the probe of a blackbox_exporter succeeds: a gauge
// that is 1 or 0 at each scrape.
type Blackbox struct {
	Success Query // selector of probe_success
}

// Kind is "blackbox".
func (*Blackbox) Kind() string { return "blackbox" }

// Aggregations of such probes: by time.
func (*Blackbox) Aggregations() []Aggregation { return ofGauges() }

// Queries is the gauge's selector.
func (b *Blackbox) Queries() []Query { return []Query{b.Success} }

// Words says what is looked at.
func (b *Blackbox) Words() string { return "blackbox probe " + b.Success.Text }

func (*Blackbox) traits() traits { return traits{} }
