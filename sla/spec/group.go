package spec

import (
	"fmt"
	"slices"
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

// maxGroups is the highest limit of groups. Each group has about thirty series.
const maxGroups = 10_000

var labelNameSchema = schema{"type": "string", "pattern": labelPattern}

var groupLabelsType = valueType{name: "list of label names", sample: "[tenant]", scalars: []schema{{"type": "array", "minItems": 1, "uniqueItems": true, "items": labelNameSchema}}}

var groupBySection = &section{
	name: "groupBy",
	doc:  "One promise for each value of labels of the measured series, with its own budget, alerts and panels. It may be written short, `groupBy: [tenant]`. More in [group-by.md](group-by.md).",
	fields: []field{
		{key: "labels", typ: groupLabelsType, required: true, doc: "The labels. With several, each combination that occurs is a group. For probes: `location` or `target`."},
		{key: "limit", typ: valueType{name: "whole number", sample: "50", scalars: []schema{{"type": "integer", "minimum": 1, "maximum": maxGroups}}}, def: "50", doc: "How many groups are measured at most, from 1 to 10000. Groups that left count until the period no longer contains them. A new group without a place is in no figure until there is one."},
		{key: "targets", typ: valueType{name: "list of mappings", sample: "[…]", sections: []*section{groupTargetSection}, shape: listOf}, doc: "Other target shares for single groups. The first that matches a group is used; if none matches, the level's own."},
	},
}

var groupTargetSection = &section{
	name: "a group target",
	doc:  "What is promised to the groups that it matches.",
	fields: []field{
		{key: "match", typ: valueType{name: "labels", sample: "{tenant: acme}", scalars: labelsType.scalars}, required: true, doc: "The values of group labels, exactly. A label that is left out may have any value."},
		{key: "target", typ: percentType, required: true, example: `"99.95"`, doc: "As in the level, for these groups."},
		{key: "objective", typ: percentType, def: "the `target` beside it", example: `"99.97"`, doc: "As in the level, for these groups."},
		{key: "required", typ: booleanType, def: "false", doc: "`true`: the group must always have data; otherwise `SLAMeasurementLost` fires for it. `match` then names every label."},
	},
}

var groupByType = valueType{name: "list of label names, or a mapping", sample: "[tenant]", scalars: groupLabelsType.scalars, sections: []*section{groupBySection}}

// reservedGroups are labels that recorded series or histograms need, besides
// reservedLabels.
var reservedGroups = []string{"le", "start", "calendar", "alertstate"}

// parseGroupLabels parses the names of labels to group by.
func parseGroupLabels(v value) ([]value, bool) {
	items, ok := v.list()
	if !ok {
		return nil, false
	}
	var labels []value
	for _, item := range items {
		item.name = "a label of " + v.name
		name, isText := item.text()
		switch {
		case !isText:
		case !labelRegexp.MatchString(name):
			item.error("bad-label", quote(name)+" is not a valid name of a label that rules record: servers before Prometheus 3.0 read no other than letters, digits and _, not beginning with a digit",
				"use such a name; metric_relabel_configs can give scraped series one")
		case strings.HasPrefix(name, "__"):
			item.error("bad-label", quote(name)+" begins with __, which Prometheus keeps for itself", "choose another label")
		case name == "le":
			item.error("bad-label", `"le" distinguishes the buckets of a histogram, and cannot be a group`, "choose another label")
		case slices.Contains(reservedLabels, name) || slices.Contains(reservedGroups, name):
			item.error("bad-label", "the label "+quote(name)+" is set by the rules themselves", "choose another label, or give the series one of another name when they are scraped")
		case slices.ContainsFunc(labels, func(l value) bool { return l.node.Value == name }):
			item.error("duplicate-label", "the label "+quote(name)+" is given twice", "keep one of them")
		default:
			labels = append(labels, item)
		}
	}
	return labels, len(labels) == len(items)
}

// readGroupBy reads a level's groups, short as a list of labels or as a mapping.
func (d *levelDraft) readGroupBy(v value) {
	l := d.level
	group := &object{value: v, section: groupBySection}
	labels, ok := []value(nil), false
	if v.node.Kind == yamlMapping {
		if group = v.object(groupBySection); group == nil {
			return
		}
		labels, _, ok = read(group, "labels", parseGroupLabels)
	} else {
		labels, ok = parseGroupLabels(v)
	}
	for _, label := range labels {
		l.GroupBy.Labels = append(l.GroupBy.Labels, label.node.Value)
	}
	l.GroupBy.Limit = sla.DefaultGroupLimit
	if limit, _, ok := read(group, "limit", parseGroupLimit); ok {
		l.GroupBy.Limit = limit
	}
	items, _, _ := read(group, "targets", value.list)
	for _, item := range items {
		item.name = "a group target"
		if to := item.object(groupTargetSection); to != nil {
			decodeGroupTarget(to, l, ok)
		}
	}
	if !ok {
		l.GroupBy = sla.GroupBy{}
		return
	}
	d.groupLabels = labels
	named := 0
	for _, t := range l.GroupBy.Targets {
		if len(t.Match) == len(labels) {
			named++
		}
	}
	if limit, given := group.get("limit"); given && named > l.GroupBy.Limit {
		limit.error("bad-limit", fmt.Sprintf("%s is less than the %d groups that targets name", limit.quoted(), named), "raise it, with room for groups to come")
	}
}

func parseGroupLimit(v value) (int, bool) {
	c, ok := v.count()
	if ok && (c.number < 1 || c.number > maxGroups) {
		v.error("bad-limit", v.quoted()+" is not from 1 to "+itoa(maxGroups), "write limit: 50, which is the default, or as many as there can be and some room")
		return 0, false
	}
	return c.number, ok
}

// checkGroups reports an indicator without such groups, and labels that alerts would
// have twice.
func (d *levelDraft) checkGroups() {
	v, given := d.get("groupBy")
	if !given {
		return
	}
	d.checkGroupLabels(v)
	sets := []map[string]string{d.level.Alerting.Labels}
	for _, a := range d.level.Alerts() {
		sets = append(sets, a.Labels)
	}
	for _, name := range d.level.GroupBy.Labels {
		if slices.ContainsFunc(sets, func(labels map[string]string) bool { return labels[name] != "" }) {
			v.error("bad-group", "alerting gives alerts a label "+quote(name)+", which would stand in the place of the group's", "give the one in alerting another name")
		}
	}
}

func (d *levelDraft) checkGroupLabels(v value) {
	l := d.level
	if l.Indicator == nil || d.groupLabels == nil {
		return
	}
	allowed, own, ok := sla.Groupable(l.Indicator)
	if !ok {
		v.d.errorAt(v.key, "bad-group", "a "+l.Indicator.Kind()+" indicator cannot be grouped: it has no series of its own", "leave groupBy out, and group the levels that it is made of")
		return
	}
	for _, label := range d.groupLabels {
		switch name := label.node.Value; {
		case !own && !slices.Contains(allowed, name):
			label.error("bad-group", "its probe's series have no label "+quote(name), "group them by "+either(allowed))
		case name == "location" && l.Slots.Quorum > 0:
			label.error("bad-group", "a quorum judges all locations together, so there are no groups of them", "leave the quorum out, or the label")
		case l.Labels[name] != "":
			label.error("bad-group", fmt.Sprintf("the level already has a label %s, %s, which would stand in the place of the group's on alerts", quote(name), quote(l.Labels[name])),
				"give the one in labels another name")
		}
	}
}

// decodeGroupTarget adds a target to the level's groups. labelsKnown is false if the
// labels could not be read.
func decodeGroupTarget(o *object, l *sla.ServiceLevel, labelsKnown bool) {
	match, at, ok := read(o, "match", value.entries)
	t := sla.GroupTarget{Match: map[string]string{}, Pos: o.pos()}
	if ok && len(match) == 0 {
		at.error("empty-value", "match is empty, so that it would be the level's own target", "name a group, e.g. match: {tenant: acme}")
		ok = false
	}
	for _, entry := range match {
		if labelsKnown && !slices.Contains(l.GroupBy.Labels, entry.name) {
			entry.d.errorAt(entry.key, "bad-label", quote(entry.name)+" is no label that the level is grouped by", "it is grouped by "+list(l.GroupBy.Labels))
			ok = false
			continue
		}
		text, isText := entry.text()
		t.Match[entry.name] = text
		ok = ok && isText
	}
	promise, promised := &sla.ServiceLevel{}, false
	if target, given := o.get("target"); given {
		promised = readTarget(target, promise)
	}
	if objective, given := o.get("objective"); given {
		promised = readObjective(objective, promise) && promised
	}
	if !promised || !ok {
		return
	}
	t.Target, t.Objective = promise.Target, promise.Objective
	if required, at, given := read(o, "required", value.boolean); given && required {
		if t.Required = true; labelsKnown && len(t.Match) < len(l.GroupBy.Labels) {
			at.error("bad-group", "match leaves a label out, so nobody knows which groups there must be", "name a value of each of "+list(l.GroupBy.Labels)+", or leave required out")
		}
	}
	for _, before := range l.GroupBy.Targets {
		if before.Covers(t) {
			remedy := "put this one before it"
			if t.Covers(before) {
				remedy = "keep one of them"
			}
			at.error("unreachable-target", fmt.Sprintf("the target on line %d already matches %s: the first that matches holds", before.Pos.Line, t.Words()), remedy)
			return
		}
	}
	l.GroupBy.Targets = append(l.GroupBy.Targets, t)
}
