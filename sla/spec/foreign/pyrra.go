package foreign

import (
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/sla"
)

// Pyrra is Pyrra's object, in a cluster and in files.
var Pyrra = Format{
	Name: "pyrra", Title: "Pyrra", Noun: "Pyrra ServiceLevelObjective",
	Begin: "apiVersion: pyrra.dev/v1alpha1 and kind: ServiceLevelObjective", Mark: "pyrra.dev/v1alpha1",
	Is: func(root *yaml.Node) bool { return isObject(root, "pyrra.dev/", "ServiceLevelObjective") },
	convert: func(c *conversion, docs []*Document) {
		for _, doc := range docs {
			pyrraReader{c}.document(place{doc, doc.Root})
		}
	},
}

type pyrraReader struct{ *conversion }

// propagated is the prefix of labels and annotations that Pyrra hands on to its rules.
const propagated = "pyrra.dev/"

func (p pyrraReader) document(root place) {
	o := root.object("a ServiceLevelObjective", "apiVersion", "kind", "metadata", "spec", "status")
	if o == nil {
		return
	}
	metaAt, ok := o.must("metadata")
	if !ok {
		return
	}
	meta := metaAt.object("metadata")
	specAt, ok := o.must("spec")
	if !ok || meta == nil {
		return
	}
	text, at, ok := meta.mustText("name")
	if !ok {
		return
	}
	name := p.name(at, text)
	spec := specAt.object("the spec of a ServiceLevelObjective", "description", "target", "window", "indicator", "alerting", "partial_response_strategy", "performanceOverAccuracy", "ruleOutput")
	if name == "" || spec == nil {
		return
	}
	a, isNew := p.agreement(at, name)
	if !isNew {
		at.error("duplicate-name", "there is another ServiceLevelObjective "+strconv.Quote(name), "rename one of them: agreements that are read together have different names, whatever their namespace")
		return
	}
	l := p.level(spec, at)
	if l == nil {
		return
	}
	if l.labels = p.propagated(meta, "labels"); l.labels != nil {
		a.labels, l.labels = l.labels, nil
	}
	l.alerts.annotations = with(p.propagated(meta, "annotations"), l.alerts.annotations...)
	a.levels = append(a.levels, l)
	a.notes = append(a.notes,
		"Pyrra has no alerts about a budget that is spent or soon will be; these do: docs/alerts.md.",
		"A tier waits for three bad events, so that one failure in a quiet hour wakes nobody; minimumBadEvents: 0 is as in Pyrra.")
}

// propagated are the labels or annotations that Pyrra hands on.
func (p pyrraReader) propagated(meta *object, key string) []pair {
	var entries []entry
	for _, e := range meta.texts(key) {
		if name, ok := strings.CutPrefix(e.name, propagated); ok {
			e.name = name
			entries = append(entries, e)
		}
	}
	return p.labels(entries)
}

func (p pyrraReader) level(spec *object, name place) *level {
	l := &level{at: spec.place}
	if text, at, ok := spec.text("description"); ok {
		l.description = p.text(at, strings.TrimSpace(text))
	}
	target, ok := spec.must("target")
	if !ok {
		return nil
	}
	l.target = p.percent(target, "target", 1)
	window, windowAt, ok := spec.mustText("window")
	if !ok {
		return nil
	}
	l.period = p.text(windowAt, window)
	for _, key := range []string{"partial_response_strategy", "performanceOverAccuracy", "ruleOutput"} {
		if at, ok := spec.get(key); ok {
			at.notCarried(key+" is not carried: it is about how Pyrra's rules are made and evaluated", "leave it out")
		}
	}
	indicator, ok := spec.must("indicator")
	if !ok {
		return nil
	}
	p.indicator(l, indicator, name)
	if l.indicator == nil || l.target == nil {
		return nil
	}
	p.alerting(l, spec, windowAt, window)
	return l
}

func (p pyrraReader) indicator(l *level, at, name place) {
	o := at.object("indicator", "ratio", "latency", "latencyNative", "bool_gauge")
	if o == nil {
		return
	}
	for _, kind := range []struct {
		key, slo string
		convert  func(*level, place) []place
	}{{"ratio", "errors", p.ratio}, {"latency", "latency", p.latencyOf}, {"latencyNative", "latency", p.native}, {"bool_gauge", "up", p.gauge}} {
		if of, ok := o.get(kind.key); ok {
			l.name = p.text(name, kind.slo)
			l.groupBy = p.grouping(of, kind.convert(l, of))
			return
		}
	}
	at.error("missing-key", "indicator needs ratio, latency, latencyNative or bool_gauge", "add ratio: {errors: {metric: …}, total: {metric: …}}")
}

// grouping makes groupBy of the labels that Pyrra groups by.
func (p pyrraReader) grouping(at place, labels []place) *yaml.Node {
	var names []string
	for _, l := range labels {
		if text, ok := l.scalar("grouping"); ok {
			names = append(names, text)
		}
	}
	return p.grouped(at, names)
}

// metric is the query under a key, with the counter that it selects.
func (p pyrraReader) metric(o *object, key string) (s Selector, text string, at place, ok bool) {
	of, ok := o.must(key)
	if !ok {
		return s, "", place{}, false
	}
	q := of.object(key, "metric")
	if q == nil {
		return s, "", place{}, false
	}
	if text, at, ok = q.mustText("metric"); !ok || p.queries == nil {
		return s, text, at, ok
	}
	n, err := p.queries.Counted(text)
	if isSyntaxError(at, err) {
		return s, text, at, false
	}
	if err != nil || len(n.Plus) != 1 || len(n.Minus) > 0 || n.Window != 0 || n.Summed {
		at.error("not-a-selector", "this is no selector of one metric, as Pyrra demands it", `write it like requests_total{job="api"}`)
		return s, text, at, false
	}
	return n.Plus[0], text, at, true
}

func (p pyrraReader) ratio(l *level, at place) []place {
	o := at.object("ratio", "errors", "total", "grouping")
	if o == nil {
		return nil
	}
	_, bad, badAt, ok1 := p.metric(o, "errors")
	_, all, allAt, ok2 := p.metric(o, "total")
	if ok1 && ok2 {
		events := p.mapping(at).set("bad", p.expression(badAt, bad, 0)).set("total", p.expression(allAt, all, 0))
		l.indicator = p.mapping(at).set("events", events.node).node
	}
	return o.list("grouping")
}

func (p pyrraReader) latencyOf(l *level, at place) []place {
	o := at.object("latency", "success", "total", "grouping")
	if o == nil {
		return nil
	}
	success, good, goodAt, ok1 := p.metric(o, "success")
	total, all, allAt, ok2 := p.metric(o, "total")
	if ok1 && ok2 {
		n := counts{part: Counted{Plus: []Selector{success}}, total: Counted{Plus: []Selector{total}}, good: true, partAt: goodAt, allAt: allAt}
		if l.indicator = p.latency(n, success, total); l.indicator == nil {
			events := p.mapping(at).set("good", p.expression(goodAt, good, 0)).set("total", p.expression(allAt, all, 0))
			l.indicator = p.mapping(at).set("events", events.node).node
		}
	}
	return o.list("grouping")
}

func (p pyrraReader) native(l *level, at place) []place {
	o := at.object("latencyNative", "total", "latency", "grouping")
	if o == nil {
		return nil
	}
	_, all, allAt, ok1 := p.metric(o, "total")
	threshold, thresholdAt, ok2 := o.mustText("latency")
	if ok1 && ok2 {
		latency := p.mapping(at).set("histogram", p.expression(allAt, all, 0)).set("native", p.boolean(allAt, true))
		latency.set("threshold", p.text(thresholdAt, threshold))
		l.indicator = p.mapping(at).set("latency", latency.node).node
	}
	return o.list("grouping")
}

// gauge converts a gauge that is 1 while all is well: its mean is the good share.
func (p pyrraReader) gauge(l *level, at place) []place {
	o := at.object("bool_gauge", "metric", "grouping")
	if o == nil {
		return nil
	}
	text, metricAt, ok := o.mustText("metric")
	if ok {
		l.indicator = p.mapping(at).set("ratio", p.mapping(at).set("bad", p.expression(metricAt, "1 - "+text, -1)).node).node
		l.note("Each minute counts the same. Pyrra counts samples, so that a series which is scraped more often counts more.")
	}
	return o.list("grouping")
}

// pyrraTiers are Pyrra's tiers for a window of 28 days; for other windows they are
// longer or shorter in proportion.
var pyrraTiers = []struct {
	name              string
	long, short, hold time.Duration
	factor            string
}{
	{"page-fast", time.Hour, 5 * time.Minute, 2 * time.Minute, "14"},
	{"page-slow", 6 * time.Hour, 30 * time.Minute, 15 * time.Minute, "7"},
	{"ticket-fast", 24 * time.Hour, 2 * time.Hour, time.Hour, "2"},
	{"ticket-slow", 96 * time.Hour, 6 * time.Hour, 3 * time.Hour, "1"},
}

// The names of severities, unless an object names others.
const (
	pyrraCritical = "critical"
	pyrraWarning  = "warning"
)

func (p pyrraReader) alerting(l *level, spec *object, windowAt place, window string) {
	l.alerts.at = windowAt
	l.alerts.page, l.alerts.ticket = &pair{"", windowAt, pyrraCritical}, &pair{"", windowAt, pyrraWarning}
	burn := true
	if at, ok := spec.get("alerting"); ok {
		o := at.object("alerting", "disabled", "burnrates", "absent", "name", "absentName", "severities")
		if o == nil {
			return
		}
		l.alerts.disabled = o.is("disabled")
		if of, ok := o.get("burnrates"); ok {
			burn = of.flag("burnrates")
		}
		p.absent(l, o, p.severities(l, o), burn)
		if text, of, ok := o.text("name"); ok {
			l.alerts.annotations = with(l.alerts.annotations, pair{"pyrra_alert", of, text})
		}
		if of, ok := o.get("absentName"); ok {
			of.notCarried("the name of the alert about absent metrics is not carried: it is SLAMeasurementLost here", "use that name in routes")
		}
	}
	p.tiers(l, windowAt, window, burn)
}

func (p pyrraReader) tiers(l *level, windowAt place, window string, burn bool) {
	length, ok := pyrraWindow(window)
	for _, t := range pyrraTiers {
		switch {
		case !burn:
			l.alerts.tier(t.name, windowAt, setting{"enabled", p.boolean(windowAt, false)})
		case ok:
			scaled := func(d, least time.Duration) *yaml.Node { return p.text(windowAt, scaledTo(d, length, least)) }
			l.alerts.tier(t.name, windowAt, setting{"long", scaled(t.long, 2*shortestWindow)}, setting{"short", scaled(t.short, shortestWindow)}, setting{"factor", p.quoted(windowAt, t.factor)},
				setting{"for", p.text(windowAt, holdOf(t.hold, length))})
		}
	}
	if ok && burn && !l.alerts.disabled && length != pyrraWhole {
		l.note("Pyrra's alert windows follow the period; they are rounded to what rules here evaluate.")
	}
}

// absent carries the alert about absent metrics. Pyrra's is critical unless it is named
// otherwise; ours is as urgent as the most urgent tier.
func (p pyrraReader) absent(l *level, alerting *object, named map[string]pair, burn bool) {
	of, given := alerting.get("absent")
	if given && !of.flag("absent") {
		l.alerts.settings = append(l.alerts.settings, setting{"measurementLost", p.mapping(of).set("enabled", p.boolean(of, false)).flow().node})
		return
	}
	severity, ours := pair{"", alerting.place, pyrraCritical}, pyrraCritical
	if name, ok := named["absent"]; ok {
		severity = name
	}
	if fast, ok := named["fastBurn"]; ok {
		ours = fast.text
	}
	if !burn {
		ours = pyrraWarning
	}
	if severity.text != ours {
		lost := p.mapping(severity.at).set("severity", p.text(severity.at, severity.text)).flow()
		l.alerts.settings = append(l.alerts.settings, setting{"measurementLost", lost.node})
	}
}

// severities are names in place of critical and warning, by their keys: those of
// tiers, which it also sets, and that of absent metrics.
func (p pyrraReader) severities(l *level, alerting *object) map[string]pair {
	at, ok := alerting.get("severities")
	if !ok {
		return nil
	}
	tiers := []string{"fastBurn", "mediumBurn", "slowBurn", "longTermBurn"}
	o := at.object("severities", append(tiers, "absent")...)
	if o == nil {
		return nil
	}
	named := map[string]pair{}
	for i, key := range append(tiers, "absent") {
		name, of, ok := o.text(key)
		if !ok {
			continue
		}
		if named[key] = (pair{"", of, name}); i < len(tiers) {
			l.alerts.tier(pyrraTiers[i].name, of, setting{"severity", p.text(of, name)})
		}
	}
	return named
}

const pyrraWhole = 28 * 24 * time.Hour

// pyrraWindow is the length of a window, which Pyrra reads as Prometheus does: 4w, 30d, 1w3d.
// It is false if no period can have this length. That is reported once: no tiers are made
// then, which would have errors too.
func pyrraWindow(text string) (time.Duration, bool) {
	d, err := model.ParseDuration(text)
	length := time.Duration(d)
	return length, err == nil && length >= sla.ShortestPeriod && length <= sla.LongestPeriod
}

// shortestWindow is the shortest window of rates here. A long window is at least twice
// as long, so that it is longer than the short one.
const shortestWindow = 5 * time.Minute

// scaledTo scales a window of 28 days to another length: in whole minutes up to six
// hours, in steps of five minutes above.
func scaledTo(d, length, least time.Duration) string {
	d = time.Duration(float64(d) * float64(length) / float64(pyrraWhole))
	step := time.Minute
	if d > 6*time.Hour {
		step = 5 * time.Minute
	}
	return minutes(max(d.Round(step), least))
}

func holdOf(d, length time.Duration) string {
	return minutes(time.Duration(float64(d) * float64(length) / float64(pyrraWhole)).Round(time.Minute))
}

// minutes is a duration of whole minutes.
func minutes(d time.Duration) string {
	switch m := int64(d / time.Minute); {
	case m == 0:
		return "0s"
	case m%1440 == 0:
		return strconv.FormatInt(m/1440, 10) + "d"
	case m%60 == 0:
		return strconv.FormatInt(m/60, 10) + "h"
	default:
		return strconv.FormatInt(m, 10) + "m"
	}
}
