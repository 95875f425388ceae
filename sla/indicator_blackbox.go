package sla

// Blackbox is good while the probe of a blackbox_exporter succeeds. The gauge is 1 or 0
// at each scrape.
type Blackbox struct {
	Success Query // selector of probe_success
}

// Kind is "blackbox".
func (*Blackbox) Kind() string { return "blackbox" }

// Aggregations are by time.
func (*Blackbox) Aggregations() []Aggregation { return ofGauges() }

// Queries is the selector of the gauge.
func (b *Blackbox) Queries() []Query { return []Query{b.Success} }

// Words names the selector.
func (b *Blackbox) Words() string { return "blackbox probe " + b.Success.Text }

func (*Blackbox) traits() traits { return traits{} }
