package foreign

import (
	"strconv"
	"strings"
	"time"
)

// indicatorOf is the SLI of an SLO, or of one of its objectives. It is nil after an error.
func (r *opensloReader) indicatorOf(o *object) *opensloObject {
	inline, isInline := o.get("indicator")
	ref, isRef := o.get("indicatorRef")
	switch {
	case isInline && isRef:
		o.error("conflicting-keys", "indicator and indicatorRef stand beside each other", "keep one of them")
	case isInline:
		return r.object(inline, "SLI")
	case isRef:
		return r.named(ref, "SLI", "indicatorRef")
	default:
		o.error("no-indicator", "there is neither indicator nor indicatorRef", "add indicatorRef: and the name of an SLI, or an indicator")
	}
	return nil
}

// indicator converts an SLI, and how slices of time judge it.
func (r *opensloReader) indicator(l *level, objective *object, sli *opensloObject, slice timeSlice) {
	spec := sli.spec.object("the spec of an SLI", "description", "thresholdMetric", "ratioMetric")
	if spec == nil {
		return
	}
	threshold, isThreshold := spec.get("thresholdMetric")
	ratio, isRatio := spec.get("ratioMetric")
	if isThreshold == isRatio {
		spec.error("conflicting-keys", "an SLI has either thresholdMetric or ratioMetric", "keep or add one of them")
		return
	}
	if text, at, ok := spec.text("description"); ok && l.description == nil {
		l.description = r.described(sli.meta, text, at, true)
	}
	if isThreshold {
		r.threshold(l, objective, threshold, slice)
		return
	}
	for _, key := range []string{"op", "value"} {
		if at, ok := objective.get(key); ok {
			at.notCarried(key+" is not carried: it compares a thresholdMetric, and this is a ratioMetric", "leave it out")
		}
	}
	r.ratioMetric(l, ratio, slice)
}

// ratioMetric converts a ratio.
func (r *opensloReader) ratioMetric(l *level, at place, slice timeSlice) {
	o := at.object("ratioMetric", "counter", "good", "bad", "total", "rawType", "raw")
	if o == nil {
		return
	}
	raw, isRaw, rawOK := r.metric(o, "raw")
	good, isGood, goodOK := r.metric(o, "good")
	bad, isBad, badOK := r.metric(o, "bad")
	total, isTotal, totalOK := r.metric(o, "total")
	switch {
	case isRaw && (isGood || isBad || isTotal):
		o.error("conflicting-keys", "raw stands beside good, bad or total", "keep raw, or the others")
	case isRaw:
		if rawOK {
			r.raw(l, o, raw, slice)
		}
	case !isTotal:
		o.error("missing-key", `"total" is missing in ratioMetric`, "add total, beside good or bad; or raw")
	case isGood == isBad:
		o.error("conflicting-keys", "ratioMetric has either good or bad, beside total", "keep or add one of them")
	case !totalOK || isGood && !goodOK || isBad && !badOK:
		// reported
	case isGood:
		r.counts(l, o, good, total, true, slice)
	default:
		r.counts(l, o, bad, total, false, slice)
	}
}

// counts converts good or bad events out of all events.
func (r *opensloReader) counts(l *level, o *object, part, total opensloMetric, good bool, slice timeSlice) {
	if r.queries == nil { // nobody parses the text
		key := map[bool]string{true: "good", false: "bad"}[good]
		events := r.mapping(o.place).set(key, r.expression(part.at, part.text, 0)).set("total", r.expression(total.at, total.text, 0))
		l.indicator = r.mapping(o.place).set("events", events.node).node
		r.aggregate(l, slice, ofCounts)
		return
	}
	p, pErr := r.queries.Counted(standIn(part.text))
	t, tErr := r.queries.Counted(standIn(total.text))
	if isSyntaxError(part.at, pErr) || isSyntaxError(total.at, tErr) {
		return
	}
	counter, said := true, false
	if at, ok := o.get("counter"); ok {
		counter, said = at.flag("counter"), true
	}
	rates := pErr == nil && p.Window > 0 || tErr == nil && t.Window > 0
	if !rates && !part.ranged && !total.ranged && said && !counter {
		r.share(l, o.place, quotient(part.text, total.text, good), "its metrics are no counters")
		r.aggregate(l, slice, ofShare)
		return
	}
	why := ""
	for _, err := range []error{pErr, tErr} {
		if err != nil && why == "" {
			why = err.Error()
		}
	}
	if why == "" && r.setCounts(l, o.place, counts{part: p, total: t, good: good, partAt: part.at, allAt: total.at}) {
		if !said && !rates {
			o.warn("assumed", "ratioMetric does not say whether its metrics are counters; they are taken for such", "add counter: true, or counter: false for gauges")
		}
		r.aggregate(l, slice, ofCounts)
		return
	}
	if why == "" {
		why = "its queries do not add up the same counters"
	}
	if !part.ranged && !total.ranged && counter {
		part.at.error("not-carried", "these counters are not carried: "+why, "write sums of counters, like sum(requests_total{code=~\"5..\"}); or of their rates")
		return
	}
	r.share(l, o.place, quotient(part.text, total.text, good), why)
	r.aggregate(l, slice, ofShare)
}

// setCounts makes the indicator from counts. It is false if they cannot be counted here.
func (r *opensloReader) setCounts(l *level, at place, n counts) bool {
	if !sameWords(n.part.By, n.total.By) {
		return false
	}
	if l.indicator = r.counted(n); l.indicator == nil {
		return false
	}
	if l.groupBy = r.grouped(at, n.total.By); l.groupBy != nil {
		l.note("Each " + strings.Join(n.total.By, ", ") + " has its own budget, as each series of these sums.")
	}
	return true
}

// quotient is the bad share.
func quotient(part, total string, good bool) string {
	share := operand(part) + " / " + operand(total)
	if good {
		return "1 - " + share
	}
	return share
}

// operand is a query as part of an expression, in parentheses if it needs them.
func operand(query string) string {
	query = strings.TrimSpace(query)
	switch {
	case strings.ContainsAny(query, "\n#"): // the end of a comment is that of its line
		return "(\n" + query + "\n)"
	case hasOperator(query):
		return "(" + query + ")"
	}
	return query
}

// raw converts a share that is already calculated.
func (r *opensloReader) raw(l *level, o *object, raw opensloMetric, slice timeSlice) {
	kind, at, ok := o.mustText("rawType")
	if !ok {
		return
	}
	if kind != "success" && kind != "failure" {
		at.error("bad-value", "rawType "+strconv.Quote(shortened(kind))+" is neither success nor failure", "write what share the query is of: success or failure")
		return
	}
	success := kind == "success"
	if r.queries != nil {
		if a, b, complement, ok := r.queries.Quotient(standIn(raw.text)); ok {
			part, aErr := r.countedPart(a)
			total, bErr := r.countedPart(b)
			if aErr == nil && bErr == nil && part.Window > 0 && total.Window > 0 &&
				r.setCounts(l, raw.at, counts{part: part, total: total, good: success != complement, partAt: raw.at, allAt: raw.at}) {
				r.aggregate(l, slice, ofCounts)
				return
			}
		}
	}
	text := raw.text
	if success {
		text = "1 - " + operand(text)
	}
	r.share(l, raw.at, text, "")
	r.aggregate(l, slice, ofShare)
}

// countedPart reads a part of an expression, with places in the whole.
func (r *opensloReader) countedPart(p Part) (Counted, error) {
	n, err := r.queries.Counted(p.Text)
	for _, selectors := range [][]Selector{n.Plus, n.Minus} {
		for i := range selectors {
			selectors[i].Offset += p.Offset
		}
	}
	return n, err
}

// share carries a query as a bad share.
func (r *opensloReader) share(l *level, at place, text, why string) {
	written := fiveMinutes(text)
	offset := -1
	if scalar := at.node.Value; written == text && scalar == text {
		offset = 0
	}
	l.indicator = r.mapping(at).set("ratio", r.mapping(at).set("bad", r.expression(at, written, offset)).node).node
	if l.exported {
		return
	}
	message := "this becomes a ratio, whose minutes all count the same, however much traffic they have"
	if why != "" {
		message += ": " + why
	}
	at.warn("not-weighed", message, "count good or bad and total events by counters, if there are such: counter: true, query: sum(requests_total)")
	l.note("Every minute counts the same here, however much traffic it has.")
}

// hasOperator returns whether a query has an operator outside of brackets, so
// that it needs parentheses as an operand.
func hasOperator(query string) bool {
	depth := 0
	for _, c := range withoutQuotes(query) {
		switch {
		case strings.ContainsRune("([{", c):
			depth++
		case strings.ContainsRune(")]}", c):
			depth--
		case depth == 0 && strings.ContainsRune("+-*/%^<>=! ", c):
			return true
		}
	}
	return false
}

// countedKind is what an indicator counts.
type countedKind int

const (
	ofCounts countedKind = iota // events
	ofShare                     // a share of each minute
	ofState                     // good or bad minutes
)

// aggregate sets how slices of time become one share.
func (r *opensloReader) aggregate(l *level, slice timeSlice, kind countedKind) {
	switch {
	case slice.method == timeslices && kind != ofState:
		m := r.mapping(slice.at).flow().set("method", r.text(slice.at, "bad_minute"))
		l.aggregation = m.set("errorThreshold", r.quoted(slice.mostAt, slice.most.String())).node
		r.minuteSlices(l, slice)
	case slice.method == timeslices:
		r.minuteSlices(l, slice)
	case slice.method == ratioTimeslices && kind == ofCounts:
		width := min(max(slice.width.Round(5*time.Minute), 5*time.Minute), time.Hour)
		m := r.mapping(slice.at).flow().set("method", r.text(slice.at, "mean_slot_error_rate"))
		l.aggregation = m.set("slot", r.text(slice.at, minutes(width))).node
		if width != slice.width {
			slice.at.warn("changed-meaning", "slices of "+minutes(slice.width)+" become slots of "+minutes(width)+": slots here have 5 minutes to an hour, in steps of 5 minutes", "agree on "+minutes(width))
			l.note("The mean is of slots of " + minutes(width) + ", and not of slices of " + minutes(slice.width) + " as in OpenSLO.")
		}
	}
}

// minuteSlices reports slices that are no minutes.
func (r *opensloReader) minuteSlices(l *level, slice timeSlice) {
	if slice.width != time.Minute {
		slice.at.warn("changed-meaning", "slices of "+minutes(slice.width)+" become minutes: each minute is judged by itself", "agree on timeSliceWindow: 1m")
		l.note("Minutes are judged, and not slices of " + minutes(slice.width) + " as in OpenSLO.")
	}
}
