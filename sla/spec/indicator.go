package spec

import (
	"github.com/upheld-sla/upheld/sla"
)

// indicatorKind is a kind of indicator, with how it is read.
type indicatorKind struct {
	key     string
	typ     valueType
	doc     string
	example string
	decode  func(value) (sla.Indicator, bool)
}

// indicatorKinds are the kinds of indicator, one line each. A kind's keys,
// defaults and checks are in its own file.
var indicatorKinds = []indicatorKind{
	{"probe", valueType{name: "reference, or a mapping", sample: "{…}", scalars: referenceScalar, sections: probeSections()}, "Measured from outside, by the exporter. A reference, `service/level` or `agreement:service/level`, uses the probe of another level: one probe, two promises.", `{http: "https://shop.example/health"}`, decodeProbe},
	{"events", mapping(eventsSection), "Counted by the service itself: bad (or good) events of all events.", "", decodeEvents},
	{"latency", mapping(latencySection), "Response time: requests, or probes, that took at most a threshold.", "", decodeLatency},
	{"condition", mapping(conditionSection), "A state, good while a PromQL condition holds.", "", decodeCondition},
	{"ratio", mapping(ratioSection), "A bad share that is calculated already.", "", decodeRatio},
	{"blackbox", mapping(blackboxSection), "Measured from outside, by a blackbox_exporter.", "", decodeBlackbox},
	{"composite", mapping(compositeSection), "A combination of other levels, for a service that is made of several systems.", "", decodeComposite},
}

var indicatorSection = newIndicatorSection()

func newIndicatorSection() *section {
	s := &section{name: "indicator", doc: "What is measured: exactly one of these."}
	var keys []string
	for _, k := range indicatorKinds {
		s.fields = append(s.fields, field{key: k.key, typ: k.typ, doc: k.doc, example: k.example})
		keys = append(keys, k.key)
	}
	s.oneOf = [][]string{keys}
	return s
}

// decodeIndicator reads all kinds that were given, and returns the first one.
func decodeIndicator(v value) (sla.Indicator, bool) {
	o := v.object(indicatorSection)
	if o == nil {
		return nil, false
	}
	var first sla.Indicator
	for _, k := range indicatorKinds {
		indicator, _, ok := read(o, k.key, k.decode)
		if ok && first == nil {
			first = indicator
		}
	}
	return first, first != nil
}
