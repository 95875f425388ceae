package foreign

import "strconv"

// comparison is the operator of an objective in PromQL.
func comparison(op string) (sign string, known bool) {
	switch op {
	case "lt":
		return "<", true
	case "lte":
		return "<=", true
	case "gt":
		return ">", true
	case "gte":
		return ">=", true
	}
	return "", false
}

// threshold converts a metric that is compared with a value.
func (r *opensloReader) threshold(l *level, objective *object, at place, slice timeSlice) {
	holder := place{at.doc, at.node}.object("thresholdMetric", "metricSource")
	if holder == nil {
		return
	}
	one := &object{place: at, entries: []entry{{name: "thresholdMetric", key: at, value: at}}}
	m, _, ok := r.metric(one, "thresholdMetric")
	if !ok {
		return
	}
	op, opAt, ok := objective.mustText("op")
	if !ok {
		return
	}
	sign, known := comparison(op)
	if !known {
		opAt.error("bad-value", strconv.Quote(shortened(op))+" is no comparison", "write lt, lte, gt or gte")
		return
	}
	value, valueAt, ok := objective.mustText("value")
	if !ok {
		return
	}
	if _, ok := parseDecimal(value); !ok {
		valueAt.error("bad-number", "value "+strconv.Quote(shortened(value))+" is no number", "write it like 200")
		return
	}
	query := operand(fiveMinutes(m.text)) + " " + sign + " " + value
	l.indicator = r.mapping(at).set("condition", r.mapping(at).set("expr", r.expression(m.at, query, -1)).node).node
	if !l.exported {
		l.note("The condition is evaluated once a minute, and minutes are counted. If there are several series, it must hold for all of them.")
		m.at.warn("not-weighed", "this becomes a condition, which is evaluated once a minute: minutes are counted, and not samples", "read docs/rules.md, conditions")
	}
	r.aggregate(l, slice, ofState)
}
