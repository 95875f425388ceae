package foreign

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// opensloMetric is the query of a metric.
type opensloMetric struct {
	at     place
	text   string
	ranged bool // it reads ranges of time
}

// metric reads the query under a key.
func (r *opensloReader) metric(o *object, key string) (m opensloMetric, given, ok bool) {
	at, given := o.get(key)
	if !given {
		return m, false, false
	}
	of := at.object(key, "metricSource")
	if of == nil {
		return m, true, false
	}
	sourceAt, ok := of.must("metricSource")
	if !ok {
		return m, true, false
	}
	source := sourceAt.object("metricSource", "metricSourceRef", "type", "spec")
	if source == nil || !r.isPrometheus(source) {
		return m, true, false
	}
	specAt, ok := source.must("spec")
	if !ok {
		return m, true, false
	}
	spec := specAt.object("the spec of a metricSource")
	if spec == nil {
		return m, true, false
	}
	for _, e := range spec.entries {
		switch {
		case m.at.node == nil && slices.Contains(queryKeys, e.name):
			if m.text, ok = e.value.scalar(e.name); !ok {
				return m, true, false
			}
			m.at = e.value
		case e.name != "queryType":
			e.key.notCarried(strconv.Quote(shortened(e.name))+" of a metricSource is not carried: only its query is", "leave it out")
		}
	}
	if m.at.node == nil {
		specAt.error("no-query", "the metricSource has no query", "add query: and PromQL")
		return m, true, false
	}
	m.ranged = strings.Contains(withoutQuotes(m.text), "[")
	return m, true, r.hasNoTemplate(m)
}

// queryKeys are the keys in which programs write a metric's query, since OpenSLO names
// none.
var queryKeys = []string{"query", "promql", "expr"}

func (r *opensloReader) hasNoTemplate(m opensloMetric) bool {
	if strings.Contains(window.ReplaceAllString(m.text, ""), "{{") {
		m.at.error("not-carried", "the query has a template besides {{.window}}, which is not carried", "write out what the template stands for")
		return false
	}
	return true
}

var quoted = regexp.MustCompile("\"(?:[^\"\\\\]|\\\\.)*\"|'(?:[^'\\\\]|\\\\.)*'|`[^`]*`")

// withoutQuotes is a query with nothing in its quotes.
func withoutQuotes(query string) string { return quoted.ReplaceAllString(query, `""`) }

// promqlSources are kinds of sources that are asked in PromQL.
var promqlSources = []string{"prometheus", "promql", "mimir", "thanos", "cortex", "victoriametrics", "upheld"}

// isPrometheus demands a source that is asked in PromQL.
func (r *opensloReader) isPrometheus(source *object) bool {
	kind, at, given := source.text("type")
	if ref, ok := source.get("metricSourceRef"); ok {
		name, ok := ref.scalar("metricSourceRef")
		if !ok {
			return false
		}
		o := r.find("DataSource", name)
		switch {
		case o != nil:
			o.used = true
			if !given {
				kind, at = scalarOf(o.spec.node, "type"), ref
			}
		case !given:
			ref.warn("unknown-reference", "there is no DataSource "+strconv.Quote(shortened(name))+" in what is read, so it is taken for a Prometheus", "name the file that it is in as well, or write type: Prometheus")
			return true
		}
	}
	if kind == "" {
		return true // who writes no source means the one that they have
	}
	for _, known := range promqlSources {
		if strings.Contains(strings.ToLower(kind), known) {
			return true
		}
	}
	at.error("not-carried", "a metric of "+strconv.Quote(shortened(kind))+" is not carried: only what a Prometheus can be asked is measured", "write what it counts as PromQL, with type: Prometheus")
	return false
}
