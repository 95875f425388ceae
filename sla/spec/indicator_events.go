package spec

import "github.com/upheld-sla/upheld/sla"

var eventsSection = &section{
	name: "events",
	doc:  "Events that the service counts. Queries are selectors of counters, or sums of them, without `rate` and range: the generator adds both.",
	fields: []field{
		{key: "bad", typ: queryType, example: `'http_requests_total{job="api",code=~"5.."}'`, doc: "The events that went wrong. A series that does not exist counts as none. Either `bad` or `good`."},
		{key: "good", typ: queryType, example: `'http_requests_total{job="api",code!~"5.."}'`, doc: "The events that went well; all others are bad. If they have not existed for a day, the level is unknown. Either `bad` or `good`."},
		{key: "total", typ: queryType, required: true, doc: "All events."},
	},
	oneOf: [][]string{{"bad", "good"}},
}

func decodeEvents(v value) (sla.Indicator, bool) {
	o := v.object(eventsSection)
	if o == nil {
		return nil, false
	}
	e := &sla.Events{}
	e.Bad, _, _ = read(o, "bad", value.query)
	e.Good, _, _ = read(o, "good", value.query)
	e.Total, _, _ = read(o, "total", value.query)
	return e, len(e.Queries()) > 0
}
