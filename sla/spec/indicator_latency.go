package spec

import (
	"regexp"
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

var latencySection = &section{
	name: "latency",
	doc:  "Response time, of the service's own requests or of a probe.",
	fields: []field{
		{key: "histogram", typ: queryType, example: `'http_request_duration_seconds{job="api"}'`, doc: "Selector of a histogram of durations, by its base name without `_bucket`. Either `histogram` or `probe`."},
		{key: "good", typ: queryType, example: `'http_request_duration_seconds{job="api",code!~"5.."}'`, doc: "Selector of the same histogram for requests that did not fail. A request is then bad if it failed or was too slow, and counts once. Only beside `histogram`."},
		{key: "native", typ: booleanType, def: "false", doc: "The histogram is a native one: the share within the threshold is interpolated in its bucket."},
		{key: "unit", typ: oneOf(namesOf(sla.TimeUnits())...), def: "the unit in the histogram's name, else seconds", doc: "The histogram's unit, if its name does not say it: `http_seconds`, `istio_request_duration_milliseconds`, `response_latency_ms` and Envoy's `…_rq_time` do. Only beside `histogram`."},
		{key: "probe", typ: valueType{name: "reference", sample: "storefront/availability", scalars: textType.scalars}, doc: "The level that defines the probe: `service/level`, or `agreement:service/level` of another agreement. A failed probe is not fast. Either `histogram` or `probe`."},
		{key: "threshold", typ: durationType, required: true, example: "300ms", doc: "The longest time that is still fast enough. A classic histogram must have a bucket with exactly this bound; for a probe it must be shorter than the probe's timeout."},
	},
	oneOf: [][]string{{"histogram", "probe"}},
}

func decodeLatency(v value) (sla.Indicator, bool) {
	o := v.object(latencySection)
	if o == nil {
		return nil, false
	}
	threshold, thresholdAt, thresholdOK := read(o, "threshold", value.duration)
	if histogram, _, ok := read(o, "histogram", value.query); ok {
		good, _, _ := read(o, "good", value.query)
		unit, _, _ := read(o, "unit", word(namesOf(sla.TimeUnits())...))
		if native, _, _ := read(o, "native", value.boolean); native {
			return &sla.NativeLatency{Histogram: histogram, Threshold: threshold, Good: good, Unit: sla.TimeUnit(unit)}, true
		}
		return &sla.HistogramLatency{Histogram: histogram, Threshold: threshold, Good: good, Unit: sla.TimeUnit(unit)}, true
	}
	if good, given := o.get("good"); given {
		v.d.errorAt(good.key, "conflicting-keys", `"good" chooses series of a histogram, and this is a probe`, "leave it out: a failed probe is not fast")
	}
	if unit, given := o.get("unit"); given {
		v.d.errorAt(unit.key, "conflicting-keys", `"unit" is that of a histogram, and this is a probe`, "leave it out: probes are timed in seconds")
	}
	if reference, at, ok := read(o, "probe", parseReference); ok {
		latency := &sla.ProbeLatency{Of: reference, OfPos: at.pos(), Threshold: threshold}
		if thresholdOK {
			v.d.thresholds[latency] = thresholdAt.pos()
		}
		return latency, true
	}
	return nil, false
}

var referenceRegexp = regexp.MustCompile(`^(?:([^:/\s]+):)?([^:/\s]+)/([^:/\s]+)$`)

// parseReference parses the name of a level. The agreement is left empty if the
// reference has none.
func parseReference(v value) (sla.ID, bool) {
	text, ok := v.text()
	if !ok {
		return sla.ID{}, false
	}
	m := referenceRegexp.FindStringSubmatch(text)
	if m == nil {
		remedy := "write service/level, or agreement:service/level of another agreement"
		if strings.Contains(text, "://") {
			remedy = "the URL belongs to a level with a probe indicator; refer to that level here as service/level"
		}
		v.error("bad-reference", v.quoted()+" does not name a service level", remedy)
		return sla.ID{}, false
	}
	return sla.ID{SLA: m[1], Service: m[2], SLO: m[3]}, true
}
