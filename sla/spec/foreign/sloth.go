package foreign

import (
	"errors"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Sloth is Sloth's own format, and its Kubernetes object.
var Sloth = Format{
	Name: "sloth", Title: "Sloth", Noun: "Sloth specification",
	Begin: "version: prometheus/v1", Mark: "prometheus/v1",
	Is: func(root *yaml.Node) bool {
		return scalarOf(root, "version") == "prometheus/v1" || isObject(root, "sloth.slok.dev/", "PrometheusServiceLevel") || isSlothWindows(root)
	},
	convert: func(c *conversion, docs []*Document) {
		var windows []*slothWindows
		for _, doc := range docs {
			if isSlothWindows(doc.Root) {
				if w := c.windows(place{doc, doc.Root}); w != nil {
					windows = append(windows, w)
				}
				continue
			}
			s := slothReader{conversion: c, spelled: slothFile}
			if entryOf(doc.Root, "version") == nil {
				s.spelled = slothObject
			}
			s.document(place{doc, doc.Root})
		}
		c.setWindows(windows)
	},
}

// spelling has the keys that the file and the object spell differently.
type spelling struct {
	errors, total, ratio, page, ticket, plugins string
}

var (
	slothFile   = spelling{"error_query", "total_query", "error_ratio_query", "page_alert", "ticket_alert", "slo_plugins"}
	slothObject = spelling{"errorQuery", "totalQuery", "errorRatioQuery", "pageAlert", "ticketAlert", "sloPlugins"}
)

type slothReader struct {
	*conversion
	spelled spelling
}

func (s slothReader) document(root place) {
	var o *object
	if s.spelled == slothFile {
		o = root.object("a Sloth specification", "version", "service", "labels", "slos", "slo_plugins")
	} else {
		object := root.object("a PrometheusServiceLevel", "apiVersion", "kind", "metadata", "spec", "status")
		if object == nil {
			return
		}
		at, ok := object.must("spec")
		if !ok {
			return
		}
		o = at.object("the spec of a PrometheusServiceLevel", "service", "labels", "slos", "sloPlugins")
	}
	if o == nil {
		return
	}
	service, at, ok := o.mustText("service")
	if !ok {
		return
	}
	name := s.name(at, service)
	if name == "" {
		return
	}
	a, isNew := s.agreement(at, name)
	labels := s.labels(o.texts("labels"))
	if isNew {
		a.labels, labels = labels, nil
		a.notes = append(a.notes,
			"Sloth has no alerts about a lost measurement, and about a budget that is spent or soon will be; these do: docs/alerts.md.",
			"A tier waits for three bad events, so that one failure in a quiet hour wakes nobody; minimumBadEvents: 0 is as in Sloth.")
	}
	s.plugins(o)
	slos, ok := o.must("slos")
	if !ok {
		return
	}
	if len(slos.node.Content) == 0 && slos.node.Kind == yaml.SequenceNode {
		slos.error("no-objective", "there is no SLO, so there is nothing to measure", "add slos: [{name: availability, objective: 99.9, sli: …}]")
		return
	}
	for _, item := range slos.items("slos") {
		if l := s.level(item, labels); l != nil {
			a.levels = append(a.levels, l)
		}
	}
}

// plugins reports plugins of Sloth, which change its rules.
func (s slothReader) plugins(o *object) {
	if at, ok := o.get(s.spelled.plugins); ok {
		at.notCarried("plugins of Sloth are not carried: they are programs that change its rules", "take "+s.spelled.plugins+" out, and see docs/rules.md for what our rules do")
	}
}

// level converts one SLO. It returns nil if there would be nothing to measure.
func (s slothReader) level(item place, labels []pair) *level {
	o := item.object("an SLO", "name", "description", "objective", "labels", "sli", "alerting", s.spelled.plugins)
	if o == nil {
		return nil
	}
	s.plugins(o)
	l := &level{at: item}
	name, at, ok := o.mustText("name")
	if !ok {
		return nil
	}
	if name = s.name(at, name); name == "" {
		return nil
	}
	l.name = s.text(at, name)
	if text, at, ok := o.text("description"); ok {
		l.description = s.text(at, strings.TrimSpace(text))
	}
	objective, ok := o.must("objective")
	if !ok {
		return nil
	}
	l.target = s.percent(objective, "objective", 1)
	l.labels = with(labels, s.labels(o.texts("labels"))...)
	sli, ok := o.must("sli")
	if !ok {
		return nil
	}
	s.indicator(l, sli)
	if l.indicator == nil || l.target == nil {
		return nil
	}
	if at, ok := o.get("alerting"); ok {
		s.alerting(l, at)
	}
	return l
}

// percent makes a target share from a number, times the factor that makes it per cent.
func (c *conversion) percent(at place, what string, factor int64) *yaml.Node {
	text, ok := at.scalar(what)
	if !ok {
		return nil
	}
	d, ok := parseDecimal(text)
	if !ok {
		at.error("bad-number", what+" "+strconv.Quote(shortened(text))+" is no number", "write it like 99.9")
		return nil
	}
	return c.quoted(at, d.times(factor).String())
}

func (s slothReader) indicator(l *level, at place) {
	o := at.object("sli", "raw", "events", "plugin")
	if o == nil {
		return
	}
	if events, ok := o.get("events"); ok {
		s.events(l, events)
		return
	}
	if raw, ok := o.get("raw"); ok {
		s.raw(l, raw)
		return
	}
	if plugin, ok := o.get("plugin"); ok {
		id := scalarOf(plugin.node, "id")
		plugin.error("not-carried", "the SLI plugin "+strconv.Quote(shortened(id))+" is not carried: it is a program that makes queries, and what it makes is not in this file",
			"write the query that it makes as events: sloth generate prints it in the rule of slo:sli_error:ratio_rate5m")
		return
	}
	at.error("missing-key", "sli needs raw, events or plugin", "add events: {"+s.spelled.errors+": …, "+s.spelled.total+": …}")
}

func (s slothReader) events(l *level, at place) {
	o := at.object("events", s.spelled.errors, s.spelled.total)
	if o == nil {
		return
	}
	bad, badAt, ok := o.mustText(s.spelled.errors)
	if !ok {
		return
	}
	all, allAt, ok := o.mustText(s.spelled.total)
	if !ok || !s.hasWindow(badAt, bad) || !s.hasWindow(allAt, all) {
		return
	}
	if s.queries == nil { // nobody parses the text
		events := s.mapping(at).set("bad", s.expression(badAt, bad, 0)).set("total", s.expression(allAt, all, 0))
		l.indicator = s.mapping(at).set("events", events.node).node
		return
	}
	part, badErr := s.rates(bad)
	total, allErr := s.rates(all)
	if isSyntaxError(badAt, badErr) || isSyntaxError(allAt, allErr) {
		return
	}
	if badErr == nil && allErr == nil {
		n := counts{part: part, total: total, partAt: badAt, allAt: allAt}
		if s.setCounted(l, at, n) {
			return
		}
	}
	why := "its queries are not sums of rates of counters"
	for _, err := range []error{badErr, allErr} {
		if err != nil {
			why = err.Error()
			break
		}
	}
	s.share(l, at, "("+strings.TrimSpace(bad)+")\n/\n("+strings.TrimSpace(all)+")", why)
}

// isSyntaxError reports a query that is no PromQL.
func isSyntaxError(at place, err error) bool {
	syntax, is := errors.AsType[*SyntaxError](err)
	if is {
		at.error("promql-syntax", "not valid PromQL: "+syntax.Message, "correct the expression")
	}
	return is
}

// setCounted makes the indicator from counts. It is false if they cannot be counted here.
func (s slothReader) setCounted(l *level, at place, n counts) bool {
	if !n.part.Summed || !n.total.Summed || !sameWords(n.part.By, n.total.By) {
		return false
	}
	if l.indicator = s.counted(n); l.indicator == nil {
		return false
	}
	if l.groupBy = s.grouped(at, n.total.By); l.groupBy != nil {
		l.note("Each " + strings.Join(n.total.By, ", ") + " has its own budget, as each series of these sums has in Sloth.")
	}
	return true
}

func sameWords(a, b []string) bool { return strings.Join(a, " ") == strings.Join(b, " ") }

// rates reads a sum of rates over the window.
func (s slothReader) rates(text string) (Counted, error) {
	n, err := s.queries.Counted(standIn(text))
	if err == nil && n.Window != windowMillis {
		err = errNoWindow
	}
	return n, err
}

// ratesOf is rates for a part of an expression, with places in the whole.
func (s slothReader) ratesOf(p Part) (Counted, error) {
	n, err := s.rates(p.Text)
	for _, selectors := range [][]Selector{n.Plus, n.Minus} {
		for i := range selectors {
			selectors[i].Offset += p.Offset
		}
	}
	return n, err
}

type conversionError string

func (e conversionError) Error() string { return string(e) }

const errNoWindow = conversionError("a range is not {{.window}}")

// hasWindow demands the window in a query, as Sloth does.
func (s slothReader) hasWindow(at place, text string) bool {
	if !window.MatchString(text) {
		at.error("no-window", "the query has no {{.window}}: Sloth puts the range of each of its rules there", "write it like sum(rate(requests_total[{{.window}}]))")
		return false
	}
	if rest := window.ReplaceAllString(text, ""); strings.Contains(rest, "{{") {
		at.error("not-carried", "the query has a template besides {{.window}}, which is not carried", "write out what the template stands for")
		return false
	}
	return true
}

// raw converts a share that a query calculates. If it divides bad by all events
// these are counted, so that the share is weighed by traffic.
func (s slothReader) raw(l *level, at place) {
	o := at.object("raw", s.spelled.ratio)
	if o == nil {
		return
	}
	text, query, ok := o.mustText(s.spelled.ratio)
	if !ok || strings.Contains(window.ReplaceAllString(text, ""), "{{") && !s.hasWindow(query, text) {
		return
	}
	if s.queries != nil {
		a, b, complement, ok := s.queries.Quotient(standIn(text))
		if ok {
			part, aErr := s.ratesOf(a)
			total, bErr := s.ratesOf(b)
			if aErr == nil && bErr == nil && s.setCounted(l, query, counts{part: part, total: total, good: complement, partAt: query, allAt: query}) {
				return
			}
		}
	}
	s.share(l, query, text, "")
}

// share carries a query as a bad share.
func (s slothReader) share(l *level, at place, text, why string) {
	written := fiveMinutes(text)
	offset := -1
	if written == text && why == "" {
		offset = 0
	}
	l.indicator = s.mapping(at).set("ratio", s.mapping(at).set("bad", s.expression(at, written, offset)).node).node
	message := "this becomes a ratio, whose minutes all count the same, however much traffic they have"
	if why != "" {
		message += ": " + why
	}
	at.warn("not-weighed", message, "count bad and total events by counters, as events: {"+s.spelled.errors+": sum(rate(…[{{.window}}])), …}, if there are such")
	l.note("Every minute counts the same here, however much traffic it has. Sloth evaluates the query over each window instead.")
}

func (s slothReader) alerting(l *level, at place) {
	o := at.object("alerting", "name", "labels", "annotations", s.spelled.page, s.spelled.ticket)
	if o == nil {
		return
	}
	l.alerts.at = at
	l.alerts.labels = s.labels(o.texts("labels"))
	s.annotations(l, o.texts("annotations"))
	if name, at, ok := o.text("name"); ok {
		l.alerts.annotations = with(l.alerts.annotations, pair{"sloth_alert", at, name})
	}
	pageOff := s.alert(l, o, s.spelled.page, pageTiers, &l.alerts.page)
	ticketOff := s.alert(l, o, s.spelled.ticket, ticketTiers, &l.alerts.ticket)
	if pageOff && ticketOff {
		l.alerts.disabled = true
	}
}

// alert converts the settings of one of the two alerts, and returns whether it is off.
func (s slothReader) alert(l *level, of *object, key string, tiers []string, severity **pair) (off bool) {
	at, ok := of.get(key)
	if !ok {
		return false
	}
	o := at.object(key, "disable", "labels", "annotations")
	if o == nil {
		return false
	}
	if o.is("disable") {
		for _, t := range tiers {
			l.alerts.tier(t, at, setting{"enabled", s.boolean(at, false)})
		}
		return true
	}
	var labels []entry
	for _, e := range o.texts("labels") {
		if e.name == "severity" {
			*severity = &pair{"severity", e.value, e.value.node.Value}
			continue
		}
		labels = append(labels, e)
	}
	if own := s.pairs(s.labels(labels)); own != nil {
		own.Style = yaml.FlowStyle
		for _, t := range tiers {
			l.alerts.tier(t, at, setting{"labels", own})
		}
	}
	for _, e := range o.texts("annotations") {
		e.key.notCarried("the annotation "+strconv.Quote(shortened(e.name))+" of "+key+" alone is not carried: here all alerts of a level have the same", "move it to the annotations of alerting")
	}
	return false
}
