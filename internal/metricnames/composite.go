package metricnames

// Labels of series about composites.
const (
	Component = "component" // a level that the composite is made of: `web/availability`
	Node      = "node"      // a place in the tree of the composite: `1` is the whole, `1.2` its second member
	Parent    = "parent"    // the node that it is a member of
	Assume    = "assume"    // what is assumed: `unknown_good`, `unknown_bad`, `dns/availability works`
	Members   = "members"   // how many of the first members
	Part      = "part"      // a weighted member whose bad time is divided on its own
	How       = "how"       // whether the component was the only cause: `alone` or `with_others`
)

// Labels of alerts of components.
const (
	PartOf      = "composite"    // the composites that the level is a component of, with commas between
	InhibitedBy = "inhibited_by" // those whose alerts hold this one back, with commas between
)

// Values of `assume` and `how`.
const (
	UnknownGood = "unknown_good"
	UnknownBad  = "unknown_bad"
	Alone       = "alone"
	WithOthers  = "with_others"
)

// Recorded series of composites. Each carries `sla`, `service` and `slo` of the
// composite.
const (
	ComponentTotal    = "sla:component_total:rate"         // component; events per second of a slot, before exclusions
	ComponentRate     = "sla:component_bad:rate"           // component; bad events per second of a slot
	ComponentGood     = "sla:component_good:rate"          // component; good events per second of a slot, where the level says what is good
	ComponentGoodSeen = "sla:component_good:seen"          // component; 1 if there were any since the last evaluation of the second layer
	ComponentBad      = "sla:component:bad"                // component; 1 down, 0 up, none unknown
	ComponentMissing  = "sla:component:missing"            // component; 1 while its state is unknown because it is missing; of composites that count missing time
	DownSince         = "sla:component:down_since_seconds" // component; since when, in Unix seconds, while it is down
	NodeBad           = "sla:composite_node:bad"           // node, parent, assume; 0 good, 1 bad, or between below weights
	FirstBad          = "sla:composite_node:first_bad"     // node, members, assume; with failover: 1 while all of the first members are bad
	NodeBlame         = "sla:composite_node:blame"         // node, parent; how much of the slot's bad time runs through the node
	PartBlame         = "sla:composite_part:blame"         // part, component, how; a step on the way to `sla:blame:slot`
	BlameSlot         = "sla:blame:slot"                   // component, how; how much of the slot's bad time it caused
	BlameCounted      = "sla:blame:slot_counted"           // component, how; how much of that counts by the composite's contract
	BlameRate         = "sla:blame:rate5m"                 // component, how; bad seconds per second that it caused
	BlameBudget       = "sla:blame:budget_ratio_period"    // component, how, period; share of the whole period's budget that it spent

	EndToEndTotal    = "sla:end_to_end_total:rate"           // events per second of a slot, of the level that measures the whole
	EndToEndRate     = "sla:end_to_end_bad:rate"             // bad events per second of a slot, of that level
	EndToEndGood     = "sla:end_to_end_good:rate"            // good events per second of a slot, of that level
	EndToEndGoodSeen = "sla:end_to_end_good:seen"            // 1 if there were any since the last evaluation of the second layer
	EndToEndBad      = "sla:end_to_end:bad"                  // 1 bad, 0 good, none unknown, of that level
	DivergenceSlot   = "sla:composite_divergence:slot"       // `sla:end_to_end:bad` less the composite's own state
	Divergence       = "sla:composite_divergence:ratio_rate" // the mean of that over the window that the name ends with
)

// BlameTally names the sums of BlameRate.
var BlameTally = TallyOf("blame", BlameRate)
