package metricnames

// Labels of what is recorded for composites.
const (
	Component = "component" // a level that the composite is made of: "web/availability"
	Node      = "node"      // a part of the composite: "1" is the whole, "1.2" its second member
	Parent    = "parent"    // the node whose member it is
	Assume    = "assume"    // what is taken for true: "unknown_good", "unknown_bad", "dns/availability works"
	Members   = "members"   // how many of the first members
	Part      = "part"      // a node of the weighted top of a composite whose bad time is divided by itself
	How       = "how"       // whether a component was the only cause: "alone", "shared"
)

// Labels of alerts of components.
const (
	PartOf      = "composite"    // the composites that the level is a component of, with commas between
	InhibitedBy = "inhibited_by" // those whose alerts silence this one, with commas between
)

// Values of labels.
const (
	UnknownGood = "unknown_good"
	UnknownBad  = "unknown_bad"
	Alone       = "alone"
	WithOthers  = "with_others"
)

// Recorded series of composites; each carries sla, service and slo of the
// composite.
const (
	ComponentTotal    = "sla:component_total:rate"         // component; events per second of a slot, whatever is excluded
	ComponentRate     = "sla:component_bad:rate"           // component; bad events per second of a slot
	ComponentGood     = "sla:component_good:rate"          // component; good events per second of a slot, of those that say what is good
	ComponentGoodSeen = "sla:component_good:seen"          // component; second tier: 1 if there were any since its last evaluation
	ComponentBad      = "sla:component:bad"                // component; 1 down, 0 up, none unknown
	ComponentMissing  = "sla:component:missing"            // component; 1 while its state is unknown because it is missing, of composites that count that
	DownSince         = "sla:component:down_since_seconds" // component; Unix seconds, of those that are down
	NodeBad           = "sla:composite_node:bad"           // node, parent, assume; 0 good, 1 bad, between them below weights
	FirstBad          = "sla:composite_node:first_bad"     // node, members, assume; 1 while all of the first members are bad
	NodeBlame         = "sla:composite_node:blame"         // node, parent; what of the slot's bad time runs through it
	PartBlame         = "sla:composite_part:blame"         // part, component, how
	BlameSlot         = "sla:blame:slot"                   // component, how; what of the slot's bad time it caused
	BlameCounted      = "sla:blame:slot_counted"           // component, how; what of that counts by the composite's contract
	BlameRate         = "sla:blame:rate5m"                 // component, how; bad seconds per second
	BlameBudget       = "sla:blame:budget_ratio_period"    // component, how, period; share of the whole period's budget that it spent

	EndToEndTotal    = "sla:end_to_end_total:rate"
	EndToEndRate     = "sla:end_to_end_bad:rate"
	EndToEndGood     = "sla:end_to_end_good:rate"
	EndToEndGoodSeen = "sla:end_to_end_good:seen"
	EndToEndBad      = "sla:end_to_end:bad"                  // 1 bad, 0 good, none unknown; of the level that measures the whole
	DivergenceSlot   = "sla:composite_divergence:slot"       // that less the composite's own
	Divergence       = "sla:composite_divergence:ratio_rate" // prefix; the window follows
)

// BlameTally names what is summed of BlameRate.
var BlameTally = TallyOf("blame", BlameRate)
