package spec

import "github.com/upheld-sla/upheld/sla"

var conditionSection = &section{
	name: "condition",
	doc:  "A state that Prometheus knows, evaluated once a minute.",
	fields: []field{
		{key: "expr", typ: queryType, required: true, example: `"queue_oldest_message_age_seconds < 60"`, doc: "Good while it holds for every series that it compares; unknown while there is none, or it is NaN. Write comparisons of any expressions, joined by `and` / `or`."},
	},
}

func decodeCondition(v value) (sla.Indicator, bool) {
	o := v.object(conditionSection)
	if o == nil {
		return nil, false
	}
	expr, _, ok := read(o, "expr", value.query)
	return &sla.Condition{Expr: expr}, ok
}

var ratioSection = &section{
	name: "ratio",
	doc:  "A bad share that is computed already. If there are counters, use `events`: a ratio cannot be weighted by its traffic.",
	fields: []field{
		{key: "bad", typ: queryType, required: true, example: `'job:errors:ratio{job="api"}'`, doc: "An expression whose series are shares from 0 to 1. Several are averaged."},
	},
}

func decodeRatio(v value) (sla.Indicator, bool) {
	o := v.object(ratioSection)
	if o == nil {
		return nil, false
	}
	bad, _, ok := read(o, "bad", value.query)
	return &sla.Ratio{Bad: bad}, ok
}

var blackboxSection = &section{
	name: "blackbox",
	doc:  "Measured from outside by a blackbox_exporter that you keep.",
	fields: []field{
		{key: "success", typ: queryType, required: true, example: `'probe_success{job="blackbox",instance="https://shop.example"}'`, doc: "Selector of `probe_success`. Several series are averaged. A failed scrape is unknown."},
	},
}

func decodeBlackbox(v value) (sla.Indicator, bool) {
	o := v.object(blackboxSection)
	if o == nil {
		return nil, false
	}
	success, _, ok := read(o, "success", value.query)
	return &sla.Blackbox{Success: success}, ok
}
