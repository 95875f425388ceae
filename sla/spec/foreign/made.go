package foreign

import (
	"strings"

	"gopkg.in/yaml.v3"
)

// MadeBy is the tool that made the rules in a document, a PrometheusRule or a file of
// rules, from a specification; nil if there are no rules, or no known tool made them.
func MadeBy(root *yaml.Node) *Format {
	groups := entryOf(root, "groups")
	if isObject(root, "monitoring.coreos.com/", "PrometheusRule") {
		groups = entryOf(entryOf(root, "spec"), "groups")
	}
	if groups == nil || groups.Kind != yaml.SequenceNode {
		return nil
	}
	for _, group := range groups.Content {
		rules := entryOf(group, "rules")
		if rules == nil {
			continue
		}
		for _, rule := range rules.Content {
			labels, record := entryOf(rule, "labels"), scalarOf(rule, "record")
			switch {
			case entryOf(labels, "sloth_id") != nil:
				return &Sloth
			case entryOf(labels, "slo") != nil && (strings.Contains(record, ":burnrate") || strings.HasPrefix(record, "pyrra_")):
				return &Pyrra
			}
		}
	}
	return nil
}
